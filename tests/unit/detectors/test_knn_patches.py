"""What is particular to KNNPatchesDetector."""

from __future__ import annotations

import numpy as np
import pytest

from redshank.core import SettingError
from redshank.detectors.statistical.knn_patches import KNNPatchesDetector
from redshank.testing import normal_series, odd_series


def slow_score(detector: KNNPatchesDetector, X: np.ndarray, t: int) -> float:
    rows = np.clip((X - detector.center_) / detector.scale_, -30, 30)
    patch = rows[t - detector.window + 1 : t + 1]
    apart = sorted(float(np.square(patch - other).sum()) / detector.window for other in detector.bank_)
    return float(np.mean(apart[: detector.neighbours]))


@pytest.mark.parametrize("settings", [{}, {"window": 7, "neighbours": 1, "memory": 40}, {"neighbours": 5, "memory": 5}])
def test_score_agrees_with_the_slow_form(settings):
    detector = KNNPatchesDetector(**settings).fit([normal_series(), normal_series(1, 100)])
    X, _ = odd_series(2)
    scores = detector.score_samples(X)
    for t in (detector.warmup, 100, 250, 255, 399):
        assert scores[t] == pytest.approx(slow_score(detector, X, t), rel=1e-9)


@pytest.mark.parametrize(("memory", "kept"), [(1000, 369 + 69), (50, 50)])
def test_the_bank_holds_patches_of_all_series_and_none_across_two(memory, kept):
    series = [normal_series(), normal_series(1, 20), 100.0 + normal_series(2, 100)]
    detector = KNNPatchesDetector(memory=memory).fit(series)
    assert detector.bank_.shape == (kept, 32, 3)
    level = (detector.bank_ * detector.scale_ + detector.center_)[:, :, 0]
    assert ((level > 60).all(axis=1) | (level < 60).all(axis=1)).all()
    assert {bool(one) for one in (level > 60).all(axis=1)} == {True, False}


def test_training_rows_are_their_own_nearest():
    X = normal_series()
    assert KNNPatchesDetector(neighbours=1).fit(X).score_samples(X).max() == 0.0


def test_a_usual_value_in_an_unusual_course_is_found():
    detector = KNNPatchesDetector().fit(normal_series(0, 1200))
    X = normal_series(1)
    X[200:232, 0] = 20.0  # the middle of its swing, held
    scores = detector.score_samples(X)
    assert 215 < scores.argmax() < 250
    assert detector.contributions(X)[231].argmax() == 0


def test_rows_longer_than_a_chunk_are_scored_as_its_parts(monkeypatch):
    detector = KNNPatchesDetector().fit(normal_series())
    whole = detector.score_samples(normal_series(1))
    monkeypatch.setattr("redshank.detectors.statistical.knn_patches.CHUNK_VALUES", 11 * 369)
    np.testing.assert_allclose(detector.score_samples(normal_series(1)), whole, rtol=1e-9)


@pytest.mark.parametrize(
    "settings", [{"window": 1}, {"window": 399}, {"neighbours": 0}, {"neighbours": 9, "memory": 8}, {"memory": 1.5}]
)
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(SettingError, match="KNNPatchesDetector"):
        KNNPatchesDetector(**settings).fit(normal_series())
