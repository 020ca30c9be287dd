"""One decision tree: questions about single channels, one after another."""

from __future__ import annotations

from redshank.core import Tags, check_whole
from redshank.core.contracts import Array
from redshank.detectors.classical import _scikit
from redshank.detectors.classical._labelled import Codes, RowClassifier
from redshank.detectors.classical._trees import Grown, rounded


class DecisionTreeDetector(Grown, RowClassifier):
    """Name a row's class by a chain of questions, each whether one channel lies above a level.

    Parameters
    ----------
    depth : int, default=12
        Questions on one way down at most, at least 1.
    leaf : int, default=1
        Training rows that an answer rests on at least.
    class_weight : {"balanced", None}, default=None
        ``"balanced"``: all classes weigh alike where a question is chosen, and in what a leaf says. Not here: the first
        questions would go to kinds seen a few times, and there are too few for the others.
    oversample : float or bool, default=False
        Rows of rare classes are repeated until each has this share of the rows of the largest; True is 1.
    seed : int, default=0
        Draws the repeated rows, and decides between equally good questions.

    Attributes
    ----------
    middle_, spread_, low_, high_ : ndarray of shape (n_features,)
        Scaling, as in logistic regression; the order of values, all that a tree looks at, stays.
    children_, feature_, cut_, gap_right_, roots_, levels_
        The tree, see :class:`~redshank.detectors.classical._trees.Trees`; levels in scaled values.
    value_ : ndarray of shape (nodes, classes)
        Weighted share of each class among the training rows at a node.

    Notes
    -----
    CART [1]_ with the Gini index, grown by scikit-learn, not pruned back but bounded in depth. Missing values go to
    the side that parts the training rows better, or, where none was missing in training, to the side with more of them.
    Needs the ``train`` extra to fit, not to score. Time O(depth) a row.

    References
    ----------
    .. [1] L. Breiman, J. Friedman, R. Olshen, C. Stone, "Classification and regression trees", Wadsworth, 1984.
    """

    tags = Tags(
        needs_labels=True,
        missing=True,
        cheap=True,
        good_for="known kinds that a few levels tell; reasons that a person can follow; the cheapest to score",
        cost="O(depth)",
        source="Breiman et al. 1984",
    )

    def __init__(
        self,
        *,
        depth: int = 12,
        leaf: int = 1,
        class_weight: str | None = None,
        oversample: float = False,
        seed: int = 0,
    ) -> None:
        self.depth = depth
        self.leaf = leaf
        self.class_weight = class_weight
        self.oversample = oversample
        self.seed = seed

    def _check_settings(self) -> None:
        super()._check_settings()
        check_whole(self._name, "depth", self.depth, low=1)
        check_whole(self._name, "leaf", self.leaf, low=1)

    def _learn(self, rows: Array, codes: Codes) -> None:
        places, weights = self._drawn(codes)
        trees, self.value_ = _scikit.decision_tree(
            rows[places], codes[places], weights, depth=self.depth, leaf=self.leaf, seed=self.seed
        )
        self._keep(trees)

    def _scaled(self, X: Array) -> Array:
        return rounded(super()._scaled(X))

    def _chances(self, rows: Array) -> Array:
        return self._sums(rows, self.value_)
