"""Principal components of windows: shapes that normal series do not have."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from redshank.core import Tags, check_range
from redshank.core.contracts import Array
from redshank.detectors.classical._quadratic import RIDGE
from redshank.detectors.classical._subsequence import SubsequenceDetector


class SubPCADetector(SubsequenceDetector):
    """Score the window that ends at a row by how unlikely it is under the principal components of training windows.

    Parameters
    ----------
    window : int, default=None
        Rows in a window, at least 1. None takes the period of the training rows.
    explained : float, default=0.9
        Share of the variance of training windows that the subspace holds, above 0 and below 1.
    rows : int, default=10000
        Training windows learned from at most, at least 2. More are thinned out at random.
    seed : int, default=0
        Draws the windows.

    Attributes
    ----------
    window_, mean_, scale_
        See :class:`~redshank.detectors.classical._subsequence.SubsequenceDetector`.
    center_window_ : ndarray of shape (inputs,)
        Mean window, in training standard deviations, row after row.
    components_ : ndarray of shape (latent, inputs)
        Orthonormal rows, largest variance first.
    variance_ : ndarray of shape (latent,)
        Along each.
    noise_ : float
        Mean variance of the directions left over.

    Notes
    -----
    With ``w`` the window less the mean window, ``t = V w`` and ``e = w - V't``,
    ``score = sum_k t_k^2 / variance_k + |e|^2 / noise``: the squared Mahalanobis distance under probabilistic PCA [1]_,
    whose noise is the mean of the eigenvalues left over. About ``inputs`` on normal windows. The Sub-PCA of [2]_ weighs
    every direction by its own eigenvalue, and scores a row by the windows around it; here small eigenvalues, which are
    mostly rounding, share one, and windows end at the row. Variances are at least :data:`RIDGE`. Time O(rows inputs^2 +
    inputs^3) to fit, O(inputs latent) a row to score.

    Contributions: with ``m = M w``, M the score's quadratic form, the fall ``m_c' M_cc^-1 m_c`` that the best values of
    channel c over the whole window would bring, scaled to sum to the score; of :class:`QuadraticDetector`, by blocks.

    References
    ----------
    .. [1] M. E. Tipping, C. M. Bishop, "Probabilistic principal component analysis", Journal of the Royal Statistical
       Society B 61(3), 1999.
    .. [2] Q. Liu, J. Paparrizos, "The elephant in the room: towards a reliable time-series anomaly detection
       benchmark", NeurIPS, 2024.
    """

    tags = Tags(
        sequence=True,
        cheap=True,
        good_for="a rhythm or shape that changes, though each reading is in range",
        cost="O(window channels latent)",
        source="Tipping and Bishop 1999",
    )
    most = MappingProxyType({"explained": 0.99})  # 1 is refused: nothing would be left to score

    def __init__(self, *, window: int | None = None, explained: float = 0.9, rows: int = 10000, seed: int = 0) -> None:
        self.window = window
        self.explained = explained
        self.rows = rows
        self.seed = seed

    def _learn(self, points: Array) -> None:
        check_range(self._name, "explained", self.explained, low=np.nextafter(0.0, 1.0), high=np.nextafter(1.0, 0.0))
        self.center_window_ = points.mean(axis=0)
        centred = points - self.center_window_
        variances, axes = np.linalg.eigh(centred.T @ centred / len(points))
        variances, axes = np.maximum(variances[::-1], 0.0), axes[:, ::-1].T
        total = variances.sum()
        latent = 1
        if total > 0.0:
            latent += int(np.searchsorted(np.cumsum(variances) / total, self.explained))
        latent = min(latent, max(1, len(variances) - 1))
        self.components_ = np.ascontiguousarray(axes[:latent])
        self.variance_ = np.maximum(variances[:latent], RIDGE)
        left = variances[latent:]
        self.noise_ = max(float(left.mean()) if len(left) else 0.0, RIDGE)

    def _score(self, X: Array) -> Array:
        return self._over_windows(X, self._judge)[:, 0]

    def _contributions(self, X: Array) -> Array:
        return self._over_windows(X, self._judge_channels, channels=self.n_features_)

    def _judge(self, points: Array) -> Array:
        centred = points - self.center_window_
        inside = centred @ self.components_.T
        residual = centred - inside @ self.components_
        scores: Array = (np.square(inside) / self.variance_).sum(axis=1)
        scores += np.square(residual).sum(axis=1) / self.noise_
        return scores

    def _judge_channels(self, points: Array) -> Array:
        inputs, width = points.shape[1], self.n_features_
        metric = (self.components_.T / self.variance_) @ self.components_
        metric += (np.eye(inputs) - self.components_.T @ self.components_) / self.noise_
        pulled = (points - self.center_window_) @ metric
        falls = np.empty((len(points), width))
        for channel in range(width):
            own = np.arange(channel, inputs, width)
            best = np.linalg.solve(metric[np.ix_(own, own)], pulled[:, own].T).T
            falls[:, channel] = np.maximum((pulled[:, own] * best).sum(axis=1), 0.0)
        total = falls.sum(axis=1, keepdims=True)
        shares = np.divide(falls, total, out=np.full_like(falls, 1.0 / width), where=total > 0)
        parts: Array = shares * self._judge(points)[:, None]
        return parts
