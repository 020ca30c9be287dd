"""Cleaning, scaling, detector, calibrator and quality checks as one object: readings in, explained incidents out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from redshank.calibrate import CALIBRATORS, Budget
from redshank.calibrate.columns import fit_columns, judge_columns
from redshank.core import (
    Calibrator,
    Detector,
    Frame,
    Incident,
    InputError,
    NotFittedError,
    Reading,
    Schema,
    Scores,
    check_range,
)
from redshank.core.detector import Array, Progress
from redshank.detectors import DETECTORS
from redshank.features import drop_duplicates, within_limits
from redshank.incidents import REST_ROWS, Judged, fault, fold, incidents_of
from redshank.quality import Finding, QualityChecks
from redshank.scoring import DeviceRows, Floats, Scorer, Times, fit_scorer

HISTORY_ROWS = 2000
"""Rows of context that a detector is given at most."""
FOLDS = 4
"""Blocks of the training time that a cheap detector is held back from in turn."""
FEW_ROWS = 1000
"""Training rows below which a device is judged by the fleet's detector, where each device could have its own."""
QUALITY_SHARE = 0.2
"""Part of the false-alarm budget that the quality checks may use; the detector has the rest."""
GAP_INTERVALS = 10
"""A series is begun anew behind a gap of more than this many usual intervals of its device."""


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """Everything that there is to say about a frame; arrays have one row for each of its rows.

    Parameters
    ----------
    frame : Frame
        The rows that were judged.
    scores : Scores
        Score, readiness, tail probability and alarm of each row.
    contributions, expected, low, high : float32 ndarray of shape (n, channels)
        Part of the score by channel; expected value and band in units of the schema. NaN for devices without alarm.
    incidents : tuple of Incident
        In order of onset.
    """

    frame: Frame
    scores: Scores
    contributions: Floats
    expected: Floats
    low: Floats
    high: Floats
    incidents: tuple[Incident, ...]

    def rate(self) -> float:
        """Incidents per device and week of the judged time: the realised rate, true incidents included."""
        weeks = device_weeks(self.frame)
        return len(self.incidents) / weeks if weeks > 0 else 0.0


class Pipeline:
    """Learn from normal readings, then score, judge and explain others.

    Parameters
    ----------
    detector : Detector or str, default="ridge"
        A registered name, or an unfitted detector.
    calibrator : Calibrator or str, default="extreme"
        A registered name, or an unfitted calibrator whose settings are taken; its budget is set from ``budget``.
    budget : str, default="1 per device per week"
        False incidents allowed; the quality checks have a fifth of them, the detector the rest.
    hold_back : float, default=0.3
        Last part of each device's training rows that the detector does not see: alarm levels are learned there. A
        detector that its tags call cheap is instead held back from each quarter in turn and then learns from all rows.
    fill : int, default=5
        Missing readings in a row that are filled: linearly for training, with the last known value for scoring.

    Attributes
    ----------
    schema_ : Schema
        Channels and usual interval of the training rows.
    devices_ : tuple of str
        Devices seen in training.
    scorer_ : Scorer
        Scaling and detectors, fitted on training rows only.
    calibrators_ : tuple of Calibrator
        One for the score and, where there are several channels, one for each channel's contribution.
    quality_ : QualityChecks
        Silence and sensor faults.
    held_back_rate_ : float
        Alarm events per device and week on held-back normal rows, at the levels set on them: as near to the budget as
        these rows allow.

    Notes
    -----
    A row alarms if its score is unusual or if one channel's part of it is: a fault of one sensor among many hardly
    moves the sum. All of them have the same part of the budget, as large as the held-back rows allow. ``p`` is the
    smallest of theirs times their number.
    """

    def __init__(
        self,
        detector: Detector | str = "ridge",
        *,
        calibrator: Calibrator | str = "extreme",
        budget: str = "1 per device per week",
        hold_back: float = 0.3,
        fill: int = 5,
    ) -> None:
        self.detector = detector
        self.calibrator = calibrator
        self.budget = budget
        self.hold_back = hold_back
        self.fill = fill

    def fit(self, frame: Frame, *, progress: Progress | None = None) -> Self:
        """Learn what normal is from ``frame``; whatever an earlier fit learned is forgotten.

        Parameters
        ----------
        frame : Frame
            Normal readings of one or more devices. The order of the rows of a device is taken for the order of
            arrival by the clock check, and for nothing else.
        progress : callable, optional
            Given to detectors that train in epochs; see :class:`redshank.core.Detector`.

        Raises
        ------
        InputError
            If there are too few rows, or no channel holds a value.
        """
        check_range("Pipeline", "hold_back", self.hold_back, 0.05, 0.9)
        budget = Budget.parse(self.budget)
        schema = Schema(frame.schema.channels, frame.interval_s())
        interval_s = schema.interval_s or 1.0
        rows, series = _arrange(frame, schema)
        if not rows:
            raise InputError("Pipeline: no training rows; give at least some hundred normal readings")
        if not any(np.isfinite(one).any() for one in series):
            raise InputError("Pipeline: no channel holds a value in the training rows")
        devices = tuple(frame.devices[frame.device[own[0]]] for own in rows)
        times = [frame.time_ns[own] for own in rows]
        fresh = DETECTORS.get(self.detector)() if isinstance(self.detector, str) else self.detector
        learn = partial(
            fit_scorer,
            fresh,
            alone=[fresh.tags.cheap and len(rows) > 1 and len(one) >= FEW_ROWS for one in series],
            gap_s=_longest_gaps(times, interval_s),
            fill=self.fill,
            progress=progress,
        )
        held: list[list[list[Array]]] = []
        for spans in _turns(series, 0.0 if fresh.tags.cheap else self.hold_back):
            scorer = learn(_pieces(series, times, spans))
            held.append(_held_back(scorer, devices, series, times, spans))
        if fresh.tags.cheap:
            scorer = learn(_pieces(series, times, [slice(0, 0)] * len(series)))
        columns = [[np.concatenate(same) for same in zip(*own, strict=True)] for own in zip(*held, strict=True)]
        make, settings = self._calibrator_of()
        calibrators, rate = fit_columns(
            make,
            settings,
            dict(zip(devices, columns, strict=True)),
            interval_s=interval_s,
            budget=Budget(budget.count * (1.0 - QUALITY_SHARE), budget.unit, budget.per_device),
            rest_rows=REST_ROWS,
        )
        quality = QualityChecks(budget_per_week=QUALITY_SHARE * budget.per_device_week(len(rows)))
        self.quality_ = quality.fit(frame)
        self.schema_, self.devices_, self.scorer_ = schema, devices, scorer
        self.calibrators_, self.held_back_rate_ = calibrators, rate
        return self

    def score_samples(self, frame: Frame) -> Array:
        """Raw score of each row of ``frame``, shape (n,); repeated readings get the lowest training score."""
        return self.predict(frame).score

    def predict(self, frame: Frame, *, history: Frame | None = None) -> Scores:
        """Score, readiness, tail probability and alarm of each row of ``frame``.

        Parameters
        ----------
        frame : Frame
            Readings to judge.
        history : Frame, optional
            Readings just before them, of the same devices: context for detectors that look back, not judged.
        """
        return self._judge(len(frame), list(self._devices(frame, history)))

    def analyse(self, frame: Frame, *, history: Frame | None = None) -> Analysis:
        """Judge ``frame`` and explain it: incidents, what was expected, which channels carry the score.

        Takes what :meth:`predict` takes.
        """
        devices = list(self._devices(frame, history))
        scores = self._judge(len(frame), devices)
        shape = (len(frame), len(self.schema_))
        parts = {name: np.full(shape, np.nan, np.float32) for name in ("contributions", "expected", "low", "high")}
        incidents: list[Incident] = []
        for one in devices:
            if not scores.alarm[one.rows].any():
                continue
            explained = self.scorer_.explain(one)
            for name, values in explained.items():
                parts[name][one.rows] = values
            judged = Judged(
                device=one.name,
                time_ns=frame.time_ns[one.rows],
                alarm=scores.alarm[one.rows],
                p=scores.p[one.rows],
                values=one.values[one.before :].astype(np.float64),
                usual=self.scorer_.usual(one.k),
                **explained,
            )
            incidents += incidents_of(judged, self.schema_, self._interval_s)
        incidents += [self._incident_of(finding) for finding in self.quality_.check(frame)]
        fleet = len(self.devices_)
        return Analysis(frame, scores, **parts, incidents=tuple(fold(incidents, self._interval_s, fleet)))

    @property
    def floor_(self) -> float:
        """Lowest training score of the fleet's detector: the score of a row that cannot be judged."""
        self._require_fit()
        return self.scorer_.detectors[0].floor_

    @property
    def _interval_s(self) -> float:
        return self.schema_.interval_s or 1.0

    def _judge(self, count: int, devices: list[DeviceRows]) -> Scores:
        score, ready = np.full(count, self.floor_), np.zeros(count, np.bool_)
        p, alarm = np.ones(count), np.zeros(count, np.bool_)
        for one in devices:
            columns, ready[one.rows] = self.scorer_.columns(one)
            score[one.rows] = columns[0]
            p[one.rows], alarm[one.rows] = judge_columns(self.calibrators_, one.name, columns, ready[one.rows])
        return Scores(score, ready, p, alarm)

    def _calibrator_of(self) -> tuple[Callable[..., Calibrator], dict[str, Any]]:
        if isinstance(self.calibrator, str):
            return CALIBRATORS.get(self.calibrator), {}
        settings = self.calibrator.settings()
        settings.pop("budget")
        return type(self.calibrator), settings

    def _devices(self, frame: Frame, history: Frame | None) -> Iterator[DeviceRows]:
        """Each device of ``frame`` with what there is of its history."""
        self._require_fit()
        known = {name: k for k, name in enumerate(self.devices_)}
        earlier = {}
        if history is not None:
            for rows, values in zip(*_arrange(history, self.schema_), strict=True):
                last = slice(-HISTORY_ROWS, None)
                earlier[history.devices[history.device[rows[0]]]] = (values[last], history.time_ns[rows[last]])
        for rows, values in zip(*_arrange(frame, self.schema_), strict=True):
            name = frame.devices[frame.device[rows[0]]]
            time_ns = frame.time_ns[rows]
            past, past_ns = earlier.get(name, (values[:0], time_ns[:0]))
            older = past_ns < time_ns[0]
            yield DeviceRows(
                name,
                known.get(name, -1),
                rows,
                np.concatenate([past[older], values]),
                np.concatenate([past_ns[older], time_ns]),
                int(older.sum()),
            )

    def _incident_of(self, finding: Finding) -> Incident:
        units = {channel.name: channel.unit for channel in self.schema_.channels}
        readings = tuple(
            Reading(name, units[name], 1.0 / len(finding.channels), finding.seen, finding.expected, np.nan, np.nan)
            for name in finding.channels
        )
        return fault(
            finding.device,
            start_ns=finding.start_ns,
            end_ns=finding.end_ns,
            detected_ns=finding.detected_ns,
            kind=finding.kind,
            cause=finding.cause,
            severity=finding.severity,
            readings=readings,
            detail=finding.detail,
        )

    def _require_fit(self) -> None:
        if not hasattr(self, "quality_"):
            raise NotFittedError("Pipeline: not fitted yet; call fit first")


def device_weeks(frame: Frame) -> float:
    """Observed time of all devices together, in weeks: from each one's first reading to its last."""
    spans = [
        int(frame.time_ns[own[-1]] - frame.time_ns[own[0]]) / 1e9 + frame.interval_s()
        for own in frame.series()
        if len(own)
    ]
    return sum(spans) / 604800.0


def _arrange(frame: Frame, schema: Schema) -> tuple[list[npt.NDArray[np.intp]], list[Floats]]:
    """Rows of each device in time order, without repeats, and their values within the physical limits."""
    if frame.schema.names != schema.names:
        raise InputError(
            f"Pipeline: the channels are {', '.join(frame.schema.names)}; it was fitted with {', '.join(schema.names)}"
        )
    if not len(frame):
        return [], []
    values, _ = within_limits(frame.values, schema)
    _, kept = drop_duplicates(frame)
    bounds = np.flatnonzero(np.diff(frame.device[kept])) + 1
    rows = np.split(kept, bounds)
    return rows, [values[own] for own in rows]


def _longest_gaps(times: list[Times], interval_s: float) -> Array:
    """Longest gap inside a series, for each device by its own steps, and last for unknown devices."""
    steps = [np.diff(time_ns) / 1e9 for time_ns in times]
    steps.append(np.concatenate(steps))
    usual = [float(np.quantile(own, 0.99)) if len(own) else interval_s for own in steps]
    return GAP_INTERVALS * np.maximum(usual, interval_s)


def _turns(series: list[Floats], hold_back: float) -> list[list[slice]]:
    """What is held back, turn by turn and device by device: the last part, or with 0 each quarter once."""
    if hold_back:
        return [[slice(max(int(len(one) * (1.0 - hold_back)), 1), len(one)) for one in series]]
    return [[slice(len(one) * i // FOLDS, len(one) * (i + 1) // FOLDS) for one in series] for i in range(FOLDS)]


def _pieces(series: list[Floats], times: list[Times], held: list[slice]) -> list[list[tuple[Floats, Times]]]:
    """Each device's rows in front of and behind those that are held back."""
    return [
        [(one[part], time_ns[part]) for part in (slice(0, span.start), slice(span.stop, len(one)))]
        for one, time_ns, span in zip(series, times, held, strict=True)
    ]


def _held_back(
    scorer: Scorer, devices: tuple[str, ...], series: list[Floats], times: list[Times], held: list[slice]
) -> list[list[Array]]:
    """What a scorer makes of the rows held back from it, by device and column; earlier rows are its context."""
    found = []
    for k, (name, one, time_ns, span) in enumerate(zip(devices, series, times, held, strict=True)):
        rows = np.arange(span.start, span.stop)
        columns, ready = scorer.columns(DeviceRows(name, k, rows, one[: span.stop], time_ns[: span.stop], span.start))
        found.append([column[ready] for column in columns])
    return found
