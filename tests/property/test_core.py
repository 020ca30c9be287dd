"""Laws of frames, schemas and labels."""

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from redshank.core import Channel, Detector, Frame, Kind, Label, Schema, Tags, concatenate, label_rows

NAMES = st.text(min_size=1, max_size=5)


@st.composite
def frames(draw, width=2):
    devices = tuple(draw(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4, unique=True)))
    rows = draw(st.lists(st.tuples(st.integers(0, len(devices) - 1), st.integers(-5, 5)), max_size=20))
    device, time_ns = (np.array([row[k] for row in rows], np.int64) for k in (0, 1))
    values = np.arange(len(rows) * width, dtype=float).reshape(len(rows), width)
    return Frame(Schema.of([f"c{k}" for k in range(width)]), devices, device, time_ns, values)


@settings(deadline=None)
@given(frames())
def test_series_part_the_rows_in_time_order(frame):
    series = frame.series()
    assert len(series) == len(frame.devices)
    together = np.concatenate(series) if series else np.empty(0)
    assert sorted(together.tolist()) == list(range(len(frame)))
    for k, rows in enumerate(series):
        keys = [(frame.time_ns[row], row) for row in rows]
        assert keys == sorted(keys)
        assert (frame.device[rows] == k).all()


@settings(deadline=None)
@given(st.lists(frames(), min_size=1, max_size=4))
def test_concatenate_keeps_every_row(parts):
    together = concatenate(parts)

    def rows(frame):
        return [
            (frame.devices[k], int(t), tuple(v))
            for k, t, v in zip(frame.device, frame.time_ns, frame.values.tolist(), strict=True)
        ]

    assert rows(together) == [row for part in parts for row in rows(part)]
    assert set(together.devices) == {name for part in parts for name in part.devices}


@settings(deadline=None)
@given(frames(), st.data())
def test_take_is_indexing(frame, data):
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(frame), max_size=len(frame))), np.bool_)
    part = frame.take(mask)
    np.testing.assert_array_equal(part.values, frame.values[mask])
    np.testing.assert_array_equal(frame.take(np.flatnonzero(mask)).time_ns, part.time_ns)


@settings(deadline=None)
@given(frames(), st.lists(st.tuples(st.sampled_from("abcdefg"), st.integers(-6, 6), st.integers(-6, 6)), max_size=5))
def test_label_rows_against_the_obvious(frame, intervals):
    labels = [Label(device, start, end, Kind.POINT) for device, start, end in intervals]
    slow = [
        int(any(frame.devices[k] == one.device and one.start_ns <= t <= one.end_ns for one in labels))
        for k, t in zip(frame.device, frame.time_ns, strict=True)
    ]
    assert label_rows(labels, frame).tolist() == slow


LIMITS = st.tuples(st.floats(allow_nan=False), st.floats(allow_nan=False)).filter(lambda pair: pair[0] < pair[1])


@settings(deadline=None)
@given(
    st.lists(st.tuples(NAMES, st.text(max_size=4), LIMITS), min_size=1, max_size=5, unique_by=lambda one: one[0]),
    st.none() | st.floats(min_value=0, exclude_min=True, allow_infinity=False),
)
def test_schema_survives_json(channels, interval_s):
    schema = Schema(tuple(Channel(name, unit, *limits) for name, unit, limits in channels), interval_s)
    assert Schema.from_dict(json.loads(json.dumps(schema.to_dict(), allow_nan=False))) == schema


class Level(Detector):
    """Weighted sum of the channels above 1, after two rows of history."""

    tags = Tags(sequence=True)

    @property
    def warmup(self):
        return 2

    def _fit(self, series, y):
        self.weight_ = np.array([1.0, 3.0])

    def _score(self, X):
        return np.maximum(X - 1.0, 0.0) @ self.weight_


@settings(deadline=None)
@given(st.lists(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), max_size=6), min_size=1, max_size=4))
def test_a_list_is_scored_series_by_series(parts):
    series = [np.array(part).reshape(-1, 2) for part in parts]
    detector = Level().fit(np.linspace(-3, 3, 40).reshape(20, 2))
    alone = np.concatenate([detector.score_samples(one) for one in series])
    np.testing.assert_array_equal(detector.score_samples(series), alone)
    ready = detector.ready(series)
    np.testing.assert_array_equal(ready, np.concatenate([np.arange(len(one)) >= 2 for one in series]))
    assert (alone[~ready] == detector.floor_).all()
    shares = detector.contributions(series)
    assert (shares >= 0).all()
    np.testing.assert_allclose(shares.sum(axis=1), np.maximum(alone, 0.0), atol=1e-9)
