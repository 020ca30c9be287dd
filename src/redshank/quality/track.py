"""The readings of one channel of many devices in one array, and the arithmetic of runs and windows over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

BLOCKS = 8
"""Training rows are cut into so many blocks, to see how much their maxima differ."""


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """Present readings of one channel, device after device, oldest first within each.

    Parameters
    ----------
    x : float64 ndarray of shape (n,)
        Values, no NaN.
    device : int ndarray of shape (n,)
        Device of each value, never falling: row of the table of limits.
    age : int ndarray of shape (n,)
        Readings of the same device that came before.
    """

    x: Array
    device: Rows
    age: Rows

    @classmethod
    def of(cls, x: Array, device: Rows) -> Track:
        """A track from values and their devices."""
        return cls(x, device, ages(device))

    def steps(self) -> Array:
        """Change since the previous reading of the same device, 0 for the first; shape (n,)."""
        change = np.diff(self.x, prepend=self.x[:1])
        change[self.age == 0] = 0.0
        return change


class Spell(NamedTuple):
    """Rows of a track that a check objects to.

    ``first``, ``known`` and ``last`` are row numbers: first row of the fault, the row at which it could be known, last
    row; up to row ``hold``, which may lie past the end, it counts as the same fault when it comes again. ``ratio`` is
    how often the limit fits into what was seen.
    """

    first: int
    known: int
    last: int
    hold: int
    ratio: float
    seen: float
    expected: float
    detail: str


def ages(device: Rows) -> Rows:
    """Rows of the same device that came before each row, for devices that stand in blocks; shape (n,)."""
    rows = np.arange(len(device))
    fresh = np.diff(device, prepend=-1) != 0
    age: Rows = rows - np.maximum.accumulate(np.where(fresh, rows, 0))
    return age


def trailing_mean(x: Array, age: Rows, window: int) -> Array:
    """Mean of the last ``window`` entries of the same device; 0 where there are fewer; shape (n,)."""
    total = np.concatenate(([0.0], np.cumsum(x)))
    mean = np.zeros(len(x))
    if len(x) >= window:
        mean[window - 1 :] = (total[window:] - total[:-window]) / window
    mean[age < window - 1] = 0.0
    return mean


def trailing_max(x: Array, window: int) -> Array:
    """Largest of the last ``window`` entries, whatever their device; shape (n,).

    The method of van Herk and Gil-Werman: running maxima from both ends of blocks, so the cost does not grow with
    the window.
    """
    padded = np.full(-(-len(x) // window) * window, -np.inf)
    padded[: len(x)] = x
    blocks = padded.reshape(-1, window)
    ahead = np.maximum.accumulate(blocks, axis=1).ravel()
    behind = np.maximum.accumulate(blocks[:, ::-1], axis=1)[:, ::-1].ravel()
    largest = ahead[: len(x)]
    if len(x) >= window:
        largest[window - 1 :] = np.maximum(largest[window - 1 :], behind[: len(x) - window + 1])
    return largest


def episodes(flagged: Mask, age: Rows, join: int) -> list[tuple[int, int]]:
    """First and last row of each group of flagged rows of one device that stand at most ``join`` rows apart."""
    rows = np.flatnonzero(flagged)
    if not len(rows):
        return []
    apart = np.diff(rows) > np.minimum(join, age[rows[1:]])
    cuts = np.flatnonzero(apart) + 1
    firsts = rows[np.concatenate(([0], cuts))]
    lasts = rows[np.concatenate((cuts - 1, [len(rows) - 1]))]
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def bursts(rows: Rows, age: Rows, need: int, window: int, level: Array | None = None) -> list[tuple[int, int, int]]:
    """Groups in which ``need`` of the given rows of one device stand within ``window`` rows.

    Gives (first row, row at which the group was complete, last row); a group goes on while the condition holds anew
    within ``window`` rows. With ``level``, of shape (n,), the rows of a group must have the same level.
    """
    if len(rows) < need:
        return []
    begin, end = rows[: len(rows) - need + 1], rows[need - 1 :]
    complete = (end - begin < window) & (end - begin <= age[end])
    if level is not None:
        complete &= level[begin] == level[end]
    found: list[tuple[int, int, int]] = []
    for first, known in zip(begin[complete].tolist(), end[complete].tolist(), strict=True):
        if found and known - found[-1][2] <= min(window, int(age[known])):
            found[-1] = (*found[-1][:2], known)
        else:
            found.append((first, known, known))
    return found


def beyond(maxima: Array) -> float:
    """Level that the maximum of another stretch of normal rows hardly passes, from the maxima of BLOCKS blocks.

    The largest of them, as many times as it stands above their median: hardly more than the largest where blocks are
    alike, much more where they are not. NaN where most blocks show nothing.
    """
    largest, usual = float(maxima.max()), float(np.median(maxima))
    return largest * largest / usual if usual > 0 else np.nan
