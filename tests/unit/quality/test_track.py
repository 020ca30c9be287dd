"""Fast routines against slow, obvious ones."""

from __future__ import annotations

import numpy as np
import pytest

from redshank.quality.finding import Finding, duration, fold, severity
from redshank.quality.replay import CHANGES, RUN, lags
from redshank.quality.track import ages, beyond, bursts, episodes, trailing_max, trailing_mean

DEVICE = np.repeat([0, 1, 3], [40, 7, 60])
AGE = ages(DEVICE)


def test_ages() -> None:
    assert AGE.tolist() == [*range(40), *range(7), *range(60)]
    assert ages(np.empty(0, np.intp)).tolist() == []


@pytest.mark.parametrize("window", [1, 5, 30])
def test_trailing_mean(window: int) -> None:
    x = np.random.default_rng(0).normal(size=len(DEVICE))
    slow = [x[i - window + 1 : i + 1].mean() if AGE[i] >= window - 1 else 0.0 for i in range(len(x))]
    np.testing.assert_allclose(trailing_mean(x, AGE, window), slow, atol=1e-12)
    assert trailing_mean(x[:0], AGE[:0], window).shape == (0,)


@pytest.mark.parametrize("rows", [1, 5, 6, 7, 100])
def test_trailing_max(rows: int) -> None:
    x = np.random.default_rng(rows).normal(size=rows)
    slow = [x[max(0, i - 5) : i + 1].max() for i in range(rows)]
    np.testing.assert_array_equal(trailing_max(x, 6), slow)


def test_episodes_join_near_rows_of_one_device_only() -> None:
    flagged = np.zeros(len(DEVICE), dtype=bool)
    flagged[[3, 5, 20, 39, 40, 46, 47, 100]] = True
    assert episodes(flagged, AGE, 4) == [(3, 5), (20, 20), (39, 39), (40, 40), (46, 46), (47, 47), (100, 100)]
    assert episodes(~flagged & False, AGE, 4) == []


def test_bursts() -> None:
    rows = np.array([1, 3, 5, 12, 38, 39, 41, 42, 80, 83, 86, 89])
    assert bursts(rows, AGE, 3, 8) == [(1, 5, 5), (80, 86, 89)]
    level = np.zeros(len(DEVICE))
    level[5] = 1.0
    assert bursts(rows, AGE, 3, 8, level) == [(80, 86, 89)]
    assert bursts(rows[:2], AGE, 3, 8) == []


def test_beyond() -> None:
    assert beyond(np.array([2.0, 2.0, 2.0])) == 2.0
    assert beyond(np.array([1.0, 1.0, 3.0])) == 9.0
    assert np.isnan(beyond(np.array([0.0, 0.0, 3.0])))


def test_lags_against_comparing_all_pairs() -> None:
    rng = np.random.default_rng(2)
    x = rng.integers(0, 3, len(DEVICE)).astype(np.float32)
    x[80:95] = x[50:65]
    x[20:32] = x[0:12]
    slow = np.zeros(len(x), dtype=int)
    for i in range(len(x)):
        if AGE[i] < RUN - 1 or np.count_nonzero(np.diff(x[i - RUN + 1 : i + 1])) < CHANGES:
            continue
        for j in range(i - 1, i - AGE[i] + RUN - 2, -1):
            if (x[j - RUN + 1 : j + 1] == x[i - RUN + 1 : i + 1]).all():
                slow[i] = i - j if i - j >= RUN else 0
                break
    assert (slow > 0).sum() >= 4
    np.testing.assert_array_equal(lags(x, DEVICE, AGE), slow)


def test_severity() -> None:
    assert [severity(ratio) for ratio in (0.5, 1.0, 2.0, 10.0)] == [50.0, 50.0, 75.0, 95.0]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.25, "250 ms"), (60, "60 s"), (600, "10 min"), (7800, "2 h 10 min"), (7200, "2 h"), (259200, "3 d")],
)
def test_duration(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_fold_keeps_what_was_known_first() -> None:
    def stuck(start: int, end: int, known: int, channel: str, grade: float) -> Finding:
        return Finding("d", start, end, known, "sensor fault", "stuck", (channel,), grade, 1.0, 0.0, channel)

    folded = fold(
        [(stuck(5, 30, 9, "b", 90.0), 30), (stuck(0, 10, 8, "a", 60.0), 10), (stuck(60, 70, 65, "a", 60.0), 70)]
    )
    assert [(one.start_ns, one.end_ns, one.detected_ns, one.channels) for one in folded] == [
        (0, 30, 8, ("a", "b")),
        (60, 70, 65, ("a",)),
    ]
    assert folded[0].detail == "b"
