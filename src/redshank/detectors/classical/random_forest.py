"""The random forest: the mean of many decision trees, each grown from other rows and channels."""

from __future__ import annotations

from redshank.core import Tags, check_whole
from redshank.core.contracts import Array
from redshank.detectors.classical import _scikit
from redshank.detectors.classical._labelled import Codes, RowClassifier
from redshank.detectors.classical._trees import Grown, rounded


class RandomForestDetector(Grown, RowClassifier):
    """Name a row's class by the mean of many decision trees, each grown from rows and channels drawn at random.

    Parameters
    ----------
    trees : int, default=100
        At least 1.
    depth : int, default=20
        Questions on one way down at most, at least 1.
    leaf : int, default=1
        Training rows that an answer rests on at least.
    class_weight : {"balanced", None}, default="balanced"
        ``"balanced"``: rows are drawn so that all classes weigh alike in what a tree learns from, since what is rare is
        what is looked for: over many trees no common class suffers from it.
    oversample : float or bool, default=False
        Rows of rare classes are repeated until each has this share of the rows of the largest; True is 1.
    seed : int, default=0
        Draws rows and channels.

    Attributes
    ----------
    middle_, spread_, low_, high_ : ndarray of shape (n_features,)
        Scaling, as in logistic regression; the order of values, all that a tree looks at, stays.
    children_, feature_, cut_, gap_right_, roots_, levels_
        The trees, see :class:`~redshank.detectors.classical._trees.Trees`; levels in scaled values.
    value_ : ndarray of shape (nodes, classes)
        Weighted share of each class among the training rows at a node, over the number of trees.

    Notes
    -----
    The forest of [1]_, grown by scikit-learn: each tree from as many rows as there are, drawn with putting back (by
    their weights from scikit-learn 1.9 on; before, drawn alike and then weighted), each question the best about
    ``sqrt(d)`` channels drawn anew. The answer is the mean of the trees' shares, where [1]_ counts votes. Missing
    values as in the decision tree. Needs the ``train`` extra to fit, not to score. Time O(trees depth) a row.

    References
    ----------
    .. [1] L. Breiman, "Random forests", Machine Learning 45(1), 2001.
    """

    tags = Tags(
        needs_labels=True,
        missing=True,
        good_for="known kinds in many channels of unlike units; little to tune; hard to overfit",
        cost="O(trees depth)",
        source="Breiman 2001",
    )

    def __init__(
        self,
        *,
        trees: int = 100,
        depth: int = 20,
        leaf: int = 1,
        class_weight: str | None = "balanced",
        oversample: float = False,
        seed: int = 0,
    ) -> None:
        self.trees = trees
        self.depth = depth
        self.leaf = leaf
        self.class_weight = class_weight
        self.oversample = oversample
        self.seed = seed

    def _check_settings(self) -> None:
        super()._check_settings()
        check_whole(self._name, "trees", self.trees, low=1)
        check_whole(self._name, "depth", self.depth, low=1)
        check_whole(self._name, "leaf", self.leaf, low=1)

    def _learn(self, rows: Array, codes: Codes) -> None:
        places, weights = self._drawn(codes)
        trees, value = _scikit.random_forest(
            rows[places], codes[places], weights, trees=self.trees, depth=self.depth, leaf=self.leaf, seed=self.seed
        )
        self.value_ = value / self.trees
        self._keep(trees)

    def _scaled(self, X: Array) -> Array:
        return rounded(super()._scaled(X))

    def _chances(self, rows: Array) -> Array:
        return self._sums(rows, self.value_)
