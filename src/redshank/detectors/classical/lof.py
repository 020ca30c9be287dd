"""The local outlier factor of new rows among the training rows."""

from __future__ import annotations

import numpy as np

from redshank.core import Tags, check_whole
from redshank.core.contracts import Array
from redshank.detectors.classical._nearest import by_channel, nearest
from redshank.detectors.classical._reference import ReferenceDetector
from redshank.detectors.classical._standard import standardised

TOUCHING = 1e-10
"""Added to mean reachability distances, so that rows that repeat each other have a finite density; scikit-learn's."""


class LOFDetector(ReferenceDetector):
    """Score a row by how much thinner the training rows lie around it than around its neighbours.

    Parameters
    ----------
    neighbours : int, default=20
        How many of the nearest, at least 1; where fewer rows were kept, all others.
    rows : int, default=2000
        Training rows kept at most, at least 2. More are thinned out at random.
    seed : int, default=0
        Draws the rows that are kept.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_features,)
        Training mean and standard deviation, in the units of ``X``; a scale of 1 where a channel never moved.
    reference_ : ndarray of shape (at most rows, n_features)
        The rows kept, in training standard deviations.
    reach_ : ndarray of shape (at most rows,)
        Distance of each to its k-th neighbour.
    density_ : ndarray of shape (at most rows,)
        Local reachability density of each.

    Notes
    -----
    With ``N(x)`` the k nearest rows kept, ``reachability(x, o) = max(|x - o|, reach(o))`` and
    ``density(x) = 1 / mean of reachability(x, o) over N(x)``, ``score(x) = mean of density(o) over N(x) / density(x)``
    [1]_: about 1 on normal rows. New rows are compared with training rows only, so a row has one score whatever comes
    with it (scikit-learn's ``novelty=True``). Where readings repeat exactly, densities of :data:`TOUCHING` make small
    deviations huge: noise-free, quantised channels are better served by ``knn``. Time O(m^2 d) to fit with m rows kept,
    O(m d) a row to score.

    Contributions part the score as the mean distance to the neighbours parts over the channels.

    References
    ----------
    .. [1] M. M. Breunig, H.-P. Kriegel, R. T. Ng, J. Sander, "LOF: identifying density-based local outliers", SIGMOD,
       2000.
    """

    tags = Tags(
        cheap=True,
        good_for="regimes of unlike spread: a step that is large for its own regime only",
        cost="O(rows channels)",
        source="Breunig et al. 2000",
    )

    def __init__(self, *, neighbours: int = 20, rows: int = 2000, seed: int = 0) -> None:
        self.neighbours = neighbours
        self.rows = rows
        self.seed = seed

    @property
    def _neighbours(self) -> int:
        return min(self.neighbours, len(self.reference_) - 1)

    def _learn(self, centred: Array) -> None:
        check_whole(self._name, "neighbours", self.neighbours, low=1)
        self.reference_ = centred
        distances, places = nearest(centred, centred, self._neighbours, skip_own=True)
        self.reach_ = distances[:, -1].copy()
        self.density_ = 1.0 / (np.maximum(distances, self.reach_[places]).mean(axis=1) + TOUCHING)

    def _score(self, X: Array) -> Array:
        distances, places = nearest(standardised(X, self.mean_, self.scale_), self.reference_, self._neighbours)
        reachability = np.maximum(distances, self.reach_[places]).mean(axis=1) + TOUCHING
        scores: Array = self.density_[places].mean(axis=1) * reachability
        return scores

    def _contributions(self, X: Array) -> Array:
        centred = standardised(X, self.mean_, self.scale_)
        found = nearest(centred, self.reference_, self._neighbours)
        parts = by_channel(centred, self.reference_, *found, self.n_features_)
        total = parts.sum(axis=1, keepdims=True)
        shares = np.divide(parts, total, out=np.full_like(parts, 1.0 / self.n_features_), where=total > 0)
        scaled: Array = shares * self._score(X)[:, None]
        return scaled
