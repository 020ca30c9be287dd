"""Rows at unequal steps: shares, places on a grid and gaps, against the slow and obvious."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redshank.core import InputError, SettingError
from redshank.features import grid_places, irregular_share, log_gaps
from redshank.features.cadence import LARGEST_RATIO, MOST_HELD, UNEVEN

steps = st.lists(st.integers(0, 20_000), max_size=40)


def times(parts):
    return np.concatenate([[7], 7 + np.cumsum(np.array(parts, np.int64))]).astype(np.int64)


@given(steps, st.integers(1, 3000))
def test_places_by_hand(parts, interval):
    wanted, place = [0], 0
    for step in parts:
        place += min(max(round(step / interval), 1), MOST_HELD)
        wanted.append(place)
    assert grid_places(times(parts), interval).tolist() == wanted


@given(steps, st.integers(1, 3000), st.integers(0, 40))
def test_places_do_not_depend_on_what_follows_or_on_how_much_came_before(parts, interval, cut):
    whole = grid_places(times(parts), interval)
    head = grid_places(times(parts)[: cut + 1], interval)
    np.testing.assert_array_equal(head, whole[: len(head)])
    tail = grid_places(times(parts)[cut:], interval)
    np.testing.assert_array_equal(tail, whole[cut:] - whole[cut : cut + 1].sum())


@given(steps, st.integers(1, 3000))
def test_share_and_gaps_by_hand(parts, interval):
    odd = [abs(step / interval - 1) > UNEVEN for step in parts]
    assert irregular_share(times(parts), interval) == pytest.approx(sum(odd) / len(odd) if odd else 0.0)
    gaps = [0.0]
    for step in parts:
        ratio = math.log(step / interval) if step else -math.inf
        gaps.append(min(max(ratio, -LARGEST_RATIO), LARGEST_RATIO))
    np.testing.assert_allclose(log_gaps(times(parts), interval), gaps, rtol=1e-6, atol=1e-6)


def test_nothing():
    empty = np.empty(0, np.int64)
    assert len(grid_places(empty, 1)) == len(log_gaps(empty, 1)) == 0
    assert irregular_share(empty, 1) == 0.0


@pytest.mark.parametrize("function", [grid_places, irregular_share, log_gaps])
def test_wrong_input(function):
    with pytest.raises(InputError, match="backwards"):
        function([3, 2], 1)
    with pytest.raises(InputError, match="shape"):
        function([[3, 4]], 1)
    with pytest.raises(SettingError, match="interval_ns"):
        function([3, 4], 0)
