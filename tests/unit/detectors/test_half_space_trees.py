"""What is particular to HalfSpaceTreesDetector."""

from __future__ import annotations

import numpy as np
import pytest

from redshank.core import SettingError
from redshank.detectors.statistical.half_space_trees import FEW, HalfSpaceTreesDetector
from redshank.testing import normal_series, odd_series


def slow_stop(detector: HalfSpaceTreesDetector, place: np.ndarray, tree: int, few: float) -> tuple[int, int]:
    """Node where a row stops and its depth."""
    node = 0
    for depth in range(detector.depth):
        if detector.mass_[tree, node] <= few:
            return node, depth
        right = place[detector.channel_[tree, node]] > detector.split_[tree, node]
        node = 2 * node + (2 if right else 1)
    return node, detector.depth


def test_masses_and_scores_agree_with_the_slow_form():
    training = normal_series(0, 300)
    detector = HalfSpaceTreesDetector(trees=6, depth=5).fit(training)
    places = (training - detector.low_) / detector.width_
    for tree in range(6):
        mass = np.zeros(63)
        for place in places:
            node, _ = slow_stop(detector, place, tree, -1)
            while True:
                mass[node] += 1
                if node == 0:
                    break
                node = (node - 1) // 2
        np.testing.assert_array_equal(detector.mass_[tree], mass)
    X, _ = odd_series(1)
    scores = detector.score_samples(X)
    for t in (0, 250, 399):
        stops = [slow_stop(detector, (X[t] - detector.low_) / detector.width_, tree, FEW) for tree in range(6)]
        density = np.mean([detector.mass_[tree, node] * 2**depth for tree, (node, depth) in enumerate(stops)])
        assert scores[t] == pytest.approx(np.log2((300 * 32 + 1) / (density + 1)))


def test_each_split_halves_what_its_ancestors_left():
    detector = HalfSpaceTreesDetector(trees=3, depth=6).fit(normal_series())
    for channel, split in zip(detector.channel_, detector.split_, strict=True):
        for node in range(1, 63):
            up, child = (node - 1) // 2, node
            while up >= 0:
                if channel[up] == channel[node]:
                    assert (split[node] > split[up]) == (child == 2 * up + 2)
                child, up = up, (up - 1) // 2 if up else -1


def test_an_odd_mix_of_usual_values_is_found():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, 3000)
    X = np.column_stack([x, x + 0.05 * rng.standard_normal(3000)])
    detector = HalfSpaceTreesDetector().fit(X)
    usual = np.quantile(detector.score_samples(X), 0.99)
    assert detector.score_samples([[[0.8, -0.8]]])[0] > usual


def test_the_seed_makes_other_trees():
    first, second = (HalfSpaceTreesDetector(seed=seed).fit(normal_series()) for seed in (0, 1))
    assert not np.array_equal(first.split_, second.split_)


@pytest.mark.parametrize("settings", [{"trees": 0}, {"depth": 17}, {"depth": 2.0}, {"seed": -1}])
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(SettingError, match="HalfSpaceTreesDetector"):
        HalfSpaceTreesDetector(**settings).fit(normal_series())
