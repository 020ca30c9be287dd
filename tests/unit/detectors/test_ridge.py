"""What is particular to RidgeDetector."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redshank.core import LARGEST, SettingError
from redshank.detectors.classical import ridge
from redshank.detectors.classical.ridge import FAR, REACH, SPREAD_FLOOR, RidgeDetector
from redshank.testing import normal_series, odd_series


def plain_means(rows: np.ndarray, lag: int, start: np.ndarray | float) -> np.ndarray:
    """The recursion of the docstring, row by row."""
    means, last = [], start
    for row in rows:
        last = last + (row - last) / lag
        means.append(last)
    return np.array(means)


def slow_residuals(
    training: np.ndarray, X: np.ndarray, lags: tuple[int, ...], penalty: float, end: int
) -> tuple[np.ndarray, np.ndarray]:
    """Both residuals of every channel, each regression set up and solved by itself; (2, rows, channels) of each."""
    mean, scale = training[:end].mean(axis=0), training[:end].std(axis=0)

    def kinds(rows: np.ndarray, slopes: np.ndarray) -> list[np.ndarray]:
        x = np.clip((rows - mean) / scale, -REACH, REACH)
        starts = [x[0], *(slope * x[0] for slope in slopes)]
        current = [x, *(plain_means(x, lag, start) for lag, start in zip(lags, starts[1:], strict=True))]
        past = [np.vstack([start, kind[:-1]]) for start, kind in zip(starts, current, strict=True)]
        return [*current, x**2, current[1] ** 2, *past]

    # Mean and deviation of the inputs, and the slopes, are those of series started at the training mean.
    neutral = [kind[:end] for kind in kinds(training, np.zeros((len(lags), 1)))]
    x = neutral[0]
    slopes = np.array([(x * kind).sum(axis=0) / (x * x).sum(axis=0) for kind in neutral[1 : len(lags) + 1]])
    learned, asked = (kinds(rows, np.clip(slopes, 0.0, 1.0)) for rows in (training, X))
    width, now = training.shape[1], len(lags) + 3
    found = []
    for with_own in (False, True):
        for j in range(width):
            pairs = [(k, i) for k in range(now) for i in range(width) if i != j]
            pairs += [(k, j) for k in range(now, len(learned))] if with_own else []
            about = np.array([0.0, *(neutral[k][:, i].mean() for k, i in pairs)])
            size = np.array([1.0, *(neutral[k][:, i].std() for k, i in pairs)])
            inputs = np.column_stack([np.ones(end), *(learned[k][:end, i] for k, i in pairs)])
            inputs = np.clip((inputs - about) / size, -REACH, REACH)
            # A ridge regression is least squares with one more row for each coefficient.
            more = np.sqrt(penalty * end) * np.eye(inputs.shape[1])[1:]
            y = (training[:end, j] - mean[j]) / scale[j]
            solved = np.linalg.lstsq(np.vstack([inputs, more]), np.append(y, np.zeros(len(more))), rcond=None)[0]
            for rows, all_kinds in ((training, learned), (X, asked)):
                columns = np.column_stack([np.ones(len(rows)), *(all_kinds[k][:, i] for k, i in pairs)])
                columns = np.clip((columns - about) / size, -REACH, REACH)
                found.append((rows[:, j] - mean[j]) / scale[j] - columns @ solved)
    of_training, of_asked = (np.stack(found[k::2]).reshape(2, width, -1).transpose(0, 2, 1) for k in (0, 1))
    return of_training, of_asked


def related(seed: int, rows: int) -> np.ndarray:
    """Three channels that drift together, and a fourth that follows the first slowly."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((rows, 2))
    slow = np.empty((rows, 2))
    state = np.zeros(2)
    for i in range(rows):
        state = 0.98 * state + 0.2 * noise[i]
        slow[i] = state
    clean = np.column_stack([slow[:, 0], slow[:, 1], slow[:, 0] - slow[:, 1], plain_means(slow[:, 0], 20, 0.0)])
    return clean + 0.02 * rng.standard_normal(clean.shape)


@pytest.mark.parametrize("lags", [(4,), (3, 20, 90)])
def test_score_and_parts_equal_the_plain_form(lags: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ridge, "BLOCK", 2 * ridge.SPAN)
    training, X = related(0, 900), related(1, 700)
    X[300, 1] += 40.0
    detector = RidgeDetector(lags=lags, penalty=1e-2).fit(training)
    of_training, of_asked = slow_residuals(training, X, lags, 1e-2, 720)
    spread = np.sqrt(np.square(of_training[:, 720:]).mean(axis=1))
    parts = np.square(of_asked / spread[:, None]).sum(axis=0)[detector.warmup :]
    np.testing.assert_allclose(detector.spread_, spread, rtol=1e-6)
    np.testing.assert_allclose(detector.contributions(X)[detector.warmup :], parts, rtol=1e-5)
    np.testing.assert_allclose(detector.score_samples(X)[detector.warmup :], parts.sum(axis=1), rtol=1e-5)


@given(
    rows=st.integers(1, 2 * ridge.SPAN + 3),
    lags=st.lists(st.integers(2, 2000), min_size=1, max_size=4),
    block=st.integers(1, 2),
    seed=st.integers(0, 9),
)
def test_means_equal_the_recursion(rows: int, lags: list[int], block: int, seed: int) -> None:
    X = np.random.default_rng(seed).standard_normal((rows, 2))
    weights, decay = ridge._weights(tuple(lags))
    begin = np.random.default_rng(seed + 1).standard_normal((len(lags), 2))
    carry, found = begin, []
    for start in range(0, rows, block * ridge.SPAN):
        means, carry = ridge._means(X[start : start + block * ridge.SPAN], carry, weights, decay)
        found.append(means)
    plain = np.stack([plain_means(X, lag, own) for lag, own in zip(lags, begin, strict=True)], axis=1)
    np.testing.assert_allclose(np.concatenate(found), plain, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(carry, plain[-1], rtol=1e-9, atol=1e-12)


def test_a_lag_too_long_for_the_training_series_is_not_used() -> None:
    X = related(0, 1000)
    detector = RidgeDetector(lags=(10, 50), held_back=0.0).fit([X[:190], X[190:300]])
    used = detector.coefficients_[:, :-1].reshape(2, 8, 4, 4).any(axis=(2, 3))
    assert used.tolist() == [
        [True, True, False, True, True, False, False, False],
        [True] * 2 + [False] + [True] * 4 + [False],
    ]
    longer = RidgeDetector(lags=(10, 50), held_back=0.0).fit([X[:200], X[200:300]])
    assert longer.coefficients_[1, :-1].reshape(8, 4, 4).any(axis=(1, 2)).all()


def test_scores_do_not_depend_on_the_size_of_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    training, X = related(0, 1000), related(1, 777)
    whole = RidgeDetector().fit(training)
    monkeypatch.setattr(ridge, "BLOCK", ridge.SPAN)
    blocks = RidgeDetector().fit(training)
    np.testing.assert_allclose(blocks.score_samples(X), whole.score_samples(X), rtol=1e-7)
    np.testing.assert_allclose(blocks.band_, whole.band_, rtol=1e-7)


def test_a_prefix_has_the_same_scores_beyond_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ridge, "BLOCK", 2 * ridge.SPAN)
    detector, X = RidgeDetector().fit(related(0, 1000)), related(1, 1000)
    whole = detector.score_samples(X)
    for end in (127, 128, 129, 256, 257, 600):
        np.testing.assert_allclose(detector.score_samples(X[:end]), whole[:end], rtol=1e-9)


def test_a_series_that_starts_anywhere_scores_as_if_it_had_gone_on() -> None:
    detector, X = RidgeDetector().fit(related(0, 20_000)), related(1, 20_000)
    whole = detector.score_samples(X)
    starts = range(1000, 19_000, 500)
    fresh = np.array([detector.score_samples(X[i : i + 400])[100:] for i in starts])  # channel 3 follows within 100
    on = np.array([whole[i + 100 : i + 400] for i in starts])
    assert 0.8 < np.quantile(fresh, 0.99) / np.quantile(on, 0.99) < 1.25
    assert (detector.start_[0] > 0.8).all()
    assert (detector.start_[-1] < 0.5).all()


def test_the_soft_sensor_sees_a_fault_that_lasts() -> None:
    detector, X = RidgeDetector().fit(related(0, 4000)), related(1, 4000)
    usual = np.quantile(detector.score_samples(X), 0.99)
    X[1000:, 2] += 0.5  # well inside the range of the channel
    assert X[1000:, 2].max() < 1.2 * related(0, 4000)[:, 2].max()
    late = slice(3500, None)
    assert (detector.score_samples(X)[late] > usual).mean() > 0.95
    assert (detector.contributions(X)[late].argmax(axis=1) == 2).mean() > 0.95


def test_the_innovation_sees_a_sudden_change_inside_the_range() -> None:
    rng = np.random.default_rng(0)
    X = np.cumsum(rng.standard_normal((6000, 2)), axis=0)
    X -= np.linspace(0.0, 1.0, len(X))[:, None] * X[-1]  # two channels with nothing in common
    detector = RidgeDetector().fit(X[:4000])
    test = X[4000:].copy()
    jump = detector.scale_[0] / 2
    test[1000:, 0] += np.where(test[1000, 0] < detector.mean_[0], jump, -jump)
    scores = detector.score_samples(test)
    assert scores[1000] == scores.max()
    assert detector.contributions(test)[1000].argmax() == 0


def test_one_channel_is_judged_by_its_mean_and_its_past() -> None:
    rng = np.random.default_rng(0)
    t = np.arange(3000)
    X = (10.0 + 3.0 * np.sin(2 * np.pi * t / 200) + 0.05 * rng.standard_normal(3000))[:, None]
    detector = RidgeDetector().fit(X[:2000])
    np.testing.assert_allclose(detector.coefficients_[0], 0.0, atol=1e-9)
    fresh = X[2000:].copy()
    band = detector.expected(fresh)
    np.testing.assert_allclose(band.value, X[:2000].mean(), atol=1e-2)
    assert ((band.low <= fresh) & (fresh <= band.high)).mean() > 0.95
    usual = detector.score_samples(fresh).max()
    fresh[500] = 10.0 - 3.0 * np.sin(2 * np.pi * 2500 / 200 + 1.2)  # in range, at the wrong time
    assert detector.score_samples(fresh)[500] > 5 * usual
    fresh[500:] = 40.0
    assert detector.score_samples(fresh)[-1] > 5 * usual


def test_expected_value_is_what_the_other_channels_say() -> None:
    detector, X = RidgeDetector().fit(related(0, 20_000)), related(1, 4000)
    clean = X.copy()
    told = detector.expected(X)
    assert np.abs(told.value - clean)[500:].mean(axis=0).max() < 0.1
    X[:, 2] = 99.0
    np.testing.assert_allclose(detector.expected(X).value[:, 2], told.value[:, 2], rtol=1e-9)
    inside = (told.low <= clean) & (clean <= told.high)
    assert inside[500:].mean(axis=0).min() > 0.9


def test_a_fault_is_put_down_to_its_channel() -> None:
    detector = RidgeDetector().fit(related(0, 3000))
    for channel in range(4):
        X = related(1, 300)
        X[200, channel] += 30.0  # far enough to tell it from the others of an exact relation
        assert detector.contributions(X)[200].argmax() == channel


def test_units_of_a_channel_do_not_matter() -> None:
    X, test = normal_series(), odd_series(1)[0]
    unit, zero = np.array([1e-6, 1.0, 1e9]), np.array([-5.0, 0.0, 1e10])
    plain = RidgeDetector().fit(X).score_samples(test)
    np.testing.assert_allclose(RidgeDetector().fit(X * unit + zero).score_samples(test * unit + zero), plain, rtol=1e-4)


def test_score_grows_with_the_deviation_up_to_far() -> None:
    training, X = related(0, 1000), related(1, 50)
    detector, scores = RidgeDetector().fit(training), []
    for size in (0.0, 1.0, 1e2, 1e4, 0.9 * FAR, LARGEST):
        odd = X.copy()
        odd[-1, 0] = min(odd[-1, 0] + size * training[:, 0].std(), LARGEST)
        scores.append(detector.score_samples(odd)[-1])
    assert (np.diff(scores) > 0).all()
    assert scores[-1] < 4 * (FAR / SPREAD_FLOOR) ** 2


def test_the_spread_comes_from_the_rows_held_back() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1000, 1))
    X[800:] *= 3.0
    held, all_fitted = RidgeDetector().fit(X), RidgeDetector(held_back=0.0).fit(X)
    np.testing.assert_allclose(held.spread_[0] * held.scale_, np.sqrt(np.square(X[800:] - held.mean_).mean()))
    np.testing.assert_allclose(all_fitted.spread_[0], 1.0)


@pytest.mark.parametrize("rows", [2, 3, 7])
@pytest.mark.parametrize("width", [1, 2, 5])
def test_a_few_rows_are_enough(rows: int, width: int) -> None:
    rng = np.random.default_rng(0)
    detector = RidgeDetector().fit(rng.standard_normal((rows, width)))
    assert np.isfinite(detector.score_samples(rng.standard_normal((20, width)))).all()
    assert np.isfinite(detector.expected(rng.standard_normal((1, width))).value).all()


def test_series_of_one_row_are_enough() -> None:
    X = np.random.default_rng(0).standard_normal((6, 2))
    detector = RidgeDetector().fit([row[None] for row in X])
    assert np.isfinite(detector.score_samples(X)).all()


def test_many_channels_some_repeated_some_constant() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((600, 38))
    X[:, 1] = X[:, 0]
    X[:, 2] = 4.1
    detector = RidgeDetector().fit(X)
    test = X[:100].copy()
    test[60, 2] = 5.1
    test[80, 1] += 1.0
    parts = detector.contributions(test)
    assert parts[60].argmax() == 2
    assert parts[80].argmax() in (0, 1)
    assert np.isclose(parts[60, 2], 2.0 / SPREAD_FLOOR**2, rtol=0.2)


def test_inputs_of_a_long_series_are_never_all_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ridge, "BLOCK", 4 * ridge.SPAN)
    detector, X = RidgeDetector().fit(np.random.default_rng(0).standard_normal((500, 4))), np.zeros((30_000, 4))
    tracemalloc.start()
    try:
        detector.score_samples(X)
        assert tracemalloc.get_traced_memory()[1] < 12 * X.nbytes
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "settings",
    [
        {"lags": ()},
        {"lags": (1, 5)},
        {"lags": (5, 5)},
        {"lags": (30, 5)},
        {"lags": (5.0,)},
        {"lags": (True, 5)},
        {"lags": 5},
        {"penalty": 0.0},
        {"penalty": float("nan")},
        {"held_back": 0.6},
        {"held_back": -0.1},
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(SettingError, match=f"RidgeDetector: {next(iter(settings))}"):
        RidgeDetector(**settings).fit(normal_series())


def test_needs_no_training_framework() -> None:
    code = (
        "import sys; import redshank.detectors.classical.ridge; "
        "sys.exit(bool({'torch', 'sklearn', 'scipy', 'pandas', 'polars'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
