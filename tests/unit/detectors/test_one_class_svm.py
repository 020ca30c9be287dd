"""What is particular to OneClassSVMDetector."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.svm import OneClassSVM

from redshank.core import SettingError
from redshank.detectors.classical import one_class_svm
from redshank.detectors.classical.one_class_svm import OneClassSVMDetector
from redshank.testing import normal_series, odd_series


@pytest.mark.parametrize(("nu", "gamma"), [(0.05, None), (0.3, 2.0)])
def test_scores_are_those_of_scikit_learn_in_another_form(nu: float, gamma: float | None) -> None:
    training, (X, _) = normal_series(), odd_series(1)
    mean, scale = training.mean(axis=0), training.std(axis=0)
    oracle = OneClassSVM(nu=nu, gamma=gamma or 1 / 3).fit((training - mean) / scale)
    found = OneClassSVMDetector(nu=nu, gamma=gamma).fit(training).score_samples(X)
    wanted = oracle.score_samples((X - mean) / scale)
    np.testing.assert_allclose(np.exp(-found) * oracle.dual_coef_.sum(), wanted, rtol=1e-6, atol=1e-12)


def test_far_rows_still_differ() -> None:
    far, farther = OneClassSVMDetector().fit(normal_series()).score_samples([[1e3] * 3, [1e4] * 3])
    assert farther > 50 * far


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    detector, (X, _) = OneClassSVMDetector().fit(normal_series()), odd_series(1)
    scores = detector.score_samples(X)
    monkeypatch.setattr(one_class_svm, "CELLS", 1000)
    np.testing.assert_allclose(detector.score_samples(X), scores, rtol=1e-9)


def test_contributions_are_the_weighted_squares() -> None:
    detector, X = OneClassSVMDetector(nu=0.2).fit(normal_series()), odd_series(1)[0][[10, 250, 399]]
    z = (X - detector.mean_) / detector.scale_
    for row, part, score in zip(z, detector.contributions(X), detector.score_samples(X), strict=True):
        near = detector.weight_ * np.exp(-detector.gamma_ * ((row - detector.support_) ** 2).sum(axis=1))
        squares = (near[:, None] * (row - detector.support_) ** 2).sum(axis=0)
        np.testing.assert_allclose(part, score * squares / squares.sum(), rtol=1e-6)


@pytest.mark.parametrize(("setting", "value"), [("nu", 0.0), ("nu", 1.5), ("gamma", 0.0), ("rows", 1), ("seed", -1)])
def test_settings(setting: str, value: float) -> None:
    with pytest.raises(SettingError, match=f"{setting} is {value:g}"):
        OneClassSVMDetector(**{setting: value}).fit(normal_series())
