"""Anomalies planted into held-back rows: something to tune by where nobody knows what really happened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from redshank.core.detector import Array
from redshank.data import Dataset
from redshank.evaluate.protocols import Mask

EVERY = 300
"""Rows of a device to one planted anomaly, about."""
LEAST_ROWS = 60
"""Judged rows of a device below which nothing is planted in it: there would be no normal rows around."""
LONGEST = 60
"""Rows of the longest planted anomaly; it never fills more than a quarter of the rows from one to the next."""
SIZES = (1.5, 6.0)
"""Smallest and largest size in usual deviations of the channel, even in ratios: from hardly seen to plain."""
NORMAL_QUARTILES = 1.349
"""Distance between the quartiles of a normal distribution, in standard deviations."""

Effect = Callable[[Array, float, Array, np.random.Generator], Array]
"""Values of the stretch, size in units of the channel, all values of the channel in these rows: new values."""


def planted(dataset: Dataset, rows: Mask, seed: int) -> Dataset:
    """The data with anomalies in ``rows``, and with labels that know these and nothing else.

    Every device with enough rows gets one in about :data:`EVERY` rows: a spike, a step, a slope, a value that is stuck,
    noise, or what the channel reads at another time; in one channel each, of a size from hardly seen to plain. Rows
    outside are left as they are.

    Parameters
    ----------
    dataset : Dataset
        Its own labels are put aside: what is anomalous among its rows counts as normal.
    rows : bool ndarray of shape (n,)
        Where anomalies may stand: rows that a detector is judged on and was not fitted to.
    seed : int
        Same seed, same anomalies.
    """
    values, y = dataset.frame.values.copy(), np.zeros(len(dataset), np.int8)
    low, high = (np.array([getattr(one, end) for one in dataset.frame.schema.channels]) for end in ("low", "high"))
    for device, own in enumerate(dataset.frame.series()):
        judged = own[rows[own]]
        if len(judged) < LEAST_ROWS:
            continue
        rng = np.random.default_rng([seed, device, int(judged[0])])  # no two folds alike
        whole = values[judged].astype(np.float64)
        deviation = _deviations(whole)
        moving = np.flatnonzero(deviation > 0)
        slots = np.array_split(np.arange(len(judged)), max(1, round(len(judged) / EVERY)))
        for slot in slots if len(moving) else ():
            kind = list(EFFECTS)[int(rng.integers(len(EFFECTS)))]
            longest = max(1, min(LONGEST, len(slot) // 4))
            length = 1 if kind == "spike" else int(rng.integers(max(1, longest // 4), longest + 1))
            start = int(slot[0]) + int(rng.integers(len(slot) - length + 1))
            column = int(rng.choice(moving))
            size = float(np.exp(rng.uniform(*np.log(SIZES)))) * float(deviation[column])
            stretch = slice(start, start + length)
            changed = EFFECTS[kind](whole[stretch, column], size, whole[:, column], rng)
            place = judged[stretch]
            values[place, column] = np.clip(changed, low[column], high[column])  # beyond it a value would be missing
            y[place] = 1
    return replace(dataset, frame=replace(dataset.frame, values=values), y=y, labels=(), kinds=None, train=None)


def _deviations(values: Array) -> Array:
    """Usual deviation of each channel, from its quartiles, or from all values where these are one; 0 if still."""
    found = np.zeros(values.shape[1])
    for j, column in enumerate(values.T):
        known = column[np.isfinite(column)]
        if len(known) > 1:
            low, high = np.quantile(known, (0.25, 0.75))
            found[j] = (high - low) / NORMAL_QUARTILES or known.std()
    return found


def _sign(rng: np.random.Generator) -> float:
    return float(rng.choice((-1.0, 1.0)))


def _spike(values: Array, size: float, _: Array, rng: np.random.Generator) -> Array:
    return values + 2.0 * size * _sign(rng)


def _step(values: Array, size: float, _: Array, rng: np.random.Generator) -> Array:
    return values + size * _sign(rng)


def _slope(values: Array, size: float, _: Array, rng: np.random.Generator) -> Array:
    return values + size * _sign(rng) * np.linspace(0.0, 1.0, len(values))


def _stuck(values: Array, _: float, __: Array, ___: np.random.Generator) -> Array:
    return np.full_like(values, values[0])


def _noise(values: Array, size: float, _: Array, rng: np.random.Generator) -> Array:
    return values + rng.normal(0.0, 0.5 * size, len(values))


def _elsewhen(values: Array, _: float, whole: Array, rng: np.random.Generator) -> Array:
    """Normal in itself, and at odds with the other channels or with the time."""
    start = int(rng.integers(len(whole) - len(values) + 1))
    return whole[start : start + len(values)]


EFFECTS: Mapping[str, Effect] = {
    "spike": _spike,
    "step": _step,
    "slope": _slope,
    "stuck": _stuck,
    "noise": _noise,
    "elsewhen": _elsewhen,
}
"""What is planted, by name."""
