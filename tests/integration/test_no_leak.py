"""Nothing of the judged rows reaches anything that is fitted, whatever the protocol; and the check can tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import pytest
from tests.fixtures.classifiers import NearestMean
from tests.fixtures.quick import made

import redshank.pipeline
import redshank.scoring
from redshank.calibrate import CALIBRATORS
from redshank.core import Detector, Frame, Schema, label_rows
from redshank.data import Dataset, labels_of, split_time
from redshank.detectors import DETECTORS
from redshank.evaluate.anchors import PLAIN
from redshank.evaluate.protocols import LEAVE_ATTACK_OUT, PROTOCOLS, Split
from redshank.evaluate.run import evaluate_run
from redshank.features import Scaler
from redshank.pipeline import Pipeline
from redshank.quality import QualityChecks
from redshank.scoring import CLIP
from redshank.simulate import simulate

SENTINEL = 7.7e6
"""A level that no channel of the plant comes near."""
NEAR = SENTINEL / 2
FARTHEST = CLIP * 0.999
"""A scaled sentinel is cut to CLIP; no honest training row of these data comes there."""
FITTED = ("Pipeline", "Scaler", "QualityChecks", "Detector", "Calibrator")

Spied = dict[str, list[np.ndarray]]
told: dict[str, list] = defaultdict(list)
"""Labels given to any ``fit``, by who was fitted; of the test that runs."""


@pytest.fixture(scope="module")
def plant() -> Dataset:
    made = simulate(3, 96, seed=3, interval_s=300.0, anomalies_per_device_week=12)
    # Without physical limits: beyond them a sentinel would count as missing, and nothing would be shown.
    frame = replace(made.frame, schema=Schema.of(made.frame.schema.names, 300.0))
    return Dataset("plant", frame, label_rows(made.labels, frame), split_time(frame, 0.4)[0], made.labels)


def planted(dataset: Dataset, split: Split, seed: int = 0) -> Dataset:
    """The data with a sentinel in every judged row: an absurd level, and a spread that is as absurd."""
    values = dataset.frame.values.copy()
    noise = np.random.default_rng(seed).normal(0, SENTINEL / 20, (int(split.test.sum()), values.shape[1]))
    values[split.test] = SENTINEL + noise
    return replace(dataset, frame=replace(dataset.frame, values=values))


def learned(pipeline: Pipeline) -> dict[str, bytes]:
    """Every array that a pipeline learned, by name, bit for bit."""
    scorer = pipeline.scorer_
    parts = {
        "scaler": scorer.scaler.state(),
        **{f"detector {i}": one.state() for i, one in enumerate(scorer.detectors)},
        **{f"calibrator {i}": one.state() for i, one in enumerate(pipeline.calibrators_)},
        "quality": pipeline.quality_.state(),
        "scorer": {"gap_s": scorer.gap_s, "own": scorer.own, "seen": scorer.seen},
        "pipeline": {"rate": np.array(pipeline.held_back_rate_), "devices": np.array(pipeline.devices_)},
    }
    return {f"{part}.{name}": value.tobytes() for part, state in parts.items() for name, value in state.items()}


@pytest.fixture
def spied(monkeypatch) -> tuple[Spied, list[Pipeline]]:
    """Every array given to any ``fit``, by who was fitted, and the pipelines."""
    seen: Spied = defaultdict(list)
    fitted: list[Pipeline] = []
    told.clear()

    def watch(owner: type, who: str, arrays: Callable[..., Iterable[np.ndarray]]) -> None:
        fit = owner.fit

        def spy(self, *arguments, **options):
            labels = options.get("labels", arguments[1] if who == "Detector" and len(arguments) > 1 else None)
            if labels is not None:
                told[who].append(labels)
            seen[who] += [np.array(one, dtype=np.float64) for one in arrays(*arguments)]
            if isinstance(self, Pipeline):
                fitted.append(self)
            return fit(self, *arguments, **options)

        monkeypatch.setattr(owner, "fit", spy)

    watch(Pipeline, "Pipeline", lambda frame, *_: [frame.values])
    watch(QualityChecks, "QualityChecks", lambda frame: [frame.values])
    watch(Scaler, "Scaler", lambda X, *_: [X])
    watch(Detector, "Detector", lambda X, *_: X if isinstance(X, list) else [X])
    for name in CALIBRATORS:
        watch(CALIBRATORS.get(name), "Calibrator", lambda scores, _: scores.values())
    return seen, fitted


def contaminated(seen: Spied) -> set[str]:
    """Who was given a sentinel: as it is, or scaled."""
    raw = {who for who in ("Pipeline", "Scaler", "QualityChecks") if any((one > NEAR).any() for one in seen[who])}
    scaled = {"Detector"} if any((np.abs(one) >= FARTHEST).any() for one in seen["Detector"]) else set()
    return raw | scaled


def run(dataset: Dataset, split: Split, fitted: list[Pipeline], detector: Detector | str = "pca"):
    """Record of one split, and what its pipeline learned."""
    (record,) = evaluate_run(dataset, detector, splits=[split], budget="1 per device per day")
    return record, learned(fitted[-1])


@pytest.mark.parametrize("name", list(PROTOCOLS))
def test_no_fitted_object_sees_a_judged_row(plant, spied, name):
    seen, fitted = spied
    for split in PROTOCOLS[name](plant):
        clean, state = run(plant, split, fitted)
        seen.clear()
        odd, other = run(planted(plant, split), split, fitted)
        assert set(seen) == set(FITTED), "the spy sees all that is fitted"
        assert contaminated(seen) == set()
        assert [key for key in state if state[key] != other[key]] == []
        assert odd["model"] == clean["model"]
        assert odd["data"]["fingerprint"] != clean["data"]["fingerprint"], "the sentinel was there"
        assert odd["drift"][0]["psi"] > 1
        assert max(max(one["values"]["temperature"]) for one in odd["traces"]) > NEAR, "and it was judged"


def test_random_folds_are_clean_in_values_and_marked_for_their_neighbours(plant):
    assert all(one.leaks.startswith("leaks neighbours") for one in PROTOCOLS["random k-fold"](plant))


@pytest.mark.parametrize("detector", [*sorted(DETECTORS), *PLAIN])
def test_whatever_the_detector(plant, spied, detector):
    seen, fitted = spied
    (split,) = PROTOCOLS["chronological hold-out"](plant)
    quick = made(detector) if detector in DETECTORS else detector
    _, state = run(plant, split, fitted, quick)
    seen.clear()
    _, other = run(planted(plant, split), split, fitted, quick)
    assert contaminated(seen) == set()
    assert state == other


@pytest.mark.parametrize("calibrator", sorted(CALIBRATORS))
def test_whatever_the_calibrator(plant, calibrator):
    (split,) = PROTOCOLS["published"](plant)
    prints = [
        next(evaluate_run(one, "pca", splits=[split], calibrator=calibrator))["model"]
        for one in (plant, planted(plant, split))
    ]
    assert prints[0] == prints[1]


def test_labels_are_never_an_input(plant, spied):
    _, fitted = spied
    (split,) = PROTOCOLS["published"](plant)
    _, state = run(plant, split, fitted)
    for y in (1 - plant.y, np.zeros_like(plant.y), None):
        _, other = run(replace(plant, y=y, labels=()), split, fitted)
        assert state == other


def other_labels(dataset: Dataset, split: Split) -> Dataset:
    """Every judged row said to be something that training never held."""
    kinds = dataset.lessons().astype("U20")
    kinds[split.test] = "sentinel"
    return replace(dataset, y=(kinds != "normal").astype(np.int8), labels=(), kinds=kinds)


def words(labels: Iterable) -> set[str]:
    parts = [part for given in labels for part in (given if isinstance(given, list) else [given])]
    return {str(one) for part in parts for one in part}


@pytest.fixture(scope="module")
def lessons(plant) -> Dataset:
    """Enough anomalies in every part of every protocol: rows far from the middle, by the side on which they lie."""
    column = plant.frame.values[:, 0]
    low, high = np.nanquantile(column, (0.1, 0.9))
    kinds = np.where(column < low, "low", np.where(column > high, "high", "normal"))
    y = (kinds != "normal").astype(np.int8)
    return replace(plant, y=y, kinds=kinds, labels=labels_of(plant.frame, y, kinds=kinds))


@pytest.mark.parametrize("name", list(PROTOCOLS))
def test_labels_of_judged_rows_are_never_told(lessons, spied, name):
    """A detector that learns from labels has those of its training rows; whatever the others say changes nothing."""
    _, fitted = spied
    for split in PROTOCOLS[name](lessons, **({"labelled": True} if name == LEAVE_ATTACK_OUT else {})):
        told.clear()
        clean, state = run(lessons, split, fitted, NearestMean())
        (given,) = told["Pipeline"]
        np.testing.assert_array_equal(given, lessons.kinds[split.train])
        assert clean["labelled"] is True
        assert told["Detector"], "the spy sees them"
        if name == LEAVE_ATTACK_OUT:
            assert split.left_out not in words(told["Detector"])
            continue  # with other labels there would be another split
        told.clear()
        odd, other = run(planted(other_labels(lessons, split), split), split, fitted, NearestMean())
        assert "sentinel" not in words(told["Pipeline"] + told["Detector"])
        assert [key for key in state if state[key] != other[key]] == []
        assert "sentinel" in odd["classes"]["names"], "and they were there"


def test_detectors_without_need_are_told_nothing(lessons, spied):
    _, fitted = spied
    (split,) = PROTOCOLS["published"](lessons)
    record, _ = run(lessons, split, fitted)
    assert record["labelled"] is False
    assert record["classes"] is None
    assert not told


def leak_labels(monkeypatch, dataset: Dataset) -> None:
    """Judged rows among those that are learned from, with their labels."""
    fit = Pipeline.fit
    monkeypatch.setattr(Pipeline, "fit", lambda self, *_, **options: fit(self, dataset.frame, labels=dataset.kinds))


def test_the_check_finds_leaked_labels(monkeypatch, lessons, spied):
    _, fitted = spied
    (split,) = PROTOCOLS["published"](lessons)
    odd = other_labels(lessons, split)
    leak_labels(monkeypatch, odd)
    told.clear()
    run(odd, split, fitted, NearestMean())
    assert "sentinel" in words(told["Detector"])


def leak_everything(monkeypatch, dataset: Dataset) -> None:
    """Learn from all rows, as if nobody had split."""
    fit = Pipeline.fit
    monkeypatch.setattr(Pipeline, "fit", lambda self, _, **options: fit(self, dataset.frame, **options))


def leak_scaling(monkeypatch, dataset: Dataset) -> None:
    """The usual mistake: scale before splitting."""

    class Leaky(Scaler):
        def fit(self, X, groups=None):
            everything = np.concatenate([X, dataset.frame.values])
            return super().fit(everything, np.concatenate([groups, dataset.frame.device]))

    monkeypatch.setattr(redshank.scoring, "Scaler", Leaky)


def leak_quality(monkeypatch, dataset: Dataset) -> None:
    """Limits of the quality checks from the whole file."""
    fit = QualityChecks.fit
    monkeypatch.setattr(QualityChecks, "fit", lambda self, _: fit(self, dataset.frame))


def leak_one_row(monkeypatch, dataset: Dataset) -> None:
    """A single judged row among the training rows."""
    fit = Pipeline.fit
    last = dataset.frame.take(np.array([np.argmax(dataset.frame.values[:, 0])]))

    def leaky(self, frame: Frame, **options):
        joined = [
            np.concatenate([getattr(frame, name), getattr(last, name)]) for name in ("device", "time_ns", "values")
        ]
        return fit(self, Frame(frame.schema, frame.devices, *joined), **options)

    monkeypatch.setattr(Pipeline, "fit", leaky)


LEAKS = {
    leak_everything: {"Pipeline", "Scaler", "QualityChecks"},
    leak_scaling: {"Scaler"},
    leak_quality: {"QualityChecks"},
    leak_one_row: {"Pipeline", "Scaler", "QualityChecks", "Detector"},
}
"""Leaks made on purpose, and who must be found to have seen the sentinel. Where most rows are sentinels the scale is
theirs, and none stands out in what the detector sees."""


@pytest.mark.parametrize("leak", list(LEAKS), ids=lambda leak: leak.__name__)
def test_the_check_finds_a_leak(monkeypatch, plant, spied, leak):
    seen, fitted = spied
    (split,) = PROTOCOLS["chronological hold-out"](plant)
    _, state = run(plant, split, fitted)
    odd = planted(plant, split)
    leak(monkeypatch, odd)
    seen.clear()
    _, other = run(odd, split, fitted)
    assert LEAKS[leak] <= contaminated(seen), "an array given to a fit holds the sentinel"
    assert state != other, "and what was learned differs"


def test_a_leak_into_calibration_is_found_by_what_was_learned(monkeypatch, plant, spied):
    """Levels set on scores of the judged rows: no array holds the sentinel itself, the learned state tells."""
    _, fitted = spied
    (split,) = PROTOCOLS["chronological hold-out"](plant)
    held_back = redshank.pipeline.held_back

    def leaky(dataset: Dataset):
        def also(scorer, training, held):
            found = held_back(scorer, training, held)
            frame = dataset.frame.take(split.test)
            for k, rows in enumerate(frame.series()):
                values = frame.values[rows]
                every = redshank.scoring.DeviceRows(training.devices[k], k, rows, values, frame.time_ns[rows], 0)
                columns, _ = scorer.columns(every)
                found[k] = [np.concatenate(pair) for pair in zip(found[k], columns, strict=True)]
            return found

        return also

    states = []
    for dataset in (plant, planted(plant, split)):
        monkeypatch.setattr(redshank.pipeline, "held_back", leaky(dataset))
        states.append(run(dataset, split, fitted)[1])
    assert any(states[0][key] != states[1][key] for key in states[0] if key.startswith("calibrator"))
