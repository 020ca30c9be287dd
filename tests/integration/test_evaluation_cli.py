"""`evaluate`, `bench` and `report` from end to end: tables, records, reports, figures, and what each refuses."""

from __future__ import annotations

import csv
import gzip
import io
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
from tests.fixtures.commands import Done, command, lines, table
from tests.integration.test_bad_input import sentence
from tests.integration.test_report_browser import chromium
from tests.unit.evaluate.test_nab_run import ROWS as NAB_ROWS
from tests.unit.evaluate.test_nab_run import small_corpus

from redshank.evaluate.anchors import PLAIN
from redshank.evaluate.protocols import PROTOCOLS
from redshank.evaluate.records import append, read
from redshank.evaluate.tables import DEFAULT_MEASURES

__all__ = ["chromium"]
PCA = ("--label", "label", "--detector", "pca")
ALONE = (*PCA, "--no-baselines")
ROWS = 700
ODD = slice(500, 530)
HOSTILE = ("=1+1|cmd", "[red]b[/red]")
HEAVY = ("polars", "pyarrow", "matplotlib", "jinja2", "numba", "pywt", "scipy", "torch", "sklearn", "pandas")
WITHOUT_EXTRA = f"""
import sys
sys.modules.update(dict.fromkeys({HEAVY}))  # an import of any of them fails, as where it is not installed
from redshank.cli import main
main()
"""


def one(path: Path, **changes: object) -> Path:
    return table(path, lines(ROWS, odd=ODD, label=True, **changes))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return one(tmp_path_factory.mktemp("one") / "pump.csv")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return one(tmp_path_factory.mktemp("other") / "valve.csv", seed=4)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two devices whose names are markup and a formula, in a file whose name is markup."""
    header = f"device,{lines(1, label=True)[0]}"
    cells = [
        f"{name},{cell}"
        for seed, name in enumerate(HOSTILE)
        for cell in lines(ROWS, odd=ODD, label=True, seed=seed)[1:]
    ]
    return table(tmp_path_factory.mktemp("fleet") / "[b]plant.csv", [header, *cells])


@pytest.fixture(scope="module")
def kept(file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records of a detector and the baselines, made by evaluate."""
    path = tmp_path_factory.mktemp("kept") / "runs.jsonl"
    assert command("evaluate", file, *PCA, "--record", path).code == 0
    return path


@pytest.fixture(scope="module")
def nab_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_corpus(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def published(data_root: Path) -> tuple[dict, dict]:
    folder = data_root / "nab" / "results"
    done = command("bench", "nab", "--results", folder, "--data-root", data_root, "--threshold", "0.99", "--json")
    records = {one["detector"]: one for one in strict(done)["records"]}
    return records, json.loads((folder / "published_scores.json").read_text())


def strict(done: Done, code: int = 0) -> dict:
    assert done.code == code, done.err

    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} is no JSON")

    return json.loads(done.out, parse_constant=refuse)


def rows(done: Done) -> list[dict[str, str]]:
    """A table in CSV."""
    return list(csv.DictReader(io.StringIO(done.out)))


class TestEvaluate:
    def test_table_with_baselines(self, file):
        done = command("evaluate", file, *PCA)
        assert done.code == 0
        first = [line.split()[0] for line in done.out.splitlines() if line.strip()]
        assert first[first.index("detector") + 1] == "pca"
        assert set(first[first.index("detector") + 2 :]) == set(PLAIN)
        assert re.search(r"^pca +\S+ ", done.out, re.MULTILINE)
        notes = done.err.splitlines()
        assert all(note.startswith("note: ") for note in notes)
        for said in ("fingerprint", "chronological hold-out", "Seeds: 0", "evaluate pump.csv", "column 'label'"):
            assert said in done.err, said
        assert str(file.parent) not in done.err, "a record must not name folders of the machine"

    def test_json_is_strict_and_complete(self, file):
        found = strict(command("evaluate", file, *PCA, "--json", "--seed", "7"))
        assert [record["detector"] for record in found["records"]] == ["pca", *PLAIN]
        assert {record["detector"]: record["seed"] for record in found["records"]}["random"] == 7
        for record in found["records"]:
            assert record["data"]["rows"] == ROWS
            assert record["events"]["known"] == 1
            assert record["split"]["train_rows"] == 0.3 * ROWS
        assert found["records"][0]["measures"]["VUS-PR"] > 0.9
        assert found["records"][1]["detector"] == "always"
        assert found["records"][1]["confusion"]["fn"] == found["records"][1]["confusion"]["tn"] == 0

    def test_records_are_added_and_can_be_read(self, file, tmp_path):
        path = tmp_path / "r.jsonl"
        printed = strict(command("evaluate", file, *ALONE, "--record", path, "--json"))["records"]
        assert command("evaluate", file, *ALONE, "--record", path, "--learn", "0.5").code == 0
        first, second = read(path)
        assert first["measures"] == pytest.approx(printed[0]["measures"])
        assert first["incidents"] == printed[0]["incidents"]
        assert (first["split"]["train_rows"], second["split"]["train_rows"]) == (210, 350)

    def test_report(self, file, tmp_path):
        out = tmp_path / "page.html"
        done = command("evaluate", file, *ALONE, "--report", out)
        assert done.code == 0
        page = out.read_text("utf-8")
        assert page.startswith("<!doctype html>")
        assert "pca on pump" in page
        assert "default-src 'none'" in page, "needs no network"

    @pytest.mark.parametrize("name", [name for name in PROTOCOLS if name != "published"])
    def test_every_protocol(self, fleet, name):
        found = strict(command("evaluate", fleet, *ALONE, "--json", "--protocol", name.replace(" ", "-")))["records"]
        assert {record["split"]["protocol"] for record in found} == {name}
        assert [record["split"]["fold"] for record in found] == list(range(found[0]["split"]["folds"]))
        assert [bool(record["split"]["leaks"]) for record in found] == [name == "random k-fold"] * len(found)
        if name == "leave one device out":
            assert [record["split"]["left_out"] for record in found] == list(HOSTILE)

    def test_a_leak_is_marked_in_the_table_itself(self, file):
        done = command("evaluate", file, *ALONE, "--protocol", "random-k-fold", "--format", "csv")
        assert all(row["leaks"].startswith("leaks neighbours") for row in rows(done))

    def test_protocols_that_cannot_be_followed(self, file):
        assert "no division" in sentence(command("evaluate", file, *ALONE, "--protocol", "published"))
        assert "one device only" in sentence(command("evaluate", file, *ALONE, "--protocol", "leave-one-device-out"))
        text = sentence(command("evaluate", file, *ALONE, "--protocol", "rolling-origins"))
        assert "did you mean 'rolling origin'?" in text

    def test_a_saved_model(self, file, other, tmp_path):
        model, page = tmp_path / "m.redshank", tmp_path / "r.html"
        assert command("train", other, "--detector", "pca", "--out", model).code == 0
        done = command("evaluate", file, "--model", model, "--label", "label", "--json", "--report", page)
        (record,) = strict(done)["records"]
        assert record["split"]["protocol"] == "learned earlier"
        assert (record["split"]["train_rows"], record["split"]["test_rows"]) == (0, ROWS)
        assert "learned earlier" in page.read_text("utf-8")
        for option in (("--seed", "0"), ("--learn", "0.5"), ("--protocol", "blocked-k-fold"), ("--detector", "pca")):
            text = sentence(command("evaluate", file, "--model", model, "--label", "label", *option))
            assert option[0] in text

    def test_other_channels_than_the_model_learned(self, file, fleet, tmp_path):
        model = tmp_path / "m.redshank"
        assert command("train", file, "--ignore", "temp", "--detector", "pca", "--out", model).code == 0
        assert "'temp'" in sentence(command("evaluate", fleet, "--model", model, "--label", "label"))

    def test_forms(self, file):
        markdown = command("evaluate", file, *ALONE, "--format", "markdown").out
        assert re.search(r"^\| pca \| ", markdown, re.MULTILINE)
        assert "\n- Data: pump (fingerprint" in markdown, "notes go where the table goes"
        latex = command("evaluate", file, *ALONE, "--format", "latex").out
        assert latex.startswith("\\begin{table}\n")
        assert "\npca & " in latex
        found = rows(command("evaluate", file, *PCA, "--format", "csv"))
        assert [row["detector"] for row in found if "(baseline)" not in row["detector"]] == ["pca"]
        assert len(found) == 1 + len(PLAIN)
        assert float(found[0]["VUS-PR"]) > 0.9
        assert all(name in found[0] for name in DEFAULT_MEASURES)

    def test_measures_of_ones_choice(self, file):
        chosen = ("--measure", "affiliation F1", "--measure", "F1 (oracle)")
        done = command("evaluate", file, *ALONE, *chosen, "--format", "csv")
        assert list(rows(done)[0]) == ["detector", "affiliation F1", "F1 (oracle)", "series"]
        assert "chosen with the labels in hand" in command("evaluate", file, *ALONE, *chosen).err

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (["--measure", "VUS-RP"], ["--measure", "did you mean 'VUS-PR'?"]),
            (["--learn", "0.5", "--protocol", "random-k-fold"], ["--learn", "--protocol"]),
            (["--record", "none/r.jsonl"], ["none/r.jsonl", "does not exist"]),
            (["--record", "/dev/null/r.jsonl"], ["/dev/null"]),
            (["--record", "."], ["is a folder"]),
            (["--record", "mine.csv"], ["mine.csv", "does not hold records"]),
            (["--report", "/dev/null/r.html"], ["/dev/null"]),
            (["--report", "mine.csv"], ["mine.csv", "written over"]),
            (["--report", "new", "--record", "new"], ["new", "written over"]),
            (["--budget", "often"], ["'often'"]),
            (["--detector", "pac"], ["did you mean 'pca'?"]),
            (["--detector", "always"], ["'always'"]),
            (["--model", "none.redshank"], ["none.redshank"]),
        ],
        ids=lambda value: "-".join(value[:2]),
    )
    def test_refused_before_anything_is_learned(self, file, tmp_path, monkeypatch, options, said):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("redshank.pipeline.Pipeline.fit", lambda *_, **__: pytest.fail("learned in vain"))
        (tmp_path / "mine.csv").write_bytes(file.read_bytes())
        text = sentence(command("evaluate", "mine.csv", "--label", "label", *options))
        for word in said:
            assert word in text
        assert [path.name for path in tmp_path.iterdir()] == ["mine.csv"]
        assert (tmp_path / "mine.csv").read_bytes() == file.read_bytes()

    def test_without_labels(self, tmp_path, data_root):
        plain = table(tmp_path / "plain.csv", lines(200))
        assert "name their column with --label" in sentence(command("evaluate", plain, "--detector", "pca"))
        name = "skab/anomaly-free/anomaly-free"
        text = sentence(command("evaluate", name, "--detector", "pca", "--data-root", data_root))
        assert text.startswith(f"{name}: holds no known anomalies")
        assert "--label" not in text, "a set by name has no column to name"

    @pytest.mark.parametrize("learn", ["0.005", "0.95"])
    def test_too_little_to_learn_from_or_to_judge(self, file, learn):
        done = command("evaluate", file, *ALONE, "--learn", learn)
        if learn == "0.005":
            assert "cannot learn" in sentence(done)
        else:
            assert done.code == 0, done.err
            assert re.search(r"^pca +\N{EN DASH} ", done.out, re.MULTILINE), "undefined is not 0"

    def test_a_report_of_a_part_without_anomalies(self, tmp_path):
        """No row of the judged part is anomalous: there is no ROC curve, and all else is still there."""
        early = table(tmp_path / "early.csv", lines(ROWS, odd=slice(100, 130), label=True))
        done = command("evaluate", early, *ALONE, "--report", tmp_path / "r.html")
        assert done.code == 0
        assert "pca on early" in (tmp_path / "r.html").read_text("utf-8")


class TestBench:
    def test_two_files(self, file, other, tmp_path):
        path = tmp_path / "r.jsonl"
        words = ("bench", file, other, *ALONE, "--detector", "ridge", "--record", path)
        done = command(*words, "--format", "csv")
        assert done.code == 0
        found = rows(done)
        assert {row["detector"] for row in found} == {"pca", "ridge"}
        assert {row["series"] for row in found} == {"2"}
        records = read(path)
        assert [record["data"]["name"] for record in records] == ["pump"] * 2 + ["valve"] * 2
        for row in found:
            own = [one["measures"]["VUS-PR"] for one in records if one["detector"] == row["detector"]]
            assert float(row["VUS-PR"]) == pytest.approx(np.mean(own))

    def test_rows_by_data(self, file, other):
        found = rows(command("bench", file, other, *ALONE, "--by", "data", "--format", "csv"))
        assert [(row["data"], row["detector"]) for row in found] == [("pump", "pca"), ("valve", "pca")]
        assert "'left out'" in command("bench", file, *ALONE, "--by", "device").err

    def test_a_family_by_name(self, data_root, tmp_path):
        """Three sets of it, one of them published without anomalies."""
        for name in ("valve1/0.csv", "valve1/1.csv", "anomaly-free/anomaly-free.csv"):
            (tmp_path / "skab" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "skab" / name).symlink_to(data_root / "skab" / name)
        words = ("--detector", "pca", "--no-baselines", "--json", "--data-root", tmp_path)
        found = strict(command("bench", "skab", "skab/valve1", "skab/valve1/0", *words))
        names = [record["data"]["name"] for record in found["records"]]
        assert names == ["skab/valve1/0", "skab/valve1/1"], "a set that is named twice runs once"
        assert found["left_out"] == []
        assert found["unlabelled"] == ["skab/anomaly-free/anomaly-free"], "it came with its family: a note, no failure"

    def test_data_that_fail_are_left_out(self, file, data_root, tmp_path):
        """By another cause each: no label, no file, no known anomaly; what can be used is still measured."""
        plain = table(tmp_path / "plain.csv", lines(300))
        wrong = ("skab/anomaly-free/anomaly-free", plain, tmp_path / "none.csv")
        done = command("bench", wrong[0], file, *wrong[1:], *ALONE, "--data-root", data_root)
        assert done.code == 2
        assert re.search(r"^pca ", done.out, re.MULTILINE)
        left_out = [line for line in done.err.splitlines() if line.startswith("left out: ")]
        assert [line.split(": ")[1] for line in left_out] == [str(one) for one in wrong]
        found = strict(command("bench", file, *wrong, *ALONE, "--json", "--data-root", data_root), code=2)
        assert [record["data"]["name"] for record in found["records"]] == ["pump"]
        assert len(found["left_out"]) == 3

    def test_a_set_on_which_one_detector_fails_is_left_out_whole(self, file, tmp_path):
        """Else its rows would count for some detectors and not for others. What was judged is still recorded."""
        narrow = table(tmp_path / "narrow.csv", [",".join(line.split(",")[i] for i in (0, 1, 3)) for line in
                       lines(ROWS, odd=ODD, label=True)])  # fmt: skip
        path = tmp_path / "r.jsonl"
        done = command("bench", narrow, file, *ALONE, "--vary", "latent=1,2", "--record", path, "--format", "csv")
        assert done.code == 2
        assert [line for line in done.err.splitlines() if line.startswith("left out: ")] == [
            f"left out: {narrow}: PCADetector: latent is 2; wanted from 1 to 1"
        ]
        assert {row["series"] for row in rows(done)} == {"1"}
        assert [record["data"]["name"] for record in read(path)] == ["narrow", "pump", "pump"]

    def test_nothing_that_can_be_used(self, tmp_path):
        plain = table(tmp_path / "plain.csv", lines(300))
        text = sentence(command("bench", plain, tmp_path / "none.csv", "--detector", "pca"))
        assert "plain.csv: holds no known anomalies" in text
        assert "none.csv: no such file" in text

    def test_a_setting_is_varied(self, file, tmp_path):
        path, folder = tmp_path / "r.jsonl", tmp_path / "figures"
        done = command("bench", file, *ALONE, "--vary", "latent=1,2", "--record", path, "--format", "csv")
        assert [row["detector"] for row in rows(done)] == ["pca (detector.latent=1)", "pca (detector.latent=2)"]
        assert [record["settings"]["detector.latent"] for record in read(path)] == [1, 2]
        assert command("report", path, "--out", tmp_path / "r.html", "--folder", folder).code == 0
        figure = (folder / "sensitivity-detector.latent.svg").read_text("utf-8")
        assert re.search(r"pca: [\d.]+.* at 1, [\d.]+.* at 2", figure)

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (["--vary", "latnt=1,2"], ["pca has no setting 'latnt'", "latent"]),
            (["--vary", "latent"], ["NAME=VALUE"]),
            (["--vary", "latent=two"], ["latent is 'two'"]),
            (["--results", "x"], ["--results", "NAB"]),
            (["--threshold", "1"], ["--threshold", "NAB"]),
            (["--measure", "nothing"], ["--measure"]),
            (["--protocol", "at-will"], ["'at-will'"]),
            (["--record", "none/r.jsonl"], ["does not exist"]),
            (["--calibrator", "extrem"], ["did you mean 'extreme'?"]),
        ],
        ids=lambda value: "-".join(value[:2]),
    )
    def test_settings_that_are_refused(self, file, tmp_path, monkeypatch, options, said):
        monkeypatch.chdir(tmp_path)
        text = sentence(command("bench", file, *ALONE, *options))
        for word in said:
            assert word in text
        assert list(tmp_path.iterdir()) == []

    def test_seeds(self, file):
        found = strict(command("bench", file, *PCA, "--seeds", "3", "--json"))["records"]
        drawn = [record for record in found if record["detector"] == "random"]
        assert [record["seed"] for record in drawn] == [0, 1, 2]
        assert len({record["measures"]["ROC-AUC"] for record in drawn}) == 3
        assert len(found) == 1 + len(PLAIN) + 2, "what draws nothing runs once"

    def test_files_of_one_name(self, file, tmp_path):
        """A folder for each site, the same name in each: two data sets, not one that changed."""
        for site, seed in (("north", 1), ("south", 2)):
            (tmp_path / site).mkdir()
            one(tmp_path / site / "pump.csv", seed=seed)
        words = (tmp_path / "north" / "pump.csv", tmp_path / "south" / "pump.csv")
        found = rows(command("bench", *words, words[0], *ALONE, "--by", "data", "--format", "csv"))
        assert [row["data"] for row in found] == ["north/pump.csv", "south/pump.csv"]

    def test_names_of_devices_and_files_are_shown_as_they_are(self, fleet):
        words = ("bench", fleet, *ALONE, "--protocol", "leave-one-device-out", "--by", "left out")
        text = command(*words)
        for name in (*HOSTILE, "[b]plant"):
            assert name in text.out
        assert [row["left out"] for row in rows(command(*words, "--format", "csv"))] == [f"'{HOSTILE[0]}", HOSTILE[1]]
        markdown = command(*words, "--format", "markdown").out
        assert r"| =1+1\|cmd | pca |" in markdown
        assert r"| \[red\]b\[/red\] | pca |" in markdown

    @pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
    def test_an_interrupted_run_keeps_what_it_has(self, tmp_path):
        """Code 130, no traceback, and every record that was made stands whole in the file."""
        table(tmp_path / "big.csv", lines(6000, odd=slice(5000, 5100), label=True))
        words = ("bench", "big.csv", *ALONE, "--vary", f"latent={','.join('12' * 200)}", "--record", "r.jsonl")
        run = "import redshank.cli; redshank.cli.main()"
        record = tmp_path / "r.jsonl"
        with subprocess.Popen(
            [sys.executable, "-c", run, *words], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            give_up = time.monotonic() + 60
            while not (record.exists() and record.read_bytes().count(b"\n") >= 2) and time.monotonic() < give_up:
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        assert process.returncode == 130, err
        assert "Traceback" not in err
        assert out == ""
        found = read(record)
        assert 2 <= len(found) < 400
        assert {one["detector"] for one in found} == {"pca"}
        assert {path.name for path in tmp_path.iterdir()} == {"big.csv", "r.jsonl"}


class TestNab:
    @pytest.mark.parametrize("name", ["contextOSE", "knncad"])
    def test_published_scores(self, published, name):
        found, wanted = published
        for profile, own in found[name]["scores"]["oracle"].items():
            assert own["score"] == pytest.approx(wanted[name][profile], abs=0.1)
            assert own["windows"] == 116

    def test_rounded_results_score_what_they_hold(self, published):
        """The file has 9 digits where the published one had 12: rows that were apart are equal in it."""
        own = published[0]["windowedGaussian"]["scores"]["oracle"]
        scores = [own[name]["score"] for name in ("standard", "reward_low_FP_rate", "reward_low_FN_rate")]
        assert scores == pytest.approx([32.676, 3.777, 43.910], abs=0.001)
        assert own["standard"]["windows_hit"] == 77

    def test_halves_and_a_threshold_for_all(self, published):
        own = published[0]["contextOSE"]["scores"]
        assert own["halves"]["standard"]["score"] == pytest.approx(68.379, abs=0.001)
        assert own["fixed"]["standard"]["score"] == pytest.approx(31.818, abs=0.001)
        assert {one["threshold"] for one in own["fixed"].values()} == {0.99}

    def test_what_does_not_look_at_the_data_stands_beside(self, published):
        found = published[0]
        for name, standard in {"never": 0.0, "half probation": 28.396}.items():
            assert found[name]["baseline"]
            assert found[name]["scores"]["oracle"]["standard"]["score"] == pytest.approx(standard, abs=0.001)

    def test_detectors_and_tables(self, nab_root):
        words = ("bench", "nab", "--detector", "ridge", "--detector", "pca", "--data-root", nab_root)
        text = command(*words)
        assert text.code == 0
        for name in ("ridge", "pca", "never", "random", "half"):
            assert re.search(rf"^{name} ", text.out, re.MULTILINE)
        assert "(oracle)" in text.err
        assert "as raised" in text.err
        assert "intervals" not in text.err, "the score has none"
        found = rows(command(*words, "--format", "csv", "--threshold", "3"))
        assert [row["detector"] for row in found][:2] == ["ridge", "pca"]
        assert found[0]["windows hit (oracle)"].endswith(f"/{len(NAB_ROWS)}")
        assert float(found[0]["standard, at 3"]) <= float(found[0]["standard (oracle)"]) + 1e-9

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda files: files.pop("real/a.csv"), "no scores for real/a.csv"),
            (lambda files: files.update({"real/z.csv": ["0.5"]}), "the corpus has no real/z.csv"),
            (lambda files: files["real/b.csv"].pop(), "real/b.csv (399 scores, 400 rows)"),
            (lambda files: files["real/b.csv"].__setitem__(7, "nan"), "real/b.csv, row 7: the score is 'nan'"),
            (lambda files: files["real/b.csv"].__setitem__(7, ""), "real/b.csv, row 7: the score is ''"),
        ],
        ids=["missing", "unknown", "length", "NaN", "empty"],
    )
    def test_results_that_cannot_be_scored(self, nab_root, tmp_path, change, said):
        files = {file: ["0.5"] * count for file, count in NAB_ROWS.items()}
        change(files)
        body = [f"{file},{row},{score}" for file, scores in files.items() for row, score in enumerate(scores)]
        content = "\n".join(["file,row,anomaly_score", *body]) + "\n"
        (tmp_path / "mine.csv.gz").write_bytes(gzip.compress(content.encode()))
        text = sentence(command("bench", "nab", "--results", tmp_path, "--data-root", nab_root))
        assert said in text
        assert "mine" in text

    def test_results_that_are_not_there(self, nab_root, tmp_path):
        words = ("bench", "nab", "--data-root", nab_root, "--results")
        assert "no such file" in sentence(command(*words, tmp_path / "none"))
        assert "no results" in sentence(command(*words, tmp_path))
        assert "numenta/NAB" in sentence(command("bench", "nab", "--data-root", tmp_path))

    def test_a_result_file_may_be_called_like_a_baseline(self, nab_root, tmp_path):
        body = [f"{file},{row},{row % 7}" for file, count in NAB_ROWS.items() for row in range(count)]
        (tmp_path / "never.csv").write_text("\n".join(["file,row,anomaly_score", *body]) + "\n")
        found = rows(command("bench", "nab", "--data-root", nab_root, "--results", tmp_path, "--format", "csv"))
        assert [row["detector"] for row in found][:2] == ["never", "never (baseline)"]

    @pytest.mark.parametrize(
        "options",
        [
            ("--protocol", "random-k-fold"),
            ("--no-baselines",),
            ("--vary", "latent=1"),
            ("--seeds", "2"),
            ("--by", "data"),
            ("--measure", "F1"),
            ("--budget", "1 per day"),
            ("--results", "x", "--detector", "pca"),
            ("--threshold", "nan"),
            ("--detector", "pac"),
        ],
        ids=lambda options: options[0],
    )
    def test_options_that_would_change_nothing_are_refused(self, nab_root, tmp_path, monkeypatch, options):
        monkeypatch.chdir(tmp_path)
        text = sentence(command("bench", "nab", "--data-root", nab_root, *options))
        assert options[0].replace("--no-", "--") in text or options[-1] in text.lower()
        assert list(tmp_path.iterdir()) == []


class TestReport:
    def test_of_several_files(self, kept, other, tmp_path):
        more, out, folder = tmp_path / "more.jsonl", tmp_path / "page.html", tmp_path / "figures"
        assert command("evaluate", other, *ALONE, "--record", more).code == 0
        before = kept.read_bytes(), more.read_bytes()
        done = command("report", kept, more, "--out", out, "--folder", folder, "--title", "<i>Plant</i>", "--json")
        found = strict(done)
        assert found["records"] == 2 + len(PLAIN)
        assert set(found["written"]) == {str(out), *map(str, folder.iterdir())}
        page = out.read_text("utf-8")
        assert "&lt;i&gt;Plant&lt;/i&gt;" in page
        assert "<i>Plant" not in page
        body = list(csv.DictReader(io.StringIO((folder / "runs.csv").read_text("utf-8"))))
        assert [row["data"] for row in body] == ["pump"] * (1 + len(PLAIN)) + ["valve"]
        assert {"roc.svg", "pr.svg", "confusion.svg", "scores-1.svg"} <= {path.name for path in folder.iterdir()}
        assert (kept.read_bytes(), more.read_bytes()) == before

    def test_writes_what_it_says(self, kept, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        done = command("report", kept)
        assert (done.code, done.out) == (0, "report.html\n")
        assert [path.name for path in tmp_path.iterdir()] == ["report.html"]

    def test_of_a_period(self, kept, tmp_path):
        """The anomaly is at 08:20 to 08:50 of the first day."""
        out = tmp_path / "r.html"
        counts = []
        for span in ([], ["--since", "2024-01-01T08:10"], ["--until", "2024-01-01T08:10"]):
            assert command("report", kept, "--out", out, *span).code == 0
            counts.append(out.read_text("utf-8").count('class="incident"'))
        assert counts[0] == counts[1] > counts[2] == 0
        text = sentence(command("report", kept, "--out", out, "--since", "2024-01-02", "--until", "2024-01-01"))
        assert "period" in text
        assert "'yesterday'" in sentence(command("report", kept, "--out", out, "--since", "yesterday"))
        assert "the run is from 2024-01-01" in sentence(command("report", kept, "--out", out, "--since", "2024-03-01"))

    def test_several_protocols_in_one_file(self, kept, file, tmp_path):
        path = tmp_path / "r.jsonl"
        path.write_bytes(kept.read_bytes())
        assert command("evaluate", file, *ALONE, "--protocol", "rolling-origin", "--record", path).code == 0
        done = command("report", path, "--out", tmp_path / "r.html", "--folder", tmp_path / "f")
        assert done.code == 0, done.err
        body = list(csv.DictReader(io.StringIO((tmp_path / "f" / "results.csv").read_text("utf-8"))))
        assert {row["protocol"] for row in body} == {"chronological hold-out", "rolling origin"}

    def test_pdf(self, kept, tmp_path, chromium):
        out, pdf = tmp_path / "r.html", tmp_path / "r.pdf"
        done = command("report", kept, "--out", out, "--pdf", pdf)
        assert (done.code, done.out.split()) == (0, [str(out), str(pdf)])
        assert pdf.read_bytes().startswith(b"%PDF-")

    def test_no_browser_to_print_with(self, kept, tmp_path, monkeypatch):
        monkeypatch.setattr("redshank.evaluate.pages._browser.BROWSERS", ())
        done = command("report", kept, "--out", tmp_path / "r.html", "--pdf", tmp_path / "r.pdf")
        assert "Chromium" in sentence(done)
        assert not (tmp_path / "r.pdf").exists()

    def test_a_cut_last_line(self, kept, tmp_path):
        """As a power cut leaves it: the line is named, and a record that is added later stands on its own."""
        path = tmp_path / "r.jsonl"
        whole = kept.read_bytes().splitlines(keepends=True)
        path.write_bytes(whole[0] + whole[1][:200])
        text = sentence(command("report", path, "--out", tmp_path / "r.html"))
        assert f"{path}: line 2 is not a whole record" in text
        append(path, json.loads(whole[2]))
        assert "line 2" in sentence(command("report", path, "--out", tmp_path / "r.html"))
        assert path.read_bytes().splitlines()[2] == whole[2].rstrip(b"\n")
        assert [one.name for one in tmp_path.iterdir()] == ["r.jsonl"]

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"", "no records"),
            (b"\n\n", "no records"),
            (b"time,temp\n1,2\n", "line 1 is not a whole record"),
            (b'{"schema": 1, "kind": "note"}\n', "no records"),
            (b'{"schema": 1, "kind": "run", "detector": "pca"}\n', "run 1 lacks data, split"),
            (b'{"schema": 99}\n', "has schema 99"),
            (b"[1, 2]\n", "is not a record"),
            (None, "cannot be read"),
        ],
        ids=["empty", "blank", "csv", "kind", "sections", "schema", "list", "absent"],
    )
    def test_files_without_runs(self, tmp_path, content, said):
        path = tmp_path / "r.jsonl"
        if content is not None:
            path.write_bytes(content)
        text = sentence(command("report", path, "--out", tmp_path / "r.html"))
        assert str(path) in text
        assert said in text
        assert not (tmp_path / "r.html").exists()

    def test_baselines_alone(self, kept, tmp_path):
        path = tmp_path / "r.jsonl"
        for record in read(kept)[1:]:
            append(path, record)
        assert "not a baseline" in sentence(command("report", path, "--out", tmp_path / "r.html"))

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (["--out", "none/r.html"], "does not exist"),
            (["--out", "."], "is a folder"),
            (["--pdf", "none/r.pdf"], "does not exist"),
            (["--out", "r.jsonl"], "written over"),
            (["--pdf", "r.jsonl"], "written over"),
            (["--out", "same", "--pdf", "same"], "written over"),
            (["--folder", "r.jsonl"], "is a file"),
        ],
        ids="-".join,
    )
    def test_places_that_are_refused(self, kept, tmp_path, monkeypatch, options, said):
        monkeypatch.chdir(tmp_path)
        Path("r.jsonl").write_bytes(kept.read_bytes())
        assert said in sentence(command("report", "r.jsonl", *options))
        assert [path.name for path in tmp_path.iterdir()] == ["r.jsonl"]
        assert Path("r.jsonl").read_bytes() == kept.read_bytes(), "records are never written over"


@pytest.mark.parametrize(
    "arguments",
    [
        ("evaluate", "a.csv", "--label", "label", "--detector", "pca", "--report", "r.html"),
        ("evaluate", "a.csv", "--label", "label", "--detector", "pca"),
        ("bench", "a.csv", "--label", "label", "--detector", "pca"),
        ("bench", "nab", "--results", "a.csv"),
        ("report", "r.jsonl"),
    ],
    ids=lambda arguments: "-".join(arguments[:2]),
)
def test_the_small_install_says_what_is_missing(kept, file, tmp_path, arguments):
    """The libraries of the extra are made absent; `test_core_only` has a real environment without them."""
    (tmp_path / "a.csv").write_bytes(file.read_bytes())
    (tmp_path / "r.jsonl").write_bytes(kept.read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRA, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    assert "pip install 'redshank[train]'" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "r.jsonl"]
