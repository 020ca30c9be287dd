"""Range-based precision and recall (Tatbul et al.): how much of each range is covered, where, and in how many parts."""

from __future__ import annotations

import math

import numpy as np

from redshank.core import SettingError, check_range
from redshank.evaluate.metrics._inputs import ArrayLike, Floats, Marks, Rows, alarmed, harmonic_mean, segments, touching

BIASES = ("flat", "front", "back", "middle")
"""Where in a range a row counts most."""

CARDINALITIES = ("reciprocal", "one")
"""What becomes of the overlap of a range that x others share: divided by x, or left as it is."""

EXISTENCE_SHARE = 0.2
"""Part of recall that a range earns by being touched at all, as in the public leaderboards (TSB-AD)."""


def range_recall(
    alarm: ArrayLike,
    labels: ArrayLike,
    *,
    alpha: float = EXISTENCE_SHARE,
    bias: str = "flat",
    cardinality: str = "reciprocal",
) -> float:
    """Range-based recall: the mean over anomalies R of ``alpha [R is touched] + (1 - alpha) overlap(R)``.

    ``overlap(R) = factor(x) sum of weight(i) over alarmed rows / sum of weight(i) over all rows of R``, where x alarm
    runs touch R, and ``weight(i)`` of the i-th of its L rows, counted from 1, is

    ========== ===================================
    ``flat``   1
    ``front``  L - i + 1
    ``back``   i
    ``middle`` i where i <= L / 2, else L - i + 1
    ========== ===================================

    Parameters
    ----------
    alarm : array of shape (n,)
        1 (or True) for alarmed rows, 0 for the others; one device, in the order of time.
    labels : array of shape (n,)
        1 for anomalous rows, 0 for the others. An unbroken run of them is one anomaly.
    alpha : float, default=0.2
        What merely touching an anomaly is worth, 0 to 1.
    bias : {"flat", "front", "back", "middle"}, default="flat"
        Which rows of a range count most.
    cardinality : {"reciprocal", "one"}, default="reciprocal"
        ``factor(x)``: 1 / x, so that an anomaly alarmed in pieces counts less, or 1.

    Returns
    -------
    float
        0 to 1; NaN where there is no anomaly.

    Raises
    ------
    InputError
        If alarms and labels differ in length, or hold other values than 0 and 1.
    SettingError
        If a setting is unknown or out of range.

    Notes
    -----
    Exact, in O(n + m log m) for m runs. ``flat`` and ``reciprocal`` equal TSB-AD 1.5, but for series that are anomalous
    or alarmed throughout, where that code finds no range, and without alarms, where its precision is 0. Its other
    biases count i from the start of the series instead of the start of the range; here they follow the paper [1]_.

    References
    ----------
    .. [1] N. Tatbul, T. J. Lee, S. Zdonik, M. Alam, J. Gottschlich, Precision and recall for time series, NeurIPS 2018.
    """
    alarms, marks = alarmed("range_recall", alarm, labels)
    _check("range_recall", alpha, bias, cardinality)
    return _mean(_rewards(marks, alarms, alpha, bias, cardinality))


def range_precision(
    alarm: ArrayLike, labels: ArrayLike, *, bias: str = "flat", cardinality: str = "reciprocal"
) -> float:
    """Range-based precision: the mean over alarm runs of their overlap with anomalies.

    The same as :func:`range_recall` with alarms and labels exchanged and ``alpha = 0``: the paper gives no reward for a
    false alarm that merely touches an anomaly.

    Parameters
    ----------
    alarm, labels : array of shape (n,)
        As for :func:`range_recall`.
    bias : {"flat", "front", "back", "middle"}, default="flat"
        Which rows of an alarm run count most.
    cardinality : {"reciprocal", "one"}, default="reciprocal"
        Whether an alarm run that spans x anomalies has its overlap divided by x.

    Returns
    -------
    float
        0 to 1; NaN where there is no alarm.

    Raises
    ------
    InputError, SettingError
        As :func:`range_recall`.
    """
    alarms, marks = alarmed("range_precision", alarm, labels)
    _check("range_precision", 0.0, bias, cardinality)
    return _mean(_rewards(alarms, marks, 0.0, bias, cardinality))


def range_f1(
    alarm: ArrayLike,
    labels: ArrayLike,
    *,
    alpha: float = EXISTENCE_SHARE,
    bias: str = "flat",
    cardinality: str = "reciprocal",
) -> float:
    """Harmonic mean of :func:`range_precision` and :func:`range_recall` with the same settings.

    Parameters
    ----------
    alarm, labels, alpha, bias, cardinality
        As for :func:`range_recall`.

    Returns
    -------
    float
        0 to 1; 0 where there are anomalies and no alarm, or alarms and no anomaly; NaN where there is neither.

    Raises
    ------
    InputError, SettingError
        As :func:`range_recall`.
    """
    alarms, marks = alarmed("range_f1", alarm, labels)
    _check("range_f1", alpha, bias, cardinality)
    return harmonic_mean(
        _mean(_rewards(alarms, marks, 0.0, bias, cardinality)), _mean(_rewards(marks, alarms, alpha, bias, cardinality))
    )


def _check(who: str, alpha: float, bias: str, cardinality: str) -> None:
    check_range(who, "alpha", alpha, 0.0, 1.0)
    for name, value, known in (("bias", bias, BIASES), ("cardinality", cardinality, CARDINALITIES)):
        if value not in known:
            raise SettingError(f"{who}: {name} is {value!r}; wanted one of {', '.join(known)}")


def _rewards(judged: Marks, other: Marks, alpha: float, bias: str, cardinality: str) -> Floats:
    """Reward of each run of ``judged`` for its overlap with the runs of ``other``."""
    start, end = segments(judged)
    shared = touching(start, end, *segments(other))
    overlap = _overlap(start, end, other, bias)
    if cardinality == "reciprocal":
        overlap = overlap / np.maximum(shared, 1)
    return alpha * (shared > 0) + (1.0 - alpha) * overlap


def _overlap(start: Rows, end: Rows, other: Marks, bias: str) -> Floats:
    """Weight of the rows of each run that ``other`` marks, as a share of the run's whole weight."""
    rows = np.flatnonzero(other)
    sums: Rows = np.concatenate([[0], np.cumsum(rows)])

    def rising(low: Rows, high: Rows) -> Rows:  # weights 1, 2, 3 ... from the first row on
        i, j = np.searchsorted(rows, low), np.searchsorted(rows, high)
        weight: Rows = sums[j] - sums[i] - (low - 1) * (j - i)
        return weight

    def falling(low: Rows, high: Rows) -> Rows:  # weights ... 3, 2, 1 up to the last row
        i, j = np.searchsorted(rows, low), np.searchsorted(rows, high)
        weight: Rows = high * (j - i) - sums[j] + sums[i]
        return weight

    length = end - start
    half = length // 2
    if bias == "flat":
        return (np.searchsorted(rows, end) - np.searchsorted(rows, start)) / length
    if bias == "front":
        return falling(start, end) / _triangle(length)
    if bias == "back":
        return rising(start, end) / _triangle(length)
    middle = start + half
    return (rising(start, middle) + falling(middle, end)) / (_triangle(half) + _triangle(length - half))


def _triangle(n: Rows) -> Rows:
    return n * (n + 1) // 2


def _mean(rewards: Floats) -> float:
    return float(rewards.mean()) if len(rewards) else math.nan
