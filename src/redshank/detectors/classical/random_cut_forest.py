"""The random cut forest over windows: how early a random cut parts a new window from the known ones."""

from __future__ import annotations

import numpy as np

from redshank.core import Tags, check_whole
from redshank.core.contracts import Array
from redshank.detectors.classical._subsequence import SubsequenceDetector


class RandomCutForestDetector(SubsequenceDetector):
    """Score the window that ends at a row by how early random cuts part it from training windows.

    Parameters
    ----------
    window : int, default=4
        Rows in a window ("shingle"), at least 1. None takes the period of the training rows, which is slow.
    trees : int, default=40
        At least 1.
    sample : int, default=256
        Training windows in each tree, at least 2; all where there are fewer.
    rows : int, default=10000
        Training windows that the trees draw from at most, at least 2.
    seed : int, default=0
        Draws windows and cuts.

    Attributes
    ----------
    window_, mean_, scale_
        See :class:`~redshank.detectors.classical._subsequence.SubsequenceDetector`.
    low_, high_ : ndarray of shape (nodes, inputs)
        The box around the windows at each node; all trees one after another.
    children_ : ndarray of shape (2, nodes)
        Where a window at a node goes that is at most, or above, the cut; a leaf leads to itself.
    feature_, cut_ : ndarray of shape (nodes,)
        What is compared at a node, and with what.
    mass_ : ndarray of shape (nodes,)
        Windows at each node.
    roots_ : ndarray of shape (trees,)
        First node of each tree.

    Notes
    -----
    Trees are those of [1]_: a box is cut along an input chosen in proportion to its side, at a place chosen uniformly.
    Were the window x in the tree, a cut at a node with the box B would part it from all others with probability
    ``p = D / (D + S)``, with S the sum of the sides of B and D how far x reaches out of it, summed over inputs. The
    score of a tree is the expectation of ``1 / (1 + depth)`` where x is parted, or of
    ``(1 - mass / 2n) / (depth + log2(1 + mass))`` in a leaf where it never is, times ``log2(1 + n)`` for n windows in
    the tree: the form that the authors' open library gives their displacement, taken in expectation, so that nothing is
    drawn while scoring. Scores are means over the trees.

    It departs in one thing: [1]_ puts every reading into the trees as it comes; here scoring changes nothing, and the
    forest knows the training windows only. Time O(trees sample^2 inputs) at worst to fit, O(trees inputs log sample) a
    row to score: with dozens of channels the slowest of the classical detectors.

    Contributions part each D over the channels, and what a leaf adds evenly; they sum to the score.

    References
    ----------
    .. [1] S. Guha, N. Mishra, G. Roy, O. Schrijvers, "Robust random cut forest based anomaly detection on streams",
       ICML, 2016.
    """

    tags = Tags(
        sequence=True,
        good_for="sudden readings in one or few channels; bounded scores; says which channel",
        cost="O(trees window channels log(sample))",
        source="Guha et al. 2016",
    )

    def __init__(
        self, *, window: int | None = 4, trees: int = 40, sample: int = 256, rows: int = 10000, seed: int = 0
    ) -> None:
        self.window = window
        self.trees = trees
        self.sample = sample
        self.rows = rows
        self.seed = seed

    def _learn(self, points: Array) -> None:
        check_whole(self._name, "trees", self.trees, low=1)
        check_whole(self._name, "sample", self.sample, low=2)
        rng = np.random.default_rng(self.seed)
        forest, roots = _Nodes(), []
        for _ in range(self.trees):
            chosen = rng.choice(len(points), min(self.sample, len(points)), replace=False)
            roots.append(len(forest.mass))
            forest.grow(points[chosen], rng)
        self.low_, self.high_ = np.array(forest.low), np.array(forest.high)
        self.children_ = np.array(forest.children).T
        self.feature_, self.cut_ = np.array(forest.feature), np.array(forest.cut)
        self.mass_, self.roots_ = np.array(forest.mass), np.array(roots)

    def _score(self, X: Array) -> Array:
        scores: Array = self._contributions(X).sum(axis=1)
        return scores

    def _contributions(self, X: Array) -> Array:
        return self._over_windows(X, self._judge_channels, channels=self.n_features_)

    def _judge_channels(self, points: Array) -> Array:
        parts = np.zeros((len(points), self.n_features_))
        sides = (self.high_ - self.low_).sum(axis=1)
        for root in self.roots_:
            self._descend(points, int(root), sides, parts)
        parts /= len(self.roots_)
        return parts

    def _descend(self, points: Array, root: int, sides: Array, parts: Array) -> None:
        """Add to ``parts`` what one tree says, following all windows down level by level."""
        total = float(self.mass_[root])
        norm = np.log2(1.0 + total)
        rows, here = np.arange(len(points)), np.full(len(points), root)
        reach = np.ones(len(points))  # the probability that no cut has parted the window yet
        depth = 0
        while len(rows):
            own = points[rows]
            out = np.maximum(self.low_[here] - own, 0.0) + np.maximum(own - self.high_[here], 0.0)
            out = out.reshape(len(rows), -1, self.n_features_).sum(axis=1)  # (rows, channels)
            beyond = out.sum(axis=1)
            span = beyond + sides[here]
            share = np.divide(out, span[:, None], out=np.zeros_like(out), where=span[:, None] > 0)
            parts[rows] += share * (reach * norm / (1.0 + depth))[:, None]
            reach = reach * np.maximum(1.0 - share.sum(axis=1), 0.0)
            leaf = self.children_[0, here] == here
            mass = self.mass_[here[leaf]]
            seen = (1.0 - mass / (2.0 * total)) / (depth + np.log2(1.0 + mass))
            parts[rows[leaf]] += (reach[leaf] * norm * seen / self.n_features_)[:, None]
            going = ~leaf & (reach > 0.0)
            rows, here, reach = rows[going], here[going], reach[going]
            right = points[rows, self.feature_[here]] > self.cut_[here]
            here = self.children_[right.astype(np.intp), here]
            depth += 1


class _Nodes:
    """Node lists of a forest while it grows; a node comes before its children."""

    def __init__(self) -> None:
        self.low: list[Array] = []
        self.high: list[Array] = []
        self.children: list[list[int]] = []
        self.feature: list[int] = []
        self.cut: list[float] = []
        self.mass: list[int] = []

    def grow(self, points: Array, rng: np.random.Generator) -> None:
        """Add the tree of these points."""
        waiting = [(points, -1, 0)]
        while waiting:
            own, parent, side = waiting.pop()
            here = len(self.mass)
            if parent >= 0:
                self.children[parent][side] = here
            low, high = own.min(axis=0), own.max(axis=0)
            feature, cut = _cut(low, high, rng)
            self.low.append(low)
            self.high.append(high)
            self.children.append([here, here])
            self.feature.append(feature)
            self.cut.append(cut)
            self.mass.append(len(own))
            left = own[:, feature] <= cut
            if not left.all():
                waiting += [(own[~left], here, 1), (own[left], here, 0)]


def _cut(low: Array, high: Array, rng: np.random.Generator) -> tuple[int, float]:
    """An input in proportion to the sides of the box and a place below its upper end; the end itself for a point."""
    sides = np.cumsum(high - low)
    if sides[-1] <= 0.0:
        return 0, float(high[0])
    feature = int(np.searchsorted(sides, rng.random() * sides[-1], side="right"))
    place = low[feature] + rng.random() * (high[feature] - low[feature])
    return feature, float(min(place, np.nextafter(high[feature], -np.inf)))
