"""One scale for all devices, trailing means and runs, each against its slow, obvious form."""

import numpy as np
import pytest

from redshank.calibrate._statistic import centre_and_spread, compress, first_of_runs, settled_mean, trailing_mean


def slow_mean(values, rows):
    return np.array([np.mean(values[max(0, t - rows + 1) : t + 1]) for t in range(len(values))])


@pytest.mark.parametrize("rows", [1, 2, 7, 99, 100, 101, 5000])
@pytest.mark.parametrize("count", [0, 1, 100])
def test_trailing_mean(rows, count):
    values = np.random.default_rng(count).normal(size=count)
    np.testing.assert_allclose(trailing_mean(values, rows), slow_mean(values, rows), atol=1e-12)
    padded = np.concatenate([np.zeros(rows), values])
    usual_before = [padded[t + 1 : t + 1 + rows].mean() for t in range(count)]
    np.testing.assert_allclose(settled_mean(values, rows), usual_before, atol=1e-12)


def test_trailing_mean_of_a_long_series_with_a_large_offset():
    """A running sum rounds; over a million rows it may not come near what a level is compared with."""
    values = np.random.default_rng(0).normal(size=1_000_000)
    for offset, allowed in ((0.0, 1e-12), (700.0, 1e-7)):  # 700: compressed scores are not larger
        last = trailing_mean(values + offset, 60)[-1000:]
        exact = np.convolve(values, np.ones(60) / 60, mode="valid")[-1000:] + offset
        np.testing.assert_allclose(last, exact, rtol=0, atol=allowed)


def test_trailing_mean_gives_the_past_back_after_a_huge_value():
    values = np.zeros(200)
    values[50] = 700.0
    assert np.abs(trailing_mean(values, 10)[60:]).max() < 1e-12


def test_centre_and_spread():
    assert centre_and_spread(np.arange(5.0)) == (2.0, 2.0)
    assert centre_and_spread(np.array([0.0] * 99 + [10.0])) == (0.0, pytest.approx(0.99498743))  # no range: deviation
    assert centre_and_spread(np.zeros(9)) == (0.0, 1.0)
    assert centre_and_spread(np.full(9, -30.0)) == (-30.0, 30.0)


def test_compress_is_monotone_and_finite():
    scores = np.array([-1.7e308, -1e300, -5.0, 0.0, 1e-300, 2.0, 3.0, 1e10, 1e300, 1.7e308])
    for spread in (1e-300, 1e-10, 1.0, 1e300):
        got = compress(scores, 2.0, spread)
        assert np.isfinite(got).all()
        assert (np.diff(got) >= 0).all()
    np.testing.assert_allclose(compress(np.array([2.0, 5.0, -1.0]), 2.0, 3.0), [0.0, np.log(2.0), -np.log(2.0)])


def test_first_of_runs():
    def runs(rows, gap):
        return first_of_runs(np.array(rows, np.intp), gap).tolist()

    assert runs([], 3) == []
    assert runs([7], 3) == [True]
    assert runs([0, 1, 4, 8, 9], 3) == [True, False, False, True, False]
