"""Bad input, through the real command: one sentence, exit code 2, no report, no traceback."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.fixtures.commands import command, lines, table

GOOD = lines()
OPENING = "error: "


def changed(row: int, cells: str) -> list[str]:
    """The good table with another line ``row``, counted from 1."""
    return [*GOOD[: row - 1], cells, *GOOD[row:]]


def sentence(done) -> str:
    """The one sentence of a refusal; nothing else was said."""
    assert done.code == 2, (done.out, done.err)
    assert done.out == ""
    assert done.err.startswith(OPENING)
    assert done.err.endswith("\n")
    text = done.err[len(OPENING) : -1]
    assert text
    assert "\n" not in text
    assert "Traceback" not in text
    assert len(text) < 600
    return text


FILES = {
    "empty": (b"", ["empty"]),
    "blank": (b"\n \n\n", ["empty"]),
    "header only": (GOOD[:1], ["no rows"]),
    "one row": (GOOD[:2], ["one row"]),
    "no numeric column": (["time,name", *(f"{one.split(',')[0]},a{i}" for i, one in enumerate(GOOD[1:]))], ["number"]),
    "time goes back": (changed(80, "2023-12-31T00:00:00,1,2"), ["row 80", "'time'", "--sort"]),
    "time twice": (changed(80, GOOD[78]), ["row 80", "'time'", "--sort"]),
    "mixed zones": (changed(80, GOOD[79].replace(",", "+01:00,", 1)), ["row 80", "'time'", "zone"]),
    "1e308": (changed(80, GOOD[79].split(",")[0] + ",1e308,2"), ["row 80", "'temp'", "1e308"]),
    "text among numbers": (changed(80, GOOD[79].split(",")[0] + ",20,broken"), ["row 80", "'power'", "broken"]),
    "short row": (changed(80, "2024-01-01T01:18:00"), ["row 80"]),
    "binary": (bytes(range(256)) * 40, ["binary"]),
    "truncated gzip": (gzip.compress("\n".join(GOOD).encode())[:-9], ["gzip"]),
    "10,000 columns": ([",".join(map(str, range(k, k + 10_000))) for k in range(4)], ["10,000 columns"]),
    "12 rows": (GOOD[:13], ["rows"]),
}
COMMANDS = {
    "scan": ["scan", "FILE", "--detector", "pca", "--report", "OUT"],
    "train": ["train", "FILE", "--detector", "pca", "--out", "OUT"],
    "score": ["score", "MODEL", "FILE", "--out", "OUT"],
    "evaluate": ["evaluate", "FILE", "--label", "power", "--detector", "pca"],
    "audit": ["audit", "FILE", "--label", "power"],
}


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    out = folder / "good.redshank"
    assert command("train", table(folder / "good.csv", GOOD), "--detector", "pca", "--out", out).code == 0
    return out


def filled(arguments: list[str], file: Path, out: Path, model: Path) -> list[str]:
    places = {"FILE": file, "OUT": out, "MODEL": model}
    return [str(places.get(argument, argument)) for argument in arguments]


def write(path: Path, content: bytes | list[str]) -> Path:
    if isinstance(content, bytes):
        path.write_bytes(content)
        return path
    return table(path, content)


@pytest.mark.parametrize("case", FILES)
def test_scan(tmp_path, case, model):
    content, said = FILES[case]
    file, out = write(tmp_path / "readings.csv", content), tmp_path / "report.html"
    text = sentence(command(*filled(COMMANDS["scan"], file, out, model)))
    for one in ["readings.csv", *said]:
        assert one in text
    assert sorted(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_refuses_alike(tmp_path, name, model):
    """The reader is one; a command that goes around it would show here."""
    for case in ("empty", "header only", "time goes back", "text among numbers", "binary", "truncated gzip"):
        file = write(tmp_path / "readings.csv", FILES[case][0])
        text = sentence(command(*filled(COMMANDS[name], file, tmp_path / "out", model)))
        assert "readings.csv" in text, case
        assert sorted(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("name", COMMANDS)
def test_missing_file_and_folder(tmp_path, name, model):
    out = tmp_path / "out"
    absent = sentence(command(*filled(COMMANDS[name], tmp_path / "none.csv", out, model)))
    assert "none.csv" in absent
    assert "no such file" in absent
    folder = sentence(command(*filled(COMMANDS[name], tmp_path, out, model)))
    assert str(tmp_path) in folder
    assert "is a directory" in folder
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--label", "--ignore", "--time", "--device"])
def test_unknown_column_offers_the_nearest(tmp_path, option):
    file, out = table(tmp_path / "readings.csv", GOOD), tmp_path / "report.html"
    text = sentence(command("scan", file, "--detector", "pca", "--report", out, option, "powr"))
    assert "readings.csv" in text
    assert "did you mean 'power'?" in text
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--budget", "often"], ["'often'", "per device per week"]),
        (["--budget", "0 per day"], ["0 per day"]),
        (["--detector", "pac"], ["'pac'", "did you mean 'pca'?"]),
        (["--calibrator", "extrem"], ["'extrem'", "did you mean 'extreme'?"]),
        (["--learn", "0"], ["--learn is 0"]),
        (["--learn", "1"], ["--learn is 1"]),
        (["--learn", "2"], ["--learn is 2"]),
        (["--learn", "nan"], ["--learn is nan"]),
        (["--learn", "0.001"], ["readings.csv", "rows"]),
        (["--zone", "Europe/Nowhere"], ["Europe/Nowhere"]),
        (["--report", "none/report.html"], ["none/report.html", "does not exist"]),
        (["--report", "."], ["is a folder"]),
        (["--train", "none.csv"], ["none.csv", "no such file"]),
        (["--train", "readings.csv", "--learn", "0.5"], ["--train", "--learn"]),
        (["--train", "other.csv"], ["readings.csv", "other", "'flow'"]),
    ],
)
def test_settings(tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    table(tmp_path / "readings.csv", GOOD)
    table(tmp_path / "other.csv", [GOOD[0].replace("temp", "flow"), *GOOD[1:]])
    text = sentence(command("scan", "readings.csv", "--detector", "pca", *arguments))
    for one in said:
        assert one in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.csv", "readings.csv"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["scan", "FILE", "--report", "/dev/null/report.html"],
        ["train", "FILE", "--out", "/dev/null/a.redshank"],
        ["score", "MODEL", "FILE", "--out", "/dev/null/a.csv"],
        ["simulate", "--out", "/dev/null/a.csv"],
        ["demo", "--report", "/dev/null/report.html"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_place_that_cannot_be_written_is_refused_before_the_work(tmp_path, model, arguments, monkeypatch):
    """The model's `fit` must not have run: a user should not wait ten minutes to hear of a missing folder."""
    monkeypatch.setattr("redshank.pipeline.Pipeline.fit", lambda *_, **__: pytest.fail("learned in vain"))
    file = table(tmp_path / "readings.csv", GOOD)
    text = sentence(command(*filled(arguments, file, tmp_path / "out", model)))
    assert "/dev/null" in text


def test_model_with_other_channels(tmp_path, model):
    extra = table(tmp_path / "more.csv", [GOOD[0] + ",flow", *(f"{line},1.5" for line in GOOD[1:])])
    text = sentence(command("score", model, extra))
    assert "more.csv" in text
    assert "'flow'" in text
    assert "good.redshank" in text
    renamed = table(tmp_path / "renamed.csv", [GOOD[0].replace("temp", "tmp"), *GOOD[1:]])
    assert "no channel 'temp'" in sentence(command("score", model, renamed))
    swapped = table(tmp_path / "swapped.csv", [",".join(line.split(",")[i] for i in (0, 2, 1)) for line in GOOD])
    assert "another order" in sentence(command("score", model, swapped))


def test_no_model(tmp_path, model):
    file = table(tmp_path / "readings.csv", GOOD)
    for place, said in {
        tmp_path / "none.redshank": "no such file",
        file: "cannot be read as a model",
        tmp_path: "cannot be read as a model",
    }.items():
        text = sentence(command("score", place, file))
        assert str(place) in text
        assert said in text


def test_columns_of_a_named_set_are_known(tmp_path, data_root):
    text = sentence(command("scan", "smd/machine-1-6", "--ignore", "x", "--data-root", data_root))
    assert "--ignore" in text


def test_unknown_set_offers_the_nearest(tmp_path, data_root):
    text = sentence(command("scan", "smd/machine-1-66", "--data-root", data_root, "--report", tmp_path / "r.html"))
    assert "did you mean smd/machine-1-6?" in text


def test_overflowing_numbers_in_an_array(tmp_path):
    values = np.random.default_rng(0).normal(size=(400, 2))
    values[333, 1] = 1e308
    np.save(tmp_path / "a.npy", values)
    text = sentence(command("scan", tmp_path / "a.npy", "--detector", "pca", "--report", tmp_path / "r.html"))
    assert "a.npy" in text
    assert "row 334, column 2" in text


@pytest.mark.parametrize("case", ["time goes back", "truncated gzip"])
def test_in_a_process_of_its_own(tmp_path, case):
    file = write(tmp_path / "readings.csv", FILES[case][0])
    done = subprocess.run(
        [sys.executable, "-c", "from redshank.cli import main; main()", "scan", str(file)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert str(file) in done.stderr
    assert sorted(tmp_path.iterdir()) == [file]
