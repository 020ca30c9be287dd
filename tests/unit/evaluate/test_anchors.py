"""Plain anchors keep the contract and are what their names say, computed the slow way beside them."""

from __future__ import annotations

import numpy as np
import pytest

from redshank.detectors import DETECTORS
from redshank.evaluate.anchors import ANCHORS, LAGS, MEAN_ROWS, PLAIN, RIDGE, trailing_mean, whitening
from redshank.evaluate.baselines import BASELINES
from redshank.testing import CHECKS, normal_series, odd_series, skip_reason


@pytest.mark.parametrize("check", list(CHECKS))
@pytest.mark.parametrize("name", list(ANCHORS))
def test_contract(name, check):
    reason = skip_reason(check, ANCHORS[name]())
    if reason is not None:
        pytest.skip(reason)
    CHECKS[check](ANCHORS[name])


def test_stand_beside_the_baselines_and_outside_the_registry():
    assert list(PLAIN) == [*BASELINES, *ANCHORS]
    assert not set(PLAIN) & set(DETECTORS)


def standard(train, X):
    return (X - train.mean(axis=0)) / train.std(axis=0)


def test_mahalanobis_is_the_distance_by_the_shrunk_covariance():
    train, X = normal_series(0), odd_series(1)[0]
    Z = standard(train, train)
    n, width = Z.shape
    S = np.cov(Z.T, bias=True)
    mean = np.trace(S) / width
    distance = np.sum((S - mean * np.eye(width)) ** 2)
    noise = sum(np.sum((np.outer(z, z) - S) ** 2) for z in Z) / n**2
    part = min(max(noise / distance, RIDGE), 1.0)
    precision = np.linalg.inv((1 - part) * S + part * mean * np.eye(width))
    wanted = [z @ precision @ z for z in standard(train, X)]
    np.testing.assert_allclose(ANCHORS["anchor:maha"]().fit(train).score_samples(X), wanted, rtol=1e-8)


def test_whitening_of_few_rows_in_many_channels_stays_bounded():
    root = whitening(np.random.default_rng(0).standard_normal((5, 40)))
    assert np.linalg.norm(root, 2) < 100


def test_pca_residual_is_the_distance_from_the_subspace():
    rng = np.random.default_rng(0)
    common = rng.standard_normal((500, 1))
    train = np.hstack([common, common, common]) + 0.1 * rng.standard_normal((500, 3))
    X = train[:50] + np.array([0.0, 1.0, 0.0])
    Z = standard(train, train)
    axis = np.linalg.svd(Z, full_matrices=False)[2][:1]
    tested = standard(train, X)
    wanted = np.square(tested - tested @ axis.T @ axis).sum(axis=1)
    detector = ANCHORS["anchor:pca_q"]().fit(train)
    assert len(detector.components_) == 1
    np.testing.assert_allclose(detector.score_samples(X), wanted, rtol=1e-8)


def test_pca_residual_of_one_channel_is_its_square():
    train = np.array([[0.0], [2.0], [0.0], [2.0]])
    np.testing.assert_allclose(ANCHORS["anchor:pca_q"]().fit(train).score_samples([[4.0]]), [9.0])


def test_autoregression_is_ridge_on_each_whitened_channel():
    train, X = normal_series(0), odd_series(1)[0]
    root = whitening(standard(train, train))
    learned, tested = standard(train, train) @ root, standard(train, X) @ root
    wanted = np.zeros(len(X))
    for j in range(X.shape[1]):
        inputs = np.array([learned[t - LAGS : t, j][::-1] for t in range(LAGS, len(train))])
        target = learned[LAGS:, j]
        weights = np.linalg.solve(
            inputs.T @ inputs / len(target) + RIDGE * np.eye(LAGS), inputs.T @ target / len(target)
        )
        spread = np.sqrt(max(np.mean((target - inputs @ weights) ** 2), RIDGE))
        for t in range(LAGS, len(X)):
            wanted[t] += ((tested[t, j] - tested[t - LAGS : t, j][::-1] @ weights) / spread) ** 2
    scores = ANCHORS["anchor:ar10"]().fit(train).score_samples(X)
    np.testing.assert_allclose(scores[LAGS:], wanted[LAGS:], rtol=1e-7)


def test_autoregression_foretells_what_it_has_learned():
    rows = np.sin(np.arange(600) / 5.0)[:, None]
    detector = ANCHORS["anchor:ar10"]().fit(rows)
    broken = rows.copy()
    broken[300:] *= -1.0  # no value is unusual, the step is
    scores = detector.score_samples(broken)
    assert scores[300:302].max() > 20 * scores[LAGS:300].max()


@pytest.mark.parametrize("name", [name for name in ANCHORS if "+25" not in name])
def test_mean_is_the_trailing_mean_of_the_plain_one(name):
    train, X = normal_series(0), odd_series(1)[0]
    plain = ANCHORS[name]().fit(train)
    scores = plain.score_samples(X)
    smooth = ANCHORS[f"{name}+25"]().fit(train).score_samples(X)
    for t in (MEAN_ROWS + LAGS, 200, len(X) - 1):
        assert smooth[t] == pytest.approx(scores[t - MEAN_ROWS + 1 : t + 1].mean())


def test_trailing_mean_forgets_a_huge_value():
    values = np.ones((60, 1))
    values[10] = 1e120
    np.testing.assert_array_equal(trailing_mean(values, 25)[35:], 1.0)
    np.testing.assert_allclose(trailing_mean(np.arange(4.0)[:, None], 3)[:, 0], [0.0, 0.5, 1.0, 2.0])
