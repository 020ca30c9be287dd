"""Labels laid over rows, and the words that kinds and states are written with."""

import numpy as np

from redshank.core import Frame, Incident, Kind, Label, Schema, State, label_rows


def frame():
    return Frame(
        Schema.of(["a"]), ("x", "y"), np.array([1, 0, 0, 1, 0]), np.array([10, 30, 10, 30, 20]), np.zeros((5, 1))
    )


def test_both_ends_are_inside_and_other_devices_are_not():
    np.testing.assert_array_equal(label_rows([Label("x", 10, 20, Kind.POINT)], frame()), [0, 0, 1, 0, 1])
    np.testing.assert_array_equal(label_rows([Label("y", 11, 30, Kind.POINT)], frame()), [0, 0, 0, 1, 0])


def test_no_label_an_unknown_device_and_an_interval_between_rows_mark_nothing():
    for labels in (
        [],
        [Label("z", 0, 99, Kind.POINT)],
        [Label("x", 11, 19, Kind.POINT)],
        [Label("x", 30, 10, "point")],
    ):
        marked = label_rows(labels, frame())
        assert marked.dtype == np.int8
        assert not marked.any()


def test_labels_may_overlap():
    labels = [Label("x", 0, 15, Kind.POINT), Label("x", 5, 25, Kind.SILENCE)]
    np.testing.assert_array_equal(label_rows(labels, frame()), [0, 0, 1, 0, 1])


def test_words():
    assert f"{Kind.SENSOR_FAULT}" == "sensor fault"
    assert Kind("network attack") is Kind.NETWORK_ATTACK
    incident = Incident("k", ("x", "y"), 0, 1, 0, Kind.POINT, "", 1.0, (), "s")
    assert incident.device == "x"
    assert incident.state is State.OPEN
