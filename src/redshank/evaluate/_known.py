"""What is known of a data set whatever the split: its labels, its rhythm, its clock, and what of it a split judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from redshank.core import Frame, Label, label_rows
from redshank.core.classifier import ANOMALY, NORMAL
from redshank.data import Dataset, labels_of
from redshank.evaluate.metrics._inputs import whole
from redshank.evaluate.protocols import LEAVE_ATTACK_OUT, RANDOM_FOLDS, Mask, Rows, Split
from redshank.evaluate.records import fingerprint, iso
from redshank.features import period
from redshank.scoring import Lessons, Names

WINDOWS = (3, 300)
"""Shortest and longest period of a series that is taken for the largest buffer of VUS, in rows."""
WINDOW = 100
"""That buffer where a series has no period."""
UNTIMED = ("no time column", "times were not published", "one flight cycle is written as")
"""How the notes of :mod:`redshank.data` begin that say that its times were assumed."""
WEEK_S = 604_800.0


class Known:
    """Labels of a data set by row and as intervals, windows of VUS by device, and its section of a record.

    Parameters
    ----------
    dataset : Dataset
        All rows.
    window : int or None
        Largest buffer of VUS in rows, 0 for none; None for the period of each device's normal rows.

    Attributes
    ----------
    dataset : Dataset
        The same with ``y``, where only labels were given.
    labels : tuple of Label
        Known anomalies; made from ``y`` where only that was given.
    anomalous : bool ndarray of shape (n,)
        Anomalous rows; none where nothing is known.
    lessons : ndarray of shape (n,) or None
        What a detector that learns from labels is told of its training rows; see :meth:`Dataset.lessons`.
    kinds : str ndarray of shape (n,)
        The same as names, ``"normal"`` where nothing is known.
    windows : dict of str to int
        Largest buffer of VUS of each device that has rows.
    record : dict
        The section ``data``.

    Raises
    ------
    SettingError
        If ``window`` is no whole number of at least 0.
    """

    def __init__(self, dataset: Dataset, window: int | None) -> None:
        given = None if window is None else whole("evaluate_run", "window", window, low=0)
        frame, self.labels = dataset.frame, dataset.labels
        if dataset.y is None and dataset.labels:
            dataset = replace(dataset, y=label_rows(dataset.labels, frame))
        elif dataset.y is not None and not dataset.labels:
            self.labels = labels_of(frame, dataset.y)
        self.dataset = dataset
        self.anomalous: Mask = np.zeros(len(frame), np.bool_) if dataset.y is None else dataset.y == 1
        self.lessons = dataset.lessons()
        self.kinds = named(self.lessons, len(frame))
        self._rows: Mapping[str, Rows] = dict(zip(frame.devices, frame.series(), strict=True))
        normal = np.where(self.anomalous[:, None], np.float32(np.nan), frame.values)  # an anomaly has no say in rhythm
        self.windows = {
            device: (period(normal[rows], *WINDOWS) or WINDOW) if given is None else given
            for device, rows in self._rows.items()
            if len(rows)
        }
        self.record = {
            "name": dataset.name,
            "source": dataset.name if dataset.source is None else dataset.source.path.name,
            "fingerprint": fingerprint(frame),
            "rows": len(frame),
            "devices": [frame.devices[k] for k in np.unique(frame.device)],
            "channels": list(frame.schema.names),
            "start": iso(frame.time_ns.min()),
            "end": iso(frame.time_ns.max()),
            "interval_s": frame.interval_s(),
            "clock": "assumed" if _untimed(dataset) else "given",
            "notes": list(dataset.notes),
            "ledger": dict(dataset.ledger),
        }

    def judged_labels(self, split: Split) -> tuple[list[Label], list[Label]]:
        """Known anomalies that the split judges, cut to their judged part, and the others as they are.

        Judged is what has a judged row; of those that left no row, what lies between judged rows of its device and
        is not of a cause that the split leaves aside. Where rows were dealt to folds at random, each is judged in one
        fold only: that of its first row, or of the first row behind it where it left none.
        """
        judged: list[Label] = []
        others: list[Label] = []
        for label in self.labels:
            cut = self._judged_part(label, split)
            if cut is None:
                others.append(label)
            else:
                judged.append(cut)
        return judged, others

    def weeks(self, split: Split) -> dict[str, float]:
        """Time judged of each device with judged rows, in weeks: from the first of them to the last.

        Rows dealt at random lie in the whole time of their device, which counts by their share of its rows: so all
        folds together have its time once.
        """
        frame = self.dataset.frame
        weeks = {}
        for device, rows in self._rows.items():
            own = rows[split.test[rows]]
            if not len(own):
                continue
            if split.protocol == RANDOM_FOLDS:
                weeks[device] = _span_s(frame, rows) * len(own) / len(rows) / WEEK_S
            else:
                weeks[device] = _span_s(frame, own) / WEEK_S
        return weeks

    def _judged_part(self, label: Label, split: Split) -> Label | None:
        """The label from its first judged moment to its last; None where it is not judged."""
        rows = self._rows.get(label.device, np.empty(0, np.intp))
        times, tested = self.dataset.frame.time_ns[rows], split.test[rows]
        if not tested.any():
            return None
        first, behind = np.searchsorted(times, label.start_ns), np.searchsorted(times, label.end_ns, side="right")
        begin, end = int(times[tested.argmax()]), int(times[len(times) - 1 - tested[::-1].argmax()])
        inside = first + np.flatnonzero(tested[first:behind])
        if first < behind:
            counts = len(inside) > 0
        else:
            counts = begin <= label.start_ns and label.end_ns <= end and split.protocol != LEAVE_ATTACK_OUT
        if not counts or (split.protocol == RANDOM_FOLDS and not tested[first]):
            return None
        if first < behind:  # an end that lies in rows which are not judged is moved to the nearest that is
            begin = begin if inside[0] == first else int(times[inside[0]])
            end = label.end_ns if inside[-1] == behind - 1 else int(times[inside[-1]])
        return replace(label, start_ns=max(label.start_ns, begin), end_ns=min(label.end_ns, end))


def named(lessons: Lessons | None, rows: int) -> Names:
    """Labels as names: what is only said to be anomalous is an ``"anomaly"``."""
    if lessons is None:
        return np.full(rows, NORMAL)
    return lessons.astype(np.str_) if lessons.dtype.kind in "US" else np.where(lessons == 1, ANOMALY, NORMAL)


def _span_s(frame: Frame, rows: Rows) -> float:
    return float(frame.time_ns[rows[-1]] - frame.time_ns[rows[0]]) / 1e9 + frame.interval_s()


def _untimed(dataset: Dataset) -> bool:
    """Whether the times were made up: a note says so, or rows from an array stand in equal steps from 1970 on."""
    if any(note.startswith(UNTIMED) for note in dataset.notes):
        return True
    frame = dataset.frame
    series = [frame.time_ns[rows] for rows in frame.series() if len(rows)]
    return dataset.source is None and all(
        times[0] == 0 and (np.diff(times) == round(frame.interval_s() * 1e9)).all() for times in series
    )
