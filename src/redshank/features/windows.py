"""Cutting series: into windows without copying, at gaps, and by their period."""

from __future__ import annotations

import itertools
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from redshank.core import InputError, check_range
from redshank.features._rows import Rows, known, rows

T = TypeVar("T", bound=np.generic)

ROUNDING = 1e-12
"""Share of a channel's size below which a change is rounding."""

LEAST_CORRELATION = 0.3
"""Autocorrelation that a period must reach: a rhythm that explains less than about a tenth is none worth using."""

NEAR_HIGHEST = 0.9
"""Share of the highest peak at which an earlier one is taken for the period and the highest for a multiple of it."""


def windows(values: npt.NDArray[T], size: int, stride: int = 1) -> npt.NDArray[T]:
    """All windows of a series, as a read-only view that copies nothing.

    Parameters
    ----------
    values : ndarray of shape (n, channels)
        Rows of one series, oldest first, of any dtype.
    size : int
        Rows in a window, at least 1.
    stride : int, default=1
        Rows between the starts of two windows, at least 1.

    Returns
    -------
    ndarray of shape (windows, size, channels)
        Window ``k`` is ``values[k * stride : k * stride + size]``; none where the series is shorter than ``size``.

    Raises
    ------
    InputError
        If ``values`` is not of two dimensions.
    SettingError
        If ``size`` or ``stride`` is below 1.
    """
    if values.ndim != 2:
        raise InputError(f"windows: values have shape {values.shape}; wanted (rows, channels)")
    check_range("windows", "size", size, low=1)
    check_range("windows", "stride", stride, low=1)
    if len(values) < size:
        none = np.empty((0, size, values.shape[1]), values.dtype)
        none.setflags(write=False)
        return none
    every = np.lib.stride_tricks.sliding_window_view(values, size, axis=0)
    return every[::stride].transpose(0, 2, 1)


def segments(time_ns: npt.ArrayLike, max_gap_ns: int) -> list[slice]:
    """Where a series can be cut so that no two neighbouring rows of a piece are further apart than ``max_gap_ns``.

    Parameters
    ----------
    time_ns : int64 array of shape (n,)
        Times of the rows, oldest first.
    max_gap_ns : int
        Longest step inside a piece, in nanoseconds, at least 1.

    Returns
    -------
    list of slice
        In order, none empty, all rows together.

    Raises
    ------
    InputError
        If ``time_ns`` is not of one dimension or runs backwards.
    SettingError
        If ``max_gap_ns`` is below 1.
    """
    times = np.asarray(time_ns, dtype=np.int64)
    check_range("segments", "max_gap_ns", max_gap_ns, low=1)
    if times.ndim != 1:
        raise InputError(f"segments: time_ns has shape {times.shape}; wanted one time for each row")
    steps = np.diff(times)
    if (steps < 0).any():
        raise InputError("segments: time_ns runs backwards; sort the rows first")
    cuts = [0, *(np.flatnonzero(steps > max_gap_ns) + 1).tolist(), len(times)] if len(times) else []
    return [slice(start, stop) for start, stop in itertools.pairwise(cuts)]


def period(values: npt.ArrayLike, low: int, high: int) -> int | None:
    """The period of a series in rows, from the highest peak of its autocorrelation.

    Parameters
    ----------
    values : array of shape (n, channels)
        Rows of one series, evenly spaced, oldest first. Missing values count as the mean.
    low, high : int
        Shortest and longest period looked for, in rows, ``2 <= low <= high``. The series must hold two periods: one of
        more than half its length is never found.

    Returns
    -------
    int or None
        None where no lag in the range is a peak of the autocorrelation, averaged over the channels that vary, of at
        least 0.3. Where a peak at an earlier lag is nearly as high as the highest, the earlier one is the period.

    Raises
    ------
    InputError
        If ``values`` is not of two dimensions.
    SettingError
        If the range is not a range.
    """
    array = rows("period", values)
    check_range("period", "low", low, low=2)
    check_range("period", "high", high, low=low)
    n = len(array)
    longest = min(int(high), n // 2)
    correlation = _autocorrelation(array, longest + 1) if longest >= low else None
    if correlation is None:
        return None
    lags = np.arange(int(low), longest + 1)
    here, around = correlation[lags], np.maximum(correlation[lags - 1], correlation[np.minimum(lags + 1, longest + 1)])
    peaks = lags[(here >= around) & (here >= LEAST_CORRELATION)]
    if not len(peaks):
        return None
    heights = correlation[peaks]
    return int(peaks[np.argmax(heights >= NEAR_HIGHEST * heights.max())])


def _autocorrelation(array: Rows, longest: int) -> npt.NDArray[np.float64] | None:
    """Mean over the varying channels for lags 0 to ``longest``, straight trend removed; None where none varies."""
    n = len(array)
    there = known(array)
    count = np.maximum(there.sum(axis=0), 1)
    mean = np.where(there, array, 0.0).sum(axis=0, dtype=np.float64) / count
    centred = np.where(there, array - mean, 0.0)
    size = np.abs(centred).max(axis=0, initial=0.0)
    varies = size > ROUNDING * np.abs(mean)
    centred, there = centred[:, varies] / size[varies], there[:, varies]
    line = np.where(there, np.arange(n)[:, None] - np.arange(n) @ there / count[varies], 0.0)
    centred -= line * ((line * centred).sum(axis=0) / np.maximum((line * line).sum(axis=0), 1.0))
    products = np.fft.irfft(np.abs(np.fft.rfft(centred, n=2 * n, axis=0)) ** 2, n=2 * n, axis=0)[: longest + 1]
    products = products[:, products[0] > ROUNDING * n]  # what is left of a straight line is rounding
    if not products.size:
        return None
    overlap = n / (n - np.arange(len(products)))
    correlation: npt.NDArray[np.float64] = (products / products[0]).mean(axis=1) * overlap
    return correlation
