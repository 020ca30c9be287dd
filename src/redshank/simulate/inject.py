"""What an anomaly does to the readings of its device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from redshank.simulate.channels import (
    FLOW,
    HUMIDITY,
    LATENCY,
    POWER,
    PRESSURE,
    SENSORS,
    SOUND,
    TEMPERATURE,
    VIBRATION,
    Floats,
    as_reported,
)
from redshank.simulate.plan import Event

LARGEST: Final = 12.0
"""Amplitude, in residual deviations, from which severity is 100."""

_ANALOG = (TEMPERATURE, HUMIDITY, PRESSURE, VIBRATION, SOUND, FLOW, POWER)
_EVERY = tuple(range(len(SENSORS)))


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """The readings that an event may change, and what it needs to know.

    Parameters
    ----------
    values : float32 ndarray of shape (steps, channels)
        Readings of the device around the event; only rows ``start`` to ``stop`` may be written.
    start, stop : int
        Rows of the event.
    deviation : float32 ndarray of shape (channels,)
        Residual deviation of each channel.
    size : float
        Amplitude in residual deviations.
    taken : bool ndarray of shape (steps,)
        True at the rows of every anomaly of the device.
    rng : Generator
        The event's own.
    """

    values: Floats
    start: int
    stop: int
    deviation: Floats
    size: float
    taken: npt.NDArray[np.bool_]
    rng: np.random.Generator

    @property
    def rows(self) -> Floats:
        """The rows of the event, a view."""
        return self.values[self.start : self.stop]

    def __len__(self) -> int:
        return self.stop - self.start

    def add(self, column: int, shape: npt.NDArray[np.floating] | float) -> None:
        """Add ``shape`` residual deviations to a channel."""
        self.rows[:, column] += (shape * self.deviation[column]).astype(np.float32)

    def sign(self) -> float:
        """Up or down with equal chance."""
        return float(self.rng.choice((-1.0, 1.0)))

    def lively(self, columns: tuple[int, ...]) -> int:
        """One of ``columns``, by chance, among those that move here; one that stands still hides its fault."""
        moving = [c for c in columns if self.rows[:, c].std() >= 0.5 * self.deviation[c]]
        return int(self.rng.choice(moving or columns))


Found = tuple[tuple[int, ...], float]
"""Channels concerned, and the size of the change in residual deviations."""


def apply(event: Event, window: Window) -> Found:
    """Change the readings of one event, in place; the result is again what sensors can report."""
    columns, size = _EFFECTS[event.cause](window)
    if event.cause not in _EXACT:
        for column in columns:
            as_reported(window.rows[:, column], column)
    return columns, size


def severity(size: float) -> float:
    """0 to 100: amplitude in residual deviations over ``LARGEST``."""
    return round(100.0 * min(1.0, size / LARGEST), 1)


def _surge(w: Window) -> Found:
    column = int(w.rng.choice(_ANALOG))
    sign = 1.0 if w.rows[0, column] < w.size * w.deviation[column] else w.sign()  # there is nothing below zero
    w.add(column, sign * np.full(1, w.size))
    return (column,), w.size


def _off_schedule(w: Window) -> Found:
    """One channel reads what it reads in the opposite regime: normal in itself, wrong now."""
    column = int(w.rng.choice((POWER, FLOW, VIBRATION)))
    low, high = np.quantile(w.values[~w.taken, column], (0.05, 0.95))
    now = float(np.median(w.rows[:, column]))
    level = high if high - now > now - low else low
    w.rows[:, column] = level + 0.7 * w.deviation[column] * w.rng.standard_normal(len(w))
    return (column,), abs(level - now) / float(w.deviation[column])


def _wear(w: Window) -> Found:
    """A damaged bearing: vibration and sound in a higher band that beats, with a rougher texture."""
    beat = 1.0 + 0.25 * np.sin(2.0 * np.pi * np.arange(len(w)) / w.rng.uniform(4.0, 12.0))
    w.add(VIBRATION, w.size * beat + w.rng.standard_normal(len(w)))
    w.add(SOUND, 0.6 * w.size * beat + 0.5 * w.rng.standard_normal(len(w)))
    return (VIBRATION, SOUND), w.size


def _leak(w: Window) -> Found:
    opening = np.minimum(1.0, (np.arange(len(w)) + 1.0) / (0.1 * len(w)))
    w.add(PRESSURE, -w.size * opening)
    w.add(FLOW, 0.7 * w.size * opening)
    return (PRESSURE, FLOW), w.size


def _degradation(w: Window) -> Found:
    ramp = np.linspace(0.0, w.size, len(w))
    w.add(TEMPERATURE, ramp)
    w.add(VIBRATION, 0.8 * ramp)
    return (TEMPERATURE, VIBRATION), w.size


def _nothing(w: Window) -> Found:
    """Silence and clock faults change when readings come, not what they say; severity follows the duration."""
    del w
    return _EVERY, 0.0


def _stuck(w: Window) -> Found:
    column = w.lively(_ANALOG)
    held = w.rows[0, column]
    off = float(np.sqrt(np.mean((w.rows[:, column] - held) ** 2)) / w.deviation[column])
    w.rows[:, column] = held
    return (column,), off


def _spikes(w: Window) -> Found:
    """A loose contact: about every eighth reading jumps, at least two of them."""
    column = int(w.rng.choice(_ANALOG))
    hit = w.rng.random(len(w)) < 0.125
    hit[[0, -1]] = True
    height = w.size * w.rng.uniform(0.7, 1.0, len(w))
    up = w.rng.random(len(w)) < 0.5
    down = ~up & (w.rows[:, column] > w.size * w.deviation[column])
    w.add(column, np.where(hit, np.where(down, -height, height), 0.0))
    return (column,), w.size


def _noise(w: Window) -> Found:
    column = int(w.rng.choice((TEMPERATURE, HUMIDITY, PRESSURE, SOUND)))  # never near zero, so noise shows both ways
    w.add(column, 0.5 * w.size * w.rng.standard_normal(len(w)))
    return (column,), w.size


def _clipped(w: Window) -> Found:
    """The amplifier saturates ``size`` deviations below the largest reading of the time."""
    column = w.lively(_ANALOG)
    ceiling = w.rows[:, column].max() - np.float32(w.size) * w.deviation[column]
    ceiling = max(float(ceiling), float(np.quantile(w.rows[:, column], 0.1)))
    size = (float(w.rows[:, column].max()) - ceiling) / float(w.deviation[column])
    np.minimum(w.rows[:, column], np.float32(ceiling), out=w.rows[:, column])
    return (column,), size


def _drift(w: Window) -> Found:
    column = int(w.rng.choice((TEMPERATURE, HUMIDITY, PRESSURE, SOUND, POWER)))
    w.add(column, np.linspace(0.0, w.size, len(w)) * (1.0 if column == POWER else w.sign()))
    return (column,), w.size


def _flood(w: Window) -> Found:
    """The device is swamped with requests: round trips lengthen and the processor draws power."""
    w.add(LATENCY, w.size * (1.0 + 0.5 * w.rng.standard_exponential(len(w))))
    w.add(POWER, 0.5 * w.size + 0.5 * w.rng.standard_normal(len(w)))
    return (LATENCY, POWER), w.size


def _replay(w: Window) -> Found:
    """An earlier stretch comes again, reading for reading; preferably one that nothing else touched."""
    length = len(w)
    latest = w.start - length
    anomalous = np.concatenate([[0], np.cumsum(w.taken)])
    begins = np.arange(max(latest, 0) + 1)
    clean = begins[anomalous[begins + length] == anomalous[begins]] if latest >= 0 else begins[:0]
    begin = int(w.rng.choice(clean)) if len(clean) else max(latest, 0)
    source = w.values[begin : begin + length, : len(SENSORS)]
    off = np.abs(source - w.rows[: len(source), : len(SENSORS)]) / w.deviation
    w.rows[: len(source), : len(SENSORS)] = source
    return _EVERY, float(off.mean())


def _injection(w: Window) -> Found:
    """False values in one or two channels, in phase with nothing else that the device measures."""
    columns = tuple(int(c) for c in w.rng.choice(_ANALOG, int(w.rng.integers(1, 3)), replace=False))
    for column in columns:
        up = w.rows[:, column].min() < w.size * w.deviation[column]
        wave = 1.0 + 0.2 * np.sin(2.0 * np.pi * np.arange(len(w)) / w.rng.uniform(10.0, 40.0))
        w.add(column, w.size * wave * (1.0 if up else w.sign()))
    return columns, w.size


def _control(w: Window) -> Found:
    """The load was forced before the physics ran (:func:`forced_load`); nothing is left to change here."""
    del w
    return (POWER, FLOW, PRESSURE, VIBRATION, SOUND, TEMPERATURE, HUMIDITY), LARGEST


def _scan(w: Window) -> Found:
    """Low and slow: every few readings a burst of long round trips, with a trace of extra power."""
    period = int(w.rng.integers(4, 9))
    burst = (np.arange(len(w)) % period) < 2
    w.add(LATENCY, np.where(burst, w.size, 0.3 * w.size))
    w.add(POWER, np.full(len(w), 0.2 * w.size))
    return (LATENCY, POWER), w.size


_EFFECTS: Final[dict[str, Callable[[Window], Found]]] = {
    "surge": _surge,
    "off schedule": _off_schedule,
    "bearing wear": _wear,
    "leak": _leak,
    "degradation": _degradation,
    "silence": _nothing,
    "outage": _nothing,
    "stuck": _stuck,
    "spike": _spikes,
    "noise": _noise,
    "clipped": _clipped,
    "drift": _drift,
    "clock": _nothing,
    "flood": _flood,
    "replay": _replay,
    "injection": _injection,
    "control": _control,
    "scan": _scan,
}

_EXACT = frozenset({"silence", "outage", "clock", "stuck", "replay", "control"})  # values stay as reported


def forced_load(event: Event, rng: np.random.Generator, step_s: float) -> Floats:
    """Wanted load under malicious control: full load and standstill by turns of 4 to 12 minutes."""
    length = event.stop - event.start
    turn_s = rng.uniform(240.0, 720.0)
    high = (np.arange(length) * step_s // turn_s) % 2 == 0
    return np.where(high, np.float32(1.05), np.float32(0.0))


def flood_interference_db(event: Event) -> float:
    """What a flood takes off the signal-to-noise ratio: 0.5 dB for each residual deviation of its size."""
    return 0.5 * event.size
