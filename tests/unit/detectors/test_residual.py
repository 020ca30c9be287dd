"""What is particular to the statistical detectors that expect a value: ewma, moving average, polynomial, robust z."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redshank.core import SettingError
from redshank.detectors.statistical._residual import usual_size
from redshank.detectors.statistical._trend import ahead_weights
from redshank.detectors.statistical.ewma import EWMADetector
from redshank.detectors.statistical.moving_average import MovingAverageDetector
from redshank.detectors.statistical.polynomial import PolynomialDetector
from redshank.detectors.statistical.robust_z import RobustZDetector

RNG = np.random.default_rng(5)
NOISE = RNG.standard_normal((600, 2)) * [1.0, 20.0] + [3.0, -700.0]
FOLLOWERS = [EWMADetector(lag=10), MovingAverageDetector(window=10), PolynomialDetector(window=20, degree=1)]


def name(detector: object) -> str:
    return type(detector).__name__


def slow_followed(detector, rows: np.ndarray, patience: int, expect) -> np.ndarray:
    """The docstrings, reading by reading; ``expect`` takes the cleaned readings so far, of one channel."""
    expected = np.zeros_like(rows)
    for j, course in enumerate(((rows - detector.center_) / detector.scale_).T):
        past: list[float] = []
        least = limit = 4.0 * detector.spread_[j]
        for t, x in enumerate(course):
            ahead = expect(past) if past else 0.0
            expected[t, j] = ahead
            if t < 5:
                past.append(x)
                continue
            past.append(ahead + np.clip(x - ahead, -limit, limit))
            odd = abs(x - ahead) > limit
            limit = limit * 2 ** (1 / patience) if odd else max(limit / 2 ** (1 / patience), least)
    return expected * detector.scale_ + detector.center_


def slow_ewma(past: list[float]) -> float:
    mean = past[0]
    for t, x in enumerate(past[1:], start=2):
        mean += max(1 / t, 1 / 10) * (x - mean)
    return mean


def slow_line(past: list[float]) -> float:
    last = past[-20:]
    return float(np.polyval(np.polyfit(np.arange(len(last)), last, min(1, len(last) // 8)), len(last)))


@pytest.mark.parametrize(
    ("detector", "patience", "expect"),
    list(zip(FOLLOWERS, (10, 10, 20), (slow_ewma, lambda past: np.mean(past[-10:]), slow_line), strict=True)),
    ids=[name(one) for one in FOLLOWERS],
)
def test_expected_agrees_with_the_slow_form(detector, patience, expect):
    X = NOISE[:200].copy()
    X[60, 0] += 50.0
    X[120:, 1] += 400.0
    detector.fit(NOISE[200:])
    expected = detector.expected(X)
    np.testing.assert_allclose(expected.value, slow_followed(detector, X, patience, expect), rtol=1e-9)
    squares = np.square((X - expected.value) / detector.scale_ / detector.spread_)
    np.testing.assert_allclose(detector.score_samples(X)[5:], squares.sum(axis=1)[5:], rtol=1e-6)


@pytest.mark.parametrize("detector", FOLLOWERS, ids=name)
def test_a_spike_leaves_no_echo(detector):
    detector.fit(NOISE)
    X = NOISE[:100].copy()
    X[50] += 1e4 * NOISE.std(axis=0)
    before, after = detector.score_samples(NOISE[:100]), detector.score_samples(X)
    assert after[50] > 1e5
    assert np.abs(np.sqrt(after[51:]) - np.sqrt(before[51:])).max() < 4.0


@pytest.mark.parametrize("detector", FOLLOWERS, ids=name)
@pytest.mark.parametrize("size", [10.0, 1e5])
def test_a_lasting_change_is_learned(detector, size):
    detector.fit(NOISE)
    X = NOISE.copy()
    X[100:] += size * NOISE.std(axis=0)
    scores = detector.score_samples(X)
    assert scores[100] > 50.0
    assert np.median(scores[-50:]) < 5.0


@pytest.mark.parametrize("detector", FOLLOWERS, ids=name)
def test_another_level_from_the_first_row_is_no_anomaly(detector):
    detector.fit(NOISE)
    scores = detector.score_samples(NOISE + 500.0)
    assert np.quantile(scores, 0.99) < 40.0


def test_robust_z_is_the_modified_z():
    X = RNG.laplace(size=(999, 1)) * 4.0 + 9.0
    X = np.where(RNG.random(X.shape) < 0.005, 1e5, X)  # few enough to move neither median nor 99 % quantile far
    detector = RobustZDetector().fit(X)
    apart = np.abs(X - np.median(X))
    spread = max(np.median(apart) / 0.6745, np.quantile(apart, 0.99) / 2.5758)
    np.testing.assert_allclose(detector.score_samples(X), ((X[:, 0] - np.median(X)) / spread) ** 2, rtol=1e-9)


def test_a_channel_that_rests_is_not_measured_by_its_rest():
    X = np.where(np.arange(1000) % 20 == 0, RNG.normal(5.0, 1.0, 1000), 0.0)[:, None]
    scores = RobustZDetector().fit(X).score_samples(X)
    assert scores.max() < 20.0


@given(st.floats(0.1, 1e6), st.integers(0, 10**6))
def test_usual_size_is_the_deviation_of_normal_noise(deviation, seed):
    noise = np.random.default_rng(seed).standard_normal((4000, 1)) * deviation
    assert usual_size(noise)[0] == pytest.approx(deviation, rel=0.15)


@given(st.integers(1, 80), st.integers(0, 4), st.integers(0, 10**6))
def test_ahead_weights_carry_a_polynomial_on_exactly(count, degree, seed):
    weights = ahead_weights(count, degree)
    terms = np.random.default_rng(seed).normal(size=min(degree, count // 8) + 1)
    course = np.polyval(terms, np.arange(count + 1) / count)
    assert weights @ course[:-1] == pytest.approx(course[-1], abs=1e-6 * max(np.abs(weights).sum(), 1.0))


@pytest.mark.parametrize(
    "detector",
    [
        EWMADetector(lag=1),
        EWMADetector(lag=2.5),
        MovingAverageDetector(window=True),
        PolynomialDetector(degree=0),
        PolynomialDetector(window=15, degree=2),
    ],
    ids=lambda detector: f"{type(detector).__name__}{detector.settings()}",
)
def test_settings_that_make_no_sense_are_refused(detector):
    with pytest.raises(SettingError, match=name(detector)):
        detector.fit(NOISE)
