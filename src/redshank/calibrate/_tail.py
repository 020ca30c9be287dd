"""The far tail of normal scores: peaks over a threshold, counted as events and not as rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from redshank.calibrate._statistic import first_of_runs
from redshank.core.contracts import Array

SHAPE_LIMITS = (-0.4, 0.4)
"""Bounds of the fitted shape: outside, a few dozen peaks say more about their luck than about the tail."""
PEAK_SHARE = 0.02
"""Part of the rows above the initial threshold."""
CONFIDENCE = 1.645
"""The mean excess of n peaks is taken this many standard errors (1 / sqrt(n) of itself) above its estimate, the upper
end of a one-sided 95 % interval: a tail seen for a few days only must not promise more than it can keep."""
MANY_PEAKS = 50
"""From this many peaks on the fitted tail is trusted beyond what was seen."""
FEW_PEAKS = 10
"""Below this many peaks the tail is taken as exponential."""


@dataclass(frozen=True, slots=True)
class Tail:
    """Generalised Pareto tail of event peaks.

    ``rate(z)``, events per row whose peak exceeds ``z``, is
    ``peaks_per_row * (1 + shape (z - start) / scale) ** (-1 / shape)``.

    References
    ----------
    .. [1] A. Siffer et al., Anomaly detection in streams with extreme value theory, KDD 2017.
    .. [2] J. R. M. Hosking, J. R. Wallis, Technometrics 29(3), 1987 (probability-weighted moments).
    """

    start: float
    scale: float
    shape: float
    peaks_per_row: float
    rows: int
    largest: float

    def level(self, events_per_row: float) -> float:
        """Value that normal peaks exceed at this rate; with few, not below the largest if less than one was due."""
        ratio = max(events_per_row / self.peaks_per_row, 1e-300)
        if ratio >= 1.0:
            return self.start
        above = -np.log(ratio) if abs(self.shape) < 1e-6 else (ratio**-self.shape - 1.0) / self.shape
        level = self.start + self.scale * above
        seldom = events_per_row * self.rows < 1.0 and self.peaks_per_row * self.rows < MANY_PEAKS
        return float(max(level, self.largest) if seldom else level)

    def rate(self, values: Array) -> Array:
        """Events per row whose peak exceeds each value; at ``start`` and below the rate of peaks."""
        above = np.maximum(values - self.start, 0.0) / self.scale
        if abs(self.shape) < 1e-6:
            return self.peaks_per_row * np.exp(-above)
        inside = np.maximum(1.0 + self.shape * above, 0.0)
        with np.errstate(divide="ignore"):
            return np.asarray(self.peaks_per_row * inside ** (-1.0 / self.shape), dtype=np.float64)


def fit_tail(series: list[Array], gap: int) -> Tail:
    """Tail of the peaks of several series; exceedances within ``gap`` rows of each other are one event."""
    together = np.concatenate(series)
    start = float(np.quantile(together, 1.0 - PEAK_SHARE))
    peaks = np.concatenate([peaks_over(one, start, gap) for one in series])
    excess = peaks[peaks > start] - start
    spread = float(together.std()) or 1.0
    rows = len(together)
    if not len(excess):
        return Tail(start, spread * 0.1, 0.0, 1.0 / rows, rows, start)
    scale, shape = _moments(excess) if len(excess) >= FEW_PEAKS else (float(excess.mean()), 0.0)
    scale *= 1.0 + CONFIDENCE / np.sqrt(len(excess))
    return Tail(start, max(scale, 1e-6 * spread), shape, len(excess) / rows, rows, float(together.max()))


def peaks_over(values: Array, start: float, gap: int) -> Array:
    """Largest value of each run of exceedances of ``start``; runs are parted by more than ``gap`` rows."""
    rows = np.flatnonzero(values > start)
    if not len(rows):
        return np.empty(0)
    return np.asarray(np.maximum.reduceat(values[rows], np.flatnonzero(first_of_runs(rows, gap))))


def _moments(excess: Array) -> tuple[float, float]:
    ordered = np.sort(excess)
    count = len(ordered)
    weights = 1.0 - (np.arange(1, count + 1) - 0.35) / count  # plotting positions of Hosking and Wallis
    mean, weighted = float(ordered.mean()), float((weights * ordered).mean())
    if mean <= 2.0 * weighted:
        return mean, 0.0
    shape = float(np.clip(2.0 - mean / (mean - 2.0 * weighted), *SHAPE_LIMITS))
    return mean * (1.0 - shape), shape  # the mean of a generalised Pareto variable is scale / (1 - shape)
