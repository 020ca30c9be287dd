"""What is particular to KMeansDetector."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from sklearn.cluster import KMeans

from redshank.core import MissingExtraError, SettingError
from redshank.detectors.classical import _scikit
from redshank.detectors.classical.kmeans import KMeansDetector
from redshank.testing import normal_series, odd_series


def test_scores_are_the_distances_of_scikit_learn() -> None:
    training, (X, _) = normal_series(), odd_series(1)
    mean, scale = training.mean(axis=0), training.std(axis=0)
    oracle = KMeans(n_clusters=6, n_init=_scikit.STARTS, random_state=2).fit((training - mean) / scale)
    detector = KMeansDetector(clusters=6, seed=2).fit(training)
    wanted = oracle.transform((X - mean) / scale).min(axis=1)
    np.testing.assert_allclose(detector.score_samples(X), wanted, rtol=1e-6)
    np.testing.assert_allclose(detector.contributions(X).sum(axis=1), wanted, rtol=1e-6)


def test_fewer_distinct_rows_than_clusters() -> None:
    training = np.repeat([[0.0, 1.0], [2.0, 3.0], [4.0, 0.0]], 50, axis=0)
    detector = KMeansDetector(clusters=10).fit(training)
    assert len(detector.reference_) == 3
    np.testing.assert_allclose(detector.score_samples(training), 0.0, atol=1e-9)


def test_setting() -> None:
    with pytest.raises(SettingError, match="clusters is 0"):
        KMeansDetector(clusters=0).fit(normal_series())


def test_learning_without_scikit_learn_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.delitem(sys.modules, "sklearn.exceptions", raising=False)
    with pytest.raises(MissingExtraError, match=r"redshank\[train\]"):
        KMeansDetector().fit(normal_series())


def test_scoring_needs_numpy_alone() -> None:
    code = (
        "import sys\n"
        "import numpy as np\n"
        "sys.modules['sklearn'] = sys.modules['scipy'] = None\n"
        "from redshank.detectors.classical.kmeans import KMeansDetector\n"
        "state = {'mean_': np.zeros(2), 'scale_': np.ones(2), 'reference_': np.zeros((1, 2)),\n"
        "         'n_features_': np.array(2), 'floor_': np.array(0.0)}\n"
        "assert KMeansDetector().restore(state).score_samples([[3.0, 4.0]]).tolist() == [5.0]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
