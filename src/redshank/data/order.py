"""Time order within each device: checked, mended where a clock was set back, or sorted when asked. NumPy only."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from redshank.core import InputError
from redshank.data.options import Order

Rows = npt.NDArray[np.intp]
Nanoseconds = npt.NDArray[np.int64]

HOUR_NS = 3_600_000_000_000
YEAR_NS = int(365.25 * 24) * HOUR_NS
CHANGES_A_YEAR = 2
"""Clocks are changed at most twice a year."""
HOUR_FILLED = 0.75
"""Share of an hour that the repeated rows must fill, at the usual interval, to count as a repeated clock hour."""


@dataclass(frozen=True, slots=True, eq=False)
class Ordered:
    """Rows to keep, in their new order (None: all as they are), and what was done to them."""

    rows: Rows | None
    dropped: int = 0
    notes: tuple[str, ...] = ()


def second_pass(time_ns: Nanoseconds, later_ns: Nanoseconds, device: npt.NDArray[np.int32]) -> Nanoseconds:
    """Times with a clock hour that comes twice told apart: where a device's times go back, the later reading holds."""
    result = time_ns.copy()
    for rows in _groups(device):
        times = time_ns[rows]
        behind = _behind(times)
        result[rows] = np.where(behind, later_ns[rows], times)
    return result


def in_order(
    time_ns: Nanoseconds,
    device: npt.NDArray[np.int32],
    *,
    order: Order,
    naive: bool,
    where: Callable[[int], str],
    name: Callable[[int], str],
) -> Ordered:
    """Which rows to keep so that the times of each device rise.

    Parameters
    ----------
    time_ns, device : int64 and int32 ndarray of shape (n,)
        Time and device of each row.
    order : Order
        Check, sort, or keep everything as it is.
    naive : bool
        Times have no zone, so that a clock hour may come twice.
    where, name : callable
        Place of a row and words for its device, for messages.

    Raises
    ------
    InputError
        If times go back or repeat and sorting was not asked for.
    """
    if order is Order.KEEP:
        return Ordered(None)
    by_device = np.argsort(device, kind="stable")
    same = np.diff(device[by_device]) == 0
    wrong = by_device[1:][same & (np.diff(time_ns[by_device]) <= 0)]
    if not len(wrong):
        return Ordered(None)
    if order is Order.SORT:
        return _sorted(time_ns, device)
    dropped: list[Rows] = []
    if naive:
        for code in np.unique(device[wrong]):
            rows = np.flatnonzero(device == code)
            repeated = _clock_hours(time_ns[rows])
            if repeated is None:
                break
            dropped.append(rows[repeated])
        else:
            return _without(len(time_ns), np.concatenate(dropped))
    row = int(wrong.min())
    earlier = by_device[np.flatnonzero(by_device == row)[0] - 1]
    before, now = (np.datetime_as_string(np.datetime64(int(time_ns[i]), "ns"), unit="auto") for i in (earlier, row))
    of = name(row)
    what = f"repeats the time {now}{of}" if before == now else f"goes back in time{of}, from {before} to {now}"
    raise InputError(
        f"{where(row)} {what}; every device needs rising times: name the column that tells devices apart, "
        "or pass --sort (sort=True) to sort by time and keep the first of equal times"
    )


def _groups(device: npt.NDArray[np.int32]) -> list[Rows]:
    return [np.flatnonzero(device == code) for code in np.unique(device)]


def _behind(times: Nanoseconds) -> npt.NDArray[np.bool_]:
    """True where a time is not later than all before it."""
    behind = np.zeros(len(times), bool)
    behind[1:] = times[1:] <= np.maximum.accumulate(times)[:-1]
    return behind


def _sorted(time_ns: Nanoseconds, device: npt.NDArray[np.int32]) -> Ordered:
    by_both = np.lexsort((time_ns, device))
    again = np.zeros(len(by_both), bool)
    again[1:] = (np.diff(device[by_both]) == 0) & (np.diff(time_ns[by_both]) == 0)
    kept = by_both[~again]
    kept = kept[np.lexsort((kept, time_ns[kept]))]
    dropped = int(again.sum())
    also = f", {dropped} rows with a time that came before left out" if dropped else ""
    return Ordered(kept, dropped, (f"rows sorted by time{also}",))


def _clock_hours(times: Nanoseconds) -> npt.NDArray[np.bool_] | None:
    """The second pass of clock hours that come twice, as when a clock is set; None if the disorder is of another sort.

    Also the hour that a clock skips, when all its rows were written with the time of its end.
    """
    behind = _behind(times)
    if not np.isin(times[behind], times[~behind]).all():
        return None
    forward = np.diff(times[~behind])
    if not len(forward):
        return None
    step = float(np.median(forward))
    repeats = np.flatnonzero(behind)
    peak = np.maximum.accumulate(times)[repeats - 1]
    bounds = np.flatnonzero(np.diff(peak) > HOUR_NS) + 1
    occurrences = np.split(repeats, bounds)
    years = max(1, math.ceil((int(times.max()) - int(times.min())) / YEAR_NS))
    if len(occurrences) > CHANGES_A_YEAR * years:
        return None
    for rows in occurrences:
        back = float(np.ptp(times[rows])), float((np.maximum.accumulate(times)[rows - 1] - times[rows]).max())
        filled = len(rows) * step / HOUR_NS
        if len(rows) < 2 or max(back) > HOUR_NS or not HOUR_FILLED <= filled <= 1 + step / HOUR_NS / 2:
            return None
    return behind


def _without(count: int, dropped: Rows) -> Ordered:
    keep = np.ones(count, bool)
    keep[dropped] = False
    note = f"a clock hour comes twice in times without a zone: {len(dropped)} rows of the second pass left out"
    return Ordered(np.flatnonzero(keep), len(dropped), (note,))
