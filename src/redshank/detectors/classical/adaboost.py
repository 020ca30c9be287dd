"""AdaBoost: small trees, each grown for the rows that those before it got wrong."""

from __future__ import annotations

import numpy as np

from redshank.core import Tags, check_range, check_whole
from redshank.core.contracts import Array
from redshank.detectors.classical import _scikit
from redshank.detectors.classical._labelled import Codes, RowClassifier, softmax
from redshank.detectors.classical._trees import Grown, rounded


class AdaBoostDetector(Grown, RowClassifier):
    """Name a row's class by the vote of small trees, each grown for the rows that those before it got wrong.

    Parameters
    ----------
    trees : int, default=50
        At most; at least 1. Fewer where one tree makes no mistake.
    depth : int, default=4
        Questions in one tree, at least 1.
    rate : float, default=1.0
        Factor of every tree's vote, above 0.
    class_weight : {"balanced", None}, default="balanced"
        ``"balanced"``: all classes weigh alike before the first tree, since what is rare is what is looked for.
    oversample : float or bool, default=False
        Rows of rare classes are repeated until each has this share of the rows of the largest; True is 1.
    seed : int, default=0
        Draws the repeated rows, and decides between equally good questions.

    Attributes
    ----------
    middle_, spread_, low_, high_ : ndarray of shape (n_features,)
        Scaling, as in logistic regression; the order of values, all that a tree looks at, stays.
    children_, feature_, cut_, gap_right_, roots_, levels_
        The trees, see :class:`~redshank.detectors.classical._trees.Trees`; levels in scaled values.
    value_ : ndarray of shape (nodes, classes)
        The vote of a tree at a node, in logits.

    Notes
    -----
    SAMME [1]_, for two classes the AdaBoost of [2]_; scikit-learn grows the trees. A tree that errs on the share ``e``
    of the weighted rows has the vote ``rate (ln((1 - e) / e) + ln(k - 1))`` for the class it names and against the
    others. ``P = softmax(mean vote / (k - 1))`` (eq. 15 of [1]_) ranks rows well but is never sure: between 0.27 and
    0.73 for two classes. Needs the ``train`` extra to fit, not to score. Time O(trees depth) a row.

    References
    ----------
    .. [1] J. Zhu, H. Zou, S. Rosset, T. Hastie, "Multi-class AdaBoost", Statistics and its Interface 2(3), 2009.
    .. [2] Y. Freund, R. Schapire, "A decision-theoretic generalization of on-line learning", J. Computer and System
       Sciences 55(1), 1997.
    """

    tags = Tags(
        needs_labels=True,
        good_for="two classes and clean labels; every wrong label draws the later trees to it",
        cost="O(trees depth)",
        source="Freund and Schapire 1997; Zhu et al. 2009",
    )

    def __init__(
        self,
        *,
        trees: int = 50,
        depth: int = 4,
        rate: float = 1.0,
        class_weight: str | None = "balanced",
        oversample: float = False,
        seed: int = 0,
    ) -> None:
        self.trees = trees
        self.depth = depth
        self.rate = rate
        self.class_weight = class_weight
        self.oversample = oversample
        self.seed = seed

    def _check_settings(self) -> None:
        super()._check_settings()
        check_whole(self._name, "trees", self.trees, low=1)
        check_whole(self._name, "depth", self.depth, low=1)
        check_range(self._name, "rate", self.rate, low=float(np.nextafter(0.0, 1.0)))

    def _learn(self, rows: Array, codes: Codes) -> None:
        places, weights = self._drawn(codes)
        trees, value = _scikit.adaboost(
            rows[places], codes[places], weights, trees=self.trees, depth=self.depth, rate=self.rate, seed=self.seed
        )
        self.value_ = value
        self._keep(trees)

    def _scaled(self, X: Array) -> Array:
        return rounded(super()._scaled(X))

    def _chances(self, rows: Array) -> Array:
        return softmax(self._sums(rows, self.value_))
