"""Anomaly likelihood: how unusual the recent mean of the score is against its own long history."""

from __future__ import annotations

import numpy as np

from redshank.calibrate._levels import TailCalibrator
from redshank.calibrate._statistic import settled_mean, trailing_mean
from redshank.core import check_range
from redshank.core.contracts import Array

CEILING = 3.0
"""Compressed score (19 interquartile ranges above the median) beyond which history is not moved any further."""


class LikelihoodCalibrator(TailCalibrator):
    """Rolling tail probability of the short-term mean of the score against a long history.

    Follows a detector whose normal score level wanders, at the price of growing used to what lasts longer than
    ``history``; see :class:`ExtremeCalibrator` for one that does not.

    Parameters
    ----------
    budget : str, default="1 per device per week"
        False alarms allowed, counted as events.
    short, history : int, default=10, 4000
        Rows of the recent mean and of the history before it.

    Notes
    -----
    [1]_ takes the Gaussian tail of ``z = (short mean - mean) / deviation``; scores are not Gaussian, so the tail of
    ``z`` is fitted on held-back normal data instead (peaks over threshold), which keeps the budget.

    References
    ----------
    .. [1] S. Ahmad et al., Unsupervised real-time anomaly detection for streaming data, Neurocomputing 262, 2017.
    """

    prior_: Array

    def __init__(self, *, budget: str = "1 per device per week", short: int = 10, history: int = 4000) -> None:
        self.budget = budget
        self.short = short
        self.history = history

    def _learn(self, series: list[Array]) -> None:
        tame = np.minimum(np.concatenate(series), CEILING)
        self.prior_ = np.array([tame.mean(), max(float(tame.std()), 1e-3)])

    def _check_settings(self) -> None:
        check_range("LikelihoodCalibrator", "short", self.short, 1)
        check_range("LikelihoodCalibrator", "history", self.history, 1)

    def _statistics(self, u: Array) -> list[tuple[Array, int, Array]]:
        centre, spread = self.prior_
        # History ends before the short mean begins; what held-back data showed stands in for what has not come yet.
        tame = np.concatenate([np.zeros(self.short), np.minimum(u, CEILING) - centre])[: len(u)]
        weight = np.minimum(np.arange(1, len(u) + 1), self.history) / self.history
        mean = weight * trailing_mean(tame, self.history)
        square = weight * trailing_mean(tame**2, self.history) + (1.0 - weight) * spread**2
        deviation = np.sqrt(np.maximum(square - mean**2, 1e-6))
        z = (settled_mean(u - centre, self.short) - mean) / deviation
        return [(z, self.short, deviation * self.short)]
