"""What reading gives: the readings, what is known about them, and what was assumed on the way."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from redshank.core import Frame, Kind, Label, label_rows
from redshank.core.classifier import ANOMALY, NORMAL
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
    kinds : str ndarray of shape (n,) or None, default=None
        Name of what is wrong with each row, ``"normal"`` where nothing is; None where nothing is named. ``y`` is 1
        exactly where another name stands.
    """

    name: str
    frame: Frame
    y: npt.NDArray[np.int8] | None = None
    train: npt.NDArray[np.bool_] | None = None
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    ledger: dict[str, int] = field(default_factory=dict)
    source: Source | None = None
    kinds: npt.NDArray[np.str_] | None = None

    def __len__(self) -> int:
        return len(self.frame)

    def lessons(self) -> npt.NDArray[np.generic] | None:
        """What a detector that learns from labels is told of each row, shape (n,); None where nothing is known.

        ``kinds``; else, where every label has a cause, those causes; else ``y``, or where ``labels`` lie.
        """
        if self.kinds is not None:
            return self.kinds
        if self.labels and all(label.cause for label in self.labels):
            return causes(self.frame, self.labels, self.y)
        if self.y is None and self.labels:
            return label_rows(self.labels, self.frame)
        return self.y


def runs(marked: npt.NDArray[np.int8] | npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last position of each unbroken run of marked entries."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marked.astype(np.int8), [0]])))
    return [(int(start), int(end) - 1) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def labels_of(
    frame: Frame,
    y: npt.NDArray[np.int8],
    kind: Kind = Kind.COLLECTIVE,
    cause: str = "",
    kinds: npt.NDArray[np.str_] | None = None,
) -> tuple[Label, ...]:
    """Row labels as intervals: one label for each run of anomalous rows of a device, in time order.

    Where ``kinds`` name the rows, the name is the cause, and a run ends where it changes.
    """
    found = []
    for device, rows in zip(frame.devices, frame.series(), strict=True):
        times, marked = frame.time_ns[rows], y[rows]
        if kinds is None:
            found += [Label(device, int(times[a]), int(times[b]), kind, cause) for a, b in runs(marked)]
            continue
        own = kinds[rows]
        odd = marked.astype(np.bool_)
        borders = np.ones(len(rows) + 1, np.bool_)
        borders[1:-1] = (odd[1:] != odd[:-1]) | (own[1:] != own[:-1])
        starts = np.flatnonzero(borders)
        found += [
            Label(device, int(times[a]), int(times[b - 1]), kind, str(own[a]))
            for a, b in itertools.pairwise(starts)
            if odd[a]
        ]
    return tuple(found)


def causes(frame: Frame, labels: Sequence[Label], y: npt.NDArray[np.int8] | None = None) -> npt.NDArray[np.str_]:
    """The cause of the label that each row lies in, else ``"normal"``, shape (n,).

    Of labels that overlap the later one counts. Where ``y`` says that a row is normal it is, and an anomalous row of
    no label is an ``"anomaly"``.
    """
    names = np.full(len(frame), NORMAL, dtype=object)
    rows = dict(zip(frame.devices, frame.series(), strict=True))
    for label in labels:
        own = rows.get(label.device, np.empty(0, np.intp))
        first, last = np.searchsorted(frame.time_ns[own], (label.start_ns, label.end_ns + 1))
        names[own[first:last]] = label.cause
    if y is not None:
        names[y == 0] = NORMAL
        names[(y == 1) & (names == NORMAL)] = ANOMALY
    return names.astype(np.str_)
