"""Values that jump: bursts of spikes, noise, and a change of unit."""

from __future__ import annotations

import numpy as np

from redshank.quality.track import BLOCKS, Array, Rows, Spell, Track, beyond, bursts, episodes, trailing_mean

SPIKES = 3
"""So many spikes near each other make a sensor fault; a single one is left to the detector, as a point anomaly."""
SPIKE_WINDOW = 64
SPIKE_FACTOR = 1.5
SPIKE_FLOOR = 8.0
"""A spike is at least so many times the usual step between two readings."""
NOISE_WINDOW = 32
NOISE_FACTOR = 1.4
NOISE_CAP = 4.0
"""What one reading may add to the noise, in limits: three spikes are not noise."""
GRAIN = 2.0**20
"""Shares are rounded to multiples of 1 / GRAIN: their running sums are then exact, whatever rows stand before."""
STILL_SHARE = 0.5
"""A channel that repeats its value more often than this rests or counts: its noise is not defined."""
FALLING_SHARE = 0.01
"""A channel that falls more rarely than this is a counter."""
UNIT_ROWS = 12
"""Readings in the new unit before it is believed."""
UNIT_JUMP = 6.0
"""The jump into the new unit, in largest normal steps."""
UNIT_LEVEL = 5.0
"""The value before the jump, in largest normal steps: near zero every factor looks alike."""
UNITS = (
    (1000.0, 0.0, "1000 times"),
    (1e-3, 0.0, "a thousandth of"),
    (100.0, 0.0, "100 times"),
    (1e-2, 0.0, "a hundredth of"),
    (60.0, 0.0, "60 times"),
    (1 / 60.0, 0.0, "a 60th of"),
    (10.0, 0.0, "10 times"),
    (0.1, 0.0, "a tenth of"),
    (1.8, 32.0, "degrees Fahrenheit instead of Celsius for"),
    (1 / 1.8, -32.0 / 1.8, "degrees Celsius instead of Fahrenheit for"),
    (1.0, 273.15, "kelvin instead of degrees Celsius for"),
    (1.0, -273.15, "degrees Celsius instead of kelvin for"),
)
"""Factor, offset and words of the usual mistakes."""


def _spikes(track: Track) -> Array:
    """How far each reading stands out from both neighbours on the same side; 0 where it does not; shape (n,)."""
    step = track.steps()
    out = np.zeros(len(step))
    out[:-1] = np.where(step[:-1] * np.sign(step[1:]) < 0, np.minimum(np.abs(step[:-1]), np.abs(step[1:])), 0.0)
    out[:-1][(track.age[1:] == 0) | (track.age[:-1] == 0)] = 0.0
    return out


def learn_spike(track: Track, stretch: float) -> Array:
    """Limit from one device's normal rows: above the third largest spike of every block of them; shape (1,)."""
    sizes = _spikes(track)
    moved = np.abs(track.steps())
    moved = moved[moved > 0]
    if not len(moved):
        return np.full(1, np.nan)
    thirds = np.array([np.partition(block, -SPIKES)[-SPIKES] for block in np.array_split(sizes, BLOCKS)])
    return np.array([max(SPIKE_FACTOR * stretch * beyond(thirds), SPIKE_FLOOR * float(np.median(moved)))])


def find_spike(track: Track, limits: Array) -> list[Spell]:
    """Bursts of spikes above the limit of their device, ``limits`` of shape (devices, 1)."""
    sizes = _spikes(track)
    limit = limits[track.device, 0]
    rows = np.flatnonzero(sizes > limit)
    found = []
    for first, known, last in bursts(rows, track.age, SPIKES, SPIKE_WINDOW):
        own = sizes[first : last + 1]
        count, worst = int((own > limit[first]).sum()), float(own.max())
        found.append(
            Spell(
                first,
                known + 1,  # a spike is known by the reading after it
                last + 1,
                last + 1 + SPIKE_WINDOW,
                ratio=worst / limit[first],
                seen=worst,
                expected=float(limit[first]),
                detail=f"{count} spikes of up to {worst:.3g} in {last - first + 1} readings",
            )
        )
    return found


def _roughness(track: Track) -> Array:
    """The smaller of the last two absolute steps: free of single level changes; shape (n,)."""
    step = np.abs(track.steps())
    rough = np.zeros(len(step))
    rough[1:] = np.minimum(step[1:], step[:-1])
    rough[track.age < 2] = 0.0
    return rough


def learn_noise(track: Track, stretch: float) -> Array:
    """Limit from one device's normal rows: the largest mean roughness of a window, with a margin; shape (1,)."""
    step = np.diff(track.x)
    falling = (step < 0).mean()
    if (step == 0).mean() > STILL_SHARE or min(falling, (step > 0).mean()) < FALLING_SHARE:
        return np.full(1, np.nan)
    rough = _roughness(track)
    capped = np.minimum(rough, NOISE_CAP * np.quantile(rough, 0.99))
    level = trailing_mean(capped, track.age, NOISE_WINDOW)
    maxima = np.array([block.max() for block in np.array_split(level, BLOCKS)])
    return np.array([NOISE_FACTOR * stretch * beyond(maxima)])


def find_noise(track: Track, limits: Array) -> list[Spell]:
    """Windows rougher than normal, ``limits`` of shape (devices, 1)."""
    limit = limits[track.device, 0]
    relative = np.rint(np.minimum(np.nan_to_num(_roughness(track) / limit), NOISE_CAP) * GRAIN) / GRAIN
    level = trailing_mean(relative, track.age, NOISE_WINDOW)
    found = []
    for first, last in episodes(level > 1.0, track.age, NOISE_WINDOW):
        worst = float(level[first : last + 1].max())
        usual = limit[first]
        found.append(
            Spell(
                first - NOISE_WINDOW // 2,
                first,
                last,
                last + NOISE_WINDOW,
                ratio=worst,
                seen=worst * usual,
                expected=float(usual),
                detail=f"noise of {worst * usual:.3g} between readings, normal stays below {usual:.3g}",
            )
        )
    return found


def learn_unit(track: Track, stretch: float) -> Array:
    """Largest step, negated lowest and highest value of one device's normal rows; shape (3,)."""
    step = float(np.abs(np.diff(track.x)).max())
    if step == 0.0 or (np.diff(track.x) == 0).mean() > STILL_SHARE:
        return np.full(3, np.nan)
    return np.array([stretch * step, -track.x.min(), track.x.max()])


def find_unit(track: Track, limits: Array) -> list[Spell]:
    """Jumps to another unit that last, ``limits`` of shape (devices, 3)."""
    own = limits[track.device]
    jump = np.flatnonzero(np.abs(track.steps()) > UNIT_JUMP * own[:, 0])
    jump = jump[jump + UNIT_ROWS <= len(track.x)]
    jump = jump[np.abs(track.x[jump - 1]) > UNIT_LEVEL * own[jump, 0]]
    jump = jump[track.device[jump] == track.device[jump + UNIT_ROWS - 1]]
    if not len(jump):
        return []
    low, high = -own[jump, 1], own[jump, 2]
    slack = own[jump, 0]
    after = track.x[jump[:, None] + np.arange(UNIT_ROWS)]
    outside = ((after > (high + slack)[:, None]) | (after < (low - slack)[:, None])).all(axis=1)
    found: list[Spell] = []
    for factor, offset, words in UNITS:
        back = (after - offset) / factor
        inside = ((back <= (high + slack)[:, None]) & (back >= (low - slack)[:, None])).all(axis=1)
        joins = np.abs(back[:, 0] - track.x[jump - 1]) <= 1.5 * slack
        for place in np.flatnonzero(outside & inside & joins).tolist():
            first = int(jump[place])
            last = _until_back(track, first, float(low[place] - slack[place]), float(high[place] + slack[place]))
            if any(spell.first == first for spell in found):
                continue
            found.append(
                Spell(
                    first,
                    first + UNIT_ROWS - 1,
                    last,
                    last,
                    ratio=UNIT_JUMP,
                    seen=float(track.x[first]),
                    expected=float(track.x[first - 1]),
                    detail=f"{words} the usual value: {track.x[first]:.4g} after {track.x[first - 1]:.4g}",
                )
            )
    return found


def _until_back(track: Track, first: int, low: float, high: float) -> int:
    """Last row of the device, from ``first`` on, before a value is in the normal range again."""
    end = int(np.searchsorted(track.device, track.device[first], side="right"))
    rest = track.x[first:end]
    usual: Rows = np.flatnonzero((rest >= low) & (rest <= high))
    return first + (int(usual[0]) if len(usual) else len(rest)) - 1
