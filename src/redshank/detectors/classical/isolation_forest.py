"""The isolation forest: how few random cuts part a row from the training rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from redshank.core import LAST_SEED, Detector, Tags, check_whole
from redshank.core.contracts import Array
from redshank.detectors.classical import _scikit
from redshank.detectors.classical._standard import ROUNDING, moments, standardised
from redshank.detectors.classical._trees import Grown, rounded

FAR = 1e30
"""Deviations are clipped here, in training standard deviations: trees compare in float32."""


class IsolationForestDetector(Grown, Detector):
    """Score a row by how few random cuts part it from the training rows.

    Parameters
    ----------
    trees : int, default=100
        At least 1.
    sample : int, default=256
        Training rows that each tree cuts apart, at least 2; all where there are fewer.
    seed : int, default=0
        Draws samples and cuts.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_features,)
        Training mean and standard deviation, in the units of ``X``; a scale of 1 where a channel never moved.
    still_ : ndarray of shape (n_features,)
        Whether the channel never moved.
    children_, feature_, cut_, gap_right_, roots_, levels_
        The trees, see :class:`~redshank.detectors.classical._trees.Trees`; cuts in training standard deviations.
    path_ : ndarray of shape (nodes,)
        Expected number of cuts that part a training row at this node, from the root on.
    usual_path_ : float
        ``c(sample)``.

    Notes
    -----
    ``score(x) = 2^(-E[h(x)] / c(sample))`` [1]_, from 0 to 1, normal rows at about 0.4: ``h`` is the number of cuts on
    the way to the leaf plus ``c(size)`` for the cuts that were not made in it, ``c(n) = 2 (H(n - 1) - (n - 1) / n)``.
    The trees are scikit-learn's, the walk is our own. Needs the ``train`` extra to fit, not to score. Time O(trees
    sample log sample) to fit, O(trees log sample) a row to score, whatever the number of channels.

    It departs in one thing: no tree can cut a channel that never moved in training, so [1]_ never sees it move. Here
    the first cut on it parts the row, ``h = 1`` in every tree.

    Contributions: at each cut on the way down, the expected number of cuts falls or rises; the sum of the falls goes to
    the channel that was cut, and falls are scaled to sum to the score.

    References
    ----------
    .. [1] F. T. Liu, K. M. Ting, Z.-H. Zhou, "Isolation forest", ICDM, 2008.
    """

    tags = Tags(
        cheap=True,
        good_for="many channels of unlike kind; large single deviations; cheap to learn",
        cost="O(trees log(sample))",
        source="Liu, Ting and Zhou 2008",
    )

    def __init__(self, *, trees: int = 100, sample: int = 256, seed: int = 0) -> None:
        self.trees = trees
        self.sample = sample
        self.seed = seed

    def _fit(self, series: list[Array], y: npt.NDArray[np.intp] | None) -> None:  # noqa: ARG002 - learns without labels
        check_whole(self._name, "trees", self.trees, low=1)
        check_whole(self._name, "sample", self.sample, low=2)
        check_whole(self._name, "seed", self.seed, low=0, high=LAST_SEED)
        rows = np.concatenate(series)
        self.mean_, self.scale_ = moments(rows)
        self.still_ = rows.std(axis=0) <= ROUNDING * np.abs(self.mean_)
        sample = min(self.sample, len(rows))
        trees, size = _scikit.isolation_trees(self._centred(rows), self.trees, sample, self.seed)
        self.usual_path_ = float(_cuts(np.array([sample]))[0])
        self.path_ = _paths(trees.children, self._keep(trees), size)

    def _score(self, X: Array) -> Array:
        centred = self._centred(X)
        mean = self._sums(centred, self.path_[:, None])[:, 0] / len(self.roots_)
        mean[self._moved(X).any(axis=1)] = 1.0
        scores: Array = np.exp2(-mean / self.usual_path_)
        return scores

    def _contributions(self, X: Array) -> Array:
        centred, width = self._centred(X), self.n_features_
        falls = np.zeros((len(X), width))
        trees = self._trees
        for part in trees.blocks(centred):
            block = centred[part]
            for here, there in trees.steps(block, self.levels_):
                row = np.arange(len(block))[:, None] * width + self.feature_[here]
                change = self.path_[here] - self.path_[there]
                total = np.bincount(row.ravel(), change.ravel(), minlength=block.size)
                falls[part] += total.reshape(block.shape)
        falls = np.maximum(falls, 0.0)
        moved = self._moved(X)
        falls = np.where(moved.any(axis=1, keepdims=True), moved, falls)
        total = falls.sum(axis=1, keepdims=True)
        shares = np.divide(falls, total, out=np.full(X.shape, 1.0 / width), where=total > 0)
        parts: Array = shares * self._score(X)[:, None]
        return parts

    def _centred(self, X: Array) -> Array:
        """As the trees compare: rounded to float32."""
        return rounded(np.clip(standardised(X, self.mean_, self.scale_), -FAR, FAR))

    def _moved(self, X: Array) -> npt.NDArray[np.bool_]:
        """Where a channel that never moved in training has moved."""
        moved: npt.NDArray[np.bool_] = self.still_ & (np.abs(X - self.mean_) > ROUNDING * np.abs(self.mean_))
        return moved


def _cuts(size: npt.NDArray[np.int64]) -> Array:
    """Mean number of cuts that part one of ``size`` rows from the others: c of [1]_, with scikit-learn's constants."""
    many = np.maximum(size, 3).astype(np.float64)
    cuts = 2.0 * (np.log(many - 1.0) + np.euler_gamma) - 2.0 * (many - 1.0) / many
    return np.where(size <= 1, 0.0, np.where(size == 2, 1.0, cuts))


def _paths(children: npt.NDArray[np.intp], depth: npt.NDArray[np.intp], size: npt.NDArray[np.int64]) -> Array:
    """Expected cuts from the root for the training rows at each node: known at leaves, a weighted mean above them."""
    path = depth + _cuts(size)
    leaf = children[0] == np.arange(len(depth))
    for level in range(int(depth.max()) - 1, -1, -1):
        here = np.flatnonzero((depth == level) & ~leaf)
        weight = size[children[:, here]].astype(np.float64)
        path[here] = (weight * path[children[:, here]]).sum(axis=0) / weight.sum(axis=0)
    return path
