"""A run: every section of its record follows from the rows, and nothing is judged by what was learned from."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from redshank.core import Frame, InputError, Kind, Label, Schema, SettingError
from redshank.data import Dataset, labels_of, load, read
from redshank.detectors import DETECTORS
from redshank.evaluate import records
from redshank.evaluate.anchors import PLAIN
from redshank.evaluate.metrics.points import pr_auc, roc_auc
from redshank.evaluate.metrics.summary import measure
from redshank.evaluate.protocols import Split, hold_out, random_folds, splits_of
from redshank.evaluate.run import evaluate_model, evaluate_run
from redshank.pipeline import Pipeline

MINUTE = 60_000_000_000
ROWS = 1500
BUDGET = "1 per device per day"
START_NS = 1_767_225_600_000_000_000  # 2026-01-01 00:00 UTC


def fleet(odd: tuple[slice, ...] = (slice(900, 940), slice(1200, 1210)), devices: int = 2) -> Dataset:
    """Devices with one rhythm of 60 rows; stretches of pump-1 in which channel b stands too high are labelled."""
    rng = np.random.default_rng(0)
    t = np.arange(ROWS)
    each = [
        np.stack([k + np.sin(t * 2 * np.pi / 60), 5 - np.sin(t * 2 * np.pi / 60)], axis=1)
        + rng.normal(0, 0.1, (ROWS, 2))
        for k in range(devices)
    ]
    y = np.zeros((ROWS, devices), np.int8)
    for part in odd:
        each[1][part, 1] += 5
        y[part, 1] = 1
    frame = Frame(
        Schema.of(("a", "b"), 60.0),
        tuple(f"pump-{k}" for k in range(devices)),
        np.tile(np.arange(devices), ROWS),
        START_NS + np.repeat(t, devices) * MINUTE,
        np.stack(each, axis=1).reshape(-1, 2),
    )
    return Dataset("fleet", frame, y.ravel(), None, labels_of(frame, y.ravel(), cause="jammed"))


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return fleet()


@pytest.fixture(scope="module")
def record(dataset) -> records.Record:
    (found,) = evaluate_run(dataset, "pca", budget=BUDGET, read_s=1.5, command="as told")
    return found


@pytest.fixture(scope="module")
def judged(dataset):
    """The same by hand: pipeline, analysis and labels of the judged rows."""
    (split,) = hold_out(dataset)
    pipeline = Pipeline("pca", budget=BUDGET).fit(dataset.frame.take(split.train))
    analysis = pipeline.analyse(dataset.frame.take(split.test), history=dataset.frame.take(split.train))
    return pipeline, analysis, dataset.y[split.test]


def test_it_is_the_pipeline_that_users_have(record, judged):
    pipeline, analysis, y = judged
    assert record["model"] == {
        "fingerprint": records.model_fingerprint(pipeline),
        "rate_held_back": pipeline.held_back_rate_,
    }
    assert record["confusion"]["tp"] == (analysis.scores.alarm & (y == 1)).sum() > 0
    assert record["confusion"]["fp"] == (analysis.scores.alarm & (y == 0)).sum()
    assert sum(record["confusion"].values()) == len(y)
    assert [one["key"] for one in record["incidents"]] == [one.key for one in analysis.incidents]


def test_head(record, dataset):
    assert record["schema"] == 1
    assert record["data"] == {
        "name": "fleet",
        "source": "fleet",
        "fingerprint": records.fingerprint(dataset.frame),
        "rows": 2 * ROWS,
        "devices": ["pump-0", "pump-1"],
        "channels": ["a", "b"],
        "start": "2026-01-01T00:00:00Z",
        "end": "2026-01-02T00:59:00Z",
        "interval_s": 60.0,
        "clock": "given",
        "notes": [],
        "ledger": {},
    }
    assert record["split"]["protocol"] == "chronological hold-out"
    assert record["split"]["train_rows"] == 900
    assert record["split"]["test_rows"] == 2100
    assert record["split"]["train_anomalous_rows"] == 0
    assert record["detector"] == "pca"
    assert record["baseline"] is False
    assert record["settings"]["calibrator"] == "extreme"
    assert record["settings"]["budget"] == BUDGET
    assert record["settings"]["window"] == 60
    assert set(record["seconds"]) == {"read", "learn", "judge", "measure"}
    assert record["seconds"]["read"] == 1.5
    assert record["command"] == "as told"


def test_it_can_be_written_and_read(record, tmp_path):
    records.append(tmp_path / "r", record)
    (found,) = records.read(tmp_path / "r")
    assert found["measures"] == pytest.approx(record["measures"], nan_ok=True)
    assert found["incidents"] == records.plain(record["incidents"])


def test_measures_of_series(record, judged):
    _, analysis, y = judged
    frame = analysis.frame
    assert [one["name"] for one in record["series"]] == ["pump-0", "pump-1"]
    own = frame.device == 1
    wanted = measure(
        analysis.scores.score[own],
        y[own],
        alarm=analysis.scores.alarm[own],
        time_ns=frame.time_ns[own],
        window=60,
    )
    own_incidents = {"incident recall": 1.0, "median incident delay, s": record["measures"]["median incident delay, s"]}
    assert record["series"][1]["measures"] == pytest.approx(wanted.values | own_incidents, nan_ok=True)
    assert record["series"][1]["oracle"] == pytest.approx(wanted.oracle, nan_ok=True)
    assert math.isnan(record["series"][0]["measures"]["VUS-PR"])
    assert record["measures"]["VUS-PR"] == pytest.approx(wanted.values["VUS-PR"]), "a device without anomalies has none"
    for name in ("precision", "recall", "F1", "false-positive rate"):
        assert 0 <= record["measures"][name] <= 1
    tp, fp = record["confusion"]["tp"], record["confusion"]["fp"]
    assert record["measures"]["precision"] == tp / (tp + fp)
    assert record["measures"]["false events"] == sum(one["measures"]["false events"] for one in record["series"])
    rate = record["measures"]["false events"] / record["events"]["device_weeks"]
    assert record["measures"]["false events per device-week"] == pytest.approx(rate)


def test_curves_are_of_the_surprise_of_all_devices(record, judged):
    _, analysis, y = judged
    curve = record["curves"]["pr"]
    assert len(curve["x"]) == len(curve["y"]) <= 200
    area = pr_auc(-analysis.scores.p, y)
    steps = float((np.diff(np.array(curve["x"]), prepend=0) * np.array(curve["y"])).sum())
    assert steps == pytest.approx(area, abs=0.02)
    roc = record["curves"]["roc"]
    assert (roc["x"][0], roc["y"][0], roc["x"][-1], roc["y"][-1]) == (0, 0, 1, 1)


def test_areas_are_those_of_the_curves_drawn(record, judged):
    """Several devices: of the surprise, and from all points; the raw scores of devices do not rank together."""
    _, analysis, y = judged
    surprise = -np.log10(np.maximum(analysis.scores.p, 1e-300))
    for name, area in (("roc", roc_auc), ("pr", pr_auc)):
        assert record["curves"][name]["of"] == "surprise"
        assert record["curves"][name]["area"] == area(surprise, y)
    roc = record["curves"]["roc"]
    assert np.trapezoid(roc["y"], roc["x"]) == pytest.approx(roc["area"], abs=0.02)


def test_curves_of_one_device_are_of_its_score(dataset):
    (split,) = hold_out(dataset)
    one = Split("mine", 0, 1, split.train, split.test & (dataset.frame.device == 1), 0)
    (found,) = evaluate_run(dataset, "pca", splits=[one])
    assert found["curves"]["roc"]["of"] == found["curves"]["pr"]["of"] == "score"
    assert found["curves"]["roc"]["area"] == found["measures"]["ROC-AUC"]
    assert found["curves"]["pr"]["area"] == found["measures"]["PR-AUC"]


def test_incident_measures_are_those_of_the_incidents(dataset, record):
    """Found by a quality check in rows without an alarm: an incident's recall, not that of row alarms."""
    known, delays = record["events"]["known"], record["events"]["delays_s"]
    assert record["measures"]["incident recall"] == record["events"]["found"] / known
    assert record["measures"]["median incident delay, s"] == np.median(delays)
    quiet, loud = record["series"]
    assert math.isnan(quiet["measures"]["incident recall"])
    assert loud["measures"]["incident recall"] == 1.0
    (never,) = evaluate_run(dataset, "never")
    assert never["measures"]["incident recall"] == 0.0
    assert math.isnan(never["measures"]["median incident delay, s"])


def test_incident_measures_are_pooled_and_not_means_of_devices():
    dataset = fleet()
    start = START_NS + 1100 * MINUTE
    quiet = Label("pump-0", start, start + 10 * MINUTE, Kind.POINT, "unseen")
    (found,) = evaluate_run(replace(dataset, labels=(*dataset.labels, quiet), y=None), "pca", budget=BUDGET)
    assert [one["measures"]["incident recall"] for one in found["series"]] == [0.0, 1.0]
    assert found["measures"]["incident recall"] == pytest.approx(2 / 3)


def test_time_before_the_judged_part_is_no_delay():
    """An anomaly from long before the split to after it: what always alarms has found it at once."""
    dataset = fleet((slice(300, 500),))
    (found,) = evaluate_run(dataset, "always")
    assert found["events"]["delays_s"] == [0.0]
    assert found["measures"]["median incident delay, s"] == found["measures"]["median delay, s"] == 0.0
    assert found["traces"][0]["labels"] == [[records.iso(START_NS + k * MINUTE) for k in (450, 499)]]
    gap = dataset.frame.time_ns - START_NS
    late = replace(dataset.labels[0], start_ns=START_NS + 449 * MINUTE + 1)
    (between,) = evaluate_run(replace(dataset, labels=(late,), y=None), "always")
    assert between["events"]["delays_s"] == [0.0], "it begins behind the last row learned from"
    test = (gap >= 400 * MINUTE) & (gap < 450 * MINUTE)
    block = Split("mine", 0, 1, gap < 250 * MINUTE, test | (gap >= 600 * MINUTE), 0)
    (cut,) = evaluate_run(dataset, "always", splits=[block])
    ends = [records.iso(START_NS + k * MINUTE) for k in (400, 449)]
    assert cut["traces"][0]["labels"] == [ends], "both ends lie in rows that are not judged"


def test_each_anomaly_of_random_folds_is_asked_for_once():
    dataset = fleet()
    silent = Label("pump-0", START_NS + 700 * MINUTE + 1, START_NS + 701 * MINUTE - 1, Kind.SILENCE)
    dataset = replace(dataset, labels=(*dataset.labels, silent))
    splits = random_folds(dataset)
    found = list(evaluate_run(dataset, "always", splits=splits))
    assert sum(one["events"]["known"] for one in found) == 3
    first = np.flatnonzero((dataset.frame.device == 1) & (dataset.y == 1))[0]
    (owner,) = (one.fold for one in splits if one.test[first])
    assert found[owner]["events"]["known"] >= 1
    whole = 2 * ROWS / 10080
    assert sum(one["events"]["device_weeks"] for one in found) == pytest.approx(whole)
    assert [one["events"]["device_weeks"] for one in found] == pytest.approx([whole / 5] * 5, rel=0.1)
    for one in found:
        share = len(one["incidents"]) / 2  # each lasts the whole time of one of two devices
        assert one["events"]["alarm_share"] == pytest.approx(share, abs=0.01), "of the whole time, not of a fifth"
        rate = one["measures"]["false events"] / one["events"]["device_weeks"]
        assert one["measures"]["false events per device-week"] == pytest.approx(rate)
        loud = one["series"][1]["measures"]
        weeks = one["events"]["device_weeks"] * one["series"][1]["rows"] / one["split"]["test_rows"]
        assert loud["false events per device-week"] == pytest.approx(loud["false events"] / weeks, rel=0.01)
    on_others = [one for one in found if one["events"]["known"] == 0]
    assert all(one["device"] != "pump-1" for run in on_others for one in run["incidents"]), "neither found nor false"


def test_the_clock(tmp_path, record):
    assert record["data"]["clock"] == "given"
    rows = np.random.default_rng(0).normal(size=(400, 2))
    (array,) = evaluate_run(Dataset("array", Frame.of(rows)), "training_mean")
    assert array["data"]["clock"] == "assumed"
    times = "".join(f"2026-01-01T{k // 60:02}:{k % 60:02}:00Z,{a:.4f}\n" for k, a in enumerate(rows[:, 0]))
    for name, text, clock in (
        ("timed", f"time,a\n{times}", "given"),
        ("untimed", "a,b\n" + "".join(f"{a:.4f},{b:.4f}\n" for a, b in rows), "assumed"),
        ("elapsed", "time,a\n" + "".join(f"{k},{a:.4f}\n" for k, a in enumerate(rows[:, 0])), "given"),
    ):
        (tmp_path / f"{name}.csv").write_text(text)
        options = {} if name == "untimed" else {"time": "time"}
        (found,) = evaluate_run(read(tmp_path / f"{name}.csv", **options), "training_mean")
        assert found["data"]["clock"] == clock, name


def test_the_window_of_vus(dataset):
    none, one = (next(evaluate_run(dataset, "pca", window=window)) for window in (0, 1))
    assert none["settings"]["window"] == 0, "no buffer, and not the period"
    assert none["measures"]["VUS-PR"] == none["series"][1]["measures"]["range-PR-AUC"]
    assert one["settings"]["window"] == 1
    pipeline = Pipeline("pca").fit(dataset.frame)
    assert evaluate_model(dataset, pipeline, window=0)["settings"]["window"] == 0
    for window in (-1, 2.5, "wide"):
        with pytest.raises(SettingError, match="window"):
            evaluate_run(dataset, "pca", window=window)
        with pytest.raises(SettingError, match="window"):
            evaluate_model(dataset, pipeline, window=window)


@pytest.mark.parametrize("seed", [-1, 0.5, "x", None])
@pytest.mark.parametrize("name", ["random", "pca"])
def test_seeds_that_are_none(dataset, seed, name):
    with pytest.raises(SettingError, match="seed"):
        evaluate_run(dataset, name, seed=seed)


def test_the_audit_knows_labels_that_came_without_rows(dataset):
    (found,) = evaluate_run(replace(dataset, y=None), "pca")
    assert not any("no labels are known" in one["sentence"] for one in found["audit"])
    model = evaluate_model(replace(dataset, y=None), Pipeline("pca").fit(dataset.frame))
    assert model["audit"] == found["audit"]


def test_events(record):
    events = record["events"]
    assert (events["known"], events["found"]) == (2, 2)
    assert events["by_kind"] == {"collective/jammed": [2, 2]}
    assert events["incidents"] == len(record["incidents"])
    assert events["false"] == sum(not one["true"] for one in record["incidents"])
    assert sum(events["false_by_cause"].values()) == events["false"]
    false = Counter(
        f"quality: {one['cause']}" if one["kind"] in ("sensor fault", "silence") else one["kind"]
        for one in record["incidents"]
        if not one["true"]
    )
    assert events["false_by_cause"] == false
    assert events["device_weeks"] == pytest.approx(2100 / 10080)
    assert len(events["delays_s"]) == 2


def test_calibration_and_load(record):
    calibration = record["calibration"]
    assert calibration["asked_per_device_week"] == 7.0
    assert calibration["realised_per_device_week"] == pytest.approx(
        record["events"]["false"] / record["events"]["device_weeks"]
    )
    assert set(calibration["reliability"]["devices"]) == {"pump-0", "pump-1"}
    assert len(calibration["reliability"]["u"]) == len(calibration["reliability"]["share"])
    assert record["load"]["alarms"] == len(record["incidents"])
    assert record["load"]["hours"] == pytest.approx(1049 / 60)


def test_traces(record, judged):
    _, analysis, _ = judged
    first, second = record["traces"]
    assert first["device"] == "pump-1", "what has known anomalies comes first"
    assert len(first["time"]) == len(first["score"]) == len(first["alarm"]) == len(first["values"]["a"]) == 400
    assert first["time"] == sorted(first["time"])
    assert len(first["labels"]) == 2
    assert second["labels"] == []
    own = analysis.frame.device == 1
    least = max(analysis.scores.p[own].min(), 1e-20)
    assert max(first["score"]) == pytest.approx(-np.log10(least), rel=1e-4)
    assert first["alarm"][int(np.argmax(first["score"]))] == 1
    assert max(first["values"]["b"]) > 8, "the worst row of a stretch is shown, not its first"
    stamps = {records.iso(moment) for moment in analysis.frame.time_ns[own]}
    assert set(first["time"]) <= stamps


def test_drift():
    """Normal rows like those of training, anomalous rows left out; a channel that rose by one quartile distance."""
    dataset = fleet()
    (plain,) = evaluate_run(dataset, "training_mean")
    assert all(abs(one["shift"]) < 0.15 and one["psi"] < 0.02 for one in plain["drift"])
    values = dataset.frame.values.copy()
    (split,) = hold_out(dataset)
    low, high = np.quantile(values[split.train, 0], (0.25, 0.75))
    values[split.test, 0] += high - low
    moved = replace(dataset, frame=replace(dataset.frame, values=values))
    (found,) = evaluate_run(moved, "training_mean")
    assert found["drift"][0]["channel"] == "a"
    assert found["drift"][0]["shift"] == pytest.approx(1.0 + plain["drift"][0]["shift"], abs=1e-6)
    assert found["drift"][0]["psi"] > 0.25
    assert found["drift"][1] == plain["drift"][1]


def test_drift_of_a_channel_that_never_moved():
    dataset = fleet()
    values = dataset.frame.values.copy()
    values[:, 0] = 4.0
    (split,) = hold_out(dataset)
    values[split.test, 1] = np.nan
    (still,) = evaluate_run(replace(dataset, frame=replace(dataset.frame, values=values)), "training_mean")
    assert still["drift"][0] == {"channel": "a", "psi": 0.0, "shift": 0.0}
    assert math.isnan(still["drift"][1]["psi"])
    values[split.test, 0] = 5.0
    (moved,) = evaluate_run(replace(dataset, frame=replace(dataset.frame, values=values)), "training_mean")
    assert moved["drift"][0]["psi"] > 1
    assert math.isnan(moved["drift"][0]["shift"])


@pytest.mark.parametrize("name", list(PLAIN))
def test_baselines_run_by_the_same_function(dataset, name):
    (found,) = evaluate_run(dataset, name, budget=BUDGET, seed=3)
    assert found["detector"] == name
    assert found["baseline"] is True
    assert found["seed"] == 3
    assert found["split"] == next(iter(evaluate_run(dataset, "pca")))["split"]
    json.dumps(records.plain(found), allow_nan=False)


def test_always_and_never(dataset):
    (always,), (never,) = evaluate_run(dataset, "always"), evaluate_run(dataset, "never")
    assert (always["confusion"]["fn"], always["confusion"]["tn"]) == (0, 0)
    assert always["measures"]["recall"] == always["measures"]["false-positive rate"] == 1.0
    assert [one["device"] for one in always["incidents"]] == ["pump-0", "pump-1"]
    assert always["events"]["found"] == 2
    assert always["events"]["false"] == 1, "on the device without anomalies"
    assert always["events"]["alarm_share"] == pytest.approx(1.0, abs=0.01)
    assert (never["confusion"]["tp"], never["confusion"]["fp"]) == (0, 0)
    assert never["incidents"] == []
    assert math.isnan(never["measures"]["precision"])
    for one in (always, never):
        assert one["measures"]["ROC-AUC"] == 0.5


def test_seeds(dataset):
    prints = {seed: next(evaluate_run(dataset, "random", seed=seed))["measures"]["ROC-AUC"] for seed in (0, 1)}
    assert prints[0] != prints[1]
    assert prints[0] == next(evaluate_run(dataset, "random", seed=0))["measures"]["ROC-AUC"]


def test_an_object_has_its_name_settings_and_seed(dataset):
    (found,) = evaluate_run(dataset, DETECTORS.get("pca")(latent=1))
    assert found["detector"] == "pca"
    assert found["settings"]["detector.latent"] == 1
    (drawn,) = evaluate_run(dataset, PLAIN["random"](seed=9), seed=2)
    assert (drawn["detector"], drawn["baseline"], drawn["seed"]) == ("random", True, 9)

    class Mine(DETECTORS.get("pca")):
        pass

    assert next(evaluate_run(dataset, Mine()))["detector"] == "Mine"


def test_without_labels(dataset, record):
    (found,) = evaluate_run(replace(dataset, y=None, labels=()), "pca", budget=BUDGET)
    assert found["measures"] == {} == found["oracle"] == found["curves"]
    assert found["confusion"] is None
    assert [one["name"] for one in found["series"]] == ["pump-0", "pump-1"]
    assert found["events"]["false"] is None
    assert found["events"]["incidents"] == record["events"]["incidents"]
    assert {one["true"] for one in found["incidents"]} == {None}
    assert found["calibration"]["realised_per_device_week"] is None
    assert found["model"] == record["model"], "labels are never an input"


@pytest.mark.parametrize("missing", ["y", "labels"])
def test_rows_and_intervals_of_labels_stand_for_each_other(dataset, record, missing):
    (found,) = evaluate_run(replace(dataset, **{missing: None if missing == "y" else ()}), "pca", budget=BUDGET)
    assert found["confusion"] == record["confusion"]
    assert found["events"]["known"] == 2


def test_anomalous_training_rows_stay_and_are_counted():
    dataset = fleet((slice(100, 130), slice(900, 940)))
    (found,) = evaluate_run(dataset, "pca")
    assert found["split"]["train_anomalous_rows"] == 30
    assert found["split"]["train_rows"] == 900
    assert found["events"]["known"] == 1, "what lies in the training part is not asked for"


def test_one_record_a_split_and_as_it_is_done(dataset):
    done: list[float] = []
    run = evaluate_run(dataset, "pca", protocol="rolling-origin", progress=done.append)
    first = next(run)
    assert first["split"]["fold"] == 0
    assert done[-1] == pytest.approx(1 / 5)
    rest = list(run)
    assert [one["split"]["fold"] for one in rest] == [1, 2, 3, 4]
    assert done == sorted(done)
    assert done[-1] == 1.0
    assert len({one["model"]["fingerprint"] for one in [first, *rest]}) == 5
    assert sum(one["events"]["known"] for one in [first, *rest]) == 2


def test_other_causes_count_neither_way():
    """Leave one attack out: an alarm on an anomaly of another cause is neither found nor false, and no silence."""
    dataset = fleet()
    first, second = dataset.labels
    dataset = replace(dataset, labels=(replace(first, cause="leak"), replace(second, cause="stuck")))
    (leak, stuck) = evaluate_run(dataset, "pca", protocol="leave-one-attack-out", budget=BUDGET)
    (whole,) = evaluate_run(dataset, "pca", budget=BUDGET)
    assert leak["split"]["left_out"] == "leak"
    assert leak["split"]["purged_rows"] == 10
    assert leak["events"]["by_kind"] == {"collective/leak": [1, 1]}
    assert stuck["events"]["by_kind"] == {"collective/stuck": [1, 1]}
    assert leak["confusion"]["tp"] + leak["confusion"]["fn"] == 40
    assert leak["events"]["false"] == stuck["events"]["false"] == whole["events"]["false"]
    assert leak["events"]["incidents"] + 1 == whole["events"]["incidents"]
    assert not any(one["kind"] == "silence" for one in leak["incidents"])


def test_the_past_is_context_where_it_was_not_learned(dataset):
    """Purged rows stand just before the judged block: a detector that looks back is ready from its first row on."""
    (split,) = splits_of(dataset)
    gap = np.zeros(len(dataset), bool)
    gap[900:1100] = True
    purged = Split("mine", 0, 1, split.train, split.test & ~gap, 200)
    frame, y = dataset.frame, dataset.y[purged.test]
    pipeline = Pipeline("ridge").fit(frame.take(split.train))
    alone = pipeline.predict(frame.take(purged.test))
    after = pipeline.predict(frame.take(purged.test), history=frame.take(split.train | gap))
    assert not alone.ready.all()
    assert after.ready.all()
    (found,) = evaluate_run(dataset, "ridge", splits=[purged])
    assert found["model"]["fingerprint"] == records.model_fingerprint(pipeline), "and it was not learned"
    reliability = found["calibration"]["reliability"]
    for u in (0.01, 0.1, 0.5):
        share = reliability["share"][reliability["u"].index(u)]
        assert share == pytest.approx((after.p[y == 0] <= u).mean())


def test_wrong_requests(dataset):
    with pytest.raises(SettingError, match="no detector is called 'ridgee'"):
        evaluate_run(dataset, "ridgee")
    with pytest.raises(SettingError, match="budget"):
        evaluate_run(dataset, "pca", budget="often")
    with pytest.raises(SettingError, match="calibrator"):
        evaluate_run(dataset, "pca", calibrator="none")
    with pytest.raises(SettingError, match="both given"):
        evaluate_run(dataset, "pca", protocol="published", splits=hold_out(dataset))
    with pytest.raises(InputError, match="published"):
        evaluate_run(dataset, "pca", protocol="published")
    with pytest.raises(InputError, match="of 3000 rows, the data of 1500"):
        evaluate_run(replace(dataset, frame=dataset.frame.take(slice(0, 1500))), "pca", splits=hold_out(dataset))


def test_too_little_to_learn_from(dataset):
    train = np.zeros(len(dataset), bool)
    train[:2] = True
    split = Split("mine", 0, 1, train, ~train, 0)
    with pytest.raises(InputError, match="fleet: mine: cannot learn from it"):
        next(evaluate_run(dataset, "ridge", splits=[split]))


def test_the_audit_stands_in_the_record():
    dataset = fleet()
    values = dataset.frame.values.copy()
    values[:, 1] = dataset.y
    (found,) = evaluate_run(replace(dataset, frame=replace(dataset.frame, values=values)), "training_mean")
    leak = found["audit"][0]
    assert (leak["check"], leak["column"], leak["severity"]) == ("column", "b", "leak")
    assert leak["figure"] > 0.99


def test_published_rows_are_taken_as_they_are(dataset):
    train = np.arange(len(dataset)) < 1000
    (found,) = evaluate_run(replace(dataset, train=train), "pca")
    assert found["split"]["protocol"] == "published"
    assert (found["split"]["train_rows"], found["split"]["test_rows"]) == (1000, 2000)


def test_real_data(data_root):
    dataset = load("skab/valve1/0", data_root)
    (found,) = evaluate_run(dataset, "pca", read_s=0.1)
    rest = hold_out(dataset)[0].test
    assert found["confusion"]["tp"] + found["confusion"]["fn"] == (dataset.y[rest] == 1).sum()
    assert 0 < found["measures"]["VUS-PR"] <= 1
    assert len(found["data"]["channels"]) == 8
    assert datetime.fromisoformat(found["data"]["start"]).year == 2020
    assert str(data_root) not in json.dumps(records.plain(found), allow_nan=False)
