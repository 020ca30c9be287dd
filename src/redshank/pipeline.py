"""Cleaning, scaling, detector, calibrator and quality checks as one object: readings in, explained incidents out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

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
from redshank.incidents import Judged, fault, fold, incidents_of
from redshank.quality import Finding, QualityChecks

Floats = npt.NDArray[np.float32]

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
    level : float64 ndarray of shape (n,)
        Score above which the row would have alarmed.
    contributions, expected, low, high : float32 ndarray of shape (n, channels)
        Part of the score by channel; expected value and band in units of the schema. NaN for devices without alarm.
    incidents : tuple of Incident
        In order of onset.
    """

    frame: Frame
    scores: Scores
    level: Array
    contributions: Floats
    expected: Floats
    low: Floats
    high: Floats
    incidents: tuple[Incident, ...]

    def rate(self) -> float:
        """Incidents per device and week of the judged time: the realised rate, true incidents included."""
        weeks = device_weeks(self.frame)
        return sum(len(i.devices) for i in self.incidents) / weeks if weeks > 0 else 0.0


class Pipeline:
    """Learn from normal readings, then score, judge and explain others.

    Parameters
    ----------
    detector : Detector or str, default="ae_lstm"
        A registered name, or an unfitted detector.
    calibrator : Calibrator or str, default="extreme"
        A registered name, or an unfitted calibrator; a name gets ``budget``.
    budget : str, default="1 per device per week"
        False incidents allowed; the quality checks have a fifth of them, the detector the rest.
    hold_back : float, default=0.3
        Last part of each device's training rows that the detector does not see: alarm levels are learned there.
    fill : int, default=5
        Missing readings in a row that are filled: linearly for training, with the last known value for scoring.

    Attributes
    ----------
    schema_ : Schema
        Channels and usual interval of the training rows.
    scaler_ : Scaler
        Centre and spread of each device and channel, from training rows only.
    detector_, calibrator_, quality_
        The fitted parts.
    held_back_rate_ : float
        Alarm events per device and week on the held-back normal rows: the first answer to the budget.
    """

    def __init__(
        self,
        detector: Detector | str = "ae_lstm",
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
            Normal readings of one or more devices, in any order of rows.
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
        self.devices_ = tuple(frame.devices[frame.device[own[0]]] for own in rows)
        self.max_gap_s_ = _longest_gap(frame, rows, self.schema_.interval_s or 1.0)
        cut = [max(int(len(own) * (1.0 - self.hold_back)), 1) for own in rows]
        groups = np.repeat(np.arange(len(rows)), cut)
        learn = np.concatenate([one[:n] for one, n in zip(series, cut, strict=True)])
        if not np.isfinite(learn).any():
            raise InputError("Pipeline: no channel holds a value in the training rows")
        self.scaler_ = Scaler(method="robust", clip=CLIP).fit(learn, groups=groups)
        self.detector_ = DETECTORS.get(self.detector)() if isinstance(self.detector, str) else self.detector
        training = []
        for k, (own, one, n) in enumerate(zip(rows, series, cut, strict=True)):
            smooth = self._scaled(interpolate(one[:n], self.fill), k)
            parts = [smooth[part] for part in self._segments(frame.time_ns[own[:n]])]
            training += [part for part in parts if len(part) > self.detector_.warmup]
        if not training:
            raise InputError(
                f"Pipeline: no stretch of training rows is longer than the {self.detector_.warmup} rows "
                f"that {type(self.detector_).__name__} looks back on; give more rows"
            )
        self.detector_.progress = progress
        self.detector_.fit(training)
        self.detector_.progress = None
        self._fit_calibrator(frame, rows, series, cut, budget)
        self.quality_ = QualityChecks(budget_per_week=QUALITY_SHARE * budget.per_device_second(len(rows)) * 604800.0)
        self.quality_.fit(frame)
        return self

    def score_samples(self, frame: Frame) -> Array:
        """Raw score of each row of ``frame``, shape (n,); repeated readings get the lowest training score."""
        return self._score(frame)[0]

    def predict(self, frame: Frame) -> Scores:
        """Score, readiness, tail probability and alarm of each row of ``frame``."""
        scores, _ = self._judge(frame)
        return scores

    def analyse(self, frame: Frame) -> Analysis:
        """Judge ``frame`` and explain it: incidents, what was expected, which channels carry the score."""
        scores, level = self._judge(frame)
        shape = (len(frame), len(self.schema_))
        parts = {name: np.full(shape, np.nan, np.float32) for name in ("contributions", "expected", "low", "high")}
        incidents: list[Incident] = []
        for own, one, k in self._devices(frame):
            if not scores.alarm[own].any():
                continue
            explained = self._explain(one, frame.time_ns[own], k)
            for name, values in explained.items():
                parts[name][own] = values
            judged = Judged(
                device=frame.devices[frame.device[own[0]]],
                time_ns=frame.time_ns[own],
                alarm=scores.alarm[own],
                p=scores.p[own],
                values=one.astype(np.float64),
                usual=self._unscaled(self.detector_.usual_, k),
                **explained,
            )
            incidents += incidents_of(judged, self.schema_, self._interval_s)
        incidents += [self._incident_of(finding) for finding in self.quality_.check(frame)]
        fleet = len(self.devices_)
        return Analysis(frame, scores, level, **parts, incidents=tuple(fold(incidents, self._interval_s, fleet)))

    @property
    def _interval_s(self) -> float:
        return self.schema_.interval_s or 1.0

    def _fit_calibrator(
        self, frame: Frame, rows: list[npt.NDArray[np.intp]], series: list[Floats], cut: list[int], budget: Budget
    ) -> None:
        share = Budget(budget.count * (1.0 - QUALITY_SHARE), budget.unit, budget.per_device)
        if isinstance(self.calibrator, str):
            make: Callable[..., Calibrator] = CALIBRATORS.get(self.calibrator)
            self.calibrator_ = make(budget=str(share))
        else:
            self.calibrator_ = self.calibrator
        held: dict[str, Array] = {}
        for k, (own, one, n) in enumerate(zip(rows, series, cut, strict=True)):
            score, ready = self._score_device(one, frame.time_ns[own], k)
            held[self.devices_[k]] = score[n:][ready[n:]]
        self.calibrator_.fit(held, self._interval_s)
        alarms = sum(
            int(
                (
                    np.diff(
                        self.calibrator_.apply(device, own, np.ones(len(own), np.bool_)).alarm.astype(np.int8),
                        prepend=0,
                    )
                    == 1
                ).sum()
            )
            for device, own in held.items()
        )
        weeks = sum(map(len, held.values())) * self._interval_s / 604800.0
        self.held_back_rate_ = alarms / weeks if weeks else 0.0

    def _judge(self, frame: Frame) -> tuple[Scores, Array]:
        score, ready = self._score(frame)
        p, level = np.ones(len(frame)), np.full(len(frame), np.inf)
        alarm = np.zeros(len(frame), np.bool_)
        for own, _, _ in self._devices(frame):
            device = frame.devices[frame.device[own[0]]]
            judged = self.calibrator_.apply(device, score[own], ready[own])
            p[own], alarm[own], level[own] = judged.p, judged.alarm, judged.level
        return Scores(score, ready, p, alarm), level

    def _score(self, frame: Frame) -> tuple[Array, npt.NDArray[np.bool_]]:
        self._require_fit()
        score, ready = np.full(len(frame), self.detector_.floor_), np.zeros(len(frame), np.bool_)
        for own, one, k in self._devices(frame):
            score[own], ready[own] = self._score_device(one, frame.time_ns[own], k)
        return score, ready

    def _score_device(
        self, values: Floats, time_ns: npt.NDArray[np.int64], k: int
    ) -> tuple[Array, npt.NDArray[np.bool_]]:
        scaled = self._scaled(hold(values, self.fill), k)
        parts = [scaled[part] for part in self._segments(time_ns)]
        return self.detector_.score_samples(parts), self.detector_.ready(parts)

    def _explain(self, values: Floats, time_ns: npt.NDArray[np.int64], k: int) -> dict[str, Array]:
        scaled = self._scaled(hold(values, self.fill), k)
        parts = [scaled[part] for part in self._segments(time_ns)]
        band = self.detector_.expected(parts)
        return {
            "contributions": self.detector_.contributions(parts),
            "expected": self._unscaled(band.value, k),
            "low": self._unscaled(band.low, k),
            "high": self._unscaled(band.high, k),
        }

    def _devices(self, frame: Frame) -> Iterator[tuple[npt.NDArray[np.intp], Floats, int]]:
        """Rows in time order, clean values and scaler group of each device in ``frame``; -1 for an unknown device."""
        self._require_fit()
        known = {name: k for k, name in enumerate(self.devices_)}
        for own, one in zip(*self._arrange(frame), strict=True):
            yield own, one, known.get(frame.devices[frame.device[own[0]]], -1)

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

    def _segments(self, time_ns: npt.NDArray[np.int64]) -> list[slice]:
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
