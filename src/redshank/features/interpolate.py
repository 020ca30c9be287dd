"""Filling gaps: between two known readings for training, from the last known one for live use."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from redshank.core import LARGEST, InputError, check_range
from redshank.features._compiled import choose
from redshank.features._rows import Rows, known, rows


def interpolate(values: npt.ArrayLike, max_gap: int, time_ns: npt.ArrayLike | None = None) -> Rows:
    """Fill short gaps of each column along the straight line between their two ends.

    Not causal: a filled value depends on the reading that ends its gap. For live use see :func:`hold`.

    Parameters
    ----------
    values : array of shape (n, channels)
        Rows of one series, oldest first. What is NaN, infinite or larger than a reading may be is missing.
    max_gap : int
        Longest gap that is filled, in rows, at least 0. Longer gaps, and those at either end, stay NaN.
    time_ns : int64 array of shape (n,), default=None
        Strictly increasing times of the rows; without them the rows count as evenly spaced.

    Returns
    -------
    ndarray of shape (n, channels)
        A new array of the same dtype; known values are untouched.

    Raises
    ------
    InputError
        If ``values`` is not of two dimensions, or times do not fit the rows or do not increase.
    SettingError
        If ``max_gap`` is negative.
    """
    array = rows("interpolate", values)
    check_range("interpolate", "max_gap", max_gap, low=0)
    clock = _clock(len(array), time_ns)
    filled = np.empty_like(array)
    choose(_fill_loops, _fill_arrays, array.size)(array, filled, clock, int(max_gap))
    return filled


def hold(values: npt.ArrayLike, max_gap: int) -> Rows:
    """Fill gaps of each column with the last known value, for at most ``max_gap`` rows. Causal.

    Parameters
    ----------
    values : array of shape (n, channels)
        Rows of one series, oldest first. What is NaN, infinite or larger than a reading may be is missing.
    max_gap : int
        Rows for which a value is carried on, at least 0; later rows of a longer gap stay NaN.

    Returns
    -------
    ndarray of shape (n, channels)
        A new array of the same dtype; known values are untouched.

    Raises
    ------
    InputError
        If ``values`` is not of two dimensions.
    SettingError
        If ``max_gap`` is negative.
    """
    array = rows("hold", values)
    check_range("hold", "max_gap", max_gap, low=0)
    ours = np.arange(len(array))[:, None]
    last = np.where(known(array), ours, -1)
    np.maximum.accumulate(last, axis=0, out=last)
    held = np.take_along_axis(array, np.maximum(last, 0), axis=0)
    held[(last < 0) | (ours - last > max_gap)] = np.nan
    return held


def _clock(n: int, time_ns: npt.ArrayLike | None) -> npt.NDArray[np.int64]:
    if time_ns is None:
        return np.arange(n)
    clock = np.ascontiguousarray(time_ns, dtype=np.int64)
    if clock.shape != (n,):
        raise InputError(f"interpolate: time_ns has shape {clock.shape}; wanted one entry for each of {n} rows")
    if (np.diff(clock) <= 0).any():
        raise InputError("interpolate: time_ns does not increase from row to row; drop duplicates and sort first")
    return clock


def _fill_loops(array: Rows, filled: Rows, clock: npt.NDArray[np.int64], max_gap: int) -> None:
    n, channels = array.shape
    missing_before = 0
    for i in range(n):
        row, out = array[i], filled[i]
        missing = 0
        for j in range(channels):
            there = abs(row[j]) <= LARGEST
            out[j] = row[j] if there else np.nan
            missing += 0 if there else 1
        if missing_before > 0:
            for j in range(channels):
                if not abs(array[i - 1, j]) <= LARGEST and abs(row[j]) <= LARGEST:
                    start = i - 2
                    while start >= 0 and i - start - 1 <= max_gap and not abs(array[start, j]) <= LARGEST:
                        start -= 1
                    if start >= 0 and i - start - 1 <= max_gap:
                        low, high = np.float64(array[start, j]), np.float64(row[j])
                        for k in range(start + 1, i):
                            share = (clock[k] - clock[start]) / (clock[i] - clock[start])
                            filled[k, j] = low + (high - low) * share
        missing_before = missing


def _fill_arrays(array: Rows, filled: Rows, clock: npt.NDArray[np.int64], max_gap: int) -> None:
    n = len(array)
    there = known(array)
    filled[...] = np.where(there, array, np.nan)
    gappy = np.flatnonzero(~there.all(axis=0))
    there = there[:, gappy]
    ours = np.arange(n)[:, None]
    before = np.maximum.accumulate(np.where(there, ours, -1), axis=0)
    after = np.minimum.accumulate(np.where(there, ours, n)[::-1], axis=0)[::-1]
    row, column = np.nonzero(~there & (before >= 0) & (after < n) & (after - before - 1 <= max_gap))
    start, stop = before[row, column], after[row, column]
    column = gappy[column]
    share = (clock[row] - clock[start]) / (clock[stop] - clock[start])
    low, high = array[start, column].astype(np.float64), array[stop, column].astype(np.float64)
    filled[row, column] = low + (high - low) * share
