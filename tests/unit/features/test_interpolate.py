"""Gaps: the line between both ends, or the last value carried on."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from redshank.core import InputError, SettingError
from redshank.features import hold, interpolate

NAN = np.nan


def slow_interpolate(values, max_gap, time_ns=None):
    """``np.interp`` gap by gap."""
    out = np.where(np.isfinite(values), values, NAN)
    clock = np.arange(len(values)) if time_ns is None else time_ns - time_ns[0]
    for j in range(values.shape[1]):
        ends = np.flatnonzero(np.isfinite(values[:, j]))
        for low, high in itertools.pairwise(ends):
            if high - low - 1 <= max_gap:
                out[low : high + 1, j] = np.interp(clock[low : high + 1], clock[[low, high]], values[[low, high], j])
    return out


def series(dtype=np.float64, n=400, channels=7, seed=3):
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((n, channels)).cumsum(axis=0).astype(dtype)
    values[rng.random(values.shape) < 0.3] = NAN
    values[50:80, 2] = NAN
    values[:, 4] = NAN
    values[rng.random(values.shape) < 0.02] = np.inf
    return values


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("max_gap", [0, 1, 3, 1000])
def test_equals_interp_gap_by_gap(way, dtype, max_gap):
    values = series(dtype)
    result = interpolate(values, max_gap)
    assert result.dtype == dtype
    np.testing.assert_allclose(result, slow_interpolate(values, max_gap), rtol=1e-6 if dtype == np.float32 else 1e-12)


def test_uneven_times_count(way):
    values = np.array([[0.0], [NAN], [10.0]])
    assert interpolate(values, 1, np.array([0, 9, 10]) * 10**9)[1, 0] == pytest.approx(9.0)
    times = 1_700_000_000_000_000_000 + np.random.default_rng(0).integers(1, 10**10, 400).cumsum()
    np.testing.assert_allclose(interpolate(series(), 5, times), slow_interpolate(series(), 5, times), rtol=1e-9)


def test_both_ways_give_the_same_bits(monkeypatch):
    pytest.importorskip("numba", reason="compiled loops need the train extra")
    values = series(np.float32)
    first = interpolate(values, 4)
    monkeypatch.setattr("redshank.features._compiled.WORTH_COMPILING", 0)
    np.testing.assert_array_equal(interpolate(values, 4), first)


def test_edges_and_long_gaps_stay_missing(way):
    values = np.array([[NAN, 1, 1, NAN, NAN, NAN, 5, NAN]]).T
    np.testing.assert_array_equal(interpolate(values, 2), values)
    np.testing.assert_array_equal(interpolate(values, 3).ravel(), [NAN, 1, 1, 2, 3, 4, 5, NAN])


def test_values_that_overflow_a_difference(way):
    largest = float(np.finfo(np.float32).max)
    filled = interpolate(np.array([[-largest], [NAN], [largest]], np.float32), 1)
    assert np.isfinite(filled).all()
    assert abs(filled[1, 0]) < largest * 1e-6


@pytest.mark.parametrize("shape", [(0, 3), (1, 3), (5, 0)])
def test_empty(way, shape):
    assert interpolate(np.full(shape, 1.0), 2).shape == shape
    assert hold(np.full(shape, 1.0), 2).shape == shape


def test_input_is_left_alone(way):
    values = series()
    before = values.copy()
    interpolate(values, 9)
    hold(values, 9)
    np.testing.assert_array_equal(values, before)


def test_hold_equals_a_loop():
    values = series()
    for max_gap in (0, 1, 3, 1000):
        wanted = np.full_like(values, NAN)
        for j in range(values.shape[1]):
            last = None
            for i in range(len(values)):
                last = i if np.isfinite(values[i, j]) else last
                if last is not None and i - last <= max_gap:
                    wanted[i, j] = values[last, j]
        np.testing.assert_array_equal(hold(values, max_gap), wanted)


def test_bad_input_is_named():
    with pytest.raises(SettingError, match="max_gap is -1"):
        interpolate(np.ones((3, 1)), -1)
    with pytest.raises(SettingError, match="max_gap is -1"):
        hold(np.ones((3, 1)), -1)
    with pytest.raises(InputError, match=r"shape \(3,\)"):
        interpolate(np.ones(3), 1)
    with pytest.raises(InputError, match="not numbers"):
        interpolate(np.array([["a"]]), 1)
    with pytest.raises(InputError, match="does not increase"):
        interpolate(np.ones((3, 1)), 1, np.array([0, 2, 2]))
    with pytest.raises(InputError, match="one entry for each of 3 rows"):
        interpolate(np.ones((3, 1)), 1, np.array([0, 2]))
