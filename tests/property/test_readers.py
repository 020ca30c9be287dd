"""Any table that is written in a supported form is read back equal."""

import csv
import gzip
import io
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from redshank.core import InputError
from redshank.data import read

SECOND = 1_000_000_000
MICROSECOND = 1_000
START, END = -2_000_000_000, 4_102_444_800  # 1906 to 2100

FORMS = {
    "iso": lambda ns: f"{stamp(ns, 'us')}".replace("T", " "),
    "iso T": lambda ns: stamp(ns, "ns"),
    "zulu": lambda ns: stamp(ns, "us") + "Z",
    "offset": lambda ns: stamp(ns + 5400 * SECOND, "us") + "+01:30",
    "west": lambda ns: stamp(ns - 18_000 * SECOND, "ms") + "-0500",
    "german": lambda ns: day_first(ns, "."),
    "british": lambda ns: day_first(ns, "/"),
}
GRAIN = {"iso": "us", "iso T": "ns", "zulu": "us", "offset": "us", "west": "ms", "german": "s", "british": "s"}
NANOSECONDS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": SECOND}


def stamp(ns: int, unit: str) -> str:
    return str(np.datetime64(ns, "ns").astype(f"datetime64[{unit}]"))


def day_first(ns: int, dot: str) -> str:
    date, clock = stamp(ns, "s").split("T")
    year, month, day = date.split("-")
    return f"{day}{dot}{month}{dot}{year} {clock}"


@st.composite
def tables(draw):
    form = draw(st.sampled_from(sorted(FORMS)))
    grain = NANOSECONDS[GRAIN[form]]
    rows = draw(st.integers(2, 25))
    steps = draw(st.lists(st.integers(1, 10**6), min_size=rows, max_size=rows))
    start = draw(st.integers(START * SECOND // grain, END * SECOND // grain))
    times = (start + np.cumsum(np.array(steps, dtype=np.int64) * max(1, SECOND // grain // 100))) * grain
    width = draw(st.integers(1, 4))
    cell = st.one_of(
        st.none(), st.floats(width=32, allow_nan=False, allow_infinity=False), st.integers(-(10**6), 10**6).map(float)
    )
    values = draw(st.lists(st.lists(cell, min_size=width, max_size=width), min_size=rows, max_size=rows))
    values[0] = [1.5] * width  # a column of gaps alone is no reading
    return form, times, values


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    tables(),
    st.sampled_from([";", "\t", "|", ",", " "]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["\n", "\r\n"]),
)
def test_delimited_text_comes_back(  # noqa: PLR0917  one argument a drawn thing
    table, delimiter, comma, packed, header, end
):
    form, times, values = table
    if delimiter == " ":
        form = "iso T"  # a blank inside a cell would split it
        missing = "NA"
    else:
        missing = ""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=end)
    names = [f"c{i} (bar)" if delimiter != " " else f"c{i}" for i in range(len(values[0]))]
    if header:
        writer.writerow(["time", *names])
    for time, row in zip(times.tolist(), values, strict=True):
        cells = [missing if cell is None else repr(cell) for cell in row]
        writer.writerow([FORMS[form](time), *(cell.replace(".", ",") if comma else cell for cell in cells)])
    data = stream.getvalue().encode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(gzip.compress(data) if packed else data)
        dataset = read(path)
    np.testing.assert_array_equal(dataset.frame.time_ns, times)
    wanted = np.array([[np.nan if cell is None else cell for cell in row] for row in values], np.float32)
    np.testing.assert_array_equal(dataset.frame.values, wanted)
    if header:
        assert dataset.frame.schema.names == tuple(f"c{i}" for i in range(len(names)))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["a.csv", "a.jsonl", "a.parquet", "a.npz", "a.txt.gz"]))
def test_whatever_comes_the_error_is_ours(data, name):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        try:
            read(path)
        except InputError as error:
            assert "\n" not in str(error)  # noqa: PT017


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet='0123456789.,;:-+eE \t|"\n/abTZ', max_size=200), st.sampled_from(["a.csv", "a.jsonl"]))
def test_whatever_text_comes_the_error_is_ours(text, name):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text("time,a\n" + text)
        try:
            read(path)
        except InputError as error:
            assert "\n" not in str(error)  # noqa: PT017
