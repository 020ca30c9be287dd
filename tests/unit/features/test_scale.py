"""Scaling on training rows, for all devices or each."""

from __future__ import annotations

import numpy as np
import pytest

from redshank.core import LARGEST, InputError, NotFittedError, SettingError
from redshank.features import Scaler

METHODS = ("minmax", "standard", "robust")


def training(n=2000, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((n, 3)) * (1.0, 50.0, 1e-4) + (0.0, 1e6, 3.0)
    values[rng.random(values.shape) < 0.1] = np.nan
    return values


def test_each_method_is_what_it_says():
    values = training()
    scaled = Scaler(method="minmax").fit(values).transform(values)
    np.testing.assert_allclose([np.nanmin(scaled, axis=0), np.nanmax(scaled, axis=0)], [[0] * 3, [1] * 3], atol=1e-12)
    scaled = Scaler(method="standard").fit(values).transform(values)
    np.testing.assert_allclose([np.nanmean(scaled, axis=0), np.nanstd(scaled, axis=0)], [[0] * 3, [1] * 3], atol=1e-7)
    scaled = Scaler(method="robust").fit(values).transform(values)
    lower, middle, upper = np.nanquantile(scaled, (0.25, 0.5, 0.75), axis=0)
    np.testing.assert_allclose(middle, 0, atol=1e-6)
    np.testing.assert_allclose(upper - lower, 1.3489795, rtol=1e-6)
    np.testing.assert_array_equal(np.isnan(scaled), np.isnan(values))


def test_robust_is_not_moved_by_outliers_and_has_a_way_out():
    values = training()
    spoiled = values.copy()
    spoiled[:50] = 1e30
    np.testing.assert_allclose(
        Scaler(method="robust").fit(spoiled).scale_, Scaler(method="robust").fit(values).scale_, rtol=0.2
    )
    mostly_zero = np.zeros((100, 1))
    mostly_zero[::10] = 1.0
    assert Scaler(method="robust").fit(mostly_zero).scale_[0] == pytest.approx(mostly_zero.std())


@pytest.mark.parametrize("method", METHODS)
def test_constant_channels(method):
    scaler = Scaler(method=method).fit(np.tile((0.1, 0.0, -50.0, np.nan), (1000, 1)))
    np.testing.assert_array_equal(scaler.transform([[0.1, 0.0, -50.0, np.nan]]), [[0, 0, 0, np.nan]])
    np.testing.assert_allclose(scaler.transform([[0.11, 1.0, -45.0, 2.0]]), [[1.0, 1.0, 1.0, 2.0]])
    assert Scaler(method=method).fit([[5e-324]]).transform([[5e-324]])[0, 0] == 0.0
    np.testing.assert_allclose(scaler.transform([[1e38] * 4])[0, 0], LARGEST)


@pytest.mark.parametrize("method", METHODS)
def test_each_group_by_itself(method):
    rng = np.random.default_rng(0)
    groups = rng.permutation(np.repeat([0, 2, 3], 300))
    values = rng.standard_normal((900, 2)) * (1 + groups[:, None]) + 100.0 * groups[:, None]
    values[groups == 3, 1] = 7.0
    values[groups == 0, 1] = np.nan
    scaler = Scaler(method=method).fit(values, groups)
    assert scaler.centers_.shape == (4, 2)
    scaled = scaler.transform(values, groups)
    for group in (0, 2):
        own = values[groups == group]
        np.testing.assert_allclose(scaled[groups == group], Scaler(method=method).fit(own).transform(own))
    assert (scaled[groups == 3, 1] == 0).all()
    assert scaler.scales_[3, 1] == scaler.scales_[2, 1]  # constant here: the fleet's scale, which is the other group's
    for unknown in (-1, 1, 9):  # never seen: like the fleet
        np.testing.assert_array_equal(scaler.transform(values, np.full(900, unknown)), scaler.transform(values))
    np.testing.assert_array_equal(scaler.center_[0], np.median(scaler.centers_[[0, 2, 3], 0]))


def test_clip_dtype_and_extremes():
    scaler = Scaler(clip=3.0).fit(training())
    assert np.nanmax(np.abs(scaler.transform(training() * 100))) == 3.0
    single = Scaler().fit(training().astype(np.float32)).transform(training().astype(np.float32))
    assert single.dtype == np.float32
    largest = np.finfo(np.float32).max
    tiny = Scaler().fit([[0.0], [1e-30]])
    assert tiny.transform(np.array([[largest]], np.float32))[0, 0] == largest
    assert np.isnan(tiny.transform([[np.inf]])[0, 0])


def test_state_restores():
    scaler = Scaler(method="robust").fit(training())
    other = Scaler(**scaler.settings()).restore(scaler.state())
    np.testing.assert_array_equal(other.transform(training()), scaler.transform(training()))
    assert all(isinstance(value, np.ndarray) for value in scaler.state().values())


def test_bad_use_is_named():
    with pytest.raises(NotFittedError):
        Scaler().transform(training())
    with pytest.raises(NotFittedError):
        Scaler().state()
    with pytest.raises(SettingError, match="method is 'max'"):
        Scaler(method="max").fit(training())
    with pytest.raises(SettingError, match="clip is 0"):
        Scaler(clip=0.0).fit(training())
    with pytest.raises(InputError, match="group -1 in the training rows"):
        Scaler().fit(training(2), [-1, 0])
    with pytest.raises(InputError, match="for each of 2 rows"):
        Scaler().fit(training(2), [0])
    with pytest.raises(InputError, match="rows have 1 channels, wanted 3"):
        Scaler().fit(training()).transform([[1.0]])
