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
    DELAY,
    HIGHER_IS_BETTER,
    RATE,
    RECALL,
    Measured,
    Table,
    by_series,
    pairs_table,
    results_table,
    runs_table,
    texts,
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
    table = results_table(runs, [RATE, "incident recall", "known events", DELAY])
    for column, expected in ((RATE, garwood(8, 8)), ("incident recall", wilson(10, 40))):
        found = cell(table, 0, column)
        assert (found.value, found.low, found.high) == (expected.estimate, expected.low, expected.high)
    assert cell(table, 0, "known events") == 40
    assert cell(table, 0, DELAY).value == 20
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
    assert any(
        note.startswith("(oracle): at the best threshold on the score alone, chosen with the labels")
        for note in table.notes
    )
    # Without the mark there is nothing: the oracle is not taken for the measure.
    assert math.isnan(cell(results_table(runs, ["F1"]), 0, "F1").value)


def test_an_undefined_measure_is_a_dash_and_a_partly_defined_one_is_noted():
    table = results_table([record("a", [0.1, math.nan, 0.3, 0.4, 0.5, 0.6]), record("b", [None] * 6)], ["VUS-PR"])
    assert table.cells()[1][1] == DASH
    assert "VUS-PR: not defined on 1 of 6 series for a; mean of the others." in table.notes


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
        "Audit, leak, pumps: the label follows the time.",
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
    assert any(note.startswith("Left out, since the same run came again later: 1 of 2 records") for note in table.notes)


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


# --- one kind of alarm in a row


def test_the_default_table_counts_events_of_incidents_and_not_of_row_alarms():
    assert DEFAULT_MEASURES == (
        "VUS-PR",
        "ROC-AUC",
        "F1",
        "false-positive rate",
        "incident recall",
        "false incidents per device-week",
        "median incident delay, s",
    )
    one = record(values=[0.4])
    one["series"][0]["measures"] |= {"event recall": 0.467, "median delay, s": 150.0}
    one["measures"] |= {"event recall": 0.467, "median delay, s": 150.0}
    table = results_table([one], ["incident recall", "event recall", DELAY, "median delay, s"])
    found = [cell(table, 0, name).value for name in table.columns[1:5]]
    assert found == [0.7, 0.467, 20.0, 150.0]
    # What the record says of row alarms is not made up from incidents where it is silent.
    assert math.isnan(cell(results_table([record()], ["event recall"]), 0, "event recall").value)


def test_incident_recall_is_by_series_where_there_are_several_and_pooled_of_one():
    recalls = [0.5, 1.0, 0.25, 0.75, 1.0, 0.5]
    several = cell(results_table([record(values=recalls, measure="incident recall")], ["incident recall"]), 0, RECALL)
    expected = bootstrap_interval(recalls)
    assert (several.value, several.low, several.high) == (expected.estimate, expected.low, expected.high)
    one = cell(results_table([record(values=[0.7], measure="incident recall")], ["incident recall"]), 0, RECALL)
    assert (one.value, one.low, one.high) == (0.7, wilson(7, 10).low, wilson(7, 10).high)


def test_torn_incidents_have_no_poisson_or_wilson_interval():
    folds = [{"fold": fold, "folds": 2, "protocol": "random k-fold"} for fold in (0, 1)]
    honest = [record(values=[0.5], split=fold) for fold in folds]
    leaking = [record(values=[0.5], split=fold | {"leaks": "leaks neighbours: rows alike"}) for fold in folds]
    for name, wanted in ((RATE, 0.5), (RECALL, 0.7)):
        assert math.isfinite(cell(results_table(honest, [name]), 0, name).high)
        found = cell(results_table(leaking, [name]), 0, name)
        assert (found.value, found.bounds) == (wanted, "")
    assert any("torn between folds" in note for note in results_table(leaking).notes)
    assert not any("torn between folds" in note for note in results_table(honest).notes)


def test_a_point_adjusted_f1_never_stands_alone():
    adjusted, random = "point-adjusted F1 (misleading)", "point-adjusted F1 of as many random alarms"
    one = record(measure=adjusted)
    for series in one["series"]:
        series["measures"][random] = 0.9
    table = results_table([one], [adjusted, "VUS-PR"])
    assert table.columns[1:4] == (adjusted, random, "VUS-PR")
    assert cell(table, 0, random).value == pytest.approx(0.9)
    assert results_table([one], [random, adjusted]).columns[1:3] == (random, adjusted)
    assert runs_table([one], [adjusted]).columns[6:8] == (adjusted, random)


# --- over which series and folds


def folds_of(detector, values, *, anomalous=(5, 5, 5, 0, 0), measure="F1", baseline=False):
    """Rolling origin on one series: a run a fold."""
    runs = []
    for fold, (value, rows) in enumerate(zip(values, anomalous, strict=True)):
        split = {"fold": fold, "folds": len(values), "protocol": "rolling origin"}
        runs.append(record(detector, [value], measure=measure, split=split, baseline=baseline))
        runs[-1]["series"][0]["anomalous_rows"] = rows
    return runs


def test_folds_without_an_anomaly_count_for_no_row_where_they_do_not_count_for_all():
    """``always`` has F1 0 on clean folds, and what keeps quiet has none: the means would be of unlike folds."""
    runs = folds_of("always", [0.29, 0.29, 0.29, 0.0, 0.0], baseline=True)
    runs += folds_of("quiet", [0.1, 0.1, 0.1, None, None])
    table = results_table(runs, ["F1"])
    assert [row[0] for row in table.rows] == ["quiet", "always (baseline)"]
    assert [row[1].value for row in table.rows] == pytest.approx([0.1, 0.29])
    assert not any(row[1].partial for row in table.rows)
    assert "F1: 2 of 5 folds hold no known anomaly; left out of every row." in table.notes
    assert by_series(runs, "F1")["always"] == pytest.approx({"pumps: pump-0": 0.29})
    # Where it is defined for all, as the false-positive rate is, it counts for all.
    rates = [
        run for who in ("a", "b") for run in folds_of(who, [0.1, 0.1, 0.1, 0.6, 0.6], measure="false-positive rate")
    ]
    assert cell(results_table(rates, ["false-positive rate"]), 0, "false-positive rate").value == pytest.approx(0.3)


def test_a_cell_that_stands_on_fewer_folds_is_marked():
    runs = folds_of("a", [0.2, 0.4, 0.6, 0.8], anomalous=(5,) * 4) + folds_of(
        "b", [0.9, None, None, 0.9], anomalous=(5,) * 4
    )
    table = results_table(runs, ["F1"])
    assert [row[1] for row in table.cells()] == ["0.900\N{DAGGER}", "0.500"]
    assert "F1: not defined on 2 of 4 folds for b; mean of the others." in table.notes
    assert "\N{DAGGER}: mean over fewer folds than in other rows of the column." in table.notes
    # The tests are over the folds that both have.
    found = pairs_table(runs, "F1", "a").rows[0]
    assert found[2].value == pytest.approx(0.9 - 0.5)
    assert by_series(runs, "F1") == {"a": {"pumps: pump-0": pytest.approx(0.5)}, "b": {"pumps: pump-0": 0.9}}
    other = folds_of("c", [None, 0.3, None, None], anomalous=(5,) * 4)
    assert all(math.isnan(own["pumps: pump-0"]) for own in by_series([*runs, *other], "F1").values())


def test_pooled_values_of_fewer_folds_are_marked_too():
    runs = folds_of("a", [0.2, 0.4], anomalous=(5, 5)) + folds_of("b", [0.9, 0.9], anomalous=(5, 5))[:1]
    assert [row[1].partial for row in results_table(runs, [RATE]).rows] == [False, True]


def test_undefined_values_are_told_in_one_note():
    delays = {"ridge": [1.0] * 16, "flat_line": [2.0] * 11 + [None] * 5, "last_value": [3.0] * 3 + [None] * 13}
    runs = [record(name, values, measure="median delay, s") for name, values in delays.items()]
    runs.append(record("never", [None] * 16, measure="median delay, s", baseline=True))
    table = results_table(runs, ["median delay, s"])
    told = [note for note in table.notes if "not defined" in note]
    assert told == [
        "median delay, s: not defined on 5 of 16 series for flat_line, 13 for last_value; mean of the others."
    ]
    assert [row[1].partial for row in table.rows] == [False, True, True, False]


# --- what the notes say


def test_rows_learned_from_are_told():
    one = record(split={"train_rows": 338, "train_anomalous_rows": 29, "test_rows": 1145})
    assert "Learned from 338 rows, 29 of them known anomalies; judged on 1,145." in results_table([one]).notes
    clean = record(split={"train_anomalous_rows": 0})
    assert "Learned from 400 rows, none of them known anomalies; judged on 400." in results_table([clean]).notes
    folds = [record(split={"fold": k, "folds": 2, "train_rows": 300 + k, "train_anomalous_rows": k}) for k in (0, 1)]
    told = "Learned from 300 to 301 rows each time, 0 to 1 of them known anomalies; judged on 400."
    assert told in results_table(folds).notes


def test_a_model_learned_earlier_may_have_seen_the_rows():
    one = record(split={"protocol": "learned earlier", "train_rows": 0, "train_anomalous_rows": 0})
    notes = "\n".join(results_table([one]).notes)
    assert "Learned earlier: whether ridge has seen these rows is not known here" in notes
    assert "No trivial baseline was run" in notes
    assert "Learned from" not in notes
    assert "Learned earlier:" not in "\n".join(results_table([record()]).notes)


def test_windows_of_vus_and_an_assumed_clock_are_told():
    one = record(
        settings={"alpha": 1.0, "window": {"pump-0": 24, "pump-1": 288}}, data=record()["data"] | {"clock": "assumed"}
    )
    notes = results_table([one]).notes
    assert "VUS: largest buffer 24 to 288 rows by series, over 8 series." in notes
    assert any(note.startswith("Clock assumed, since there is no time column: pumps; ") for note in notes)
    plain = results_table([record(settings={"window": 100})], ["VUS-PR"]).notes
    assert "VUS: largest buffer 100 rows." in plain
    assert not any(note.startswith("Clock") for note in plain)
    assert not any(note.startswith("VUS:") for note in results_table([one], ["ROC-AUC"]).notes)


def test_an_oracle_is_of_the_score_alone():
    (note,) = [note for note in results_table([record()], ["F1 (oracle)"]).notes if note.startswith("(oracle)")]
    assert "Alarms look at single channels as well and may do better." in note
    assert "100 ranks" not in note
    ranged = record()
    ranged["oracle"]["range F1"] = 0.5
    (note,) = [note for note in results_table([ranged], ["range F1 (oracle)"]).notes if note.startswith("(oracle)")]
    assert "the best of 100 ranks" in note


def test_choosing_among_varied_settings_is_tuning():
    rivals = [record(settings={"alpha": 1.0}), record(settings={"alpha": 0.1}, values=GOOD)]
    (note,) = [note for note in results_table(rivals).notes if "tuning" in note]
    assert (
        note
        == "ridge: the rows differ in alpha; choosing the best of these rows here would be tuning on the judged rows."
    )
    assert not any("tuning" in note for note in results_table(three()).notes)


def test_seeds_are_no_settings_that_differ():
    runs = [record("random", seed=seed, settings={"detector.seed": seed}, baseline=True) for seed in range(3)]
    for by in ("detector", "seed"):
        assert not any("differ" in note for note in results_table(runs, by=by).notes)
    # What differs between sections is in no row together.
    tuned = [record(split={"fold": k, "folds": 2}, settings={"alpha": float(k)}) for k in (0, 1)]
    assert any("one row holds them all" in note for note in results_table(tuned).notes)
    assert not any("one row holds them all" in note for note in results_table(tuned, by="fold").notes)


def test_a_leak_is_a_mark_in_the_column_and_a_sentence_once():
    split = {"protocol": "random k-fold", "leaks": "leaks neighbours: rows that follow each other differ by 1 %."}
    table = results_table([record(split=split), record("other", split=split)])
    assert [row[-1] for row in table.rows] == ["leaks neighbours"] * 2
    assert [row[-1] for row in runs_table([record(split=split)]).rows] == ["leaks neighbours"]
    text = table.markdown()
    assert text.count("differ by 1 %") == 1
    assert ".." not in text


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
        (2.5e-7, math.nan, math.nan, "2.5e-07"),
        (math.nan, math.nan, math.nan, DASH),
        (0.5, math.nan, 0.7, "0.500"),
        (718.3, 18.2, 4002.0, "720 [18, 4000]"),
        (0.99999, 0.99998, 1.0, "1.000 [1.000, 1.000]"),
        (1.0, 1.0, 1.0, "1.00 [1.00, 1.00]"),
        (27640.0, math.nan, math.nan, "27640"),
        (0.05, 0.00012, 0.3, "0.050 [0.00012, 0.30]"),
    ],
)
def test_numbers_have_the_digits_that_they_deserve(value, low, high, text):
    assert str(Measured(value, low, high)) == text


def test_a_column_has_one_number_of_decimals_where_sizes_allow():
    shares = [Measured(0.99929, 0.99912, 0.99941), Measured(0.66, 0.35, 0.91), Measured(0.346), Measured(0.00013)]
    rates = [Measured(718.3, 18.2, 4002.0), Measured(0.62, 0.3, 1.13), Measured(12.1, 8.2, 20.4), Measured(0.0)]
    table = Table(("share", "rate", "n"), tuple(zip(shares, rates, (0.5, 1.0, 0.25, math.nan), strict=True)), "c")
    assert table.cells() == [
        ["0.999 [0.999, 0.999]", "720 [18, 4000]", "0.500"],
        ["0.660 [0.350, 0.910]", "0.62 [0.30, 1.1]", "1.000"],
        ["0.346", "12 [8.2, 20]", "0.250"],
        ["0.00013", "0", DASH],
    ]
    assert "0.660 \\[0.350, 0.910\\]" in table.markdown()
    assert "e+00" not in table.markdown()


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e6), st.sampled_from([None, 0, 1, 2, 3]))
def test_no_bound_loses_its_first_digit(one, two, three, places):
    low, value, high = sorted((one, two, three))
    for number, text in zip((value, low, high), texts(value, low, high, places), strict=True):
        assert float(text) == pytest.approx(number, rel=0.05)


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
