"""From a device's rows to scores: filling, scaling, cutting at gaps and the detector, fitted together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from redshank.core import Classifier, Detector, InputError
from redshank.core.classifier import NORMAL
from redshank.core.detector import Array, Progress
from redshank.features import Scaler, grid_places, hold, interpolate, log_gaps, segments

Floats = npt.NDArray[np.float32]
Times = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]
Names = npt.NDArray[np.str_]
Rows = npt.NDArray[np.intp]
Lessons = npt.NDArray[np.generic]

CLIP = 100.0
"""Largest scaled value that a detector sees, in usual deviations of its channel."""
AS_IS, RESAMPLE, GAP = "as_is", "resample", "gap"
"""Ways to give rows that do not come at equal steps to a detector that looks at their order."""
MOST_EXPLAINED = 1000
"""Alarmed rows of a device that a row detector with labels explains: each costs a score for every channel."""


@dataclass(frozen=True, slots=True, eq=False)
class DeviceRows:
    """Rows of one device, oldest first: ``before`` rows of context, then those to judge, whose place is ``rows``."""

    name: str
    k: int  # place in the tables of training, -1 if unknown
    rows: Rows
    values: Floats
    time_ns: Times
    before: int


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Unbroken training rows of one device, oldest first; ``lessons`` are their labels for a detector that needs them.

    Labels are 0 and 1, or names of what is wrong among which ``"normal"`` is none.
    """

    values: Floats
    time_ns: Times
    lessons: Lessons | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Scorer:
    """A scaler and the detectors that were fitted on what it gave.

    Parameters
    ----------
    scaler : Scaler
        Centre and spread of each device and channel, from training rows only.
    detectors : tuple of Detector
        The fleet's detector; behind it one for each device that has its own.
    own : intp ndarray of shape (devices,)
        Which of them judges each device; the fleet's also judges devices that training did not see.
    gap_s : float64 ndarray of shape (devices + 1,)
        A series of each device begins anew behind a longer gap; the last entry is for unknown devices.
    seen : bool ndarray of shape (channels,)
        Channels that held a value in training; nothing is said of the others.
    fill : int
        Missing readings in a row that are filled.
    sampling : {"as_is", "resample", "gap"}, default="as_is"
        How rows at unequal steps are given to the detectors; see :class:`~redshank.pipeline.Pipeline`.
    step_s : float64 ndarray of shape (devices + 1,), optional
        Usual interval of each device, and last of unknown ones; needed unless ``sampling`` is ``"as_is"``.
    """

    scaler: Scaler
    detectors: tuple[Detector, ...]
    own: Rows
    gap_s: Array
    seen: Marks
    fill: int
    sampling: str = AS_IS
    step_s: Array = field(default_factory=lambda: np.empty(0))

    def detector(self, k: int) -> Detector:
        """The detector that judges device ``k``."""
        return self.detectors[self.own[k] if k >= 0 else 0]

    def columns(self, one: DeviceRows) -> tuple[list[Array], Marks]:
        """Scores and, where channels alarm by themselves, the contribution of each; and which rows are ready."""
        width = one.values.shape[1] if self.by_channel else 0
        if not len(one.values):
            return [np.empty(0)] * (width + 1), np.empty(0, np.bool_)
        detector = self.detector(one.k)
        parts, at = self._parts(one)
        columns = [detector.score_samples(parts)[at]]
        if width:
            columns += list(np.ascontiguousarray(detector.contributions(parts)[at, :width].T))
        return [column[one.before :] for column in columns], detector.ready(parts)[at][one.before :]

    @property
    def by_channel(self) -> bool:
        """Whether one channel's part of the score alarms by itself.

        Not where there is one only, nor where a detector learned from labels: what an anomaly looks like is told there
        by all channels together.
        """
        return len(self.seen) > 1 and not self.detectors[0].tags.needs_labels

    def kinds(self, one: DeviceRows) -> tuple[Names, Names] | None:
        """The most probable class of each row, and the most probable anomaly; None where the detector names none."""
        detector = self.detector(one.k)
        if not isinstance(detector, Classifier):
            return None
        parts, at = self._parts(one)
        probable = detector.probabilities(parts)[at][one.before :]
        return detector.classes_[probable.argmax(axis=1)], detector.classes_[1:][probable[:, 1:].argmax(axis=1)]

    def explain(self, one: DeviceRows, alarm: Marks) -> dict[str, Array]:
        """Contributions, and expected value with band in the units of the readings, each (rows, channels).

        A row detector that learned from labels explains alarmed rows only, at most :data:`MOST_EXPLAINED` of them at
        equal distances; contributions of the others are NaN.
        """
        detector, width = self.detector(one.k), one.values.shape[1]
        parts, at = self._parts(one)
        at = at[one.before :]
        band = detector.expected(parts)
        if detector.tags.needs_labels and not detector.tags.sequence:
            chosen = np.flatnonzero(alarm)
            chosen = chosen[:: -(-len(chosen) // MOST_EXPLAINED)]
            contributions = np.full((len(at), width), np.nan)
            contributions[chosen] = detector.contributions(np.concatenate(parts)[at[chosen]])[:, :width]
        else:
            contributions = detector.contributions(parts)[at, :width]
        return {
            "contributions": contributions,
            "expected": self._unscaled(band.value[at, :width], one.k),
            "low": self._unscaled(band.low[at, :width], one.k),
            "high": self._unscaled(band.high[at, :width], one.k),
        }

    def usual(self, k: int) -> Array:
        """Range of nearly all training readings of device ``k``, shape (2, channels), in their units."""
        return self._unscaled(self.detector(k).usual_[:, : len(self.seen)], k)

    def filled(self, one: DeviceRows) -> Marks:
        """Which of the judged readings are missing and stood in for, shape (rows, channels)."""
        missing: Marks = np.isnan(one.values[one.before :]) & self.seen & (not self.detector(one.k).tags.missing)
        return missing

    def _parts(self, one: DeviceRows) -> tuple[list[Floats], Rows]:
        """Unbroken stretches as a detector sees them, and where each row stands in them put together."""
        missing = self.detector(one.k).tags.missing
        values = one.values if missing else hold(one.values, self.fill)
        scaled = _scaled(self.scaler, values, one.k, self.seen, missing=missing)
        parts, places, end = [], [np.empty(0, np.intp)], 0
        for run in segments(one.time_ns, round(float(self.gap_s[one.k]) * 1e9)):
            part, place = _sampled(scaled[run], one.time_ns[run], self.sampling, self.step_s, one.k)
            parts.append(part)
            places.append(end + place)
            end += len(part)
        return parts, np.concatenate(places)

    def _unscaled(self, values: Array, k: int) -> Array:
        return np.asarray(self.scaler.inverse(values, groups=np.full(len(values), k)), dtype=np.float64)


def fit_scorer(
    fresh: Detector,
    pieces: Sequence[Sequence[Piece]],
    *,
    alone: Sequence[bool],
    gap_s: Array,
    fill: int,
    sampling: str = AS_IS,
    step_s: Array | None = None,
    progress: Progress | None = None,
) -> Scorer:
    """Learn from unbroken pieces of each device's rows.

    Parameters
    ----------
    fresh : Detector
        Its class and settings are taken; it is not fitted itself.
    pieces : sequence of sequences of Piece
        Training rows of each device, oldest first; rows that are held back lie between two pieces.
    alone : sequence of bool
        Devices that have a detector of their own.
    gap_s, fill, sampling, step_s
        As in :class:`Scorer`.
    progress : callable, optional
        Given to the fleet's detector.

    Raises
    ------
    InputError
        If no stretch is longer than what the detector looks back on.
    """
    width = pieces[0][0].values.shape[1]
    steps = np.empty(0) if step_s is None else step_s
    # A row of unknowns stands for a device that has none here, so that every device has its place.
    unknown = np.full((1, width), np.nan, np.float32)
    rows = [np.concatenate([unknown, *(piece.values for piece in own)]) for own in pieces]
    groups = np.repeat(np.arange(len(rows)), [len(one) for one in rows])
    scaler = Scaler(method="robust", clip=CLIP).fit(np.concatenate(rows), groups=groups)
    seen = np.isfinite(np.concatenate(rows)).any(axis=0)
    missing = fresh.tags.missing
    stretches: list[list[Floats]] = []
    lessons: list[list[Lessons]] = []
    for k, own in enumerate(pieces):
        stretches.append([])
        lessons.append([])
        for piece in own:
            filled = piece.values if missing else interpolate(piece.values, fill)
            smooth = _scaled(scaler, filled, k, seen, missing=missing)
            for run in segments(piece.time_ns, round(float(gap_s[k]) * 1e9)):
                part, place = _sampled(smooth[run], piece.time_ns[run], sampling, steps, k)
                if len(part) <= fresh.warmup:
                    continue
                stretches[k].append(part)
                if piece.lessons is not None:
                    lessons[k].append(piece.lessons[run][_held(place)])
    together = [one for own in stretches for one in own]
    if not together:
        raise InputError(
            f"Pipeline: no stretch of training rows is longer than the {fresh.warmup} rows "
            f"that {type(fresh).__name__} looks back on; give more rows"
        )
    told = [one for own in lessons for one in own] or None
    fleet = type(fresh)(**fresh.settings())
    fleet.progress = progress
    detectors = [fleet.fit(together, told)]
    fleet.progress = None
    own_detector = np.zeros(len(pieces), np.intp)
    for k, training in enumerate(stretches):
        if alone[k] and training and (told is None or both(np.concatenate(lessons[k]))):
            own_detector[k] = len(detectors)
            detectors.append(type(fresh)(**fresh.settings()).fit(training, lessons[k] or None))
    return Scorer(scaler, tuple(detectors), own_detector, gap_s, seen, fill, sampling, steps)


def odd(lessons: Lessons) -> Marks:
    """Which rows their labels call anomalous, shape (n,)."""
    marked: Marks = np.asarray(lessons != NORMAL if lessons.dtype.kind in "US" else lessons == 1)
    return marked


def both(lessons: Lessons) -> bool:
    """Whether there are normal and anomalous rows."""
    marked = odd(lessons)
    return bool(marked.any()) and not bool(marked.all())


def _sampled(scaled: Floats, time_ns: Times, sampling: str, step_s: Array, k: int) -> tuple[Floats, Rows]:
    """A stretch as its detector sees it, and where each of its rows stands there."""
    if sampling == AS_IS:
        return scaled, np.arange(len(scaled))
    interval_ns = float(step_s[k]) * 1e9
    if sampling == GAP:
        return np.column_stack([scaled, log_gaps(time_ns, interval_ns)]), np.arange(len(scaled))
    places = grid_places(time_ns, interval_ns)
    return scaled[_held(places)], places


def _held(places: Rows) -> Rows:
    """For each step of a grid the last row at or before it."""
    return np.repeat(np.arange(len(places)), np.diff(places, append=places[-1:] + 1))


def _scaled(scaler: Scaler, values: Floats, k: int, seen: Marks, *, missing: bool) -> Floats:
    scaled = np.where(seen, scaler.transform(values, groups=np.full(len(values), k)), np.float32(0.0))
    # What was never learned counts as usual, and so does what is missing, unless the detector knows what to do with it.
    return scaled if missing else np.nan_to_num(scaled, nan=0.0)
