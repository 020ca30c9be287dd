"""What is particular to DBSCANDetector."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import DBSCAN

from redshank.core import SettingError
from redshank.detectors.classical.dbscan import DENSE, DBSCANDetector
from redshank.testing import normal_series, odd_series


@pytest.mark.parametrize("radius", [0.15, 0.4])
def test_core_points_are_those_of_scikit_learn(radius: float) -> None:
    training, (X, _) = normal_series(), odd_series(1)
    z = (training - training.mean(axis=0)) / training.std(axis=0)
    core = DBSCAN(eps=radius, min_samples=5).fit(z).core_sample_indices_
    detector = DBSCANDetector(radius=radius).fit(training)
    np.testing.assert_allclose(detector.reference_, z[core], rtol=1e-9)
    rows = (X - training.mean(axis=0)) / training.std(axis=0)
    slow = [min(float(np.linalg.norm(row - point)) for point in z[core]) for row in rows]
    np.testing.assert_allclose(detector.score_samples(X), slow, rtol=1e-6, atol=1e-12)


def test_the_radius_found_makes_most_rows_core_points() -> None:
    detector = DBSCANDetector().fit(normal_series())
    assert abs(len(detector.reference_) / 400 - DENSE) < 0.01


def test_rows_that_lie_alone_in_training_are_not_normal() -> None:
    training = np.concatenate([normal_series()[:, :2], [[90.0, 90.0], [90.1, 90.0]]])
    lonely, usual = DBSCANDetector(radius=0.3).fit(training).score_samples([[90.0, 90.0], [20.0, 5.0]])
    assert lonely > 10 * usual


def test_no_dense_place_keeps_all_rows() -> None:
    assert len(DBSCANDetector(radius=1e-9).fit(normal_series()).reference_) == 400


@pytest.mark.parametrize(("setting", "value"), [("neighbours", 0), ("radius", 0.0)])
def test_settings(setting: str, value: float) -> None:
    with pytest.raises(SettingError, match=f"{setting} is 0"):
        DBSCANDetector(**{setting: value}).fit(normal_series())
