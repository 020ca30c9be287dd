"""Result files of detectors on NAB: both layouts, and every fault named with its file and row."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from redshank.core import InputError
from redshank.evaluate.nab_results import Corpus, corpus, read_results

WANTED = {"real/a.csv": [0.5, 0.25, 1.0], "real/b.csv": [0.0, 1e-9]}
AGAINST = Corpus({"real/a.csv": ((0, 1),), "real/b.csv": ()}, {"real/a.csv": np.arange(3), "real/b.csv": np.arange(2)})


def table(files: Mapping[str, list[float]]) -> str:
    lines = [f"{file},{row},{score!r}" for file, scores in files.items() for row, score in enumerate(scores)]
    return "\n".join(["file,row,anomaly_score", *lines]) + "\n"


def layout(folder: Path, files: Mapping[str, list[float]]) -> Path:
    """The benchmark's own: DETECTOR/CATEGORY/DETECTOR_FILE.csv, and its summaries beside."""
    for file, scores in files.items():
        category, name = file.split("/")
        path = folder / category / f"{folder.name}_{name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"2014-04-10 00:0{row}:00,{row * 1.5},{score!r},0,-0.11" for row, score in enumerate(scores)]
        path.write_text("\n".join(["timestamp,value,anomaly_score,label,S(t)_standard", *lines]) + "\n")
    (folder / f"{folder.name}_standard_scores.csv").write_text("Detector,Profile,Score\nx,standard,1.0\n")
    return folder


def same(found: Mapping[str, np.ndarray], wanted: Mapping[str, list[float]] = WANTED) -> bool:
    return {file: scores.tolist() for file, scores in found.items()} == wanted


def test_one_table(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(table(WANTED))
    found = read_results(path, AGAINST)
    assert list(found) == ["mine"]
    assert same(found["mine"])
    assert found["mine"]["real/a.csv"].dtype == np.float64


def test_rows_of_a_table_may_come_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    header, *lines = table(WANTED).splitlines()
    path.write_text("\n".join([header, *lines[::-1]]))
    assert same(read_results(path, AGAINST)["mine"])


def test_a_folder_of_both_layouts(tmp_path: Path) -> None:
    (tmp_path / "packed.csv.gz").write_bytes(gzip.compress(table(WANTED).encode()))
    (tmp_path / "published_scores.json").write_text("{}")
    (tmp_path / "empty").mkdir()
    layout(tmp_path / "knn_cad", WANTED)
    found = read_results(tmp_path, AGAINST)
    assert set(found) == {"packed", "knn_cad"}
    assert same(found["packed"])
    assert same(found["knn_cad"])


def test_one_detector_folder(tmp_path: Path) -> None:
    found = read_results(layout(tmp_path / "knn", WANTED), AGAINST)
    assert list(found) == ["knn"]
    assert same(found["knn"])


def test_two_results_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "knn.csv").write_text(table(WANTED))
    layout(tmp_path / "knn", WANTED)
    with pytest.raises(InputError, match="two results are called 'knn'"):
        read_results(tmp_path)


def test_no_results(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no results; wanted CSV files with the columns file, row, anomaly_score"):
        read_results(tmp_path)
    with pytest.raises(InputError, match="no such file"):
        read_results(tmp_path / "away.csv")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"real/a.csv": [0.5, 0.25, 1.0]}, "'mine': no scores for real/b.csv"),
        (WANTED | {"real/c.csv": [0.0]}, "'mine': the corpus has no real/c.csv"),
        (WANTED | {"real/b.csv": [0.0]}, r"'mine': not one score a row in real/b.csv \(1 scores, 2 rows\)"),
    ],
)
def test_a_detector_must_fit_the_corpus(tmp_path: Path, files: dict[str, list[float]], message: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(table(files))
    assert same(read_results(path)["mine"], files)
    with pytest.raises(InputError, match=message):
        read_results(path, AGAINST)


def test_only_some_of_many_lacking_files_are_listed() -> None:
    many = Corpus({}, {f"real/{number}.csv": np.arange(1) for number in range(9)})
    with pytest.raises(InputError, match=r"real/0.csv, .*real/4.csv and 4 more; all files count"):
        many.check("mine", {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,row,score\na,0,1\n", "no column anomaly_score, only file, row, score"),
        ("file,row,anomaly_score\na,0,0.5\na,1,high\n", "mine.csv: a, row 1: the score is 'high'"),
        ("file,row,anomaly_score\na,0,0.5\na,1,\n", "mine.csv: a, row 1: the score is ''"),
        ("file,row,anomaly_score\na,0,nan\n", "mine.csv: a, row 0: the score is 'nan'; wanted a finite number"),
        ("file,row,anomaly_score\na,0,inf\n", "mine.csv: a, row 0: the score is 'inf'"),
        ("file,row,anomaly_score\na,0,0.5\na,2,0.5\n", "mine.csv: a: row 1 is missing"),
        ("file,row,anomaly_score\na,1,0.5\n", "mine.csv: a: row 0 is missing"),
        ("file,row,anomaly_score\na,0,0.5\na,1,1\na,1,1\n", "mine.csv: a: row 1 comes twice"),
        ("file,row,anomaly_score\na,-1,0.5\na,0,1\n", "mine.csv: a: row -1 comes twice or is below 0"),
        ("file,row,anomaly_score\na,0,0.5\na,x,1\n", "mine.csv: line 3 lacks a file or the number of a row"),
        ("file,row,anomaly_score\na,0,0.5\n,1,1\n", "mine.csv: line 3 lacks a file"),
        ("file,row,anomaly_score\na,0,0.5,7\n", "mine.csv: cannot be read as a table"),
        ("", "mine.csv: the file is empty"),
    ],
)
def test_faults_of_a_table_are_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_results(path)


def test_a_fault_in_the_benchmarks_own_layout_is_named(tmp_path: Path) -> None:
    part = layout(tmp_path / "knn", WANTED) / "real" / "knn_a.csv"
    part.write_text(part.read_text().replace("0.25", "?"))
    with pytest.raises(InputError, match=r"knn_a.csv: row 1: the score is '\?'"):
        read_results(tmp_path)


def test_the_corpus(data_root: Path) -> None:
    found = corpus(data_root)
    assert (len(found.rows), sum(found.rows.values()), sum(map(len, found.windows.values()))) == (58, 365_558, 116)
    for file, windows in found.windows.items():
        assert np.isin(np.array(windows, dtype=np.int64), found.time_ns[file]).all()


def test_a_corpus_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="published at GitHub numenta/NAB"):
        corpus(tmp_path)
    (tmp_path / "nab" / "data").mkdir(parents=True)
    with pytest.raises(InputError, match="numenta/NAB"):
        corpus(tmp_path)
