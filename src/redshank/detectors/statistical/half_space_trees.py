"""How few training rows fell into the part of space where a row lies, by trees that halve it at random."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from redshank.core import LAST_SEED, Detector, Tags, check_whole
from redshank.core.contracts import Array
from redshank.detectors.statistical._residual import FAR

FEW = 25
"""A row goes no deeper than a node with this many training rows or fewer: a tenth of a window of 250, as published."""

CHUNK_ROWS = 4096
"""Rows worked on at a time, which bounds the memory."""


class HalfSpaceTreesDetector(Detector):
    """Score a row by how empty its surroundings were in training, in random trees that need no data to be built.

    Parameters
    ----------
    trees : int, default=50
        Number of trees, at least 1.
    depth : int, default=10
        Halvings from root to leaf, 1 to 16; a tree has ``2^(depth + 1) - 1`` nodes.
    seed : int, default=0
        Seed of the random trees, at least 0.

    Attributes
    ----------
    low_, width_ : ndarray of shape (n_features,)
        Where 99 % of the training rows lie, in the units of ``X``; a width of 1 where a channel never moved.
    channel_ : ndarray of shape (trees, 2^depth - 1)
        Channel that each inner node asks; children of node i are 2 i + 1 and 2 i + 2.
    split_ : ndarray of shape (trees, 2^depth - 1)
        What above goes right, in units of ``width_`` from ``low_``.
    mass_ : ndarray of shape (trees, 2^(depth + 1) - 1)
        Training rows that came through each node.

    Notes
    -----
    With m the training rows in the node where a row stops and d its depth, ``S`` is the mean of ``m 2^d`` over the
    trees: the score of [1]_, low for anomalies. Ours is ``log2((n 2^depth + 1) / (S + 1))`` with n training rows, which
    only turns it round. Work ranges are drawn as in [1]_ around the middle 99 % of the training rows. [1]_ takes masses
    of the last 250 rows and so learns an anomaly that lasts; ours stay those of training, all of it. Time
    O(trees depth) a row, whatever the number of channels or training rows.

    References
    ----------
    .. [1] S. C. Tan, K. M. Ting, T. F. Liu, "Fast anomaly detection for streaming data", IJCAI 2011.
    """

    tags = Tags(
        streams=True,
        cheap=True,
        good_for="odd mixes of a few channels, each within its range; same cost a row for any number of channels",
        cost="O(trees depth)",
        source="Tan, Ting and Liu 2011",
    )
    most = MappingProxyType({"depth": 16})

    low_: Array
    width_: Array
    channel_: npt.NDArray[np.int64]
    split_: Array
    mass_: Array

    def __init__(self, *, trees: int = 50, depth: int = 10, seed: int = 0) -> None:
        self.trees = trees
        self.depth = depth
        self.seed = seed

    def _fit(self, series: list[Array], y: npt.NDArray[np.intp] | None) -> None:  # noqa: ARG002 - learns without labels
        check_whole(self._name, "trees", self.trees, low=1)
        check_whole(self._name, "depth", self.depth, low=1, high=self.most["depth"])
        check_whole(self._name, "seed", self.seed, low=0, high=LAST_SEED)
        low, high = self.usual_
        self.low_, self.width_ = low, np.where(high > low, high - low, 1.0)
        self._grow(np.random.default_rng(self.seed))
        nodes = 2 ** (self.depth + 1) - 1
        # While every node counts as full, rows go down to the leaves.
        self.mass_ = np.full((self.trees, nodes), np.inf)
        rows = np.concatenate(series)
        mass = np.zeros((self.trees, nodes))
        for start in range(0, len(rows), CHUNK_ROWS):
            leaves = self._stops(rows[start : start + CHUNK_ROWS])
            for tree in range(self.trees):
                mass[tree] += np.bincount(leaves[:, tree], minlength=nodes)
        for node in range(nodes // 2 - 1, -1, -1):
            mass[:, node] = mass[:, 2 * node + 1] + mass[:, 2 * node + 2]
        self.mass_ = mass

    def _grow(self, rng: np.random.Generator) -> None:
        inner = 2**self.depth - 1
        self.channel_ = rng.integers(self.n_features_, size=(self.trees, inner))
        self.split_ = np.empty((self.trees, inner))
        middle = rng.random((self.trees, self.n_features_))
        reach = 2.0 * np.maximum(middle, 1.0 - middle)
        every = np.arange(self.trees)
        ranges = {0: (middle - reach, middle + reach)}  # of each channel, in the nodes of one level
        for node in range(inner):
            low, high = ranges.pop(node)
            asked = self.channel_[:, node]
            split = self.split_[:, node] = (low[every, asked] + high[every, asked]) / 2.0
            left, right = high.copy(), low.copy()
            left[every, asked] = right[every, asked] = split
            ranges[2 * node + 1], ranges[2 * node + 2] = (low, left), (right, high)

    def _score(self, X: Array) -> Array:
        density = np.empty(len(X))
        level = np.floor(np.log2(np.arange(1, self.mass_.shape[1] + 1)))
        weighted = self.mass_ * 2.0**level
        for start in range(0, len(X), CHUNK_ROWS):
            stops = self._stops(X[start : start + CHUNK_ROWS])
            density[start : start + len(stops)] = weighted[np.arange(self.trees), stops].mean(axis=1)
        most = self.mass_[0, 0] * 2.0**self.depth
        scores: Array = np.log2((most + 1.0) / (density + 1.0))
        return scores

    def _stops(self, X: Array) -> npt.NDArray[np.int64]:
        """Node of each tree where a row stops, (rows, trees)."""
        places = np.clip((X - self.low_) / self.width_, -FAR, FAR)
        every, row = np.arange(self.trees), np.arange(len(X))[:, None]
        node = np.zeros((len(X), self.trees), dtype=np.int64)
        for _ in range(self.depth):
            # A row that stopped higher up may stand at any node, and an inner one at that.
            right = places[row, self.channel_[every, node]] > self.split_[every, node]
            node = np.where(self.mass_[every, node] > FEW, 2 * node + 1 + right, node)
        return node
