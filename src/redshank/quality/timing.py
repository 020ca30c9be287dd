"""When readings come: silence, a changed cadence, a clock that is wrong. Event time only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from redshank.quality.finding import duration
from redshank.quality.track import Array, Mask, Rows, Spell, bursts, episodes, trailing_mean

Times = npt.NDArray[np.int64]

FEWEST_STEPS = 30
"""Fewer steps between readings say too little about a device's cadence."""
SHORTEST_SILENCE = 5.0
"""No gap below so many usual intervals is a silence."""
GAP_FACTOR = 1.5
"""Deadline in longest normal gaps, before the stretch for the budget."""
UNKNOWN_SILENCE = 10.0
"""Deadline in intervals of the schema, where no cadence could be learned."""
OUTAGE = 20.0
"""Training gaps so many times longer than all others are outages, at most one in ROWS_PER_OUTAGE readings."""
ROWS_PER_OUTAGE = 2000
CADENCE_WINDOW = 32
SHORT, LONG = 0.67, 1.5
"""A step is short or long below and above these shares of the usual step."""
CADENCE_SHARE = 0.75
"""Share of short, or of long, steps in a window that makes another cadence."""
REGULAR_SHARE = 0.6
"""Devices whose normal windows already hold this share of short (long) steps have no fast (slow) cadence to find."""
BACK_FACTOR = 3.0
"""Steps back of event time, in the largest normal delay of a reading."""
OFF_GRID = 0.1, 0.2
"""A step is off the grid when it misses whole multiples of the usual step by more than the first, in usual steps;
devices that do so by more than the second in normal operation have no grid."""
STEPS_PER_RESTART = 500
"""One off-grid step in so many is taken for a restart of the device."""
SLIPS = 3
"""So many off-grid steps near each other show two clocks at once; a restart makes a single one."""
USUAL, DEADLINE, FAST, SLOW, BACK, GRID, WIDTH = range(7)


def learn_timing(arrived: Times, stretch: float) -> tuple[Array, int]:
    """Limits from event times of one device's normal rows, in the order in which they stand in the frame.

    Returns
    -------
    limits : float64 ndarray of shape (6,)
        Usual step (s), deadline for silence (s), share of short steps, share of long steps, step back (s), distance
        from the grid of whole steps (share of a step); NaN = off.
    outages : int
        Gaps of the training rows that were left out as outages.
    """
    limits = np.full(WIDTH, np.nan)
    steps = np.diff(np.sort(arrived)) / 1e9
    positive = steps[steps > 0]
    if len(positive) < FEWEST_STEPS:
        return limits, 0
    usual = float(np.median(positive))
    longest = np.sort(positive)[::-1][: len(positive) // ROWS_PER_OUTAGE + 1]
    outages = int((longest > OUTAGE * longest[-1]).sum())
    worst = float(longest[outages])
    limits[USUAL] = usual
    limits[DEADLINE] = max(SHORTEST_SILENCE * usual, GAP_FACTOR * stretch * worst)
    age = np.arange(len(steps))
    for place, odd in ((FAST, np.less(steps, SHORT * usual)), (SLOW, np.greater(steps, LONG * usual))):
        share = trailing_mean(odd.astype(float), age, CADENCE_WINDOW).max()
        if share < REGULAR_SHARE:
            limits[place] = max(CADENCE_SHARE, 0.5 + 0.5 * share)
    late = (np.maximum.accumulate(arrived) - arrived) / 1e9
    if (late > 0).mean() < 0.5:
        limits[BACK] = BACK_FACTOR * stretch * late.max() + SHORTEST_SILENCE * usual
    slips = np.sort(np.abs(steps / usual - np.rint(steps / usual)))
    worst = BACK_FACTOR * stretch * float(slips[-1 - len(slips) // STEPS_PER_RESTART])
    if worst < OFF_GRID[1]:
        limits[GRID] = max(OFF_GRID[0], worst)
    return limits, outages


def share_gaps(limits: Array, weeks: float) -> None:
    """Lend long gaps of the fleet to devices that showed shorter ones; changes ``limits``, (devices, 6).

    Loss comes in bursts, and one device may have been spared them in training: after a week it borrows the median of
    the fleet, after ``weeks`` near 0 the largest.
    """
    relative = limits[:, DEADLINE] / limits[:, USUAL]
    known = relative[~np.isnan(relative)]
    if len(known):
        lent = np.quantile(known, max(0.5, 1.0 - 0.5 * weeks))
        limits[:, DEADLINE] = np.fmax(relative, lent) * limits[:, USUAL]


def find_silence(time_ns: Times, limits: Array, until_ns: int) -> list[tuple[int, int, int, float, str]]:
    """Gaps of one device that reach its deadline: (start, detected, end, seconds of silence, words) each.

    ``time_ns`` is in time order, ``limits`` of shape (6,).
    """
    deadline = limits[DEADLINE]
    if np.isnan(deadline) or not len(time_ns):
        return []
    ends = np.append(time_ns[1:], max(until_ns, int(time_ns[-1])))
    gaps = ends - time_ns
    usual = limits[USUAL]
    found = []
    for row in np.flatnonzero(gaps >= round(deadline * 1e9)).tolist():
        last, seconds = int(time_ns[row]), float(gaps[row]) / 1e9
        found.append(
            (
                last + round(usual * 1e9),
                last + round(deadline * 1e9),
                int(ends[row]),
                seconds,
                f"no reading for {duration(seconds)}, usual every {duration(usual)}",
            )
        )
    return found


def find_absence(start_ns: int, limits: Array, until_ns: int) -> list[tuple[int, int, int, float, str]]:
    """The silence of a device before its first reading at ``until_ns``, in the form of :func:`find_silence`."""
    if np.isnan(limits[DEADLINE]):
        return []
    detected, seconds = start_ns + round(limits[DEADLINE] * 1e9), (until_ns - start_ns) / 1e9
    if until_ns < detected:
        return []
    return [(start_ns, detected, until_ns, seconds, f"no reading at all for {duration(seconds)}")]


def find_slips(time_ns: Times, device: Rows, age: Rows, limits: Array) -> list[Spell]:
    """Readings of two clocks at once: steps alternate and add up to whole ones; ``limits`` of shape (devices, 6).

    That is what a clock that was wrong for a while leaves behind in readings that have been put in order of time.
    """
    steps = np.diff(time_ns, prepend=time_ns[:1]) / 1e9
    rows = np.flatnonzero(_slipped(steps, device, age, limits))
    found = []
    for first, known, last in bursts(rows, age, SLIPS, CADENCE_WINDOW):
        usual, seen = float(limits[device[first], USUAL]), float(steps[first : last + 1].min())
        found.append(
            Spell(
                first,
                known,
                last,
                last + CADENCE_WINDOW,
                ratio=min((last - first + 1) / SLIPS, usual / max(seen, 1e-9)),
                seen=seen,
                expected=usual,
                detail=f"readings of two clocks at once, {duration(seen)} apart, usual every {duration(usual)}",
            )
        )
    return found


def _slipped(steps: Array, device: Rows, age: Rows, limits: Array) -> Mask:
    """True where a step and the one before are off the grid and unequal, but together on it; shape (n,)."""
    usual, grid = limits[device, USUAL], limits[device, GRID]
    relative = steps / usual
    off = np.abs(relative - np.rint(relative)) > grid
    pair = relative[1:] + relative[:-1]
    slipped: Mask = np.zeros(len(steps), dtype=bool)
    slipped[1:] = off[1:] & off[:-1] & (np.abs(pair - np.rint(pair)) <= grid[1:])
    slipped[1:] &= np.abs(relative[1:] - relative[:-1]) > grid[1:]
    return slipped & (age > 1)


def find_cadence(time_ns: Times, device: Rows, age: Rows, limits: Array) -> list[Spell]:
    """Windows in which most steps are much shorter, or much longer, than usual; ``limits`` of shape (devices, 6)."""
    own = limits[device]
    steps = np.diff(time_ns, prepend=time_ns[:1]) / 1e9
    slipped = _slipped(steps, device, age, limits)
    found = []
    for place, word in ((FAST, "more often"), (SLOW, "more rarely")):
        with np.errstate(invalid="ignore"):
            odd = steps < SHORT * own[:, USUAL] if place == FAST else steps > LONG * own[:, USUAL]
            odd &= (age > 0) & ~slipped
            share = trailing_mean(odd.astype(float), age - 1, CADENCE_WINDOW)
            flagged = share >= own[:, place]
        for known, last in episodes(flagged, age, CADENCE_WINDOW):
            first = max(known - CADENCE_WINDOW, known - int(age[known]))
            first += int(np.argmax(odd[first : known + 1]))
            usual, seen = float(own[known, USUAL]), float(np.median(steps[first + 1 : last + 1]))
            found.append(
                Spell(
                    first,
                    known,
                    last,
                    last + CADENCE_WINDOW,
                    ratio=max(seen / usual, usual / max(seen, 1e-9)),
                    seen=seen,
                    expected=usual,
                    detail=f"readings come {word}: every {duration(seen)}, usual every {duration(usual)}",
                )
            )
    return found


def find_clock(arrived: Times, limits: Array) -> list[tuple[int, int, int, float, str]]:
    """Event times of one device that fall far behind those already seen: (start, detected, end, seconds back, words).

    ``arrived`` is in the order of the frame; rows already in time order can never show it. ``limits`` has shape (5,).
    """
    ahead = np.maximum.accumulate(arrived)
    back = (ahead - arrived) / 1e9
    with np.errstate(invalid="ignore"):
        flagged = back > limits[BACK]
    found = []
    for first, last in episodes(flagged, np.arange(len(arrived)), CADENCE_WINDOW):
        worst = float(back[first : last + 1].max())
        start = int(arrived[first : last + 1].min())
        found.append(
            (
                int(arrived[first]),
                int(ahead[first]),
                max(int(ahead[last]), start),
                worst,
                f"event time steps back by {duration(worst)}, normal delays stay below {duration(limits[BACK])}",
            )
        )
    return found
