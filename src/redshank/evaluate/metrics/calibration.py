"""Whether promises about false alarms are kept: asked against realised alarm rate, and how far p can be believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from redshank.core import InputError, SettingError
from redshank.evaluate.metrics._inputs import WEEK_NS, ArrayLike, Floats, given, marked, numbers, ratio

GRID: tuple[float, ...] = (*(float(f"{step}e-{k}") for k in range(6, 0, -1) for step in (1, 2, 5)), 1.0)
"""Where reliability is read: 1, 2 and 5 of every power of ten from 1e-6 to 1."""


@dataclass(frozen=True, slots=True)
class AlarmRate:
    """How often something alarmed, and how often it was asked to.

    Parameters
    ----------
    alarms : int
        Alarms counted.
    device_weeks : float
        Time watched, all devices together.
    asked_per_device_week : float
        Rate that the alarm budget allows.
    """

    alarms: int
    device_weeks: float
    asked_per_device_week: float

    @property
    def per_device_week(self) -> float:
        """Realised alarms per device and week; NaN for no time."""
        return ratio(self.alarms, self.device_weeks)

    @property
    def expected(self) -> float:
        """Alarms that the budget allows for this time: what to hold the count against."""
        return self.asked_per_device_week * self.device_weeks

    @property
    def realised_over_asked(self) -> float:
        """1 where the budget is met exactly, above 1 where there are too many alarms; NaN where none was asked."""
        return ratio(self.alarms, self.expected)


@dataclass(frozen=True, slots=True)
class AlarmRates:
    """Asked and realised alarm rate.

    Parameters
    ----------
    overall : AlarmRate
        All devices together.
    devices : dict of str to AlarmRate
        Each device, also one that never alarmed.
    """

    overall: AlarmRate
    devices: dict[str, AlarmRate]


def alarm_rates(
    onset_ns: ArrayLike,
    device: ArrayLike,
    *,
    asked_per_device_week: float,
    devices: Sequence[str],
    start_ns: ArrayLike,
    end_ns: ArrayLike,
) -> AlarmRates:
    """Realised against asked alarm rate, over all devices and for each.

    Whether a budget was kept is known from alarms on normal data: give the false alarms only, and the time without
    anomalies, or all alarms of a time that is known to be normal.

    Parameters
    ----------
    onset_ns : int64 array of shape (alarms,)
        UTC time of each alarm, in any order.
    device : array of shape (alarms,)
        Name of the device that each alarm belongs to.
    asked_per_device_week : float
        Rate that the alarm budget allows, not negative.
    devices : sequence of str
        Every device that was watched, also those that never alarmed.
    start_ns, end_ns : int, or int64 array of shape (devices,)
        Time watched, the same for all devices or each its own.

    Raises
    ------
    InputError
        If an alarm is of no known device or outside its time, a device is named twice, or shapes do not match.
    SettingError
        If the asked rate is negative or not a number.
    """
    if not asked_per_device_week >= 0:
        raise SettingError(f"alarm_rates: asked_per_device_week is {asked_per_device_week}; wanted at least 0")
    starts, ends = (
        _per_device(name, moments, len(devices)) for name, moments in (("start_ns", start_ns), ("end_ns", end_ns))
    )
    if (ends < starts).any():
        late = devices[int((ends < starts).argmax())]
        raise InputError(f"alarm_rates: the time of device {late!r} ends before it begins; give it in order")
    place = _places(device, devices)
    onsets = given("alarm_rates", "onset_ns", onset_ns)
    if onsets.shape != place.shape or (len(onsets) and onsets.dtype.kind not in "iu"):
        raise InputError(
            f"alarm_rates: onset_ns has shape {onsets.shape} and holds {onsets.dtype} beside {len(place)} devices; "
            "wanted one whole number of nanoseconds for each alarm"
        )
    outside = (onsets < starts[place]) | (onsets > ends[place])
    if outside.any():
        first = int(outside.argmax())
        raise InputError(
            f"alarm_rates: the alarm of {devices[place[first]]!r} at {onsets[first]} lies outside the time watched; "
            "leave it out or widen the time"
        )
    counts = np.bincount(place, minlength=len(devices))
    weeks = (ends - starts) / WEEK_NS
    return AlarmRates(
        AlarmRate(len(onsets), float(weeks.sum()), asked_per_device_week),
        {
            name: AlarmRate(int(count), float(time), asked_per_device_week)
            for name, count, time in zip(devices, counts, weeks, strict=True)
        },
    )


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """How often normal rows got a tail probability of at most u, which should be u.

    Parameters
    ----------
    u : float64 ndarray of shape (19,)
        Probabilities, 1e-6 to 1.
    share : float64 ndarray of shape (19,)
        Share of the normal rows with ``p <= u``: above u there are more alarms than asked, below it fewer. NaN where
        ``u < 1 / rows``: so few rows cannot show so small a probability.
    rows : int
        Normal rows.
    largest_gap : float
        Largest ``|share(u) - u|`` over all u in 0 to 1 (Kolmogorov); NaN without rows.
    devices : dict of str to Reliability
        The same for each device; empty where devices were not given.
    """

    u: Floats
    share: Floats
    rows: int
    largest_gap: float
    devices: dict[str, Reliability] = field(default_factory=dict)


def reliability(p: ArrayLike, labels: ArrayLike | None = None, *, device: ArrayLike | None = None) -> Reliability:
    """Hold tail probabilities of normal rows against what they claim.

    ``p`` claims to be the probability that a normal row scores this high, so among normal rows a share u should have
    ``p <= u``, for every u. With p sorted, the Kolmogorov distance is ``max_i max(i / n - p_i, p_i - (i - 1) / n)``.

    Parameters
    ----------
    p : float array of shape (n,)
        Tail probabilities, 0 to 1; leave out rows that were not ready.
    labels : array of shape (n,), optional
        1 for anomalous rows, which are left out; all rows are normal when not given.
    device : array of shape (n,), optional
        Device of each row, to have each device's own.

    Raises
    ------
    InputError
        If a p is NaN or outside 0 to 1, or shapes do not match.

    Notes
    -----
    Rows near each other in time are not independent: the distance has no simple p-value, and none is given.
    """
    values = numbers("reliability", "p", p)
    if values.ndim != 1:
        raise InputError(f"reliability: p has shape {values.shape}; wanted one for each row, shape (n,)")
    odd = ~((values >= 0.0) & (values <= 1.0))
    if odd.any():
        raise InputError(f"reliability: p of row {int(odd.argmax())} is {values[odd.argmax()]}; wanted 0 to 1")
    normal = np.ones(len(values), np.bool_) if labels is None else ~marked("reliability", "labels", labels)
    names: npt.NDArray[np.generic] = (
        np.zeros(len(values), np.int8) if device is None else given("reliability", "device", device)
    )
    for what, array in (("labels", normal), ("device", names)):
        if array.shape != values.shape:
            raise InputError(f"reliability: {what} of shape {array.shape} and p of shape {values.shape} do not match")
    own: dict[str, Reliability] = {}
    if len(values) and device is not None:
        known, place = np.unique(names, return_inverse=True)
        order = np.argsort(place, kind="stable")
        parts = np.split(order, np.flatnonzero(np.diff(place[order])) + 1)
        own = {str(name): _of(values[part][normal[part]]) for name, part in zip(known, parts, strict=True)}
    return _of(values[normal], own)


def _of(p: Floats, devices: dict[str, Reliability] | None = None) -> Reliability:
    rows, u, ordered = len(p), np.array(GRID), np.sort(p)
    if not rows:
        return Reliability(u, np.full(len(u), np.nan), 0, float("nan"), devices or {})
    share = np.searchsorted(ordered, u, side="right") / rows
    place = np.arange(rows)
    gap = max(float(((place + 1) / rows - ordered).max()), float((ordered - place / rows).max()))
    return Reliability(u, np.where(u * rows < 1.0, np.nan, share), rows, gap, devices or {})


def _per_device(name: str, moments: ArrayLike, devices: int) -> npt.NDArray[np.int64]:
    array = given("alarm_rates", name, moments)
    if array.dtype.kind not in "iu" or array.shape not in {(), (devices,)}:
        raise InputError(
            f"alarm_rates: {name} has shape {array.shape} and holds {array.dtype}; wanted a whole number of "
            f"nanoseconds, or one for each of {devices} devices"
        )
    return np.broadcast_to(array.astype(np.int64), (devices,))


def _places(device: ArrayLike, devices: Sequence[str]) -> npt.NDArray[np.int64]:
    table = {name: place for place, name in enumerate(devices)}
    if len(table) < len(devices):
        raise InputError("alarm_rates: devices names one device twice; name each once")
    names = np.asarray(device).tolist()
    strange = sorted(str(name) for name in set(names) - table.keys())
    if strange:
        raise InputError(f"alarm_rates: device {strange[0]!r} is not among the {len(devices)} devices; add it")
    return np.fromiter((table[name] for name in names), np.int64, len(names))
