"""What is particular to SubKMeansDetector."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans

from redshank.core import SettingError
from redshank.detectors.classical._scikit import STARTS
from redshank.detectors.classical.sub_kmeans import SubKMeansDetector
from redshank.testing import normal_series, odd_series


def test_scores_are_the_distances_of_scikit_learn() -> None:
    training, (X, _) = normal_series(), odd_series(1)
    mean, scale = training.mean(axis=0), training.std(axis=0)

    def flat(rows: np.ndarray) -> np.ndarray:
        z = (rows - mean) / scale
        return np.array([z[i : i + 5].ravel() for i in range(len(z) - 4)])

    oracle = KMeans(n_clusters=8, n_init=STARTS, random_state=1).fit(flat(training))
    detector = SubKMeansDetector(window=5, clusters=8, seed=1).fit(training)
    wanted = oracle.transform(flat(X)).min(axis=1)
    np.testing.assert_allclose(detector.score_samples(X)[4:], wanted, rtol=1e-6)
    np.testing.assert_allclose(detector.contributions(X)[4:].sum(axis=1), wanted, rtol=1e-6)


def test_setting() -> None:
    with pytest.raises(SettingError, match="clusters is 0"):
        SubKMeansDetector(clusters=0).fit(normal_series())
