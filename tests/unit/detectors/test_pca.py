"""What is particular to PCADetector."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from redshank.core import SettingError
from redshank.detectors.classical.pca import RIDGE, PCADetector
from redshank.testing import normal_series, odd_series


def slow_score(training: np.ndarray, X: np.ndarray, latent: int) -> np.ndarray:
    """T2 and Q row by row, from the singular vectors of the standardised rows: the textbook form."""
    mean, scale = training.mean(axis=0), training.std(axis=0)
    z = (training - mean) / scale
    _, sizes, axes = np.linalg.svd(z, full_matrices=False)
    variances = sizes**2 / len(z)

    def both(rows: np.ndarray) -> np.ndarray:
        found = []
        for row in rows:
            t = [float(axes[k] @ row) for k in range(latent)]
            near = sum((t[k] * axes[k] for k in range(latent)), np.zeros(len(row)))
            found.append((sum(t[k] ** 2 / variances[k] for k in range(latent)), float(((row - near) ** 2).sum())))
        return np.array(found)

    return (both((X - mean) / scale) / both(z).mean(axis=0)).sum(axis=1)


@pytest.mark.parametrize("latent", [1, 2])
def test_score_equals_the_textbook_form(latent: int) -> None:
    training, (X, _) = normal_series(), odd_series(1, 64)
    detector = PCADetector(latent=latent).fit(training)
    np.testing.assert_allclose(detector.score_samples(X), slow_score(training, X, latent), rtol=1e-8)


def test_one_channel_gives_the_squared_z() -> None:
    training, X = normal_series()[:, :1], normal_series(1)[:, :1]
    z = (X - training.mean()) / training.std()
    detector = PCADetector().fit(training)
    np.testing.assert_allclose(detector.score_samples(X), np.square(z).ravel(), rtol=1e-8)
    np.testing.assert_allclose(detector.expected(X).value, training.mean(), rtol=1e-8)


def test_latent_is_the_fewest_that_explain_enough() -> None:
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((500, 2))
    X = shared @ rng.standard_normal((2, 6)) + 1e-3 * rng.standard_normal((500, 6))
    assert PCADetector().fit(X).components_.shape == (2, 6)
    assert PCADetector().fit(rng.standard_normal((500, 2))).components_.shape == (1, 2)


def test_units_of_a_channel_do_not_matter() -> None:
    X, test = normal_series(), odd_series(1)[0]
    unit, zero = np.array([1e-6, 1.0, 1e9]), np.array([-5.0, 0.0, 1e10])
    plain = PCADetector().fit(X).score_samples(test)
    np.testing.assert_allclose(PCADetector().fit(X * unit + zero).score_samples(test * unit + zero), plain, rtol=1e-4)


def test_a_lost_correlation_scores_high_though_each_channel_is_in_range() -> None:
    rng = np.random.default_rng(1)
    a = rng.standard_normal(1000)
    X = np.column_stack([a, a + 0.05 * rng.standard_normal(1000)])
    detector = PCADetector().fit(X)
    apart = detector.score_samples(np.array([[1.0, -1.0], [1.0, 1.0]]))
    assert apart[0] > 50 * apart[1]


def test_a_large_fault_of_one_channel_is_put_down_to_it() -> None:
    detector = PCADetector().fit(normal_series())
    for channel in range(3):
        X = normal_series(1)
        X[:, channel] += 30.0
        assert (detector.contributions(X).argmax(axis=1) == channel).all()


def test_expected_value_is_what_the_other_channels_say() -> None:
    detector = PCADetector().fit(normal_series())
    X = normal_series(1)
    told = detector.expected(X)
    X[:, 2] = 99.0
    np.testing.assert_allclose(detector.expected(X).value[:, 2], told.value[:, 2], rtol=1e-8)
    best = X.copy()
    best[:, 2] = told.value[:, 2]
    around = [best + np.array([0.0, 0.0, ahead]) for ahead in (-0.01, 0.01)]
    assert all((detector.score_samples(other) > detector.score_samples(best)).all() for other in around)


def test_a_channel_that_starts_to_move_is_large_and_finite() -> None:
    X = np.full((100, 2), 3.0)
    score = PCADetector().fit(X).score_samples([[3.0, 4.0]])
    assert 1.0 / RIDGE < score[0] < 1.0 / RIDGE**3


@pytest.mark.parametrize("latent", [0, 4, True, 1.5])
def test_latent_out_of_range_is_refused(latent: float) -> None:
    with pytest.raises(SettingError, match="PCADetector: latent"):
        PCADetector(latent=latent).fit(normal_series())


def test_needs_no_training_framework() -> None:
    code = (
        "import sys; import redshank.detectors.classical.pca; "
        "sys.exit(bool({'torch', 'sklearn', 'scipy', 'pandas', 'polars'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
