"""Forms of time: all the ways to write one moment give the same nanoseconds."""

import numpy as np
import pytest

from redshank.core import InputError
from redshank.data import read

SECOND = 1_000_000_000
START = 1_704_463_203 * SECOND  # 2024-01-05 14:00:03 UTC


def times(tmp_path, cells, **options):
    path = tmp_path / "a.csv"
    path.write_text("time;temp\n" + "".join(f"{cell};{i}\n" for i, cell in enumerate(cells)))
    dataset = read(path, **options)
    return dataset.frame.time_ns, dataset.notes


@pytest.mark.parametrize(
    "form",
    [
        "2024-01-{d:02d} 14:00:03",
        "2024-01-{d:02d}T14:00:03",
        "2024-01-{d:02d}T14:00:03Z",
        "2024-01-{d:02d}T15:00:03+01:00",
        "2024-01-{d:02d} 08:30:03-0530",
        "2024-01-{d:02d} 15:00:03 +01",
        "2024-01-{d:02d} 14:00:03 UTC",
        "2024-01-{d:02d} 14:00:03.000",
        "2024-01-{d:02d} 14:00:03,000",
        "2024-01-{d:02d}T14:00:03.000000000Z",
        "2024/01/{d:02d} 14:00:03",
        "202401{d:02d}T14:00:03",
        "202401{d:02d}140003",
        "{d:02d}/01/2024 14:00:03",
        "{d:02d}.01.2024 14:00:03",
        "{d:02d}.01.24 14:00:03",
        "{d:02d}-01-2024 14:00:03",
        "01/{d:02d}/2024 14:00:03",
        "01/{d:02d}/2024 02:00:03 PM",
        "{d:02d}-Jan-2024 14:00:03",
        "Jan {d}, 2024 14:00:03",
    ],
)
def test_text(tmp_path, form):
    found, notes = times(tmp_path, [form.format(d=d) for d in range(5, 25)])
    np.testing.assert_array_equal(found, START + np.arange(20) * 86_400 * SECOND)
    written = form.split("3", 1)[1].endswith(("Z", "UTC", "+01:00", "-0530", "+01"))
    assert any("no zone: read as UTC" in note for note in notes) != written


def test_hours_only(tmp_path):
    found, _ = times(tmp_path, [f"0{d}/07/14 {h:02d}" for d in (4, 5) for h in range(24)])
    np.testing.assert_array_equal(np.diff(found), 3600 * SECOND)
    assert found[0] == np.datetime64("2014-07-04", "ns").astype(int)


def test_dates_only(tmp_path):
    for cells in (["2024-01-05", "2024-01-06"], ["20240105", "20240106"], ["5.1.2024", "6.1.2024"]):
        assert times(tmp_path, cells)[0].tolist() == [START - 50_403 * SECOND, START + 35_997 * SECOND]


def test_mixed_fractions_and_separators(tmp_path):
    found, _ = times(tmp_path, ["2024-01-05 14:00:03", "2024-01-05T14:00:03.5", "2024-01-05 14:00:03.123456789"][:2])
    assert np.diff(found).tolist() == [SECOND // 2]
    found, _ = times(tmp_path, ["2024-01-05 14:00:03", "2024-01-05 14:00:03.123456789"])
    assert np.diff(found).tolist() == [123_456_789]


def test_offsets_may_differ(tmp_path):
    found, _ = times(tmp_path, ["2024-01-05T15:00:03+01:00", "2024-01-05T14:00:04Z", "2024-01-05T08:30:05-05:30"])
    np.testing.assert_array_equal(found, START + np.arange(3) * SECOND)


@pytest.mark.parametrize(("unit", "factor"), [("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)])
def test_numbers_since_1970(tmp_path, unit, factor):
    cells = [(START // SECOND + i) * factor for i in range(9)]
    for options in ({}, {"time_unit": unit}, {"time": "time"}):
        found, _ = times(tmp_path, cells, **options)
        np.testing.assert_array_equal(found, START + np.arange(9) * SECOND)


def test_small_numbers_and_fractions(tmp_path):
    found, notes = times(tmp_path, [0, 0.1, 0.2, 0.4])
    assert found.tolist() == [0, 10**8, 2 * 10**8, 4 * 10**8]
    assert any("too small for a date" in note for note in notes)
    found, _ = times(tmp_path, [0, 5, 10], time_unit="ms")
    assert found.tolist() == [0, 5_000_000, 10_000_000]
    found, _ = times(tmp_path, [f"{START // SECOND + i}.25" for i in range(5)])
    np.testing.assert_array_equal(found, START + SECOND // 4 + np.arange(5) * SECOND)


def test_day_or_month_is_told_by_order(tmp_path):
    us, notes = times(tmp_path, [f"{m:02d}/01/2024 00:00" for m in range(1, 13)])
    assert us[-1] == np.datetime64("2024-01-12", "ns").astype(int)
    assert any("day/month or month/day" in note for note in notes)
    us, notes = times(tmp_path, [f"{m:02d}/{d:02d}/2024 00:00" for m in (1, 2) for d in range(1, 13)])
    assert us[-1] == np.datetime64("2024-02-12", "ns").astype(int)
    assert not any("day/month" in note for note in notes)


def test_zone(tmp_path):
    found, _ = times(tmp_path, ["2024-01-05 15:00:03", "2024-07-05 15:00:03"], zone="Europe/Berlin")
    assert found[0] == START
    assert found[1] == np.datetime64("2024-07-05T13:00:03", "ns").astype(int)
    with pytest.raises(InputError, match="zone 'Mars/Base' is not known"):
        times(tmp_path, ["2024-01-05 15:00:03", "2024-07-05 15:00:03"], zone="Mars/Base")


def test_zone_tells_the_two_passes_of_an_hour_apart(tmp_path):
    cells = [f"2024-10-27 {h:02d}:{m:02d}:00" for h in (1, 2, 2, 3) for m in range(0, 60, 10)]
    found, _ = times(tmp_path, cells, zone="Europe/Berlin")
    np.testing.assert_array_equal(np.diff(found), 600 * SECOND)


def test_zone_reads_a_skipped_hour(tmp_path):
    found, _ = times(tmp_path, ["2024-03-31 01:30:00", "2024-03-31 02:30:00"], zone="Europe/Berlin")
    assert np.diff(found).tolist() == [3600 * SECOND]


def test_time_beyond_what_nanoseconds_hold(tmp_path):
    with pytest.raises(InputError, match="row 4"):
        times(tmp_path, ["2024-01-05 15:00:03", "2024-01-06 15:00:03", "9999-12-31 00:00:00"] * 1, time="time")
    with pytest.raises(InputError, match="no usable time"):
        times(tmp_path, [1, 10**12, 10**13], time_unit="s")


@pytest.mark.parametrize("name", ["timestamp", "Date Time", "recorded_at", "Zeit", "when"])
def test_text_time_under_any_name(tmp_path, name):
    path = tmp_path / "a.csv"
    path.write_text(f"temp,{name}\n1,2024-01-05 15:00:03\n2,2024-01-05 15:00:04\n3,2024-01-05 15:00:05\n")
    dataset = read(path)
    assert dataset.frame.schema.names == ("temp",)
    assert dataset.frame.time_ns[0] == START + 3600 * SECOND


def test_readings_called_like_times_stay_readings(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("timestamp,response_time,t\n1704463203,12.5,20\n1704463204,3.5,19\n1704463205,9,21\n")
    assert read(path).frame.schema.names == ("response_time", "t")


def test_the_better_of_two_times(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        "created_at,timestamp,v\n2024-02-01 00:00,2024-01-01 00:00,1\n2024-02-01 00:01,2024-01-01 00:01,2\n"
    )
    dataset = read(path)
    assert dataset.frame.time_ns[0] == np.datetime64("2024-01-01", "ns").astype(int)
    assert any("'created_at' is text: left out" in note for note in dataset.notes)
