"""`redshank tune` from end to end: what it prints and writes, what it refuses, and what a kill leaves of it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tests.fixtures.commands import Done, command, table
from tests.fixtures.tuned import data
from tests.integration.test_report_browser import PHONE, chromium, dump, measured

__all__ = ["chromium"]
AVERAGE = (
    "--label",
    "label",
    "--detector",
    "moving_average",
    "--set",
    "window=5,20",
    "--protocol",
    "chronological-hold-out",
)


def written(path: Path, *, seed: int = 0, label: bool = True) -> Path:
    whole = data(700, events=10, seed=seed, size=0.6)
    moments = np.datetime64("2024-01-01T00:00:00") + np.arange(len(whole)) * np.timedelta64(60, "s")
    rows = [
        ",".join([str(moment), *(f"{value:.4f}" for value in values), *([str(mark)] if label else [])])
        for moment, values, mark in zip(moments, whole.frame.values, whole.y, strict=True)
    ]
    return table(path, [f"time,a,b{',label' * label}", *rows])


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    return written(tmp_path_factory.mktemp("tune") / "pump.csv")


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> Path:
    return written(tmp_path_factory.mktemp("tune") / "bare.csv", label=False)


def strict(done: Done) -> dict:
    assert done.code == 0, done.err
    return json.loads(done.out, parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))


def refused(done: Done) -> str:
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith("error: ")
    assert "Traceback" not in done.err
    return " ".join(done.err.split())


@pytest.fixture(scope="module")
def report(file, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("report") / "tune.html"
    assert command("tune", file, *AVERAGE, "--report", path).code == 0
    return path


def test_text_for_a_person(file, tmp_path):
    done = command("tune", file, *AVERAGE, "--report", tmp_path / "tune.html")
    assert done.code == 0
    first = done.out.splitlines()
    assert first[0].startswith("Best of 3 trials: VUS-PR ")
    assert first[1].startswith("On rows never searched, by known anomalies: ")
    assert re.fullmatch(r"--detector 'moving_average\(window=\d+\)'", first[2])
    assert f"report: {tmp_path / 'tune.html'}" in done.err.replace("\n", "")


def test_the_detector_line_can_be_typed(file):
    found = strict(command("tune", file, *AVERAGE, "--json"))
    assert found["spec"] == f"moving_average(window={found['best']['settings']['window']})"
    assert command("scan", file, "--ignore", "label", "--detector", found["spec"], "--json").code == 0


def test_json_holds_everything(file):
    found = strict(command("tune", file, *AVERAGE, "--json"))
    assert len(found["trials"]) == 3
    assert found["trials"][0]["settings"]["window"] == 60
    assert found["search"] == "grid"
    assert found["space"] == {"window": "5,20"}
    assert len(found["judged"]) == 2
    assert found["study"]["searched by"] == found["judged_by"] == "known anomalies"
    assert found["study"]["protocol"] == "chronological hold-out"
    assert {one["role"] for one in found["study"]["data"]} == {"searched", "judged in the end"}


def test_without_labels_it_says_what_it_goes_by(bare):
    done = command("tune", bare, "--detector", "moving_average", "--set", "window=5,20")
    assert done.code == 0
    assert "Tuned by planted anomalies, not by known ones" in " ".join(done.err.split())
    assert "by planted anomalies:" in done.out


def test_a_log_is_gone_on_with(file, tmp_path):
    log = tmp_path / "log.jsonl"
    two = strict(command("tune", file, *AVERAGE, "--trials", "2", "--record", log, "--json"))
    all_three = strict(command("tune", file, *AVERAGE, "--record", log, "--json"))
    assert all_three["resumed"] == 2
    assert all_three["trials"][:2] == two["trials"]
    other = refused(command("tune", file, *AVERAGE, "--record", log, "--measure", "ROC-AUC"))
    assert 'its measure is "VUS-PR", here it is "ROC-AUC"' in other


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--detector", "moving_average", "--set", "widow=5,20"), "no setting 'widow'; did you mean 'window'"),
        (("--set", "window=a..b"), "is no span of numbers"),
        (("--set", "window=5", "--set", "window=6"), "window is named twice"),
        (("--measure", "recall"), "cannot be tuned for"),
        (("--protocol", "by-moon"), "no protocol is called"),
        (("--detector", "pac"), "did you mean 'pca'"),
        (("--detector", "pca", "--set", "latent=1..5 log", "--search", "grid", "--unseen", "2"), "between 0 and 1"),
        (("--protocol", "leave-one-device-out"), "one device only"),
        (("--record", "no/such/folder/log.jsonl"), "does not exist"),
        (("--report", "no/such/folder/page.html"), "does not exist"),
    ],
)
def test_refusals_come_in_one_sentence(file, arguments, said):
    assert said in refused(command("tune", file, "--label", "label", *arguments))


def test_optuna_that_is_not_installed_is_named(file, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    said = refused(command("tune", file, "--label", "label", "--detector", "moving_average"))
    assert "needs optuna" in said
    assert "redshank[train]" in said
    assert command("tune", file, *AVERAGE).code == 0, "a grid needs no more than there is"


def test_a_kill_loses_one_trial_at_most_and_the_rest_is_as_undisturbed(file, tmp_path):
    log, options = tmp_path / "log.jsonl", ("--label", "label", "--detector", "moving_average", "--trials", "8")
    options += ("--protocol", "chronological-hold-out")
    words = [sys.executable, "-c", "from redshank.cli import main; main()", "tune", str(file), *options, "--json"]
    running = subprocess.Popen([*words, "--record", str(log)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and running.poll() is None and lines(log) < 4:
        time.sleep(0.02)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    kept = lines(log)
    assert kept >= 4
    again = strict(command("tune", file, *options, "--record", log, "--json"))
    assert again["resumed"] in (kept - 1, kept - 2), "all whole lines but the first, save for one cut in two"
    whole = strict(command("tune", file, *options, "--json"))
    for name in ("settings", "score"):
        assert [one[name] for one in again["trials"]] == [one[name] for one in whole["trials"]]
    assert again["spec"] == whole["spec"]


def lines(log: Path) -> int:
    return log.read_bytes().count(b"\n") if log.exists() else 0


class TestDocs:
    page = (Path(__file__).resolve().parents[2] / "docs" / "tuning.md").read_text("utf-8")

    def test_the_python_example_runs(self, file, tmp_path, monkeypatch, capsys):
        table(tmp_path / "pump.csv", file.read_text("utf-8").replace(",label", ",fault", 1).splitlines())
        monkeypatch.chdir(tmp_path)
        exec(re.search(r"```python\n(.*?)```", self.page, re.DOTALL)[1], {})  # noqa: S102
        assert "On rows never searched" in capsys.readouterr().out

    def test_every_option_named_is_one(self):
        options = set(re.findall(r"--[a-z][a-z-]+", self.page)) - {"--detector"}
        offered = command("tune", "--help").out
        assert {"--set", "--minutes", "--record", "--report", "--judge-on", "--label-free"} <= options
        assert [one for one in options if one not in offered] == []


class TestPage:
    def test_opens_without_a_word_on_the_console(self, chromium, report, tmp_path):
        document, console = dump(chromium, report, tmp_path / "profile")
        assert console == []
        assert document.count("<svg") == 1
        assert document.count('<td class="n">60</td>') == 2, "the default in both tables"
        assert "moving_average(window=" in document
        assert "What these numbers do not show" in document

    def test_a_phone_never_scrolls_sideways(self, chromium, report, tmp_path):
        seen = measured(chromium, report, tmp_path)
        assert seen["wide"] == ""
        assert int(seen["scroll"]) == PHONE

    def test_names_are_never_markup(self, file, tmp_path):
        hostile = written(tmp_path / "<b>bold&.csv")
        page = tmp_path / "page.html"
        assert command("tune", hostile, *AVERAGE, "--report", page).code == 0
        text = page.read_text("utf-8")
        assert "<b>bold" not in text
        assert "&lt;b&gt;bold&amp;" in text
