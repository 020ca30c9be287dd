"""What reading gives: the readings, what is known about them, and what was assumed on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from redshank.core import Frame, Kind, Label
from redshank.data.options import Options


@dataclass(frozen=True, slots=True)
class Source:
    """The file that a data set was read from, and how: enough to read its cells again as text."""

    path: Path
    options: Options


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Readings with what is known about them; train and test rows together, in file order.

    Parameters
    ----------
    name : str
        Short name for tables and reports.
    frame : Frame
        All rows.
    y : int8 ndarray of shape (n,) or None, default=None
        Row labels, 1 for anomalous rows; None where nothing is known. Never an input of a detector.
    train : bool ndarray of shape (n,) or None, default=None
        True for the rows that were published as training rows; None where there is no such split.
    labels : tuple of Label, default=()
        Known anomalies as intervals.
    notes : tuple of str, default=()
        Plain sentences on what was assumed or left out.
    ledger : dict of str to int, default={}
        Counts of the data's quality: rows read, missing cells, rows dropped.
    source : Source or None, default=None
        The file behind the data set, where it was read from one table.
    """

    name: str
    frame: Frame
    y: npt.NDArray[np.int8] | None = None
    train: npt.NDArray[np.bool_] | None = None
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    ledger: dict[str, int] = field(default_factory=dict)
    source: Source | None = None

    def __len__(self) -> int:
        return len(self.frame)


def runs(marked: npt.NDArray[np.int8] | npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last position of each unbroken run of marked entries."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marked.astype(np.int8), [0]])))
    return [(int(start), int(end) - 1) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def labels_of(
    frame: Frame, y: npt.NDArray[np.int8], kind: Kind = Kind.COLLECTIVE, cause: str = ""
) -> tuple[Label, ...]:
    """Row labels as intervals: one label for each run of anomalous rows of a device, in time order."""
    found = []
    for device, rows in zip(frame.devices, frame.series(), strict=True):
        times = frame.time_ns[rows]
        found += [Label(device, int(times[a]), int(times[b]), kind, cause) for a, b in runs(y[rows])]
    return tuple(found)
