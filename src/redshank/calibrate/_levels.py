"""What the tail calibrators share: a tail for each statistic, and a level that keeps learning."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Self

import numpy as np
import numpy.typing as npt

from redshank.calibrate._statistic import FEW, centre_and_spread, compress
from redshank.calibrate._tail import PEAK_SHARE, Tail, fit_tail, peaks_over
from redshank.calibrate.budget import Budget
from redshank.core import Calibrated, Calibrator, InputError, check_range
from redshank.core.contracts import Array

BLOCK = 256
"""Rows between two updates of a device's level; fixed, so that a prefix gives the same levels."""
LARGEST_RISE = 1.5
"""A level learned in the stream stays below this multiple of the fitted one: what lasts must not become normal."""
GRID = 257
"""Quantiles kept of each statistic's body."""


class TailCalibrator(Calibrator):
    """Levels from the extreme-value tail of one or more statistics of the score, each with its part of the budget."""

    budget: str
    _proof = "tails_"
    devices_: npt.NDArray[np.str_]
    scales_: Array
    tails_: Array
    body_: Array
    interval_s_: float

    def _learn(self, series: list[Array]) -> None:
        """Learn what ``_statistics`` needs from compressed held-back scores."""

    def _check_settings(self) -> None:
        """Raise SettingError where a setting is out of range."""

    @abstractmethod
    def _statistics(self, u: Array) -> list[tuple[Array, int, Array]]:
        """Causal statistics of compressed scores.

        Each with the rows it looks back on, and with what a row's own ``u`` must rise by to raise it by 1.
        """

    def fit(self, scores: Mapping[str, Array], interval_s: float) -> Self:
        """Learn centre and spread of each device and the pooled tail; see :class:`redshank.core.Calibrator`.

        Raises
        ------
        InputError
            If there are fewer than 20 scores in all.
        SettingError
            If a setting is out of range.
        """
        Budget.parse(self.budget)
        self._check_settings()
        check_range(type(self).__name__, "interval_s", interval_s, 1e-9)
        known = {device: np.asarray(own, dtype=np.float64) for device, own in scores.items() if len(own)}
        count = sum(map(len, known.values()))
        if count < 20:
            raise InputError(
                f"{type(self).__name__}: {count} held-back scores; at least 20 are needed, give more normal data"
            )
        fleet = centre_and_spread(np.concatenate(list(known.values())))
        own_scale = [centre_and_spread(own) if len(own) >= FEW else fleet for own in known.values()]
        self.devices_ = np.array(list(known), dtype=np.str_)
        self.scales_ = np.array([*own_scale, fleet])
        self.interval_s_ = float(interval_s)
        compressed = [compress(own, *scale) for own, scale in zip(known.values(), own_scale, strict=True)]
        self._learn(compressed)
        per_device = [self._statistics(u) for u in compressed]
        tails, body = [], []
        for k, (_, gap, _) in enumerate(per_device[0]):
            series = [statistics[k][0] for statistics in per_device]
            tail = fit_tail(series, gap)
            tails.append((tail.start, tail.scale, tail.shape, tail.peaks_per_row, tail.rows, tail.largest))
            body.append(np.quantile(np.concatenate(series), np.linspace(0.0, 1.0, GRID)))
        self.tails_ = np.array(tails)
        self.body_ = np.array(body)
        return self

    def apply(self, device: str, scores: Array, ready: npt.NDArray[np.bool_]) -> Calibrated:
        """Judge one device's rows; see :class:`redshank.core.Calibrator`."""
        self._require_fit()
        p, level = np.ones(len(scores)), np.full(len(scores), np.inf)
        alarm = np.zeros(len(scores), np.bool_)
        if ready.any():
            centre, spread = self._scale_of(device)
            p[ready], alarm[ready], needed = self._judge(compress(scores[ready], centre, spread))
            with np.errstate(over="ignore"):  # a level beyond every float64 is infinite
                level[ready] = centre + spread * np.sign(needed) * np.expm1(np.minimum(np.abs(needed), 700.0))
        return Calibrated(p, alarm, level)

    def _scale_of(self, device: str) -> tuple[float, float]:
        found = np.flatnonzero(self.devices_ == device)
        centre, spread = self.scales_[found[0] if len(found) else -1]
        return float(centre), float(spread)

    def _judge(self, u: Array) -> tuple[Array, npt.NDArray[np.bool_], Array]:
        statistics = self._statistics(u)
        rate = Budget.parse(self.budget).per_device_second(len(self.devices_)) * self.interval_s_ / len(statistics)
        p, alarm, needed = np.ones(len(u)), np.zeros(len(u), np.bool_), np.full(len(u), np.inf)
        for (values, gap, step), numbers, body in zip(statistics, self.tails_, self.body_, strict=True):
            start, scale, shape, peaks_per_row, rows, largest = numbers.tolist()
            tail = Tail(start, scale, shape, peaks_per_row, int(rows), largest)
            levels = stream_levels(values, tail, rate, gap)
            alarm |= values > levels
            p = np.minimum(p, len(statistics) * survival(values, tail, body))
            needed = np.minimum(needed, u + (levels - values) * step)
        return p, alarm, needed


def stream_levels(values: Array, tail: Tail, rate: float, gap: int) -> Array:
    """Level of each row at ``rate`` events a row: the fitted tail, corrected by the rows that passed without alarm.

    The number of peaks and their mean excess are carried on block by block; peaks above the level are not learned
    from. The level never falls below the fitted one, since a quiet month is no reason to alarm sooner, nor does it
    rise above ``LARGEST_RISE`` times its height.
    """
    fitted = tail.level(rate)
    highest = tail.start + LARGEST_RISE * max(fitted - tail.start, tail.scale)
    levels = np.empty(len(values))
    events = tail.peaks_per_row * tail.rows
    total = events * tail.scale / (1.0 - tail.shape)
    level = fitted
    for first in range(0, len(values), BLOCK):
        block = values[first : first + BLOCK]
        levels[first : first + BLOCK] = level
        peaks = peaks_over(np.minimum(block, level), tail.start, gap)
        quiet = peaks[peaks < level] - tail.start
        events += len(quiet)
        total += float(quiet.sum())
        rows = tail.rows + first + len(block)
        mean = total / max(events, 1.0)
        now = Tail(tail.start, mean * (1.0 - tail.shape), tail.shape, max(events, 1.0) / rows, rows, tail.largest)
        level = min(max(now.level(rate), fitted), highest)
    return levels


def survival(values: Array, tail: Tail, body: Array) -> Array:
    """Probability that a normal row reaches each value: counted in the body, extrapolated in the tail."""
    # From above, so that of equal scores all count: a usual score that most rows have is no rare one.
    counted = np.interp(-values, -body[::-1], np.linspace(0.0, 1.0, len(body)))
    in_tail = PEAK_SHARE * tail.rate(values) / tail.peaks_per_row
    result: Array = np.where(values > tail.start, np.minimum(in_tail, PEAK_SHARE), np.maximum(counted, PEAK_SHARE))
    return result
