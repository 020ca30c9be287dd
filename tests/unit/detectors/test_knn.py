"""What is particular to KNNDetector, and to the search that it shares with others."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from redshank.core import SettingError
from redshank.detectors.classical import _nearest
from redshank.detectors.classical.knn import KNNDetector
from redshank.testing import normal_series, odd_series


@pytest.mark.parametrize("neighbours", [1, 5, 400])
def test_scores_are_the_distances_of_scikit_learn(neighbours: int, monkeypatch: pytest.MonkeyPatch) -> None:
    training, (X, _) = normal_series(), odd_series(1)
    mean, scale = training.mean(axis=0), training.std(axis=0)
    trees = NearestNeighbors(n_neighbors=neighbours).fit((training - mean) / scale)
    wanted = trees.kneighbors((X - mean) / scale)[0].mean(axis=1)
    detector = KNNDetector(neighbours=neighbours).fit(training)
    np.testing.assert_allclose(detector.score_samples(X), wanted, rtol=1e-6)
    monkeypatch.setattr(_nearest, "CELLS", 4000)  # ten rows at a time
    np.testing.assert_allclose(detector.score_samples(X), wanted, rtol=1e-6)
    np.testing.assert_allclose(detector.contributions(X).sum(axis=1), wanted, rtol=1e-6)


def test_a_row_that_was_kept_is_at_no_distance() -> None:
    training = normal_series() * 1e6 + 1e9
    assert (KNNDetector(neighbours=1).fit(training).score_samples(training) == 0.0).all()


def test_rows_are_thinned_by_the_seed() -> None:
    training = normal_series()
    one, same, other = (KNNDetector(rows=50, seed=seed).fit(training) for seed in (0, 0, 1))
    assert one.reference_.shape == (50, 3)
    assert np.array_equal(one.reference_, same.reference_)
    assert not np.array_equal(one.reference_, other.reference_)


def test_fewer_rows_than_neighbours() -> None:
    assert KNNDetector(neighbours=5).fit([[0.0], [1.0]]).score_samples([[0.0], [9.0]]).argmax() == 1


def test_two_regimes_leave_a_gap_between_them() -> None:
    rng = np.random.default_rng(0)
    training = np.concatenate([rng.normal(-5, 0.1, (300, 2)), rng.normal(5, 0.1, (300, 2))])
    between, inside = KNNDetector().fit(training).score_samples([[0.0, 0.0], [5.0, 5.0]])
    assert between > 10 * inside


def test_within_counts_as_a_loop_does() -> None:
    points = normal_series(rows=60)
    wanted = [sum(float(np.linalg.norm(a - b)) <= 0.7 for b in points) for a in points]
    assert _nearest.within(points, points, 0.7).tolist() == wanted


@pytest.mark.parametrize(("setting", "value"), [("neighbours", 0), ("rows", 1), ("seed", -1)])
def test_settings(setting: str, value: int) -> None:
    with pytest.raises(SettingError, match=f"{setting} is {value}"):
        KNNDetector(**{setting: value}).fit(normal_series())
