"""Denoising: PyWavelets on the whole series is the oracle."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from redshank.core import MissingExtraError, SettingError
from redshank.features import denoise
from redshank.features.wavelet import NORMAL_MAD, universal_threshold

pywt = pytest.importorskip("pywt", reason="the oracle, PyWavelets, belongs to the train extra")


def slow_denoise(values, wavelet="db4", level=4):
    parts = pywt.wavedec(values, wavelet, mode="symmetric", level=level, axis=0)
    sigma = np.median(np.abs(parts[-1]), axis=0) / NORMAL_MAD
    threshold = sigma * np.sqrt(2 * np.log(len(values)))
    shrunk = [np.sign(d) * np.maximum(np.abs(d) - threshold, 0) for d in parts[1:]]
    return pywt.waverec([parts[0], *shrunk], wavelet, mode="symmetric", axis=0)[: len(values)]


def series(n=1000, channels=5, seed=0):
    rng = np.random.default_rng(seed)
    return np.sin(np.arange(n)[:, None] / np.arange(20, 20 + channels)) * 5 + rng.standard_normal((n, channels))


@pytest.mark.parametrize("wavelet", ["haar", "db2", "db4", "sym8", "coif3", "bior2.2"])
@pytest.mark.parametrize("n", [256, 999, 1000, 5003])
def test_equals_pywavelets(way, wavelet, n):
    values = series(n)
    level = min(4, pywt.dwt_max_level(n, wavelet))
    np.testing.assert_allclose(denoise(values, wavelet, 4), slow_denoise(values, wavelet, level), atol=1e-10)


@pytest.mark.parametrize("channels", [1, 8, 50])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_many_chunks_equal_one_whole(way, monkeypatch, channels, dtype):
    """Small chunks, so that many borders lie inside; lengths around their multiples."""
    monkeypatch.setitem(denoise.__globals__, "CHUNK_VALUES", 1)
    for n in (511, 1024, 2049, 3000):
        values = series(n, channels).astype(dtype)
        result = denoise(values)
        assert result.dtype == dtype
        np.testing.assert_allclose(
            result, slow_denoise(values.astype(np.float64)), atol=1e-4 if dtype == np.float32 else 1e-10
        )


def test_median_by_sample_is_exact():
    rng = np.random.default_rng(1)
    scale = np.sqrt(2 * np.log(100)) / NORMAL_MAD
    quantised, sorted_values = rng.integers(0, 5, 40_001) / 4, np.sort(rng.standard_normal(50_000))
    periodic = np.where(np.arange(40_000) % (40_000 // 4096) == 0, 100.0, rng.random(40_000))  # the sample misleads
    for values in (rng.standard_normal(40_000), rng.standard_normal(40_001), quantised, sorted_values, periodic):
        assert universal_threshold([values], 100)[0] == pytest.approx(np.median(np.abs(values)) * scale, rel=1e-15)


def test_less_noise_is_left(way):
    clean = np.sin(np.arange(4096)[:, None] / 50) * 5
    noisy = clean + np.random.default_rng(0).standard_normal(clean.shape)
    assert np.std(denoise(noisy) - clean) < 0.5 * np.std(noisy - clean)


def test_missing_stays_missing_and_the_rest_is_bridged(way):
    values = series(600)
    values[:40, 0] = np.nan
    values[300:330, 1] = np.nan
    values[590:, 2] = np.inf
    values[:, 3] = np.nan
    result = denoise(values)
    np.testing.assert_array_equal(np.isnan(result), ~np.isfinite(values))
    bridged = values.copy()
    bridged[:40, 0] = values[40, 0]
    bridged[300:330, 1] = np.interp(np.arange(300, 330), [299, 330], values[[299, 330], 1])
    bridged[590:, 2] = values[589, 2]
    known = np.isfinite(values)
    np.testing.assert_allclose(result[known], slow_denoise(bridged)[known], atol=1e-10)


def test_constant_and_coarse_channels_stay_as_they_are(way):
    values = np.column_stack([np.full(500, 20.0), np.repeat([1.0, 2.0], 250)])
    np.testing.assert_allclose(denoise(values), values, atol=1e-9)


def test_huge_float32_values_stay_finite(way):
    largest = np.finfo(np.float32).max
    values = np.where(np.random.default_rng(0).random((500, 2)) < 0.5, -largest, largest).astype(np.float32)
    assert np.isfinite(denoise(values)).all()


@pytest.mark.parametrize("n", [0, 1, 6, 13])
def test_too_short_for_a_level(way, n):
    values = series(max(n, 1))[:n]
    np.testing.assert_array_equal(denoise(values), values)


def test_input_is_left_alone(way):
    values = series(300)
    values[5, 1] = np.nan
    before = values.copy()
    denoise(values)
    np.testing.assert_array_equal(values, before)


def test_bad_settings_are_named():
    with pytest.raises(SettingError, match="no discrete wavelet is called 'db99'"):
        denoise(series(), "db99")
    with pytest.raises(SettingError, match="level is 0"):
        denoise(series(), level=0)


def test_without_pywavelets_only_haar(monkeypatch):
    wanted = slow_denoise(series(), "haar")
    monkeypatch.setitem(sys.modules, "pywt", None)
    np.testing.assert_allclose(denoise(series(), "haar"), wanted, atol=1e-10)
    with pytest.raises(MissingExtraError, match=r"redshank\[train\]"):
        denoise(series(), "db4")
