"""Laws of grouping and folding."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from redshank.core import Kind, Schema
from redshank.incidents import Judged, fault, fold, incidents_of
from redshank.incidents.grouping import REST_ROWS

SECOND = 10**9
REST = REST_ROWS * SECOND
SCHEMA = Schema.of(["flow", "pressure"], 1.0)


@st.composite
def judged(draw, device="pump"):
    """Rows with gaps in time, runs of alarms and of low p, and missing values."""
    steps = draw(st.lists(st.sampled_from([1, 1, 1, 5, 59, 60, 61, 200]), min_size=1, max_size=60))
    rows = len(steps)
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    alarm = rng.random(rows) < draw(st.sampled_from([0.05, 0.3, 0.9]))
    p = np.where(alarm, 1e-4 * rng.random(rows), np.where(rng.random(rows) < 0.5, 0.01, 0.7))
    values = rng.normal(size=(rows, 2)) * 3.0
    values[rng.random((rows, 2)) < 0.1] = np.nan
    zeros = np.zeros((rows, 2))
    parts = rng.random((rows, 2))
    usual = np.array([[-3.0, -3.0], [3.0, 3.0]])
    return Judged(device, np.cumsum(steps) * SECOND, alarm, p, values, zeros, zeros - 1, zeros + 1, parts, usual)


def prefix(one, rows):
    cut = {name: getattr(one, name)[:rows] for name in ("time_ns", "alarm", "p", "values", "expected", "low", "high")}
    return Judged(one.device, contributions=one.contributions[:rows], usual=one.usual, **cut)


@settings(deadline=None)
@given(judged())
def test_every_alarm_lies_in_exactly_one_incident(one):
    found = incidents_of(one, SCHEMA, 1.0)
    for moment in one.time_ns[one.alarm]:
        assert sum(i.detected_ns <= moment <= i.end_ns for i in found) == 1
    for incident in found:
        assert incident.start_ns <= incident.detected_ns <= incident.end_ns
        assert 0.0 <= incident.severity <= 100.0
        assert {incident.start_ns, incident.detected_ns, incident.end_ns} <= set(one.time_ns.tolist())
        assert one.alarm[np.searchsorted(one.time_ns, [incident.detected_ns, incident.end_ns])].all()
        shares = [reading.share for reading in incident.readings]
        assert shares == sorted(shares, reverse=True)
        assert abs(sum(shares) - 1.0) < 1e-9
        assert "\n" not in incident.sentence
    for earlier, later in itertools.pairwise(found):
        assert later.detected_ns - earlier.end_ns > REST
    assert len({i.key for i in found}) == len(found)


@settings(deadline=None)
@given(judged(), st.integers(0, 60))
def test_a_closed_incident_stays_as_it_is(one, rows):
    """What a prefix knows to be over is the same, word for word, when more rows come."""
    seen = prefix(one, rows)
    before, after = incidents_of(seen, SCHEMA, 1.0), incidents_of(one, SCHEMA, 1.0)
    for k, incident in enumerate(before):
        assert (after[k].key, after[k].start_ns, after[k].detected_ns) == (
            incident.key,
            incident.start_ns,
            incident.detected_ns,
        )
        if seen.time_ns[-1] - incident.end_ns > REST:
            assert repr(after[k]) == repr(incident)  # repr: NaN is equal to itself


KINDS = st.sampled_from([Kind.SILENCE, Kind.SILENCE, Kind.SENSOR_FAULT, Kind.POINT])


@st.composite
def incidents(draw):
    made = []
    for device in draw(st.lists(st.sampled_from("abcde"), max_size=8)):
        start, delay, length = draw(st.tuples(st.integers(0, 400), st.integers(0, 50), st.integers(0, 200)))
        made.append(
            fault(
                device,
                start_ns=start * SECOND,
                detected_ns=(start + delay) * SECOND,
                end_ns=(start + delay + length) * SECOND,
                kind=draw(KINDS),
                cause="",
                severity=draw(st.floats(0, 100)),
                readings=(),
                detail="",
            )
        )
    return made


@settings(max_examples=200, deadline=None)
@given(incidents(), st.randoms())
def test_fold(given_, random):
    found = fold(given_, 1.0, 5)
    shuffled = sorted(given_, key=lambda i: (i.start_ns, i.detected_ns))  # equal ones in any order
    random.shuffle(shuffled)
    again = fold(shuffled, 1.0, 5)
    assert [(i.devices, i.start_ns, i.end_ns, i.detected_ns, i.severity) for i in again] == [
        (i.devices, i.start_ns, i.end_ns, i.detected_ns, i.severity) for i in found
    ]
    assert [i.start_ns for i in found] == sorted(i.start_ns for i in found)
    assert len({i.key for i in found}) == len(found)
    for incident in found:
        assert incident.start_ns <= incident.detected_ns <= incident.end_ns
        assert 0.0 <= incident.severity <= 100.0
        if len(incident.devices) > 1:
            assert incident.kind is Kind.SILENCE
            assert len(incident.devices) >= 3
    for one in given_:  # nothing is lost; an onset may be cut where another incident still ran
        own = [i for i in found if one.device in i.devices and i.start_ns <= one.detected_ns and one.end_ns <= i.end_ns]
        assert own
    single = [i for i in found if len(i.devices) == 1]
    for device in "abcde":
        own = [i for i in single if i.device == device]
        for earlier, later in itertools.pairwise(own):
            assert earlier.end_ns < later.start_ns <= later.detected_ns


@settings(deadline=None)
@given(judged())
def test_fold_of_one_devices_incidents_leaves_them_apart(one):
    found = fold(incidents_of(one, SCHEMA, 1.0), 1.0, 1)
    for earlier, later in itertools.pairwise(found):
        assert later.detected_ns - earlier.end_ns > REST
        assert earlier.end_ns < later.start_ns <= later.detected_ns
    for moment in one.time_ns[one.alarm]:
        assert sum(i.start_ns <= moment <= i.end_ns for i in found) == 1
