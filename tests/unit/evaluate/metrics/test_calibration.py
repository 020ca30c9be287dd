"""Asked against realised alarm rates, and reliability against plain counting."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from redshank.core import InputError, SettingError
from redshank.evaluate.metrics.calibration import GRID, alarm_rates, reliability

WEEK = 7 * 86400 * 10**9
LAW = settings(deadline=None, derandomize=True)


def test_rates_of_each_device_and_of_all():
    got = alarm_rates(
        [5, WEEK, 2 * WEEK],
        ["a", "b", "a"],
        asked_per_device_week=0.5,
        devices=["a", "b", "quiet"],
        start_ns=0,
        end_ns=2 * WEEK,
    )
    assert (got.overall.alarms, got.overall.device_weeks) == (3, 6.0)
    assert (got.overall.per_device_week, got.overall.expected, got.overall.realised_over_asked) == (0.5, 3.0, 1.0)
    assert list(got.devices) == ["a", "b", "quiet"]
    assert [rate.alarms for rate in got.devices.values()] == [2, 1, 0]
    assert got.devices["a"].per_device_week == 1.0
    assert got.devices["quiet"].realised_over_asked == 0.0


def test_each_device_has_its_own_time():
    got = alarm_rates(
        np.array([WEEK]),
        np.array(["b"]),
        asked_per_device_week=1.0,
        devices=["a", "b"],
        start_ns=np.array([0, WEEK]),
        end_ns=4 * WEEK,
    )
    assert [rate.device_weeks for rate in got.devices.values()] == [4.0, 3.0]
    assert got.overall.device_weeks == 7.0
    assert got.devices["b"].per_device_week == pytest.approx(1 / 3)


def test_rates_of_nothing():
    none = alarm_rates([], [], asked_per_device_week=0.0, devices=[], start_ns=0, end_ns=WEEK)
    assert (none.overall.alarms, none.overall.device_weeks, none.devices) == (0, 0.0, {})
    assert math.isnan(none.overall.per_device_week)
    assert math.isnan(none.overall.realised_over_asked)


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"onset_ns": [11]}, InputError, "alarm of 'a' at 11 lies outside"),
        ({"onset_ns": [1, 2]}, InputError, r"onset_ns has shape \(2,\)"),
        ({"onset_ns": [0.5]}, InputError, "holds float64"),
        ({"device": ["z"]}, InputError, "device 'z' is not among the 1 devices"),
        ({"devices": ["a", "a"]}, InputError, "names one device twice"),
        ({"start_ns": 11}, InputError, "time of device 'a' ends before it begins"),
        ({"end_ns": [10, 10]}, InputError, r"end_ns has shape \(2,\)"),
        ({"end_ns": 10.5}, InputError, "end_ns has shape .* holds float64"),
        ({"asked_per_device_week": -1.0}, SettingError, "asked_per_device_week is -1"),
        ({"asked_per_device_week": math.nan}, SettingError, "asked_per_device_week is nan"),
    ],
)
def test_bad_rates(changes, error, text):
    usual = {"onset_ns": [1], "device": ["a"], "asked_per_device_week": 1.0, "devices": ["a"], "start_ns": 0}
    given_ = usual | {"end_ns": 10} | changes
    with pytest.raises(error, match=text):
        alarm_rates(given_.pop("onset_ns"), given_.pop("device"), **given_)


P = st.lists(
    st.tuples(st.sampled_from([*GRID, 0.0]) | st.floats(0.0, 1.0), st.integers(0, 1), st.sampled_from("abc")),
    max_size=60,
)


@LAW
@given(P)
def test_reliability_counts_normal_rows(rows):
    got = reliability(
        [p for p, _, _ in rows], [label for _, label, _ in rows], device=np.array([name for _, _, name in rows])
    )
    assert sorted(got.devices) == sorted({name for _, _, name in rows})
    for name, part in [(None, got), *got.devices.items()]:
        normal = [p for p, label, own in rows if label == 0 and name in {None, own}]
        assert part.rows == len(normal)
        assert part.u.tolist() == list(GRID)
        for u, share in zip(part.u, part.share, strict=True):
            if not normal or u < 1 / len(normal):
                assert math.isnan(share)
            else:
                assert share == sum(p <= u for p in normal) / len(normal)
        if normal:
            assert part.largest_gap == pytest.approx(stats.kstest(normal, "uniform").statistic, abs=1e-12)
        else:
            assert math.isnan(part.largest_gap)


def test_a_calibrated_p_lies_on_the_line_and_a_wrong_one_beside_it():
    rows = 100_000
    true = (np.arange(rows) + 0.5) / rows
    exact = reliability(true)
    np.testing.assert_allclose(exact.share, np.where(exact.u * rows < 1, np.nan, exact.u), atol=1.0 / rows)
    assert exact.largest_gap == pytest.approx(0.5 / rows)
    assert exact.devices == {}
    halved = reliability(true / 2.0)  # claims half of what is: twice the alarms
    assert halved.share[halved.u == 0.01] == pytest.approx(0.02)
    assert halved.largest_gap == pytest.approx(0.5, abs=1e-4)
    chance = reliability(np.random.default_rng(5).random(rows))
    assert chance.largest_gap < 1.63 / math.sqrt(rows)  # 99 % point of the Kolmogorov distribution


def test_anomalous_rows_do_not_count():
    p = np.append(np.zeros(50), np.linspace(0.005, 0.995, 100))
    labels = np.append(np.ones(50), np.zeros(100))
    assert reliability(p, labels).largest_gap == pytest.approx(0.005)
    assert reliability(p).largest_gap > 0.3


def test_one_bad_device_is_seen():
    p = np.append(np.linspace(0.005, 0.995, 100), np.full(100, 0.001))
    got = reliability(p, device=np.repeat([7, 8], 100))
    assert got.devices["7"].largest_gap == pytest.approx(0.005)
    assert got.devices["8"].largest_gap == pytest.approx(0.999)


def test_bad_p():
    with pytest.raises(InputError, match=r"p of row 1 is nan; wanted 0 to 1"):
        reliability([0.5, math.nan])
    with pytest.raises(InputError, match=r"p of row 0 is 1\.5"):
        reliability([1.5])
    with pytest.raises(InputError, match=r"p has shape \(1, 1\)"):
        reliability([[0.5]])
    with pytest.raises(InputError, match=r"labels of shape \(2,\) and p of shape \(1,\)"):
        reliability([0.5], [0, 1])
    with pytest.raises(InputError, match=r"device of shape \(2,\) and p of shape \(1,\)"):
        reliability([0.5], device=["a", "b"])
