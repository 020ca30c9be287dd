"""What is particular to SpectralResidualDetector."""

from __future__ import annotations

import numpy as np
import pytest

from redshank.core import SettingError
from redshank.detectors.statistical.spectral_residual import SpectralResidualDetector


def rhythm(rows: int, seed: int = 0) -> np.ndarray:
    t = np.arange(rows)
    clean = np.column_stack([np.sin(2 * np.pi * t / 16), 3 * np.sin(2 * np.pi * t / 16) + np.cos(2 * np.pi * t / 8)])
    return clean + 0.05 * np.random.default_rng(seed).standard_normal(clean.shape)


def slow_excess(values: np.ndarray) -> float:
    """The formulas of the paper for the last value of one window, with full complex transforms and plain loops."""
    values = np.clip(values - np.median(values), -10, 10)
    prior = values[-7:-1]  # as in the authors' own code, the value that is judged does not lead the extrapolation
    slope = np.mean([(prior[-1] - prior[i]) / (5 - i) for i in range(5)])
    long = np.append(values, [prior[1] + 5 * slope] * 5)
    spectrum = np.fft.fft(long)
    level = np.log(np.abs(spectrum) + 1e-4)
    smooth = np.array([np.mean([level[(i + d) % len(level)] for d in (-1, 0, 1)]) for i in range(len(level))])
    if len(long) % 2:  # the mirror image at the middle of an odd spectrum is one place farther down
        half = len(long) // 2
        smooth[half] = smooth[half + 1] = (2 * level[half - 1] + level[half]) / 3
    whitened = np.exp(level - smooth) * spectrum / (np.abs(spectrum) + 1e-4)
    saliency = np.abs(np.fft.ifft(whitened))[: len(values)]
    return max(saliency[-1] / saliency[-22:-1].mean() - 1, 0.0)


@pytest.mark.parametrize("window", [22, 63, 64])
def test_score_agrees_with_the_slow_form(window):
    detector = SpectralResidualDetector(window=window).fit(rhythm(400))
    X = rhythm(200, seed=1)
    X[90, 0] += 4.0
    X[150:, 1] -= 20.0
    scaled = (X - detector.center_) / detector.scale_
    for t in (window - 1, 90, 91, 150, 151, 199):
        parts = [slow_excess(scaled[t - window + 1 : t + 1, j]) / detector.spread_[j] for j in range(2)]
        assert detector.score_samples(X)[t] == pytest.approx(np.square(parts).sum(), rel=1e-8, abs=detector.floor_)


def test_a_spike_inside_the_usual_range_stands_out_of_a_rhythm():
    detector = SpectralResidualDetector().fit(rhythm(600))
    X = rhythm(400, seed=1)
    t = 300 + int(X[300:316, 0].argmin())
    X[t, 0] += 2.0
    assert detector.score_samples(X).argmax() == t


def test_the_level_does_not_matter():
    detector = SpectralResidualDetector().fit(rhythm(600))
    X = rhythm(300, seed=1)
    np.testing.assert_allclose(detector.score_samples(X + 1000.0), detector.score_samples(X), rtol=1e-5, atol=1e-8)


def test_a_series_longer_than_a_chunk_is_scored_as_its_parts(monkeypatch):
    detector = SpectralResidualDetector().fit(rhythm(400))
    X = rhythm(300, seed=1)
    whole = detector.score_samples(X)
    monkeypatch.setattr("redshank.detectors.statistical.spectral_residual.CHUNK_VALUES", 64 * 2 * 7)
    np.testing.assert_allclose(detector.score_samples(X), whole, rtol=1e-9)


@pytest.mark.parametrize("window", [21, 64.0])
def test_a_window_that_makes_no_sense_is_refused(window):
    with pytest.raises(SettingError, match="SpectralResidualDetector: window"):
        SpectralResidualDetector(window=window).fit(rhythm(100))
