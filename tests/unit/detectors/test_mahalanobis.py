"""What is particular to MahalanobisDetector."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.covariance import EmpiricalCovariance, MinCovDet

from redshank.core import SettingError
from redshank.detectors.classical._quadratic import RIDGE
from redshank.detectors.classical.mahalanobis import MahalanobisDetector
from redshank.testing import normal_series, odd_series


def test_scores_are_those_of_scikit_learn() -> None:
    training, (X, _) = normal_series(), odd_series(1)
    wanted = EmpiricalCovariance().fit(training).mahalanobis(X)
    np.testing.assert_allclose(MahalanobisDetector().fit(training).score_samples(X), wanted, rtol=1e-6)


def test_robust_scores_are_those_of_scikit_learn_on_the_same_rows() -> None:
    training, (X, _) = normal_series(), odd_series(1)
    mean, scale = training.mean(axis=0), training.std(axis=0)
    noise = np.random.default_rng(3).normal(0.0, np.sqrt(RIDGE), training.shape)
    oracle = MinCovDet(random_state=3).fit((training - mean) / scale + noise)
    found = MahalanobisDetector(robust=True, seed=3).fit(training).score_samples(X)
    np.testing.assert_allclose(found, oracle.mahalanobis((X - mean) / scale), rtol=1e-6)


def test_robust_is_not_widened_by_anomalies_in_training() -> None:
    training, test = normal_series(rows=1000), normal_series(1)
    training[100:200] += 8.0
    test[-5] += 8.0
    plain, robust = (MahalanobisDetector(robust=robust).fit(training).score_samples(test) for robust in (False, True))
    assert robust[-5] / np.median(robust) > 20 * plain[-5] / np.median(plain)


@pytest.mark.parametrize("robust", [False, True])
def test_rows_that_repeat_each_other(robust: bool) -> None:
    training = np.zeros((300, 2))
    training[:40] = np.random.default_rng(0).standard_normal((40, 2))
    scores = MahalanobisDetector(robust=robust).fit(training).score_samples([[0.0, 0.0], [5.0, -5.0]])
    assert np.isfinite(scores).all()
    assert scores[1] > scores[0]


def test_a_channel_that_repeats_another_counts_when_they_part() -> None:
    a = normal_series()[:, 0]
    detector = MahalanobisDetector().fit(np.column_stack([a, a]))
    together, apart = detector.score_samples([[21.0, 21.0], [21.0, 20.9]])
    assert apart > 100 * together


def test_setting() -> None:
    with pytest.raises(SettingError, match="seed is -1"):
        MahalanobisDetector(seed=-1).fit(normal_series())
