"""Every registered detector, the trivial baselines and the plain anchors on five families of public data."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from redshank.calibrate import CALIBRATORS, Budget
from redshank.calibrate.columns import fit_columns, judge_columns
from redshank.core import Detector, MissingExtraError
from redshank.core.detector import Array
from redshank.detectors import DETECTORS
from redshank.evaluate.anchors import PLAIN
from redshank.evaluate.baselines import alarm_of
from redshank.evaluate.board.jobs import Job
from redshank.evaluate.board.series import (
    BLOCKS,
    FAMILIES,
    LEAVE_OUT,
    RANDOM_ROWS,
    SERIES,
    Parts,
    parts_of,
    series_of,
)
from redshank.evaluate.metrics import confusion, event_recall, false_events, roc_auc, vus_pr
from redshank.incidents import REST_ROWS

BOARD, QUICK_BOARD = "detectors", "detectors, quick"
"""Names of the boards; a quick run never stands for a full one."""
CALIBRATOR, BUDGET = "extreme", "1 per device per week"
DAY_S = 86400.0
DEEP = "redshank.detectors.neural"
"""Where the detectors live that may be given a budget of seconds."""
SEED = 0
LEAST_S = 1e-6
"""Resolution of the clock of CPU seconds."""
NO_LABELS = "no labelled training rows"
"""Stands for the protocol, and is the reason, where a detector that needs labels cannot be taught."""
WITH_LABELS = {LEAVE_OUT: "with labels of the other recordings", RANDOM_ROWS: "with labels", BLOCKS: "with labels"}
UNORDERED = "looks at an order that these rows do not have"


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of a family is used.

    Parameters
    ----------
    budget_s : float
        Seconds of each fit of a network.
    train_rows, test_rows : int or None
        Most rows of a series that are learned from, and judged.
    series : int or None
        Most series; None: all.
    usual_s : float
        Seconds that a job without a network takes, roughly; only the progress depends on it.
    """

    budget_s: float
    train_rows: int | None = None
    test_rows: int | None = None
    series: int | None = None
    usual_s: float = 0.3


# All fits of one network have 180 of these seconds together, so that the whole board takes two cores under an hour.
FULL: Mapping[str, Extent] = MappingProxyType(
    {
        "smd": Extent(10.0, usual_s=4.0),
        "nsl_kdd": Extent(5.0, usual_s=2.0),
        "nab": Extent(1.0),
        "ucr": Extent(0.6, 5_000, 10_000),
        "skab": Extent(0.6),
    }
)
QUICK: Mapping[str, Extent] = MappingProxyType(
    {
        "smd": Extent(1.0, 3_000, 4_000, 1),
        "nsl_kdd": Extent(1.0, 4_000, 3_000, 1),
        "nab": Extent(0.5, 2_000, 4_000, 2),
        "ucr": Extent(0.5, 2_000, 4_000, 2),
        "skab": Extent(0.5, series=1),
    }
)
LIMIT_S = 240.0
"""Wall seconds after which a job is stopped: more than any detector should need on a series of these."""


def detector_jobs(
    *,
    quick: bool = False,
    only: Sequence[str] | None = None,
    families: Sequence[str] | None = None,
    root: Path | None = None,
) -> list[Job]:
    """The jobs of the board, series by series, so that a worker that has read one judges it with all detectors.

    Parameters
    ----------
    quick : bool, default=False
        Few series, few rows, little training: whether everything runs, not how good it is.
    only : sequence of str, optional
        Names of detectors, baselines and anchors; all of them otherwise.
    families : sequence of str, optional
        Some of :data:`~redshank.evaluate.board.series.FAMILIES`; all of them otherwise.
    root : Path, optional
        Folder of the data sets; the workers find it by ``REDSHANK_DATA``.

    Raises
    ------
    SettingError, InputError
        If a detector, or a family, has no such name, or the data are not there.
    """
    wanted = list(only or [*DETECTORS, *PLAIN])
    for name in wanted:
        if name not in PLAIN:
            DETECTORS.extra_of(name)
    for family in families or ():
        series_of(family, root)
    kinds = {name: _kind(name) for name in wanted}
    return [
        _job(
            name,
            family if protocol == NO_LABELS else series,
            protocol,
            extent,
            quick=quick,
            deep=kinds[name][0],
        )
        for family in FAMILIES
        if families is None or family in families
        for extent in [(QUICK if quick else FULL)[family]]
        for place, series in enumerate(_some(series_of(family, root), extent.series))
        for name in wanted
        for protocol in _protocols(family, needs_labels=kinds[name][1], quick=quick)
        if protocol != NO_LABELS or place == 0
    ]


def judge_detector(
    *, detector: str, series: str, protocol: str, budget_s: float, train_rows: int | None, test_rows: int | None
) -> dict[str, Any]:
    """The work of one job: learn on one part of a series, set the alarm level on another, judge the third.

    Returns
    -------
    dict
        ``detector``, ``family``, ``series``, ``protocol``; ``measures`` (NaN where one is not defined), wall
        ``seconds`` and ``cpu_s`` to fit and to score, ``rows_per_s`` scored in a CPU second, ``settings``, counts of
        ``rows``, and ``remarks``. Where there is nothing to learn from, ``left_out`` says why, and the rest is absent.
    """
    what = {"detector": detector, "family": series.partition("/")[0], "series": series, "protocol": protocol}
    if protocol == NO_LABELS:
        return what | {"left_out": NO_LABELS}
    parts = parts_of(series, protocol, train_rows, test_rows)
    fresh = _make(detector, budget_s)
    learned, lessons = parts.learned, parts.lessons
    if lessons is not None and not fresh.tags.needs_labels:
        learned = [rows[marks == 0] for rows, marks in zip(learned, lessons, strict=True)]
    start, cpu = time.perf_counter(), time.process_time()
    fresh.fit(learned, lessons if fresh.tags.needs_labels else None)
    fitted, fitted_cpu = time.perf_counter(), time.process_time()
    scores = fresh.score_samples(parts.judged)[parts.judged_before :]
    scored, scored_cpu = time.perf_counter(), time.process_time()
    ready = fresh.ready(parts.judged)[parts.judged_before :]
    alarm = _alarms(fresh, parts, scores, ready)
    remarks = [WITH_LABELS[protocol]] if fresh.tags.needs_labels else []
    if fresh.tags.sequence and not parts.ordered:
        remarks.append(UNORDERED)
    return what | {
        "plain": detector in PLAIN,
        "deep": type(fresh).__module__.startswith(DEEP),
        "remarks": remarks,
        "settings": fresh.settings(),
        "measures": measures_of(scores, alarm, parts),
        "seconds": {"fit": round(fitted - start, 4), "score": round(scored - fitted, 4)},
        "cpu_s": {"fit": round(fitted_cpu - cpu, 4), "score": round(scored_cpu - fitted_cpu, 4)},
        "rows_per_s": len(parts.judged) / max(scored_cpu - fitted_cpu, LEAST_S),
        "rows": {"learned": sum(map(len, learned)), "held back": len(parts.held) - parts.held_before}
        | {"judged": len(parts.y), "anomalous": int(parts.y.sum())},
        "window": parts.window,
        "interval_s": parts.interval_s,
    }


def measures_of(scores: Array, alarm: npt.NDArray[np.bool_], parts: Parts) -> dict[str, float]:
    """What the table shows of one series; NaN where it is not defined."""
    y, known = parts.y, bool(parts.y.any())
    days = len(y) * parts.interval_s / DAY_S
    return {
        "VUS-PR": vus_pr(scores, y, window=parts.window),
        "event recall": event_recall(alarm, y) if parts.ordered else float("nan"),
        "false alarms per day": false_events(alarm, y) / days if parts.ordered else float("nan"),
        "ROC-AUC": roc_auc(scores, y),
        "F1": confusion(alarm, y).f1 if known else float("nan"),
    }


def _alarms(detector: Detector, parts: Parts, scores: Array, ready: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Alarms at the budget, by the level set on held-back rows."""
    settled = alarm_of(detector)
    if settled is not None:
        return np.full(len(scores), settled)
    held = slice(parts.held_before, None)
    usual = detector.score_samples(parts.held)[held][detector.ready(parts.held)[held]]
    calibrators, _ = fit_columns(
        CALIBRATORS.get(CALIBRATOR),
        {},
        {"": [usual]},
        interval_s=parts.interval_s,
        budget=Budget.parse(BUDGET),
        rest_rows=REST_ROWS,
    )
    return judge_columns(calibrators, "", [scores], ready)[1]


def _make(name: str, budget_s: float) -> Detector:
    make: Callable[..., Detector] = PLAIN[name] if name in PLAIN else DETECTORS.get(name)
    known = make().settings()
    own: dict[str, Any] = {"seed": SEED} if "seed" in known else {}
    if "budget_s" in known:
        own["budget_s"] = budget_s
    if "device" in known:
        own["device"] = "cpu"  # the same on every machine
    return make(**own)


def _kind(name: str) -> tuple[bool, bool]:
    """Whether a detector trains a network, and whether it needs labels."""
    if name in PLAIN:
        return False, False
    try:
        found = DETECTORS.get(name)()
    except MissingExtraError:  # its jobs will say so, in rows of their own
        return False, False
    return "budget_s" in found.settings(), found.tags.needs_labels


def _protocols(family: str, *, needs_labels: bool, quick: bool) -> tuple[str, ...]:
    """How a detector is taught on a family; nothing where it needs labels that the training rows do not have."""
    if family == "nsl_kdd":
        return (RANDOM_ROWS,) if quick else (RANDOM_ROWS, BLOCKS)
    if needs_labels:
        return (LEAVE_OUT,) if family == "skab" else (NO_LABELS,)
    return (SERIES,)


def _job(name: str, series: str, protocol: str, extent: Extent, *, quick: bool, deep: bool) -> Job:
    arguments = {
        "detector": name,
        "series": series,
        "protocol": protocol,
        "budget_s": extent.budget_s,
        "train_rows": extent.train_rows,
        "test_rows": extent.test_rows,
    }
    return Job(
        QUICK_BOARD if quick else BOARD,
        f"{name} on {series}, {protocol}",
        f"{__name__}:judge_detector",
        arguments,
        limit_s=LIMIT_S,
        cost_s=extent.usual_s + (extent.budget_s if deep else 0.0),
    )


def _some(names: Sequence[str], most: int | None) -> list[str]:
    """All, or so many of them evenly from first to last."""
    if most is None or most >= len(names):
        return list(names)
    places = np.linspace(0, len(names) - 1, most + 2)[1:-1].round().astype(int)
    return [names[place] for place in places]
