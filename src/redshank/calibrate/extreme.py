"""Alarm levels from extreme-value theory, at several degrees of smoothing."""

from __future__ import annotations

import numpy as np

from redshank.calibrate._levels import TailCalibrator
from redshank.calibrate._statistic import settled_mean
from redshank.core import SettingError, check_range
from redshank.core.contracts import Array


class ExtremeCalibrator(TailCalibrator):
    """Peaks over threshold of the compressed score and of its trailing means; the level goes on learning in the stream.

    Parameters
    ----------
    budget : str, default="1 per device per week"
        False alarms allowed, counted as events: exceedances close together are one.
    windows : tuple of int, default=(1, 10, 60)
        Rows of the trailing means. The first catches a single odd reading, the last a small, lasting change. Each
        gets an equal part of the budget.

    Notes
    -----
    Scores are first brought to one scale for the fleet: ``sign(u) log(1 + |u|)`` with ``u`` the distance from the
    device's own median in interquartile ranges. In the stream, rate and mean excess of peaks below the level are
    carried on (as SPOT does), bounded so that a lasting fault cannot make itself normal. Departs from [1]_ in counting
    events instead of rows and in fitting by probability-weighted moments.

    References
    ----------
    .. [1] A. Siffer et al., Anomaly detection in streams with extreme value theory, KDD 2017.
    """

    def __init__(self, *, budget: str = "1 per device per week", windows: tuple[int, ...] = (1, 10, 60)) -> None:
        self.budget = budget
        self.windows = windows

    def _check_settings(self) -> None:
        if not self.windows:
            raise SettingError("ExtremeCalibrator: windows is empty; wanted at least one number of rows")
        for rows in self.windows:
            check_range("ExtremeCalibrator", "windows", rows, 1)

    def _statistics(self, u: Array) -> list[tuple[Array, int, Array]]:
        return [(settled_mean(u, rows), rows, np.full(len(u), float(rows))) for rows in self.windows]
