"""From a device's rows to scores: filling, scaling, cutting at gaps and the detector, fitted together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from redshank.core import Detector, InputError
from redshank.core.detector import Array, Progress
from redshank.features import Scaler, hold, interpolate, segments

Floats = npt.NDArray[np.float32]
Times = npt.NDArray[np.int64]

CLIP = 100.0
"""Largest scaled value that a detector sees, in usual deviations of its channel."""


@dataclass(frozen=True, slots=True, eq=False)
class DeviceRows:
    """Rows of one device, oldest first: ``before`` rows of context, then those to judge, whose place is ``rows``."""

    name: str
    k: int  # place in the tables of training, -1 if unknown
    rows: npt.NDArray[np.intp]
    values: Floats
    time_ns: Times
    before: int


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
    """

    scaler: Scaler
    detectors: tuple[Detector, ...]
    own: npt.NDArray[np.intp]
    gap_s: Array
    seen: npt.NDArray[np.bool_]
    fill: int

    def detector(self, k: int) -> Detector:
        """The detector that judges device ``k``."""
        return self.detectors[self.own[k] if k >= 0 else 0]

    def columns(self, one: DeviceRows) -> tuple[list[Array], npt.NDArray[np.bool_]]:
        """Scores and, where there are several channels, the contribution of each; and which rows are ready."""
        width = one.values.shape[1]
        if not len(one.values):
            return [np.empty(0)] * (width + 1 if width > 1 else 1), np.empty(0, np.bool_)
        detector, parts = self.detector(one.k), self._parts(one)
        columns = [detector.score_samples(parts)]
        if width > 1:
            columns += list(np.ascontiguousarray(detector.contributions(parts).T))
        return [column[one.before :] for column in columns], detector.ready(parts)[one.before :]

    def explain(self, one: DeviceRows) -> dict[str, Array]:
        """Contributions, and expected value with band in the units of the readings, each (rows, channels)."""
        detector, parts = self.detector(one.k), self._parts(one)
        band = detector.expected(parts)
        return {
            "contributions": detector.contributions(parts)[one.before :],
            "expected": self._unscaled(band.value[one.before :], one.k),
            "low": self._unscaled(band.low[one.before :], one.k),
            "high": self._unscaled(band.high[one.before :], one.k),
        }

    def usual(self, k: int) -> Array:
        """Range of nearly all training readings of device ``k``, shape (2, channels), in their units."""
        return self._unscaled(self.detector(k).usual_, k)

    def _parts(self, one: DeviceRows) -> list[Floats]:
        """Unbroken stretches as a detector sees them: last known values held, scaled."""
        scaled = _scaled(self.scaler, hold(one.values, self.fill), one.k, self.seen)
        return [scaled[part] for part in segments(one.time_ns, round(float(self.gap_s[one.k]) * 1e9))]

    def _unscaled(self, values: Array, k: int) -> Array:
        return np.asarray(self.scaler.inverse(values, groups=np.full(len(values), k)), dtype=np.float64)


def fit_scorer(
    fresh: Detector,
    pieces: Sequence[Sequence[tuple[Floats, Times]]],
    *,
    alone: Sequence[bool],
    gap_s: Array,
    fill: int,
    progress: Progress | None = None,
) -> Scorer:
    """Learn from unbroken pieces of each device's rows.

    Parameters
    ----------
    fresh : Detector
        Its class and settings are taken; it is not fitted itself.
    pieces : sequence of sequences of (values, time_ns)
        Training rows of each device, oldest first; rows that are held back lie between two pieces.
    alone : sequence of bool
        Devices that have a detector of their own.
    gap_s, fill
        As in :class:`Scorer`.
    progress : callable, optional
        Given to the fleet's detector.

    Raises
    ------
    InputError
        If no stretch is longer than what the detector looks back on.
    """
    width = pieces[0][0][0].shape[1]
    # A row of unknowns stands for a device that has none here, so that every device has its place.
    rows = [np.concatenate([np.full((1, width), np.nan, np.float32), *(values for values, _ in own)]) for own in pieces]
    groups = np.repeat(np.arange(len(rows)), [len(one) for one in rows])
    scaler = Scaler(method="robust", clip=CLIP).fit(np.concatenate(rows), groups=groups)
    seen = np.isfinite(np.concatenate(rows)).any(axis=0)
    stretches: list[list[Floats]] = []
    for k, own in enumerate(pieces):
        stretches.append([])
        for values, time_ns in own:
            smooth = _scaled(scaler, interpolate(values, fill), k, seen)
            runs = segments(time_ns, round(float(gap_s[k]) * 1e9))
            stretches[k] += [smooth[run] for run in runs if run.stop - run.start > fresh.warmup]
    together = [one for own in stretches for one in own]
    if not together:
        raise InputError(
            f"Pipeline: no stretch of training rows is longer than the {fresh.warmup} rows "
            f"that {type(fresh).__name__} looks back on; give more rows"
        )
    fleet = type(fresh)(**fresh.settings())
    fleet.progress = progress
    detectors = [fleet.fit(together)]
    fleet.progress = None
    own_detector = np.zeros(len(pieces), np.intp)
    for k, training in enumerate(stretches):
        if alone[k] and training:
            own_detector[k] = len(detectors)
            detectors.append(type(fresh)(**fresh.settings()).fit(training))
    return Scorer(scaler, tuple(detectors), own_detector, gap_s, seen, fill)


def _scaled(scaler: Scaler, values: Floats, k: int, seen: npt.NDArray[np.bool_]) -> Floats:
    scaled = scaler.transform(values, groups=np.full(len(values), k))
    return np.nan_to_num(np.where(seen, scaled, 0.0), nan=0.0)  # what is missing or was never learned counts as usual
