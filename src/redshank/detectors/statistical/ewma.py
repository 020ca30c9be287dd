"""Distance from an exponentially weighted mean of the past."""

from __future__ import annotations

from redshank.core import Tags, check_whole
from redshank.core.contracts import Array
from redshank.detectors.statistical._residual import FIRST_ROWS, ResidualDetector


class EWMADetector(ResidualDetector):
    """Score each channel by its distance from the exponentially weighted mean of its own past.

    Parameters
    ----------
    lag : int, default=30
        Time constant of the mean in rows, at least 2.

    Attributes
    ----------
    scale_, spread_ : ndarray of shape (n_features,)
        Usual distance from the training median, in the units of ``X``, and from the mean, in units of ``scale_``.
    band_ : ndarray of shape (2, n_features)
        Range that held 99 % of the training residuals, in units of ``scale_``.

    Notes
    -----
    ``m_t = m_{t-1} + max(1 / t, 1 / lag) (x_t - m_{t-1})`` and ``score = sum_j ((x_tj - m_{t-1,j}) / spread_j)^2``: the
    residual of the chart of [1]_, which charts the mean itself. What enters the mean is cleaned as in [2]_: a reading
    farther than 4 spreads from it is clipped there. Unlike theirs, our limit doubles with every ``lag`` odd readings
    in a row, so that a lasting change of any size is learned in the end, and our spread is that of training.
    Time O(n_features) a row.

    References
    ----------
    .. [1] S. W. Roberts, "Control chart tests based on geometric moving averages", Technometrics 1(3), 1959.
    .. [2] S. Gelper, R. Fried, C. Croux, "Robust forecasting with exponential and Holt-Winters smoothing", Journal of
       Forecasting 29(3), 2010.
    """

    tags = Tags(
        sequence=True,
        streams=True,
        cheap=True,
        good_for="a reading that jumps away from a level that drifts; keeps up with change, needs almost no history",
        cost="O(channels)",
        source="Roberts 1959",
    )

    def __init__(self, *, lag: int = 30) -> None:
        self.lag = lag

    @property
    def warmup(self) -> int:
        """Rows of a series that must come before the first real score."""
        return FIRST_ROWS

    def _learn(self, series: list[Array]) -> None:  # noqa: ARG002 - only the setting is looked at
        check_whole(self._name, "lag", self.lag, low=2)

    def _ahead(self, rows: Array) -> Array:
        mean: Array = rows[:1].sum(axis=0)

        def ahead(cleaned: Array, t: int) -> Array:
            nonlocal mean
            mean = mean + max(1.0 / t, 1.0 / self.lag) * (cleaned[t - 1] - mean)
            return mean

        return self._follow(rows, self.lag, ahead)
