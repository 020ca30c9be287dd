"""The vote of the nearest training rows."""

from __future__ import annotations

import numpy as np

from redshank.core import Tags, check_whole
from redshank.core.contracts import Array
from redshank.detectors._imbalance import undersampled
from redshank.detectors.classical._labelled import Codes, RowClassifier
from redshank.detectors.classical._nearest import nearest

SPARE = 8
"""Neighbours found beyond those that vote: among equally near ones the first kept votes, whatever the rounding."""


class KNNClassifierDetector(RowClassifier):
    """Name a row's class by the vote of the nearest training rows, the nearer the more.

    Parameters
    ----------
    neighbours : int, default=5
        How many vote, at least 1; where fewer rows were kept, all of them.
    rows : int, default=4000
        Training rows kept at most, at least 2, with copies. Where there are more, the large classes are thinned out
        at random to equal numbers, the small ones stay whole.
    class_weight : {"balanced", None}, default=None
        ``"balanced"``: the vote of a row counts inversely to its class. Not here: the single row of a kind seen once
        would outvote all around it.
    oversample : float or bool, default=False
        Rows of rare classes are repeated until each has this share of the rows of the largest; True is 1.
    seed : int, default=0
        Draws the rows that are kept.

    Attributes
    ----------
    middle_, spread_, low_, high_ : ndarray of shape (n_features,)
        Scaling, as in logistic regression.
    reference_ : ndarray of shape (at most rows, n_features)
        The rows kept, scaled.
    class_ : ndarray of shape (at most rows,)
        Their place in ``classes_``.
    vote_ : ndarray of shape (at most rows,)
        Their weight.

    Notes
    -----
    The rule of [1]_ with the votes of [2]_: inversely to the distance, all of the vote to equal rows where there are
    some. Rows of a thinned class vote as they are, so thinning makes the common classes less sure. Time O(rows d) a
    row to score; nothing needs scikit-learn.

    References
    ----------
    .. [1] T. Cover, P. Hart, "Nearest neighbor pattern classification", IEEE Trans. Information Theory 13(1), 1967.
    .. [2] S. A. Dudani, "The distance-weighted k-nearest-neighbor rule", IEEE Trans. Systems, Man, Cybernetics 6(4),
       1976; there the vote falls linearly with the distance.
    """

    tags = Tags(
        needs_labels=True,
        cheap=True,
        good_for="known kinds of any shape, few channels; learns at once, also without scikit-learn",
        cost="O(rows channels)",
        source="Cover and Hart 1967; Dudani 1976",
    )

    def __init__(
        self,
        *,
        neighbours: int = 5,
        rows: int = 4000,
        class_weight: str | None = None,
        oversample: float = False,
        seed: int = 0,
    ) -> None:
        self.neighbours = neighbours
        self.rows = rows
        self.class_weight = class_weight
        self.oversample = oversample
        self.seed = seed

    def _check_settings(self) -> None:
        super()._check_settings()
        check_whole(self._name, "neighbours", self.neighbours, low=1)
        check_whole(self._name, "rows", self.rows, low=2)

    def _learn(self, rows: Array, codes: Codes) -> None:
        places, weights = self._drawn(codes)
        kept = undersampled(codes[places], self.rows, self.seed)
        self.reference_, self.class_, self.vote_ = rows[places[kept]], codes[places[kept]], weights[kept]

    def _chances(self, rows: Array) -> Array:
        k, known = self.neighbours, len(self.reference_)
        distances, places = nearest(rows, self.reference_, min(k + SPARE, known))
        order = np.lexsort((places, distances))[:, :k]
        distances, places = np.take_along_axis(distances, order, axis=1), np.take_along_axis(places, order, axis=1)
        same = distances == 0.0
        near = np.where(same.any(axis=1, keepdims=True), same, 1.0 / np.where(same, 1.0, distances))
        cells = np.arange(len(rows))[:, None] * len(self.classes_) + self.class_[places]
        votes = np.bincount(
            cells.ravel(), (near * self.vote_[places]).ravel(), minlength=len(rows) * len(self.classes_)
        )
        votes = votes.reshape(len(rows), -1)
        chances: Array = votes / votes.sum(axis=1, keepdims=True)
        return chances
