"""Tables from records built by hand: what is averaged, what is marked, what is refused, what cannot break out."""

import csv
import io
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redshank.core import InputError, SettingError
from redshank.evaluate.intervals import bootstrap_interval, garwood, wilson
from redshank.evaluate.significance import paired, ranks
from redshank.evaluate.tables import (
    DEFAULT_MEASURES,
    HIGHER_IS_BETTER,
    RATE,
    Measured,
    Table,
    by_series,
    pairs_table,
    results_table,
    runs_table,
)

DASH = "\N{EN DASH}"


def record(detector="ridge", values=(0.4,) * 8, *, seed=0, baseline=False, measure="VUS-PR", split=None, **parts):
    """One run; ``values`` is the measure of each series."""
    known = [value for value in values if value is not None and not math.isnan(value)]
    return {
        "schema": 1,
        "kind": "run",
        "data": {"name": "pumps", "source": "pumps.csv", "fingerprint": "0123456789abcdef", "rows": 800},
        "split": {
            "protocol": "chronological hold-out",
            "fold": 0,
            "folds": 1,
            "train_rows": 400,
            "test_rows": 400,
            "left_out": "",
            "leaks": "",
        }
        | (split or {}),
        "audit": [],
        "detector": detector,
        "baseline": baseline,
        "seed": seed,
        "settings": {"alpha": 1.0, "seed": seed},
        "measures": {measure: float(np.mean(known)) if known else None, "ROC-AUC": 0.8},
        "oracle": {"F1": 0.9},
        "series": [
            {"name": f"pump-{place}", "measures": {measure: value}, "oracle": {"F1": 0.95}}
            for place, value in enumerate(values)
        ],
        "events": {"known": 10, "found": 7, "incidents": 9, "false": 2, "device_weeks": 4.0, "delays_s": [10.0, 30.0]},
        "calibration": {"budget": "1 per device per week"},
        "seconds": {"read": None, "learn": 1.5, "judge": 0.5},
        "peak_mib": 123.0,
        "command": "redshank evaluate pumps.csv",
    } | parts


GOOD = (0.62, 0.71, 0.55, 0.68, 0.74, 0.59, 0.66, 0.7)
FAIR = tuple(value - 0.1 - 0.01 * place for place, value in enumerate(GOOD))
POOR = (0.12, 0.1, 0.09, 0.13, 0.11, 0.1, 0.14, 0.08)


def three():
    return [
        record("random", POOR, baseline=True),
        record("fair", FAIR),
        record("good", GOOD),
    ]


def cell(table, row, column):
    return table.rows[row][table.columns.index(column)]


# --- what stands in a table


def test_a_row_is_the_mean_over_series_with_its_interval():
    table = results_table(three())
    assert table.columns == ("detector", *DEFAULT_MEASURES, "series")
    found, expected = cell(table, 0, "VUS-PR"), bootstrap_interval(GOOD)
    assert (found.value, found.low, found.high) == (expected.estimate, expected.low, expected.high)
    assert cell(table, 0, "series") == 8
    assert table.cells()[0][1] == "0.656 [0.595, 0.704]"


def test_baselines_stand_behind_and_marked_however_good_they_are():
    table = results_table([record("lucky", [0.99] * 8, baseline=True), *three()])
    assert [row[0] for row in table.rows] == ["good", "fair", "lucky (baseline)", "random (baseline)"]
    assert table.breaks == (2,)
    assert not cell(table, 0, "VUS-PR").best
    without = results_table(three(), baselines=False)
    assert [row[0] for row in without.rows] == ["good", "fair"]
    assert any("left out of this table" in note for note in without.notes)
    alone = results_table([record()])
    assert any("No trivial baseline was run" in note for note in alone.notes)


def test_bold_only_where_the_best_is_told_from_every_other_row():
    table = results_table(three(), ["VUS-PR"])
    assert [row[1].best for row in table.rows] == [True, False, False]
    # One series of eight the other way, and far: the mean stays best, the test does not.
    near = record("near", [*(value + 0.01 for value in GOOD[:4]), *(value - 0.05 for value in GOOD[4:])])
    assert paired(by_series([near], "VUS-PR")["near"], by_series(three(), "VUS-PR")["good"]).p_value > 0.05
    assert not any(row[1].best for row in results_table([*three(), near], ["VUS-PR"]).rows)
    # A row whose value is known as a total only cannot be told from others.
    total = record("total", (), measures={"VUS-PR": 0.2})
    assert not any(row[1].best for row in results_table([*three(), total], ["VUS-PR"]).rows)
    # Five series cannot give p below 0.05.
    few = [record("a", GOOD[:5]), record("b", POOR[:5])]
    assert not any(row[1].best for row in results_table(few, ["VUS-PR"]).rows)


def test_lower_is_better_for_delays_and_named_in_the_notes():
    runs = [record("slow", [9.0 + s for s in range(8)], measure="median delay, s")]
    runs.append(record("fast", [1.0 + s / 2 for s in range(8)], measure="median delay, s"))
    table = results_table(runs, ["median delay, s", "ROC-AUC"])
    assert [row[0] for row in table.rows] == ["fast", "slow"]
    assert table.rows[0][1].best
    assert "Lower is better: median delay, s." in table.notes
    assert HIGHER_IS_BETTER["VUS-PR"]
    assert not HIGHER_IS_BETTER[RATE]


def test_folds_and_seeds_are_averaged_within_a_series_first():
    folds = [{"fold": fold, "folds": 2, "protocol": "blocked k-fold"} for fold in (0, 1)]
    runs = [
        record("a", [0.2, 0.4, 0.6, 0.8, 1.0], split=folds[0]),
        record("a", [0.4, 0.6, 0.8, 1.0, None], split=folds[1]),
    ]
    assert by_series(runs, "VUS-PR")["a"] == pytest.approx(
        {"pumps: pump-0": 0.3, "pumps: pump-1": 0.5, "pumps: pump-2": 0.7, "pumps: pump-3": 0.9, "pumps: pump-4": 1.0}
    )
    assert cell(results_table(runs), 0, "VUS-PR").value == pytest.approx(0.68)
    seeds = [record("a", [0.2] * 5, seed=0), record("a", [0.4] * 5, seed=1)]
    assert cell(results_table(seeds), 0, "VUS-PR").value == pytest.approx(0.3)
    assert len(results_table(seeds).rows) == 1
    assert "Seeds: 0, 1." in results_table(seeds).notes


def test_events_are_pooled_and_counts_added_up():
    folds = [{"fold": fold, "folds": 2, "protocol": "rolling origin"} for fold in (0, 1)]
    events = {"known": 30, "found": 3, "incidents": 9, "false": 6, "device_weeks": 4.0, "delays_s": []}
    runs = [record(split=folds[0], seed=seed) for seed in (0, 1)]
    runs += [record(split=folds[1], seed=seed, events=events) for seed in (0, 1)]
    table = results_table(runs, [RATE, "event recall", "known events", "median delay, s"])
    for column, expected in ((RATE, garwood(8, 8)), ("event recall", wilson(10, 40))):
        found = cell(table, 0, column)
        assert (found.value, found.low, found.high) == (expected.estimate, expected.low, expected.high)
    assert cell(table, 0, "known events") == 40
    assert cell(table, 0, "median delay, s").value == 20
    plain = results_table(runs, [RATE, "VUS-PR"], interval=False)
    assert [str(one) for one in plain.rows[0][1:3]] == ["1.00", "0.400"]
    assert not any("Brackets" in note for note in plain.notes)


def test_oracles_are_always_marked_and_never_bold():
    runs = three()
    for place, run in enumerate(runs):
        for series in run["series"]:
            series["oracle"]["F1"] = 0.5 + place / 10 + len(series["name"]) / 100
    table = results_table(runs, ["VUS-PR", "F1 (oracle)"])
    assert cell(table, 0, "F1 (oracle)").value == pytest.approx(0.76)
    assert not any(row[2].best for row in table.rows)
    assert any(note.startswith("(oracle): at a threshold chosen with the labels") for note in table.notes)
    # Without the mark there is nothing: the oracle is not taken for the measure.
    assert math.isnan(cell(results_table(runs, ["F1"]), 0, "F1").value)


def test_an_undefined_measure_is_a_dash_and_a_partly_defined_one_is_noted():
    table = results_table([record("a", [0.1, math.nan, 0.3, 0.4, 0.5, 0.6]), record("b", [None] * 6)], ["VUS-PR"])
    assert table.cells()[1][1] == DASH
    assert "a: VUS-PR is not defined on 1 of 6 series; mean of the others." in table.notes


def test_the_notes_say_where_the_numbers_come_from():
    audit = [
        {"check": "time", "column": "", "severity": "leak", "figure": 0.9, "sentence": "the label follows the time"}
    ]
    leaking = {"protocol": "random k-fold", "leaks": "leaks neighbours: rows beside test rows were learned"}
    table = results_table([record(split=leaking, audit=audit)])
    notes = "\n".join(table.notes)
    for part in (
        "Data: pumps (fingerprint 0123456789abcdef).",
        "Protocol: random k-fold; folds: 1.",
        "Leak: leaks neighbours: rows beside test rows were learned.",
        "Audit, leak: the label follows the time.",
        "Seeds: 0.",
        "Command: redshank evaluate pumps.csv",
    ):
        assert part in notes
    # The mark must survive where notes do not go.
    assert "leaks neighbours" in table.csv()
    assert "leaks" not in results_table([record()]).columns
    both = [record(split=leaking), record("other", split=leaking)]
    assert pairs_table(both, "VUS-PR", "other").csv().count("leaks neighbours") == 1


def test_unlike_settings_stand_apart_where_they_competed_and_together_where_they_were_tuned():
    rivals = [record(settings={"alpha": 1.0, "lags": 3}), record(settings={"alpha": 0.1, "lags": 3}, values=GOOD)]
    assert [row[0] for row in results_table(rivals).rows] == ["ridge (alpha=0.1)", "ridge (alpha=1.0)"]
    folds = [{"fold": fold, "folds": 2} for fold in (0, 1)]
    tuned = [record(split=folds[0]), record(split=folds[1], settings={"alpha": 0.1})]
    table = results_table(tuned)
    assert [row[0] for row in table.rows] == ["ridge"]
    assert "ridge: runs differ in alpha; one row holds them all." in table.notes


def test_a_run_that_came_again_counts_once():
    table = results_table([record(values=[0.1] * 6), record(values=[0.3] * 6)])
    assert cell(table, 0, "VUS-PR").value == pytest.approx(0.3)
    assert any(note.startswith("1 records are of runs that came again") for note in table.notes)


def test_rows_judged_on_fewer_series_are_noted():
    table = results_table([record("a", [0.5] * 8), record("b", [0.5] * 6)])
    assert "b: judged on 6 of 8 series and folds of this table." in table.notes


def test_one_row_a_detector_and_section():
    other = {"name": "fans", "source": "", "fingerprint": "f" * 16, "rows": 5}
    runs = [*three(), record("good", POOR, data=other), record("fair", GOOD, data=other)]
    table = results_table(runs, ["VUS-PR"], by="data")
    assert table.columns == ("data", "detector", "VUS-PR", "series")
    assert [row[:2] for row in table.rows] == [
        ("pumps", "good"),
        ("pumps", "fair"),
        ("pumps", "random (baseline)"),
        ("fans", "fair"),
        ("fans", "good"),
    ]
    assert [row[2].best for row in table.rows] == [True, False, False, True, False]
    assert table.breaks == (2, 3)
    assert cell(results_table(runs), 0, "series") == 16


def test_runs_one_by_one():
    table = runs_table([record(), record("random", baseline=True, split={"leaks": "leaks neighbours"})], ["VUS-PR"])
    assert table.cells() == [
        ["pumps", "chronological hold-out", "0", "", "ridge", "0", "0.400", "2.00", "123", ""],
        [
            "pumps",
            "chronological hold-out",
            "0",
            "",
            "random (baseline)",
            "0",
            "0.400",
            "2.00",
            "123",
            "leaks neighbours",
        ],
    ]


def test_pairs_against_one_with_holms_correction():
    table = pairs_table([*three(), record("twin", GOOD)], "VUS-PR", "good")
    rows = {row[0]: row for row in table.rows}
    assert [row[0] for row in table.rows] == ["fair", "twin", "random (baseline)"]
    assert rows["fair"][1] == 8
    assert rows["fair"][2].value == pytest.approx(np.mean(FAIR) - np.mean(GOOD))
    assert rows["fair"][3:6] == (0, 0, 8)
    assert rows["fair"][6:8] == pytest.approx((2 / 256, 6 / 256))
    assert rows["fair"][8] == "worse"
    assert rows["twin"][3:] == (0, 8, 0, 1.0, 1.0, "not told apart")


def test_pairs_on_too_few_series_say_so():
    few = [record("a", GOOD[:6]), record("b", POOR[:6]), record("c", POOR[:6])]
    table = pairs_table(few, "VUS-PR", "a")
    assert [row[8] for row in table.rows] == ["not told apart"] * 2
    assert "On so few series p cannot fall below 0.0312, or 0.0625 by Holm." in table.notes
    assert not any("so few" in note for note in pairs_table(three(), "VUS-PR", "good").notes)


def test_by_series_feeds_the_ranks():
    found = ranks(by_series(three(), "VUS-PR"))
    assert found.names == ("good", "fair", "random")
    assert found.series == 8


# --- what is refused


def test_what_cannot_be_compared_is_refused():
    changed = record(data={"name": "pumps", "source": "", "fingerprint": "f" * 16, "rows": 5})
    with pytest.raises(InputError, match="two data sets under one name"):
        results_table([record(), changed])
    shuffled = record("other", split={"protocol": "random k-fold"})
    with pytest.raises(
        InputError, match=r"some runs are by chronological hold-out and some by random k-fold; .*protocol"
    ):
        results_table([record(), shuffled])
    assert len(results_table([record(), shuffled], by="protocol").rows) == 2
    with pytest.raises(InputError, match="not the same rows in every run"):
        results_table([record(), record("other", split={"test_rows": 100})])
    with pytest.raises(InputError, match="not the same rows in every run"):
        results_table([record(), record(split={"test_rows": 100})])
    with pytest.raises(InputError, match="two data sets"):
        by_series([record(), changed], "VUS-PR")


def test_what_is_not_there_is_refused():
    with pytest.raises(InputError, match="none of 1 records is of a run"):
        results_table([{"kind": "speed"}])
    with pytest.raises(InputError, match="did you mean 'VUS-PR'"):
        results_table([record()], ["VUS PR"])
    with pytest.raises(SettingError, match="by is 'day'"):
        results_table([record()], by="day")
    broken = record()
    del broken["split"]
    with pytest.raises(InputError, match=r"record 1 is not that of a run \(KeyError\('split'\)\)"):
        runs_table([record(), broken])
    with pytest.raises(InputError, match="nothing is called 'god'; did you mean 'good'"):
        pairs_table(three(), "VUS-PR", "god")
    with pytest.raises(InputError, match="good has no ROC-AUC by series"):
        pairs_table(three(), "ROC-AUC", "good")
    odd = [record("a", measure="flair"), record("b", measure="flair")]
    with pytest.raises(InputError, match="which way flair is better"):
        pairs_table(odd, "flair", "a")
    with pytest.raises(InputError, match="row 0 has 1 entries for 2 columns"):
        Table(("a", "b"), (("x",),), "c")


# --- how it is written


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (0.41234, math.nan, math.nan, "0.412"),
        (0.41234, 0.3812, 0.4471, "0.412 [0.381, 0.447]"),
        (0.41234, 0.1, 0.9, "0.41 [0.10, 0.90]"),
        (1234.5, 1100.0, 1360.0, "1230 [1100, 1360]"),
        (3600.0, math.nan, math.nan, "3600"),
        (0.0, math.nan, math.nan, "0"),
        (-0.0004, -0.05, 0.05, "0.000 [-0.050, 0.050]"),
        (1.0, math.nan, math.nan, "1.00"),
        (2.5e-7, math.nan, math.nan, "2.50e-07"),
        (math.nan, math.nan, math.nan, DASH),
        (0.5, math.nan, 0.7, "0.500"),
    ],
)
def test_numbers_have_the_digits_that_they_deserve(value, low, high, text):
    assert str(Measured(value, low, high)) == text


def test_csv_keeps_numbers_and_disarms_formulas():
    rows = (
        ("=cmd|' /C calc'!A0", -0.5, Measured(0.41234567, 0.3, 0.5, best=True)),
        (" @SUM(1)", math.nan, Measured(math.nan)),
        ('-1,"x"', 3, Measured(0.5)),
    )
    text = Table(("+name", "number", "VUS-PR"), rows, "caption").csv()
    assert list(csv.reader(io.StringIO(text))) == [
        ["'+name", "number", "VUS-PR", "VUS-PR low", "VUS-PR high"],
        ["'=cmd|' /C calc'!A0", "-0.5", "0.41234567", "0.3", "0.5"],
        ["'@SUM(1)", "", "", "", ""],
        ['\'-1,"x"', "3", "0.5", "", ""],
    ]
    assert "nan" not in results_table(three()).csv()


def test_numpy_numbers_are_numbers():
    text = Table(("a", "b"), ((np.float64(0.25), Measured(np.float64(0.5))),), "c").csv()
    assert text == "a,b\n0.25,0.5\n"


@given(st.text(max_size=30))
def test_no_name_breaks_a_markdown_table_or_a_csv_cell(name):
    table = Table(("detector", "n"), ((name, 1),), name, (name,))
    lines = [line for line in table.markdown().split("\n") if line.startswith("|")]
    assert len(lines) == 3
    assert all(len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) == 3 for line in lines)
    assert "<" not in table.markdown()
    (entry,) = list(csv.reader(io.StringIO(table.csv(), newline="")))[1:]
    assert entry[0].removeprefix("'") == " ".join(name.split()).removeprefix("'")
    assert not entry[0].startswith(("=", "+", "-", "@"))


def test_markdown_marks_the_best_and_hangs_the_notes_below():
    text = results_table(three(), ["VUS-PR"]).markdown()
    assert "| good | **0.656** \\[0.595, 0.704\\] | 8 |" in text
    assert text.startswith(
        "**Detectors on pumps; chronological hold-out**\n\n| detector | VUS-PR | series |\n| :--- | ---: |"
    )
    assert "\n\n- Data: pumps (fingerprint 0123456789abcdef).\n" in text


def test_latex_is_escaped_and_ruled():
    evil = r"a_b & 50% $x$ #1 {y} \input{/etc/passwd} ~^ [z] *"
    table = Table((evil, "n"), ((evil, Measured(-0.5, best=True)), ("[b]", math.nan)), evil, (evil,), (1,))
    text = table.latex()
    assert r"\input" not in text
    escaped = r"a\_b \& 50\% \$x\$ \#1 \{y\} \textbackslash{}input\{/etc/passwd\} "
    escaped += r"\textasciitilde{}\textasciicircum{} {[}z] {*}"
    assert text.count(escaped) == 4
    lines = text.splitlines()
    assert lines[3:5] == [r"\begin{tabular}{lr}", r"\toprule"]
    assert lines[6:] == [
        r"\midrule",
        escaped + r" & \textbf{-0.500} \\",
        r"\midrule",
        r"{[}b] & -- \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\par{\footnotesize " + escaped + r"\par}",
        r"\end{table}",
    ]


@given(st.text(max_size=30))
def test_latex_holds_no_live_character_of_a_name(name):
    line = Table(("n",), ((name,),), "c").latex().splitlines()
    body = line[line.index(r"\midrule") + 1].removesuffix(r" \\")
    for known in (r"\\[{}$&#_%]", r"\\text[a-z]+\{\}", r"\{\[\}", r"\{\*\}"):
        body = re.sub(known, "", body)
    assert not re.search(r"[\\{}$&#_%~^<>|`]", body)
