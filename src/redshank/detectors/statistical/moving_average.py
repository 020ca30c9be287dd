"""Distance from the mean of the last rows."""

from __future__ import annotations

from redshank.core import Tags, check_whole
from redshank.core.contracts import Array
from redshank.detectors.statistical._residual import FIRST_ROWS, ResidualDetector
from redshank.detectors.statistical._trend import trend_ahead


class MovingAverageDetector(ResidualDetector):
    """Score each channel by its distance from the mean of its own last rows.

    Parameters
    ----------
    window : int, default=60
        Rows in the mean, at least 2, the row that is judged not among them.

    Attributes
    ----------
    scale_, spread_ : ndarray of shape (n_features,)
        Usual distance from the training median, in the units of ``X``, and from the mean, in units of ``scale_``.
    band_ : ndarray of shape (2, n_features)
        Range that held 99 % of the training residuals, in units of ``scale_``.

    Notes
    -----
    ``score = sum_j ((x_tj - mean(c_{t-window,j} .. c_{t-1,j})) / spread_j)^2`` with ``c`` the readings, clipped to 4
    spreads from what was expected of them; the limit doubles with every ``window`` odd readings in a row. Unlike the
    weighted mean of ``ewma``, this one forgets a reading altogether after ``window`` rows. Deviations from a moving
    average are as old as control charts [1]_; the spread is that of training. Time O(window n_features) a row.

    References
    ----------
    .. [1] W. A. Shewhart, "Economic control of quality of manufactured product", Van Nostrand, 1931.
    """

    tags = Tags(
        sequence=True,
        streams=True,
        cheap=True,
        good_for="a reading unlike those of the last hour, whatever the level was in training",
        cost="O(window channels)",
        source="Shewhart 1931",
    )

    def __init__(self, *, window: int = 60) -> None:
        self.window = window

    @property
    def warmup(self) -> int:
        """Rows of a series that must come before the first real score."""
        return FIRST_ROWS

    def _learn(self, series: list[Array]) -> None:  # noqa: ARG002 - only the setting is looked at
        check_whole(self._name, "window", self.window, low=2)

    def _ahead(self, rows: Array) -> Array:
        return self._follow(rows, self.window, trend_ahead(self.window, 0))
