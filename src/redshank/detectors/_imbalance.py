"""Rare classes: weights and copies of their rows, for those rows alone that a classifier is about to learn from.

Call these behind every division into rows that are learned from and rows that are held back: a copy made before it
could lie on both sides.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from redshank.core import SettingError, check_range
from redshank.core.contracts import Array

Codes = npt.NDArray[np.intp]
Places = npt.NDArray[np.intp]


def check_imbalance(who: str, class_weight: str | None, oversample: float) -> None:
    """Raise SettingError unless the two settings, as every classifier has them, are possible; true is a ratio of 1."""
    if class_weight not in (None, "balanced"):
        raise SettingError(f"{who}: class_weight is {class_weight!r}; wanted 'balanced' or None")
    check_range(who, "oversample", float(oversample) if isinstance(oversample, bool) else oversample, low=0.0, high=1.0)


def balanced_weights(codes: Codes) -> Array:
    """Weight of each class, shape (classes,), so that all classes together weigh alike and rows weigh 1 on average.

    ``n / (k n_c)`` with the n rows, the k classes that are present, and the n_c rows of a class, as in [1]_; 0 for a
    class without rows. ``balanced_weights(codes)[codes]`` are the weights of the rows.

    References
    ----------
    .. [1] G. King, L. Zeng, "Logistic regression in rare events data", Political Analysis 9(2), 2001.
    """
    counts = np.bincount(codes)
    present = counts > 0
    weights: Array = np.divide(len(codes), present.sum() * counts, out=np.zeros(len(counts)), where=present)
    return weights


def oversampled(codes: Codes, seed: int, ratio: float = 1.0) -> Places:
    """Places of the rows to learn from: every row once, then rows of rare classes again, drawn at random.

    Parameters
    ----------
    codes : int array of shape (n,)
        Class of each row.
    seed : int
        Draws the copies.
    ratio : float, default=1.0
        Each class is brought to this share of the largest, rounded up; one that has more stays as it is. 0 copies
        nothing.

    Notes
    -----
    Rows are used again in whole rounds before any is used once more often: the copies of a class differ in number by
    at most one.
    """
    counts = np.bincount(codes)
    wanted = int(np.ceil(ratio * counts.max(initial=0)))
    rng = np.random.default_rng(seed)
    parts = [np.arange(len(codes))]
    for code in np.flatnonzero((counts > 0) & (counts < wanted)):
        own = np.flatnonzero(codes == code)
        rounds, rest = divmod(wanted - len(own), len(own))
        parts += [np.tile(own, rounds), rng.choice(own, rest, replace=False)]
    return np.concatenate(parts)


def undersampled(codes: Codes, most: int, seed: int) -> Places:
    """Places of at most ``most`` rows, in their order: as equal in number over the classes as they allow, drawn."""
    counts = np.bincount(codes)
    if len(codes) <= most:
        return np.arange(len(codes))
    left, quota = most, np.zeros(len(counts), np.intp)
    ranked = np.argsort(counts, kind="stable")
    for done, code in enumerate(ranked):  # the smallest first: what it leaves is shared by the larger ones
        quota[code] = min(counts[code], left // (len(ranked) - done))
        left -= quota[code]
    rng = np.random.default_rng(seed)
    chosen = [rng.choice(np.flatnonzero(codes == code), quota[code], replace=False) for code in range(len(counts))]
    return np.sort(np.concatenate(chosen))
