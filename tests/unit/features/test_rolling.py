"""Trailing mean and deviation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from redshank.core import InputError, SettingError
from redshank.features import rolling
from redshank.features import rolling as rolling_function

NAN = np.nan


def slow_rolling(values, window):
    mean, deviation = np.full((2, *values.shape), NAN)
    for i in range(len(values)):
        for j in range(values.shape[1]):
            near = values[max(i - window + 1, 0) : i + 1, j].astype(np.float64)
            near = near[np.isfinite(near)]
            if len(near):
                mean[i, j], deviation[i, j] = near.mean(), near.std()
    return mean, deviation


def series(n=300, channels=5, seed=1):
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((n, channels)).cumsum(axis=0)
    values[rng.random(values.shape) < 0.2] = NAN
    values[100:140, 1] = NAN
    values[:, 3] = NAN
    values[7, 0] = np.inf
    return values


@pytest.mark.parametrize("window", [1, 2, 7, 60, 299, 300, 10_000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equals_the_slow_form(way, window, dtype):
    values = series().astype(dtype)
    wanted = slow_rolling(values, window)
    for ours, theirs in zip(rolling(values, window), wanted, strict=True):
        assert ours.dtype == dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6 if dtype == np.float32 else 1e-12)


def test_equals_pandas(way):
    values = series()
    values[7, 0] = NAN
    peer = pd.DataFrame(values).rolling(20, min_periods=1)
    mean, deviation = rolling(values, 20)
    np.testing.assert_allclose(mean, peer.mean().to_numpy(), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(deviation, peer.std(ddof=0).to_numpy(), rtol=1e-6, atol=1e-6)


def test_large_offset_costs_no_digits(way):
    values = np.random.default_rng(0).standard_normal((500, 3))
    for offset in (1e6, -1e9):
        plain = rolling(values, 30)[1]
        np.testing.assert_allclose(rolling(values + offset, 30)[1], plain, rtol=1e-5, atol=1e-6)


def test_a_huge_value_leaves_no_trace(way):
    values = np.random.default_rng(0).standard_normal((200, 2))
    spiked = values.copy()
    spiked[50] = 3e38
    for clean, other in zip(rolling(values, 20), rolling(spiked, 20), strict=True):
        assert np.isfinite(other).all()
        np.testing.assert_allclose(other[70:], clean[70:], rtol=1e-12)
        np.testing.assert_array_equal(other[:50], clean[:50])


def test_constant_has_no_deviation(way):
    mean, deviation = rolling(np.full((50, 2), 0.1), 8)
    np.testing.assert_array_equal(deviation, 0.0)
    np.testing.assert_array_equal(mean, 0.1)


@pytest.mark.parametrize("window", [1, 9, 64])
def test_causal_and_the_same_bits_both_ways(window, monkeypatch):
    pytest.importorskip("numba", reason="compiled loops need the train extra")
    values = series().astype(np.float32)
    whole = rolling(values, window)
    monkeypatch.setattr("redshank.features._compiled.WORTH_COMPILING", 0)
    for n in (1, 63, 64, 65, 200, 300):
        for part, full in zip(rolling(values[:n], window), whole, strict=True):
            np.testing.assert_array_equal(part, full[:n])


def test_batches_of_the_array_form_join(monkeypatch):
    values = series()
    whole = rolling(values, 11)
    monkeypatch.setitem(rolling_function.__globals__, "BATCH_VALUES", 200)
    for part, full in zip(rolling(values, 11), whole, strict=True):
        np.testing.assert_array_equal(part, full)


@pytest.mark.parametrize("shape", [(0, 3), (1, 3), (5, 0)])
def test_empty(way, shape):
    assert [part.shape for part in rolling(np.ones(shape), 4)] == [shape, shape]


def test_bad_input_is_named():
    with pytest.raises(SettingError, match="window is 0"):
        rolling(np.ones((3, 1)), 0)
    with pytest.raises(InputError, match="wanted \\(rows, channels\\)"):
        rolling(np.ones(3), 2)
