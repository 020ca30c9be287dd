"""Live denoising looks at no later row."""

from __future__ import annotations

import numpy as np
import pytest

from redshank.core import InputError, NotFittedError, SettingError
from redshank.features import CausalDenoiser


def series(n=2000, channels=3, seed=0):
    rng = np.random.default_rng(seed)
    return np.sin(np.arange(n)[:, None] / np.arange(200, 200 + channels)) * 5 + rng.standard_normal((n, channels))


def slow(values, threshold, level):
    """One row at a time from the definition, the first value standing before the series."""
    out = np.empty_like(values)
    for t in range(len(values)):

        def smooth(scale, at):
            return (
                values[max(at, 0)]
                if scale == 0
                else (smooth(scale - 1, at) + smooth(scale - 1, at - (1 << scale - 1))) / 2
            )

        total = smooth(level, t)
        for scale in range(1, level + 1):
            d = smooth(scale - 1, t) - smooth(scale, t)
            total = total + np.sign(d) * np.maximum(np.abs(d) - threshold * 2 ** (-scale / 2), 0)
        out[t] = total
    return out


def test_equals_the_definition():
    values = series(60)
    for level in (1, 3):
        denoiser = CausalDenoiser(level=level).fit(series())
        np.testing.assert_allclose(
            denoiser.transform(values), slow(values, denoiser.threshold_, level), rtol=1e-10, atol=1e-10
        )


def test_threshold_is_that_of_the_noise():
    rng = np.random.default_rng(0)
    denoiser = CausalDenoiser().fit(rng.standard_normal((20_000, 2)) * (1.0, 3.0))
    np.testing.assert_allclose(denoiser.threshold_ / np.sqrt(2 * np.log(20_000)), (1.0, 3.0), rtol=0.03)


def test_less_noise_is_left_and_a_step_passes_at_once():
    clean = np.sin(np.arange(4000)[:, None] / 200) * 5
    noisy = clean + np.random.default_rng(0).standard_normal(clean.shape)
    denoiser = CausalDenoiser().fit(noisy)
    assert np.std(denoiser.transform(noisy) - clean) < 0.6 * np.std(noisy - clean)
    stepped = np.zeros((100, 1))
    stepped[50:] = 100.0
    assert denoiser.transform(stepped)[50, 0] > 50.0
    assert denoiser.transform(stepped)[-1, 0] == 100.0


@pytest.mark.parametrize("chunk", [1, 1 << 18])
def test_prefixes_have_the_same_bits(monkeypatch, chunk):
    monkeypatch.setitem(CausalDenoiser.transform.__globals__, "CHUNK_VALUES", chunk)
    values = series(200).astype(np.float32)
    values[:9, 0] = np.nan
    values[60:90, 1] = np.nan
    values[:, 2] = np.nan
    denoiser = CausalDenoiser(level=3).fit(series())
    whole = denoiser.transform(values)
    assert whole.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(whole), np.isnan(values))
    for n in (0, 1, 5, 10, 77, 199):
        np.testing.assert_array_equal(denoiser.transform(values[:n]), whole[:n])


def test_context_is_enough():
    values = series(100)
    denoiser = CausalDenoiser().fit(values)
    whole = denoiser.transform(values)
    np.testing.assert_array_equal(denoiser.transform(values[80 - denoiser.context : 81])[-1], whole[80])


def test_state_restores():
    denoiser = CausalDenoiser(level=2).fit(series())
    other = CausalDenoiser(**denoiser.settings()).restore(denoiser.state())
    np.testing.assert_array_equal(other.transform(series(50)), denoiser.transform(series(50)))


def test_missing_training_values_and_huge_ones():
    values = series()
    values[::3, 0] = np.nan
    values[:, 1] = np.nan
    values[5, 2] = np.inf
    denoiser = CausalDenoiser().fit(values)
    assert np.isfinite(denoiser.threshold_).all()
    largest = np.finfo(np.float32).max
    jumps = np.where(np.arange(50)[:, None] % 2, largest, -largest).astype(np.float32).repeat(3, axis=1)
    assert np.isfinite(denoiser.transform(jumps)).all()


def test_bad_use_is_named():
    with pytest.raises(NotFittedError):
        CausalDenoiser().transform(series())
    with pytest.raises(SettingError, match="level is 17"):
        CausalDenoiser(level=17).fit(series())
    with pytest.raises(InputError, match="at least 2"):
        CausalDenoiser().fit(series(1))
    with pytest.raises(InputError, match="nothing to learn"):
        CausalDenoiser().fit(np.empty((0, 3)))
    with pytest.raises(InputError, match="rows have 2 channels, wanted 3"):
        CausalDenoiser().fit(series()).transform(np.ones((4, 2)))
