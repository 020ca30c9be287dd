"""Events found, delay and false alarms against cases worked out by hand."""

import math

import pytest

from redshank.core import Incident, Kind, Label
from redshank.evaluate import compare

SECOND = 10**9


def incident(devices, start, end, detected=None, key=None):
    devices = (devices,) if isinstance(devices, str) else devices
    detected = start if detected is None else detected
    times = (start * SECOND, end * SECOND, detected * SECOND)
    return Incident(key or f"{devices}{start}", devices, *times, Kind.POINT, "", 1.0, (), "")


def label(device, start, end, kind=Kind.POINT, cause=""):
    return Label(device, start * SECOND, end * SECOND, kind, cause)


def test_by_hand():
    labels = [
        label("a", 100, 200),
        label("a", 500, 600, Kind.SENSOR_FAULT, "stuck"),
        label("b", 100, 200, Kind.SENSOR_FAULT, "stuck"),
        label("b", 900, 950),
    ]
    incidents = [
        incident("a", 150, 160, 155),  # finds the first after 55 s
        incident("a", 190, 300, 195),  # and again
        incident("a", 550, 560),  # finds the second after 50 s
        incident("b", 90, 120, 95),  # alarms before it starts: no negative delay
        incident("b", 500, 510),  # false
        incident("c", 100, 200),  # false: another device
    ]
    report = compare(incidents, labels, device_weeks=4.0)
    assert (report.events, report.found, report.incidents, report.false) == (4, 3, 6, 2)
    assert report.delays_s == (55.0, 50.0, 0.0)
    assert report.median_delay_s == 50.0
    assert report.recall == 0.75
    assert report.precision == pytest.approx(4 / 6)
    assert report.false_per_device_week == 0.5
    assert report.found_by_kind == {"point": (1, 2), "sensor fault/stuck": (2, 2)}


@pytest.mark.parametrize(
    ("start", "end", "tolerance", "found"),
    [
        (0, 99, 0.0, False),
        (0, 100, 0.0, True),
        (200, 300, 0.0, True),
        (201, 300, 0.0, False),
        (201, 300, 1.0, True),
        (205, 300, 4.9, False),
        (0, 99, 50.0, False),  # the tolerance is behind the anomaly, not before it
        (0, 900, 0.0, True),
    ],
)
def test_borders_and_tolerance(start, end, tolerance, found):
    report = compare([incident("a", start, end)], [label("a", 100, 200)], device_weeks=1.0, tolerance_s=tolerance)
    assert report.found == int(found)
    assert report.false == int(not found)


def test_an_incident_of_many_devices_is_true_if_it_is_of_one_of_them():
    outage = incident(("a", "b", "c"), 100, 200)
    report = compare([outage], [label("b", 150, 160), label("c", 150, 160), label("c", 500, 600)], device_weeks=1.0)
    assert (report.found, report.events, report.incidents, report.false) == (2, 3, 1, 0)
    assert compare([outage], [label("d", 150, 160)], device_weeks=1.0).false == 1


def test_one_incident_may_find_several():
    report = compare([incident("a", 0, 900, 50)], [label("a", 100, 200), label("a", 300, 400)], device_weeks=1.0)
    assert report.found == 2
    assert report.delays_s == (0.0, 0.0)


def test_the_same_key_twice_is_two_incidents():
    same = [incident("a", 100, 200, key="k"), incident("a", 900, 950, key="k")]
    report = compare(same, [label("a", 100, 200)], device_weeks=1.0)
    assert (report.incidents, report.false) == (2, 1)


def test_no_labels_and_no_incidents():
    quiet = compare([], [label("a", 0, 1)], device_weeks=1.0)
    assert (quiet.recall, quiet.false_per_device_week) == (0.0, 0.0)
    assert math.isnan(quiet.precision)
    assert math.isnan(quiet.median_delay_s)
    unknown = compare([incident("a", 0, 1)], [], device_weeks=2.0)
    assert (unknown.precision, unknown.false_per_device_week) == (0.0, 0.5)
    assert math.isnan(unknown.recall)
    nothing = compare([], [], device_weeks=0.0)
    assert math.isnan(nothing.false_per_device_week)
    assert nothing.found_by_kind == {}


def test_the_order_of_incidents_does_not_matter():
    incidents = [incident("a", 0, 1), incident("a", 150, 300, 170), incident("a", 120, 130)]
    labels = [label("a", 100, 200)]
    assert compare(incidents, labels, device_weeks=1.0) == compare(incidents[::-1], labels, device_weeks=1.0)
