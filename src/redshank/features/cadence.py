"""Rows that do not come at equal steps: how irregular they are, their place on a grid, the gap as a value."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from redshank.core import InputError, check_range

UNEVEN = 0.25
"""Part of the usual interval by which a step may be longer or shorter and still count as regular."""
MOST_HELD = 100
"""Grid steps that one gap fills at most: what lies behind a longer one would see nothing but copies."""
LARGEST_RATIO = 10.0
"""Natural logarithm at which the ratio of a gap to the usual interval is cut, on both sides."""

Times = npt.NDArray[np.int64]


def irregular_share(time_ns: npt.ArrayLike, interval_ns: float) -> float:
    """Share of the steps between rows, oldest first, that differ from the usual interval by more than a quarter of it.

    0 where there is no step.
    """
    steps = _steps(time_ns, interval_ns)
    return float(np.mean(np.abs(steps - 1.0) > UNEVEN)) if len(steps) else 0.0


def grid_places(time_ns: npt.ArrayLike, interval_ns: float) -> npt.NDArray[np.intp]:
    """The step of a regular grid that each row of a series stands at, strictly increasing from 0; shape (n,).

    A gap counts as the nearest whole number of intervals, at least 1, so that no two rows share a step, and at most
    100. Causal, and the distance of two rows depends on the rows between them alone.
    """
    steps = np.clip(np.rint(_steps(time_ns, interval_ns)), 1, MOST_HELD).astype(np.intp)
    places = np.zeros(np.size(time_ns), np.intp)
    np.cumsum(steps, out=places[1:])
    return places


def log_gaps(time_ns: npt.ArrayLike, interval_ns: float) -> npt.NDArray[np.float32]:
    """Logarithm of the time since the row before over the usual interval, shape (n,); 0 for the first row."""
    gaps = np.zeros(np.size(time_ns), np.float32)
    with np.errstate(divide="ignore"):
        gaps[1:] = np.clip(np.log(_steps(time_ns, interval_ns)), -LARGEST_RATIO, LARGEST_RATIO)
    return gaps


def _steps(time_ns: npt.ArrayLike, interval_ns: float) -> npt.NDArray[np.float64]:
    """Steps in usual intervals, shape (n - 1,)."""
    times: Times = np.asarray(time_ns, dtype=np.int64)
    check_range("cadence", "interval_ns", interval_ns, low=1)
    if times.ndim != 1:
        raise InputError(f"cadence: time_ns has shape {times.shape}; wanted one time for each row")
    steps = np.diff(times)
    if (steps < 0).any():
        raise InputError("cadence: time_ns runs backwards; sort the rows first")
    return steps / interval_ns
