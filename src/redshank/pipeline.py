"""Cleaning, scaling, detector, calibrator and quality checks as one object: readings in, explained incidents out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from redshank.calibrate import CALIBRATORS, Budget
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
from redshank.features import Scaler, drop_duplicates, hold, interpolate, segments, within_limits
from redshank.incidents import REST_ROWS, Judged, fault, fold, incidents_of
from redshank.quality import Finding, QualityChecks

Floats = npt.NDArray[np.float32]
Times = npt.NDArray[np.int64]

HISTORY_ROWS = 2000
"""Rows of context that a detector is given at most."""
STEP = 1.5
"""Factor between the parts of the budget that are tried on the held-back rows."""
LARGEST_PART = 3.0
"""A column has at most this multiple of the budget: a calibrator may share it out among statistics of its own."""
LOWEST_STEP = -16
"""The smallest part is a six-hundredth of the even one: scores with a far tail need it to stay within the budget."""
FOLDS = 4
"""Blocks of the training time that a cheap detector is held back from in turn."""
FEW_ROWS = 500
"""Training rows below which a device is judged by the fleet's detector, where each device could have its own."""
QUALITY_SHARE = 0.2
"""Part of the false-alarm budget that the quality checks may use; the detector has the rest."""
GAP_INTERVALS = 10
"""A series is begun anew behind a gap of more than this many usual intervals."""
CLIP = 100.0
"""Largest scaled value that a detector sees, in usual deviations of its channel."""


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
        return sum(len(i.devices) for i in self.incidents) / weeks if weeks > 0 else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class _Device:
    """Rows of one device, oldest first: ``before`` rows of context, then those to judge, whose place is ``rows``."""

    name: str
    k: int  # place in the tables of training, -1 if unknown
    rows: npt.NDArray[np.intp]
    values: Floats
    time_ns: Times
    before: int


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
    scaler_ : Scaler
        Centre and spread of each device and channel, from training rows only.
    detectors_ : tuple of Detector
        The fleet's detector; behind it, if it is cheap, one for each device with enough rows.
    own_ : intp ndarray of shape (devices,)
        Which of them judges each device; the fleet's also judges devices that training did not see.
    calibrators_ : tuple of Calibrator
        One for the score and, where there are several channels, one for each channel's contribution.
    quality_ : QualityChecks
        Silence and sensor faults.
    held_back_rate_ : float
        Alarm events per device and week on the held-back normal rows: the first answer to the budget.

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
        self.schema_ = Schema(frame.schema.channels, frame.interval_s())
        rows, series = self._arrange(frame)
        if not rows:
            raise InputError("Pipeline: no training rows; give at least some hundred normal readings")
        self.devices_ = tuple(frame.devices[frame.device[own[0]]] for own in rows)
        self.max_gap_s_ = _longest_gap(frame, rows, self.schema_.interval_s or 1.0)
        if not any(np.isfinite(one).any() for one in series):
            raise InputError("Pipeline: no channel holds a value in the training rows")
        times = [frame.time_ns[own] for own in rows]
        fresh = DETECTORS.get(self.detector)() if isinstance(self.detector, str) else self.detector
        if fresh.tags.cheap:
            held = self._fit_in_turns(fresh, series, times, progress)
        else:
            spans = [slice(max(int(len(one) * (1.0 - self.hold_back)), 1), len(one)) for one in series]
            self._fit_scaler([one[: span.start] for one, span in zip(series, spans, strict=True)])
            self._fit_detectors(fresh, self._without(series, times, spans), progress)
            held = self._held_back(series, times, spans)
        self._fit_calibrators(held, budget)
        self.quality_ = QualityChecks(budget_per_week=QUALITY_SHARE * budget.per_device_second(len(rows)) * 604800.0)
        self.quality_.fit(frame)
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
        score, ready = np.full(len(frame), self.floor_), np.zeros(len(frame), np.bool_)
        p, alarm = np.ones(len(frame)), np.zeros(len(frame), np.bool_)
        for one in self._devices(frame, history):
            columns, ready[one.rows] = self._columns(one)
            score[one.rows] = columns[0]
            p[one.rows], alarm[one.rows] = self._judge(one.name, columns, ready[one.rows])
        return Scores(score, ready, p, alarm)

    def analyse(self, frame: Frame, *, history: Frame | None = None) -> Analysis:
        """Judge ``frame`` and explain it: incidents, what was expected, which channels carry the score.

        Takes what :meth:`predict` takes.
        """
        scores = self.predict(frame, history=history)
        shape = (len(frame), len(self.schema_))
        parts = {name: np.full(shape, np.nan, np.float32) for name in ("contributions", "expected", "low", "high")}
        incidents: list[Incident] = []
        for one in self._devices(frame, history):
            if not scores.alarm[one.rows].any():
                continue
            explained = self._explain(one)
            for name, values in explained.items():
                parts[name][one.rows] = values
            judged = Judged(
                device=one.name,
                time_ns=frame.time_ns[one.rows],
                alarm=scores.alarm[one.rows],
                p=scores.p[one.rows],
                values=one.values[one.before :].astype(np.float64),
                usual=self._unscaled(self._detector(one.k).usual_, one.k),
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
        return self.detectors_[0].floor_

    @property
    def _interval_s(self) -> float:
        return self.schema_.interval_s or 1.0

    def _fit_scaler(self, series: list[Floats]) -> None:
        groups = np.repeat(np.arange(len(series)), [len(one) for one in series])
        self.scaler_ = Scaler(method="robust", clip=CLIP).fit(np.concatenate(series), groups=groups)

    def _fit_in_turns(
        self, fresh: Detector, series: list[Floats], times: list[Times], progress: Progress | None
    ) -> list[list[Array]]:
        """Hold each quarter of the time back in turn, then learn from all rows; the columns of what was held back."""
        self._fit_scaler(series)
        parts = []
        for i in range(FOLDS):
            spans = [slice(len(one) * i // FOLDS, len(one) * (i + 1) // FOLDS) for one in series]
            self._fit_detectors(fresh, self._without(series, times, spans), progress)
            parts.append(self._held_back(series, times, spans))
        self._fit_detectors(fresh, self._without(series, times, [slice(0, 0)] * len(series)), progress)
        return [[np.concatenate(same) for same in zip(*own, strict=True)] for own in zip(*parts, strict=True)]

    def _without(self, series: list[Floats], times: list[Times], held: list[slice]) -> list[list[Floats]]:
        """Unbroken stretches of each device's training rows outside ``held``, filled and scaled."""
        training: list[list[Floats]] = []
        for k, (values, time_ns, span) in enumerate(zip(series, times, held, strict=True)):
            training.append([])
            for part in (slice(0, span.start), slice(span.stop, len(values))):
                smooth = self._scaled(interpolate(values[part], self.fill), k)
                training[k] += [smooth[run] for run in self._segments(time_ns[part])]
        return training

    def _held_back(self, series: list[Floats], times: list[Times], held: list[slice]) -> list[list[Array]]:
        """What the present detectors make of the rows held back from them, by device and column."""
        found = []
        for k, (one, time_ns, span) in enumerate(zip(series, times, held, strict=True)):
            until = slice(0, span.stop)
            rows = np.arange(span.start, span.stop)
            columns, ready = self._columns(_Device(self.devices_[k], k, rows, one[until], time_ns[until], span.start))
            found.append([column[ready] for column in columns])
        return found

    def _fit_detectors(self, fresh: Detector, training: list[list[Floats]], progress: Progress | None) -> None:
        long_enough = [[part for part in parts if len(part) > fresh.warmup] for parts in training]
        together = [part for parts in long_enough for part in parts]
        if not together:
            raise InputError(
                f"Pipeline: no stretch of training rows is longer than the {fresh.warmup} rows "
                f"that {type(fresh).__name__} looks back on; give more rows"
            )
        fleet = type(fresh)(**fresh.settings())
        fleet.progress = progress
        detectors = [fleet.fit(together)]
        fleet.progress = None
        self.own_ = np.zeros(len(training), np.intp)
        for k, parts in enumerate(long_enough):
            if fresh.tags.cheap and len(training) > 1 and sum(map(len, parts)) >= FEW_ROWS:
                self.own_[k] = len(detectors)
                detectors.append(type(fresh)(**fresh.settings()).fit(parts))
        self.detectors_ = tuple(detectors)

    def _fit_calibrators(self, held: list[list[Array]], budget: Budget) -> None:
        """Learn the tails, then spend the budget.

        Columns often alarm together, so each may have more than its even part: the parts are the largest at which the
        events of all columns on the held-back rows stay within the budget.
        """
        count = len(held[0])
        allowed = Budget(budget.count * (1.0 - QUALITY_SHARE), budget.unit, budget.per_device)
        make, settings = self._calibrator_of()
        fitted = [
            make(**settings).fit(
                {device: own[i] for device, own in zip(self.devices_, held, strict=True)}, self._interval_s
            )
            for i in range(count)
        ]

        def spend(step: int) -> float:
            part = min(STEP**step / count, LARGEST_PART)
            share = str(Budget(allowed.count * part, allowed.unit, allowed.per_device))
            self.calibrators_ = tuple(make(**(settings | {"budget": share})).restore(one.state()) for one in fitted)
            return self._alarm_rate(held)

        most = allowed.per_device_second(len(held)) * 604800.0
        low, high = LOWEST_STEP, math.ceil(math.log(LARGEST_PART * count, STEP))
        if most * self._weeks(held) < 1.0:
            high = 0  # too little was held back to have seen one false alarm: no reason to allow more
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if spend(middle) <= most else (low, middle - 1)
        self.held_back_rate_ = spend(low)

    def _alarm_rate(self, held: list[list[Array]]) -> float:
        """Alarm events per device and week of held-back rows."""
        alarms = 0
        for device, columns in zip(self.devices_, held, strict=True):
            _, alarm = self._judge(device, columns, np.ones(len(columns[0]), np.bool_))
            alarms += int((np.diff(np.flatnonzero(alarm), prepend=-REST_ROWS - 1) > REST_ROWS).sum())
        weeks = self._weeks(held)
        return alarms / weeks if weeks else 0.0

    def _weeks(self, held: list[list[Array]]) -> float:
        return sum(len(columns[0]) for columns in held) * self._interval_s / 604800.0

    def _calibrator_of(self) -> tuple[Callable[..., Calibrator], dict[str, Any]]:
        if isinstance(self.calibrator, str):
            return CALIBRATORS.get(self.calibrator), {"budget": self.budget}
        return type(self.calibrator), self.calibrator.settings() | {"budget": self.budget}

    def _detector(self, k: int) -> Detector:
        return self.detectors_[self.own_[k] if k >= 0 else 0]

    def _columns(self, one: _Device) -> tuple[list[Array], npt.NDArray[np.bool_]]:
        """Scores of a device and, of several channels, the contribution of each; and which rows are ready."""
        detector, parts = self._detector(one.k), self._parts(one)
        columns = [detector.score_samples(parts)]
        if one.values.shape[1] > 1:
            columns += list(np.ascontiguousarray(detector.contributions(parts).T))
        return [column[one.before :] for column in columns], detector.ready(parts)[one.before :]

    def _judge(
        self, device: str, columns: list[Array], ready: npt.NDArray[np.bool_]
    ) -> tuple[Array, npt.NDArray[np.bool_]]:
        judged = [
            calibrator.apply(device, column, ready)
            for calibrator, column in zip(self.calibrators_, columns, strict=True)
        ]
        p = np.min([one.p for one in judged], axis=0) * len(judged)
        return np.minimum(p, 1.0), np.any([one.alarm for one in judged], axis=0)

    def _explain(self, one: _Device) -> dict[str, Array]:
        detector, parts = self._detector(one.k), self._parts(one)
        band = detector.expected(parts)
        return {
            "contributions": detector.contributions(parts)[one.before :],
            "expected": self._unscaled(band.value[one.before :], one.k),
            "low": self._unscaled(band.low[one.before :], one.k),
            "high": self._unscaled(band.high[one.before :], one.k),
        }

    def _devices(self, frame: Frame, history: Frame | None) -> Iterator[_Device]:
        """Each device of ``frame`` with what there is of its history."""
        self._require_fit()
        known = {name: k for k, name in enumerate(self.devices_)}
        earlier = {}
        if history is not None:
            for rows, values in zip(*self._arrange(history), strict=True):
                last = slice(-HISTORY_ROWS, None)
                earlier[history.devices[history.device[rows[0]]]] = (values[last], history.time_ns[rows[last]])
        for rows, values in zip(*self._arrange(frame), strict=True):
            name = frame.devices[frame.device[rows[0]]]
            time_ns = frame.time_ns[rows]
            past, past_ns = earlier.get(name, (values[:0], time_ns[:0]))
            older = past_ns < time_ns[0]
            yield _Device(
                name,
                known.get(name, -1),
                rows,
                np.concatenate([past[older], values]),
                np.concatenate([past_ns[older], time_ns]),
                int(older.sum()),
            )

    def _arrange(self, frame: Frame) -> tuple[list[npt.NDArray[np.intp]], list[Floats]]:
        if frame.schema.names != self.schema_.names:
            raise InputError(
                f"Pipeline: the channels are {', '.join(frame.schema.names)}; "
                f"it was fitted with {', '.join(self.schema_.names)}"
            )
        if not len(frame):
            return [], []
        values, _ = within_limits(frame.values, self.schema_)
        _, kept = drop_duplicates(frame)
        devices = frame.device[kept]
        bounds = np.flatnonzero(np.diff(devices)) + 1
        rows = np.split(kept, bounds)
        return rows, [values[own] for own in rows]

    def _parts(self, one: _Device) -> list[Floats]:
        """Unbroken stretches of a device's rows as a detector sees them: last known values held, scaled."""
        scaled = self._scaled(hold(one.values, self.fill), one.k)
        return [scaled[part] for part in self._segments(one.time_ns)]

    def _segments(self, time_ns: Times) -> list[slice]:
        return segments(time_ns, round(self.max_gap_s_ * 1e9))

    def _scaled(self, values: Floats, k: int) -> Floats:
        scaled = self.scaler_.transform(values, groups=np.full(len(values), k))
        return np.nan_to_num(scaled, nan=0.0)  # what is still missing counts as usual

    def _unscaled(self, values: Array, k: int) -> Array:
        return np.asarray(self.scaler_.inverse(values, groups=np.full(len(values), k)), dtype=np.float64)

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


def _longest_gap(frame: Frame, rows: list[npt.NDArray[np.intp]], interval_s: float) -> float:
    steps = np.concatenate([np.diff(frame.time_ns[own]) for own in rows])
    usual = float(np.quantile(steps, 0.99)) / 1e9 if len(steps) else interval_s
    return GAP_INTERVALS * max(interval_s, usual)
