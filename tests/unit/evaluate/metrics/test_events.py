"""Event measures against plain loops, worked examples, TSB-AD 1.5 and the pipeline's device-weeks."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redshank.core import Frame, InputError, Schema, SettingError
from redshank.evaluate.metrics.events import (
    detection_delays,
    event_f1,
    event_precision,
    event_recall,
    false_events,
    false_events_per_device_week,
    point_adjusted_f1,
)
from redshank.pipeline import device_weeks

STRETCHES = st.lists(st.tuples(st.booleans(), st.integers(1, 8)), min_size=1, max_size=10)
"""Stretches of alarmed or anomalous rows and of others, with their lengths."""


def of_one_length(pair):
    spread = [np.repeat(*np.array(stretches).T).astype(bool) for stretches in pair]
    return tuple(marks[: min(map(len, spread))] for marks in spread)


PAIRS = st.tuples(STRETCHES, STRETCHES).map(of_one_length)
SECOND = 10**9
WEEK_S = 604800


def rows(text):
    return np.array([int(row) for row in text])


def runs(marks):
    return [
        [row for row, _ in group] for on, group in itertools.groupby(enumerate(marks), key=lambda pair: pair[1]) if on
    ]


def slow_adjusted(alarm, labels):
    """Point-adjusted F1 with the adjusted alarms written out."""
    adjusted = alarm.copy()
    for run in runs(labels):
        if alarm[run].any():
            adjusted[run] = True
    hit, false, missed = (adjusted & labels).sum(), (adjusted & ~labels).sum(), (~adjusted & labels).sum()
    return 2 * hit / (2 * hit + false + missed) if hit + false + missed else math.nan


@settings(deadline=None)
@given(PAIRS)
def test_as_loops_have_it(pair):
    alarm, labels = pair
    found = [bool(alarm[run].any()) for run in runs(labels)]
    true = [bool(labels[run].any()) for run in runs(alarm)]
    recall = np.mean(found) if found else math.nan
    assert event_recall(alarm, labels) == pytest.approx(recall, nan_ok=True)
    assert event_precision(alarm, labels) == pytest.approx(np.mean(true) if true else math.nan, nan_ok=True)
    assert false_events(alarm, labels) == true.count(False)
    precision = labels[alarm].mean() if alarm.any() else math.nan
    if 0.0 in (precision, recall):
        assert event_f1(alarm, labels) == 0.0
    else:
        wanted = 2 * precision * recall / (precision + recall)
        assert event_f1(alarm, labels) == pytest.approx(wanted, nan_ok=True)
    delays = [next((k for k, row in enumerate(run) if alarm[row]), math.nan) for run in runs(labels)]
    np.testing.assert_array_equal(detection_delays(alarm, labels), np.array(delays, float))
    time_ns = np.cumsum(np.arange(len(alarm))) * SECOND + 1_700_000_000 * SECOND
    seconds = [
        math.nan if math.isnan(k) else (time_ns[run[0] + k] - time_ns[run[0]]) / 1e9
        for run, k in zip(runs(labels), delays, strict=True)
    ]
    np.testing.assert_allclose(detection_delays(alarm, labels, time_ns), np.array(seconds, float))
    got = point_adjusted_f1(alarm, labels, draws=1)
    assert got.value == pytest.approx(slow_adjusted(alarm, labels), nan_ok=True)


@pytest.mark.parametrize(
    ("alarm", "labels", "f1", "adjusted"),
    [
        (
            "000110000001110000000000011000000000",
            "000011100000000000111100000000001110",
            0.19999999999999957,
            0.3157894736842105,
        ),
        (
            "110000011000100000000000000000000110",
            "111000000001111000000000001000000000",
            0.5217391304347822,
            0.7368421052631579,
        ),
        (
            "010101010101010101010101010101010101",
            "000000111111000000000000000011111100",
            0.4999999999999996,
            0.6666666666666666,
        ),
        (
            "000000000000000000000000000111000000",
            "000010000000000001111111111111111110",
            0.6666666666666662,
            0.972972972972973,
        ),
    ],
)
def test_as_tsb_ad(alarm, labels, f1, adjusted):
    """Values of ``metric_EventF1PA`` and ``metric_PointF1PA`` of TSB-AD 1.5."""
    assert event_f1(rows(alarm), rows(labels)) == pytest.approx(f1, abs=1e-12)
    assert point_adjusted_f1(rows(alarm), rows(labels)).value == pytest.approx(adjusted, abs=1e-12)


def test_where_tsb_ad_departs():
    last, first = rows("000001"), rows("100000")
    assert event_f1(last, last) == 1.0  # there: 0, the last row is lost
    assert point_adjusted_f1(rows("010000"), rows("110000")).value == 1.0  # there: 2/3, row 0 is never reached
    assert event_recall(first, first) == 1.0


@settings(deadline=None)
@given(PAIRS, st.integers(0, 39))
def test_laws(pair, row):
    alarm, labels = pair
    if not labels.any():
        assert math.isnan(event_recall(alarm, labels))
        assert len(detection_delays(alarm, labels)) == 0
        return
    assert event_recall(labels, labels) == event_precision(labels, labels) == event_f1(labels, labels) == 1.0
    assert false_events(labels, labels) == 0
    assert (detection_delays(labels, labels) == 0).all()
    assert point_adjusted_f1(labels, labels, draws=1).value == 1.0
    more = alarm.copy()
    more[row % len(more)] = True
    assert event_recall(more, labels) >= event_recall(alarm, labels)
    delays = [np.nan_to_num(detection_delays(each, labels), nan=math.inf) for each in (alarm, more)]
    assert (delays[1] <= delays[0]).all()
    for measure in (event_recall, event_precision, event_f1, false_events):
        assert measure(alarm[::-1], labels[::-1]) == pytest.approx(measure(alarm, labels), nan_ok=True)


def test_delays_in_seconds_and_rows():
    alarm, labels = rows("1100001100"), rows("0111011011")
    time_ns = np.array([0, 10, 20, 30, 40, 50, 65, 70, 80, 90]) * SECOND
    np.testing.assert_array_equal(detection_delays(alarm, labels, time_ns), [0.0, 15.0, math.nan])
    np.testing.assert_array_equal(detection_delays(alarm, labels), [0.0, 1.0, math.nan])


def test_false_events_of_one_device_in_a_week():
    """A row an hour for two weeks: two false alarm runs and a true one."""
    labels, alarm = np.zeros(336, bool), np.zeros(336, bool)
    labels[100:110] = True
    alarm[[5, 6, 7, 99, 100, 300]] = True
    time_ns = np.arange(336) * 3600 * SECOND
    assert false_events(alarm, labels) == 2
    assert false_events_per_device_week(alarm, labels, time_ns) == pytest.approx(1.0)


@st.composite
def fleets(draw):
    """Rows of up to three devices, mixed, each oldest first and some at the same time."""
    marks = draw(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.booleans(), st.booleans()), min_size=1))
    device, steps, alarm, labels = (np.array(column) for column in zip(*marks, strict=True))
    return device, np.cumsum(steps) * 60 * SECOND, alarm, labels


@settings(deadline=None)
@given(fleets())
def test_devices_are_apart(fleet):
    device, time_ns, alarm, labels = fleet
    names = np.array(["pump", "fan", "valve"])[device]
    false = sum(false_events(alarm[device == one], labels[device == one]) for one in range(3))
    frame = Frame(Schema.of(["x"]), ("a", "b", "c"), device, time_ns, np.zeros((len(device), 1)))
    wanted = false / device_weeks(frame)
    for of in (device, names, names.astype(object)):
        got = false_events_per_device_week(alarm, labels, time_ns, device=of)
        assert got == pytest.approx(wanted, rel=1e-9)


def test_runs_of_two_devices_never_join():
    alarm, labels, time_ns = np.ones(4, bool), rows("0001"), np.array([0, 60, 0, 60]) * SECOND
    rate = false_events_per_device_week(alarm, labels, time_ns, device=["a", "a", "b", "b"])
    assert rate == pytest.approx(WEEK_S / 240)  # the alarm of a is false, that of b is true


def test_random_alarms_by_every_possible_draw():
    labels = rows("0011100110").astype(bool)
    every = [slow_adjusted(np.isin(np.arange(10), chosen), labels) for chosen in itertools.combinations(range(10), 3)]
    alarm = np.arange(10) < 3
    got = point_adjusted_f1(alarm, labels, draws=40_000, seed=3).random
    assert got == pytest.approx(np.mean(every), abs=5 * np.std(every) / 200)
    assert got == point_adjusted_f1(alarm, labels, draws=40_000, seed=3).random
    assert got != point_adjusted_f1(alarm, labels, draws=40_000, seed=4).random


def test_point_adjustment_flatters_chance():
    """Alarms at random have next to no F1 by rows, a high one when adjusted, and the baseline says so."""
    rng = np.random.default_rng(0)
    labels = np.zeros(20_000, bool)
    for start in range(500, 20_000, 2000):
        labels[start : start + 150] = True
    alarm = rng.random(20_000) < 0.03
    got = point_adjusted_f1(alarm, labels)
    plain = 2 * (alarm & labels).sum() / (alarm.sum() + labels.sum())
    assert plain < 0.06
    assert got.value > 0.8
    assert got.random == pytest.approx(got.value, abs=0.05)


def test_what_is_not_defined_is_nan():
    some, none = rows("011"), rows("000")
    assert math.isnan(event_recall(some, none))
    assert math.isnan(event_precision(none, some))
    assert event_f1(none, some) == event_f1(some, none) == 0.0
    assert math.isnan(event_f1(none, none))
    assert math.isnan(point_adjusted_f1(none, none).value)
    assert math.isnan(point_adjusted_f1(none, none).random)
    assert point_adjusted_f1(none, some).value == point_adjusted_f1(none, some).random == 0.0
    assert math.isnan(false_events_per_device_week([], [], np.empty(0, np.int64)))
    assert math.isnan(false_events_per_device_week([], [], np.empty(0, np.int64), device=[]))
    assert len(detection_delays([], [], np.empty(0, np.int64))) == 0
    assert false_events([], []) == 0


@pytest.mark.parametrize(
    "measure", [event_recall, event_precision, event_f1, false_events, detection_delays, point_adjusted_f1]
)
def test_bad_input(measure):
    with pytest.raises(InputError, match=f"{measure.__name__}: alarms of shape"):
        measure([0, 1], [0, 1, 1])
    with pytest.raises(InputError, match="labels holds 3 in row 1"):
        measure([0, 1], [0, 3])


def test_bad_times_devices_and_draws():
    marks = [0, 1, 0]
    for measure in (detection_delays, false_events_per_device_week):
        with pytest.raises(InputError, match=r"time_ns of shape \(2,\)"):
            measure(marks, marks, np.array([0, 1]))
        with pytest.raises(InputError, match="time_ns holds float64"):
            measure(marks, marks, np.array([0.0, 1.0, 2.0]))
        with pytest.raises(InputError, match="a time of 1 ns follows 5 ns"):
            measure(marks, marks, np.array([0, 5, 1]))
    times = np.array([0, 5, 1])
    assert false_events_per_device_week(marks, marks, times, device=["a", "a", "b"]) == 0.0
    with pytest.raises(InputError, match="oldest first"):
        false_events_per_device_week(marks, marks, times, device=["a", "b", "b"])
    with pytest.raises(InputError, match=r"device of shape \(1,\)"):
        false_events_per_device_week(marks, marks, times, device=["a"])
    with pytest.raises(InputError, match="device holds float64"):
        false_events_per_device_week(marks, marks, times, device=[0.0, 1.0, math.nan])
    with pytest.raises(SettingError, match="draws is 0"):
        point_adjusted_f1(marks, marks, draws=0)
