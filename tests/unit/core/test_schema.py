"""Channels, their limits, and the record of them."""

import json
import math

import pytest

from redshank.core import Channel, InputError, Schema

FULL = Schema((Channel("température", "°C", -40.0, 125.0), Channel("flow", "l/min", low=0.0), Channel("x")), 2.5)


def test_round_trip_through_json():
    for schema in (FULL, Schema.of(["a"]), Schema.of(["a"], 1)):
        again = Schema.from_dict(json.loads(json.dumps(schema.to_dict(), allow_nan=False)))
        assert again == schema
    assert len(FULL) == 3
    assert FULL.names == ("température", "flow", "x")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Schema(()), "no channels"),
        (lambda: Schema.of(["a", "b", "a"]), "'a' comes twice"),
        (lambda: Schema.of(["a", ""]), "name is empty"),
        (lambda: Channel("a", low=1.0, high=1.0), "not below"),
        (lambda: Channel("a", low=math.nan), "not below"),
        (lambda: Schema.of(["a"], 0.0), "positive"),
        (lambda: Schema.of(["a"], -1.0), "positive"),
        (lambda: Schema.of(["a"], math.nan), "positive"),
        (lambda: Schema.of(["a"], math.inf), "positive"),
    ],
)
def test_refuses(make, says):
    with pytest.raises(InputError, match=says):
        make()


def record(**changes):
    channel = {"name": "a", "unit": "", "low": None, "high": None}
    return {"interval_s": None, "channels": [channel | changes]}


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        [],
        None,
        {"interval_s": None},
        {"interval_s": None, "channels": None},
        {"interval_s": None, "channels": "abc"},
        {"interval_s": None, "channels": 5},
        {"interval_s": None, "channels": ["a"]},
        {"interval_s": None, "channels": []},
        {"interval_s": None, "channels": [{"name": "a"}]},
        {"interval_s": "1", "channels": record()["channels"]},
        {"interval_s": True, "channels": record()["channels"]},
        record(low="0"),
        record(high=[1]),
        record(name=5),
        record(name=None),
        record(unit=None),
    ],
)
def test_from_dict_refuses(wrong):
    with pytest.raises(InputError):
        Schema.from_dict(wrong)
