"""`bench detectors` from end to end on two small recordings: a table, records, resuming, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.fixtures.commands import command

from redshank.evaluate.records import read

CHANNELS = (
    "Accelerometer1RMS",
    "Accelerometer2RMS",
    "Current",
    "Pressure",
    "Temperature",
    "Thermocouple",
    "Voltage",
    "Volume Flow RateRMS",
)
ROWS = 500


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three recordings in the form of SKAB, each with one anomaly that is plain to see."""
    base = tmp_path_factory.mktemp("data")
    folder = base / "skab" / "valve1"
    folder.mkdir(parents=True)
    for number in range(3):
        values = np.random.default_rng(number).standard_normal((ROWS, len(CHANNELS)))
        y = np.zeros(ROWS, int)
        y[350:400] = 1
        values[350:400] += 8.0
        lines = [";".join(["datetime", *CHANNELS, "anomaly", "changepoint"])]
        for k in range(ROWS):
            time = f"2020-03-09 10:{k // 60:02d}:{k % 60:02d}"
            lines.append(";".join([time, *(f"{value:.5f}" for value in values[k]), f"{y[k]}.0", "0.0"]))
        (folder / f"{number}.csv").write_text("\n".join(lines) + "\n")
    return base


def board(root: Path, *more: str | Path):
    return command("bench", "detectors", "--data-root", root, "--data", "skab", "--jobs", "1", *more)


def test_a_table_of_few(root, tmp_path):
    kept = tmp_path / "kept.jsonl"
    few = ("--only", "pca,never", "--only", "anchor:ar10", "--record", kept, "--format", "markdown")
    done = board(root, *few)
    assert done.code == 0, done.err
    rows = {line.split("|")[2].strip(): line for line in done.out.splitlines() if line.startswith("| skab")}
    assert list(rows) == ["pca", "anchor:ar10", "never (baseline)"]
    assert "bench detectors" in done.out
    assert str(root) not in done.out
    found = [one for one in read(kept) if one["kind"] == "board"]
    assert len(found) == 9
    assert all(one["measures"]["ROC-AUC"] > 0.99 for one in found if one["detector"] == "pca")
    assert str(root) not in kept.read_text()
    size = kept.stat().st_size
    again = board(root, *few)
    assert again.out == done.out
    assert kept.stat().st_size == size, "all was there"


def test_labels_of_the_other_recordings_teach(root):
    done = board(root, "--only", "decision_tree", "--json")
    assert done.code == 0, done.err
    found = [one for one in json.loads(done.out)["records"] if one["kind"] == "board"]
    assert [one["protocol"] for one in found] == ["leave one recording out"] * 3
    assert all(one["measures"]["ROC-AUC"] > 0.9 for one in found)


def test_quick_takes_one_recording(root):
    done = board(root, "--only", "pca", "--quick", "--format", "csv")
    assert done.code == 0, done.err
    assert len(done.out.splitlines()) == 2
    assert "skab,pca" in done.out


def test_what_fails_is_a_row_and_an_exit_code(root, tmp_path):
    broken = tmp_path / "skab" / "valve1"
    broken.mkdir(parents=True)
    for number in range(2):
        (broken / f"{number}.csv").write_text((root / "skab" / "valve1" / f"{number}.csv").read_text())
    (broken / "0.csv").write_text("datetime;anomaly\nno time;1.0\n")
    done = board(tmp_path, "--only", "pca", "--format", "markdown")
    assert done.code == 2
    assert "1 of 2 failed: InputError" in done.out
    assert "pca on skab/valve1/0, series: failed" in done.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--protocol", "published"], "--protocol has no effect on the board of detectors"),
        (["--detector", "pca"], "--detector has no effect"),
        (["--only", "pcaa"], "did you mean 'pca'"),
        (["--data", "cmapss"], "no data of the boards are called 'cmapss'"),
        (["--data", "smd"], "the smd data are not there"),
        (["--jobs", "0"], "jobs"),
    ],
)
def test_refused(root, options, said):
    done = command("bench", "detectors", "--data-root", root, *options)
    assert done.code == 2
    assert said in done.err


def test_a_single_data_set_has_no_use_for_them(root):
    done = command("bench", "skab/valve1/0", "--data-root", root, "--quick")
    assert done.code == 2
    assert "--quick has no effect on single data sets" in done.err
