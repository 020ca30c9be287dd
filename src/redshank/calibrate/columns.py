"""Several scores of the same rows under one budget: the score as a whole, and each channel's part of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from redshank.calibrate._statistic import first_of_runs
from redshank.calibrate.budget import SECONDS, Budget
from redshank.core import Calibrator
from redshank.core.contracts import Array

Columns = list[Array]

STEP = 1.5
"""Factor between the parts of the budget that are tried on the held-back rows."""
LARGEST_PART = 3.0
"""A column has at most this multiple of the budget: a calibrator may share it out among statistics of its own."""
LOWEST_STEP = -16
"""The smallest part is a six-hundredth of the even one: scores with a far tail need it to stay within the budget."""


def fit_columns(
    make: Callable[..., Calibrator],
    settings: Mapping[str, Any],
    held: Mapping[str, Columns],
    *,
    interval_s: float,
    budget: Budget,
    rest_rows: int,
) -> tuple[tuple[Calibrator, ...], float]:
    """One calibrator a column, each with the same part of the budget, and the rate that they set it at.

    Columns often alarm together, so each may have more than its even part: the part is the largest at which the
    events of all columns together, on the held-back rows, stay within the budget.

    Parameters
    ----------
    make, settings
        Class of the calibrators and its settings but for ``budget``.
    held : mapping of device name to list of float64 ndarray
        Columns of ready rows of held-back normal data, oldest first; the same number for every device.
    interval_s : float
        Usual time between two rows of a device.
    budget : Budget
        False alarm events allowed, all columns together.
    rest_rows : int
        Alarms of a device at most this many rows apart are one event.

    Returns
    -------
    calibrators : tuple of Calibrator
    rate : float
        Events per device and week on the held-back rows, at the levels chosen.
    """
    count = len(next(iter(held.values())))
    fitted = [
        make(**settings, budget=str(budget)).fit({device: own[i] for device, own in held.items()}, interval_s)
        for i in range(count)
    ]
    weeks = sum(len(columns[0]) for columns in held.values()) * interval_s / SECONDS["week"]

    def at(step: int) -> tuple[tuple[Calibrator, ...], float]:
        part = budget.count * min(STEP**step / count, LARGEST_PART)
        share = str(Budget(part, budget.unit, budget.per_device))
        calibrators = tuple(make(**settings, budget=share).restore(one.state()) for one in fitted)
        events = 0
        for device, columns in held.items():
            _, alarm = judge_columns(calibrators, device, columns, np.ones(len(columns[0]), np.bool_))
            events += int(first_of_runs(np.flatnonzero(alarm), rest_rows).sum())
        return calibrators, events / weeks if weeks else 0.0

    allowed = budget.per_device_week(len(held))
    low, high = LOWEST_STEP, math.ceil(math.log(LARGEST_PART * count, STEP))
    if allowed * weeks < 1.0:
        high = 0  # too little was held back to have seen one false alarm: no reason to allow more than the even part
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if at(middle)[1] <= allowed else (low, middle - 1)
    return at(low)


def judge_columns(
    calibrators: Sequence[Calibrator], device: str, columns: Columns, ready: npt.NDArray[np.bool_]
) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Tail probability and alarm of a device's rows: any column alarms, and the smallest ``p`` times their number."""
    judged = [one.apply(device, column, ready) for one, column in zip(calibrators, columns, strict=True)]
    p = np.min([one.p for one in judged], axis=0) * len(judged)
    return np.minimum(p, 1.0), np.any([one.alarm for one in judged], axis=0)
