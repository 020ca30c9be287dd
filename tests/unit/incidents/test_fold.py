"""Incidents of all devices put together: overlaps joined, many silences made one outage."""

from dataclasses import replace

import pytest

from redshank.core import Incident, Kind
from redshank.incidents import fold
from redshank.incidents.grouping import REST_ROWS

SECOND = 10**9


def made(device, start, end, kind=Kind.COLLECTIVE, *, detected=None, severity=10.0, key=None, readings=()):
    detected = start if detected is None else detected
    name = key or f"{device}@{detected}"
    times = (start * SECOND, end * SECOND, detected * SECOND)
    return Incident(name, (device,), *times, kind, "", severity, readings, f"{device} {kind}")


def spans(incidents):
    return [(i.devices, i.start_ns // SECOND, i.end_ns // SECOND) for i in incidents]


def test_nothing():
    assert fold([], 1.0, 5) == []


def test_order_of_onset_whatever_the_order_given():
    incidents = [made("b", 500, 510), made("a", 1000, 1010), made("a", 0, 10)]
    assert fold(incidents, 1.0, 2) == [incidents[2], incidents[0], incidents[1]]
    assert fold(incidents[::-1], 1.0, 2) == fold(incidents, 1.0, 2)


def test_overlap_and_nearness_on_one_device_join():
    apart = [made("a", 0, 100), made("a", 101 + REST_ROWS, 300)]
    assert fold(apart, 1.0, 1) == apart
    near = [made("a", 0, 100), made("a", 100 + REST_ROWS, 300)]
    assert spans(fold(near, 1.0, 1)) == [(("a",), 0, 300)]
    assert len(fold([made("a", 0, 100), made("b", 50, 100)], 1.0, 2)) == 2
    chain = [made("a", 0, 200), made("a", 10, 20), made("a", 250, 260)]  # near the first, not the second
    assert spans(fold(chain, 1.0, 1)) == [(("a",), 0, 260)]


def test_a_join_keeps_the_earliest_alarm_the_worst_severity_and_the_name_of_the_finding():
    first = made("a", 0, 100, Kind.COLLECTIVE, detected=20, severity=70.0, readings=("r",))
    check = made("a", 10, 400, Kind.SENSOR_FAULT, detected=60, severity=30.0)
    for order in ([first, check], [check, first]):
        [joined] = fold(order, 1.0, 1)
        assert joined.kind is Kind.SENSOR_FAULT
        assert joined.sentence == check.sentence
        assert joined.readings == ("r",)
        assert joined.key == first.key
        assert joined.severity == 70.0
        assert spans([joined]) == [(("a",), 0, 400)]
        assert joined.detected_ns == 20 * SECOND
    early = replace(check, detected_ns=15 * SECOND)
    assert fold([first, early], 1.0, 1)[0].key == early.key


def test_of_two_findings_the_longer_gives_the_name():
    stuck, silent = made("a", 0, 50, Kind.SENSOR_FAULT), made("a", 40, 400, Kind.SILENCE)
    assert fold([stuck, silent], 1.0, 1)[0].kind is Kind.SILENCE
    longer = made("a", 0, 500, Kind.SENSOR_FAULT)
    assert fold([longer, silent], 1.0, 1)[0].kind is Kind.SENSOR_FAULT
    assert fold([made("a", 0, 9, Kind.POINT), made("a", 5, 500, Kind.COLLECTIVE)], 1.0, 1)[0].kind is Kind.POINT


def test_three_that_fall_silent_together_are_one_outage():
    silent = [
        made("c", 10, 300, Kind.SILENCE, detected=90, severity=20.0),
        made("a", 0, 200, Kind.SILENCE, detected=80, severity=30.0),
        made("b", 15, 400, Kind.SILENCE, detected=70, severity=10.0),
    ]
    other = made("d", 5, 6)
    found = fold([*silent, other], 1.0, 10)
    assert spans(found) == [(("a", "b", "c"), 0, 400), (("d",), 5, 6)]
    outage = found[0]
    assert outage.detected_ns == 90 * SECOND  # the third
    assert outage.severity == pytest.approx(30.0 + 20.0 * 3 / 10)
    assert outage.sentence == "3 of 10 devices silent since 1970-01-01 00:00: a, b and c; looks like one outage"
    assert outage.key not in {i.key for i in silent}
    assert fold(silent[::-1], 1.0, 10)[0].key == outage.key
    assert fold(silent[:2], 1.0, 10) == [silent[1], silent[0]]  # two are two


def test_later_silences_are_not_of_the_outage():
    silent = [made(f"d{k}", 5 * k, 900, Kind.SILENCE) for k in range(6)]
    assert [len(i.devices) for i in fold(silent, 1.0, 6)] == [4, 1, 1]  # 0 to 15 s, then two alone
    assert [len(i.devices) for i in fold(silent, 2.0, 6)] == [6]


def test_ten_thousand_that_stop_together_raise_one():
    [outage] = fold([made(f"d{k:05}", 0, 900, Kind.SILENCE, severity=90.0) for k in range(10_000)], 1.0, 10_000)
    assert len(outage.devices) == 10_000
    assert outage.severity == 100.0
    assert len(outage.sentence) < 200
