"""All quality checks behind one object: learn from normal rows, then say what is a fault of device, sensor or link."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from redshank.core import Frame, InputError, Kind, SettingError
from redshank.core.learned import Learned
from redshank.quality.finding import Finding, fold, severity
from redshank.quality.jumps import find_noise, find_spike, find_unit, learn_noise, learn_spike, learn_unit
from redshank.quality.repeats import RESTS, find_clipped, find_stuck, learn_clipped, learn_stuck
from redshank.quality.replay import FLEET_MEMORY, MEMORY, WITNESSES, find_replay, learn_witnesses
from redshank.quality.timing import (
    BACK,
    DEADLINE,
    FAST,
    GRID,
    SLOW,
    UNKNOWN_SILENCE,
    USUAL,
    WIDTH,
    find_absence,
    find_cadence,
    find_clock,
    find_silence,
    find_slips,
    learn_timing,
    share_gaps,
)
from redshank.quality.track import Array, Rows, Spell, Track, ages

WEEK_NS = 7 * 86400 * 10**9
FEWEST_ROWS = 100
"""Present readings of a channel of one device below which its value checks stay off."""
STRETCH = 0.1
"""How much wider all limits become for each factor e by which the asked rate lies beyond the training rows."""


class _ChannelCheck(NamedTuple):
    cause: str
    width: int
    learn: Callable[[Track, float], Array]
    find: Callable[[Track, Array], list[Spell]]


CHANNEL_CHECKS = (
    _ChannelCheck("stuck", 2 + RESTS, learn_stuck, find_stuck),
    _ChannelCheck("spike", 1, learn_spike, find_spike),
    _ChannelCheck("noise", 1, learn_noise, find_noise),
    _ChannelCheck("clipped", 4, learn_clipped, find_clipped),
    _ChannelCheck("unit", 3, learn_unit, find_unit),
)


class QualityChecks(Learned):
    """Find silence, changed cadence, wrong clocks, stuck, spiking, noisy and clipped sensors, changed units, replays.

    Every limit is the largest value that normal training rows of the same device showed, times a factor; devices
    that training did not hold are judged by the widest limits of the fleet. What is said of a row depends on that
    row and earlier ones only. Slow drift is left to the detectors: one channel alone cannot tell it from weather.

    Parameters
    ----------
    budget_per_week : float, default=0.2
        False findings allowed for each device and week, all checks together. It widens the limits by
        ``1 + STRETCH * ln(channels / (budget * training weeks))``, never below 1: maxima of exponential tails grow so.

    Attributes
    ----------
    devices_ : str ndarray of shape (devices,)
        Devices seen in training; tables of limits have one row each and a last one for devices not seen.
    channels_ : str ndarray of shape (channels,)
        Channels, in column order.
    timing_ : float64 ndarray of shape (devices + 1, 6)
        Usual step, deadline of silence (s), shares of short and long steps, step back (s), distance from the grid.
    stuck_, spike_, noise_, clipped_, unit_ : float64 ndarrays of shape (devices + 1, channels, k)
        Limits of the channel checks; NaN = that check is off for this device and channel.
    witnesses_ : int ndarray of shape (devices + 1, 4)
        Channels that tell a replay, then -1.
    memory_, memory_device_, memory_ns_ : ndarrays of shape (rows, 4), (rows,), (rows,)
        The latest training readings of the witnesses, device after device, with row of ``devices_`` and time; at most
        20,000 rows of a device and 1,000,000 of all.
    notes_ : str ndarray
        What stayed off and why, one sentence each.
    """

    devices_: npt.NDArray[np.str_]
    channels_: npt.NDArray[np.str_]
    _proof = "notes_"
    timing_: Array
    witnesses_: Rows
    memory_: npt.NDArray[np.float32]
    memory_device_: npt.NDArray[np.int32]
    memory_ns_: npt.NDArray[np.int64]
    stuck_: Array
    spike_: Array
    noise_: Array
    clipped_: Array
    unit_: Array
    notes_: npt.NDArray[np.str_]

    def __init__(self, *, budget_per_week: float = 0.2) -> None:
        self.budget_per_week = budget_per_week

    def fit(self, frame: Frame) -> Self:
        """Learn limits from normal training rows of all devices, in any order.

        Raises
        ------
        InputError
            If there are no rows.
        SettingError
            If the budget is not a positive number.
        """
        if not 0 < self.budget_per_week < math.inf:
            raise SettingError(
                f"QualityChecks: budget_per_week is {self.budget_per_week:g}; it must be a positive number"
            )
        if not len(frame):
            raise InputError("QualityChecks: no training rows; give rows of normal operation")
        series = [(name, rows) for name, rows in zip(frame.devices, frame.series(), strict=True) if len(rows)]
        table, width = len(series) + 1, len(frame.schema)
        notes: list[str] = []
        self.devices_ = np.array([name for name, _ in series])
        self.channels_ = np.array(frame.schema.names)
        self.timing_ = np.full((table, WIDTH), np.nan)
        self.witnesses_ = np.full((table, WITNESSES), -1, dtype=np.intp)
        for check in CHANNEL_CHECKS:
            setattr(self, f"{check.cause}_", np.full((table, width, check.width), np.nan))
        for place, (name, rows) in enumerate(series):
            weeks = max(float(np.ptp(frame.time_ns[rows])), 1.0) / WEEK_NS
            stretch = 1.0 + STRETCH * max(0.0, math.log(width / (self.budget_per_week * weeks)))
            notes += [f"{name}: {note}" for note in self._learn_device(frame, rows, place, stretch)]
        self._learn_fleet(frame.schema.interval_s, float(np.ptp(frame.time_ns)) / WEEK_NS)
        self._remember(frame, [rows for _, rows in series])
        self.notes_ = np.array(notes, dtype=np.str_)
        return self

    def _learn_device(self, frame: Frame, rows: Rows, place: int, stretch: float) -> list[str]:
        """Fill one row of every table of limits; what stayed off, as notes."""
        notes = []
        self.timing_[place], outages = learn_timing(frame.time_ns[np.sort(rows)], stretch)
        if outages:
            notes.append(f"{outages} gaps of the training rows were taken for outages")
        if np.isnan(self.timing_[place, USUAL]):
            notes.append(f"{len(rows)} training rows are too few to learn its cadence")
        self.witnesses_[place] = learn_witnesses(frame.values[rows])
        few = []
        for channel, name in enumerate(frame.schema.names):
            x = frame.values[rows, channel].astype(np.float64)
            x = x[~np.isnan(x)]
            if len(x) < FEWEST_ROWS:
                few.append(name)
                continue
            track = Track.of(x, np.zeros(len(x), np.intp))
            for check in CHANNEL_CHECKS:
                self._limits(check)[place, channel] = check.learn(track, stretch)
        if few:
            notes.append(
                f"fewer than {FEWEST_ROWS} training readings of {', '.join(few)}; "
                "stuck, spike, noise, clipped and unit checks are off there"
            )
        return notes

    def _learn_fleet(self, interval_s: float | None, weeks: float) -> None:
        """Fill the last row of every table: the widest limits, for devices that training did not hold."""
        share_gaps(self.timing_[:-1], weeks)
        self.timing_[-1] = _widest(self.timing_[:-1])
        if np.isnan(self.timing_[-1, USUAL]) and interval_s is not None:
            self.timing_[-1, USUAL] = interval_s
            self.timing_[-1, DEADLINE] = UNKNOWN_SILENCE * interval_s
        self.timing_[-1, [FAST, SLOW, GRID]] = np.nan  # a new device may have another cadence
        for check in CHANNEL_CHECKS:
            own = self._limits(check)
            own[-1] = _widest(own[:-1])
        self.stuck_[-1, :, 0] = self.stuck_[-1, :, :2].max(axis=1)
        self.stuck_[-1, :, 2:] = np.nan  # resting values belong to one device
        self.clipped_[-1, :, 2:] = np.nan
        common = [c for c in self.witnesses_[0].tolist() if c >= 0 and (self.witnesses_[:-1] == c).any(axis=1).all()]
        self.witnesses_[-1, : len(common)] = common

    def _remember(self, frame: Frame, series: list[Rows]) -> None:
        """Keep the latest training readings of the witnesses: a recording may be older than the rows to be checked."""
        latest = min(MEMORY, FLEET_MEMORY // len(series))
        kept = [
            rows[-latest:] if has else rows[:0] for rows, has in zip(series, self.witnesses_[:, 0] >= 0, strict=False)
        ]
        rows = np.concatenate(kept)
        self.memory_device_ = np.repeat(np.arange(len(kept), dtype=np.int32), [len(own) for own in kept])
        self.memory_ns_ = frame.time_ns[rows]
        self.memory_ = np.take_along_axis(frame.values[rows], self.witnesses_[self.memory_device_], axis=1)

    def _limits(self, check: _ChannelCheck) -> Array:
        limits: Array = getattr(self, f"{check.cause}_")
        return limits

    def check(self, frame: Frame, *, until_ns: int | None = None) -> list[Finding]:
        """Findings in the rows of ``frame``, by moment of detection.

        Parameters
        ----------
        frame : Frame
            Rows of the channels seen in training, in any order; the order within a device is taken as that of arrival.
        until_ns : int, optional
            End of the observed time, which began with the first row: a device without a later reading may be silent
            up to here, and so may one of the table that training held and that has no reading yet. Otherwise the end
            is the last time that the devices of the frame reached (of three or more devices, two of them: one wrong
            clock must not make all others silent), and nothing is said of the time before a device's first reading.

        Raises
        ------
        NotFittedError, InputError
            Before ``fit``; if the channels differ.
        """
        self._require_fit()
        if frame.schema.names != tuple(self.channels_):
            raise InputError(
                f"QualityChecks: channels are {', '.join(frame.schema.names)}; "
                f"fitted with {', '.join(self.channels_)}; check the channel list"
            )
        if not len(frame):
            return []
        places = {name: place for place, name in enumerate(self.devices_.tolist())}
        known = np.array([places.get(name, len(places)) for name in frame.devices], dtype=np.intp)
        series = frame.series()
        return fold(
            itertools.chain(
                self._of_devices(frame, series, self._timing(known), until_ns),
                self._of_rows(frame, np.concatenate(series), known),
            )
        )

    def _timing(self, known: Rows) -> Array:
        """Timing limits for each device of a frame; a device without its own gets the deadline of the fleet."""
        own = self.timing_[known].copy()
        blank = np.isnan(own[:, USUAL])
        own[blank, :2] = self.timing_[-1, :2]
        return own

    def _of_devices(
        self, frame: Frame, series: list[Rows], timing: Array, until_ns: int | None
    ) -> Iterator[tuple[Finding, float]]:
        """Silence, and the clock, which needs the order of arrival; with the time up to which each is held open."""
        until = _reached(frame, series) if until_ns is None else until_ns
        begin = int(frame.time_ns.min())
        trained = set(self.devices_.tolist())
        for name, rows, own in zip(frame.devices, series, timing, strict=True):
            silences = find_silence(frame.time_ns[rows], own, until)
            if until_ns is not None and name in trained:
                silences += find_absence(begin, own, int(frame.time_ns[rows[0]]) if len(rows) else until)
            clocks = find_clock(frame.time_ns[np.sort(rows)], own)
            for cause, kind, limit, spells in (
                ("silence", Kind.SILENCE, DEADLINE, silences),
                ("clock", Kind.SENSOR_FAULT, BACK, clocks),
            ):
                usual = float(own[USUAL if cause == "silence" else BACK])
                for start, detected, end, seen, detail in spells:
                    grade = severity(seen / own[limit])
                    yield Finding(name, start, end, detected, kind, cause, (), grade, seen, usual, detail), end

    def _of_rows(self, frame: Frame, rows: Rows, known: Rows) -> Iterator[tuple[Finding, float]]:
        """Findings of all checks that look at rows in time order, device after device."""
        device = frame.device[rows].astype(np.intp)
        time_ns, values, names = frame.time_ns[rows], frame.values[rows], frame.schema.names
        every = _Judged(frame.devices, device, time_ns)
        for spell in find_slips(time_ns, device, ages(device), self.timing_[known]):
            yield every.finding("clock", spell, ())
        for spell in find_cadence(time_ns, device, ages(device), self.timing_[known]):
            yield every.finding("cadence", spell, ())
        for spell, columns in self._replays(values, device, time_ns, known):
            own = self.witnesses_[known[device[spell.first]]]
            yield every.finding("replay", spell, tuple(names[own[column]] for column in columns))
        for channel, name in enumerate(names):
            x = values[:, channel].astype(np.float64)
            present = np.flatnonzero(~np.isnan(x))
            if not len(present):
                continue
            track = Track.of(x[present], device[present])
            judged = _Judged(frame.devices, track.device, time_ns[present])
            for check in CHANNEL_CHECKS:
                limits = self._limits(check)[known, channel]
                if not np.isnan(limits).all():
                    for spell in check.find(track, limits):
                        yield judged.finding(check.cause, spell, (name,))

    def _replays(
        self, values: npt.NDArray[np.float32], device: Rows, time_ns: npt.NDArray[np.int64], known: Rows
    ) -> list[tuple[Spell, list[int]]]:
        """Replays among the rows, which stand device after device, and of what training remembered from before them."""
        first = np.full(len(self.devices_) + 1, np.iinfo(np.int64).min)
        place = np.zeros(len(self.devices_) + 1, dtype=np.intp)
        begins = np.flatnonzero(ages(device) == 0)
        first[known[device[begins]]] = time_ns[begins]
        place[known[device[begins]]] = device[begins]
        before = self.memory_ns_ < first[self.memory_device_]
        both = np.concatenate((place[self.memory_device_[before]], device))
        order = np.argsort(both, kind="stable")
        witnesses = self.witnesses_[known]
        new = np.take_along_axis(values, witnesses[device], axis=1)
        return find_replay(
            np.concatenate((self.memory_[before], new))[order],
            both[order],
            (np.arange(len(both)) < np.count_nonzero(before))[order],
            (witnesses >= 0).sum(axis=1),
        )


class _Judged(NamedTuple):
    """The rows that a check looked at."""

    names: tuple[str, ...]
    device: Rows
    time_ns: npt.NDArray[np.int64]

    def finding(self, cause: str, spell: Spell, channels: tuple[str, ...]) -> tuple[Finding, float]:
        """A spell of rows in times and names, and the time up to which it is held open."""
        own = self.device[spell.first]
        held = spell.hold < len(self.device) and self.device[spell.hold] == own
        found = Finding(
            self.names[own],
            int(self.time_ns[spell.first]),
            int(self.time_ns[spell.last]),
            int(self.time_ns[spell.known]),
            Kind.NETWORK_ATTACK if cause == "replay" else Kind.SENSOR_FAULT,
            cause,
            channels,
            severity(float(spell.ratio)),
            float(spell.seen),
            float(spell.expected),
            spell.detail,
        )
        return found, float(self.time_ns[spell.hold]) if held else math.inf


def _widest(limits: Array) -> Array:
    """The largest of each limit over devices, NaN only where all are; shape of one device."""
    largest: Array = np.fmax.reduce(limits, axis=0)
    return largest


def _reached(frame: Frame, series: list[Rows]) -> int:
    ends = sorted(int(frame.time_ns[rows[-1]]) for rows in series if len(rows))
    return ends[-2] if len(ends) > 2 else ends[-1]
