"""The fitted tail against samples whose tail is known."""

import numpy as np
import pytest
from scipy.stats import genpareto

from redshank.calibrate._levels import LARGEST_RISE, stream_levels, survival
from redshank.calibrate._tail import PEAK_SHARE, SHAPE_LIMITS, Tail, fit_tail, peaks_over


@pytest.mark.parametrize("shape", [-0.3, -0.1, 0.0, 0.1, 0.25])
def test_moments_find_scale_and_shape(shape):
    sample = genpareto.rvs(shape, scale=2.0, size=200_000, random_state=4)
    tail = fit_tail([sample], gap=1)
    # Excesses of a generalised Pareto variable are of the same shape, their scale grows with the threshold.
    assert tail.shape == pytest.approx(shape, abs=0.07)
    assert tail.scale == pytest.approx(2.0 + shape * tail.start, rel=0.08)
    for share in (1e-3, 1e-4):
        assert tail.level(share) == pytest.approx(genpareto.isf(share, shape, scale=2.0), rel=0.08)


def test_shape_stays_within_its_limits():
    rng = np.random.default_rng(0)
    low, high = SHAPE_LIMITS
    assert fit_tail([rng.pareto(0.5, 20_000)], 1).shape == high
    assert fit_tail([np.r_[np.zeros(980), np.ones(20)]], 1).shape in (low, 0.0)


@pytest.mark.parametrize("shape", [-0.3, 0.0, 1e-9, 0.3])
def test_level_and_rate_are_inverse(shape):
    tail = Tail(start=1.0, scale=0.5, shape=shape, peaks_per_row=0.01, rows=10**9, largest=2.0)
    rates = np.array([5e-3, 1e-4, 1e-7])
    levels = np.array([tail.level(rate) for rate in rates])
    np.testing.assert_allclose(tail.rate(levels), rates, rtol=1e-6)
    assert tail.level(0.5) == 1.0  # more than there are peaks
    assert (np.diff(levels) > 0).all()


def test_level_is_not_below_the_largest_seen_where_none_was_due():
    tail = Tail(start=1.0, scale=0.1, shape=0.0, peaks_per_row=0.01, rows=1000, largest=50.0)
    assert tail.level(0.9e-3) == 50.0
    assert tail.level(1.1e-3) < 2.0


def slow_peaks(values, start, gap):
    peaks, last = [], None
    for row, value in enumerate(values):
        if value > start:
            if last is not None and row - last <= gap:
                peaks[-1] = max(peaks[-1], value)
            else:
                peaks.append(value)
            last = row
    return peaks


@pytest.mark.parametrize("gap", [1, 3, 60])
def test_peaks(gap):
    values = np.random.default_rng(gap).normal(size=2000)
    assert peaks_over(values, 1.0, gap).tolist() == slow_peaks(values, 1.0, gap)
    assert peaks_over(values, 99.0, gap).tolist() == []


def test_runs_do_not_go_over_from_device_to_device():
    one = np.zeros(500)
    one[[0, -1]] = 5.0
    assert fit_tail([one, one], gap=10).peaks_per_row * 1000 == pytest.approx(4)


@pytest.mark.parametrize("values", [np.zeros(20), np.full(30, 7.5), np.r_[np.zeros(19), 1.0], np.arange(20.0)])
def test_few_and_constant_values(values):
    tail = fit_tail([values], gap=1)
    assert tail.scale > 0
    assert np.isfinite(tail.level(1e-6))
    assert tail.level(1e-6) > values.max()


def test_survival():
    values = np.random.default_rng(0).normal(size=50_000)
    tail = fit_tail([values], 1)
    body = np.quantile(values, np.linspace(0, 1, 257))
    asked = np.sort(np.r_[values[::50], tail.start, np.nextafter(tail.start, 9.0), 4.0, 9.0])
    got = survival(asked, tail, body)
    assert (np.diff(got) <= 0).all()
    real = np.array([(values >= one).mean() for one in asked])
    np.testing.assert_allclose(got[real > PEAK_SHARE], real[real > PEAK_SHARE], atol=0.01)
    np.testing.assert_allclose(got[real > 3e-3], real[real > 3e-3], rtol=0.2)
    rare = (real <= PEAK_SHARE) & (real > 1e-4)
    assert (got[rare] > 0.9 * real[rare]).all()  # the tail errs towards "not so rare", by CONFIDENCE


def test_a_score_that_most_rows_have_is_no_rare_one():
    values = np.r_[np.zeros(900), np.ones(100)]
    body = np.quantile(values, np.linspace(0, 1, 257))
    got = survival(np.array([-1.0, 0.0, 1.0]), fit_tail([values], 1), body)
    np.testing.assert_allclose(got, [1.0, 1.0, 0.1], atol=0.01)


TAIL = Tail(start=1.0, scale=0.5, shape=0.0, peaks_per_row=0.02, rows=20_000, largest=5.0)


def test_levels_start_at_the_fitted_one_and_stay_in_their_bounds():
    rng = np.random.default_rng(0)
    for values in (rng.normal(size=5000), np.full(5000, 3.0), np.full(5000, 1e6), np.linspace(0, 9, 5000)):
        levels = stream_levels(values, TAIL, 1e-4, 1)
        fitted = TAIL.level(1e-4)
        assert (levels[:256] == fitted).all()
        assert levels.min() >= TAIL.start
        assert levels.max() <= TAIL.start + LARGEST_RISE * (fitted - TAIL.start) + 1e-12


def test_levels_learn_from_what_passes_and_not_from_what_alarms():
    rng = np.random.default_rng(1)
    usual = 1.0 + rng.exponential(0.5, 40_000) - 0.5 * np.log(50)  # 0.02 of the rows above 1, as TAIL says
    higher = np.where(usual > 1.0, 1.0 + 1.3 * (usual - 1.0), usual)
    rate = 1e-4
    settled = stream_levels(usual, TAIL, rate, 1)[-1]
    assert settled == pytest.approx(TAIL.level(rate), rel=0.1)
    assert stream_levels(higher, TAIL, rate, 1)[-1] > settled * 1.02
    alarming = usual.copy()
    alarming[::10] = 1e3
    assert stream_levels(alarming, TAIL, rate, 1)[-1] <= settled * 1.05
