"""The distance to the nearest cluster centre of the training rows."""

from __future__ import annotations

from redshank.core import Tags, check_whole
from redshank.core.contracts import Array
from redshank.detectors.classical import _scikit
from redshank.detectors.classical._reference import ReferenceDetector


class KMeansDetector(ReferenceDetector):
    """Score a row by its distance to the nearest cluster centre of the training rows.

    Parameters
    ----------
    clusters : int, default=10
        Centres, at least 1; fewer where there are fewer distinct rows.
    rows : int, default=20000
        Training rows clustered at most, at least 2. More are thinned out at random.
    seed : int, default=0
        Draws the rows and the first centres.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_features,)
        Training mean and standard deviation, in the units of ``X``; a scale of 1 where a channel never moved.
    reference_ : ndarray of shape (at most clusters, n_features)
        Centres, in training standard deviations.

    Notes
    -----
    ``score(x) = min over c of |r - c|`` with ``r`` the row in training standard deviations and the centres those of
    [1]_, learned by scikit-learn from four starts. Needs the ``train`` extra to fit, not to score. Time O(n clusters d)
    a pass to fit, O(clusters d) a row to score: the smallest model that knows several regimes.

    Contributions part the distance as its square parts over the channels, and sum to the score.

    References
    ----------
    .. [1] S. P. Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information Theory 28(2), 1982.
    """

    tags = Tags(
        cheap=True,
        good_for="a few distinct regimes; a model of some ten rows that a small machine scores fast",
        cost="O(clusters channels)",
        source="Lloyd 1982",
    )

    def __init__(self, *, clusters: int = 10, rows: int = 20000, seed: int = 0) -> None:
        self.clusters = clusters
        self.rows = rows
        self.seed = seed

    def _learn(self, centred: Array) -> None:
        check_whole(self._name, "clusters", self.clusters, low=1)
        self.reference_ = _scikit.centres(centred, self.clusters, self.seed)
