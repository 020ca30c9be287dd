"""VUS against its formula in plain loops, values of TSB-AD 1.5, and cases that can be worked by hand."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from redshank.core import InputError, SettingError
from redshank.evaluate.metrics.volume import RangeAUC, Volume, range_auc, vus, vus_pr, vus_roc

LEVELS = st.sampled_from([-math.inf, -2.0, -0.5, 0.0, 0.25, 1.0, 3.0, math.inf]) | st.floats(-5, 5)
CASES = st.integers(2, 30).flatmap(
    lambda n: st.tuples(
        st.lists(LEVELS, min_size=n, max_size=n).map(np.array),
        st.lists(st.booleans(), min_size=n, max_size=n).map(np.array),
        st.integers(0, 14),
        st.sampled_from([None, 2, 3, 7, 250]),
    )
)


def runs(marks):
    """First and last row of each anomaly."""
    edges = np.flatnonzero(np.diff([0, *map(int, marks), 0]))
    return [(start, end - 1) for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)]


def slow_slice(scores, labels, width, thresholds):
    """The formulas of ``vus`` for one border width, row by row and threshold by threshold."""
    n, anomalies, half = len(scores), runs(labels), width // 2
    soft = np.array(labels, dtype=float)
    for row in np.flatnonzero(~np.asarray(labels, dtype=bool)):
        distances = [first - row if row < first else row - last for first, last in anomalies]
        soft[row] = min(1.0, sum(math.sqrt(1 - d / width) for d in distances if d <= half))
    ranges = []
    for first, last in anomalies:
        if ranges and ranges[-1][1] >= first - half:
            ranges[-1][1] = last + half
        else:
            ranges.append([first - half, last + half])
    ranked = np.sort(scores)[::-1]
    ranks = range(n) if thresholds is None else np.linspace(0, n - 1, thresholds).astype(int)
    points = [(0.0, 0.0)]
    pr = roc = 0.0
    for rank in ranks:
        alarm = scores >= ranked[rank]
        hit = sum(1 for row in range(n) if alarm[row] and labels[row])
        credit = sum(soft[row] for row in range(n) if alarm[row] and not labels[row])
        found = sum(any(alarm[row] for row in range(max(a, 0), min(b, n - 1) + 1)) for a, b in ranges)
        wanted = sum(map(int, labels)) + credit / 2
        recall = min(1.0, (hit + credit) / wanted) * found / len(ranges)
        precision = (hit + credit) / sum(alarm)
        points.append(((sum(alarm) - hit - credit) / (n - wanted), recall))
        pr += (recall - points[-2][1]) * precision
    points.append((1.0, 1.0))
    for (x0, y0), (x1, y1) in pairwise(points):
        roc += (x1 - x0) * (y0 + y1) / 2
    return pr, roc


@settings(deadline=None, max_examples=150)
@given(CASES)
@example((np.arange(9.0), np.array([1, 0, 1, 0, 0, 1, 0, 0, 1], dtype=bool), 8, None))
@example((np.zeros(12), np.arange(12) % 2 == 0, 14, 250))
def test_as_the_formula(case):
    scores, labels, window, thresholds = case
    found = vus(scores, labels, window=window, thresholds=thresholds)
    if labels.all() or not labels.any():
        assert math.isnan(found.roc)
        assert found.pr == 1.0 if labels.any() else math.isnan(found.pr)
        return
    slices = [slow_slice(scores, labels, width, thresholds) for width in range(window + 1)]
    assert (found.pr, found.roc) == pytest.approx(tuple(np.mean(slices, axis=0)), abs=1e-12)
    around = range_auc(scores, labels, window=window, thresholds=thresholds)
    assert (around.pr, around.roc) == pytest.approx(slices[-1], abs=1e-12)


def made(n, anomalies, digits):
    rows = np.arange(n)
    labels = np.zeros(n, dtype=int)
    for start, end in anomalies:
        labels[start:end] = 1
    return np.round(np.sin(rows * 1.7) + np.sin(rows * rows * 0.01) + 1.2 * labels, digits), labels


FOUR = ((100, 150), (400, 410), (420, 421), (980, 1000))


@pytest.mark.parametrize(
    ("series", "window", "printed"),
    [
        ((1000, FOUR, 6), 100, (0.44753084736283605, 0.8876222794121592)),
        ((1000, FOUR, 1), 30, (0.3521987759972407, 0.836284003000693)),
        ((120, ((0, 5), (60, 62)), 6), 7, (0.2806695943610587, 0.8553435811429515)),
    ],
)
def test_values_of_tsb_ad(series, window, printed):
    """Printed by ``RangeAUC_volume_opt`` of TSB-AD 1.5 (NumPy 1.26) for these series: ends, ties, overlap, n < 250."""
    found = vus(*made(*series), window=window)
    assert (found.pr, found.roc) == pytest.approx(printed, abs=1e-9)


def test_one_anomaly_by_hand():
    """Row 1 of 0 to 3 is anomalous and width 2 reaches rows 0 and 2 with b = sqrt(1/2); rows 3, 0, 2, 1 alarm in turn.

    N = 1: nothing. N = 2: B = b. N = 3: B = 2b. N = 4: A = 1, recall min(1, (1 + 2b) / (1 + b)) = 1.
    """
    b = math.sqrt(0.5)
    recall = [0.0, b / (1 + b / 2), min(1.0, 2 * b / (1 + b)), 1.0]
    precision = [0.0, b / 2, 2 * b / 3, (1 + 2 * b) / 4]
    found = range_auc([3.0, 0.5, 1.0, 4.0], [0, 1, 0, 0], window=2, thresholds=None)
    assert found.pr == pytest.approx(np.diff(recall, prepend=0.0) @ precision, abs=1e-15)


def test_width_0_of_one_anomaly_is_the_curve_of_rows():
    """One anomaly is found by its first alarmed row, so recall is scaled by 1: ROC-AUC counts pairs, 4 of 6 here."""
    scores, labels = [0.1, 0.9, 0.4, 0.7, 0.2], [0, 0, 1, 1, 0]
    found = range_auc(scores, labels, window=0, thresholds=None)
    assert found == RangeAUC(pytest.approx((1 / 2 + 2 / 3) / 2), pytest.approx(4 / 6))
    assert vus(scores, labels, window=0, thresholds=None) == Volume(found.pr, found.roc)


@pytest.mark.parametrize("thresholds", [None, 250])
def test_perfect_ranking_is_1(thresholds):
    _, labels = made(1000, FOUR, 6)
    scores = labels + np.random.default_rng(0).random(1000) * 0.5
    assert vus(scores, labels, thresholds=thresholds) == Volume(pytest.approx(1.0), pytest.approx(1.0))


def test_constant_scores_alarm_all_at_once():
    """One point: recall 1, precision by soft labels; ROC is the line from (0, 0) to it and on to (1, 1)."""
    labels = np.zeros(100, dtype=int)
    labels[50] = 1
    found = range_auc(np.full(100, 7.0), labels, window=2)
    b = math.sqrt(0.5)
    false = (99 - 2 * b) / (99 - b)
    assert found.pr == pytest.approx((1 + 2 * b) / 100)
    assert found.roc == pytest.approx(false / 2 + (1 - false))


def test_no_anomaly_or_nothing_else():
    scores = np.arange(20.0)
    none, all_ = vus(scores, np.zeros(20)), vus(scores, np.ones(20))
    assert math.isnan(none.pr)
    assert math.isnan(none.roc)
    assert all_.pr == 1.0
    assert math.isnan(all_.roc)
    assert math.isnan(vus([], []).pr)


def test_only_the_order_of_scores_counts():
    scores, labels = made(1000, FOUR, 3)
    for thresholds in (None, 250):
        plain = vus(scores, labels, thresholds=thresholds)
        assert vus(np.arctan(scores) * 9 - 4, labels, thresholds=thresholds) == plain


def test_grid_of_ranks_is_exact_where_it_takes_every_rank():
    scores, labels = made(240, ((30, 40), (100, 101)), 1)
    found, exact = (vus(scores, labels, window=20, thresholds=k) for k in (240, None))
    assert (found.pr, found.roc) == pytest.approx((exact.pr, exact.roc), abs=1e-12)


def test_single_values_are_the_two_of_vus():
    scores, labels = made(300, ((30, 40),), 6)
    both = vus(scores, labels, window=12, thresholds=40)
    assert vus_pr(scores, labels, window=12, thresholds=40) == both.pr
    assert vus_roc(scores, labels, window=12, thresholds=40) == both.roc


def test_border_wider_than_the_series():
    scores, labels = made(40, ((10, 12), (30, 31)), 6)
    slices = [slow_slice(scores, labels.astype(bool), width, None) for width in range(121)]
    found = vus(scores, labels, window=120, thresholds=None)
    assert (found.pr, found.roc) == pytest.approx(tuple(np.mean(slices, axis=0)), abs=1e-12)


def test_bad_input():
    with pytest.raises(InputError, match="vus: the score of row 1 is NaN"):
        vus([0.0, math.nan], [0, 1])
    with pytest.raises(InputError, match="do not match"):
        range_auc([0.0, 1.0, 2.0], [0, 1], window=2)
    with pytest.raises(SettingError, match="window is -1"):
        vus([0.0, 1.0], [0, 1], window=-1)
    with pytest.raises(SettingError, match="range_auc: thresholds is 1; wanted at least 2"):
        range_auc([0.0, 1.0], [0, 1], window=3, thresholds=1)
