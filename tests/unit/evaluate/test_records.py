"""Records: what is written is read again, damage is named, and nothing of the machine gets in."""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from redshank.core import Frame, InputError, Kind, NotFittedError
from redshank.evaluate import records
from redshank.incidents import fault
from redshank.pipeline import Pipeline


def run(**changed) -> records.Record:
    sections = dict.fromkeys(records.SECTIONS, 0) | {
        "measures": {"VUS-PR": 0.5, "delay": math.nan},
        "oracle": {},
        "series": [{"name": "a", "measures": {"F1": math.nan}, "oracle": {"F1": 1.0}}],
        "events": {"false": None},
    }
    return records.new_run(**(sections | changed))


def test_round_trip(tmp_path):
    path = tmp_path / "results.jsonl"
    for seed in range(3):
        records.append(path, run(seed=np.int64(seed), curves={"x": np.arange(3)}, peak_mib=math.inf))
    found = records.read(path)
    assert [one["seed"] for one in found] == [0, 1, 2]
    assert found[0]["curves"] == {"x": [0, 1, 2]}
    assert found[0]["peak_mib"] is None
    assert found[0]["measures"]["VUS-PR"] == 0.5
    assert math.isnan(found[0]["measures"]["delay"])
    assert math.isnan(found[0]["series"][0]["measures"]["F1"])
    assert found[0]["events"]["false"] is None
    assert "NaN" not in path.read_text()


def test_areas_that_are_not_defined_are_null(tmp_path):
    """A curve of one class has no area."""
    records.append(tmp_path / "r", run(curves={"roc": {"x": [], "y": [], "area": math.nan, "of": "score"}}))
    (found,) = records.read(tmp_path / "r")
    assert found["curves"]["roc"]["area"] is None


def test_a_cut_last_line_is_named(tmp_path):
    path = tmp_path / "results.jsonl"
    records.append(path, run())
    records.append(path, run())
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    with pytest.raises(InputError, match=r"results\.jsonl: line 2 is not a whole record"):
        records.read(path)
    records.append(path, run(seed=7))  # what comes later is not lost with it
    lines = path.read_bytes().splitlines()
    assert len(lines) == 3
    assert json.loads(lines[2])["seed"] == 7


def test_every_cut_is_noticed(tmp_path):
    path = tmp_path / "results.jsonl"
    path.write_text('{"schema": 1, "seed": 12}')
    assert len(records.read(path)) == 1
    for end in range(1, 24):
        path.write_text('{"schema": 1, "seed": 12}'[:end])
        with pytest.raises(InputError, match="line 1"):
            records.read(path)


@pytest.mark.parametrize("line", ["[]", "7", '{"kind": "run"}', '{"schema": 2}', '{"schema": "1"}', "\x00", "nonsense"])
def test_other_lines_are_refused(tmp_path, line):
    path = tmp_path / "results.jsonl"
    path.write_text(f'\n{{"schema": 1}}\n{line}\n')
    with pytest.raises(InputError, match="line 3"):
        records.read(path)


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "results.jsonl"
    path.write_bytes(b"\xff\xfe\x00\n")
    with pytest.raises(InputError, match="line 1"):
        records.read(path)


def test_no_file(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        records.read(tmp_path / "none.jsonl")
    with pytest.raises(InputError, match="cannot be read"):
        records.read(tmp_path)


def test_another_schema_is_not_written(tmp_path):
    with pytest.raises(InputError, match="schema 2"):
        records.append(tmp_path / "r", run() | {"schema": 2})
    assert not (tmp_path / "r").exists()


def test_writers_at_once_do_not_mix_their_lines(tmp_path):
    path = tmp_path / "results.jsonl"
    made = [run(seed=seed, curves=[seed] * 20_000) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda record: [records.append(path, record) for _ in range(5)], made))
    found = [(one["seed"], set(one["curves"])) for one in records.read(path)]
    assert sorted(found) == sorted((seed, {seed}) for seed in range(8) for _ in range(5))


def test_sections_are_complete():
    with pytest.raises(InputError, match="lacks data"):
        records.new_run(split={})
    with pytest.raises(InputError, match="does not know colour"):
        run(colour="red")
    made = run(command="redshank evaluate x")
    assert made["schema"] == 1
    assert made["kind"] == "run"
    assert made["command"] == "redshank evaluate x"


def test_environment_names_no_place(monkeypatch):
    monkeypatch.setattr(sys, "argv", [f"{Path.home()}/bin/redshank", "evaluate", f"--data-root={Path.home()}/x", "a b"])
    found = records.environment()
    assert found["command"] == "redshank evaluate --data-root=x 'a b'"
    assert set(found) == {"versions", "git", "machine", "command", "date"}
    assert found["versions"]["numpy"] == np.__version__
    assert found["machine"]["cores"] >= 1
    text = json.dumps(found)
    for place in (str(Path.home()), str(Path.cwd()), os.uname().nodename):
        assert place == "/" or place not in text
    assert found["date"].endswith("Z")


@pytest.mark.parametrize(
    ("argv", "wanted"),
    [
        (["/usr/lib/redshank/__main__.py", "scan", "x.csv"], "python -m redshank scan x.csv"),
        (["benchmarks/accuracy/demo.py", "--seeds", "3"], "python benchmarks/accuracy/demo.py --seeds 3"),
        (["/elsewhere/demo.py", "../secret/x.csv", "~/y.csv"], "python demo.py x.csv y.csv"),
        ([""], "python"),
    ],
)
def test_command_line(monkeypatch, argv, wanted):
    monkeypatch.setattr(sys, "argv", argv)
    assert records.command_line() == wanted


def test_paths_in_the_working_folder_stay(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["redshank", "scan", str(Path.cwd() / "data" / "x.csv")])
    assert records.command_line() == "redshank scan data/x.csv"


def test_without_git(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert records.environment()["git"] == ""


def test_the_checkout_of_something_else_is_not_ours(monkeypatch, tmp_path):
    monkeypatch.setattr(records.redshank, "__file__", str(tmp_path / "__init__.py"))
    assert records.environment()["git"] == ""


def test_memory():
    assert 1.0 < records.peak_mib() < 1e6


def frame(**changed) -> Frame:
    values = np.arange(12, dtype=np.float32).reshape(6, 2)
    values[2, 1] = np.nan
    return replace(Frame.of(values, names=["a", "b"], interval_s=60.0), **changed)


def test_fingerprint_changes_with_everything():
    plain = records.fingerprint(frame())
    assert len(plain) == 16
    assert plain == records.fingerprint(frame())
    values = frame().values.copy()
    values[5, 0] = np.nextafter(values[5, 0], np.float32(99))
    others = [
        frame(values=values),
        frame(time_ns=frame().time_ns + 1),
        frame(devices=("other",)),
        Frame.of(frame().values, names=["a", "c"], interval_s=60.0),
        frame().take(slice(0, 5)),
    ]
    assert len({plain, *map(records.fingerprint, others)}) == 6


def test_fingerprint_does_not_care_how_nan_is_written():
    values = frame().values.copy()
    values.view(np.uint32)[2, 1] = 0xFFC00001
    assert np.isnan(values[2, 1])
    assert records.fingerprint(frame(values=values)) == records.fingerprint(frame())


def test_model_fingerprint():
    rows = np.random.default_rng(0).normal(size=(800, 2))
    one, same, other = (Frame.of(x, interval_s=60.0) for x in (rows, rows, rows + 1e-4))
    prints = [records.model_fingerprint(Pipeline("pca").fit(x)) for x in (one, same, other)]
    assert prints[0] == prints[1] != prints[2]
    assert len(prints[0]) == 16
    with pytest.raises((NotFittedError, AttributeError)):
        records.model_fingerprint(Pipeline("pca"))


def test_incident():
    one = fault(
        "pump",
        start_ns=1_700_000_000_000_000_000,
        end_ns=1_700_000_060_500_000_000,
        detected_ns=1_700_000_060_000_000_000,
        kind=Kind.SENSOR_FAULT,
        cause="stuck",
        severity=50.0,
        readings=(),
        detail="stays at 4",
    )
    found = records.incident_record(one)
    assert found["start"] == "2023-11-14T22:13:20Z"
    assert found["end"] == "2023-11-14T22:14:20.500Z"
    assert found["devices"] == ["pump"]
    assert found["kind"] == "sensor fault"
    json.dumps(found)


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_500_000_000, "1970-01-01T00:00:01.500Z"),
        (-500_000_000, "1969-12-31T23:59:59.500Z"),
        (1_700_000_000_123_000_000, "2023-11-14T22:13:20.123Z"),
    ],
)
def test_iso(time_ns, text):
    assert records.iso(time_ns) == text
