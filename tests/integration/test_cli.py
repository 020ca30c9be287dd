"""The commands from end to end: JSON, labels, models, Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest
from tests.fixtures.commands import Done, command, lines, table

COMMANDS = ("demo", "scan", "train", "score", "evaluate", "bench", "report", "audit", "simulate", "detectors")
PCA = ("--detector", "pca")
INCIDENT = {"device", "start", "end", "kind", "severity", "channels", "expected", "seen", "sentence"}
SCAN = {"rows", "devices", "budget", "realised_rate", "settings", "seconds", "incidents"}


def parsed(done: Done, code: int = 0) -> dict:
    """The one object on standard output; strict JSON, as other languages read it."""
    assert done.code == code, done.err

    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} is no JSON")

    record = json.loads(done.out, parse_constant=refuse)
    assert isinstance(record, dict)
    assert done.err == ""
    return record


@pytest.fixture
def file(tmp_path) -> Path:
    return table(tmp_path / "readings.csv", lines())


@pytest.fixture
def labelled(tmp_path) -> Path:
    return table(tmp_path / "labelled.csv", lines(label=True))


class TestScan:
    def test_json(self, tmp_path, file):
        record = parsed(command("scan", file, *PCA, "--report", tmp_path / "r.html", "--json"))
        assert record.keys() >= SCAN
        assert (record["rows"], record["devices"]) == (1500, 1)
        assert record["budget"] == "1 per device per week"
        assert record["settings"]["detector"] == "pca"
        assert all(seconds >= 0 for seconds in record["seconds"].values())
        found = record["incidents"]
        assert found
        for incident in found:
            assert incident.keys() >= INCIDENT
            assert datetime.fromisoformat(incident["start"]) <= datetime.fromisoformat(incident["end"])
            assert 0 <= incident["severity"] <= 100
            assert set(incident["channels"]) <= {"temp", "power"}
            assert set(incident["expected"]) == set(incident["seen"]) == set(incident["channels"])
            assert incident["device"] in incident["sentence"]
        assert any("2024-01-01T21:40" <= incident["start"] < "2024-01-01T22:25" for incident in found)
        assert Path(record["report"]).read_text().lower().startswith("<!doctype html>")

    def test_missing_values_become_null_not_nan(self, tmp_path):
        content = lines()
        for i in range(900, 1000):  # a silence, whose incident has nothing that was seen
            content[i] = content[i].split(",")[0] + ",,"
        gone = [*content[:700], *content[780:]]
        record = parsed(
            command("scan", table(tmp_path / "a.csv", gone), *PCA, "--report", tmp_path / "r.html", "--json")
        )
        assert record["incidents"]

    def test_text_and_json_tell_the_same(self, tmp_path, file):
        plain = command("scan", file, *PCA, "--report", tmp_path / "r.html")
        record = parsed(command("scan", file, *PCA, "--report", tmp_path / "r.html", "--json"))
        assert plain.code == 0
        count = len(record["incidents"])
        assert f"{count} incident{'' if count == 1 else 's'} in {record['rows_judged']:,} rows" in plain.out
        assert str(tmp_path / "r.html") in plain.out
        assert [line.split(": ")[0] for line in plain.err.splitlines()] == ["note"] * len(record["notes"])

    def test_a_column_that_looks_like_a_label_is_left_out_and_said(self, tmp_path, labelled):
        done = command("scan", labelled, *PCA, "--report", tmp_path / "r.html")
        assert done.code == 0
        assert re.search("column 'label' looks like a label: left out", done.err)
        assert "against the labels" not in done.out

    def test_the_label_is_never_an_input(self, tmp_path, file, labelled):
        """The same readings with and without the column give the same incidents."""
        without = parsed(command("scan", file, *PCA, "--report", tmp_path / "r.html", "--json"))
        shown = parsed(command("scan", labelled, *PCA, "--report", tmp_path / "r.html", "--json"))
        named = parsed(command("scan", labelled, *PCA, "--label", "label", "--report", tmp_path / "r.html", "--json"))
        assert shown["incidents"] == named["incidents"] == without["incidents"]
        assert without["labels"] is shown["labels"] is None
        assert named["labels"]["known events"] == 1
        assert named["labels"]["found"] == 1

    def test_scores_do_not_see_the_label_either(self, tmp_path, file, labelled):
        model = tmp_path / "m.redshank"
        assert command("train", file, *PCA, "--out", model).code == 0
        scores = []
        for name, options in (("readings.csv", []), ("labelled.csv", ["--label", "label"])):
            out = tmp_path / f"{name}.scores"
            assert command("score", model, tmp_path / name, "--out", out, *options).code == 0
            scores.append(out.read_text())
        assert scores[0] == scores[1]

    def test_a_label_of_any_name(self, tmp_path):
        content = lines(label=True)
        content[0] = content[0].replace("label", "operator_note")
        file = table(tmp_path / "a.csv", content)
        done = command("scan", file, *PCA, "--label", "operator_note", "--report", tmp_path / "r.html")
        assert done.code == 0
        assert "against the labels: 1 of 1 known event" in done.out

    def test_ignore(self, tmp_path, file):
        record = parsed(
            command("scan", file, *PCA, "--ignore", "temp", "--report", tmp_path / "r.html", "--json"),
        )
        assert {name for incident in record["incidents"] for name in incident["channels"]} <= {"power"}
        assert any("'temp'" in note for note in record["notes"])

    def test_train_on_another_file(self, tmp_path, file):
        normal = table(tmp_path / "normal.csv", lines(odd=slice(0, 0), seed=3))
        record = parsed(command("scan", file, *PCA, "--train", normal, "--report", tmp_path / "r.html", "--json"))
        assert record["rows_judged"] == 1500
        assert "normal" in record["settings"]["learned"]

    def test_no_incident(self, tmp_path):
        file = table(tmp_path / "calm.csv", lines(odd=slice(0, 0)))
        done = command("scan", file, *PCA, "--budget", "1 per device per year", "--report", tmp_path / "r.html")
        assert done.code == 0
        assert "0 incidents" in done.out
        assert "Incidents (UTC)" not in done.out


def test_train_score_evaluate_as_json(tmp_path, labelled):
    model, scores = tmp_path / "m.redshank", tmp_path / "s.csv"
    trained = parsed(command("train", labelled, *PCA, "--out", model, "--json"))
    assert trained["channels"] == ["temp", "power"]
    assert trained["rows"] == 1500
    scored = parsed(command("score", model, labelled, "--out", scores, "--json"))
    assert scored["rows"] == 1500
    assert scored["scores"] == str(scores)
    for incident in scored["incidents"]:
        assert incident.keys() >= INCIDENT
    header, *rows = scores.read_text().splitlines()
    assert header == "time,device,score,p,alarm,ready"
    assert len(rows) == 1500
    assert sum(row.split(",")[4] == "1" for row in rows) == scored["alarms"]
    for options, judged in ((PCA, 1050), (("--model", model), 1500)):
        records = parsed(command("evaluate", labelled, *options, "--label", "label", "--json"))["records"]
        assert records[0]["detector"] == "pca"
        assert records[0]["events"]["known"] == 1
        assert records[0]["split"]["test_rows"] == judged
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labelled.csv", "m.redshank", "s.csv"]


def test_evaluate_wants_labels(tmp_path, file):
    done = command("evaluate", file, *PCA)
    assert done.code == 2
    assert "--label" in done.err


def test_audit(tmp_path, labelled):
    clean = parsed(command("audit", labelled, "--label", "label", "--learn", "0.9", "--json"), code=0)
    assert clean["leaks"] == 0
    content = [line if i == 0 else f"{line},{int(i > 700)}" for i, line in enumerate(lines())]
    content[0] += ",attack"
    leaking = table(tmp_path / "leak.csv", content)
    found = parsed(command("audit", leaking, "--label", "attack", "--json"), code=1)
    assert found["leaks"] == len([one for one in found["findings"] if one["severity"] == "leak"]) > 0
    done = command("audit", leaking, "--label", "attack")
    assert done.code == 1
    assert "leak:" in done.out


def test_simulate_then_scan(tmp_path):
    out = tmp_path / "plant.csv.gz"
    record = parsed(command("simulate", "--devices", "2", "--hours", "48", "--seed", "1", "--out", out, "--json"))
    assert record["rows"] > 5000
    scanned = parsed(command("scan", out, *PCA, "--report", tmp_path / "r.html", "--json"))
    assert scanned["devices"] == 2


def test_detectors(tmp_path):
    names = {one["name"] for one in parsed(command("detectors", "--json"))["detectors"]}
    assert {"ae_lstm", "pca"} <= names
    done = command("detectors")
    assert done.code == 0
    assert all(name in done.out for name in names)


def test_demo(tmp_path):
    out = tmp_path / "r.html"
    record = parsed(command("demo", *PCA, "--devices", "2", "--days", "1", "--report", out, "--json"))
    assert record.keys() >= SCAN | {"measures"}
    assert out.exists()
    done = command("demo", *PCA, "--devices", "2", "--days", "1", "--report", out)
    assert done.code == 0
    assert "against the truth:" in done.out
    assert str(out) in done.out


def test_help_names_the_exit_codes_and_starts_light():
    done = command("--help")
    assert done.code == 0
    for code in ("0 ", "1 ", "2 ", "130 "):
        assert re.search(rf"^ +{code} +\w", done.out, re.MULTILINE), code
    for name in COMMANDS:
        summary = re.search(rf"^ +{name} +(.+)$", done.out, re.MULTILINE)
        assert summary is not None
        assert summary[1].endswith("."), "cut short"
    heavy = "{'torch', 'polars', 'pyarrow', 'matplotlib', 'jinja2', 'numba', 'sklearn', 'pandas', 'scipy', 'pywt'}"
    code = f"import sys, redshank.cli; print(sorted({heavy} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def test_version():
    import redshank

    assert command("--version").out.strip() == redshank.__version__


@pytest.mark.parametrize(
    "name", ["demo", "scan", "train", "score", "evaluate", "bench", "report", "audit", "simulate", "detectors"]
)
def test_help_of_each_command(name):
    done = command(name, "--help")
    assert done.code == 0
    assert "--json" in done.out
    assert not re.search(r"--\S+ <(str|path|list)", done.out), "COLUMN or FILE says more than a type"


EXPECTED_LEFT = {"big.csv", "model.redshank"}


@pytest.fixture(scope="module")
def big(tmp_path_factory) -> Path:
    """Enough rows that reading, learning and writing each take a while."""
    folder = tmp_path_factory.mktemp("big")
    file = table(folder / "big.csv", lines(150_000, odd=slice(140_000, 140_100)))
    assert command("train", file, *PCA, "--out", folder / "model.redshank").code == 0
    return file


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
@pytest.mark.parametrize(
    ("after_s", "arguments"),
    [
        (0.6, ("scan", "big.csv", *PCA)),
        (4.0, ("scan", "big.csv", "--detector", "ae_lstm")),
        (2.0, ("train", "big.csv", "--detector", "ae_lstm", "--out", "new.redshank")),
        (0.8, ("score", "model.redshank", "big.csv", "--out", "scores.csv")),
        (0.6, ("demo", *PCA, "--devices", "20")),
        (0.6, ("simulate", "--devices", "20", "--hours", "2000", "--out", "plant.csv")),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_interrupted(tmp_path, big, arguments, after_s):
    """Whatever it was doing: code 130, no half-written file, no traceback."""
    for name in EXPECTED_LEFT:
        (tmp_path / name).symlink_to(big.with_name(name))
    ready = "import sys, redshank.cli; print('ready', flush=True); redshank.cli.main()"
    with subprocess.Popen(
        [sys.executable, "-c", ready, *arguments],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(after_s)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    if process.returncode == 0:
        pytest.skip(f"done within {after_s} s; nothing was left to interrupt")
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert {path.name for path in tmp_path.iterdir()} == EXPECTED_LEFT


def test_a_failing_write_leaves_no_part(tmp_path, file, monkeypatch):
    """The disk is full half-way through the scores: one sentence, and the file of last time is still there."""
    model, out = tmp_path / "m.redshank", tmp_path / "scores.csv"
    assert command("train", file, *PCA, "--out", model).code == 0
    out.write_text("of last time")
    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(Path, "replace", lambda self, _: (_ for _ in ()).throw(OSError(28, "No space left", str(self))))
    done = command("score", model, file, "--out", out)
    assert done.code == 2
    assert "No space left" in done.err
    assert done.err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before
    assert out.read_text() == "of last time"


def test_a_published_split_is_kept_when_a_set_trains_itself(data_root, tmp_path):
    words = ("--detector", "pca", "--json", "--data-root", data_root, "--report", tmp_path / "r.html")
    alone = json.loads(command("scan", "smd/machine-2-1", *words).out)
    twice = json.loads(command("scan", "smd/machine-2-1", "--train", "smd/machine-2-1", *words).out)
    assert twice["rows_judged"] == alone["rows_judged"] == 23694


def test_a_model_is_not_learned_again(tmp_path):
    file, model = table(tmp_path / "a.csv", lines(600)), tmp_path / "a.redshank"
    assert command("train", file, "--detector", "pca", "--out", model).code == 0
    done = command("evaluate", file, "--model", model, "--label", "anomaly", "--budget", "3 per day")
    assert done.code == 2
    assert "--budget" in done.err
