"""Principal components."""

from __future__ import annotations

import numpy as np
import pytest

from redshank.core import InputError, NotFittedError, SettingError
from redshank.features import PCA


def training(n=500, seed=0):
    rng = np.random.default_rng(seed)
    mixing = rng.standard_normal((3, 6))
    return rng.standard_normal((n, 3)) * (5.0, 2.0, 0.5) @ mixing + rng.standard_normal((n, 6)) * 0.01 + 4.0


def test_equals_the_covariance_eigenvectors():
    values = training()
    pca = PCA(components=3).fit(values)
    variance, axes = np.linalg.eigh(np.cov(values.T))
    np.testing.assert_allclose(pca.variance_, variance[::-1][:3], rtol=1e-9)
    np.testing.assert_allclose(np.abs(pca.components_ @ axes[:, ::-1][:, :3]), np.eye(3), atol=1e-7)
    np.testing.assert_allclose(pca.components_ @ pca.components_.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(np.cov(pca.transform(values).T), np.diag(pca.variance_), atol=1e-9)


def test_share_takes_as_few_as_explain_it():
    values = training()
    whole = PCA(components=6).fit(values).share_.cumsum()
    for share in (0.5, 0.9, 0.999):
        kept = len(PCA(components=share).fit(values).components_)
        assert whole[kept - 1] >= share
        assert kept == 1 or whole[kept - 2] < share


def test_inverse_comes_back_with_all_components():
    values = training()
    pca = PCA(components=6).fit(values)
    np.testing.assert_allclose(pca.inverse(pca.transform(values)), values, atol=1e-9)
    assert (
        np.abs(PCA(components=3).fit(values).inverse(PCA(components=3).fit(values).transform(values)) - values).max()
        < 0.1
    )


def test_missing_rows_stay_missing_and_do_not_teach():
    values = training()
    holed = np.vstack([values, np.full((1, 6), np.nan)])
    holed[-1, :5] = 1e6
    pca = PCA(components=2).fit(holed)
    np.testing.assert_allclose(pca.components_, PCA(components=2).fit(values).components_)
    reduced = pca.transform(holed)
    assert np.isnan(reduced[-1]).all()
    assert np.isfinite(reduced[:-1]).all()
    assert np.isnan(pca.inverse(reduced)[-1]).all()


def test_signs_dtype_constant_and_state():
    values = training().astype(np.float32)
    pca = PCA(components=2).fit(values)
    largest = np.abs(pca.components_).argmax(axis=1)
    assert (pca.components_[[0, 1], largest] > 0).all()
    assert pca.transform(values).dtype == np.float32
    again = PCA(**pca.settings()).restore(pca.state())
    np.testing.assert_array_equal(again.transform(values), pca.transform(values))
    np.testing.assert_array_equal(PCA().fit(np.ones((5, 2))).transform(np.ones((1, 2))), 0.0)


def test_bad_use_is_named():
    with pytest.raises(NotFittedError):
        PCA().inverse(training())
    for components in (0, 7):
        with pytest.raises(SettingError, match="from 1 to 6"):
            PCA(components=components).fit(training())
    for components in (0.0, 1.0, 1.5):
        with pytest.raises(SettingError, match="a share from 0 to 1"):
            PCA(components=components).fit(training())
    with pytest.raises(InputError, match="1 training rows without"):
        PCA().fit(training(1))
    with pytest.raises(InputError, match="rows have 3 channels, wanted 2"):
        PCA(components=2).fit(training()).inverse(np.ones((1, 3)))
