"""The table of the board says what its records say: means, marks, what failed, and who beats the anchors."""

from __future__ import annotations

import math

import numpy as np
import pytest

from redshank.core import InputError
from redshank.evaluate.board.detectors import BOARD, NO_LABELS, QUICK_BOARD
from redshank.evaluate.board.series import LEAVE_OUT, RANDOM_ROWS, SERIES
from redshank.evaluate.board.table import ALL, board_table
from redshank.evaluate.intervals import bootstrap_interval

MEASURES = {"VUS-PR": 0.5, "event recall": 0.8, "false alarms per day": 0.1, "ROC-AUC": 0.9, "F1": 0.4}


def row(detector, series, vus=0.5, *, protocol=SERIES, board=BOARD, deep=False, fit=1.0, peak=100.0, **more):
    return {
        "schema": 1,
        "kind": "board",
        "board": board,
        "job": f"{detector} on {series}, {protocol}",
        "arguments": {
            "detector": detector,
            "series": series,
            "protocol": protocol,
            "budget_s": 2.0,
            "train_rows": None,
            "test_rows": None,
        },
        "status": "done",
        "reason": "",
        "run": "r",
        "peak_mib": peak,
        "peak_of": "of the job",
        "before_mib": 50.0,
        "detector": detector,
        "deep": deep,
        "remarks": [],
        "measures": MEASURES | {"VUS-PR": vus},
        "seconds": {"fit": fit, "score": 0.1},
        "cpu_s": {"fit": fit, "score": 0.1},
        "rows_per_s": 1000.0,
        **more,
    }


def nab(detector, values, **more):
    return [row(detector, f"nab/{place}", value, **more) for place, value in enumerate(values)]


ANCHOR = nab("anchor:ar10", np.linspace(0.2, 0.5, 8))


def cells(table, detector, data):
    found = [dict(zip(table.columns, one, strict=True)) for one in table.rows]
    return next(one for one in found if one["data"] == data and one["detector"].startswith(detector))


def test_means_intervals_and_costs_of_a_family():
    values = [0.1, 0.2, 0.4, 0.5, 0.9]
    records = [row("pca", f"nab/{k}", one, fit=k, peak=100 + k) for k, one in enumerate(values)]
    found = cells(board_table(records), "pca", "nab")
    interval = bootstrap_interval(values)
    assert (found["VUS-PR"].value, found["VUS-PR"].low) == pytest.approx((np.mean(values), interval.low))
    assert found["fit s"] == 2.0
    assert found["peak MiB"] == 104.0
    assert found["series"] == "5"


def test_all_is_the_mean_of_the_families_whatever_their_size():
    records = [*nab("pca", [0.2, 0.2, 0.2, 0.2]), *[row("pca", f"skab/valve1/{k}", 0.6 + 0.1 * k) for k in range(3)]]
    table = board_table(records)
    found = cells(table, "pca", ALL)["VUS-PR"]
    assert found.value == pytest.approx((0.2 + 0.7) / 2)
    # one spread of 0.1 in three series and none in the other family: Student's t of two degrees, halved
    assert found.high - found.value == pytest.approx(4.302653 * 0.1 / math.sqrt(3) / 2, rel=1e-6)
    assert not found.partial


def test_order_and_breaks():
    records = [*nab("pca", [0.3] * 5), *nab("ridge", [0.4] * 5), *nab("never", [0.9] * 5), *ANCHOR]
    table = board_table(records)
    assert [one[1] for one in table.rows] == ["ridge", "pca", "anchor:ar10", "never (baseline)"]
    assert table.breaks == (2, 3)


def test_who_beats_the_best_anchor():
    anchor = np.linspace(0.2, 0.5, 8)
    worse = nab("anchor:maha", anchor - 0.1)
    records = [
        *ANCHOR,
        *worse,
        *nab("gru", anchor + 0.2, deep=True),
        *nab("lstm", anchor - 0.05, deep=True),
        *nab("knn", anchor + np.array([0.3, -0.1, 0.2, -0.2, 0.1, -0.1, 0.1, -0.1])),
        *[row("lstm", f"skab/valve1/{k}", 0.1, deep=True, fit=1.99) for k in range(3)],  # of 2 s
        *[row("anchor:ar10", f"skab/valve1/{k}", 0.2) for k in range(3)],
    ]
    table = board_table(records)
    assert [cells(table, name, "nab")["beats anchors"] for name in ("gru", "lstm", "knn")] == ["yes", "no", "(yes)"]
    assert [cells(table, name, ALL)["beats anchors"] for name in ("gru", "lstm", "knn")] == ["nab", "none", "(nab)"]
    assert cells(table, "anchor:ar10", "nab")["beats anchors"] == ""
    (note,) = [note for note in table.notes if note.startswith("Deep detectors that beat")]
    assert note.endswith("for longer training: lstm (27%).")
    assert cells(table, "lstm", "skab")["remarks"] == "3 of 3 fits ended by their seconds"
    assert cells(table, "lstm", "nab")["remarks"] == cells(table, "knn", "nab")["remarks"] == ""


def test_what_failed_is_said_and_marked():
    records = nab("pca", [0.3] * 3)
    late = row("pca", "nab/3") | {"status": "out of time", "reason": "stopped after 300 s"}
    lost = row("lof", "nab/0") | {"status": "failed", "reason": "ValueError: odd"}
    table = board_table([*records, late, lost])
    found = cells(table, "pca", "nab")
    assert found["VUS-PR"].partial
    assert found["series"] == "3 of 4"
    assert found["remarks"] == "1 of 4 out of time: stopped after 300 s"
    found = cells(table, "lof", "nab")
    assert math.isnan(found["VUS-PR"].value)
    assert (found["series"], found["remarks"]) == ("0 of 1", "1 of 1 failed: ValueError: odd")


def test_the_last_record_of_a_job_counts():
    failed = row("pca", "nab/0") | {"status": "failed", "reason": "x"}
    found = cells(board_table([failed, row("pca", "nab/0", 0.7)]), "pca", "nab")
    assert (found["VUS-PR"].value, found["series"], found["remarks"]) == (0.7, "1", "")


def test_a_detector_that_cannot_be_taught_says_why():
    nothing = row("svm", "nab", protocol=NO_LABELS) | {"left_out": NO_LABELS}
    taught = [
        row("svm", f"skab/valve1/{k}", 0.9, protocol=LEAVE_OUT, remarks=["with labels of the other recordings"])
        for k in range(3)
    ]
    anchors = [row("anchor:ar10", f"skab/valve1/{k}", 0.5) for k in range(3)]
    table = board_table([nothing, *taught, *anchors, *ANCHOR])
    found = cells(table, "svm", "nab")
    assert math.isnan(found["VUS-PR"].value)
    assert found["remarks"] == NO_LABELS
    assert cells(table, "svm", "skab")["beats anchors"] == "(yes)", "judged on the same rows"
    assert cells(table, "svm", ALL)["VUS-PR"].partial


def test_rows_without_order_have_no_events():
    measures = MEASURES | {"event recall": None, "false alarms per day": None}
    records = [*nab("pca", [0.5] * 5), row("pca", "nsl_kdd/x", protocol=RANDOM_ROWS) | {"measures": measures}]
    found = cells(board_table(records), "pca", ALL)
    assert found["event recall"].value == 0.8
    assert not found["event recall"].partial


def test_quick_and_full_do_not_mix():
    quick = row("pca", "nab/0", board=QUICK_BOARD)
    assert "quick" in board_table([quick]).caption
    with pytest.raises(InputError, match="quick"):
        board_table([quick, row("pca", "nab/0")])
    with pytest.raises(InputError, match="no record"):
        board_table([{"schema": 1, "kind": "run"}])


def test_limits_are_said():
    cut = row("pca", "ucr/1")
    cut["arguments"] |= {"train_rows": 5000, "test_rows": 10000}
    found = board_table([cut, *ANCHOR]).notes
    assert (
        "ucr: at most 5,000 of the last training rows and 10,000 judged rows around an anomaly, drawn once for all."
        in (found)
    )
    assert any("one row in 60 s is assumed" in note for note in found)
    assert any(note.startswith("Networks") and "nab 2" in note for note in found)


def test_forms():
    table = board_table([*ANCHOR, *nab("pca", [0.3] * 5)])
    assert "anchor:ar10" in table.markdown()
    assert table.csv().splitlines()[0].startswith("data,detector,VUS-PR")
    assert "booktabs" not in table.latex()
