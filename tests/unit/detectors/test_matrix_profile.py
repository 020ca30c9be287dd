"""What is particular to MatrixProfileDetector."""

from __future__ import annotations

import numpy as np
import pytest

from redshank.core import SettingError
from redshank.detectors.classical import matrix_profile
from redshank.detectors.classical.matrix_profile import MatrixProfileDetector
from redshank.testing import normal_series, odd_series


def slow_scores(training: np.ndarray, X: np.ndarray, window: int, neighbours: int, history: int) -> list[float]:
    """Every window against every one that it may be compared with, one by one."""
    mean, scale = training.mean(axis=0), training.std(axis=0)
    known, new = (training - mean) / scale, (X - mean) / scale
    reference = [known[i : i + window] for i in range(len(known) - window + 1)]
    apart, found = max(1, window // 2), []
    for i in range(len(new) - window + 1):
        earlier = [new[j : j + window] for j in range(len(new)) if apart <= i - j < apart + history]
        distances = sorted(float(np.linalg.norm(new[i : i + window] - one)) for one in [*reference, *earlier])
        found.append(float(np.mean(distances[:neighbours])))
    return found


@pytest.mark.parametrize(
    ("window", "neighbours", "history"), [(8, 1, 2000), (8, 3, 30), (8, 1, 0), (1, 2, 1), (3, 1, 5)]
)
@pytest.mark.parametrize("block", [matrix_profile.BLOCK, 7])
def test_scores_equal_a_search_by_loops(
    window: int, neighbours: int, history: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matrix_profile, "BLOCK", block)
    training, (X, _) = normal_series(rows=60), odd_series(1, 90)
    detector = MatrixProfileDetector(window=window, neighbours=neighbours, history=history).fit(training)
    wanted = slow_scores(training, X, window, neighbours, history)
    np.testing.assert_allclose(detector.score_samples(X)[window - 1 :], wanted, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(detector.contributions(X)[window - 1 :].sum(axis=1), wanted, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize(("neighbours", "again"), [(1, False), (2, True)])
def test_what_came_once_is_known(neighbours: int, again: bool) -> None:
    X = normal_series(1)[:, :1]
    X[100:112] += 9.0
    X[220:232] = X[100:112]  # two cycles of both rhythms later, to the noise
    scores = MatrixProfileDetector(window=12, neighbours=neighbours).fit(normal_series()[:, :1]).score_samples(X)
    first, second = scores[111], scores[231]
    usual = np.quantile(scores, 0.5)
    assert first > 10 * usual
    assert (second > 5 * usual) == again


def test_the_rows_kept_are_bounded() -> None:
    detector = MatrixProfileDetector(window=4, rows=30).fit(normal_series())
    assert detector.reference_.shape == (30, 12)


@pytest.mark.parametrize(("setting", "value"), [("neighbours", 0), ("history", -1)])
def test_settings(setting: str, value: int) -> None:
    with pytest.raises(SettingError, match=f"{setting} is {value}"):
        MatrixProfileDetector(**{setting: value}).fit(normal_series())
