"""Trailing mean and deviation of each channel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from redshank.core import LARGEST, check_range
from redshank.features._compiled import choose
from redshank.features._rows import Rows, known, rows

Sums = npt.NDArray[np.float64]

BATCH_VALUES = 1 << 20
"""Values that the array form works on at a time, which bounds its memory to about 150 MB."""


def rolling(values: npt.ArrayLike, window: int) -> tuple[Rows, Rows]:
    """Mean and deviation of the known values among each row and the ``window - 1`` rows before it. Causal.

    Parameters
    ----------
    values : array of shape (n, channels)
        Rows of one series, oldest first. What is NaN, infinite or larger than a reading may be is missing.
    window : int
        Rows looked at, at least 1; the first rows have fewer before them and use what there is.

    Returns
    -------
    mean, deviation : ndarray of shape (n, channels)
        In the units and dtype of ``values``. The deviation is that of the population (divided by the number of
        known values), so it is 0 for a single known value. Both are NaN where the window has no known value.

    Raises
    ------
    InputError
        If ``values`` is not of two dimensions.
    SettingError
        If ``window`` is below 1.

    Notes
    -----
    Nothing is ever subtracted from a running sum, so a large offset costs no digits and a huge value leaves no trace
    once it is out of the window. Rows are cut into blocks of ``window``; each window is the tail of one block and the
    head of the next, whose count, mean and sum of squares are kept by Welford's recurrence [1]_ and joined by the
    formula of Chan, Golub and LeVeque [2]_. Time O(n channels), whatever the window.

    References
    ----------
    .. [1] B. P. Welford, Technometrics 4(3), 1962.
    .. [2] T. F. Chan, G. H. Golub, R. J. LeVeque, The American Statistician 37(3), 1983.
    """
    array = rows("rolling", values)
    check_range("rolling", "window", window, low=1)
    mean, deviation = np.empty_like(array), np.empty_like(array)
    width = min(int(window), len(array))
    if array.size:
        choose(_roll_loops, _roll_arrays, array.size)(array, mean, deviation, width)
    return mean, deviation


def _roll_loops(array: Rows, mean: Rows, deviation: Rows, window: int) -> None:
    n, channels = array.shape
    tails = np.zeros((window + 1, 3, channels))
    head = np.zeros((3, channels))
    for start in range(0, n, window):
        stop = min(start + window, n)
        head[:] = 0.0
        count, centre, square = head[0], head[1], head[2]
        for i in range(start, stop):
            row, out_mean, out_deviation = array[i], mean[i], deviation[i]
            tail = tails[i - start + 1]
            tail_count, tail_centre, tail_square = tail[0], tail[1], tail[2]
            for j in range(channels):
                x = np.float64(row[j])
                there = abs(x) <= LARGEST
                x = x if there else centre[j]
                own_count = count[j] + (1.0 if there else 0.0)
                step = x - centre[j]
                own_centre = centre[j] + step * (1.0 / max(own_count, 1.0))
                own_square = square[j] + step * (x - own_centre)
                count[j], centre[j], square[j] = own_count, own_centre, own_square
                per_value = 1.0 / (own_count + tail_count[j])  # infinite where nothing is known: all becomes NaN
                apart = tail_centre[j] - own_centre
                share = tail_count[j] * per_value
                total = own_square + tail_square[j] + apart * apart * own_count * share
                out_mean[j] = own_centre + apart * share
                out_deviation[j] = np.sqrt(total * per_value)
        if stop < n:
            for r in range(window - 1, 0, -1):
                row, tail, later = array[start + r], tails[r], tails[r + 1]
                later_count, later_centre, later_square = later[0], later[1], later[2]
                tail_count, tail_centre, tail_square = tail[0], tail[1], tail[2]
                for j in range(channels):
                    x = np.float64(row[j])
                    there = abs(x) <= LARGEST
                    x = x if there else later_centre[j]
                    own_count = later_count[j] + (1.0 if there else 0.0)
                    step = x - later_centre[j]
                    own_centre = later_centre[j] + step * (1.0 / max(own_count, 1.0))
                    tail_count[j] = own_count
                    tail_centre[j] = own_centre
                    tail_square[j] = later_square[j] + step * (x - own_centre)


def _roll_arrays(array: Rows, mean: Rows, deviation: Rows, window: int) -> None:
    """The same block by block arithmetic in the same order, all blocks of a batch at once."""
    n, channels = array.shape
    batch = max(BATCH_VALUES // max(window * channels, 1), 1) * window
    for start in range(0, n, batch):
        stop = min(start + batch, n)
        first = max(start - window, 0)  # the block before gives the tails of the first
        blocks = -(-(stop - first) // window)
        x = np.full((blocks * window, channels), np.nan)
        x[: stop - first] = array[first:stop]
        x = x.reshape(blocks, window, channels)
        there = known(x)
        heads = np.zeros((3, blocks, window + 1, channels))
        tails = np.zeros((3, blocks + 1, window + 1, channels))
        for r in range(window):
            heads[:, :, r] = _joined(heads[:, :, r - 1], x[:, r], there[:, r])
        for r in range(window - 1, 0, -1):
            tails[:, 1:, r] = _joined(tails[:, 1:, r + 1], x[:, r], there[:, r])
        count, centre, square = heads[:, :, :window].reshape(3, -1, channels)[:, start - first : stop - first]
        tail_count, tail_centre, tail_square = tails[:, :blocks, 1:].reshape(3, -1, channels)[
            :, start - first : stop - first
        ]
        with np.errstate(divide="ignore", invalid="ignore"):
            per_value = 1.0 / (count + tail_count)
            apart = tail_centre - centre
            share = tail_count * per_value
            total = square + tail_square + apart * apart * count * share
            mean[start:stop] = centre + apart * share
            deviation[start:stop] = np.sqrt(total * per_value)


def _joined(sums: Sums, x: Sums, there: npt.NDArray[np.bool_]) -> Sums:
    """Count, mean and sum of squares after one more value, where there is one."""
    count, centre, square = sums
    own_count = count + there
    step = np.where(there, x, centre) - centre
    own_centre = centre + step * (1.0 / np.maximum(own_count, 1.0))
    own_square = square + step * (np.where(there, x, centre) - own_centre)
    return np.stack([own_count, own_centre, own_square])
