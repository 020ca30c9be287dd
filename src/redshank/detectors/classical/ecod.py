"""ECOD: how deep in the tails of the training rows each channel lies."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from redshank.core import LAST_SEED, Detector, Tags, check_whole
from redshank.core.contracts import Array
from redshank.detectors.classical._standard import moments, standardised, thinned


class ECODDetector(Detector):
    """Score a row by how deep in the tails of the training rows its channels lie.

    Parameters
    ----------
    rows : int, default=20000
        Training rows kept at most, at least 2. More are thinned out at random, but for the extremes of each channel.
    seed : int, default=0
        Draws the rows that are kept.

    Attributes
    ----------
    sorted_ : ndarray of shape (rows kept, n_features)
        Values of each channel, rising, in training standard deviations.
    mean_, scale_ : ndarray of shape (n_features,)
        Training mean and standard deviation, in the units of ``X``; a scale of 1 where a channel never moved.
    skew_ : ndarray of shape (n_features,)
        Sign of the skewness, -1, 0 or 1: the tail that the third sum takes, both where it is 0.

    Notes
    -----
    With the empirical tail probabilities of the m rows kept, ``left_j(x) = #{x_j' <= x_j} / m`` and
    ``right_j(x) = #{x_j' >= x_j} / m``, [1]_ takes the largest of three sums over the channels: of ``-log left_j``, of
    ``-log right_j``, and of the one of the two on the side to which the channel is skewed. So does this score, and
    departs in two things:

    - probabilities come from the training rows alone. The reference code ranks the rows to be scored among themselves
      as well, so there a row's score changes with the batch it comes in.
    - beyond the smallest or largest training value a probability is ``1 / (m + 1)``, since a count of 0 has no
      logarithm, and ``log(1 + distance)`` is added, the distance to that value in training standard deviations: a
      farther row always scores higher.

    Nothing is assumed and there is nothing to set, but channels are looked at one by one: a lost correlation is not
    seen. Time O(n d log n) to fit, O(d log m) a row to score. Contributions are the parts of the sum that was taken.

    References
    ----------
    .. [1] Z. Li, Y. Zhao, X. Hu, N. Botta, C. Ionescu, G. H. Chen, "ECOD: unsupervised outlier detection using
       empirical cumulative distribution functions", IEEE Transactions on Knowledge and Data Engineering 35(12), 2023.
    """

    tags = Tags(
        cheap=True,
        good_for="unlike channels that go to extremes; nothing to set; says which channel",
        cost="O(channels log(rows))",
        source="Li et al. 2023",
    )

    def __init__(self, *, rows: int = 20000, seed: int = 0) -> None:
        self.rows = rows
        self.seed = seed

    def _fit(self, series: list[Array], y: npt.NDArray[np.intp] | None) -> None:  # noqa: ARG002 - learns without labels
        check_whole(self._name, "rows", self.rows, low=2)
        check_whole(self._name, "seed", self.seed, low=0, high=LAST_SEED)
        rows = np.concatenate(series)
        self.mean_, self.scale_ = moments(rows)
        centred = standardised(rows, self.mean_, self.scale_)
        third = (np.square(centred) * centred).mean(axis=0)  # of deviations below sqrt(n): no overflow
        self.skew_ = np.where(np.abs(third) > 1e-9, np.sign(third), 0.0)
        kept = np.sort(thinned(centred, self.rows, self.seed), axis=0)
        kept[0], kept[-1] = centred.min(axis=0), centred.max(axis=0)
        self.sorted_ = kept

    def _score(self, X: Array) -> Array:
        sums: Array = self._tails(X).sum(axis=2).max(axis=0)
        return sums

    def _contributions(self, X: Array) -> Array:
        tails = self._tails(X)
        parts: Array = tails[tails.sum(axis=2).argmax(axis=0), np.arange(len(X))]
        return parts

    def _tails(self, X: Array) -> Array:
        """What each channel adds to the three sums, (3, rows, channels), none below 0."""
        centred = standardised(X, self.mean_, self.scale_)
        m = len(self.sorted_)
        below, above = np.empty(X.shape), np.empty(X.shape)
        for j, values in enumerate(self.sorted_.T):
            below[:, j] = np.searchsorted(values, centred[:, j], side="right")
            above[:, j] = m - np.searchsorted(values, centred[:, j], side="left")
        left = _depth(below, m, self.sorted_[0] - centred)
        right = _depth(above, m, centred - self.sorted_[-1])
        skewed = np.select([self.skew_ < 0, self.skew_ > 0], [left, right], np.maximum(left, right))
        return np.stack([left, right, skewed])


def _depth(count: Array, m: int, beyond: Array) -> Array:
    """``-log`` of the tail probability, and the logarithm of how far beyond the last value where there is none."""
    inside = -np.log(np.maximum(count, m / (m + 1)) / m)
    depth: Array = inside + np.log1p(np.maximum(beyond, 0.0))
    return depth
