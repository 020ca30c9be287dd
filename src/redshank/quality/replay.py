"""Readings that were sent before: a recording played back over the device."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from redshank.quality.track import Rows, Spell, ages, episodes

REMEMBERED = 100_000
"""Rows of a device to which a new row is compared; a recording older than that is not recognised."""
MEMORY, FLEET_MEMORY = 20_000, 1_000_000
"""Training rows kept for that purpose, of one device and of all together, the latest of each."""
WITNESSES = 4
"""Channels of a device that are compared."""
RUN = 8
"""Consecutive readings that must be equal."""
CHANGES = 5
"""Steps within such a run at which the value must change, so that resting values never count."""
FEWEST_ROWS = 100
"""Fewer training rows say too little about how often a channel repeats itself."""
CHANCE = 0.001
"""A channel whose normal runs recur more often than this share of rows is too coarse or too regular to tell; where
no second channel can bear witness, none may recur at all."""
VOTES = 2
"""Witnesses that must repeat with one lag, where there are so many."""
_MIX = np.uint64(0x9E3779B97F4A7C15)
"""The 64-bit golden ratio, the usual odd multiplier of hash functions."""


def lags(x: npt.NDArray[np.float32], device: Rows, age: Rows) -> Rows:
    """Rows back to the last time that the run of RUN values ending here was seen; 0 where it never was; shape (n,).

    Runs are compared by a 64-bit hash: n rows of chance give about n * n / 2 ** 65 false matches.
    """
    bits = (x + np.float32(0)).view(np.uint32).astype(np.uint64)  # + 0 makes -0 and 0 equal
    bits = (bits + np.uint64(1)) * _MIX
    bits ^= bits >> np.uint64(29)
    gram = device.astype(np.uint64) * _MIX
    for back in range(RUN):
        gram *= _MIX
        gram[back:] += bits[: len(bits) - back]
        gram ^= gram >> np.uint64(31)
    moved = np.zeros(len(x) + 1, dtype=np.int64)
    moved[2:] = np.cumsum(x[1:] != x[:-1])
    telling = age >= RUN - 1
    telling[RUN - 1 :] &= moved[RUN:] - moved[1 : len(moved) - RUN + 1] >= CHANGES
    rows = np.flatnonzero(telling)
    lag = np.zeros(len(x), dtype=np.intp)
    ordered = np.sort(gram[rows])
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(twice):  # the usual case, and sorting values is much cheaper than sorting row numbers
        return lag
    rows = rows[twice[np.minimum(np.searchsorted(twice, gram[rows]), len(twice) - 1)] == gram[rows]]
    order = rows[np.argsort(gram[rows], kind="stable")]
    same = gram[order[1:]] == gram[order[:-1]]
    distance = order[1:] - order[:-1]
    same &= (distance >= RUN) & (distance <= REMEMBERED)
    lag[order[1:][same]] = distance[same]
    return lag


def learn_witnesses(values: npt.NDArray[np.float32]) -> Rows:
    """Channels of one device that tell a replay, the most lively first, then -1; shape (WITNESSES,)."""
    chosen = np.full(WITNESSES, -1, dtype=np.intp)
    rows, width = values.shape
    if rows < FEWEST_ROWS:
        return chosen
    device = np.zeros(rows, dtype=np.intp)
    moving = (values[1:] != values[:-1]).mean(axis=0)
    recurring = np.ones(width)
    for channel in np.flatnonzero(moving > 0.5):
        recurring[channel] = (lags(values[:, channel], device, np.arange(rows)) > 0).mean()
    telling = np.flatnonzero(recurring <= CHANCE)
    if len(telling) < VOTES:
        telling = np.flatnonzero(recurring == 0)
    telling = telling[np.argsort(-moving[telling], kind="stable")][:WITNESSES]
    chosen[: len(telling)] = telling
    return chosen


def find_replay(
    values: npt.NDArray[np.float32], device: Rows, old: npt.NDArray[np.bool_], width: npt.NDArray[np.intp]
) -> list[tuple[Spell, list[int]]]:
    """Runs of rows whose witnesses have been sent before, with one lag.

    Parameters
    ----------
    values : float32 ndarray of shape (n, WITNESSES)
        Witnesses of each row, device after device, oldest first.
    device : int ndarray of shape (n,)
    old : bool ndarray of shape (n,)
        Rows that are only remembered: each device's first ones.
    width : int ndarray of shape (devices,)
        Witnesses that each device has; columns behind them are not looked at.

    Returns
    -------
    list of (Spell, list of int)
        Row numbers among those that are not old; columns of the witnesses that agreed.
    """
    age = ages(device)
    table = np.zeros((len(values), WITNESSES), dtype=np.intp)
    for place in range(min(WITNESSES, int(width.max(initial=0)))):
        table[:, place] = np.where(place < width[device], lags(values[:, place], device, age), 0)
    table, device = table[~old], device[~old]
    age = ages(device)
    # Two that agree stand next to each other when the four are sorted; with one witness its own word must do.
    ranked = np.sort(table, axis=1)
    agreed = np.where(ranked[:, 1:] == ranked[:, :-1], ranked[:, 1:], 0).max(axis=1)
    lag = np.where(width[device] < VOTES, ranked[:, -1], agreed)
    found = []
    for first, last in episodes(lag > 0, age, RUN):
        length = last - first + RUN
        spell = Spell(
            first - min(RUN - 1, int(age[first])),
            first,
            last,
            last + RUN,
            ratio=length / RUN,
            seen=float(length),
            expected=float(RUN),
            detail=f"{length} readings equal those sent {lag[first]} readings before",
        )
        found.append((spell, np.flatnonzero((table[first : last + 1] == lag[first]).any(axis=0)).tolist()))
    return found
