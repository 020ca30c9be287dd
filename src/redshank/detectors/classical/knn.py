"""The mean distance to the nearest training rows."""

from __future__ import annotations

from redshank.core import Tags, check_whole
from redshank.core.contracts import Array
from redshank.detectors.classical._reference import ReferenceDetector


class KNNDetector(ReferenceDetector):
    """Score a row by its mean distance to the nearest training rows.

    Parameters
    ----------
    neighbours : int, default=5
        How many of the nearest, at least 1; where fewer rows were kept, all of them.
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

    Notes
    -----
    ``score(x) = mean over i = 1..k of |r - r_(i)|``, with ``r`` the row in training standard deviations and ``r_(i)``
    the i-th nearest row kept, as in [1]_; [2]_ takes the k-th distance alone. Thinning to m of n rows makes distances
    larger by about ``(n / m)^(1 / d)``, all of them alike, and is no fault of a row. A row that was trained on finds
    itself, at a distance of 0; levels must come from rows held back. Time O(m d) a row to score, none to fit.

    Contributions part each distance as its square parts over the channels, and sum to the score.

    References
    ----------
    .. [1] F. Angiulli, C. Pizzuti, "Fast outlier detection in high dimensional spaces", PKDD, 2002.
    .. [2] S. Ramaswamy, R. Rastogi, K. Shim, "Efficient algorithms for mining outliers from large data sets",
       SIGMOD, 2000.
    """

    tags = Tags(
        cheap=True,
        good_for="normal rows of any shape: several regimes, curves, clusters; nothing is assumed",
        cost="O(rows channels)",
        source="Angiulli and Pizzuti 2002",
    )

    def __init__(self, *, neighbours: int = 5, rows: int = 2000, seed: int = 0) -> None:
        self.neighbours = neighbours
        self.rows = rows
        self.seed = seed

    @property
    def _neighbours(self) -> int:
        return self.neighbours

    def _learn(self, centred: Array) -> None:
        check_whole(self._name, "neighbours", self.neighbours, low=1)
        self.reference_ = centred
