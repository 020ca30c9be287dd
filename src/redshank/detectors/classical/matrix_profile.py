"""The left matrix profile: how unlike everything that came before it a window is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from redshank.core import Tags, check_whole
from redshank.core.contracts import Array
from redshank.detectors.classical._nearest import Places, by_channel, closest, squares_of
from redshank.detectors.classical._standard import standardised
from redshank.detectors.classical._subsequence import SubsequenceDetector
from redshank.features.windows import windows

BLOCK = 512
"""Windows that are compared together."""


class MatrixProfileDetector(SubsequenceDetector):
    """Score the window that ends at a row by its distance to the nearest windows that came before it.

    Parameters
    ----------
    window : int, default=None
        Rows in a window, at least 1. None takes the period of the training rows.
    neighbours : int, default=1
        The score is the mean distance to so many of the nearest, at least 1.
    history : int, default=2000
        Windows of the series itself, the latest, that are looked at besides those of training; 0 for none.
    rows : int, default=2000
        Training windows kept at most, at least 2. More are thinned out at random.
    seed : int, default=0
        Draws the windows that are kept.

    Attributes
    ----------
    window_, mean_, scale_
        See :class:`~redshank.detectors.classical._subsequence.SubsequenceDetector`.
    reference_ : ndarray of shape (at most rows, inputs)
        Training windows, in training standard deviations, row after row.

    Notes
    -----
    ``score_t = mean over i = 1..k of |w_t - w_(i)|`` over the windows kept from training and those of the same series
    that end at least half a window, and at most ``history`` + half a window, before row t: the left matrix profile [1]_
    with k neighbours. With one neighbour, what came once is no news the second time; with k, the k-th time.

    It departs in two things. Windows are **not** normalised one by one: the level counts, because that is what goes
    wrong with sensors. With several channels, distances are of all of them together, not the mean of one profile each.
    Time O((rows + history) inputs) a row to score.

    Contributions part each distance as its square parts over the channels, and sum to the score.

    References
    ----------
    .. [1] C.-C. M. Yeh et al., "Matrix profile I: all pairs similarity joins for time series", ICDM, 2016.
    """

    tags = Tags(
        sequence=True,
        good_for="a shape or level never seen before; adapts: what came once is known",
        cost="O((rows + history) window channels)",
        source="Yeh et al. 2016",
    )

    def __init__(
        self,
        *,
        window: int | None = None,
        neighbours: int = 1,
        history: int = 2000,
        rows: int = 2000,
        seed: int = 0,
    ) -> None:
        self.window = window
        self.neighbours = neighbours
        self.history = history
        self.rows = rows
        self.seed = seed

    def _learn(self, points: Array) -> None:
        check_whole(self._name, "neighbours", self.neighbours, low=1)
        check_whole(self._name, "history", self.history, low=0)
        self.reference_ = points

    def _score(self, X: Array) -> Array:
        scores = np.zeros(len(X))
        for last, _, _, distances, _ in self._matches(X):
            scores[last : last + len(distances)] = distances.mean(axis=1)
        return scores

    def _contributions(self, X: Array) -> Array:
        parts = np.zeros(X.shape)
        for last, block, candidates, distances, places in self._matches(X):
            own = by_channel(block, candidates, distances, places, self.n_features_)
            parts[last : last + len(block)] = own
        return parts

    def _matches(self, X: Array) -> Iterator[tuple[int, Array, Array, Array, Places]]:
        """Last row of the first window, windows, candidates, distances and places of the nearest, block by block."""
        every = windows(standardised(X, self.mean_, self.scale_), self.window_)
        apart = max(1, self.window_ // 2)
        kept = len(self.reference_)
        for start in range(0, len(every), BLOCK):
            block = every[start : start + BLOCK].reshape(-1, self.reference_.shape[1])
            oldest = max(0, start - apart + 1 - self.history)
            newest = max(oldest, min(start + len(block) - apart, len(every))) if self.history else oldest
            candidates = np.concatenate([self.reference_, every[oldest:newest].reshape(-1, block.shape[1])])
            squares = squares_of(block, candidates, np.einsum("ij,ij->i", candidates, candidates))
            age = np.arange(start, start + len(block))[:, None] - np.arange(oldest, newest)
            squares[:, kept:][(age < apart) | (age >= apart + self.history)] = np.inf
            k = min(self.neighbours, kept)
            yield start + self.window_ - 1, block, candidates, *closest(block, candidates, squares, k)
