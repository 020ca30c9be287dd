"""Bad input ends in one clear sentence that names file, row and column."""

import gzip
import subprocess
import sys

import numpy as np
import pytest

from redshank.core import InputError, MissingExtraError
from redshank.data import read

TIMES = [f"2024-01-01 {i // 60:02d}:{i % 60:02d}:00" for i in range(100)]
GOOD = ["time,temp", *(f"{time},{i}" for i, time in enumerate(TIMES))]


def changed(row: int, line: str) -> str:
    """The good file with another line at a row of the file, counted from 1."""
    lines = list(GOOD)
    lines[row - 1] = line
    return "\n".join(lines)


CASES = {
    "empty": ("", r"the file is empty"),
    "blank": ("\n\n  \n", r"the file is empty"),
    "header only": ("time,temp\n", r"has a header and no rows"),
    "header only, no line end": ("time,temp", r"has a header and no rows"),
    "one row": ("time,temp\n2024-01-01,1\n", r"has one row"),
    "no numeric column": ("time,name\n2024-01-01,a\n2024-01-02,b\n2024-01-03,c\n", r"no column of numbers"),
    "only empty cells": ("time,temp\n2024-01-01,\n2024-01-02,\n2024-01-03,\n", r"no column of numbers"),
    "only times": ("2024-01-01 00:00:00\n2024-01-01 00:01:00\n2024-01-01 00:02:00\n", r"no column of numbers"),
    "time goes back": (changed(57, "2023-12-31 00:00:00,1"), r"row 57, column 'time' goes back in time.*--sort"),
    "time repeats": (changed(57, f"{TIMES[54]},1"), r"row 57, column 'time' repeats the time.*--sort"),
    "mixed zones": (changed(57, f"{TIMES[55]}+01:00,1"), r"row 57, column 'time' .* with a zone"),
    "no time": (changed(57, ",1"), r"row 57, column 'time' is empty"),
    "broken time": (changed(57, "soon,1"), r"row 57, column 'time' holds 'soon'"),
    "text in numbers": (changed(57, f"{TIMES[55]},abc"), r"row 57, column 'temp' holds 'abc'.*--ignore 'temp'"),
    "1e308": (changed(57, f"{TIMES[55]},1e308"), r"row 57, column 'temp' holds 1e308"),
    "infinity": (changed(57, f"{TIMES[55]},-inf"), r"row 57, column 'temp' holds -inf"),
    "1e999": (changed(57, f"{TIMES[55]},1e999"), r"row 57, column 'temp' holds 1e999"),
    "short row": (changed(57, TIMES[55]), r"row 57 has 1 cell, the table has 2"),
    "long row": (changed(57, f"{TIMES[55]},1,2"), r"row 57 has 3 cells, the table has 2"),
    "open quote": (changed(57, f'{TIMES[55]},"1'), r"row \d+ .*cells"),
    "binary": (b"\x7fELF\x00\x01\x02\x03" * 50, r"binary file"),
    "not UTF-8": ("\n".join(GOOD).replace("temp", "tempé").encode("latin-1"), r"row 1 is not UTF-8"),
    "UTF-16": ("\n".join(GOOD).encode("utf-16"), r"UTF-16"),
    "truncated gzip": (gzip.compress("\n".join(GOOD).encode())[:-20], r"gzip data end too early"),
    "damaged gzip": (b"\x1f\x8b" + b"x" * 99, r"gzip data are damaged"),
    "10,000 columns": (
        "\n".join(",".join(map(str, range(k, k + 10_000))) for k in range(3)),
        r"has 10,000 columns, more than the 4,096",
    ),
    "broken Parquet": (b"PAR1" + b"x" * 50, r"no readable Parquet"),
    "broken npz": (b"PK\x03\x04" + b"x" * 50, r"no readable archive"),
    "broken npy": (b"\x93NUMPY" + b"x" * 50, r"no readable array"),
}


@pytest.mark.parametrize("case", CASES)
def test_one_sentence(tmp_path, case):
    content, message = CASES[case]
    path = tmp_path / "readings.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=message) as caught:
        read(path)
    text = str(caught.value)
    assert text.startswith(str(path))
    assert "\n" not in text
    assert len(text) < 500 + len(str(path))


def test_the_good_file_is_good(tmp_path):
    path = tmp_path / "readings.csv"
    path.write_text("\n".join(GOOD))
    assert len(read(path)) == 100


def test_missing_file_and_directory(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "none.csv")
    with pytest.raises(InputError, match="is a directory"):
        read(tmp_path)


def test_rows_are_counted_as_in_the_file(tmp_path):
    """Blank lines and quoted line ends count as lines of the file."""
    path = tmp_path / "a.csv"
    lines = ["", "time,note,temp", *(f'{time},"two\nlines",{i}' for i, time in enumerate(TIMES[:20])), ""]
    lines[5] = lines[5].replace(",3", ",abc")
    path.write_text("\n\n".join(lines))
    wanted = next(i for i, line in enumerate(path.read_text().split("\n"), 1) if line.startswith(TIMES[3]))
    with pytest.raises(InputError, match=rf"row {wanted}, column 'temp' holds 'abc'"):
        read(path)


def test_infinity_in_an_array(tmp_path):
    values = np.ones((5, 2))
    values[3, 1] = 1e308
    np.save(tmp_path / "a.npy", values)
    with pytest.raises(InputError, match=r"row 4, column 2 holds 1e\+308"):
        read(tmp_path / "a.npy")


def test_misnamed_file(tmp_path):
    (tmp_path / "a.parquet").write_text("\n".join(GOOD))
    with pytest.raises(InputError, match="is not a parquet file"):
        read(tmp_path / "a.parquet")


def test_polars_is_named_where_it_is_absent(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    path = tmp_path / "readings.csv"
    path.write_text("\n".join(GOOD))
    with pytest.raises(MissingExtraError, match=r"reading files needs polars.*redshank\[train\]"):
        read(path)


def test_importing_the_room_brings_no_heavy_library():
    heavy = "{'polars', 'pyarrow', 'pandas', 'torch', 'sklearn'}"
    code = f"import sys, redshank.data; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
