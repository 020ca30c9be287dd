"""How hard alarms press on the person who answers them: rates, floods and chatter by ISA-18.2 and EEMUA 191."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from redshank.core import InputError
from redshank.evaluate.metrics._inputs import ArrayLike, Rows, given, ratio

# ANSI/ISA-18.2-2016, Management of Alarm Systems for the Process Industries, clause 16 (performance measures), with
# the same figures in EEMUA Publication 191: per operator, over at least 30 days.
ACCEPTABLE_PER_HOUR, MANAGEABLE_PER_HOUR = 6.0, 12.0
"""Average alarms per hour that are likely to be acceptable, and the most that can be managed."""
MOST_IN_TEN_MINUTES = 10
"""Alarms in ten minutes; more than these begin a flood."""
FLOOD_ENDS_BELOW = 5
"""A flood lasts until fewer alarms than these came in the last ten minutes."""
MOST_IN_AN_HOUR = 30
"""Alarms in an hour; hours with more are counted."""
MOST_SHARE = 0.01
"""Largest share of the time in flood, of ten minutes over their limit and of hours over theirs."""
CHATTER_ALARMS, CHATTER_NS = 3, 60 * 10**9
"""An alarm chatters when one source raises it this often within this time."""
LEAST_DAYS = 30.0
"""Days that the standard wants before its averages are believed."""

TEN_MINUTES_NS = 600 * 10**9
HOUR_NS = 3600 * 10**9


@dataclass(frozen=True, slots=True)
class AlarmLoad:
    """The load that a list of alarms puts on one operator.

    Parameters
    ----------
    alarms : int
        Alarms raised.
    hours : float
        Time looked at.
    per_hour : float
        Average alarms per hour; NaN for no time.
    worst_ten_minutes : int
        Most alarms in any ten minutes, wherever these begin.
    ten_minutes_over_10, hours_over_30 : float
        Share, 0 to 1, of the ten minutes with more than 10 alarms, and of the hours with more than 30, counted one
        after the other from the start; an unfinished last one counts as one. NaN for no time.
    flood_share : float
        Share, 0 to 1, of the time spent in flood; NaN for no time.
    chattering : float
        Alarms that are among three or more of one source within one minute; NaN where sources are not known.
    """

    alarms: int
    hours: float
    per_hour: float
    worst_ten_minutes: int
    ten_minutes_over_10: float
    hours_over_30: float
    flood_share: float
    chattering: float

    @property
    def long_enough(self) -> bool:
        """Whether the time is as long as the standard wants for these figures (30 days)."""
        return self.hours >= 24.0 * LEAST_DAYS

    def exceeded(self) -> tuple[str, ...]:
        """Names of the figures above what the standard holds acceptable; one that is NaN is not judged."""
        limits = {
            "per_hour": ACCEPTABLE_PER_HOUR,
            "worst_ten_minutes": MOST_IN_TEN_MINUTES,
            "ten_minutes_over_10": MOST_SHARE,
            "hours_over_30": MOST_SHARE,
            "flood_share": MOST_SHARE,
            "chattering": 0,
        }
        return tuple(name for name, limit in limits.items() if getattr(self, name) > limit)

    def within_limits(self) -> bool:
        """Whether nothing exceeds what the standard holds acceptable; a figure that is NaN is not judged."""
        return not self.exceeded()


def alarm_load(onset_ns: ArrayLike, *, start_ns: int, end_ns: int, source: ArrayLike | None = None) -> AlarmLoad:
    """Alarms per hour, worst ten minutes, time in flood and chatter of one operator's alarms [1]_ [2]_.

    A flood begins when more than 10 alarms came in the last ten minutes and ends when these are fewer than 5. All
    windows are half-open: the last ten minutes at ``t`` are ``(t - 10 min, t]``. No alarm is taken to have come
    before the start, and a flood that is still on at the end is cut there.

    Parameters
    ----------
    onset_ns : int64 array of shape (alarms,)
        UTC time of each alarm, in any order: its beginning only, since a standing alarm loads the operator once.
    start_ns, end_ns : int
        Time looked at.
    source : array of shape (alarms,), optional
        Who raised each alarm, such as the device; needed for chattering.

    Raises
    ------
    InputError
        If times are not whole nanoseconds, an alarm lies outside the time looked at, that time ends before it begins,
        or there is not one source for each alarm.

    Notes
    -----
    Figures of the standard that need more than the onsets are not here: stale alarms (over 24 h), fleeting alarms,
    priorities, and the share of the ten most frequent alarms. Time O(alarms log alarms).

    References
    ----------
    .. [1] ANSI/ISA-18.2-2016, Management of Alarm Systems for the Process Industries, clause 16.
    .. [2] EEMUA Publication 191, Alarm Systems: a guide to design, management and procurement, 3rd edition, 2013.
    """
    onsets = _onsets(onset_ns, start_ns, end_ns)
    span = end_ns - start_ns
    ordered = np.sort(onsets)
    since = np.searchsorted(ordered, ordered - TEN_MINUTES_NS, side="right")
    return AlarmLoad(
        alarms=len(onsets),
        hours=span / HOUR_NS,
        per_hour=ratio(len(onsets) * HOUR_NS, span),
        worst_ten_minutes=int((np.arange(1, len(ordered) + 1) - since).max(initial=0)),
        ten_minutes_over_10=_share_over(ordered - start_ns, span, TEN_MINUTES_NS, MOST_IN_TEN_MINUTES),
        hours_over_30=_share_over(ordered - start_ns, span, HOUR_NS, MOST_IN_AN_HOUR),
        flood_share=ratio(_flooded(ordered, end_ns), span),
        chattering=float("nan")
        if source is None
        else float(_chattering(onsets, given("alarm_load", "source", source))),
    )


def _onsets(onset_ns: ArrayLike, start_ns: int, end_ns: int) -> Rows:
    times = given("alarm_load", "onset_ns", onset_ns)
    if times.ndim != 1 or (len(times) and times.dtype.kind not in "iu"):
        raise InputError(
            f"alarm_load: onset_ns has shape {times.shape} and holds {times.dtype}; wanted one whole number of "
            "nanoseconds for each alarm"
        )
    onsets = times.astype(np.int64)
    if end_ns < start_ns:
        raise InputError(f"alarm_load: end_ns {end_ns} lies before start_ns {start_ns}; give the time in order")
    outside = (onsets < start_ns) | (onsets > end_ns)
    if outside.any():
        raise InputError(
            f"alarm_load: {int(outside.sum())} alarms, the first at {onsets[outside.argmax()]}, lie outside the time "
            f"from {start_ns} to {end_ns}; leave them out or widen the time"
        )
    return onsets


def _share_over(after: Rows, span: int, length: int, most: int) -> float:
    periods = -(-span // length)  # the unfinished last one too
    place = np.minimum(after // length, periods - 1)  # an alarm at the very end belongs to the last period
    return ratio(int((np.unique(place, return_counts=True)[1] > most).sum()), periods)


def _flooded(ordered: Rows, end_ns: int) -> int:
    """Nanoseconds in flood.

    The number of alarms in the last ten minutes changes only when one comes (+1) and ten minutes later (-1). Each
    change says "flood", "no flood" or, between the two limits, nothing: then what was said last still holds.
    """
    if not len(ordered):
        return 0
    when = np.sort(np.concatenate([ordered, ordered + TEN_MINUTES_NS]), kind="stable")  # merges two sorted runs
    recent = np.searchsorted(ordered, when, side="right") - np.searchsorted(
        ordered, when - TEN_MINUTES_NS, side="right"
    )
    speaks = (recent > MOST_IN_TEN_MINUTES) | (recent < FLOOD_ENDS_BELOW)
    latest = np.maximum.accumulate(np.where(speaks, np.arange(len(when)), -1))
    flood = (latest >= 0) & (recent[latest] > MOST_IN_TEN_MINUTES)
    until = np.minimum(np.append(when[1:], when[-1]), end_ns)
    return int(np.maximum(until - when, 0)[flood].sum())


def _chattering(onsets: Rows, source: npt.NDArray[np.generic]) -> int:
    if source.shape != onsets.shape:
        raise InputError(
            f"alarm_load: source has shape {source.shape} for {len(onsets)} alarms; wanted one source for each alarm"
        )
    who = np.unique(source, return_inverse=True)[1]
    order = np.argsort(onsets)
    order = order[np.argsort(who[order], kind="stable")]
    who, times = who[order], onsets[order]
    more = CHATTER_ALARMS - 1
    close = (who[more:] == who[:-more]) & (times[more:] - times[:-more] < CHATTER_NS)
    among = np.zeros(len(onsets), np.bool_)
    for step in range(CHATTER_ALARMS):
        among[step : step + len(close)] |= close
    return int(among.sum())
