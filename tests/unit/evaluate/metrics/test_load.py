"""Alarm load against slow loops over every moment at which it can change."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from redshank.core import InputError
from redshank.evaluate.metrics import load
from redshank.evaluate.metrics.load import alarm_load

SECOND = 10**9
START = 1_700_000_000 * SECOND
LAW = settings(deadline=None, derandomize=True)


def at(*seconds):
    return START + np.array(seconds, np.int64) * SECOND


def judged(*seconds, hours=1.0, source=None):
    return alarm_load(at(*seconds), start_ns=START, end_ns=START + round(hours * 3600) * SECOND, source=source)


def recent(seconds, now):
    return sum(now - 600 < second <= now for second in seconds)


def slow_flood(seconds, until):
    """Second by second: onsets are whole seconds, so nothing changes in between."""
    flood, length = False, 0
    for now in range(until):
        count = recent(seconds, now)
        flood = count > 10 or (flood and count >= 5)
        length += flood
    return length / until


def slow_chatter(seconds, source):
    among = set()
    for first, begin in enumerate(seconds):
        close = [k for k, t in enumerate(seconds) if source[k] == source[first] and begin <= t < begin + 60]
        among.update(close if len(close) >= 3 else [])
    return len(among)


def slow_share(seconds, until, length, most):
    periods = math.ceil(until / length)
    counts = [0] * periods
    for second in seconds:
        counts[min(second // length, periods - 1)] += 1
    return sum(count > most for count in counts) / periods


@st.composite
def bursts(draw):
    """Alarms that come in bursts, as they do; some at once, some at the very ends."""
    until = draw(st.integers(1, 5400))
    gap = draw(st.sampled_from([5, 40, 80, 300]))
    seconds, now = [], draw(st.integers(0, 300))
    for step in draw(st.lists(st.integers(0, gap) | st.sampled_from([0, 60, 600, 1500]), max_size=120)):
        seconds.append(now)
        now += step
    seconds = [second for second in seconds if second <= until]
    return draw(st.permutations(seconds)), until


@LAW
@example(([10 * k for k in range(40)], 5400), 1)  # a flood for part of the time, and all of it chatter
@given(bursts(), st.integers(1, 3))
def test_load_as_by_slow_loops(burst, sources):
    seconds, until = burst
    source = [f"pump-{second % sources}" for second in seconds]
    got = alarm_load(at(*seconds), start_ns=START, end_ns=START + until * SECOND, source=np.array(source))
    assert got.alarms == len(seconds)
    assert got.per_hour == pytest.approx(len(seconds) * 3600 / until)
    assert got.hours == pytest.approx(until / 3600)
    assert got.worst_ten_minutes == max((recent(seconds, now) for now in seconds), default=0)
    assert got.flood_share == pytest.approx(slow_flood(seconds, until))
    assert got.chattering == slow_chatter(seconds, source)
    assert got.ten_minutes_over_10 == slow_share(seconds, until, 600, 10)
    assert got.hours_over_30 == slow_share(seconds, until, 3600, 30)


def test_a_flood_begins_above_ten_and_lasts_until_below_five():
    ten = range(0, 100, 10)
    assert judged(*ten).flood_share == 0.0
    # The eleventh alarm, at 100 s, begins it. With the seventh gone at 660 s, four of the last ten minutes are left.
    assert judged(*ten, 100).flood_share == (660 - 100) / 3600
    # One alarm each 100 s keeps at least five in any ten minutes: the flood lasts until these stop.
    more = range(200, 3600, 100)
    assert judged(*ten, 100, *more).flood_share == 3500 / 3600
    assert judged(*more).flood_share == 0.0  # and by themselves they never flood


def test_a_flood_is_cut_at_the_end_and_two_floods_add_up():
    burst = [0] * 11
    assert judged(*burst).flood_share == 600 / 3600
    assert judged(*burst, hours=0.1).flood_share == 1.0
    assert judged(*burst, *([1800] * 11)).flood_share == 1200 / 3600
    assert judged(*([3600] * 11)).flood_share == 0.0


def test_the_worst_ten_minutes_begin_anywhere_and_hold_one_end():
    assert judged(599, 601, 700).worst_ten_minutes == 3
    assert judged(0, 599).worst_ten_minutes == 2
    assert judged(0, 600).worst_ten_minutes == 1


def test_periods_are_counted_from_the_start():
    eleven = range(590, 601)  # ten of them in the first ten minutes
    assert judged(*eleven).ten_minutes_over_10 == 0.0
    assert judged(*range(11)).ten_minutes_over_10 == 1 / 6
    assert judged(*range(31), hours=2.5).hours_over_30 == 1 / 3
    assert judged(*range(30), hours=2.5).hours_over_30 == 0.0
    end = [3599] * 11 + [3600] * 11  # an alarm at the very end belongs to the last period, not to one behind it
    assert judged(*end).ten_minutes_over_10 == 1 / 6


def test_chatter_is_of_one_source_within_a_minute():
    assert judged(0, 30, 59, source=["a", "a", "a"]).chattering == 3
    assert judged(0, 30, 60, source=["a", "a", "a"]).chattering == 0
    assert judged(0, 30, 59, source=["a", "b", "a"]).chattering == 0
    assert judged(0, 20, 40, 90, 91, source=[1, 1, 1, 1, 2]).chattering == 3
    assert math.isnan(judged(0, 1, 2).chattering)
    assert judged(source=[]).chattering == 0


def test_limits_are_those_of_the_standard():
    assert (load.ACCEPTABLE_PER_HOUR, load.MANAGEABLE_PER_HOUR, load.MOST_SHARE) == (6.0, 12.0, 0.01)
    quiet = judged(*range(0, 3600, 600), source=list("abcdef"))
    assert quiet.per_hour == 6.0
    assert quiet.exceeded() == ()
    assert quiet.within_limits()
    flood = judged(*range(31), source=["a"] * 31)
    assert flood.exceeded() == (
        "per_hour",
        "worst_ten_minutes",
        "ten_minutes_over_10",
        "hours_over_30",
        "flood_share",
        "chattering",
    )
    assert not flood.within_limits()
    assert judged(*range(0, 3600, 599)).exceeded() == ("per_hour",)  # chatter is not known, and not judged


def test_the_standard_wants_thirty_days():
    assert judged(hours=720).long_enough
    assert not judged(hours=719).long_enough


def test_no_time_and_no_alarms():
    nothing = judged(hours=0)
    for share in (nothing.per_hour, nothing.ten_minutes_over_10, nothing.hours_over_30, nothing.flood_share):
        assert math.isnan(share)
    quiet = alarm_load([], start_ns=0, end_ns=10)
    assert (quiet.alarms, quiet.per_hour, quiet.worst_ten_minutes, quiet.flood_share) == (0, 0.0, 0, 0.0)


def test_bad_input():
    with pytest.raises(InputError, match="1 alarms, the first at 11, lie outside the time from 0 to 10"):
        alarm_load([3, 11], start_ns=0, end_ns=10)
    with pytest.raises(InputError, match="end_ns 0 lies before start_ns 1"):
        alarm_load([], start_ns=1, end_ns=0)
    with pytest.raises(InputError, match="holds float64; wanted one whole number"):
        alarm_load([0.5], start_ns=0, end_ns=10)
    with pytest.raises(InputError, match=r"source has shape \(1,\) for 2 alarms"):
        alarm_load([1, 2], start_ns=0, end_ns=10, source=["a"])
