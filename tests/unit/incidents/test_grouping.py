"""Alarms of one device to incidents: where they begin, what they are, how bad."""

import numpy as np
import pytest

from redshank.core import Kind, Schema
from redshank.incidents import Judged, incidents_of
from redshank.incidents.grouping import NETWORK, ONSET_ROWS, REST_ROWS

SCHEMA = Schema.of(["vibration", "pressure"], 1.0)
SECOND = 10**9


def judged(alarm, *, p=None, values=None, contributions=None, time_ns=None, device="pump"):
    """Rows whose channels are expected at 0 in a band of -1 to 1, and usually between -3 and 3."""
    rows = len(alarm)
    alarm = np.asarray(alarm, np.bool_)
    values = np.zeros((rows, 2)) if values is None else values
    return Judged(
        device=device,
        time_ns=np.arange(rows, dtype=np.int64) * SECOND if time_ns is None else time_ns,
        alarm=alarm,
        p=np.where(alarm, 1e-4, 0.5) if p is None else p,
        values=values,
        expected=np.zeros((rows, 2)),
        low=np.full((rows, 2), -1.0),
        high=np.full((rows, 2), 1.0),
        contributions=np.tile([3.0, 1.0], (rows, 1)) if contributions is None else contributions,
        usual=np.array([[-3.0, -3.0], [3.0, 3.0]]),
    )


def at(rows, *alarms):
    marked = np.zeros(rows, np.bool_)
    for one in alarms:
        marked[one] = True
    return marked


def seconds(incident):
    return incident.start_ns // SECOND, incident.detected_ns // SECOND, incident.end_ns // SECOND


def test_no_alarm_no_incident():
    assert incidents_of(judged(at(50)), SCHEMA, 1.0) == []
    assert incidents_of(judged(at(0)), SCHEMA, 1.0) == []


def test_alarms_within_the_rest_are_one_incident():
    one = incidents_of(judged(at(300, 100, 100 + REST_ROWS)), SCHEMA, 1.0)
    assert [seconds(i) for i in one] == [(100, 100, 160)]
    two = incidents_of(judged(at(300, 100, 101 + REST_ROWS)), SCHEMA, 1.0)
    assert [seconds(i) for i in two] == [(100, 100, 100), (161, 161, 161)]
    assert two[0].key == one[0].key  # the first alarm names the incident
    assert two[0].key != two[1].key
    assert len(incidents_of(judged(at(300, 100, 101 + REST_ROWS)), SCHEMA, 2.0)) == 1  # the rest is counted in time


def test_the_key_is_of_device_and_first_alarm():
    key = incidents_of(judged(at(50, 20)), SCHEMA, 1.0)[0].key
    assert incidents_of(judged(at(90, slice(20, 40)), values=np.ones((90, 2))), SCHEMA, 1.0)[0].key == key
    assert incidents_of(judged(at(50, 20), device="other"), SCHEMA, 1.0)[0].key != key
    assert incidents_of(judged(at(50, 21)), SCHEMA, 1.0)[0].key != key


def test_onset_is_where_p_first_stayed_low():
    p = np.full(400, 0.5)
    p[290:301] = 0.049
    p[280] = 0.01
    assert seconds(incidents_of(judged(at(400, 300), p=p), SCHEMA, 1.0)[0]) == (290, 300, 300)
    p[:] = 0.01
    assert seconds(incidents_of(judged(at(400, 300), p=p), SCHEMA, 1.0)[0]) == (300 - ONSET_ROWS, 300, 300)
    assert seconds(incidents_of(judged(at(400, 50), p=p), SCHEMA, 1.0)[0]) == (0, 50, 50)
    assert seconds(incidents_of(judged(at(400, 0), p=p), SCHEMA, 1.0)[0]) == (0, 0, 0)
    p[299] = 0.05
    assert seconds(incidents_of(judged(at(400, 300), p=p), SCHEMA, 1.0)[0]) == (300, 300, 300)


def test_the_onset_is_not_before_a_long_gap():
    time_ns = np.r_[np.arange(200), np.arange(200) + 3 * 86400] * SECOND
    found = incidents_of(judged(at(400, 205), p=np.full(400, 0.01), time_ns=time_ns), SCHEMA, 1.0)[0]
    assert found.detected_ns - found.start_ns == 5 * SECOND


def test_readings_by_contribution_at_their_worst_moment():
    values = np.zeros((50, 2))
    values[20:23, 1] = [-5.0, 8.0, 6.0]
    values[20:23, 0] = [np.nan, 2.0, np.nan]
    values[10, 1] = 1e6  # no alarm there
    parts = np.zeros((50, 2))
    parts[20:23] = [[1.0, 5.0], [0.0, 3.0], [1.0, 0.0]]
    [found] = incidents_of(judged(at(50, slice(20, 23)), values=values, contributions=parts), SCHEMA, 1.0)
    assert [reading.channel for reading in found.readings] == ["pressure", "vibration"]
    assert [reading.share for reading in found.readings] == pytest.approx([0.8, 0.2])
    assert [reading.seen for reading in found.readings] == [8.0, 2.0]
    assert (found.readings[0].low, found.readings[0].high, found.readings[0].expected) == (-1.0, 1.0, 0.0)
    assert found.sentence.startswith("pump: pressure 8 since 1970-01-01 00:00:20, expected -1 to 1; vibration follows;")


def test_without_contributions_or_values():
    nothing = judged(at(50, slice(20, 30)), values=np.full((50, 2), np.nan), contributions=np.zeros((50, 2)))
    [found] = incidents_of(nothing, SCHEMA, 1.0)
    assert [reading.share for reading in found.readings] == [0.5, 0.5]
    assert "vibration nothing since" in found.sentence
    assert np.isnan(found.readings[0].seen)


def test_many_channels_are_cut_to_the_first():
    wide = Schema.of([f"c{i}" for i in range(30)], 1.0)
    values = np.zeros((5, 30))
    parts = np.tile(np.arange(30.0), (5, 1))
    band = np.ones((5, 30))
    one = Judged("d", np.arange(5) * SECOND, at(5, 3), np.full(5, 0.5), values, values, -band, band, parts, band[:2])
    [found] = incidents_of(one, wide, 1.0)
    assert [reading.channel for reading in found.readings] == [f"c{i}" for i in range(29, 21, -1)]


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        (lambda t: np.where(t == 20, 9.0, 0.0), Kind.POINT),
        (lambda t: np.where(t == 20, 2.0, 0.0), Kind.CONTEXTUAL),  # a usual value at an unusual moment
    ],
)
def test_kind_of_one_reading(shape, kind):
    values = np.repeat(shape(np.arange(50.0))[:, None], 2, axis=1)
    assert incidents_of(judged(at(50, 20), values=values), SCHEMA, 1.0)[0].kind is kind


@pytest.mark.parametrize(
    ("shape", "parts", "kind"),
    [
        (lambda t: 9.0 + np.sin(7.0 * t), (3, 1), Kind.COLLECTIVE),
        (lambda t: np.sin(7.0 * t), (3, 1), Kind.CONTEXTUAL),
        (lambda t: np.sin(7.0 * t), (1, 1), Kind.COLLECTIVE),  # inside, but of no one channel
        (lambda t: 9.0 + 0.1 * t + np.sin(7.0 * t), (3, 1), Kind.CONTINUOUS),
        (lambda t: 9.0 - 0.1 * t, (3, 1), Kind.CONTINUOUS),
        (lambda t: 9.0 + 0.0 * t, (3, 1), Kind.COLLECTIVE),  # a value that stands still has no trend
        (lambda t: 0.0 * t, (3, 1), Kind.CONTEXTUAL),
        (lambda t: 9.0 + (t > 195), (3, 1), Kind.COLLECTIVE),  # nearly all equal
    ],
)
def test_kind_of_a_long_run(shape, parts, kind):
    values = np.repeat(shape(np.arange(200.0))[:, None], 2, axis=1)
    one = judged(at(200, slice(50, 200)), values=values, contributions=np.tile(np.array(parts, float), (200, 1)))
    assert incidents_of(one, SCHEMA, 1.0)[0].kind is kind


@pytest.mark.parametrize(
    "name", ["ping", "ping_ms", "net.rtt", "RTT", "latency_s", "rxBytes", "connections", "pkt retries"]
)
def test_network_channels(name):
    schema = Schema.of([name, "pressure"], 1.0)
    [found] = incidents_of(judged(at(50, 20)), schema, 1.0)
    assert found.kind is Kind.NETWORK_ATTACK
    assert found.sentence.endswith("looks like a network attack")


@pytest.mark.parametrize(
    "name", ["pumping_rate", "damping", "Stamping force", "clipping", "connecting rod", "shirtthickness", "temperature"]
)
def test_plant_channels_are_not_of_the_network(name):
    assert not NETWORK.search(name)


def test_severity_rises_with_rarity_and_length_and_stays_in_bounds():
    def severity(p, rows):
        one = judged(at(rows + 1, slice(0, rows)), p=np.full(rows + 1, p))
        return incidents_of(one, SCHEMA, 1.0)[0].severity

    by_p = [severity(p, 5) for p in (0.5, 1e-3, 1e-6, 1e-12, 0.0)]
    assert by_p == sorted(by_p)
    assert by_p[-1] == by_p[-2]
    by_rows = [severity(1e-4, rows) for rows in (1, 10, 100, 1000, 3000)]
    assert by_rows == sorted(by_rows)
    assert severity(0.0, 5000) == 100.0
    assert severity(1.0, 1) == 0.0
    assert severity(1e-4, 1) == 20.0
