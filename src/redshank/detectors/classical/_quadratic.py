"""What detectors share whose score is a quadratic form of the standardised row: contributions and expected values."""

from __future__ import annotations

import numpy as np

from redshank.core import LARGEST, Band, Detector
from redshank.core.contracts import Array
from redshank.detectors.classical._standard import standardised

RIDGE = 1e-6
"""Smallest variance of a direction, in units of a channel's training variance: what never moved in training may not
divide by zero, and counts as strange when it moves."""

BAND = (0.005, 0.995)
"""Quantiles of the training deviations from the expected value between which a channel is as expected."""


class QuadraticDetector(Detector):
    """A detector with the score ``r' M r`` of ``r = (x - mean) / scale``; a subclass learns the three.

    With ``m = M r``, bringing channel j to the value that suits the others best lowers the score by ``m_j^2 / M_jj``:
    the reconstruction-based contribution of [1]_, which never puts a large fault of one channel down to another.
    Contributions are these falls, scaled to sum to the score; ``r_j - m_j / M_jj`` is the expected value.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_features,)
        In the units of ``X``.
    metric_ : ndarray of shape (n_features, n_features)
        M.
    band_ : ndarray of shape (2, n_features)
        Range that held 99 % of the training rows around their expected values, in units of ``scale_``.

    References
    ----------
    .. [1] C. F. Alcala, S. J. Qin, "Reconstruction-based contribution for process monitoring", Automatica 45(7), 2009.
    """

    mean_: Array
    scale_: Array
    metric_: Array
    band_: Array

    def _learn_band(self, centred: Array) -> None:
        """Give ``band_`` from standardised training rows, once ``metric_`` is there."""
        low, high = np.quantile(centred @ self.metric_ / np.diagonal(self.metric_), BAND, axis=0)
        self.band_ = np.stack([np.minimum(low, 0.0), np.maximum(high, 0.0)])

    def _contributions(self, X: Array) -> Array:
        pulled = self._centred(X) @ self.metric_
        falls = np.square(pulled) / np.diagonal(self.metric_)
        total = falls.sum(axis=1, keepdims=True)
        shares = np.divide(falls, total, out=np.full_like(falls, 1.0 / self.n_features_), where=total > 0)
        parts: Array = shares * self._score(X)[:, None]
        return parts

    def _expected(self, X: Array) -> Band:
        """What the other channels say of each: the value with which the row would score lowest."""
        centred = self._centred(X)
        best = centred - centred @ self.metric_ / np.diagonal(self.metric_)
        value, low, high = (
            np.clip(self.mean_ + self.scale_ * (best + ahead), -LARGEST, LARGEST) for ahead in (0.0, *self.band_)
        )
        return Band(value, low, high)

    def _centred(self, X: Array) -> Array:
        return standardised(X, self.mean_, self.scale_)
