"""The NAB board: records hold every figure, and the table says which threshold each stands on."""

import numpy as np
import pytest

from redshank.evaluate.nab_board import nab_record, nab_table
from redshank.evaluate.nab_run import RAISED, nab_trivial
from redshank.evaluate.records import append, read

ROWS = {"a/x.csv": 1000, "a/y.csv": 1000}
WINDOWS = {"a/x.csv": [(500, 549)], "a/y.csv": [(700, 749)]}
TIMES = {file: np.arange(count) for file, count in ROWS.items()}


def scores(at: int, height: float) -> dict[str, np.ndarray]:
    """One alarm a file, ``at`` rows into its window, and a lower one before any window."""
    found = {file: np.zeros(count) for file, count in ROWS.items()}
    for file, ((first, _),) in WINDOWS.items():
        found[file][first + at] = height
        found[file][300] = height / 2
    return found


def test_a_record_survives_the_file_and_gives_the_same_board(tmp_path):
    record = nab_record("mine", scores(0, 4.0), WINDOWS, TIMES, threshold=RAISED)
    append(tmp_path / "r.jsonl", record)
    (back,) = read(tmp_path / "r.jsonl")
    assert nab_table([back]).rows == nab_table([record]).rows
    assert back["scores"]["oracle"]["standard"]["score"] == pytest.approx(100.0, abs=0.1)
    assert back["scores"]["fixed"]["standard"]["false_rows"] == 2, "every alarm counts at the level that raises any"
    assert back["scores"]["fixed"]["standard"]["score"] < back["scores"]["oracle"]["standard"]["score"]


def test_the_board_marks_oracles_and_sets_baselines_apart():
    trivial = [nab_record(name, own, WINDOWS, TIMES, baseline=True) for name, own in nab_trivial(ROWS, seed=1).items()]
    table = nab_table([*trivial, nab_record("mine", scores(10, 4.0), WINDOWS, TIMES, threshold=RAISED)])
    assert [row[0] for row in table.rows] == [
        "mine",
        "never (baseline)",
        "random (baseline)",
        "half probation (baseline)",
    ]
    assert table.breaks == (1,)
    assert [name for name in table.columns if "(oracle)" in name] == [
        "standard (oracle)",
        "low FP (oracle)",
        "low FN (oracle)",
        "windows hit (oracle)",
        "false rows (oracle)",
    ]
    assert any(name == "standard, as raised" for name in table.columns)
    assert any("no label was seen" in note for note in table.notes)
    assert "\N{EN DASH}" in table.markdown(), "baselines raise nothing of their own"


def test_of_two_records_of_a_name_the_later_counts():
    early = nab_record("mine", scores(40, 4.0), WINDOWS, TIMES)
    late = nab_record("mine", scores(0, 4.0), WINDOWS, TIMES)
    assert nab_table([early, late]).rows == nab_table([late]).rows


def test_a_threshold_of_ones_own_names_itself():
    table = nab_table([nab_record("mine", scores(0, 4.0), WINDOWS, TIMES, threshold=3.0)])
    assert "standard, at 3" in table.columns
    assert not any("as raised" in note for note in table.notes)
