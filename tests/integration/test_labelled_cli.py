"""Detectors that learn from labels on the command line, and the list of detectors."""

from __future__ import annotations

import importlib
import io
import json
from pathlib import Path

import pytest
from rich.console import Console
from tests.fixtures.commands import command, table
from tests.unit.pipeline.test_labelled import plant, several

from redshank.detectors import DETECTORS
from redshank.evaluate.records import iso

APART = {"flood": several(50, 8, every=200), "leak": several(150, 8, every=200)}
listing = importlib.import_module("redshank.cli.detectors")  # the package has the command under the same name
TREE = ("--detector", "knn_classifier")


def lines(kinds_of: dict[str, str]) -> list[str]:
    frame, kinds = plant(odd=APART)
    start = 1_767_225_600_000_000_000
    return ["time,a,b,fault"] + [
        f"{iso(start + int(t))},{a:.4f},{b:.4f},{kinds_of.get(kind, kind)}"
        for t, (a, b), kind in zip(frame.time_ns, frame.values, kinds, strict=True)
    ]


@pytest.fixture(scope="module")
def named(tmp_path_factory) -> Path:
    return table(tmp_path_factory.mktemp("named") / "plant.csv", lines({}))


def parsed(*arguments) -> dict:
    done = command(*arguments, "--json")
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_scan_learns_from_the_first_part_and_names_what_it_finds(tmp_path, named):
    found = parsed("scan", named, *TREE, "--label", "fault", "--report", tmp_path / "r.html")
    causes = [one["cause"] for one in found["incidents"]]
    assert {"flood", "leak"} <= set(causes)
    assert any(one["sentence"].endswith("looks like flood") for one in found["incidents"])
    assert any("labelled anomalous" in note for note in found["notes"])
    assert found["labels"]["event recall"] > 0.9


def test_marks_do_as_well(tmp_path):
    file = table(tmp_path / "marks.csv", lines({"flood": "1", "leak": "1", "normal": "0"}))
    found = parsed("scan", file, *TREE, "--label", "fault", "--report", tmp_path / "r.html")
    assert found["labels"]["event recall"] > 0.9
    assert not {"flood", "leak"} & {one["cause"] for one in found["incidents"]}


def test_train_then_score_without_labels(tmp_path, named):
    model = tmp_path / "m.redshank"
    record = parsed("train", named, *TREE, "--label", "fault", "--out", model)
    assert any("160 of 1,600 training rows" in note for note in record["notes"])
    with_label = parsed("score", model, named, "--label", "fault")
    without = parsed("score", model, named)
    assert with_label["incidents"] == without["incidents"]
    assert {"flood", "leak"} <= {one["cause"] for one in without["incidents"]}


@pytest.mark.parametrize("name", ["scan", "train"])
def test_a_label_that_is_missing(tmp_path, named, name):
    out = ("--out", tmp_path / "m") if name == "train" else ("--report", tmp_path / "r.html")
    done = command(name, named, *TREE, *out)
    assert done.code == 2
    assert "knn_classifier learns from known anomalies" in " ".join(done.err.split())
    assert "--label COLUMN" in done.err


def test_a_label_for_a_detector_that_needs_none_is_only_compared_with(tmp_path, named):
    shown = parsed("scan", named, "--detector", "pca", "--label", "fault", "--report", tmp_path / "r.html")
    hidden = parsed("scan", named, "--detector", "pca", "--ignore", "fault", "--report", tmp_path / "r.html")
    assert shown["incidents"] == hidden["incidents"]
    assert shown["labels"]["known events"] > 0


def test_evaluate(named):
    (record,) = parsed("evaluate", named, *TREE, "--label", "fault", "--no-baselines")["records"]
    assert record["labelled"] is True
    assert record["classes"]["names"] == ["normal", "flood", "leak"]
    done = command("evaluate", named, *TREE, "--label", "fault", "--no-baselines", "--measure", "macro F1 of kinds")
    assert done.code == 0, done.err


def test_filled_readings_are_said(tmp_path):
    rows = lines({})
    rows[500] = rows[500].split(",")[0] + ",,5.0,normal"
    file = table(tmp_path / "holes.csv", rows)
    found = parsed("scan", file, "--detector", "pca", "--label", "fault", "--report", tmp_path / "r.html")
    assert any(note.startswith("1 missing reading in 1 channel") for note in found["notes"])


def test_sampling(tmp_path, named):
    done = command("scan", named, "--sampling", "often", "--report", tmp_path / "r.html")
    assert done.code == 2
    assert "--sampling is 'often'" in done.err
    found = parsed("scan", named, "--detector", "pca", "--sampling", "gap", "--report", tmp_path / "r.html")
    assert any("changes nothing" in note for note in found["notes"])


class TestDetectors:
    def test_json_has_everything(self):
        rows = {one["name"]: one for one in parsed("detectors")["detectors"]}
        assert set(rows) == set(DETECTORS)
        for row in rows.values():
            if row["installed"]:
                assert row["good_for"]
                assert row["cost"]
                assert row["family"] in {"statistical", "classical", "neural", "combination"}
        assert rows["knn_classifier"]["needs_labels"] is True
        assert rows["pca"]["settings"] == {"latent": None}

    @pytest.mark.parametrize("width", [40, 80, 160])
    def test_the_list_is_readable_at_any_width(self, monkeypatch, width):
        page = io.StringIO()
        monkeypatch.setattr(listing, "output", Console(file=page, width=width, highlight=False, markup=False))
        assert command("detectors").code == 0
        shown = page.getvalue()
        assert all(len(line) <= width for line in shown.splitlines())
        for name in DETECTORS:
            assert any(line.startswith(f"{name} ") for line in shown.splitlines()), name
        assert "Mudholkar" in shown
        assert {"statistical", "classical", "neural", "combination"} <= {line.strip() for line in shown.splitlines()}

    def test_one(self):
        done = command("detectors", "knn")
        assert done.code == 0
        for text in ("neighbours", "rows", "2000", "O(rows channels)", "Angiulli and Pizzuti 2002", "filled first"):
            assert text in done.out
        assert parsed("detectors", "knn")["settings"]["neighbours"] == 5

    def test_an_unknown_one(self):
        done = command("detectors", "kn")
        assert done.code == 2
        assert "did you mean 'knn'?" in done.err
