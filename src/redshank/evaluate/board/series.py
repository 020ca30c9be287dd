"""What a board learns from and judges: each series of the public data, cut and scaled once for all detectors."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from redshank.core import InputError
from redshank.data import Dataset, load, names
from redshank.data.dataset import runs
from redshank.evaluate._known import WINDOW, WINDOWS
from redshank.evaluate.protocols import splits_of
from redshank.features import Scaler, hold, period
from redshank.pipeline import HISTORY_ROWS
from redshank.scoring import CLIP

Floats = npt.NDArray[np.float32]
Marks = npt.NDArray[np.int8]

SERIES = "series"
"""Learned from the series' own training part, without labels."""
LEAVE_OUT = "leave one recording out"
"""Learned with labels from the other recordings of the family; the rows judged are those of :data:`SERIES`."""
RANDOM_ROWS, BLOCKS = "70/30, random rows", "70/30, blocks"
"""How records without a time order are divided: row by row, or block by block."""

LEARNED = 0.7
"""Part of the training rows that a detector learns from; alarm levels are set on the rest."""
NORMAL_PART = 0.7
"""Training part of records without a time order."""
BLOCK_COUNT = 20
"""Blocks that such records are cut into, of which this part is drawn for training."""
FILL = 5
"""Missing readings in a row that the last known value stands for, as in :class:`redshank.pipeline.Pipeline`."""
ASSUMED_S = 60.0
"""Seconds from row to row where the times are not known: 10,080 rows are a week."""
SMD_MACHINES = ("smd/machine-1-6", "smd/machine-1-7", "smd/machine-2-1")
NSL_KDD = "nsl_kdd/KDDTrain+_20Percent"
FAMILIES = ("smd", "nsl_kdd", "nab", "ucr", "skab")
"""In the order in which they are judged: what takes longest first, so that no worker is left with it at the end."""
UNTIMED = ("ucr", "nsl_kdd")
"""Families whose times are not known."""


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Rows of one series as a detector sees them, scaled by what it learns from.

    Parameters
    ----------
    learned : list of float32 ndarray of shape (rows, channels)
        Series that are learned from.
    lessons : list of int8 ndarray of shape (rows,) or None
        Labels of these rows, for detectors that need them.
    held : float32 ndarray of shape (rows, channels)
        ``held_before`` rows of context, then the rows on which alarm levels are set; none of these was learned from.
    judged : float32 ndarray of shape (rows, channels)
        ``judged_before`` rows of context, then the rows judged.
    y : int8 ndarray of shape (judged rows,)
        1 for anomalous rows.
    window : int
        Largest buffer of VUS, in rows.
    interval_s : float
        Time from row to row.
    ordered : bool
        Whether rows follow each other in time; else events, and what is counted by day, mean nothing.
    """

    learned: list[Floats]
    lessons: list[Marks] | None
    held: Floats
    held_before: int
    judged: Floats
    judged_before: int
    y: Marks
    window: int
    interval_s: float
    ordered: bool


def series_of(family: str, root: Path | None = None) -> list[str]:
    """Names of the series of a family that a board judges; ``root`` as for :func:`redshank.data.load`.

    Raises
    ------
    InputError
        If the family is not one of :data:`FAMILIES`, or is not there.
    """
    if family not in FAMILIES:
        raise InputError(f"no data of the boards are called {family!r}; there are: {', '.join(FAMILIES)}")
    known = names(root)
    wanted = {
        "smd": [name for name in known if name in SMD_MACHINES],
        "nsl_kdd": [name for name in known if name == NSL_KDD],
        "skab": [name for name in known if name.startswith("skab/valve1/")],
    }
    found = wanted.get(family) or [name for name in known if name.startswith(f"{family}/")]
    if not found or (family == "smd" and len(found) < len(SMD_MACHINES)):
        raise InputError(f"the {family} data are not there: name their folder with --data-root or REDSHANK_DATA")
    return found


@lru_cache(maxsize=2)
def parts_of(series: str, protocol: str, train_rows: int | None, test_rows: int | None) -> Parts:
    """The parts of one series.

    Parameters
    ----------
    series : str
        Name of a data set.
    protocol : str
        :data:`SERIES`, :data:`LEAVE_OUT`, :data:`RANDOM_ROWS` or :data:`BLOCKS`.
    train_rows, test_rows : int or None
        Most rows that are used: the last before the judged part, and a stretch of that part that holds an anomaly.
        Where it lies is drawn by the name of the series, so it is the same for every detector.
    """
    dataset = load(series)
    if protocol in (RANDOM_ROWS, BLOCKS):
        return _records(dataset, protocol, train_rows, test_rows)
    training, test = _divided(dataset)
    values, y = dataset.frame.values, _marks(dataset)
    first = len(training) - min(train_rows or len(training), len(training))
    own = values[training[first:]]
    begin, end = _stretch(y[test], test_rows, _generator(series))
    judged = test[begin:end]
    # What lies between learning and judging is seen, as in service, and neither learned nor counted.
    before = values[max(int(judged[0]) - HISTORY_ROWS, 0) : int(judged[0])]
    cut = round(LEARNED * len(own))
    learned, lessons, level, history = [own[:cut]], None, own[cut:], own[max(cut - HISTORY_ROWS, 0) : cut]
    if protocol == LEAVE_OUT:
        others = [load(name) for name in _others(series)]
        learned = [other.frame.values[-(train_rows or len(other)) :] for other in others]
        lessons = [_marks(other)[-(train_rows or len(other)) :] for other in others]
        level, history = own, own[:0]
    scale = _scaling(learned)
    normal = np.where((y == 1)[:, None], np.float32(np.nan), values)
    return Parts(
        learned=[scale(one) for one in learned],
        lessons=lessons,
        held=scale(np.concatenate([history, level])),
        held_before=len(history),
        judged=scale(np.concatenate([before, values[judged]])),
        judged_before=len(before),
        y=y[judged],
        window=period(normal, *WINDOWS) or WINDOW,
        interval_s=ASSUMED_S if series.startswith(UNTIMED) else dataset.frame.interval_s(),
        ordered=True,
    )


def _records(dataset: Dataset, protocol: str, train_rows: int | None, test_rows: int | None) -> Parts:
    """Records without an order in time: labels for those that need them, normal rows alone for the others."""
    values, y, generator = dataset.frame.values, _marks(dataset), _generator(dataset.name)
    unit = np.arange(len(values)) if protocol == RANDOM_ROWS else np.arange(len(values)) * BLOCK_COUNT // len(values)
    drawn = generator.permutation(int(unit[-1]) + 1)
    training = np.isin(unit, drawn[: round(NORMAL_PART * len(drawn))])
    inside, test = np.flatnonzero(training), np.flatnonzero(~training)
    inside = np.sort(generator.permutation(inside)[: train_rows or len(inside)])
    test = np.sort(generator.permutation(test)[: test_rows or len(test)])
    cut = round(LEARNED * len(inside))
    learned = inside[:cut]
    held = inside[cut:][y[inside[cut:]] == 0]
    scale = _scaling([values[learned[y[learned] == 0]]])
    return Parts(
        learned=[scale(values[learned])],
        lessons=[y[learned]],
        held=scale(values[held]),
        held_before=0,
        judged=scale(values[test]),
        judged_before=0,
        y=y[test],
        window=0,
        interval_s=ASSUMED_S,
        ordered=False,
    )


def _divided(dataset: Dataset) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Places of training and judged rows, as published or by the chronological hold-out."""
    (split,) = splits_of(dataset)
    return np.flatnonzero(split.train), np.flatnonzero(split.test)


def _marks(dataset: Dataset) -> Marks:
    if dataset.y is None:
        raise InputError(f"{dataset.name}: no anomalies are known")
    return dataset.y


def _stretch(y: Marks, most: int | None, generator: np.random.Generator) -> tuple[int, int]:
    """First row and row behind the last of at most ``most`` rows that hold one of the anomalies, drawn."""
    if most is None or len(y) <= most:
        return 0, len(y)
    anomalies = runs(y) or [(int(generator.integers(len(y))),) * 2]
    first, last = anomalies[int(generator.integers(len(anomalies)))]
    last = min(last, first + most - 1)
    begin = int(generator.integers(max(last - most + 1, 0), min(first, len(y) - most) + 1))
    return begin, begin + most


def _generator(series: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(series.encode()))


def _others(series: str) -> list[str]:
    family = series.partition("/")[0]
    return [name for name in series_of(family) if name != series]


def _scaling(learned: Sequence[Floats]) -> Callable[[Floats], Floats]:
    """Scaling as the pipeline does it, learned from these rows."""
    rows = np.concatenate(learned)
    scaler = Scaler(method="robust", clip=CLIP).fit(rows)
    seen = np.isfinite(rows).any(axis=0)

    def scale(values: Floats) -> Floats:
        scaled = np.where(seen, scaler.transform(hold(values, FILL)), 0.0)
        return np.nan_to_num(scaled, nan=0.0).astype(np.float32)

    return scale
