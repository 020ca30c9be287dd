"""What is particular to ECODDetector."""

from __future__ import annotations

import math

import numpy as np
import pytest

from redshank.core import SettingError
from redshank.detectors.classical.ecod import ECODDetector
from redshank.testing import normal_series, odd_series


def slow_scores(training: np.ndarray, X: np.ndarray) -> list[float]:
    """Row by row and channel by channel, counting."""
    found, m = [], len(training)
    for row in X:
        sums = [0.0, 0.0, 0.0]
        for value, column in zip(row, training.T, strict=True):
            tails = []
            for sign in (1, -1):
                count = sum(sign * other <= sign * value for other in column)
                beyond = max(0.0, min(sign * column) - sign * value) / float(np.std(column))
                tails.append(-math.log(count / m if count else 1 / (m + 1)) + math.log(1 + beyond))
            skew = float(((column - column.mean()) ** 3).mean())
            sums[0] += tails[0]
            sums[1] += tails[1]
            sums[2] += tails[0] if skew < 0 else tails[1]
        found.append(max(sums))
    return found


def test_scores_equal_a_count_by_loops() -> None:
    training, (X, _) = normal_series(rows=120), odd_series(1, 80)
    training[5], X[3] = X[7], training[9]  # equal values count on both sides
    detector = ECODDetector().fit(training)
    np.testing.assert_allclose(detector.score_samples(X), slow_scores(training, X), rtol=1e-9)
    np.testing.assert_allclose(detector.contributions(X).sum(axis=1), slow_scores(training, X), rtol=1e-9)


def test_a_row_does_not_change_with_the_batch_it_comes_in() -> None:
    detector = ECODDetector().fit(normal_series())
    X = normal_series(1)
    assert np.array_equal(detector.score_samples(np.concatenate([X, X + 50.0]))[:400], detector.score_samples(X))


def test_the_extremes_outlast_thinning() -> None:
    training = normal_series()
    training[77, 1] = 30.0
    detector = ECODDetector(rows=20).fit(training)
    assert detector.sorted_.shape == (20, 3)
    np.testing.assert_allclose(detector.sorted_[-1] * detector.scale_ + detector.mean_, training.max(axis=0))


def test_order_of_growth_beyond_the_range() -> None:
    scores = ECODDetector().fit(normal_series()).score_samples([[20.0, v, 1.0] for v in (5.0, 9.0, 90.0, 9e30)])
    assert (np.diff(scores) > 1.0).all()


@pytest.mark.parametrize(("setting", "value"), [("rows", 1), ("seed", -1)])
def test_settings(setting: str, value: int) -> None:
    with pytest.raises(SettingError, match=f"{setting} is {value}"):
        ECODDetector(**{setting: value}).fit(normal_series())
