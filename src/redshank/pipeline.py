"""Cleaning, scaling, detector, calibrator and quality checks as one object: readings in, explained incidents out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from redshank.calibrate import CALIBRATORS, Budget
from redshank.calibrate.columns import fit_columns, judge_columns
from redshank.core import (
    Calibrator,
    Classifier,
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
from redshank.core.classifier import NORMAL
from redshank.core.detector import Array, Progress
from redshank.features import drop_duplicates, within_limits
from redshank.incidents import REST_ROWS, Judged, fault, fold, incidents_of
from redshank.quality import Finding, QualityChecks
from redshank.scoring import AS_IS, DeviceRows, Floats, Names, fit_scorer, odd
from redshank.training import (
    Training,
    check_sampling,
    filled_note,
    fresh_of,
    held_back,
    lessons_of,
    longest_gaps,
    mute_note,
    pieces_of,
    sampling_of,
    turns_of,
    usual_steps,
    without,
)

HISTORY_ROWS = 2000
"""Rows of context that a detector is given at most."""
FEW_ROWS = 1000
"""Training rows below which a device is judged by the fleet's detector, where each device could have its own."""
ROW_BY_ROW: Mapping[str, dict[str, Any]] = {"extreme": {"windows": (1,)}}
"""Settings of calibrators that judge each row by its own score: what has been learned by name ends where it ends, and
needs no trailing mean to be seen."""
QUALITY_SHARE = 0.2
"""Part of the false-alarm budget that the quality checks may use; the detector has the rest."""


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """Everything that there is to say about a frame; arrays have one row for each of its rows.

    Parameters
    ----------
    frame, scores : Frame, Scores
        The rows that were judged; score, readiness, tail probability and alarm of each.
    contributions, expected, low, high : float32 ndarray of shape (n, channels)
        Part of the score by channel; expected value and band in units of the schema. NaN for devices without alarm,
        contributions also for rows that a row detector with labels does not explain.
    incidents : tuple of Incident
        In order of onset.
    kinds : str ndarray of shape (n,) or None, default=None
        Most probable class of each row, ``"normal"`` among them, where the detector names classes. An alarmed row may
        still be most probably normal; its incident then names the most probable anomaly.
    filled : int, default=0
        Missing readings that were filled for the detector.
    notes : tuple of str, default=()
        What was assumed, in plain sentences.
    """

    frame: Frame
    scores: Scores
    contributions: Floats
    expected: Floats
    low: Floats
    high: Floats
    incidents: tuple[Incident, ...]
    kinds: Names | None = None
    filled: int = 0
    notes: tuple[str, ...] = ()

    def rate(self) -> float:
        """Incidents per device and week of the judged time: the realised rate, true incidents included."""
        weeks = device_weeks(self.frame)
        return len(self.incidents) / weeks if weeks > 0 else 0.0


class Pipeline:
    """Learn from normal readings, then score, judge and explain others.

    Parameters
    ----------
    detector : Detector or str, default="ridge"
        A registered name, with settings as in ``"pca(latent=2)"`` where they are to differ, or an unfitted detector.
    calibrator : Calibrator or str, default="extreme"
        A registered name, or an unfitted calibrator whose settings are taken; its budget is set from ``budget``.
    budget : str, default="1 per device per week"
        False incidents allowed; the quality checks have a fifth of them, the detector the rest.
    hold_back : float, default=0.3
        Last part of each device's training rows that the detector does not see: alarm levels are learned there. A
        detector that its tags call cheap is instead held back from each quarter in turn and then learns from all rows.
    fill : int, default=5
        Missing readings in a row that are filled: linearly for training, with the last known value for scoring. Longer
        gaps count as the usual value. Detectors whose tags say that they take missing values get them as they are.
    sampling : {"as_is", "resample", "gap", "auto"}, default="as_is"
        How rows at unequal steps are given to a detector that looks at their order. ``"as_is"``: one behind the other.
        ``"resample"``: a gap of k usual intervals of the device, rounded and at most 100, is k steps, the new ones with
        the last known values; every reading has a step and a score of its own. ``"gap"``: the logarithm of the time
        since the reading before over the usual interval is one more input, left out of explanations. ``"auto"``: as
        is, unless over a tenth of the training steps differ from the usual by over a quarter; then resampled.

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
    notes_ : tuple of str
        What was assumed in learning, in plain sentences.

    Notes
    -----
    A row alarms if its score is unusual or if one channel's part of it is: a fault of one sensor among many hardly
    moves the sum. All of them have the same part of the budget, as large as the held-back rows allow. ``p`` is the
    smallest of theirs times their number.

    Of a detector that learns from labels the score alone alarms, and row by row: ``"extreme"`` has no trailing means
    there. Levels are set on held-back normal rows, the quality checks learn from values of normal rows. The fleet's
    detector judges a device that has not normal and anomalous rows of its own in all parts that are learned from; a
    part without which the fleet would lack either is not held back.
    """

    def __init__(
        self,
        detector: Detector | str = "ridge",
        *,
        calibrator: Calibrator | str = "extreme",
        budget: str = "1 per device per week",
        hold_back: float = 0.3,
        fill: int = 5,
        sampling: str = AS_IS,
    ) -> None:
        self.detector = detector
        self.calibrator = calibrator
        self.budget = budget
        self.hold_back = hold_back
        self.fill = fill
        self.sampling = sampling

    def fit(self, frame: Frame, labels: npt.ArrayLike | None = None, *, progress: Progress | None = None) -> Self:
        """Learn what normal is from ``frame``; whatever an earlier fit learned is forgotten.

        Parameters
        ----------
        frame : Frame
            Normal readings of one or more devices. The order of the rows of a device is taken for the order of
            arrival by the clock check, and for nothing else.
        labels : array of shape (n,), optional
            For detectors whose tags say that they learn from labels, and for no others: 1 for anomalous rows, or names
            of what is wrong, where ``"normal"`` and an empty text are no anomaly.
        progress : callable, optional
            Given to detectors that train in epochs; see :class:`redshank.core.Detector`.

        Raises
        ------
        InputError
            If there are too few rows, or no channel holds a value; if labels are given to a detector that learns
            without, or are missing, or all of a kind, for one that needs them.
        """
        check_range("Pipeline", "hold_back", self.hold_back, 0.05, 0.9)
        check_sampling("Pipeline: sampling", self.sampling)
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
        fresh = fresh_of(self.detector)
        lessons = lessons_of(fresh, labels, len(frame))
        training = Training(devices, series, times, None if lessons is None else [lessons[own] for own in rows])
        turns, notes = turns_of(training, 0.0 if fresh.tags.cheap else self.hold_back)
        sampling, more = sampling_of(self.sampling, fresh, times, interval_s)
        learn = partial(
            fit_scorer,
            fresh,
            alone=[
                fresh.tags.cheap and len(rows) > 1 and len(one) >= FEW_ROWS and training.teaches(k, turns)
                for k, one in enumerate(series)
            ],
            gap_s=longest_gaps(times, interval_s),
            fill=self.fill,
            sampling=sampling,
            step_s=usual_steps(times, interval_s),
            progress=progress,
        )
        held: list[list[list[Array]]] = []
        for spans in turns:
            scorer = learn(pieces_of(training, spans))
            held.append(held_back(scorer, training, spans))
        if fresh.tags.cheap:
            scorer = learn(pieces_of(training, [slice(0, 0)] * len(series)))
        columns = [[np.concatenate(same) for same in zip(*own, strict=True)] for own in zip(*held, strict=True)]
        make, settings = self._calibrator_of(labelled=lessons is not None)
        calibrators, rate = fit_columns(
            make,
            settings,
            dict(zip(devices, columns, strict=True)),
            interval_s=interval_s,
            budget=Budget(budget.count * (1.0 - QUALITY_SHARE), budget.unit, budget.per_device),
            rest_rows=REST_ROWS,
        )
        quality = QualityChecks(budget_per_week=QUALITY_SHARE * budget.per_device_week(len(rows)))
        self.quality_ = quality.fit(frame if lessons is None else without(frame, odd(lessons)))
        self.schema_, self.devices_, self.scorer_ = schema, devices, scorer
        self.calibrators_, self.held_back_rate_ = calibrators, rate
        gaps = [np.isnan(one) & scorer.seen & (not fresh.tags.missing) for one in series]
        self.notes_ = (*notes, *more, *filled_note(gaps, fresh, "between their neighbours"))
        self.notes_ += mute_note(fresh, calibrators, devices, self.budget)
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
        kinds = np.full(len(frame), NORMAL, dtype=object)
        for one in devices:
            named = self.scorer_.kinds(one)
            if named is not None:
                kinds[one.rows] = named[0]
            if not scores.alarm[one.rows].any():
                continue
            explained = self.scorer_.explain(one, scores.alarm[one.rows])
            for name, values in explained.items():
                parts[name][one.rows] = values
            judged = Judged(
                device=one.name,
                time_ns=frame.time_ns[one.rows],
                alarm=scores.alarm[one.rows],
                p=scores.p[one.rows],
                values=one.values[one.before :].astype(np.float64),
                usual=self.scorer_.usual(one.k),
                kinds=None if named is None else named[1],
                **explained | {"contributions": np.nan_to_num(explained["contributions"])},
            )
            incidents += incidents_of(judged, self.schema_, self._interval_s)
        incidents += [self._incident_of(finding) for finding in self.quality_.check(frame)]
        fleet = len(self.devices_)
        gaps = [self.scorer_.filled(one) for one in devices]
        return Analysis(
            frame,
            scores,
            **parts,
            incidents=tuple(fold(incidents, self._interval_s, fleet)),
            kinds=kinds.astype(np.str_) if isinstance(self.scorer_.detectors[0], Classifier) else None,
            filled=sum(int(one.sum()) for one in gaps),
            notes=filled_note(gaps, self.scorer_.detectors[0], "with the last known value"),
        )

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

    def _calibrator_of(self, *, labelled: bool) -> tuple[Callable[..., Calibrator], dict[str, Any]]:
        if isinstance(self.calibrator, str):
            return CALIBRATORS.get(self.calibrator), ROW_BY_ROW.get(self.calibrator, {}) if labelled else {}
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
