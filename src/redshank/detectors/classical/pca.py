"""Principal components with both statistics of process monitoring: inside the subspace (T2) and off it (Q)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from redshank.core import Tags, check_whole
from redshank.core.contracts import Array
from redshank.detectors.classical._quadratic import RIDGE, QuadraticDetector
from redshank.detectors.classical._standard import moments

EXPLAINED = 0.9
"""Share of the training variance that the subspace holds when ``latent`` is None."""


class PCADetector(QuadraticDetector):
    """Score a row by how far it lies from the training rows along and off their principal subspace.

    Parameters
    ----------
    latent : int, default=None
        Dimension of the subspace, ``1 <= latent <= n_features``. None takes the fewest components that hold
        90 % of the variance, leaving at least one direction for Q where there is more than one channel.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_features,)
        Training mean and standard deviation, in the units of ``X``; a scale of 1 where a channel never moved.
    components_ : ndarray of shape (latent, n_features)
        Orthonormal rows, largest variance first.
    spread_ : ndarray of shape (latent,)
        Standard deviation along each component, in training standard deviations.
    t2_scale_, q_scale_ : float
        Mean of T2 and of Q over the training rows: what the two are measured in.
    metric_ : ndarray of shape (n_features, n_features)
        The score as a quadratic form of the scaled deviation.
    band_ : ndarray of shape (2, n_features)
        Range that held 99 % of the training rows around their expected values, in training standard deviations.

    Notes
    -----
    With ``r = (x - mean) / scale``, ``t = V r`` and ``e = r - V't``: Hotelling's ``T2 = sum (t_k / spread_k)^2`` and
    ``Q = |e|^2`` of [1]_. The score is ``T2 / t2_scale + Q / q_scale``, so both have mean 1 on the training rows;
    [1]_ tests the two apart, each against its own limit. With one channel Q is 0 and the score the squared z.
    A direction in which training rows never moved has :data:`RIDGE` for its variance, so that a constant channel
    that starts to move gives a large, finite score. Time O(n d^2) to fit, O(d latent) a row to score.

    The score is ``r' M r``: contributions and expected values are the reconstruction-based ones of [2]_, which never
    put a large fault of one channel down to another, as the squared residual of each channel does.

    References
    ----------
    .. [1] J. E. Jackson, G. S. Mudholkar, "Control procedures for residuals associated with principal component
       analysis", Technometrics 21(3), 1979.
    .. [2] C. F. Alcala, S. J. Qin, "Reconstruction-based contribution for process monitoring", Automatica 45(7), 2009.
    """

    tags = Tags(
        cheap=True,
        good_for="many channels that move together; fast, no training framework, hard to beat",
        cost="O(channels latent)",
        source="Jackson and Mudholkar 1979",
    )

    def __init__(self, *, latent: int | None = None) -> None:
        self.latent = latent

    def _fit(self, series: list[Array], y: npt.NDArray[np.intp] | None) -> None:  # noqa: ARG002 - learns without labels
        rows = np.concatenate(series)
        width = self.n_features_
        if self.latent is not None:
            check_whole(self._name, "latent", self.latent, low=1, high=width)
        self.mean_, self.scale_ = moments(rows)
        centred = self._centred(rows)
        variances, axes = np.linalg.eigh(centred.T @ centred / len(rows))
        variances, axes = variances[::-1], axes[:, ::-1].T
        latent = self.latent if self.latent is not None else _enough(variances)
        self.components_ = np.ascontiguousarray(axes[:latent])
        self.spread_ = np.sqrt(np.maximum(variances[:latent], RIDGE))
        inside, residual = self._split(centred)
        self.t2_scale_ = max(float(np.square(inside).sum(axis=1).mean()), RIDGE)
        self.q_scale_ = max(float(np.square(residual).sum(axis=1).mean()), RIDGE)
        off = np.eye(width) - self.components_.T @ self.components_
        along = self.components_ / self.spread_[:, None]
        self.metric_ = along.T @ along / self.t2_scale_ + off / self.q_scale_
        self._learn_band(centred)

    def _score(self, X: Array) -> Array:
        inside, residual = self._split(self._centred(X))
        scores: Array = np.square(inside).sum(axis=1) / self.t2_scale_ + np.square(residual).sum(axis=1) / self.q_scale_
        return scores

    def _split(self, centred: Array) -> tuple[Array, Array]:
        """Component scores in their own spread, (rows, latent), and what the subspace leaves, (rows, channels)."""
        inside = centred @ self.components_.T
        return inside / self.spread_, centred - inside @ self.components_


def _enough(variances: Array) -> int:
    """Fewest components that hold :data:`EXPLAINED` of the variance, leaving one over where there are several."""
    if len(variances) == 1 or variances[0] <= 0.0:
        return 1
    needed = int(np.searchsorted(np.cumsum(variances) / variances.sum(), EXPLAINED)) + 1
    return min(needed, len(variances) - 1)
