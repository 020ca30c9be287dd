"""Affiliation precision and recall: how near alarms and anomalies are, against alarms thrown at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from redshank.evaluate.metrics._inputs import ArrayLike, Floats, Marks, Rows, alarmed, harmonic_mean, segments


@dataclass(frozen=True, slots=True, eq=False)
class Affiliation:
    """Affiliation of alarms with anomalies; ``k`` anomalies in the order of time.

    Parameters
    ----------
    precision : float
        Mean of ``event_precision`` over the anomalies whose zone holds an alarm, 0 to 1; NaN where there is no alarm or
        no anomaly.
    recall : float
        Mean of ``event_recall`` over all anomalies, 0 to 1; NaN where there are none.
    f1 : float
        Harmonic mean of the two; 0 where there are anomalies and no alarm at all, NaN where there are no anomalies.
    event_precision : float64 ndarray of shape (k,)
        Chance that a point thrown at random into the anomaly's zone lies farther from it than an alarmed one, mean over
        the alarmed time of the zone; NaN where the zone holds no alarm.
    event_recall : float64 ndarray of shape (k,)
        Chance that an alarm thrown at random into the zone lies farther from a point of the anomaly than the nearest
        real one, mean over the anomaly; 0 where the zone holds no alarm.
    event_precision_distance : float64 ndarray of shape (k,)
        Mean distance in rows from the alarmed time of the zone to the anomaly; NaN where the zone holds no alarm.
    event_recall_distance : float64 ndarray of shape (k,)
        Mean distance in rows from the anomaly to the alarmed time of its zone; infinite where the zone holds no alarm.
    """

    precision: float
    recall: float
    f1: float
    event_precision: Floats
    event_recall: Floats
    event_precision_distance: Floats
    event_recall_distance: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Events:
    """Anomalies ``[start, end)`` and the zones ``[low, high)`` of all points that are nearest to them, (k,) each."""

    start: Floats
    end: Floats
    low: Floats
    high: Floats

    def __getitem__(self, event: Rows) -> _Events:
        return _Events(self.start[event], self.end[event], self.low[event], self.high[event])


def affiliation(alarm: ArrayLike, labels: ArrayLike) -> Affiliation:
    """Affiliation precision, recall and F1 of alarms with the anomalies of one series.

    Row ``i`` is the time ``[i, i + 1)``. The series is cut into zones: one for each anomaly ``J``, of all points that
    are nearer to it than to any other. Within a zone ``E`` with alarmed time ``I``, for ``X`` thrown evenly into ``E``,

        precision = mean over x in I of P(d(X, J) > d(x, J)), 1 where x lies in J,
        recall = mean over y in J of P(|X - y| > d(y, I)), 1 where y lies in I.

    Both are about 0.5 for alarms at random and 1 for alarms that are the anomalies.

    Parameters
    ----------
    alarm : array of shape (n,)
        1 (or True) for alarmed rows, 0 for the others; one device, in the order of time.
    labels : array of shape (n,)
        1 for anomalous rows, 0 for the others.

    Returns
    -------
    Affiliation
        Means over the anomalies, and the values of each. No alarm at all has recall 0 and F1 0, and no precision (NaN).

    Raises
    ------
    InputError
        If the two differ in length, or hold other values than 0 and 1.

    Notes
    -----
    The integrals are solved piece by piece, not sampled [1]_: time O(n + m log m) for m anomalies and alarm runs. An F1
    is NaN in the authors' public code where no alarm was given; here it is 0, as no precision could make it more:
    left out of a mean over series, silence would pay.

    References
    ----------
    .. [1] A. Huet, J. M. Navarro, D. Rossi, Local evaluation of time series anomaly detection algorithms, KDD 2022.
    """
    alarms, marks = alarmed("affiliation", alarm, labels)
    events = _zones(marks)
    start, end, zone = _cut(alarms, events)
    own = events[zone]

    def by_zone(parts: Floats) -> Floats:
        sums: Floats = np.bincount(zone, weights=parts, minlength=len(events.start)).astype(np.float64, copy=False)
        return sums

    near, far = _precision_parts(start, end, own)
    nearest, away = _recall_parts(start, end, zone, own)
    alarmed_time = by_zone(end - start)
    reached = alarmed_time > 0
    nothing = np.full(len(reached), np.nan)
    event_precision = np.divide(by_zone(near), alarmed_time, out=nothing.copy(), where=reached)
    event_recall = by_zone(nearest) / (events.end - events.start)
    precision = float(event_precision[reached].mean()) if reached.any() else float("nan")
    recall = float(event_recall.mean()) if len(event_recall) else float("nan")
    return Affiliation(
        precision,
        recall,
        harmonic_mean(precision, recall),
        event_precision,
        event_recall,
        np.divide(by_zone(far), alarmed_time, out=nothing, where=reached),
        np.where(reached, by_zone(away) / (events.end - events.start), np.inf),
    )


def _zones(labels: Marks) -> _Events:
    """Anomalies with their zones: the borders lie half-way between two anomalies."""
    start, end = (rows.astype(np.float64) for rows in segments(labels))
    borders = np.concatenate([[0.0], (end[:-1] + start[1:]) / 2, [len(labels)]])
    return _Events(start, end, borders[: len(start)], borders[1 : len(start) + 1])


def _cut(alarms: Marks, events: _Events) -> tuple[Floats, Floats, Rows]:
    """Start, end and zone of each piece of alarmed time, when alarm runs are cut at the borders of zones."""
    start, end = segments(alarms)
    first = np.searchsorted(events.high, start, side="right")
    pieces = np.searchsorted(events.low, end, side="left") - first
    run = np.repeat(np.arange(len(start)), pieces)
    before = np.cumsum(pieces) - pieces
    zone = first[run] + np.arange(len(run)) - before[run]
    return np.maximum(start[run], events.low[zone]), np.minimum(end[run], events.high[zone]), zone


def _precision_parts(start: Floats, end: Floats, own: _Events) -> tuple[Floats, Floats]:
    """Integrals over each piece of the chance to lie farther off, and of the distance to the anomaly."""
    inside = np.maximum(np.minimum(end, own.end) - np.maximum(start, own.start), 0.0)
    chance, distance = inside, np.zeros_like(inside)
    for near, far in ((own.start - end, own.start - start), (start - own.end, end - own.end)):  # in front, behind
        d0, d1 = np.maximum(near, 0.0), np.maximum(far, 0.0)
        # At distance d, |J| + min(d, left of J) + min(d, right of J) of the zone lie as near as d.
        taken = (d1 - d0) * (own.end - own.start)
        for room in (own.start - own.low, own.high - own.end):
            taken += _integral_of_least(d1, room) - _integral_of_least(d0, room)
        chance = chance + (d1 - d0) - taken / (own.high - own.low)
        distance += (d1 * d1 - d0 * d0) / 2
    return chance, distance


def _recall_parts(start: Floats, end: Floats, zone: Rows, own: _Events) -> tuple[Floats, Floats]:
    """The same over the part of the anomaly that is nearest to each piece of alarmed time."""
    neighbours = zone[1:] == zone[:-1]
    middle = (end[:-1] + start[1:]) / 2
    low, high = own.start.copy(), own.end.copy()
    low[1:] = np.where(neighbours, np.maximum(low[1:], middle), low[1:])
    high[:-1] = np.where(neighbours, np.minimum(high[:-1], middle), high[:-1])
    high = np.maximum(low, high)
    chance = np.maximum(np.minimum(end, high) - np.maximum(start, low), 0.0)
    distance = np.zeros_like(chance)
    for near, far, room in (
        (start - high, start - low, start - own.low),  # the anomaly in front of the piece
        (low - end, high - end, own.high - end),  # and behind it
    ):
        d0, d1 = np.maximum(near, 0.0), np.maximum(far, 0.0)
        # Within d of a point that is d from the piece lie d towards it, and min(d, room - d) away from it.
        squares = (d1 * d1 - d0 * d0) / 2
        taken = squares + _integral_of_tent(d1, room) - _integral_of_tent(d0, room)
        chance = chance + (d1 - d0) - taken / (own.high - own.low)
        distance += squares
    return chance, distance


def _integral_of_least(d: Floats, room: Floats) -> Floats:
    """Integral of ``min(u, room)`` for u from 0 to d."""
    low = np.minimum(d, room)
    return low * low / 2 + room * (d - low)


def _integral_of_tent(d: Floats, room: Floats) -> Floats:
    """Integral of ``min(u, room - u)`` for u from 0 to d, where ``d <= room``."""
    rest = room - d
    return np.where(2 * d <= room, d * d / 2, room * room / 4 - rest * rest / 2)
