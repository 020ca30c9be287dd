"""Values that repeat exactly: a stuck sensor, and a sensor that runs into its stop (clipped)."""

from __future__ import annotations

import numpy as np

from redshank.quality.track import BLOCKS, Array, Rows, Spell, Track, beyond, bursts, trailing_max

STATES = 8
"""A channel with at most so many different values in training is a state or a flag: it cannot be stuck."""
FEWEST_LEVELS = 100
"""A channel with fewer values in training is coarse: all its values may rest, its extremes tie by chance."""
RESTS = 4
"""Resting values remembered for each channel: those with the longest normal runs (light at 0, a pump that stands)."""
FEWEST_REPEATS = 12
"""No shorter run of an ordinary value counts as stuck, whatever training shows."""
FEWEST_RESTS = 30
"""The same for a resting value."""
SLOWEST = 0.9
"""A channel that repeats its value more often than this in training holds values for long: it cannot be stuck."""
LIVELY = 0.5
"""Where even ordinary values repeat more often than this, they are judged like resting ones."""
CHANCE = 1e-9
"""Chance of a run that is called stuck, were repeats independent of each other."""
RUN_FACTOR = 3.0
"""A run must be so many times the longest normal run: for runs with a geometric tail, n rows of training and a factor
of 3 leave a chance of about n ** -3 a row."""
LONGEST_SHARE = 0.125
"""Where one normal run takes more than this share of the training rows, its length says too little about the next."""
CLIP_WINDOW = 64
"""Readings over which ties with the extreme value are counted."""
CLIP_RUN = 4
"""Readings of one run that count: a longer run at the extreme is a matter of the stuck check."""
MOST_STILL = 0.25
"""A channel that repeats its value more often than this in training ties with its extremes by chance."""
FEWEST_TIES = 12
MOST_TIES = 20
"""A channel that ties with its extreme more often than this in normal windows is too coarse for the clipped check."""
TIE_FACTOR = 1.5
STOP_SHARE = 0.002
"""An extreme that training reached with this share of its rows is a natural stop, such as 0 or 100 %."""


def runs(track: Track) -> tuple[Rows, Rows]:
    """First row and length of each run of exactly equal values of one device."""
    fresh = track.age == 0
    fresh[1:] |= track.x[1:] != track.x[:-1]
    starts = np.flatnonzero(fresh)
    return starts, np.diff(starts, append=len(track.x))


def learn_stuck(track: Track, stretch: float) -> Array:
    """Limits from one device's normal rows: run length for ordinary values, for resting values, the resting values.

    NaN turns a limit off. Shape (2 + RESTS,).
    """
    limits = np.full(2 + RESTS, np.nan)
    x = track.x
    starts, lengths = runs(track)
    levels = len(np.unique(x))
    if levels <= STATES or len(starts) < (1.0 - SLOWEST) * len(x):
        return limits
    order = np.argsort(-lengths, kind="stable")
    _, first_seen = np.unique(x[starts[order]], return_index=True)
    rests = x[starts[order[np.sort(first_seen)[:RESTS]]]]
    resting = np.isin(x[starts], rests)
    block = starts * BLOCKS // len(x)
    stills = []
    for place, fewest, own in ((0, FEWEST_REPEATS, ~resting), (1, FEWEST_RESTS, resting)):
        longest = np.zeros(BLOCKS)
        np.maximum.at(longest, block[own], lengths[own])
        still = 1.0 - np.count_nonzero(own) / lengths[own].sum()
        stills.append(still)
        chance = np.log(CHANCE) / np.log(max(still, 1.0 / len(x)))  # length that independent repeats hardly reach
        if longest.max() <= LONGEST_SHARE * len(x):
            limits[place] = np.ceil(np.maximum(max(fewest, chance), RUN_FACTOR * stretch * beyond(longest)))
    if stills[0] > LIVELY or levels < FEWEST_LEVELS:
        limits[0] = limits[:2].max()
    limits[2:] = rests
    return limits


def find_stuck(track: Track, limits: Array) -> list[Spell]:
    """Runs longer than the limit of their device, ``limits`` of shape (devices, 2 + RESTS)."""
    starts, lengths = runs(track)
    long = lengths > FEWEST_REPEATS
    starts, lengths = starts[long], lengths[long]
    own = limits[track.device[starts]]
    resting = (own[:, 2:] == track.x[starts, None]).any(axis=1)
    limit = np.where(resting, own[:, 1], own[:, 0])
    return [
        Spell(
            first=int(starts[i]),
            known=int(starts[i] + limit[i]),
            last=int(starts[i] + lengths[i] - 1),
            hold=int(starts[i] + lengths[i] + limit[i]),
            ratio=float(lengths[i] / limit[i]),
            seen=float(lengths[i]),
            expected=float(limit[i]),
            detail=f"exactly {track.x[starts[i]]:.6g} for {lengths[i]} readings, normal runs stay below {limit[i]:.0f}",
        )
        for i in np.flatnonzero(lengths > limit)
    ]


def _ties(track: Track, sign: float) -> Rows:
    """Rows that come, exactly, to the largest of the readings before, short runs only."""
    x = sign * track.x
    largest = trailing_max(x, CLIP_WINDOW)
    starts, lengths = runs(track)
    in_run = np.arange(len(x)) - np.repeat(starts, lengths)
    tied = in_run < CLIP_RUN
    tied[1:] &= x[1:] == largest[:-1]
    tied &= track.age >= CLIP_WINDOW
    return np.flatnonzero(tied)


def learn_clipped(track: Track, stretch: float) -> Array:
    """Limits from one device's normal rows: ties with the largest and with the smallest value of a window.

    Behind them stand the largest and smallest value at all where training came to them often: natural stops, such as
    0 or 100 %, that no fault explains. Shape (4,).
    """
    limits = np.full(4, np.nan)
    if len(np.unique(track.x)) < FEWEST_LEVELS or (np.diff(track.x) == 0).mean() > MOST_STILL:
        return limits
    for side, sign in enumerate((1.0, -1.0)):
        extreme = sign * (sign * track.x).max()
        if (track.x == extreme).mean() > STOP_SHARE:
            limits[2 + side] = extreme
        rows = _ties(track, sign)
        rows = rows[track.x[rows] != limits[2 + side]]
        usual = 1
        while usual <= MOST_TIES and bursts(rows, track.age, usual + 1, CLIP_WINDOW, track.x):
            usual += 1
        if usual <= MOST_TIES:
            limits[side] = np.ceil(max(FEWEST_TIES, TIE_FACTOR * stretch * usual))
    return limits


def find_clipped(track: Track, limits: Array) -> list[Spell]:
    """Windows that tie with one extreme value more often than normal, ``limits`` of shape (devices, 4)."""
    found = []
    for side, sign in enumerate((1.0, -1.0)):
        rows = _ties(track, sign)
        rows = rows[track.x[rows] != limits[track.device[rows], 2 + side]]
        of_row = limits[track.device[rows], side]
        for need in np.unique(of_row[~np.isnan(of_row)]):
            for first, known, last in bursts(rows[of_row == need], track.age, int(need), CLIP_WINDOW, track.x):
                count = int(np.count_nonzero(track.x[first : last + 1] == track.x[first]))
                found.append(
                    Spell(
                        first,
                        known,
                        last,
                        last + CLIP_WINDOW,
                        ratio=count / need,
                        seen=float(count),
                        expected=float(need),
                        detail=f"stops at exactly {track.x[first]:.6g}, {count} times in {last - first + 1} readings",
                    )
                )
    return found
