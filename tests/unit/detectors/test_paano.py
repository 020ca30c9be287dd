"""What is particular to PaAnoDetector: the bank, its distances, and what takes the level out of a patch and back in."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from redshank.core import InputError, ModelError, SettingError
from redshank.detectors.neural._base import one_thread
from redshank.detectors.neural.paano import (
    BLOCK,
    LEAST,
    NEAREST,
    PaAnoDetector,
    most_similar,
    own_shape,
    representatives,
    unit,
)
from redshank.testing import normal_series, odd_series

QUICK = {"epochs": 2, "window": 16, "filters": 8, "bank": 60, "lr": 0.01, "device": "cpu"}


@pytest.fixture(scope="module")
def fitted() -> PaAnoDetector:
    return PaAnoDetector(**QUICK).fit(normal_series(rows=1200))


def slow_score(detector: PaAnoDetector, patch: np.ndarray) -> float:
    """The score of one patch by its definition."""
    z = (patch - detector.mean_) / detector.scale_
    shape = own_shape(torch.from_numpy(np.clip(z, -10, 10).astype(np.float32))[None])
    with one_thread(), torch.inference_mode():
        found = detector._module.convolutions(shape.transpose(1, 2)).mean(dim=2)[0].double().numpy()
    cosines = [found @ kept / np.linalg.norm(found) / np.linalg.norm(kept) for kept in detector.bank_]
    score = (1.0 - np.mean(sorted(cosines)[-NEAREST:])) / detector.usual_distance_
    for c in range(patch.shape[1]):
        low, high = detector.usual_mean_[:, c]
        beyond = max(0.0, z[:, c].mean() - high, low - z[:, c].mean())
        beyond += max(0.0, z[:, c].std() - detector.usual_deviation_[c])
        score += np.log(1.0 + beyond)
    return score


def test_score_equals_its_definition(fitted: PaAnoDetector) -> None:
    X, _ = odd_series(1, 300)
    found = fitted.score_samples(X)
    for t in (15, 16, 120, 187, 190, 210, 299):
        assert found[t] == pytest.approx(slow_score(fitted, X[t - 15 : t + 1]), rel=1e-3, abs=1e-4)


def test_prefix_has_the_same_bits_across_blocks(fitted: PaAnoDetector) -> None:
    X, _ = odd_series(1, 3 * BLOCK)
    whole = fitted.score_samples(X)
    for end in (16, BLOCK, BLOCK + 15, BLOCK + 16, 2 * BLOCK + 3):
        np.testing.assert_allclose(fitted.score_samples(X[:end]), whole[:end], rtol=1e-9)


def test_bank_is_bounded_and_of_training_patches(fitted: PaAnoDetector) -> None:
    assert len(fitted.bank_) == len(fitted.bank_patches_) <= 60
    np.testing.assert_allclose(np.linalg.norm(fitted.bank_, axis=1), 1.0)
    near = fitted._near(normal_series(rows=1200))
    windows = np.lib.stride_tricks.sliding_window_view(near, 16, axis=0).transpose(0, 2, 1)
    shapes = own_shape(torch.from_numpy(windows.copy())).numpy()
    for kept in fitted.bank_patches_[:5]:
        assert np.abs(shapes - kept).max(axis=(1, 2)).min() < 1e-5
    large = PaAnoDetector(**QUICK | {"bank": 5000, "epochs": 1}).fit(normal_series(rows=1200))
    assert len(large.bank_) <= LEAST  # a tenth of the patches is less


def test_bank_of_long_training_is_drawn_from_some_of_the_patches(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    whole = PaAnoDetector._embedded

    def counted(self: PaAnoDetector, X: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, ...]:
        seen.append(len(places))
        return whole(self, X, places)

    monkeypatch.setattr("redshank.detectors.neural.paano.SAMPLED", 100)
    monkeypatch.setattr(PaAnoDetector, "_embedded", counted)
    PaAnoDetector(**QUICK | {"epochs": 1}).fit([normal_series(rows=700), normal_series(1, 10), normal_series(2, 300)])
    assert 80 <= sum(seen[:3]) <= 100
    assert seen[1] == 0  # shorter than a patch


def test_shape_is_free_of_level_and_size() -> None:
    rng = np.random.default_rng(0)
    patch = torch.from_numpy(rng.normal(size=(1, 16, 2)))
    moved = own_shape(7.0 + 3.0 * patch)
    torch.testing.assert_close(moved, own_shape(patch), rtol=0.01, atol=0.01)
    torch.testing.assert_close(own_shape(torch.full((1, 16, 2), 5.0)), torch.zeros(1, 16, 2))


def test_level_that_no_training_row_had_is_seen_and_farther_is_not_lower(fitted: PaAnoDetector) -> None:
    usual = np.quantile(fitted.score_samples(normal_series(1, 600))[15:], 0.99)
    scores = []
    for size in (8.0, 80.0, 8e3, 8e8, 1e30):
        X = normal_series(1, 200)
        X[100:, 0] += size
        scores.append(fitted.score_samples(X)[-1])
    assert scores[0] > usual
    assert (np.diff(scores) > 0).all()


def test_finds_a_shape_never_seen() -> None:
    detector = PaAnoDetector(**QUICK | {"window": 24, "epochs": 4}).fit(normal_series(rows=2000)[:, :1])
    X = normal_series(1, 600)[:, :1]
    X[300:324] = X[300:324].mean()  # within range, and flat where a wave belongs
    scores = detector.score_samples(X)
    assert scores[318:330].max() > np.quantile(scores[23:300], 0.99)


def test_contributions_sum_to_the_score_and_name_the_channel(fitted: PaAnoDetector) -> None:
    X = normal_series(1, 300)
    X[200:210, 2] = X[200:210, 2].mean()
    parts = fitted.contributions(X)
    np.testing.assert_allclose(parts.sum(axis=1), fitted.score_samples(X), rtol=1e-9)
    assert parts[209].argmax() == 2


def test_patch_is_chosen_by_the_channels_and_the_length() -> None:
    assert PaAnoDetector(device="cpu", epochs=1, filters=4).fit(normal_series(rows=900)).window_ == 96
    one = PaAnoDetector(device="cpu", epochs=1, filters=4).fit(normal_series(rows=900)[:, :1])
    assert one.window_ == 64
    assert one.warmup == 63
    assert PaAnoDetector(device="cpu", epochs=1, filters=4).fit(normal_series(rows=200)).window_ == 50


def test_same_seed_same_bits_and_state_restores(fitted: PaAnoDetector) -> None:
    X, _ = odd_series(1, 200)
    again = PaAnoDetector(**QUICK).fit(normal_series(rows=1200))
    np.testing.assert_array_equal(again.score_samples(X), fitted.score_samples(X))
    restored = PaAnoDetector(**QUICK).restore(fitted.state())
    np.testing.assert_array_equal(restored.contributions(X), fitted.contributions(X))
    with pytest.raises(ModelError, match="does not fit the settings"):
        PaAnoDetector(**QUICK | {"filters": 4}).restore(fitted.state())


def test_budget_ends_training() -> None:
    told: list[int] = []
    detector = PaAnoDetector(**QUICK | {"epochs": 10_000, "budget_s": 0.0})
    detector.progress = lambda epoch, most, loss: told.append(epoch)
    detector.fit(normal_series())
    assert told == [1]


def test_choosing_the_bank_keeps_to_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many rounds of k-means take minutes, in each of its two runs."""
    monkeypatch.setattr("redshank.detectors.neural.paano.ROUNDS", 10**5)
    budget_s = 0.3
    detector = PaAnoDetector(**QUICK | {"epochs": 10_000, "bank": 500, "budget_s": budget_s})
    begun = time.monotonic()
    detector.fit(normal_series(rows=3000))
    assert time.monotonic() - begun < 3.0 * budget_s + 1.0
    assert len(detector.bank_) > 250


def test_without_time_the_bank_is_drawn() -> None:
    points = unit(np.random.default_rng(0).normal(size=(200, 3)))
    drawn = np.sort(np.random.default_rng(4).choice(200, 20, replace=False))
    assert representatives(points, 20, 4, end=0.0).tolist() == drawn.tolist()
    assert representatives(points, 20, 4).tolist() != drawn.tolist()


@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 5))
def test_representatives_are_some_of_the_points(rows: int, count: int, seed: int) -> None:
    points = unit(np.random.default_rng(seed).normal(size=(rows, 3)))
    places = representatives(points, count, seed)
    assert 1 <= len(places) <= max(count, 1)
    assert len(np.unique(places)) == len(places)
    assert places.max() < rows
    if count >= rows:
        assert len(places) == rows


def test_representatives_are_of_every_group() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(3), 50)
    points = unit(np.eye(3)[groups] + 0.05 * rng.normal(size=(150, 3)))
    assert set(groups[representatives(points, 12, 0)]) == {0, 1, 2}


def test_most_similar_equals_the_slow_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("redshank.detectors.neural.paano.CELLS", 40)
    rng = np.random.default_rng(0)
    points, others = unit(rng.normal(size=(33, 4))), unit(rng.normal(size=(9, 4)))
    assert most_similar(points, others).tolist() == [int(np.argmax([p @ o for o in others])) for p in points]


@pytest.mark.parametrize(
    "setting", [{"window": 1}, {"window": 500}, {"filters": 0}, {"bank": 2}, {"epochs": 0}], ids=str
)
def test_settings_out_of_range_are_refused(setting: dict[str, int]) -> None:
    with pytest.raises(SettingError, match="PaAnoDetector"):
        PaAnoDetector(**QUICK | setting).fit(normal_series(rows=100))


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(InputError, match="too few"):
        PaAnoDetector(device="cpu").fit(normal_series(rows=3))
