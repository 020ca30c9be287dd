"""What is particular to SubPCADetector, and to the windows that it shares with others."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from redshank.core import SettingError
from redshank.detectors.classical import _subsequence
from redshank.detectors.classical.sub_pca import SubPCADetector
from redshank.testing import normal_series, odd_series


def flat_windows(X: np.ndarray, training: np.ndarray, window: int) -> np.ndarray:
    z = (X - training.mean(axis=0)) / training.std(axis=0)
    return np.array([z[i : i + window].ravel() for i in range(len(z) - window + 1)])


def slow_scores(training: np.ndarray, X: np.ndarray, window: int, explained: float) -> np.ndarray:
    """Window by window, with scikit-learn's components; its variances are over n - 1."""
    learned = flat_windows(training, training, window)
    oracle = PCA(svd_solver="full").fit(learned)
    variances = oracle.explained_variance_ * (len(learned) - 1) / len(learned)
    latent = int(np.argmax(np.cumsum(variances) / variances.sum() >= explained)) + 1
    weights = np.concatenate([variances[:latent], np.full(len(variances) - latent, variances[latent:].mean())])
    along = oracle.transform(flat_windows(X, training, window))
    return np.array([sum(t * t / v for t, v in zip(row, weights, strict=True)) for row in along])


@pytest.mark.parametrize("explained", [0.5, 0.9])
def test_scores_equal_the_components_of_scikit_learn(explained: float, monkeypatch: pytest.MonkeyPatch) -> None:
    training, (X, _) = normal_series(), odd_series(1)
    detector = SubPCADetector(window=6, explained=explained).fit(training)
    wanted = slow_scores(training, X, 6, explained)
    np.testing.assert_allclose(detector.score_samples(X)[5:], wanted, rtol=1e-6)
    monkeypatch.setattr(_subsequence, "CELLS", 200)  # eleven windows at a time
    np.testing.assert_allclose(detector.score_samples(X)[5:], wanted, rtol=1e-6)


def test_a_contribution_is_the_fall_that_the_best_values_of_the_channel_bring() -> None:
    training, (X, _) = normal_series(), odd_series(1)
    detector = SubPCADetector(window=4).fit(training)
    point = flat_windows(X, training, 4)[270] - detector.center_window_
    outer = np.eye(12) - detector.components_.T @ detector.components_
    metric = detector.components_.T / detector.variance_ @ detector.components_ + outer / detector.noise_
    falls = []
    for channel in range(3):
        own = np.arange(channel, 12, 3)
        root = np.linalg.cholesky(metric).T  # score = |root point|^2, least over the channel's values
        change = np.linalg.lstsq(root[:, own], -root @ point, rcond=None)[0]
        best = point.copy()
        best[own] += change
        falls.append(point @ metric @ point - best @ metric @ best)
    part = detector.contributions(X)[273]
    np.testing.assert_allclose(part / part.sum(), np.array(falls) / sum(falls), rtol=1e-6)


def test_a_changed_rhythm_is_seen_though_each_reading_is_in_range() -> None:
    t = np.arange(1000)
    rng = np.random.default_rng(0)
    X = (np.sin(2 * np.pi * t / 25) + 0.02 * rng.standard_normal(1000))[:, None]
    test = X.copy()
    test[700:750, 0] = np.sin(2 * np.pi * t[700:750] / 11)
    detector = SubPCADetector().fit(X[:600])
    assert detector.window_ == 25
    scores = detector.score_samples(test)
    assert scores[715:750].min() > scores[100:690].max()


def test_the_window_found() -> None:
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((400, 1))
    assert SubPCADetector().fit(noise).window_ == _subsequence.WINDOW
    assert SubPCADetector().fit(noise[:40]).window_ == 10, "a quarter of the series"
    assert SubPCADetector().fit(noise[:2]).window_ == 1
    many = np.repeat(noise, 50, axis=1) + rng.standard_normal((400, 50))
    assert SubPCADetector().fit(many).window_ == _subsequence.INPUTS // 50


def test_windows_never_reach_from_one_series_into_the_next() -> None:
    one, other = normal_series(0, 50), normal_series(1, 60) + 9.0
    detector = SubPCADetector(window=6)
    detector.fit([one, normal_series(2, 3), other])
    assert len(detector._sampled([one, normal_series(2, 3), other])) == 45 + 55


def test_warmup_follows_the_window() -> None:
    assert SubPCADetector().warmup == 0
    detector = SubPCADetector(window=7)
    assert detector.warmup == detector.fit(normal_series()).warmup == 6


@pytest.mark.parametrize(
    ("setting", "value", "text"),
    [
        ("window", 0, "window is 0"),
        ("window", 2.5, "window is 2.5; wanted a whole number"),
        ("window", 401, "window is 401, the longest training series 400"),
        ("explained", 0.0, "explained is 0"),
        ("explained", 1.0, "explained is 1"),
        ("rows", 1, "rows is 1"),
        ("seed", -1, "seed is -1"),
    ],
)
def test_settings(setting: str, value: float, text: str) -> None:
    with pytest.raises(SettingError, match=text):
        SubPCADetector(**{setting: value}).fit(normal_series())
