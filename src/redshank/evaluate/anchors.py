"""Plain anchors: three classical statistics in a few lines each, which whatever takes longer has to beat.

Like the trivial baselines they stand outside the registry and in every table: what a network costs is earned only where
it ranks rows better than a covariance, a subspace or ten past values do.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from redshank.core import Detector, InputError, Tags
from redshank.core.detector import Array
from redshank.evaluate.baselines import BASELINES, FAR, ROUNDING

MEAN_ROWS = 25
"""Rows of the trailing mean."""
LAGS = 10
"""Past rows that the autoregression looks back on."""
RIDGE = 1e-3
"""Penalty of the autoregression, and least part of the covariance that is shrunk away: in training variances."""
EXPLAINED = 0.9
"""Share of the training variance that the subspace of the PCA residual holds."""


class _Anchor(Detector):
    """A sum of squares over the channels; a subclass learns from standardised rows and gives each channel's part."""

    mean_rows: ClassVar[int] = 1
    mean_: Array
    scale_: Array

    def _fit(self, series: list[Array], y: npt.NDArray[np.intp] | None) -> None:  # noqa: ARG002 - learns without labels
        rows = np.concatenate(series)
        self.mean_, scale = rows.mean(axis=0), rows.std(axis=0)
        self.scale_ = np.where(scale > ROUNDING * np.abs(self.mean_), scale, 1.0)
        self._learn([self._standard(one) for one in series])

    @abstractmethod
    def _learn(self, series: list[Array]) -> None:
        """Learn from standardised series."""

    @abstractmethod
    def _parts(self, Z: Array) -> Array:
        """Part of the score of each channel of standardised rows of one series, not negative; shape of ``Z``."""

    def _score(self, X: Array) -> Array:
        total: Array = self._contributions(X).sum(axis=1)
        return total

    def _contributions(self, X: Array) -> Array:
        return trailing_mean(self._parts(self._standard(X)), self.mean_rows)

    def _standard(self, X: Array) -> Array:
        return np.clip((X - self.mean_) / self.scale_, -FAR, FAR)


class MahalanobisAnchor(_Anchor):
    """Squared Mahalanobis distance from the training mean, its covariance regularised by shrinking.

    Attributes
    ----------
    whitening_ : ndarray of shape (n_features, n_features)
        The symmetric root of the inverse covariance: squares of what it gives sum to the distance, channel by channel.
    """

    tags = Tags(streams=True, cheap=True)
    whitening_: Array

    def _learn(self, series: list[Array]) -> None:
        self.whitening_ = whitening(np.concatenate(series))

    def _parts(self, Z: Array) -> Array:
        return np.square(Z @ self.whitening_)


class PCAResidualAnchor(_Anchor):
    """Squared distance from the subspace of the largest principal components: Q of Jackson and Mudholkar (1979).

    The subspace holds the fewest components with 90 % of the variance, and leaves at least one direction; of a single
    channel it holds none.

    Attributes
    ----------
    components_ : ndarray of shape (latent, n_features)
        Orthonormal rows.
    """

    tags = Tags(streams=True, cheap=True)
    components_: Array

    def _learn(self, series: list[Array]) -> None:
        rows = np.concatenate(series)
        variances, axes = np.linalg.eigh(rows.T @ rows / len(rows))
        held = np.cumsum(variances[::-1])
        enough = int(np.searchsorted(held, EXPLAINED * held[-1])) + 1
        self.components_ = np.ascontiguousarray(axes.T[::-1][: min(enough, self.n_features_ - 1)])

    def _parts(self, Z: Array) -> Array:
        residual = Z - Z @ self.components_.T @ self.components_
        # Q is also the sum of z_j e_j, and a fault of one channel stays with it there; in e_j^2 it spreads.
        falls = np.maximum(Z * residual, 0.0)
        total = falls.sum(axis=1, keepdims=True)
        shares = np.divide(falls, total, out=np.full_like(falls, 1.0 / self.n_features_), where=total > 0)
        parts: Array = shares * np.square(residual).sum(axis=1, keepdims=True)
        return parts


class AutoregressionAnchor(_Anchor):
    """Squared one-step errors of an autoregression over ten rows by ridge, each whitened channel by itself.

    Attributes
    ----------
    whitening_ : ndarray of shape (n_features, n_features)
        As in :class:`MahalanobisAnchor`.
    coefficients_ : ndarray of shape (10, n_features)
        Weight of the value so many rows before, nearest first.
    error_ : ndarray of shape (n_features,)
        Root mean square error on the training rows: what errors are measured in.
    """

    tags = Tags(sequence=True, streams=True, cheap=True)
    whitening_: Array
    coefficients_: Array
    error_: Array

    @property
    def warmup(self) -> int:
        """Rows before the first score: those that it is foretold from."""
        return LAGS

    def _learn(self, series: list[Array]) -> None:
        self.whitening_ = whitening(np.concatenate(series))
        white = [Z @ self.whitening_ for Z in series if len(Z) > LAGS]
        if not white:
            raise InputError(f"{self._name}: no training series has more than the {LAGS} rows that it looks back on")
        now = np.concatenate([one[LAGS:] for one in white])
        past = [np.concatenate([one[LAGS - lag : len(one) - lag] for one in white]) for lag in range(1, LAGS + 1)]
        products = np.array([[(a * b).mean(axis=0) for a in past] for b in past])  # (lags, lags, channels)
        wanted = np.array([(one * now).mean(axis=0) for one in past])
        penalty = RIDGE * np.eye(LAGS)
        solved = np.linalg.solve(products.transpose(2, 0, 1) + penalty, wanted.T[..., None])
        self.coefficients_ = np.ascontiguousarray(solved[..., 0].T)
        errors = now - sum(weight * one for weight, one in zip(self.coefficients_, past, strict=True))
        self.error_ = np.sqrt(np.maximum(np.square(errors).mean(axis=0), RIDGE))

    def _parts(self, Z: Array) -> Array:
        white = Z @ self.whitening_
        left = white.copy()
        for lag, weight in enumerate(self.coefficients_, start=1):
            left[lag:] -= weight * white[:-lag]
        left[:LAGS] = 0.0  # not ready: no part of a trailing mean either
        return np.square(left / self.error_)


class MahalanobisMeanAnchor(MahalanobisAnchor):
    """Trailing mean of 25 rows of :class:`MahalanobisAnchor`."""

    tags = replace(MahalanobisAnchor.tags, sequence=True)
    mean_rows = MEAN_ROWS


class PCAResidualMeanAnchor(PCAResidualAnchor):
    """Trailing mean of 25 rows of :class:`PCAResidualAnchor`."""

    tags = replace(PCAResidualAnchor.tags, sequence=True)
    mean_rows = MEAN_ROWS


class AutoregressionMeanAnchor(AutoregressionAnchor):
    """Trailing mean of 25 rows of :class:`AutoregressionAnchor`."""

    mean_rows = MEAN_ROWS


ANCHORS: Mapping[str, Callable[..., Detector]] = {
    "anchor:maha": MahalanobisAnchor,
    "anchor:maha+25": MahalanobisMeanAnchor,
    "anchor:pca_q": PCAResidualAnchor,
    "anchor:pca_q+25": PCAResidualMeanAnchor,
    "anchor:ar10": AutoregressionAnchor,
    "anchor:ar10+25": AutoregressionMeanAnchor,
}
"""Every plain anchor by name."""

PLAIN: Mapping[str, Callable[..., Detector]] = {**BASELINES, **ANCHORS}
"""What stands beside the detectors in every table: trivial baselines and plain anchors."""


def trailing_mean(values: Array, rows: int) -> Array:
    """Mean of each row and the ``rows - 1`` before it, of what there is at the start; shape of ``values``. Causal."""
    total = values.copy()  # summed anew for each row: in a running sum a huge value leaves its rounding behind
    for back in range(1, min(rows, len(values))):
        total[back:] += values[:-back]
    total /= np.minimum(np.arange(len(values)) + 1.0, rows)[:, None]
    return total


def whitening(Z: Array) -> Array:
    """Symmetric root of the inverse covariance of standardised rows, shrunk towards its mean variance [1]_.

    The optimal intensity, but at least :data:`RIDGE`, so that a direction in which nothing ever moved keeps a variance.

    References
    ----------
    .. [1] O. Ledoit, M. Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", Journal of
       Multivariate Analysis 88(2), 2004.
    """
    n, width = Z.shape
    covariance = Z.T @ Z / n
    mean = max(float(np.trace(covariance)) / width, RIDGE)
    distance = float(np.square(covariance - mean * np.eye(width)).sum())
    noise = float((np.square(np.square(Z).sum(axis=1)).mean() - np.square(covariance).sum()) / n)
    part = min(max(noise / distance if distance else 1.0, RIDGE), 1.0)
    variances, axes = np.linalg.eigh((1.0 - part) * covariance + part * mean * np.eye(width))
    root: Array = axes / np.sqrt(np.maximum(variances, RIDGE * part * mean)) @ axes.T
    return root
