"""Splits go by time, device by device."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redshank.core import Frame, Schema, SettingError
from redshank.data import labels_of, runs, split_time


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 0.99), st.integers(1, 4))
def test_every_training_row_is_older_than_the_rest_of_its_device(seed, share, devices):
    rng = np.random.default_rng(seed)
    rows = int(rng.integers(2 * devices, 60))
    device = np.concatenate([np.arange(devices), np.arange(devices), rng.integers(0, devices, rows - 2 * devices)])
    times = rng.permutation(rows)
    frame = Frame(Schema.of(["a"]), tuple("abcd"[:devices]), device, times, np.zeros((rows, 1)))
    train, rest = split_time(frame, share)
    assert (train ^ rest).all()
    for code in range(devices):
        own = device == code
        assert times[own & train].max() < times[own & rest].min()
        assert abs((own & train).sum() - share * own.sum()) <= 1


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5])
def test_share_out_of_range(share):
    with pytest.raises(SettingError, match="between 0 and 1"):
        split_time(Frame.of(np.zeros(5)), share)


def test_runs_and_labels():
    assert runs(np.array([1, 1, 0, 1, 0, 0, 1], np.int8)) == [(0, 1), (3, 3), (6, 6)]
    assert runs(np.zeros(3, np.int8)) == []
    assert runs(np.zeros(0, np.int8)) == []
    frame = Frame(Schema.of(["a"]), ("x", "y"), np.array([0, 1, 0, 1]), np.array([0, 5, 9, 1]), np.zeros((4, 1)))
    found = labels_of(frame, np.array([1, 1, 1, 0], np.int8))
    assert [(one.device, one.start_ns, one.end_ns) for one in found] == [("x", 0, 9), ("y", 5, 5)]
