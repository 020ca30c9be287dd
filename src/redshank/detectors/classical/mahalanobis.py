"""The Mahalanobis distance from the training rows, with the plain or the robust covariance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from redshank.core import LAST_SEED, Tags, check_whole
from redshank.core.contracts import Array
from redshank.detectors.classical import _scikit
from redshank.detectors.classical._quadratic import RIDGE, QuadraticDetector
from redshank.detectors.classical._standard import moments, thinned

ROWS = 5000
"""Training rows, drawn at random, that the robust covariance is learned from: its search costs seconds beyond."""


class MahalanobisDetector(QuadraticDetector):
    """Score a row by its squared Mahalanobis distance from the training rows.

    Parameters
    ----------
    robust : bool, default=False
        Learn centre and covariance from the half of the training rows with the smallest determinant (MCD), so that
        anomalies among them do not widen what counts as normal. Needs the ``train`` extra to fit, not to score.
    seed : int, default=0
        Draws the rows and the starts of the robust search; the plain form draws nothing.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_features,)
        Centre, and training standard deviation, in the units of ``X``; a scale of 1 where a channel never moved.
    metric_ : ndarray of shape (n_features, n_features)
        Inverse covariance of the standardised rows.
    band_ : ndarray of shape (2, n_features)
        Range that held 99 % of the training rows around their expected values, in training standard deviations.

    Notes
    -----
    ``score(x) = r' C^-1 r`` with ``r = (x - mean) / scale`` [1]_; about ``n_features`` on normal rows. Variances of C
    along its axes are at least :data:`RIDGE`, so that channels that repeat each other, or never moved, give a large,
    finite score when they part. Time O(n d^2) to fit, O(d^2) a row to score.

    The robust form is FAST-MCD of [2]_ as scikit-learn has it, with its correction and reweighting, from at most
    :data:`ROWS` rows. It departs in one thing: noise of variance :data:`RIDGE` is added first, because where half of
    the rows are equal, as quantised readings are, the smallest determinant is 0 and the search has no answer.

    Contributions and expected values: :class:`~redshank.detectors.classical._quadratic.QuadraticDetector`.

    References
    ----------
    .. [1] P. C. Mahalanobis, "On the generalised distance in statistics", Proceedings of the National Institute of
       Sciences of India 2(1), 1936.
    .. [2] P. J. Rousseeuw, K. van Driessen, "A fast algorithm for the minimum covariance determinant estimator",
       Technometrics 41(3), 1999.
    """

    tags = Tags(
        cheap=True,
        good_for="channels that move together; the plain anchor that a deep detector has to beat",
        cost="O(channels^2)",
        source="Mahalanobis 1936",
    )

    def __init__(self, *, robust: bool = False, seed: int = 0) -> None:
        self.robust = robust
        self.seed = seed

    def _fit(self, series: list[Array], y: npt.NDArray[np.intp] | None) -> None:  # noqa: ARG002 - learns without labels
        check_whole(self._name, "seed", self.seed, low=0, high=LAST_SEED)
        rows = np.concatenate(series)
        self.mean_, self.scale_ = moments(rows)
        centred = self._centred(rows)
        if self.robust:
            few = thinned(centred, ROWS, self.seed)
            noise = np.random.default_rng(self.seed).normal(0.0, np.sqrt(RIDGE), few.shape)
            centre, covariance = _scikit.smallest_determinant(few + noise, self.seed)
            self.mean_ = self.mean_ + self.scale_ * centre
            centred = self._centred(rows)
        else:
            covariance = centred.T @ centred / len(rows)
        variances, axes = np.linalg.eigh(covariance)
        self.metric_ = axes / np.maximum(variances, RIDGE) @ axes.T
        self._learn_band(centred)

    def _score(self, X: Array) -> Array:
        centred = self._centred(X)
        scores: Array = np.maximum(np.einsum("ij,ij->i", centred @ self.metric_, centred), 0.0)
        return scores
