"""The one-class support vector machine: how far a row lies from all support vectors, in a soft sense."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from redshank.core import LAST_SEED, Detector, Tags, check_range, check_whole
from redshank.core.contracts import Array
from redshank.detectors.classical import _scikit
from redshank.detectors.classical._nearest import CELLS
from redshank.detectors.classical._standard import moments, standardised, thinned


class OneClassSVMDetector(Detector):
    """Score a row by the one-class support vector machine of the training rows.

    Parameters
    ----------
    nu : float, default=0.05
        Share of the training rows that may lie outside, ``0 < nu <= 1``; about that share become support vectors.
    gamma : float, default=None
        Of the kernel ``exp(-gamma |a - b|^2)`` in training standard deviations, above 0. None takes ``1 / n_features``.
    rows : int, default=3000
        Training rows learned from at most, at least 2. More are thinned out at random: the time grows with their
        square.
    seed : int, default=0
        Draws the rows.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_features,)
        Training mean and standard deviation, in the units of ``X``; a scale of 1 where a channel never moved.
    support_ : ndarray of shape (vectors, n_features)
        Support vectors, in training standard deviations.
    weight_ : ndarray of shape (vectors,)
        Their weights, above 0, summing to 1.
    gamma_ : float
        Of the kernel.

    Notes
    -----
    The machine of [1]_, with a Gaussian kernel, has the decision function
    ``f(x) = sum_i a_i exp(-gamma |r - v_i|^2) - rho``. ``score(x) = -log(sum_i w_i exp(-gamma |r - v_i|^2))`` with
    ``w = a / sum a`` orders rows exactly as ``-f`` does and departs only in form: ``f`` is flat at ``-rho`` a few
    widths away, the score goes on as the square of the distance, so a farther row always scores higher. scikit-learn
    learns it; needs the ``train`` extra to fit, not to score. Time O(rows^2 d) to fit, O(vectors d) a row to score.

    Contributions part the mean of ``|r - v_i|^2`` over the support vectors, weighted by their part in the sum, by
    channel, and are scaled to sum to the score.

    References
    ----------
    .. [1] B. Schoelkopf, J. C. Platt, J. Shawe-Taylor, A. J. Smola, R. C. Williamson, "Estimating the support of a
       high-dimensional distribution", Neural Computation 13(7), 2001.
    """

    tags = Tags(
        cheap=True,
        good_for="a smooth border around normal rows of curved shape; a few hundred vectors",
        cost="O(vectors channels)",
        source="Schoelkopf et al. 2001",
    )

    def __init__(self, *, nu: float = 0.05, gamma: float | None = None, rows: int = 3000, seed: int = 0) -> None:
        self.nu = nu
        self.gamma = gamma
        self.rows = rows
        self.seed = seed

    def _fit(self, series: list[Array], y: npt.NDArray[np.intp] | None) -> None:  # noqa: ARG002 - learns without labels
        smallest = float(np.nextafter(0.0, 1.0))
        check_range(self._name, "nu", self.nu, low=smallest, high=1.0)
        if self.gamma is not None:
            check_range(self._name, "gamma", self.gamma, low=smallest)
        check_whole(self._name, "rows", self.rows, low=2)
        check_whole(self._name, "seed", self.seed, low=0, high=LAST_SEED)
        rows = np.concatenate(series)
        self.mean_, self.scale_ = moments(rows)
        self.gamma_ = 1.0 / self.n_features_ if self.gamma is None else float(self.gamma)
        few = standardised(thinned(rows, self.rows, self.seed), self.mean_, self.scale_)
        self.support_, weight = _scikit.support(few, self.nu, self.gamma_)
        self.weight_ = weight / weight.sum()

    def _score(self, X: Array) -> Array:
        scores = [score for _, _, score in self._parts(X)]
        return np.concatenate([np.empty(0), *scores])

    def _contributions(self, X: Array) -> Array:
        found = [np.empty(X.shape)[:0]]
        for block, part, score in self._parts(X):
            # (rows, channels): sum over i of p_i (r_j - v_ij)^2, the square multiplied out around the mean of v
            middle = part @ self.support_
            spread = np.maximum(part @ np.square(self.support_) - np.square(middle), 0.0)
            squares = np.square(block - middle) + spread
            total = squares.sum(axis=1, keepdims=True)
            shares = np.divide(squares, total, out=np.full_like(squares, 1.0 / X.shape[1]), where=total > 0)
            found.append(shares * score[:, None])
        return np.concatenate(found)

    def _parts(self, X: Array) -> Iterator[tuple[Array, Array, Array]]:
        """Standardised rows, each support vector's part in their sums (rows, vectors), and their scores."""
        step = max(1, CELLS // self.support_.size)
        for start in range(0, len(X), step):
            block = standardised(X[start : start + step], self.mean_, self.scale_)
            squares = np.square(block[:, None] - self.support_).sum(axis=2)  # differences: exact near a support vector
            power = np.log(self.weight_) - self.gamma_ * squares
            largest = power.max(axis=1, keepdims=True)
            part = np.exp(power - largest)
            total = part.sum(axis=1, keepdims=True)
            yield block, part / total, np.maximum(-(np.log(total) + largest)[:, 0], 0.0)
