"""The distance of a window to the nearest of a few typical windows."""

from __future__ import annotations

from redshank.core import Tags, check_whole
from redshank.core.contracts import Array
from redshank.detectors.classical import _scikit
from redshank.detectors.classical._nearest import by_channel, nearest
from redshank.detectors.classical._subsequence import SubsequenceDetector


class SubKMeansDetector(SubsequenceDetector):
    """Score the window that ends at a row by its distance to the nearest cluster centre of training windows.

    Parameters
    ----------
    window : int, default=None
        Rows in a window, at least 1. None takes the period of the training rows.
    clusters : int, default=20
        Centres, at least 1; fewer where there are fewer distinct windows.
    rows : int, default=5000
        Training windows clustered at most, at least 2. More are thinned out at random.
    seed : int, default=0
        Draws the windows and the first centres.

    Attributes
    ----------
    window_, mean_, scale_
        See :class:`~redshank.detectors.classical._subsequence.SubsequenceDetector`.
    reference_ : ndarray of shape (at most clusters, inputs)
        Centres, in training standard deviations, row after row.

    Notes
    -----
    ``score = min over c of |w - c|``, with ``w`` the window in training standard deviations and the centres those of
    k-means. The k-means of [1]_, cited in [2]_ as KMeansAD, clusters such windows too and gives a row the mean over all
    windows that hold it, later ones as well; here a window ends at the row. Windows are not normalised one by one, so a
    changed level counts. Needs the ``train`` extra to fit, not to score. Time O(rows clusters inputs) a pass to fit,
    O(clusters inputs) a row to score. Contributions part the distance as its square parts over the channels, and sum to
    the score.

    References
    ----------
    .. [1] T. Yairi, Y. Kato, K. Hori, "Fault detection by mining association rules from house-keeping data", i-SAIRAS,
       2001.
    .. [2] S. Schmidl, P. Wenig, T. Papenbrock, "Anomaly detection in time series: a comprehensive evaluation", PVLDB
       15(9), 2022.
    """

    tags = Tags(
        sequence=True,
        cheap=True,
        good_for="a few recurring shapes, such as machine cycles; a small model",
        cost="O(clusters window channels)",
        source="Yairi, Kato and Hori 2001",
    )

    def __init__(self, *, window: int | None = None, clusters: int = 20, rows: int = 5000, seed: int = 0) -> None:
        self.window = window
        self.clusters = clusters
        self.rows = rows
        self.seed = seed

    def _learn(self, points: Array) -> None:
        check_whole(self._name, "clusters", self.clusters, low=1)
        self.reference_ = _scikit.centres(points, self.clusters, self.seed)

    def _score(self, X: Array) -> Array:
        return self._over_windows(X, self._judge)[:, 0]

    def _contributions(self, X: Array) -> Array:
        return self._over_windows(X, self._judge_channels, channels=self.n_features_)

    def _judge(self, points: Array) -> Array:
        return nearest(points, self.reference_, 1)[0][:, 0]

    def _judge_channels(self, points: Array) -> Array:
        return by_channel(points, self.reference_, *nearest(points, self.reference_, 1), self.n_features_)
