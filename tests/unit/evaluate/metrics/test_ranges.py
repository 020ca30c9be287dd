"""Range-based precision and recall against the paper's loops, worked examples and TSB-AD 1.5."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redshank.core import InputError, SettingError
from redshank.evaluate.metrics._inputs import harmonic_mean
from redshank.evaluate.metrics.ranges import (
    BIASES,
    CARDINALITIES,
    range_f1,
    range_precision,
    range_recall,
)

STRETCHES = st.lists(st.tuples(st.booleans(), st.integers(1, 8)), min_size=1, max_size=10)
"""Stretches of alarmed or anomalous rows and of others, with their lengths."""


def of_one_length(pair):
    spread = [np.repeat(*np.array(stretches).T).astype(bool) for stretches in pair]
    return tuple(marks[: min(map(len, spread))] for marks in spread)


PAIRS = st.tuples(STRETCHES, STRETCHES).map(of_one_length)


def rows(text):
    return np.array([int(row) for row in text])


def runs(marks):
    """Sets of row numbers, one for each unbroken run."""
    return [
        [row for row, _ in group] for on, group in itertools.groupby(enumerate(marks), key=lambda pair: pair[1]) if on
    ]


def weight(bias, i, length):
    if bias == "flat":
        return 1
    if bias == "front":
        return length - i + 1
    if bias == "back":
        return i
    return i if i <= length / 2 else length - i + 1


def slow(judged, other, alpha, bias, cardinality):
    """Mean reward of the runs of ``judged``, as the functions of the paper's figure 3 have it."""
    found = []
    for run in runs(judged):
        mine = whole = 0
        for i, row in enumerate(run, start=1):
            whole += weight(bias, i, len(run))
            mine += weight(bias, i, len(run)) if other[row] else 0
        x = sum(bool(set(run) & set(them)) for them in runs(other))
        factor = 1 / x if cardinality == "reciprocal" and x > 1 else 1
        found.append(alpha * (x > 0) + (1 - alpha) * factor * mine / whole)
    return np.mean(found) if found else math.nan


@settings(deadline=None)
@given(PAIRS, st.sampled_from(BIASES), st.sampled_from(CARDINALITIES), st.sampled_from([0.0, 0.2, 0.5, 1.0]))
def test_as_the_paper(pair, bias, cardinality, alpha):
    alarm, labels = pair
    precision = slow(alarm, labels, 0.0, bias, cardinality)
    recall = slow(labels, alarm, alpha, bias, cardinality)
    got = range_recall(alarm, labels, alpha=alpha, bias=bias, cardinality=cardinality)
    assert got == pytest.approx(recall, abs=1e-12, nan_ok=True)
    got = range_precision(alarm, labels, bias=bias, cardinality=cardinality)
    assert got == pytest.approx(precision, abs=1e-12, nan_ok=True)
    got = range_f1(alarm, labels, alpha=alpha, bias=bias, cardinality=cardinality)
    if 0.0 in (precision, recall):
        assert got == 0.0
    else:
        assert got == pytest.approx(2 * precision * recall / (precision + recall), abs=1e-12, nan_ok=True)


@pytest.mark.parametrize(
    ("bias", "overlap"),
    [("flat", 2 / 5), ("front", (5 + 4) / 15), ("back", (1 + 2) / 15), ("middle", (1 + 2) / 9)],
)
def test_by_hand(bias, overlap):
    """Five anomalous rows, the first two alarmed; the alarm is four rows long."""
    labels, alarm = rows("0001111100"), rows("0111100000")
    assert range_recall(alarm, labels, alpha=0.0, bias=bias) == pytest.approx(overlap)
    assert range_recall(alarm, labels, alpha=0.2, bias=bias) == pytest.approx(0.2 + 0.8 * overlap)
    of_alarm = {"flat": 2 / 4, "front": (2 + 1) / 10, "back": (3 + 4) / 10, "middle": (2 + 1) / 6}
    assert range_precision(alarm, labels, bias=bias) == pytest.approx(of_alarm[bias])


def test_pieces_count_less():
    labels, alarm = rows("011111110"), rows("010101010")
    assert range_recall(alarm, labels, alpha=0.0) == pytest.approx(4 / 7 / 4)
    assert range_recall(alarm, labels, alpha=0.0, cardinality="one") == pytest.approx(4 / 7)
    assert range_precision(labels, alarm) == pytest.approx(4 / 7 / 4)  # one alarm over four anomalies
    assert range_precision(labels, alarm, cardinality="one") == pytest.approx(4 / 7)


@pytest.mark.parametrize(
    ("alarm", "labels", "precision", "recall", "f1"),
    [
        (
            "000110000001110000000000011000000000",
            "000011100000000000111100000000001110",
            0.16666666666666666,
            0.15555555555555556,
            0.16091954022988508,
        ),
        (
            "110000011000100000000000000000000110",
            "111000000001111000000000001000000000",
            0.5,
            0.37777777777777777,
            0.43037974683544306,
        ),
        (
            "010101010101010101010101010101010101",
            "000000111111000000000000000011111100",
            0.3333333333333333,
            0.33333333333333337,
            0.3333333333333333,
        ),
        (
            "000000000000000000000000000111000000",
            "000010000000000001111111111111111110",
            1.0,
            0.16666666666666669,
            0.28571428571428575,
        ),
    ],
)
def test_as_tsb_ad(alarm, labels, precision, recall, f1):
    """Values of TSB-AD 1.5: ``range_recall_new`` both ways, and ``metric_RF1``."""
    alarm, labels = rows(alarm), rows(labels)
    assert range_precision(alarm, labels) == pytest.approx(precision, abs=1e-12)
    assert range_recall(alarm, labels) == pytest.approx(recall, abs=1e-12)
    assert range_f1(alarm, labels) == pytest.approx(f1, abs=1e-12)


@settings(deadline=None)
@given(PAIRS, st.sampled_from(BIASES), st.sampled_from(CARDINALITIES), st.integers(0, 39))
def test_laws(pair, bias, cardinality, row):
    alarm, labels = pair
    how = {"bias": bias, "cardinality": cardinality}
    if labels.any():
        assert range_precision(labels, labels, **how) == range_recall(labels, labels, **how) == 1.0
        assert range_f1(labels, labels, **how) == 1.0
    assert range_precision(alarm, labels, **how) == pytest.approx(
        range_recall(labels, alarm, alpha=0.0, **how), nan_ok=True
    )
    mirrored = {"front": "back", "back": "front"}.get(bias, bias)
    assert range_recall(alarm[::-1], labels[::-1], bias=mirrored, cardinality=cardinality) == pytest.approx(
        range_recall(alarm, labels, **how), nan_ok=True
    )
    if labels.any():
        more = alarm.copy()
        more[row % len(more)] = True
        got = [range_recall(each, labels, bias=bias, cardinality="one") for each in (alarm, more)]
        assert got[0] <= got[1] + 1e-12


@given(st.integers(3, 30), st.data())
def test_splitting_an_alarm_lowers_recall(length, data):
    labels = np.zeros(length + 4, bool)
    labels[2:-2] = True
    split = labels.copy()
    split[data.draw(st.integers(3, length))] = False
    assert range_recall(split, labels, alpha=0.0) == pytest.approx((length - 1) / length / 2)
    assert range_recall(split, labels, alpha=0.0, cardinality="one") == pytest.approx((length - 1) / length)


def test_what_is_not_defined_is_nan():
    some, none = np.array([0, 1, 1]), np.zeros(3)
    assert math.isnan(range_precision(none, some))
    assert math.isnan(range_recall(some, none))
    assert range_recall(none, some) == range_precision(some, none) == 0.0
    assert range_f1(none, some) == range_f1(some, none) == 0.0  # the other half could be anything: it would not help
    assert math.isnan(range_f1(none, none))
    assert math.isnan(range_f1([], []))
    assert harmonic_mean(0.5, 1.0) == pytest.approx(2 / 3)
    assert math.isnan(harmonic_mean(math.nan, 0.5))


@pytest.mark.parametrize("measure", [range_precision, range_recall, range_f1])
def test_bad_input(measure):
    with pytest.raises(InputError, match=f"{measure.__name__}: alarms of shape"):
        measure([0, 1], [0, 1, 1])
    with pytest.raises(InputError, match="row 0"):
        measure([0.5, 1], [0, 1])
    with pytest.raises(SettingError, match="bias is 'centre'; wanted one of flat, front, back, middle"):
        measure([0, 1], [0, 1], bias="centre")
    with pytest.raises(SettingError, match="cardinality is 'two'"):
        measure([0, 1], [0, 1], cardinality="two")


@pytest.mark.parametrize("measure", [range_recall, range_f1])
@pytest.mark.parametrize("alpha", [-0.1, 1.1, math.nan])
def test_alpha_outside_its_range(measure, alpha):
    with pytest.raises(SettingError, match="alpha"):
        measure([0, 1], [0, 1], alpha=alpha)
