"""From raw scores to comparable ones: one scale for all devices, sharp and smooth at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from redshank.core.contracts import Array

FEW = 50
"""Scores below which a device borrows the centre and spread of the fleet."""
FARTHEST = 1e300
"""Distance from the median, in spreads, beyond which scores are told apart no more: an infinite one would stay in
every running sum behind it."""


def centre_and_spread(scores: Array) -> tuple[float, float]:
    """Median and interquartile range of scores; the range is never 0."""
    low, middle, high = np.quantile(scores, (0.25, 0.5, 0.75))
    spread = float(high - low) or float(scores.std()) or max(abs(float(middle)), 1.0)
    return float(middle), spread


def compress(scores: Array, centre: float, spread: float) -> Array:
    """``sign(u) log(1 + |u|)`` with ``u = (score - centre) / spread``: monotone, tames heavy tails."""
    with np.errstate(over="ignore"):
        u = np.clip((scores - centre) / spread, -FARTHEST, FARTHEST)
    compressed: Array = np.sign(u) * np.log1p(np.abs(u))
    return compressed


def trailing_mean(values: Array, rows: int) -> Array:
    """Mean of the last ``rows`` values, of as many as there are at the start; causal, shape (n,)."""
    if rows == 1 or not len(values):
        return values
    sums = np.cumsum(values)
    mean = sums / np.arange(1, len(values) + 1)
    mean[rows:] = (sums[rows:] - sums[:-rows]) / rows
    return mean


def settled_mean(values: Array, rows: int) -> Array:
    """Mean of the last ``rows`` values, with 0 for those before the first: one odd reading at the start is but one."""
    mean_of: Array = trailing_mean(values, rows) * np.minimum(np.arange(1.0, len(values) + 1.0), float(rows)) / rows
    return mean_of


def first_of_runs(rows: npt.NDArray[np.intp], gap: int) -> npt.NDArray[np.bool_]:
    """Which of these ascending row numbers stand more than ``gap`` rows behind the one before."""
    first: npt.NDArray[np.bool_] = np.diff(rows, prepend=rows[:1] - gap - 1) > gap
    return first
