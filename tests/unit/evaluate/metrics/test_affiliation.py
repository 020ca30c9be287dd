"""Affiliation against the definition on a fine grid, the paper's example, and TSB-AD 1.5."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redshank.core import InputError
from redshank.evaluate.metrics.affiliation import affiliation

STRETCHES = st.lists(st.tuples(st.booleans(), st.integers(1, 8)), min_size=1, max_size=10)
"""Stretches of alarmed or anomalous rows and of others, with their lengths."""


def of_one_length(pair):
    spread = [np.repeat(*np.array(stretches).T).astype(bool) for stretches in pair]
    return tuple(marks[: min(map(len, spread))] for marks in spread)


PAIRS = st.tuples(STRETCHES, STRETCHES).map(of_one_length)
GRID = 8
"""Borders, nearest points and kinks all lie at multiples of 1/8 row, so the mid-point rule is exact at this step."""


def runs(marks):
    edges = np.flatnonzero(np.diff([0, *map(int, marks), 0]))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def rows(text):
    return np.array([int(row) for row in text])


def slow(alarm, labels):
    """Per event (precision, recall, precision distance, recall distance) by the definition, point by point."""
    points = (np.arange(len(labels) * GRID) + 0.5) / GRID
    alarmed = alarm[points.astype(int)]
    events = runs(labels)
    gaps = np.array([np.maximum(np.maximum(start - points, points - end), 0.0) for start, end in events])
    nearest = gaps.argmin(axis=0)
    found = []
    for k, (start, end) in enumerate(events):
        zone = points[nearest == k]
        low, high = zone.min() - 0.5 / GRID, zone.max() + 0.5 / GRID
        pieces = [(max(i, low), min(i + 1, high)) for i in np.flatnonzero(alarm) if i < high and i + 1 > low]
        precision, off = [], []
        for x, d in zip(zone, gaps[k][nearest == k], strict=True):
            if alarmed[int(x * GRID)]:
                precision.append(1.0 if d == 0 else 1 - (min(end + d, high) - max(start - d, low)) / (high - low))
                off.append(d)
        recall, away = [], []
        for y in zone[(zone > start) & (zone < end)]:
            d = min((max(a - y, y - b, 0.0) for a, b in pieces), default=math.inf)
            recall.append(1.0 if d == 0 else 1 - (min(y + d, high) - max(y - d, low)) / (high - low))
            away.append(d)
        if not pieces:
            found.append((math.nan, 0.0, math.nan, math.inf))
        else:
            found.append((np.mean(precision), np.mean(recall), np.mean(off), np.mean(away)))
    return np.array(found).reshape(-1, 4).T


@settings(deadline=None, max_examples=300)
@given(PAIRS)
def test_as_the_definition(pair):
    alarm, labels = pair
    got = affiliation(alarm, labels)
    if not labels.any():
        assert all(math.isnan(value) for value in (got.precision, got.recall, got.f1))
        assert len(got.event_precision) == len(got.event_recall) == 0
        return
    precision, recall, off, away = slow(alarm, labels)
    np.testing.assert_allclose(got.event_precision, precision, rtol=0, atol=1e-9)
    np.testing.assert_allclose(got.event_recall, recall, rtol=0, atol=1e-9)
    np.testing.assert_allclose(got.event_precision_distance, off, rtol=0, atol=1e-9)
    np.testing.assert_allclose(got.event_recall_distance, away, rtol=0, atol=1e-9)
    assert got.recall == pytest.approx(recall.mean(), abs=1e-9)
    if not alarm.any():
        assert math.isnan(got.precision)
        assert got.recall == got.f1 == 0.0
    else:
        assert got.precision == pytest.approx(np.nanmean(precision), abs=1e-9)
        assert 0.0 <= got.precision <= 1.0
        assert 0.0 <= got.recall <= 1.0


def test_the_example_of_the_paper():
    """Minutes of three hours; the paper's figures are in seconds and for the second event."""
    alarm, labels = np.zeros(180, bool), np.zeros(180, bool)
    for start, end in ((0, 10), (50, 70), (170, 175)):
        labels[start:end] = True
    for start, end in ((5, 6), (7, 10), (11, 12), (40, 60), (115, 130), (135, 140), (165, 170)):
        alarm[start:end] = True
    got = affiliation(alarm, labels)
    np.testing.assert_allclose(got.event_precision_distance, [18 / 60, 11.5, 31.25])
    np.testing.assert_allclose(got.event_recall_distance, [76.5 / 60, 2.5, 2.5])
    assert got.event_precision[1] == pytest.approx(0.672222222)
    assert got.event_recall[1] == pytest.approx(0.944444444)


@pytest.mark.parametrize(
    ("alarm", "labels", "precision", "recall"),
    [
        (
            "000110000001110000000000011000000000",
            "000011100000000000111100000000001110",
            0.318128078817734,
            0.427088122605364,
        ),
        (
            "110000011000100000000000000000000110",
            "111000000001111000000000001000000000",
            0.5450683658568963,
            0.6857896683165502,
        ),
        (
            "010101010101010101010101010101010101",
            "000000111111000000000000000011111100",
            0.562265625,
            0.9859374999999999,
        ),
        ("000000000000000000000000000111000000", "000010000000000001111111111111111110", 1.0, 0.37),
    ],
)
def test_as_tsb_ad(alarm, labels, precision, recall):
    """Values of the authors' code as it stands in TSB-AD 1.5."""
    got = affiliation(rows(alarm), rows(labels))
    assert got.precision == pytest.approx(precision, abs=1e-12)
    assert got.recall == pytest.approx(recall, abs=1e-12)
    assert got.f1 == pytest.approx(2 * precision * recall / (precision + recall), abs=1e-12)


@settings(deadline=None)
@given(PAIRS.filter(lambda pair: pair[1].any()), st.integers(0, 39))
def test_laws(pair, row):
    alarm, labels = pair
    perfect = affiliation(labels, labels)
    assert perfect.precision == perfect.recall == perfect.f1 == 1.0
    got = affiliation(alarm, labels)
    back = affiliation(alarm[::-1], labels[::-1])
    np.testing.assert_allclose(back.event_precision, got.event_precision[::-1], atol=1e-12)
    np.testing.assert_allclose(back.event_recall, got.event_recall[::-1], atol=1e-12)
    finer = affiliation(np.repeat(alarm, 3), np.repeat(labels, 3))
    np.testing.assert_allclose(finer.event_precision, got.event_precision, atol=1e-12)
    np.testing.assert_allclose(finer.event_recall, got.event_recall, atol=1e-12)
    np.testing.assert_allclose(finer.event_precision_distance, 3 * got.event_precision_distance)
    more = alarm.copy()
    more[row % len(more)] = True
    assert (affiliation(more, labels).event_recall >= got.event_recall - 1e-12).all()


def test_an_alarm_that_ends_or_starts_at_a_border_is_of_one_zone():
    labels = rows("10000001")  # the border lies at 4
    for alarm, event in ((rows("00110000"), 0), (rows("00001100"), 1)):
        got = affiliation(alarm, labels)
        assert math.isnan(got.event_precision[1 - event])
        assert got.event_recall[1 - event] == 0.0
        assert got.event_recall_distance[1 - event] == math.inf
        assert got.event_recall[event] > 0.0


def test_nearer_is_better_and_chance_is_a_half():
    labels = np.zeros(2001, bool)
    labels[1000] = True
    at = [affiliation(np.arange(2001) == 1000 + off, labels) for off in (0, 5, 50, 500)]
    assert at[0].precision == at[0].recall == 1.0
    assert (np.diff([got.precision for got in at]) < 0).all()
    assert (np.diff([got.recall for got in at]) < 0).all()
    assert affiliation(np.ones(2001), labels).precision == pytest.approx(0.5, abs=0.001)


def test_a_large_series_keeps_its_precision():
    labels, alarm = np.zeros(3_000_000, bool), np.zeros(3_000_000, bool)
    labels[1_000_000:1_000_010] = labels[2_000_000:2_000_010] = True
    alarm[1_000_000:1_000_010] = alarm[2_000_005:2_000_015] = True
    got = affiliation(alarm, labels)
    zone = 3_000_000 - 1_500_005
    # Half of the alarm lies behind: 10 + 2 d of the zone lie as near as d. Half of the event is found, and of the rest
    # a point that is d from the alarm has 2 d of the zone as near.
    assert got.event_precision[1] == pytest.approx((5 + 5 - (10 * 5 + 25) / zone) / 10, abs=1e-12)
    assert got.event_recall[1] == pytest.approx((5 + 5 - 25 / zone) / 10, abs=1e-12)


@pytest.mark.parametrize(
    ("alarm", "labels", "says"),
    [
        ([0, 1], [0, 1, 0], r"\(2,\)"),
        ([0, 2, 0], [0, 1, 0], "alarm holds 2 in row 1"),
        ([0, 1, 0], [0, math.nan, 0], "labels holds nan in row 1"),
        ([[0, 1]], [[0, 1]], "shape"),
    ],
)
def test_bad_input(alarm, labels, says):
    with pytest.raises(InputError, match=says):
        affiliation(alarm, labels)


def test_nothing_at_all():
    got = affiliation([], [])
    assert math.isnan(got.precision)
    assert math.isnan(got.recall)
    assert math.isnan(got.f1)
