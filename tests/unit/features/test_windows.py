"""Cutting series."""

from __future__ import annotations

import numpy as np
import pytest

from redshank.core import InputError, SettingError
from redshank.features import period, segments, windows


def test_windows_are_a_read_only_view():
    values = np.arange(20.0).reshape(10, 2)
    view = windows(values, 4, 3)
    assert view.shape == (3, 4, 2)
    assert np.shares_memory(view, values)
    assert not view.flags.writeable
    np.testing.assert_array_equal(view[2], values[6:10])


def test_windows_longer_than_the_series():
    assert windows(np.ones((3, 2)), 4).shape == (0, 4, 2)
    assert windows(np.ones((0, 2)), 1).shape == (0, 1, 2)


def test_segments_cut_where_the_step_is_too_long():
    assert segments([0, 1, 2, 10, 11, 30], 5) == [slice(0, 3), slice(3, 5), slice(5, 6)]
    assert segments([0, 5], 5) == [slice(0, 2)]
    assert segments([7], 5) == [slice(0, 1)]
    assert segments([], 5) == []


@pytest.mark.parametrize("true", [7, 24, 96])
def test_period_of_a_noisy_rhythm(true):
    rng = np.random.default_rng(0)
    t = np.arange(2000)[:, None]
    values = np.sin(2 * np.pi * t / true + [0.0, 1.0]) + 0.4 * rng.standard_normal((2000, 2)) + 0.01 * t
    values[rng.random(values.shape) < 0.05] = np.nan
    found = period(values, 3, 500)
    assert found is not None
    assert abs(found - true) <= 1


def test_period_of_what_has_none():
    rng = np.random.default_rng(0)
    assert period(rng.standard_normal((2000, 1)), 2, 500) is None
    assert period(np.arange(2000.0)[:, None], 2, 500) is None
    assert period(np.full((2000, 2), 0.1), 2, 500) is None
    assert period(np.full((2000, 2), np.nan), 2, 500) is None
    assert period(np.ones((3, 1)), 2, 500) is None
    assert period(np.ones((0, 1)), 2, 500) is None
    assert period(np.sin(np.arange(100)[:, None]), 60, 80) is None  # less than two of them


def test_bad_settings_are_named():
    with pytest.raises(SettingError, match="size is 0"):
        windows(np.ones((3, 1)), 0)
    with pytest.raises(SettingError, match="stride is 0"):
        windows(np.ones((3, 1)), 1, 0)
    with pytest.raises(InputError, match="windows: values have shape"):
        windows(np.ones(3), 1)
    with pytest.raises(InputError, match="runs backwards"):
        segments([3, 2], 1)
    with pytest.raises(InputError, match="one time for each row"):
        segments([[3, 2]], 1)
    with pytest.raises(SettingError, match="max_gap_ns is 0"):
        segments([3, 4], 0)
    with pytest.raises(SettingError, match="low is 1"):
        period(np.ones((9, 1)), 1, 3)
    with pytest.raises(SettingError, match="high is 3"):
        period(np.ones((9, 1)), 4, 3)
