"""What reading finds out by itself, and what options overrule."""

import gzip
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from redshank.core import InputError, SettingError
from redshank.data import Dataset, read

HOUR = 3_600_000_000_000
START = 1_704_067_200_000_000_000  # 2024-01-01 00:00:00 UTC


@pytest.fixture
def write(tmp_path):
    def file(content: str | bytes, name: str = "readings.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return file


def rows(delimiter: str = ",", decimal: str = ".", header: bool = True) -> str:
    lines = [delimiter.join(("time", "temp", "flow"))] if header else []
    for i in range(30):
        cells = (f"2024-01-01T00:{i:02d}:00", f"{20 + i / 4}".replace(".", decimal), f"{i}")
        lines.append(delimiter.join(cells))
    return "\n".join(lines) + "\n"


def check(dataset: Dataset) -> None:
    np.testing.assert_array_equal(dataset.frame.time_ns, START + np.arange(30) * HOUR // 60)
    np.testing.assert_array_equal(dataset.frame.values, np.stack([20 + np.arange(30) / 4, np.arange(30)], axis=1))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " "])
@pytest.mark.parametrize("header", [True, False])
def test_delimiter_and_header(write, delimiter, header):
    dataset = read(write(rows(delimiter, header=header)))
    check(dataset)
    assert dataset.frame.schema.names == (("temp", "flow") if header else ("column_2", "column_3"))


@pytest.mark.parametrize("delimiter", [";", "\t", "|", " "])
def test_decimal_comma(write, delimiter):
    check(read(write(rows(delimiter, ","))))
    check(read(write(rows(delimiter, ",")), decimal=",", delimiter=delimiter, header=True, time="time"))


def test_gzip_bom_and_line_ends(write):
    text = rows().replace("\n", "\r\n").encode()
    check(read(write(gzip.compress(b"\xef\xbb\xbf" + text), "readings.csv.gz")))
    check(read(write(gzip.compress(text), "misnamed.csv")))
    check(read(write(text.replace(b"\r\n", b"\r"))))
    check(read(write(b"\n\n" + text.replace(b"\r\n", b"\n\n") + b"\n\n")))


def test_trailing_delimiter(write):
    check(read(write(rows(";").replace("\n", ";\n"))))


def test_blanks_around_cells_and_quotes(write):
    check(read(write(rows().replace(",", " , "))))
    check(read(write("\n".join(",".join(f'"{c}"' for c in line.split(",")) for line in rows().split("\n")[:-1]))))


def test_header_one_short(write):
    lines = rows().split("\n")[:-1]
    dataset = read(write("\n".join([lines[0], *(f"{i + 7},{line}" for i, line in enumerate(lines[1:]))])))
    check(dataset)
    assert any("one cell less" in note for note in dataset.notes)


def test_counter_is_left_out_but_only_by_name(write):
    text = "time,idx,level\n" + "".join(f"2024-01-01 00:0{i}:00,{i},{i}\n" for i in range(6))
    dataset = read(write(text))
    assert dataset.frame.schema.names == ("level",)
    assert any("'idx' only numbers the rows" in note for note in dataset.notes)


def test_no_time_column(write):
    dataset = read(write("a,b\n1,2\n3,5\n4,6\n"))
    assert dataset.frame.time_ns.tolist() == [0, 10**9, 2 * 10**9]
    assert any("no time column" in note for note in dataset.notes)


def test_several_devices_may_interleave(write):
    text = "time,device,temp\n" + "".join(
        f"2024-01-01 00:0{i}:00,{name},{i}\n" for i in range(5) for name in ("b", "a")
    )
    dataset = read(write(text))
    assert dataset.frame.devices == ("b", "a")
    assert dataset.frame.device.tolist() == [0, 1] * 5


def test_numbered_devices(write):
    text = "time,unit,temp\n" + "".join(f"2024-01-01 00:0{i}:00,{k},{i}\n" for k in (4, 2) for i in range(5))
    assert read(write(text)).frame.devices == ("4", "2")
    alone = "time,sensor\n" + "".join(f"2024-01-01 00:0{i}:00,{i % 2}\n" for i in range(6))
    assert read(write(alone)).frame.schema.names == ("sensor",)


def test_any_column_as_device(write):
    text = "time,area,temp\n" + "".join(f"2024-01-01 00:0{i}:00,{k},{i}\n" for k in "xy" for i in range(5))
    assert read(write(text), device="area").frame.devices == ("x", "y")


LONG = "device,time,metric,value,unit\n" + "".join(
    f"{d},2024-01-01 00:0{i}:00,{m},{i + len(m)},{u}\n"
    for m, u in (("temp", "C"), ("level", "m"))
    for d in ("p1", "p2")
    for i in range(4)
    if (d, m, i) != ("p2", "level", 2)
)


def test_long_form(write):
    dataset = read(write(LONG))
    frame = dataset.frame
    assert [(one.name, one.unit) for one in frame.schema.channels] == [("temp", "C"), ("level", "m")]
    assert frame.devices == ("p1", "p2")
    expected = np.array([[i + 4.0, i + 5.0] for i in range(4)] * 2)
    expected[6, 1] = np.nan
    np.testing.assert_array_equal(frame.values, expected)
    assert dataset.ledger["missing cells"] == 1


def test_long_form_without_device_and_with_other_names(write):
    text = "when,what,number\n" + "".join(f"2024-01-01 00:0{i}:00,{m},{i}\n" for i in range(4) for m in "ab")
    dataset = read(write(text), metric="what", value="number")
    assert dataset.frame.schema.names == ("a", "b")
    assert len(dataset) == 4


def test_long_form_repeat_is_an_error(write):
    with pytest.raises(InputError, match=r"row 3, column 'time' repeats the time .* of 'a' of 'device'"):
        read(write("time,metric,value\n2024-01-01,a,1\n2024-01-01,a,2\n2024-01-02,a,3\n2024-01-02,b,3\n"))


def test_long_form_label(write):
    lines = LONG.split("\n")[:-1]
    text = "\n".join([lines[0] + ",label", *(f"{line},{int('p1' in line and ':03:' in line)}" for line in lines[1:])])
    dataset = read(write(text), label="label")
    assert dataset.y is not None
    assert dataset.y.tolist() == [0, 0, 0, 1, 0, 0, 0, 0]


def test_units_in_names(write):
    text = "time,Temperature (C),pressure [bar],x (a),x [b]\n" + "".join(
        f"2024-01-0{i},{i},{i},1,2\n" for i in (1, 2, 3)
    )
    channels = read(write(text)).frame.schema.channels
    assert [(one.name, one.unit) for one in channels] == [
        ("Temperature", "C"),
        ("pressure", "bar"),
        ("x (a)", ""),
        ("x [b]", ""),
    ]


def test_switches_text_and_missing_words(write):
    text = "time,door,mode,temp\n2024-01-01,true,eco,NA\n2024-01-02,False,eco,1.5\n2024-01-03,TRUE,max,-\n"
    dataset = read(write(text + "2024-01-04,0,max,null\n2024-01-05,1,max,\n"))
    assert dataset.frame.schema.names == ("door", "temp")
    np.testing.assert_array_equal(dataset.frame.values[:, 0], [1, 0, 1, 0, 1])
    assert dataset.ledger["missing cells"] == 4
    assert any("'mode' is text: left out" in note for note in dataset.notes)


@pytest.mark.parametrize(
    "name",
    [
        "label",
        "anomaly",
        "is_anomaly",
        "IsAnomaly",
        "attack",
        "ATT_FLAG",
        "class",
        "changepoint",
        "event",
        "Target",
        "outlier",
        "attack_cat",
    ],
)
def test_what_looks_like_a_label_is_left_out(write, name):
    text = f"time,temp,{name}\n2024-01-01,1,0\n2024-01-02,2,1\n2024-01-03,3,1\n"
    dataset = read(write(text))
    assert dataset.frame.schema.names == ("temp",)
    assert dataset.y is None
    assert any(f"{name!r} looks like a label" in note for note in dataset.notes)
    labelled = read(write(text), label=name)
    assert labelled.frame.schema.names == ("temp",)
    assert labelled.y is not None
    assert labelled.y.tolist() == [0, 1, 1]
    assert [(label.start_ns, label.end_ns) for label in labelled.labels] == [(START + 24 * HOUR, START + 48 * HOUR)]


@pytest.mark.parametrize("name", ["event_time_lag", "temp_target_c", "runtime", "classroom", "y", "flag"])
def test_what_does_not_look_like_a_label_stays(write, name):
    text = f"time,{name}\n2024-01-01,1.5\n2024-01-02,7\n2024-01-03,3\n"
    assert read(write(text)).frame.schema.names == (name,)


def test_label_words(write):
    text = "time,temp,state\n2024-01-01,1,Normal\n2024-01-02,2,scan\n2024-01-03,3,flood\n2024-01-04,3,\n"
    dataset = read(write(text), label="state")
    assert dataset.y is not None
    assert dataset.y.tolist() == [0, 1, 1, 0]
    assert any("flood, scan mean anomalous" in note for note in dataset.notes)
    with pytest.raises(InputError, match="marks no row as normal"):
        read(write("time,temp,y\n2024-01-01,1,-1\n2024-01-02,2,1\n"), label="y")


def test_ignore(write):
    assert read(write(rows()), ignore=["temp"]).frame.schema.names == ("flow",)
    assert read(write(rows()), ignore="temp").frame.schema.names == ("flow",)


@pytest.mark.parametrize("option", ["time", "device", "label", "value", "metric", "ignore"])
def test_unknown_names_get_the_nearest(write, option):
    asked = {option: ["tempp"] if option == "ignore" else "tempp"}
    with pytest.raises(InputError, match=rf"no column is called 'tempp' \({option}\); did you mean 'temp'"):
        read(write(rows()), **asked)


def test_one_column_has_one_part(write):
    with pytest.raises(InputError, match="'temp' is given as label and as ignore"):
        read(write(rows()), label="temp", ignore=["temp"])


@pytest.mark.parametrize("setting", [{"delimiter": ";;"}, {"decimal": "x"}, {"time_unit": "h"}])
def test_settings_out_of_range(write, setting):
    with pytest.raises(SettingError):
        read(write(rows()), **setting)


def test_json_lines(write):
    lines = [{"time": f"2024-01-01T00:{i:02d}:00", "temp": 20 + i / 4, "flow": i} for i in range(30)]
    text = "\n".join(map(json.dumps, lines))
    check(read(write(text, "a.jsonl")))
    check(read(write(gzip.compress(text.encode()), "a.ndjson.gz")))
    check(read(write(text, "a.txt")))
    patient = text.replace('"flow": 3}', '"flow": "3"}').replace('"temp": 20.0', '"temp": NaN')
    dataset = read(write(patient, "a.jsonl"))
    assert np.isnan(dataset.frame.values[0, 0])
    assert dataset.frame.values[3, 1] == 3
    with pytest.raises(InputError, match="row 2 is not JSON"):
        read(write(text.replace("\n", "\n{oops\n", 1), "a.jsonl"))
    with pytest.raises(InputError, match="row 2 is a JSON list"):
        read(write(text.replace("\n", "\n[1]\n", 1), "a.jsonl"))


def test_parquet(tmp_path):
    times = pl.Series(range(30), dtype=pl.Int64) * 60_000_000 + START // 1000
    frame = pl.DataFrame(
        {
            "time": times.cast(pl.Datetime("us", "UTC")),
            "temp": [20 + i / 4 for i in range(30)],
            "flow": list(range(30)),
        }
    )
    frame.write_parquet(tmp_path / "a.parquet")
    check(read(tmp_path / "a.parquet"))
    frame.with_columns(pl.col("time").dt.replace_time_zone(None)).write_parquet(tmp_path / "b.pq")
    check(read(tmp_path / "b.pq"))


def test_numpy_files(tmp_path):
    values = np.arange(12.0).reshape(6, 2)
    np.save(tmp_path / "a.npy", values)
    np.testing.assert_array_equal(read(tmp_path / "a.npy").frame.values, values)
    np.savez(tmp_path / "b.npz", train=values, test=values[:3], test_label=np.array([0, 1, 1], np.int8))
    dataset = read(tmp_path / "b.npz")
    assert dataset.train is not None
    assert dataset.y is not None
    assert dataset.train.tolist() == [True] * 6 + [False] * 3
    assert dataset.y.tolist() == [0] * 7 + [1, 1]
    assert len(dataset.labels) == 1
    np.savez(tmp_path / "c.npz", one=values, two=values)
    with pytest.raises(InputError, match="'train' and 'test'"):
        read(tmp_path / "c.npz")
    np.save(tmp_path / "d.npy", np.array([{}, {}], object), allow_pickle=True)
    with pytest.raises(InputError, match="no readable array"):
        read(tmp_path / "d.npy")
    with pytest.raises(InputError, match="an array has no column called 'x'"):
        read(tmp_path / "a.npy", label="x")


def test_date_and_clock_in_two_columns(write):
    text = "Date;Time;CO(GT)\n10/03/2004;18.00.00;2,6\n10/03/2004;19.00.00;2\n13/03/2004;20.00.00;2,2\n"
    dataset = read(write(text))
    assert np.diff(dataset.frame.time_ns).tolist() == [HOUR, 73 * HOUR]
    np.testing.assert_allclose(dataset.frame.values[:, 0], [2.6, 2.0, 2.2], rtol=1e-6)


def test_names_that_come_twice(write):
    dataset = read(write("time,a,a,\n2024-01-01,1,2,3\n2024-01-02,1,2,4\n2024-01-03,1,2,9\n"))
    assert dataset.frame.schema.names == ("a", "a_2", "column_4")


def test_ledger(write):
    assert read(write(rows())).ledger == {
        "rows read": 30,
        "repeated times dropped": 0,
        "rows kept": 30,
        "missing cells": 0,
    }


def test_one_column(write):
    for text in ("x\n0,5\n1,25\n3,5\n", "x\n0.5\n1.25\n3.5\n", "0.5\n1.25\n3.5\n"):
        assert read(write(text)).frame.values.tolist() == [[0.5], [1.25], [3.5]]


def test_marks_of_thousands(write):
    dataset = read(write('time,price\n2024-01-01,"1,034"\n2024-01-02,"12,345.5"\n2024-01-03,7\n'))
    assert dataset.frame.values[:, 0].tolist() == [1034, 12345.5, 7]
    dataset = read(write("time;price\n2024-01-01;1,034\n2024-01-02;12,345\n2024-01-03;7\n"))
    np.testing.assert_allclose(dataset.frame.values[:, 0], [1.034, 12.345, 7], rtol=1e-6)


def test_empty_columns_stay_as_channels(write):
    dataset = read(write("time,a,b\n2024-01-01,1,\n2024-01-02,2,\n"))
    assert dataset.frame.schema.names == ("a", "b")
    assert any("'b' is empty in all rows" in note for note in dataset.notes)


def test_names_of_devices_may_not_be_missing(write):
    lines = [f"2024-01-01 00:0{i}:00,{d},{i}" for i in range(5) for d in "ab"]
    lines[3] = "2024-01-01 00:01:00,,1"
    with pytest.raises(InputError, match="row 5, column 'host' is empty; every row needs the name of a device"):
        read(write("time,host,v\n" + "\n".join(lines)))
