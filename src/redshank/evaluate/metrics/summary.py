"""All measures of one series at once, under the names that records and tables use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from redshank.evaluate.metrics._inputs import ArrayLike, Marks, alarmed, scored
from redshank.evaluate.metrics.affiliation import affiliation
from redshank.evaluate.metrics.events import (
    detection_delays,
    event_f1,
    event_precision,
    event_recall,
    false_events,
    false_events_per_device_week,
    point_adjusted_f1,
)
from redshank.evaluate.metrics.points import confusion, oracle_f1, pr_auc, roc_auc
from redshank.evaluate.metrics.ranges import range_f1, range_precision, range_recall
from redshank.evaluate.metrics.volume import range_auc, vus

ORACLE_GRID = 100
"""Thresholds that the oracle of a range or event measure chooses from: alarmed rows in equal ratios, from 1 to all."""


@dataclass(frozen=True, slots=True)
class Measures:
    """How one series was judged.

    Parameters
    ----------
    values : dict of str to float
        Measures that need no threshold, and measures of the alarms as they were given; NaN where one is not defined.
    oracle : dict of str to float
        The best value that a threshold on the score alone would have reached. It is chosen with the labels in hand:
        nobody who watches a plant has it, and these are for comparison with published tables only. F1 is the best of
        all thresholds, the others of 100 ranks; TSB-AD takes 100 equal steps of the score, which depend on its scale.
        None of them bounds ``values``: the alarms given may look at more than the score, such as single channels.
    """

    values: dict[str, float]
    oracle: dict[str, float]


def measure(
    scores: ArrayLike,
    labels: ArrayLike,
    *,
    alarm: ArrayLike | None = None,
    time_ns: npt.NDArray[np.int64] | None = None,
    window: int = 100,
    oracle: bool = True,
) -> Measures:
    """Every measure of the package for one series of one device.

    Parameters
    ----------
    scores : float array of shape (n,)
        Higher = more anomalous; rows in the order of time.
    labels : array of shape (n,)
        1 for anomalous rows, 0 for the others.
    alarm : bool array of shape (n,), optional
        Alarms at a level chosen without these labels; without them only threshold-free measures are given.
    time_ns : int64 array of shape (n,), optional
        UTC times: delays are then in seconds and false events by device-week, else delays are in rows.
    window : int, default=100
        Largest buffer of VUS, in rows; the period of the series is usual.
    oracle : bool, default=True
        Also give the best values at thresholds on ``scores``, chosen with the labels.

    Raises
    ------
    InputError
        If the arrays do not match, or a score is NaN.
    SettingError
        If ``window`` is no whole number of at least 0.
    """
    values, marks = scored("measure", scores, labels)
    volume = vus(values, marks, window=window)
    around = range_auc(values, marks, window=window)
    found = {
        "VUS-PR": volume.pr,
        "VUS-ROC": volume.roc,
        "range-PR-AUC": around.pr,
        "range-ROC-AUC": around.roc,
        "PR-AUC": pr_auc(values, marks),
        "ROC-AUC": roc_auc(values, marks),
        "anomalous share": float(marks.mean()) if len(marks) else float("nan"),
    }
    if alarm is not None:
        alarms, _ = alarmed("measure", alarm, marks)
        found |= _of_alarms(alarms, marks, time_ns)
    return Measures(found, _best(values, marks) if oracle else {})


def _of_alarms(alarm: Marks, labels: Marks, time_ns: npt.NDArray[np.int64] | None) -> dict[str, float]:
    rows = confusion(alarm, labels)
    near = affiliation(alarm, labels)
    adjusted = point_adjusted_f1(alarm, labels)
    delays = detection_delays(alarm, labels, time_ns)
    met = delays[np.isfinite(delays)]
    found = {
        "accuracy": rows.accuracy,
        "precision": rows.precision,
        "recall": rows.recall,
        "F1": rows.f1,
        "false-positive rate": rows.false_positive_rate,
        "affiliation precision": near.precision,
        "affiliation recall": near.recall,
        "affiliation F1": near.f1,
        "range precision": range_precision(alarm, labels),
        "range recall": range_recall(alarm, labels),
        "range F1": range_f1(alarm, labels),
        "event recall": event_recall(alarm, labels),
        "event precision": event_precision(alarm, labels),
        "event F1": event_f1(alarm, labels),
        "false events": float(false_events(alarm, labels)),
        "point-adjusted F1 (misleading)": adjusted.value,
        "point-adjusted F1 of as many random alarms": adjusted.random,
        f"median delay, {'rows' if time_ns is None else 's'}": float(np.median(met)) if len(met) else float("nan"),
    }
    if time_ns is not None:
        found["false events per device-week"] = false_events_per_device_week(alarm, labels, time_ns)
    return found


def _best(scores: npt.NDArray[np.float64], labels: Marks) -> dict[str, float]:
    """Best value over thresholds on the score: over all of them for F1, over a grid of ranks for the others."""
    ranked = np.sort(scores)[::-1]
    places = np.geomspace(1, len(ranked), ORACLE_GRID).astype(np.int64) - 1 if len(ranked) else np.zeros(0, np.int64)
    grid = np.unique(ranked[places])
    measures: dict[str, Callable[[Marks, Marks], float]] = {
        "event F1": event_f1,
        "range F1": range_f1,
        "affiliation F1": lambda alarm, marks: affiliation(alarm, marks).f1,
    }
    best = {"F1": oracle_f1(scores, labels).value}
    alarms = [scores >= threshold for threshold in grid]
    for name, of in measures.items():
        found = np.array([of(alarm, labels) for alarm in alarms])
        best[name] = float(np.nanmax(found)) if np.isfinite(found).any() else float("nan")
    return best
