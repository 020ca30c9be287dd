"""What is particular to IsolationForestDetector."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

from redshank.core import SettingError
from redshank.detectors.classical import _trees
from redshank.detectors.classical.isolation_forest import IsolationForestDetector
from redshank.testing import normal_series, odd_series


@pytest.mark.parametrize(("trees", "sample"), [(100, 256), (7, 20), (3, 2)])
def test_scores_are_those_of_scikit_learn_with_the_sign_changed(trees: int, sample: int) -> None:
    training, (X, _) = normal_series(), odd_series(1)
    mean, scale = training.mean(axis=0), training.std(axis=0)
    oracle = IsolationForest(n_estimators=trees, max_samples=sample, random_state=5).fit((training - mean) / scale)
    found = IsolationForestDetector(trees=trees, sample=sample, seed=5).fit(training).score_samples(X)
    np.testing.assert_allclose(found, -oracle.score_samples((X - mean) / scale), rtol=1e-6)


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    detector, (X, _) = IsolationForestDetector(trees=10).fit(normal_series()), odd_series(1)
    scores, parts = detector.score_samples(X), detector.contributions(X)
    monkeypatch.setattr(_trees, "CELLS", 70)
    np.testing.assert_allclose(detector.score_samples(X), scores, rtol=1e-12)
    np.testing.assert_allclose(detector.contributions(X), parts, rtol=1e-9)


def test_a_channel_that_never_moved_is_seen_and_named() -> None:
    training = normal_series()
    training[:, 2] = 7.3
    X = np.array([[20.0, 5.0, 7.3], [20.0, 5.0, 7.4]])
    detector = IsolationForestDetector().fit(training)
    still, moved = detector.score_samples(X)
    assert moved > 0.9 > still
    assert detector.contributions(X)[1].tolist() == [0.0, 0.0, moved]


def test_expected_path_of_the_root_is_the_mean_over_training_rows() -> None:
    training = normal_series(rows=50)
    detector = IsolationForestDetector(trees=1, sample=50, seed=1).fit(training)
    paths = -np.log2(detector.score_samples(training)) * detector.usual_path_
    assert detector.path_[0] == pytest.approx(paths.mean())


@pytest.mark.parametrize(("setting", "value"), [("trees", 0), ("sample", 1), ("seed", -1)])
def test_settings(setting: str, value: int) -> None:
    with pytest.raises(SettingError, match=f"{setting} is {value}"):
        IsolationForestDetector(**{setting: value}).fit(normal_series())
