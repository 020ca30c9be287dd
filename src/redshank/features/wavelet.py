"""Wavelet denoising of whole series, for training. The causal form for live use is in ``causal``."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from redshank.core import LARGEST, MissingExtraError, SettingError, check_range
from redshank.features._compiled import choose
from redshank.features._rows import Rows, bounded, known, rows
from redshank.features.interpolate import interpolate

NORMAL_MAD = 0.6744897501960817
"""Median absolute value of a standard normal variable: a median divided by it is a standard deviation."""

HEADROOM = LARGEST * 2.0**-32
"""Magnitude up to which no sum of a transform can overflow float32; a series beyond it is transformed as float64."""

CHUNK_VALUES = 1 << 16
"""Values transformed at a time, about: with all its levels a chunk stays in a processor's second cache."""

TAPS = 8
"""Filter taps that the compiled loops take at once, so that sums stay in registers; filters are padded with zeros."""

LANES = 8
"""Channels are padded to a multiple of this, the float32 values of a vector register, so that loops leave no rest."""

SAMPLE = 4096
"""Values that are sorted to find where the median of many must lie."""

Plan = npt.NDArray[np.int32]
Pair = Callable[[Rows, Plan, Rows, Rows, Rows], None]


class _Filters(NamedTuple):
    """The filters of an orthogonal or biorthogonal wavelet, equally long, of even length, as PyWavelets has them."""

    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    back_low: npt.NDArray[np.float64]
    back_high: npt.NDArray[np.float64]


def denoise(values: npt.ArrayLike, wavelet: str = "db4", level: int = 4) -> Rows:
    """Remove noise from each column by a soft universal threshold on its wavelet details. Not causal.

    Parameters
    ----------
    values : array of shape (n, channels)
        Rows of one series, evenly spaced, oldest first. What is NaN, infinite or larger than a reading may be is
        missing: it is bridged for the transform (a straight line between its neighbours, the nearest known value at
        either end) and is NaN in the result.
    wavelet : str, default="db4"
        ``"haar"``, or any discrete wavelet of PyWavelets where that is installed.
    level : int, default=4
        Levels of the transform, at least 1; a series too short for them gets as many as it is long enough for, and
        none below twice the filter's length.

    Returns
    -------
    ndarray of shape (n, channels)
        A new array of the same dtype.

    Raises
    ------
    InputError
        If ``values`` is not of two dimensions.
    SettingError
        If ``level`` is below 1 or there is no such wavelet.
    MissingExtraError
        If the wavelet needs PyWavelets and that is not installed.

    Notes
    -----
    VisuShrink [1]_: details of every level shrink by ``sigma sqrt(2 ln n)``, where ``sigma`` is the median magnitude of
    the finest details over 0.6745. A channel of which more than half of the steps are exactly zero (a coarse or
    constant one) has ``sigma`` 0 and stays as it is. Borders are symmetric, as by default in PyWavelets, whose
    ``wavedec`` and ``waverec`` give the same to rounding. The series is worked through in chunks that overlap by more
    than a border reaches, so nothing but one result and one column's worth of details for each channel is kept.

    References
    ----------
    .. [1] D. L. Donoho, I. M. Johnstone, Biometrika 81(3), 1994.
    """
    array = rows("denoise", values)
    check_range("denoise", "level", level, low=1)
    filters = _filters(wavelet)
    n, channels = array.shape
    depth = min(int(level), (n // max(len(filters.low) - 1, 1)).bit_length() - 1)
    if depth < 1 or channels == 0:
        return interpolate(array, 0)
    series = _bridged(array)
    if max(-series.min(), series.max()) > HEADROOM:
        series = series.astype(np.float64, copy=False)
    _shrink(series, filters, depth)
    return _marked(bounded(series, array.dtype), array)


def universal_threshold(details: Iterable[npt.NDArray[np.floating[Any]]], n: int) -> npt.NDArray[np.float64]:
    """``sigma sqrt(2 ln n)`` of each channel, ``sigma`` from its finest details; 0 for a channel that has none."""
    sigma = np.array([_median(np.abs(one)) if len(one) else 0.0 for one in details]) / NORMAL_MAD
    threshold: npt.NDArray[np.float64] = sigma * math.sqrt(2.0 * math.log(max(n, 2)))
    return threshold


def _median(values: Rows) -> float:
    """The exact median; only the values near it are sorted, where a sample tells which those are."""
    half = len(values) // 2
    if len(values) > 4 * SAMPLE:
        sample = np.sort(values[:: len(values) // SAMPLE])
        margin = 2 * math.isqrt(len(sample))  # four standard deviations of a sample median's rank
        low, high = sample[len(sample) // 2 - margin], sample[len(sample) // 2 + margin]
        below = int(np.count_nonzero(values < low))
        middle = values[(values >= low) & (values <= high)]
        if below < half < below + len(middle):
            half -= below
            middle.partition((half - 1, half))
            pair = middle[half - 1 : half + 1] if len(values) % 2 == 0 else middle[half : half + 1]
            return float(pair.mean(dtype=np.float64))
    return float(np.median(values.astype(np.float64)))


def _filters(wavelet: str) -> _Filters:
    if wavelet == "haar":
        side = math.sqrt(0.5)
        return _Filters(*(np.array(taps) * side for taps in ((1, 1), (-1, 1), (1, 1), (1, -1))))
    try:
        import pywt  # noqa: PLC0415 - belongs to an extra
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"denoise: wavelet {wavelet!r} needs PyWavelets, which is not installed; "
            "install it with: pip install 'redshank[train]', or take 'haar'"
        ) from error
    if wavelet not in pywt.wavelist(kind="discrete"):
        raise SettingError(f"denoise: no discrete wavelet is called {wavelet!r}; try 'db4', 'sym8' or 'haar'")
    return _Filters(*(np.array(taps) for taps in pywt.Wavelet(wavelet).filter_bank))


def _bridged(array: Rows) -> Rows:
    """A copy without gaps; a channel without any known value becomes 0."""
    series = interpolate(array, len(array))
    for end in (series, series[::-1]):
        for j in np.flatnonzero(np.isnan(end[0])):
            gap = _leading_gap(end[:, j])
            end[:gap, j] = end[gap, j] if gap < len(end) else 0.0
    return series


def _leading_gap(column: npt.NDArray[np.floating[Any]]) -> int:
    look = 64
    while look < len(column) and np.isnan(column[:look]).all():
        look *= 2
    there = ~np.isnan(column[:look])
    return int(there.argmax()) if there.any() else len(column)


def _marked(result: Rows, array: Rows) -> Rows:
    """Put NaN where ``array`` has no known value."""
    chunk = max(CHUNK_VALUES // array.shape[1], 1)
    for start in range(0, len(array), chunk):
        there = known(array[start : start + chunk])
        if not there.all():
            result[start : start + chunk][~there] = np.nan
    return result


def _shrink(series: Rows, filters: _Filters, depth: int) -> None:
    """Denoise a series without gaps, in place, chunk by chunk."""
    n, channels = series.shape
    width = -(-channels // LANES) * LANES
    taps = len(filters.low)
    chunk = -(-max(CHUNK_VALUES // width, 4 * taps << depth) >> depth) << depth  # a multiple of 2**depth rows
    pair = choose(_pair_loops, _pair_arrays, series.size)
    make = functools.cache(lambda m, depth: _Levels(m, filters, depth, np.zeros((m + 1, width), series.dtype), pair))

    details = np.empty((channels, (n + taps - 1) // 2), series.dtype)
    untouched = np.zeros(width, series.dtype)
    for start in range(0, n, chunk):
        stop, first = min(start + chunk, n), max(start - 2 * taps, 0)
        levels = make(stop - first, 1)
        levels.block[:-1, :channels] = series[first:stop]
        own = levels.down(untouched)[(start - first) // 2 : None if stop == n else (stop - first) // 2, :channels]
        details[:, start // 2 : start // 2 + len(own)] = own.T
    threshold = np.zeros(width, series.dtype)
    threshold[:channels] = universal_threshold(details, n)
    del details

    overlap = taps << depth  # more than the wrong border of a chunk can reach into it
    before = np.empty((0, channels), series.dtype)
    for start in range(0, n, chunk):
        stop, last = min(start + chunk, n), min(start + chunk + overlap, n)
        shift = len(before)
        levels = make(shift + last - start, depth)
        block = levels.block
        block[:shift, :channels] = before
        block[shift:-1, :channels] = series[start:last]
        before = block[shift + stop - start - overlap : shift + stop - start, :channels].copy()
        levels.down(threshold)
        levels.up()
        series[start:stop] = block[shift : shift + stop - start, :channels]


class _Levels:
    """All levels of the transform of a block of ``m`` rows, forth and back, in buffers that are used again.

    Each buffer holds the smooth part of a level, one spare row (the way back may give one row too many) and its
    details.
    """

    def __init__(self, m: int, filters: _Filters, depth: int, block: Rows, pair: Pair) -> None:
        self.block = block
        self._pair = pair
        self._forth = _weights(filters.low[::-1], filters.high[::-1], block.dtype)
        self._back = _weights(
            np.concatenate([filters.back_low[-2::-2], filters.back_high[-2::-2]]),
            np.concatenate([filters.back_low[::-2], filters.back_high[::-2]]),
            block.dtype,
        )
        self._plain = np.zeros(block.shape[1], block.dtype)
        taps = len(filters.low)
        self._buffers = [block]
        self._ways: list[tuple[Plan, Plan]] = []
        for _ in range(depth):
            k = (m + taps - 1) // 2
            forth = (2 * np.arange(k)[:, None] + np.arange(2 - taps, 2)) % (2 * m)
            forth = np.where(forth < m, forth, 2 * m - 1 - forth)  # symmetric border, repeated if need be
            back = np.arange(k - taps // 2 + 1)[:, None] + np.arange(taps // 2)
            back = np.concatenate([back, back + k + 1], axis=1)
            to_halves = np.arange(k)[:, None] + (0, k + 1)
            to_pairs = 2 * np.arange(len(back))[:, None] + (0, 1)
            self._ways.append((_plan(to_halves, forth), _plan(to_pairs, back)))
            self._buffers.append(np.empty((2 * k + 1, block.shape[1]), block.dtype))
            m = k

    def down(self, threshold: Rows) -> Rows:
        """Transform the block, shrink all details by ``threshold`` and give the finest of them."""
        for (forth, _), source, target in zip(self._ways, self._buffers, self._buffers[1:], strict=False):
            self._pair(source, forth, self._forth, target, threshold)
        finest: Rows = self._buffers[1][len(self._ways[0][0]) + 1 :]
        return finest

    def up(self) -> None:
        """Put the block together again from its levels."""
        ways = zip(self._ways[::-1], self._buffers[:0:-1], self._buffers[-2::-1], strict=True)
        for (_, back), source, target in ways:
            self._pair(source, back, self._back, target, self._plain)


def _weights(first: Rows, second: Rows, dtype: np.dtype[np.floating[Any]]) -> Rows:
    both = np.zeros((2, -(-len(first) // TAPS) * TAPS), dtype)
    both[0, : len(first)] = first
    both[1, : len(second)] = second
    return both


def _plan(targets: npt.NDArray[np.intp], sources: npt.NDArray[np.intp]) -> Plan:
    padding = np.zeros((len(sources), -sources.shape[1] % TAPS), np.intp)
    return np.concatenate([targets, sources, padding], axis=1, dtype=np.int32)


def _pair_loops(source: Rows, plan: Plan, weights: Rows, target: Rows, threshold: Rows) -> None:
    """For each row of ``plan``: two target rows, then the source rows of which they become the weighted sums.

    The second sum is shrunk towards 0 by ``threshold``.
    """
    width, taps = source.shape[1], weights.shape[1]
    nothing = np.zeros_like(threshold)
    for k in range(len(plan)):
        one, two = target[plan[k, 0]], target[plan[k, 1]]
        for t in range(0, taps, TAPS):
            at, u, v = plan[k, 2 + t : 2 + t + TAPS], weights[0, t : t + TAPS], weights[1, t : t + TAPS]
            r0, r1, r2, r3 = source[at[0]], source[at[1]], source[at[2]], source[at[3]]
            r4, r5, r6, r7 = source[at[4]], source[at[5]], source[at[6]], source[at[7]]
            u0, u1, u2, u3, u4, u5, u6, u7 = u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7]
            v0, v1, v2, v3, v4, v5, v6, v7 = v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]
            bound = threshold if t + TAPS >= taps else nothing
            if t == 0:  # two loops: with the question inside it, one loop takes four times as long
                for j in range(width):
                    a, b, c, d, e, f, g, h = r0[j], r1[j], r2[j], r3[j], r4[j], r5[j], r6[j], r7[j]
                    one[j] = u0 * a + u1 * b + u2 * c + u3 * d + u4 * e + u5 * f + u6 * g + u7 * h
                    y = v0 * a + v1 * b + v2 * c + v3 * d + v4 * e + v5 * f + v6 * g + v7 * h
                    two[j] = y - min(max(y, -bound[j]), bound[j])
            else:
                for j in range(width):
                    a, b, c, d, e, f, g, h = r0[j], r1[j], r2[j], r3[j], r4[j], r5[j], r6[j], r7[j]
                    one[j] += u0 * a + u1 * b + u2 * c + u3 * d + u4 * e + u5 * f + u6 * g + u7 * h
                    y = two[j] + v0 * a + v1 * b + v2 * c + v3 * d + v4 * e + v5 * f + v6 * g + v7 * h
                    two[j] = y - min(max(y, -bound[j]), bound[j])


def _pair_arrays(source: Rows, plan: Plan, weights: Rows, target: Rows, threshold: Rows) -> None:
    one, two = np.zeros((2, len(plan), source.shape[1]), source.dtype)
    for t in np.flatnonzero(weights.any(axis=0)):
        row = source[plan[:, 2 + t]]
        one += weights[0, t] * row
        two += weights[1, t] * row
    target[plan[:, 0]] = one
    target[plan[:, 1]] = two - np.clip(two, -threshold, threshold)
