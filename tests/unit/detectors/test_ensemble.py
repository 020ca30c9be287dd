"""What is particular to the ensemble; the contract is checked in tests/contract."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from redshank.core import InputError, ModelError, SettingError
from redshank.detectors.combination._combined import HELD_BACK
from redshank.detectors.combination._tail import LEVELS, SHAPES, TAIL, fit_tail, surprise
from redshank.detectors.combination.ensemble import HOW, EnsembleDetector
from redshank.detectors.specs import detector_of
from redshank.testing import normal_series, odd_series


@pytest.mark.parametrize("draw", [stats.expon, stats.chi2(5), stats.norm, stats.lognorm(1.0)])
def test_surprise_is_minus_log_of_the_share_as_high(draw):
    held = draw.rvs(size=20_000, random_state=0)
    for p in (0.5, 0.1, 0.01, 0.001):
        score = draw.ppf(1 - p)
        found = surprise(np.array([score]), fit_tail(held))[0]
        # The shape is kept above 0, so beyond the tail's start an exponential one is told as heavier than it is.
        assert found == pytest.approx(-np.log(p), rel=0.07 if p >= 0.1 else 0.2)


@given(
    st.lists(st.floats(-1e30, 1e30), min_size=20, max_size=60),
    st.lists(st.floats(-1e75, 1e75), min_size=2, max_size=20),
)
def test_surprise_rises_is_finite_and_not_negative(held, scores):
    tail = fit_tail(np.array(held))
    found = surprise(np.sort(scores), tail)
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    assert (np.diff(found) >= 0).all()
    assert surprise(np.array([min(held)]), tail)[0] == 0.0
    assert SHAPES[0] <= tail[-1] <= SHAPES[1]


def test_beyond_what_was_held_back_farther_still_ranks():
    tail = fit_tail(np.random.default_rng(0).exponential(size=500))
    found = surprise(10.0 ** np.arange(1, 60), tail)
    assert (np.diff(found) > 0).all()


def test_equal_scores_are_as_high_as_each_other():
    held = np.r_[np.zeros(95), np.arange(1.0, 6.0)]  # DBSCAN and others say 0 of most rows
    tail = fit_tail(held)
    assert surprise(np.zeros(1), tail)[0] == 0.0
    assert surprise(np.ones(1), tail)[0] > -np.log(TAIL)
    assert surprise(np.array([7.0, 8.0]), fit_tail(np.full(50, 7.0))).tolist() == [
        0.0,
        pytest.approx(LEVELS[-1] + np.log1p(SHAPES[0]) / SHAPES[0]),
    ]


def test_tails_come_from_rows_that_the_member_has_not_seen():
    X = normal_series(rows=600)
    ensemble = EnsembleDetector(members=("knn", "pca")).fit(X)
    end = len(X) - int(len(X) * HELD_BACK)
    for place, text in enumerate(ensemble.members):
        held = detector_of(text).fit(X[:end]).score_samples(X)[end:]
        np.testing.assert_array_equal(ensemble.tails_[place], fit_tail(held))
        seen = detector_of(text).fit(X).score_samples(X)[end:]
        assert not np.array_equal(fit_tail(seen), ensemble.tails_[place])


def test_members_learn_from_all_rows_in_the_end():
    X, test = normal_series(), odd_series(1)[0]
    ensemble = EnsembleDetector(members=("pca", "ridge")).fit(X)
    for place, text in enumerate(ensemble.members):
        own = {name: value for name, value in ensemble.state().items() if name.startswith(f"{place}.")}
        for name, value in detector_of(text).fit(X).state().items():
            np.testing.assert_array_equal(own[f"{place}.{name}"], value)
    assert np.isfinite(ensemble.score_samples(test)).all()


@pytest.mark.parametrize("how", HOW)
def test_fusion_is_what_it_says(how):
    X, test = normal_series(), odd_series(1)[0]
    members = ("pca", "ridge", "knn")
    ensemble = EnsembleDetector(members=members, how=how, top=2).fit(X)
    raw = np.stack([detector_of(text).fit(X).score_samples(test) for text in members])
    nats = np.stack([surprise(own, tail) for own, tail in zip(raw, ensemble.tails_, strict=True)])
    end = len(X) - int(len(X) * HELD_BACK)
    held = [detector_of(text).fit(X[:end]).score_samples(X)[end:] for text in members]
    wanted = {
        "fisher": nats.sum(axis=0),
        "max": nats.max(axis=0),
        "mean_top": np.sort(nats, axis=0)[-2:].mean(axis=0),
        "log_mean": np.mean([np.log1p(own / np.median(one)) for own, one in zip(raw, held, strict=True)], axis=0),
    }[how]
    ready = ensemble.ready(test)
    np.testing.assert_allclose(ensemble.score_samples(test)[ready], wanted[ready], rtol=1e-9)
    parts = ensemble.contributions(test)
    np.testing.assert_allclose(parts.sum(axis=1), ensemble.score_samples(test), rtol=1e-9)


def test_contributions_of_max_are_those_of_the_loudest():
    X = normal_series()
    ensemble = EnsembleDetector(members=("pca", "ridge"), how="max").fit(X)
    test = odd_series(1)[0]
    nats = np.stack(
        [
            surprise(detector_of(text).fit(X).score_samples(test), tail)
            for text, tail in zip(ensemble.members, ensemble.tails_, strict=True)
        ]
    )
    row = int(np.argmax(np.abs(nats[0] - nats[1])))
    loudest = detector_of(ensemble.members[int(nats[:, row].argmax())]).fit(X).contributions(test)[row]
    np.testing.assert_allclose(
        ensemble.contributions(test)[row] / nats[:, row].max(), loudest / loudest.sum(), rtol=1e-6
    )


def test_a_member_in_another_unit_changes_nothing():
    """Raw scores of any unit: the fused score is the same, unless they are fused raw."""
    X, test = normal_series(), odd_series(1)[0]
    nats = []
    for factor in (1.0, 1e6):
        held = detector_of("knn").fit(X[:280]).score_samples(X)[280:] * factor
        nats.append(surprise(detector_of("knn").fit(X).score_samples(test) * factor, fit_tail(held)))
    np.testing.assert_allclose(nats[0], nats[1], rtol=1e-9)


def test_tags_follow_the_members():
    assert EnsembleDetector(members=("pca", "knn")).tags.sequence is False
    assert EnsembleDetector(members=("pca", "ridge")).tags.sequence is True
    assert EnsembleDetector(members=("pca", "ridge")).tags.streams is False
    assert EnsembleDetector(members=("pca", "matrix_profile")).tags.cheap is False
    assert EnsembleDetector().tags.good_for
    assert EnsembleDetector(members=("pca", "moving_average(window=50)")).fit(normal_series()).warmup >= 5


def test_series_too_short_to_part_are_learned_from_whole():
    X = normal_series()
    ensemble = EnsembleDetector(members=("pca", "ridge")).fit([X, normal_series(1, 4)])
    assert np.isfinite(ensemble.score_samples(odd_series(1)[0])).all()


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"members": ("pca",)}, SettingError, "wanted two or more"),
        ({"members": "pca"}, SettingError, "wanted two or more"),
        ({"members": ("pca", "nope")}, SettingError, "no detector is called 'nope'"),
        ({"how": "sum"}, SettingError, "wanted one of fisher, max"),
        ({"top": 0}, SettingError, "top is 0"),
    ],
)
def test_wrong_settings_are_refused(settings, error, says):
    with pytest.raises(error, match=says):
        EnsembleDetector(**settings).fit(normal_series())


def test_too_few_rows_are_refused_with_the_number_needed():
    with pytest.raises(InputError, match="at least 20 are needed"):
        EnsembleDetector(members=("pca", "knn")).fit(normal_series(rows=40))


def test_state_of_other_members_is_refused():
    state = EnsembleDetector(members=("pca", "ridge", "knn")).fit(normal_series()).state()
    with pytest.raises(ModelError, match="holds a member 2; there are 2"):
        EnsembleDetector(members=("pca", "ridge")).restore(state)


def test_progress_runs_once_from_start_to_end():
    seen = []
    ensemble = EnsembleDetector(members=("ae_lstm(epochs=2, window=6, hidden=4, device='cpu')", "pca"))
    ensemble.progress = lambda epoch, epochs, loss: seen.append(epoch / epochs)
    pytest.importorskip("torch")
    ensemble.fit(normal_series())
    assert seen == sorted(seen)
    assert 0 < seen[0] < seen[-1] <= 1
