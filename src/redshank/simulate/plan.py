"""When which anomaly happens to which device: drawn before anything is simulated, blind to the readings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from redshank.core import Kind
from redshank.simulate.randomness import Purpose, stream

GAP_H: Final = 3.0
"""Quiet hours, at least, between two anomalies of one device."""

OUTAGE: Final = "outage"
"""Cause of a silence of the whole site."""

_OUTAGE_H = (0.5, 2.0)
_LAYOUTS = 8  # tries per device; the one that best suits the wishes for working or resting hours is kept


@dataclass(frozen=True, slots=True)
class Cause:
    """One sort of anomaly.

    Parameters
    ----------
    kind : Kind
        Sort that its labels carry.
    hours : tuple of float
        Shortest and longest duration, drawn log-uniform; (0, 0) for a single reading.
    size : tuple of float, default=(0, 0)
        Smallest and largest amplitude in residual deviations of the channel, drawn log-uniform; (0, 0) where
        there is none to choose.
    wish : bool or None, default=None
        True wants working hours (a machine at rest shows no wear), False resting hours, None either. A wish: it
        yields where the calendar leaves no room.
    shift_h : float, default=0.0
        Longest displacement of event time, kept free on both sides.
    """

    kind: Kind
    hours: tuple[float, float]
    size: tuple[float, float] = (0.0, 0.0)
    wish: bool | None = None
    shift_h: float = 0.0


_BAND = (4.0, 12.0)
# One reading must stand clear of a week's largest normal ones (about 4.5 deviations among 100,000 values), else
# there is nothing to see even for a detector that knows the plant by heart.
_SINGLE = (6.0, 18.0)

CAUSES: Final[dict[str, Cause]] = {
    "surge": Cause(Kind.POINT, (0.0, 0.0), _SINGLE),
    "off schedule": Cause(Kind.CONTEXTUAL, (0.5, 3.0), wish=False),
    "bearing wear": Cause(Kind.COLLECTIVE, (1.0, 6.0), _BAND, wish=True),
    "leak": Cause(Kind.COLLECTIVE, (1.0, 6.0), _BAND, wish=True),
    "degradation": Cause(Kind.CONTINUOUS, (6.0, 24.0), _BAND, wish=True),
    "silence": Cause(Kind.SILENCE, (0.5, 6.0)),
    "stuck": Cause(Kind.SENSOR_FAULT, (1.0, 6.0)),
    "spike": Cause(Kind.SENSOR_FAULT, (0.5, 3.0), _SINGLE),
    "noise": Cause(Kind.SENSOR_FAULT, (1.0, 6.0), _BAND),
    "clipped": Cause(Kind.SENSOR_FAULT, (2.0, 8.0), _BAND, wish=True),
    "drift": Cause(Kind.SENSOR_FAULT, (3.0, 12.0), _BAND),
    "clock": Cause(Kind.SENSOR_FAULT, (1.0, 4.0), shift_h=1.0),
    "flood": Cause(Kind.NETWORK_ATTACK, (0.3, 2.0), _BAND),
    "replay": Cause(Kind.NETWORK_ATTACK, (1.0, 4.0)),
    "injection": Cause(Kind.NETWORK_ATTACK, (0.5, 3.0), _BAND),
    "control": Cause(Kind.NETWORK_ATTACK, (0.5, 2.0), wish=False),
    "scan": Cause(Kind.NETWORK_ATTACK, (1.0, 6.0), _BAND),
}
"""Every anomaly the simulator knows. Sizes were set before any detector was run on them and are not tuned to one."""


@dataclass(frozen=True, slots=True)
class Event:
    """One planned anomaly: steps ``start`` to ``stop`` (not inside) of a device; ``number`` seeds its own draws."""

    device: int
    cause: str
    start: int
    stop: int
    size: float
    shift_steps: float
    number: int


def make_plan(
    *,
    seed: int,
    devices: int,
    steps: int,
    step_s: float,
    clean_steps: int,
    per_device_week: float,
    site_outages: int,
    working: npt.NDArray[np.bool_],
    always_on: Sequence[bool],
) -> list[Event]:
    """Draw the anomalies of all devices, by device and time.

    Causes are dealt from a shuffled deck, over and over, so that all come up in any seed that has enough events.
    Anomalies of one device lie at least ``GAP_H`` apart, and so do its edges of the clean part. What does not fit
    into a device's time is left out, last first.
    """
    rng = stream(seed, Purpose.PLAN)
    span = steps - clean_steps
    per_h = 3600.0 / step_s
    gap = math.ceil(GAP_H * per_h)
    expected = per_device_week * devices * span * step_s / 604_800.0
    count = int(expected) + int(rng.random() < expected % 1.0)
    hands: list[list[str]] = [[] for _ in range(devices)]
    names = list(CAUSES)
    deck: list[str] = []
    turn: list[int] = []
    for _ in range(count):
        deck = deck or [names[i] for i in rng.permutation(len(names))]
        turn = turn or [int(i) for i in rng.permutation(devices)]
        hands[turn.pop()].append(deck.pop())
    outages = _outages(rng, site_outages, clean_steps, steps, per_h)
    events = [
        Event(device, OUTAGE, start, stop, 0.0, 0.0, number)
        for device in range(devices)
        for number, (start, stop) in enumerate(outages)
    ]
    number = len(events)
    for device, hand in enumerate(hands):
        own = stream(seed, Purpose.ANOMALY, device)
        drawn = [_draw(own, cause, span, per_h) for cause in hand]
        sums = np.cumsum([2 * margin + length + gap for _, length, margin, _ in drawn])
        drawn = drawn[: int(np.searchsorted(sums, span, side="right"))]
        if not drawn:
            continue
        at_work = np.ones(steps, np.bool_) if always_on[device] else working
        worked = np.concatenate([[0], np.cumsum(at_work)])
        for (cause, length, _, size), start in _best(own, drawn, (clean_steps, steps, gap), worked, outages):
            spread = CAUSES[cause].shift_h * per_h
            shift = 0.0
            if spread:
                # Five minutes to an hour either way, never in whole intervals, so that no two readings share a time.
                shift = max(1.0, round(own.uniform(5.0 / 60.0, 0.95) * spread)) + own.uniform(0.25, 0.75) - 1.0
                shift *= float(own.choice((-1.0, 1.0)))
            if cause == "replay" and start < length:
                continue  # nothing was recorded yet that could be sent again
            events.append(Event(device, cause, start, start + length, size, shift, number))
            number += 1
    return sorted(events, key=lambda event: (event.device, event.start))


class _Drawn(NamedTuple):
    """An event without a place: cause, length and margin on both sides in steps, size in deviations."""

    cause: str
    length: int
    margin: int
    size: float


def _draw(rng: np.random.Generator, name: str, span: int, per_h: float) -> _Drawn:
    cause = CAUSES[name]
    shortest, longest = cause.hours
    length = 1
    if longest:
        steps = math.exp(rng.uniform(math.log(shortest), math.log(longest))) * per_h
        length = max(2, round(min(steps, span / 3.0)))
    low, high = cause.size
    size = math.exp(rng.uniform(math.log(low), math.log(high))) if high else 0.0
    return _Drawn(name, length, math.ceil(cause.shift_h * per_h), size)


def _best(
    rng: np.random.Generator,
    drawn: Sequence[_Drawn],
    room: tuple[int, int, int],
    worked: npt.NDArray[np.int64],
    outages: Sequence[tuple[int, int]],
) -> list[tuple[_Drawn, int]]:
    """The best of some random layouts of one device's events; those that meet an outage are left out."""
    first, last, gap = room
    free = last - first - sum(2 * margin + length + gap for _, length, margin, _ in drawn)
    best: list[tuple[_Drawn, int]] = []
    best_worth = -math.inf
    for _ in range(_LAYOUTS):
        layout: list[tuple[_Drawn, int]] = []
        worth = 0.0
        at, used = first, 0
        for i, slack in zip(rng.permutation(len(drawn)), np.sort(rng.integers(0, free + 1, len(drawn))), strict=True):
            cause, length, margin, _ = drawn[i]
            at += int(slack) - used + gap
            used = int(slack)
            start = at + margin
            at = start + length + margin
            if any(start - margin - gap < end and begin < at + gap for begin, end in outages):
                continue
            share = (worked[start + length] - worked[start]) / length
            wish = CAUSES[cause].wish
            worth += 1.0 + (0.0 if wish is None else float(share) if wish else 1.0 - float(share))
            layout.append((drawn[i], start))
        if worth > best_worth:
            best, best_worth = layout, worth
    return best


def _outages(rng: np.random.Generator, count: int, first: int, last: int, per_h: float) -> list[tuple[int, int]]:
    """Silences of the whole site, one in each equal part of the time after the clean part."""
    part = (last - first) / max(count, 1)
    outages: list[tuple[int, int]] = []
    if part < 3.0:
        return outages
    for i in range(count):
        length = max(1, min(round(rng.uniform(*_OUTAGE_H) * per_h), int(part / 3)))
        start = first + int(part * i + rng.uniform(0.0, 2.0 / 3.0 * part))
        outages.append((start, start + length))
    return outages
