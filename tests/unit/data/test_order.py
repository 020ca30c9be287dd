"""Time order: refused, mended where a clock was set, sorted when asked."""

import numpy as np
import pytest

from redshank.core import InputError
from redshank.data import read
from redshank.data.options import Order
from redshank.data.order import in_order, second_pass

MINUTE = 60_000_000_000
STEP = 5 * MINUTE


def day(start: int = 0, count: int = 288) -> np.ndarray:
    return np.arange(start, start + count, dtype=np.int64) * STEP


def ordered(times, device=None, order=Order.CHECK, naive=True):
    times = np.asarray(times, np.int64)
    codes = np.zeros(len(times), np.int32) if device is None else np.asarray(device, np.int32)
    return in_order(times, codes, order=order, naive=naive, where="row {}".format, name=lambda row: "")


def test_good_order_is_left_alone():
    assert ordered(day()).rows is None
    assert ordered([0, 0, 5, 5, 9], [0, 1, 0, 1, 1]).rows is None


SET_BACK = np.concatenate([day(0, 36), day(24, 60)])  # 02:55, then 02:00 again
HELD = np.concatenate([day(0, 24), np.full(12, 36 * STEP), day(37, 60)])  # a skipped hour, all at its end
INTERLEAVED = np.sort(np.concatenate([day(0, 60), day(24, 12)]))


@pytest.mark.parametrize(("times", "dropped"), [(SET_BACK, 12), (HELD, 11), (INTERLEAVED, 12)])
def test_a_clock_hour_that_comes_twice(times, dropped):
    result = ordered(times)
    assert result.dropped == dropped
    assert (np.diff(times[result.rows]) > 0).all()
    first = [int(np.flatnonzero(times == time)[0]) for time in times[result.rows]]
    assert result.rows.tolist() == first
    assert "second pass" in result.notes[0]
    with pytest.raises(InputError):
        ordered(times, naive=False)


@pytest.mark.parametrize(
    "times",
    [
        np.concatenate([day(0, 10), day(9, 10)]),  # one time twice
        np.concatenate([day(0, 10), day(8, 10)]),  # two rows: not an hour
        np.concatenate([day(0, 40), day(10, 60)]),  # more than an hour
        np.concatenate([day(0, 36), day(24, 36) + 1]),  # goes back to other times
        np.concatenate([SET_BACK, SET_BACK + 100 * STEP, SET_BACK + 200 * STEP]),  # three times a year
        day()[::-1],
        np.random.default_rng(0).permutation(day()),
    ],
)
def test_other_disorder_is_refused(times):
    with pytest.raises(InputError, match=r"row \d+ (goes back|repeats).*--sort"):
        ordered(times)


def test_twice_a_year_over_years():
    year = 365 * 288
    times = np.concatenate([SET_BACK + k * year * STEP // 2 for k in range(6)])
    assert ordered(times).dropped == 72


def test_a_device_in_disorder_spoils_the_file():
    times = np.concatenate([SET_BACK, day(0, 10), day(9, 10)])
    device = np.repeat([0, 1], [len(SET_BACK), 20])
    with pytest.raises(InputError):
        ordered(times, device)
    assert ordered(np.concatenate([SET_BACK, day()]), np.repeat([0, 1], [len(SET_BACK), 288])).dropped == 12


def test_sort_keeps_the_first_of_equal_times():
    rng = np.random.default_rng(1)
    times, device = rng.integers(0, 50, 200), rng.integers(0, 3, 200)
    result = ordered(times, device, Order.SORT)
    oracle = []
    seen = set()
    for row in sorted(range(200), key=lambda row: (times[row], row)):
        if (times[row], device[row]) not in seen:
            seen.add((times[row], device[row]))
            oracle.append(row)
    assert result.rows.tolist() == oracle
    assert result.dropped == 200 - len(oracle)


def test_keep_does_nothing():
    assert ordered(day()[::-1], order=Order.KEEP).rows is None


def test_second_pass():
    local = np.array([0, 10, 20, 10, 20, 30])
    told = second_pass(local, local + np.where((local >= 10) & (local <= 20), 20, 0), np.zeros(6, np.int32))
    assert told.tolist() == [0, 10, 20, 30, 40, 30]  # the last one is behind, but the clock says so


def test_reading_sorts(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("time,v\n2024-01-02,2\n2024-01-01,1\n2024-01-03,3\n2024-01-02,9\n")
    with pytest.raises(InputError, match="row 3, column 'time' goes back in time, from 2024-01-02 to 2024-01-01"):
        read(path)
    dataset = read(path, sort=True)
    assert dataset.frame.values[:, 0].tolist() == [1, 2, 3]
    assert dataset.ledger["repeated times dropped"] == 1


def test_labels_follow_their_rows(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("time,v,label\n2024-01-02,2,1\n2024-01-01,1,0\n2024-01-03,3,0\n2024-01-02,9,0\n")
    dataset = read(path, sort=True, label="label")
    assert dataset.y.tolist() == [0, 1, 0]


def test_the_message_names_the_device(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("time,host,v\n" + "".join(f"2024-01-0{i},{h},{i}\n" for i in (1, 2, 2, 3) for h in "ab"))
    with pytest.raises(InputError, match="row 6, column 'time' repeats the time 2024-01-02 of 'a'"):
        read(path)


@pytest.mark.parametrize(
    ("name", "rows", "dropped"),
    [
        ("realKnownCause/machine_temperature_system_failure", 22_695, 12),
        ("realAWSCloudwatch/ec2_disk_write_bytes_1ef3de", 4_730, 11),
        ("realAWSCloudwatch/ec2_network_in_5abac7", 4_730, 11),
        ("realKnownCause/ec2_request_latency_system_failure", 4_032, 11),
    ],
)
def test_clock_changes_in_real_files(data_root, name, rows, dropped):
    dataset = read(data_root / "nab" / "data" / f"{name}.csv")
    assert dataset.ledger["rows read"] == rows
    assert dataset.ledger["repeated times dropped"] == dropped
    assert (np.diff(dataset.frame.time_ns) > 0).all()


@pytest.mark.parametrize("name", ["realAdExchange/exchange-2_cpc_results", "realTraffic/occupancy_t4013"])
def test_single_repeats_in_real_files(data_root, name):
    path = data_root / "nab" / "data" / f"{name}.csv"
    with pytest.raises(InputError, match=r"repeats the time.*--sort"):
        read(path)
    assert read(path, sort=True).ledger["repeated times dropped"] == 1
