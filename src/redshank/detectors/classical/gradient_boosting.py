"""Histogram gradient boosting: trees that each mend what is left of the error of those before."""

from __future__ import annotations

import numpy as np

from redshank.core import Tags, check_range, check_whole
from redshank.core.contracts import Array
from redshank.detectors.classical import _scikit
from redshank.detectors.classical._labelled import Codes, RowClassifier, softmax
from redshank.detectors.classical._trees import Grown


class GradientBoostingDetector(Grown, RowClassifier):
    """Name a row's class by a sum of trees, each grown to mend what is left of the error of those before it.

    Parameters
    ----------
    rounds : int, default=60
        Trees of each class, at least 1; one class alone where there are two.
    leaves : int, default=15
        Leaves of one tree at most, at least 2.
    leaf : int, default=5
        Training rows that a leaf rests on at least.
    rate : float, default=0.1
        Share of the way to the best answer that a tree goes, above 0, at most 1.
    penalty : float, default=1.0
        Weight of the squared answers of the leaves; holds those back that rest on few rows.
    class_weight : {"balanced", None}, default="balanced"
        ``"balanced"``: all classes weigh alike, since what is rare is what is looked for: else the steps towards a kind
        seen a few times are too small to arrive.
    oversample : float or bool, default=False
        Rows of rare classes are repeated until each has this share of the rows of the largest; True is 1.
    seed : int, default=0
        Draws the repeated rows, and the rows that set the bins where there are more than 200,000.

    Attributes
    ----------
    middle_, spread_, low_, high_ : ndarray of shape (n_features,)
        Scaling, as in logistic regression; the order of values, all that a tree looks at, stays.
    children_, feature_, cut_, gap_right_, roots_, levels_
        The trees, see :class:`~redshank.detectors.classical._trees.Trees`; levels in scaled values.
    value_ : ndarray of shape (nodes,)
        What a leaf adds to the logit of its tree's class.
    class_ : ndarray of shape (trees,)
        The place in ``classes_`` that a tree speaks for.
    base_ : ndarray of shape (classes,)
        Logits before the first tree.

    Notes
    -----
    Gradient boosting [1]_ on values sorted into 255 bins [2]_, grown by scikit-learn; ``P = softmax(base + sum of
    leaves)``. It never stops early: rows held back for that would have to be parted from their copies. Missing values
    go to the side that mends more of the error, or, where none was missing in training, to the side with more rows.
    Needs the ``train`` extra to fit, not to score. Time O(rounds classes log leaves) a row.

    References
    ----------
    .. [1] J. H. Friedman, "Greedy function approximation: a gradient boosting machine", Annals of Statistics 29(5),
       2001.
    .. [2] G. Ke et al., "LightGBM: a highly efficient gradient boosting decision tree", NeurIPS, 2017.
    """

    tags = Tags(
        needs_labels=True,
        missing=True,
        good_for="known kinds with thousands of labelled rows; often the most accurate on tables; gaps may stay",
        cost="O(rounds classes log leaves)",
        source="Friedman 2001; Ke et al. 2017",
    )

    def __init__(
        self,
        *,
        rounds: int = 60,
        leaves: int = 15,
        leaf: int = 5,
        rate: float = 0.1,
        penalty: float = 1.0,
        class_weight: str | None = "balanced",
        oversample: float = False,
        seed: int = 0,
    ) -> None:
        self.rounds = rounds
        self.leaves = leaves
        self.leaf = leaf
        self.rate = rate
        self.penalty = penalty
        self.class_weight = class_weight
        self.oversample = oversample
        self.seed = seed

    def _check_settings(self) -> None:
        super()._check_settings()
        check_whole(self._name, "rounds", self.rounds, low=1)
        check_whole(self._name, "leaves", self.leaves, low=2)
        check_whole(self._name, "leaf", self.leaf, low=1)
        check_range(self._name, "rate", self.rate, low=float(np.nextafter(0.0, 1.0)), high=1.0)
        check_range(self._name, "penalty", self.penalty, low=0.0)

    def _learn(self, rows: Array, codes: Codes) -> None:
        places, weights = self._drawn(codes)
        trees, self.value_, self.class_, self.base_ = _scikit.gradient_boosting(
            rows[places],
            codes[places],
            weights,
            rounds=self.rounds,
            leaves=self.leaves,
            leaf=self.leaf,
            rate=self.rate,
            penalty=self.penalty,
            seed=self.seed,
        )
        self._keep(trees)

    def _chances(self, rows: Array) -> Array:
        logits = np.tile(self.base_, (len(rows), 1))
        trees = self._trees
        speaks = np.eye(len(self.base_))[self.class_]  # (trees, classes)
        for part in trees.blocks(rows):
            logits[part] += self.value_[trees.leaves(rows[part], self.levels_)] @ speaks
        return softmax(logits)
