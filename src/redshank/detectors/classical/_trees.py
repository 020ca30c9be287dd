"""Trees as node arrays, and the walk of many rows down many of them: NumPy alone, whoever grew them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from redshank.core.contracts import Array

Places = npt.NDArray[np.intp]

CELLS = 2**17
"""Pairs of a row and a tree that take a step together: what they read stays in the cache of a core."""


class Trees(NamedTuple):
    """Trees, all nodes one after another.

    Parameters
    ----------
    children : int array of shape (2, nodes)
        Where a row at a node goes that is at most, or above, the cut; a leaf leads to itself.
    feature, cut : arrays of shape (nodes,)
        What is compared at a node, and with what.
    gap_right : bool array of shape (nodes,)
        Whether a row goes to the second child whose value is missing.
    roots : int array of shape (trees,)
        First node of each tree.
    """

    children: Places
    feature: Places
    cut: Array
    gap_right: npt.NDArray[np.bool_]
    roots: Places

    @classmethod
    def joined(cls, parts: list[Trees]) -> Trees:
        """The trees of all parts, in their order."""
        starts = np.cumsum([0] + [len(part.cut) for part in parts])[:-1]
        return cls(
            np.concatenate([part.children + start for part, start in zip(parts, starts, strict=True)], axis=1),
            np.concatenate([part.feature for part in parts]),
            np.concatenate([part.cut for part in parts]),
            np.concatenate([part.gap_right for part in parts]),
            np.concatenate([part.roots + start for part, start in zip(parts, starts, strict=True)]),
        )

    def depth(self) -> Places:
        """Cuts above each node, shape (nodes,)."""
        depth = np.zeros(len(self.cut), np.intp)
        level = self.roots
        while len(level):
            inner = level[self.children[0, level] != level]
            below = self.children[:, inner]
            depth[below] = depth[inner] + 1
            level = below.ravel()
        return depth

    def blocks(self, rows: Array) -> Iterator[slice]:
        """Parts of the rows whose steps are in memory at once."""
        step = max(1, CELLS // len(self.roots))
        for start in range(0, len(rows), step):
            yield slice(start, min(start + step, len(rows)))

    def steps(self, block: Array, levels: int) -> Iterator[tuple[Places, Places]]:
        """Nodes before and after each of ``levels`` cuts, both (rows, trees), for rows (rows, features)."""
        here = np.broadcast_to(self.roots, (len(block), len(self.roots)))
        values, first = block.ravel(), np.arange(len(block))[:, None] * block.shape[1]
        children, nodes, gaps = self.children.ravel(), len(self.cut), bool(np.isnan(values).any())
        for _ in range(levels):
            value = values.take(first + self.feature.take(here))
            right = value > self.cut.take(here)
            if gaps:
                right = np.where(np.isnan(value), self.gap_right.take(here), right)
            there = children.take(here + nodes * right)
            yield here, there
            here = there

    def leaves(self, block: Array, levels: int) -> Places:
        """Where rows (rows, features) end, (rows, trees)."""
        here = np.broadcast_to(self.roots, (len(block), len(self.roots)))
        for _, here in self.steps(block, levels):  # noqa: B007 - the last step is wanted
            pass
        return here


class Grown:
    """The state of a detector that keeps trees.

    Attributes
    ----------
    children_, feature_, cut_, gap_right_, roots_ : ndarray
        As in :class:`Trees`.
    levels_ : int
        Cuts on the longest way down.
    """

    children_: Places
    feature_: Places
    cut_: Array
    gap_right_: npt.NDArray[np.bool_]
    roots_: Places
    levels_: int

    def _keep(self, trees: Trees) -> Places:
        """Take the trees; gives the depth of each node."""
        self.children_, self.feature_, self.cut_, self.gap_right_, self.roots_ = trees
        depth = trees.depth()
        self.levels_ = int(depth.max())
        return depth

    @property
    def _trees(self) -> Trees:
        return Trees(self.children_, self.feature_, self.cut_, self.gap_right_, self.roots_)

    def _sums(self, rows: Array, value: Array) -> Array:
        """The sum over the trees of what ``value`` (nodes, k) holds at the leaf of each row, (rows, k)."""
        sums = np.zeros((len(rows), value.shape[1]))
        trees = self._trees
        for part in trees.blocks(rows):
            leaves = trees.leaves(rows[part], self.levels_)
            for tree in range(leaves.shape[1]):
                sums[part] += value[leaves[:, tree]]
        return sums


def rounded(rows: Array) -> Array:
    """Rows as scikit-learn's trees compare them: rounded to float32."""
    compared: Array = rows.astype(np.float32).astype(np.float64)
    return compared
