"""The distance to the nearest core point of the training rows."""

from __future__ import annotations

import numpy as np

from redshank.core import Tags, check_range, check_whole
from redshank.core.contracts import Array
from redshank.detectors.classical._nearest import nearest, within
from redshank.detectors.classical._reference import ReferenceDetector

DENSE = 0.9
"""Share of the training rows that are core points when ``radius`` is None."""


class DBSCANDetector(ReferenceDetector):
    """Score a row by its distance to the nearest training row that lies in a dense place.

    Parameters
    ----------
    neighbours : int, default=5
        Rows, itself among them, that a core point has within the radius, at least 1.
    radius : float, default=None
        In training standard deviations, above 0. None takes the one that makes 90 % of the training rows core points.
    rows : int, default=2000
        Training rows looked at, at least 2. More are thinned out at random.
    seed : int, default=0
        Draws the rows that are looked at.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_features,)
        Training mean and standard deviation, in the units of ``X``; a scale of 1 where a channel never moved.
    reference_ : ndarray of shape (core points, n_features)
        In training standard deviations.
    radius_ : float
        The radius that core points were told by.

    Notes
    -----
    Core points are those of DBSCAN [1]_. ``score(x) = min over core points c of |r - c|``: a row that [1]_ would call
    noise scores above ``radius_``. DBSCAN itself gives labels to the rows that it clusters and none to new ones; the
    distance is what orders them. Against kNN, rows of the training part that lie alone are not taken for normal. Where
    no row is dense enough, all are kept. Time O(m^2 d) to fit with m rows looked at, O(m d) a row to score.

    Contributions part the distance as its square parts over the channels, and sum to the score.

    References
    ----------
    .. [1] M. Ester, H.-P. Kriegel, J. Sander, X. Xu, "A density-based algorithm for discovering clusters", KDD, 1996.
    """

    tags = Tags(
        cheap=True,
        good_for="training rows with stray outliers among them: what lies alone is not normal",
        cost="O(rows channels)",
        source="Ester et al. 1996",
    )

    def __init__(self, *, neighbours: int = 5, radius: float | None = None, rows: int = 2000, seed: int = 0) -> None:
        self.neighbours = neighbours
        self.radius = radius
        self.rows = rows
        self.seed = seed

    def _learn(self, centred: Array) -> None:
        check_whole(self._name, "neighbours", self.neighbours, low=1)
        if self.radius is None:
            distances, _ = nearest(centred, centred, min(self.neighbours, len(centred)))
            self.radius_ = float(np.quantile(distances[:, -1], DENSE))
        else:
            check_range(self._name, "radius", self.radius, low=np.nextafter(0.0, 1.0))
            self.radius_ = float(self.radius)
        core = within(centred, centred, self.radius_) >= self.neighbours
        self.reference_ = centred[core] if core.any() else centred
