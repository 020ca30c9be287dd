"""Event by event: anomalies found, how soon, alarm runs that are false, and point-adjusted F1 beside chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from redshank.core import InputError
from redshank.evaluate.metrics._inputs import (
    WEEK_NS,
    ArrayLike,
    Floats,
    Marks,
    Rows,
    alarmed,
    given,
    harmonic_mean,
    ratio,
    segments,
    touching,
    whole,
)


def event_recall(alarm: ArrayLike, labels: ArrayLike) -> float:
    """Share of the anomalies with at least one alarmed row.

    Parameters
    ----------
    alarm : array of shape (n,)
        1 (or True) for alarmed rows, 0 for the others; one device, in the order of time.
    labels : array of shape (n,)
        1 for anomalous rows, 0 for the others. An unbroken run of them is one anomaly.

    Returns
    -------
    float
        0 to 1; NaN where there is no anomaly. What always alarms has 1: read it beside :func:`event_precision`.

    Raises
    ------
    InputError
        If the two differ in length, or hold other values than 0 and 1.
    """
    alarms, marks = alarmed("event_recall", alarm, labels)
    return _share(marks, alarms)


def event_precision(alarm: ArrayLike, labels: ArrayLike) -> float:
    """Share of the alarm runs with at least one anomalous row.

    Parameters
    ----------
    alarm, labels : array of shape (n,)
        As for :func:`event_recall`. An unbroken run of alarmed rows is one alarm.

    Returns
    -------
    float
        0 to 1; NaN where there is no alarm. One endless alarm has 1: read it beside the alarmed share of the rows.

    Raises
    ------
    InputError
        As :func:`event_recall`.
    """
    alarms, marks = alarmed("event_precision", alarm, labels)
    return _share(alarms, marks)


def event_f1(alarm: ArrayLike, labels: ArrayLike) -> float:
    """Harmonic mean of :func:`event_recall` and the precision of rows: what leaderboards call event-based F1.

    The two halves count different things on purpose: precision by rows keeps an endless alarm from being perfect, as it
    would be with :func:`event_precision`.

    Parameters
    ----------
    alarm, labels : array of shape (n,)
        As for :func:`event_recall`.

    Returns
    -------
    float
        0 to 1; 0 where there are anomalies and no alarm, or alarms and no anomaly; NaN where there is neither.

    Raises
    ------
    InputError
        As :func:`event_recall`.

    Notes
    -----
    ``F1 = 2 p r / (p + r)``, with p the share of alarmed rows that are anomalous and r the share of anomalies
    found [1]_. Departs from the public code of TSB-AD 1.5, which loses the last row of an anomaly that ends the
    series, and adds 1e-15 to the divisor.

    References
    ----------
    .. [1] A. Garg, W. Zhang, J. Samaran, R. Savitha, C.-S. Foo, An evaluation of anomaly detection and diagnosis in
       multivariate time series, IEEE Transactions on Neural Networks and Learning Systems 33(6), 2022.
    """
    alarms, marks = alarmed("event_f1", alarm, labels)
    hit, raised = int(np.count_nonzero(alarms & marks)), int(np.count_nonzero(alarms))
    return harmonic_mean(ratio(hit, raised), _share(marks, alarms))


def detection_delays(alarm: ArrayLike, labels: ArrayLike, time_ns: npt.NDArray[np.int64] | None = None) -> Floats:
    """Time from the start of each anomaly to the first alarmed row in it.

    Parameters
    ----------
    alarm, labels : array of shape (n,)
        As for :func:`event_recall`.
    time_ns : int64 array of shape (n,), optional
        UTC time of each row in nanoseconds, never going back.

    Returns
    -------
    float64 ndarray of shape (events,)
        Seconds, or rows without ``time_ns``, at least 0, in the order of the anomalies; NaN where one was missed. An
        alarm that has begun earlier and still lasts when the anomaly starts has delay 0.

    Raises
    ------
    InputError
        As :func:`event_recall`, or if the times are not integers, do not match or go back.
    """
    alarms, marks = alarmed("detection_delays", alarm, labels)
    start, end = segments(marks)
    rows = np.append(np.flatnonzero(alarms), len(marks))  # the row behind the last: no alarm comes any more
    first = rows[np.searchsorted(rows, start)]
    found = first < end
    if time_ns is None:
        return np.where(found, first - start, np.nan)
    times = _times("detection_delays", time_ns, len(marks))
    _steps("detection_delays", times)
    delays = np.full(len(start), np.nan)
    delays[found] = (times[first[found]] - times[start[found]]) / 1e9
    return delays


def false_events(alarm: ArrayLike, labels: ArrayLike) -> int:
    """Number of alarm runs without a single anomalous row.

    Parameters
    ----------
    alarm, labels : array of shape (n,)
        As for :func:`event_recall`.

    Raises
    ------
    InputError
        As :func:`event_recall`.
    """
    alarms, marks = alarmed("false_events", alarm, labels)
    return _false_runs(alarms, marks)


def false_events_per_device_week(
    alarm: ArrayLike, labels: ArrayLike, time_ns: npt.NDArray[np.int64], *, device: npt.ArrayLike | None = None
) -> float:
    """False alarm runs by device and week of observed time.

    A device is observed from its first row to its last, and one usual interval more: the median step between two rows
    of one device, or one second where there is no step. The weeks of all devices are added.

    Parameters
    ----------
    alarm, labels : array of shape (n,)
        As for :func:`event_recall`, but rows of several devices may be mixed where ``device`` is given.
    time_ns : int64 array of shape (n,)
        UTC time of each row in nanoseconds, never going back within a device.
    device : int or str array of shape (n,), optional
        Whose row it is; without it all rows are of one device. Alarm runs of two devices never join.

    Returns
    -------
    float
        At least 0; NaN without rows.

    Raises
    ------
    InputError
        As :func:`event_recall`, or if times or devices do not match the labels or the times of a device go back.
    """
    who = "false_events_per_device_week"
    alarms, marks = alarmed(who, alarm, labels)
    times = _times(who, time_ns, len(marks))
    order, owner = _by_device(who, device, len(marks))
    if not len(marks):
        return float("nan")
    alarms, marks, times = alarms[order], marks[order], times[order]
    same = np.diff(owner) == 0
    steps = _steps(who, times, same)
    usual = steps[steps > 0]
    interval_ns = float(np.median(usual)) if len(usual) else 1e9
    devices = int(owner[-1]) + 1
    place = np.arange(len(owner)) + owner  # one row that is nobody's stands between two devices
    apart = np.zeros((2, len(owner) + devices - 1), np.bool_)
    apart[:, place] = alarms, marks
    return ratio(_false_runs(apart[0], apart[1]), (float(steps.sum()) + interval_ns * devices) / WEEK_NS)


@dataclass(frozen=True, slots=True)
class PointAdjusted:
    """Point-adjusted F1, and what chance has by the same measure.

    Parameters
    ----------
    value : float
        Point-adjusted F1 of the alarms, 0 to 1; NaN where there is neither alarm nor anomaly.
    random : float
        Mean point-adjusted F1 of detectors that alarm as many rows at random: a ``value`` near or below it
        shows nothing.
    """

    value: float
    random: float


def point_adjusted_f1(alarm: ArrayLike, labels: ArrayLike, *, draws: int = 20, seed: int = 0) -> PointAdjusted:
    """F1 of rows after every anomaly with one alarmed row is taken as alarmed throughout, beside that of chance.

    Misleading, and here for comparison with old tables only: one lucky row in a long anomaly earns all its rows, so
    that alarms at random reach high values [2]_.

    Parameters
    ----------
    alarm, labels : array of shape (n,)
        As for :func:`event_recall`.
    draws : int, default=20
        Random detectors to average, at least 1.
    seed : int, default=0
        Seed of the draws.

    Returns
    -------
    PointAdjusted
        ``value = 2 tp / (2 tp + fp + fn)``, with tp and fn the rows of touched and missed anomalies and fp the alarmed
        normal rows [1]_, and ``random``.

    Raises
    ------
    InputError
        As :func:`event_recall`.
    SettingError
        If ``draws`` is below 1 or ``seed`` below 0, or one is no whole number.

    Notes
    -----
    A random detector alarms the same number of rows, drawn evenly and without repeats. Only how many fall into each
    anomaly matters, so these counts are drawn, by their exact (multivariate hypergeometric) law, instead of rows.
    Departs from the public code of TSB-AD 1.5, whose adjustment never reaches row 0 of an anomaly that
    starts the series.

    References
    ----------
    .. [1] H. Xu et al., Unsupervised anomaly detection via variational auto-encoder, WWW 2018.
    .. [2] S. Kim et al., Towards a rigorous evaluation of time-series anomaly detection, AAAI 2022.
    """
    alarms, marks = alarmed("point_adjusted_f1", alarm, labels)
    draws, seed = whole("point_adjusted_f1", "draws", draws, 1), whole("point_adjusted_f1", "seed", seed, 0)
    start, end = segments(marks)
    length = end - start
    anomalous, raised = int(length.sum()), int(np.count_nonzero(alarms))

    def adjusted(touched: Marks, false: Rows) -> Floats:
        both: Floats = touched.astype(np.float64) @ length
        whole = both + false + anomalous
        f1: Floats = np.divide(2.0 * both, whole, out=np.full(len(whole), np.nan), where=whole > 0)
        return f1

    touched = touching(start, end, *segments(alarms)) > 0
    value = adjusted(touched[np.newaxis], np.array([np.count_nonzero(alarms & ~marks)]))[0]
    counts = np.random.default_rng(seed).multivariate_hypergeometric(
        np.append(length, len(marks) - anomalous), raised, size=draws, method="marginals"
    )
    return PointAdjusted(float(value), float(adjusted(counts[:, :-1] > 0, counts[:, -1]).mean()))


def _share(judged: Marks, other: Marks) -> float:
    """Share of the runs of ``judged`` that ``other`` touches."""
    start, end = segments(judged)
    return ratio(int(np.count_nonzero(touching(start, end, *segments(other)))), len(start))


def _false_runs(alarms: Marks, labels: Marks) -> int:
    start, end = segments(alarms)
    return len(start) - int(np.count_nonzero(touching(start, end, *segments(labels))))


def _times(who: str, time_ns: npt.ArrayLike, rows: int) -> Rows:
    times = given(who, "time_ns", time_ns)
    if times.shape != (rows,):
        raise InputError(f"{who}: time_ns of shape {times.shape} does not match labels of shape ({rows},)")
    if rows and times.dtype.kind not in "iu":
        raise InputError(f"{who}: time_ns holds {times.dtype}; wanted UTC nanoseconds as int64")
    return times.astype(np.int64, copy=False)


def _by_device(who: str, device: npt.ArrayLike | None, rows: int) -> tuple[Rows | slice, Rows]:
    """Order that brings the rows of each device together, and the number of the device of each row so ordered."""
    if device is None:
        return slice(None), np.zeros(rows, np.int64)
    names = given(who, "device", device)
    if names.shape != (rows,):
        raise InputError(f"{who}: device of shape {names.shape} does not match labels of shape ({rows},)")
    if names.dtype.kind == "O":
        names = names.astype(np.str_)
    if rows and names.dtype.kind not in "iuU":
        raise InputError(f"{who}: device holds {names.dtype}; wanted a number or a name for each row")
    order = np.argsort(names, kind="stable")
    names = names[order]
    return order, np.concatenate([np.zeros(min(rows, 1), np.int64), np.cumsum(names[1:] != names[:-1])])


def _steps(who: str, times: Rows, same: Marks | None = None) -> Rows:
    """Nanoseconds from each row to the next one, where both are of the same device."""
    steps = np.diff(times)
    back = steps < 0 if same is None else (steps < 0) & same
    if back.any():
        place = int(back.argmax())
        raise InputError(
            f"{who}: a time of {times[place + 1]} ns follows {times[place]} ns; give each device's rows oldest first"
        )
    return steps if same is None else steps[same]
