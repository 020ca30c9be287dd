"""The door through which all readings come: what it lets in, what it refuses, what it says."""

import numpy as np
import pytest

from redshank.core import LARGEST, Channel, Frame, InputError, Schema, concatenate

SCHEMA = Schema.of(("a", "b"))


def frame(values=((1.0, 2.0), (3.0, 4.0)), *, devices=("d",), device=(0, 0), time_ns=(0, 1), schema=SCHEMA):
    return Frame(schema, devices, np.asarray(device), np.asarray(time_ns), np.asarray(values))


def test_keeps_exact_types_and_layout():
    made = frame(
        np.asfortranarray([[1, 2], [3, 4]]), device=np.zeros(2, np.int64), time_ns=np.arange(2, dtype=np.uint8)
    )
    assert (made.device.dtype, made.time_ns.dtype, made.values.dtype) == (np.int32, np.int64, np.float32)
    assert made.values.flags.c_contiguous
    assert len(made) == 2


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([1.0, 2.0], r"shape \(2,\)"),
        ([[1.0], [2.0]], r"\(rows, 2\)"),
        (np.zeros((2, 2, 1)), r"shape \(2, 2, 1\)"),
        ([[1.0, 2.0]], "1 rows of values"),
        ([[1.0, np.inf], [0.0, 0.0]], "row 0, channel 'b' holds inf"),
        ([[1.0, 2.0], [-np.inf, 0.0]], "row 1, channel 'a' holds -inf"),
        ([[1.0, 2.0], [1e308, 0.0]], "row 1, channel 'a' holds 1e\\+308"),
        (np.array([[1.0, 2.0], [0.0, np.inf]], np.float32), "channel 'b' holds inf"),
        (np.array([["x", 1], [2, 3]], object), "not numbers"),
        (np.array([[object(), 1], [2, 3]], object), "not numbers"),
        (np.array([[10**400, 1], [2, 3]], object), "not numbers"),
        (np.array([["warm", "cold"], ["1", "2"]]), "not numbers"),
        (np.array([[1j, 0], [0, 0]]), "complex128"),
        (np.array([["2020", "2021"], ["2020", "2021"]], "M8[s]"), "datetime64"),
    ],
)
def test_refuses_values(values, says):
    with pytest.raises(InputError, match=says):
        frame(values)


def test_takes_the_largest_float32_and_no_more():
    assert frame([[LARGEST, -LARGEST], [0, 0]]).values[0, 0] == np.float32(LARGEST)
    with pytest.raises(InputError, match="finite"):
        frame([[np.nextafter(LARGEST, np.inf), 0.0], [0, 0]])


def test_objects_that_are_numbers_come_in_and_none_is_missing():
    made = frame(np.array([[1, None], [True, 2.5]], object))
    np.testing.assert_array_equal(made.values, np.array([[1, np.nan], [1, 2.5]], np.float32))


@pytest.mark.parametrize("device", [(0, 1), (-1, 0), (0, 2**31 - 1)])
def test_refuses_an_unknown_device(device):
    with pytest.raises(InputError, match="outside the table of 1"):
        frame(device=device)


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ({"device": np.array([0, 2**32])}, "do not fit into int32"),  # would wrap to 0
        ({"device": np.array([0.0, 0.7])}, "device is of type float64"),
        ({"device": np.array(["d", "d"])}, "wanted whole numbers"),
        ({"time_ns": np.array([0.0, np.nan])}, "time_ns is of type float64"),
        ({"time_ns": np.array(["2020-01-01", "2020-01-02"], "M8[s]")}, "time_ns is of type datetime64"),
        ({"time_ns": np.array([0, 2**63], np.uint64)}, "do not fit into int64"),
        ({"device": (0, 0, 0)}, r"device has shape \(3,\)"),
        ({"time_ns": (0,)}, r"time_ns \(1,\)"),
        ({"devices": ("d", "d")}, "comes twice"),
    ],
)
def test_refuses_indices_and_times(part, says):
    with pytest.raises(InputError, match=says):
        frame(**part)


def test_empty_frame():
    for devices in ((), ("d", "e")):
        empty = Frame(SCHEMA, devices, np.array([]), np.array([]), np.empty((0, 2)))
        assert len(empty) == 0
        assert [len(rows) for rows in empty.series()] == [0] * len(devices)
        assert empty.interval_s() == 1.0
        assert len(empty.take(slice(0, 5))) == 0
        assert len(concatenate([empty, empty])) == 0


def test_of_plain_arrays():
    made = Frame.of([1.0, 2.0, 3.0], interval_s=0.5, device="pump")
    assert made.schema.names == ("channel_0",)
    assert made.devices == ("pump",)
    np.testing.assert_array_equal(made.time_ns, [0, 500_000_000, 1_000_000_000])
    named = Frame.of(np.zeros((2, 2)), names=["x", "y"], time_ns=[5, 7])
    assert named.schema.names == ("x", "y")
    np.testing.assert_array_equal(named.time_ns, [5, 7])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"values": np.zeros((2, 2, 2))}, "3 dimensions"),
        ({"values": 5.0}, "0 dimensions"),
        ({"values": np.zeros((3, 0))}, "no channels"),
        ({"values": [1.0], "names": ["a", "b"]}, "schema wants"),
        ({"values": [1.0], "interval_s": 0.0}, "interval_s is 0"),
        ({"values": [1.0], "interval_s": float("nan")}, "interval_s is nan"),
        ({"values": [1.0], "interval_s": float("inf")}, "interval_s is inf"),
        ({"values": [1.0], "time_ns": [0.5]}, "time_ns is of type float64"),
        ({"values": [1.0], "time_ns": [1, 2]}, "time_ns"),
    ],
)
def test_of_refuses(given, says):
    with pytest.raises(InputError, match=says):
        Frame.of(**given)


def test_series_is_time_order_and_equal_times_keep_theirs():
    made = frame(np.zeros((6, 2)), devices=("x", "none", "y"), device=(2, 0, 2, 0, 2, 0), time_ns=(9, 4, 1, 4, 9, -3))
    x, none, y = made.series()
    np.testing.assert_array_equal(x, [5, 1, 3])
    np.testing.assert_array_equal(none, [])
    np.testing.assert_array_equal(y, [2, 0, 4])


def test_take_by_index_mask_and_slice():
    made = frame(np.arange(8).reshape(4, 2), devices=("x", "y"), device=(0, 1, 0, 1), time_ns=(0, 1, 2, 3))
    for rows in (np.array([1, 3]), made.device == 1, slice(1, None, 2)):
        part = made.take(rows)
        np.testing.assert_array_equal(part.values, [[2, 3], [6, 7]])
        np.testing.assert_array_equal(part.time_ns, [1, 3])
        assert part.devices == ("x", "y")


def test_concatenate_with_different_device_tables():
    one = frame(devices=("x", "y"), device=(1, 0))
    other = frame(devices=("z", "y"), device=(0, 1))
    both = concatenate([one, other])
    assert [both.devices[i] for i in both.device] == ["y", "x", "z", "y"]
    assert len(set(both.devices)) == 3


def test_concatenate_refuses():
    with pytest.raises(InputError, match="nothing"):
        concatenate([])
    with pytest.raises(InputError, match="do not match"):
        concatenate([frame(), frame(schema=Schema.of(("b", "a")))])


def test_interval():
    assert frame(schema=Schema((Channel("a"), Channel("b")), 7.0)).interval_s() == 7.0
    times = np.array([0, 5, 5, 10, 3, 40]) * 1_000_000_000
    assert frame(np.zeros((6, 2)), device=[0] * 6, time_ns=times).interval_s() == 4.0  # steps 3 2 0 5 30, without 0
    two = frame(np.zeros((4, 2)), devices=("x", "y"), device=(0, 1, 0, 1), time_ns=(0, 10**18, 2 * 10**9, 10**18))
    assert two.interval_s() == 2.0  # no step from one device to the other
    assert frame(time_ns=(3, 3)).interval_s() == 1.0
