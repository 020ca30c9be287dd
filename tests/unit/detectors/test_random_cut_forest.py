"""What is particular to RandomCutForestDetector."""

from __future__ import annotations

import math

import numpy as np
import pytest

from redshank.core import SettingError
from redshank.detectors.classical.random_cut_forest import RandomCutForestDetector
from redshank.testing import normal_series, odd_series


def slow_score(detector: RandomCutForestDetector, point: np.ndarray, node: int, total: int, depth: int = 0) -> float:
    """One window in one tree, by the definition of the expectation."""
    low, high = detector.low_[node], detector.high_[node]
    out = sum(max(a - v, 0.0) + max(v - b, 0.0) for v, a, b in zip(point, low, high, strict=True))
    span = out + sum(b - a for a, b in zip(low, high, strict=True))
    parted = out / span if span > 0 else 0.0
    left, right = detector.children_[:, node]
    if left == node:
        mass = detector.mass_[node]
        stays = (1 - mass / (2 * total)) / (depth + math.log2(1 + mass))
    else:
        child = right if point[detector.feature_[node]] > detector.cut_[node] else left
        stays = slow_score(detector, point, int(child), total, depth + 1)
    return parted / (1 + depth) + (1 - parted) * stays


def test_scores_equal_the_definition_tree_by_tree() -> None:
    training, (X, _) = normal_series(), odd_series(1, 60)
    training[200:240] = training[200]  # windows that repeat each other share a leaf
    detector = RandomCutForestDetector(window=2, trees=5, sample=150).fit(training)
    z = (X - training.mean(axis=0)) / training.std(axis=0)
    for row in range(1, 60):
        point = z[row - 1 : row + 1].ravel()
        wanted = np.mean([slow_score(detector, point, int(root), 150) * math.log2(151) for root in detector.roots_])
        assert detector.score_samples(X)[row] == pytest.approx(wanted, rel=1e-9)


def test_trees_hold_their_points() -> None:
    detector = RandomCutForestDetector(window=2, trees=3, sample=64).fit(normal_series())
    assert (detector.mass_[detector.roots_] == 64).all()
    inner = np.flatnonzero(detector.children_[0] != np.arange(len(detector.mass_)))
    left, right = detector.children_[:, inner]
    assert (detector.mass_[left] + detector.mass_[right] == detector.mass_[inner]).all()
    rows, feature = np.arange(len(inner)), detector.feature_[inner]
    assert (detector.high_[left][rows, feature] <= detector.cut_[inner]).all()
    assert (detector.low_[right][rows, feature] > detector.cut_[inner]).all()
    leaves = np.setdiff1d(np.arange(len(detector.mass_)), inner)
    assert np.array_equal(detector.low_[leaves], detector.high_[leaves])


def test_cuts_follow_the_sides_of_the_box() -> None:
    rng = np.random.default_rng(0)
    detector = RandomCutForestDetector(window=1, trees=200, sample=64)
    detector.fit(np.column_stack([rng.standard_t(2, 500), rng.uniform(size=500)]))
    sides = detector.high_[detector.roots_] - detector.low_[detector.roots_]
    assert sides[:, 0].mean() > 1.5 * sides[:, 1].mean()
    share = np.mean(detector.feature_[detector.roots_] == 0)
    assert share == pytest.approx(np.mean(sides[:, 0] / sides.sum(axis=1)), abs=0.08)


@pytest.mark.parametrize(("setting", "value"), [("trees", 0), ("sample", 1)])
def test_settings(setting: str, value: int) -> None:
    with pytest.raises(SettingError, match=f"{setting} is {value}"):
        RandomCutForestDetector(**{setting: value}).fit(normal_series())
