"""Conformal p-values: a guarantee for finite samples, as fine as the calibration set is large."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np
import numpy.typing as npt

from redshank.calibrate._statistic import FEW, centre_and_spread, first_of_runs
from redshank.calibrate.budget import Budget
from redshank.core import Calibrated, Calibrator, InputError, check_range
from redshank.core.contracts import Array

RUN_QUANTILE = 0.99
"""Scores above this quantile show how long exceedances last."""
RUN_GAP = 10
"""Rows between exceedances that still count as one event."""


class ConformalCalibrator(Calibrator):
    """``p = (1 + calibration scores at least as high) / (n + 1)``; an alarm where ``p`` is at most the allowed rate.

    If normal rows are exchangeable with the calibration rows, at most a share ``alpha`` of them has
    ``p <= alpha`` [1]_. No ``p`` is below ``1 / (n + 1)``: a budget finer than that cannot be promised, ``finest_``
    tells what can.

    Parameters
    ----------
    budget : str, default="1 per device per week"
        False alarms allowed, counted as events; the allowed share of rows is this rate times the usual event length.

    Attributes
    ----------
    finest_ : float
        ``1 / (n + 1)``.
    event_rows_ : float
        Rows that an event of the largest scores usually lasts.

    References
    ----------
    .. [1] S. Bates et al., Testing for outliers with conformal p-values, Annals of Statistics 51(1), 2023.
    """

    _proof = "sorted_"
    devices_: npt.NDArray[np.str_]
    scales_: Array
    sorted_: Array
    finest_: float
    event_rows_: float
    interval_s_: float

    def __init__(self, *, budget: str = "1 per device per week") -> None:
        self.budget = budget

    def fit(self, scores: Mapping[str, Array], interval_s: float) -> Self:
        """Keep the held-back scores in order; see :class:`redshank.core.Calibrator`."""
        Budget.parse(self.budget)
        check_range("ConformalCalibrator", "interval_s", interval_s, 1e-9)
        known = {device: np.asarray(own, dtype=np.float64) for device, own in scores.items() if len(own)}
        count = sum(map(len, known.values()))
        if count < 20:
            raise InputError(
                f"ConformalCalibrator: {count} held-back scores; at least 20 are needed, give more normal data"
            )
        fleet = centre_and_spread(np.concatenate(list(known.values())))
        self.devices_ = np.array(list(known), dtype=np.str_)
        self.scales_ = np.array(
            [centre_and_spread(own) if len(own) >= FEW else fleet for own in known.values()] + [fleet]
        )
        scaled = [(own - centre) / spread for own, (centre, spread) in zip(known.values(), self.scales_, strict=False)]
        self.sorted_ = np.sort(np.concatenate(scaled))
        above = [np.flatnonzero(own > np.quantile(self.sorted_, RUN_QUANTILE)) for own in scaled]
        events = sum(int(first_of_runs(rows, RUN_GAP).sum()) for rows in above)
        length = sum(map(len, above)) / max(events, 1)
        self.finest_ = 1.0 / (count + 1)
        self.event_rows_ = max(length, 1.0)
        self.interval_s_ = float(interval_s)
        return self

    @property
    def alpha_(self) -> float:
        """Share of normal rows that may alarm, never below ``finest_``."""
        rate = Budget.parse(self.budget).per_device_second(len(self.devices_)) * self.interval_s_
        return max(rate * self.event_rows_, self.finest_)

    def apply(self, device: str, scores: Array, ready: npt.NDArray[np.bool_]) -> Calibrated:
        """Judge one device's rows; see :class:`redshank.core.Calibrator`."""
        self._require_fit()
        found = np.flatnonzero(self.devices_ == device)
        centre, spread = self.scales_[found[0] if len(found) else -1]
        count = len(self.sorted_)
        with np.errstate(over="ignore"):
            scaled = (scores - centre) / spread
        p = (1.0 + count - np.searchsorted(self.sorted_, scaled, side="left")) / (count + 1.0)
        allowed = int(self.alpha_ * (count + 1.0) + 1e-9) - 1  # calibration scores that may lie at or above an alarm
        highest = self.sorted_[count - 1 - allowed] if allowed < count else -np.inf
        alarm = ready & (scaled > highest)  # the same rows as p <= alpha_
        return Calibrated(np.where(ready, p, 1.0), alarm, np.where(ready, centre + spread * highest, np.inf))
