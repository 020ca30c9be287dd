"""Detectors that learn from labels: what they are told, what the levels are set on, what an incident is called."""

from __future__ import annotations

import numpy as np
import pytest
from tests.fixtures.classifiers import NearestMean, SlowNearestMean

import redshank.pipeline
import redshank.scoring
from redshank.core import Detector, Frame, InputError, Tags, concatenate
from redshank.pipeline import Pipeline
from redshank.quality import QualityChecks

BUDGET = "1 per device per day"
STEPS = {"flood": (0, 6.0), "leak": (1, -6.0)}


def plant(rows: int = 1600, *, seed: int = 0, start: int = 0, device: str = "pump", odd: dict[str, list[slice]]):
    """Two noisy channels; each named anomaly moves one of them; and the names by row."""
    rng = np.random.default_rng(seed)
    values = rng.normal((10, 5), 0.5, (rows, 2))
    kinds = np.full(rows, "normal", dtype="U9")
    for name, parts in odd.items():
        channel, step = STEPS[name]
        for part in parts:
            values[part, channel] += step
            kinds[part] = name
    times = (start + np.arange(rows)) * 60_000_000_000
    return Frame.of(values, names=("a", "b"), time_ns=times, device=device), kinds


def several(start: int, count: int, length: int = 10, every: int = 100) -> list[slice]:
    return [slice(start + i * every, start + i * every + length) for i in range(count)]


EVERYWHERE = {"flood": several(50, 16), "leak": several(90, 16)}


@pytest.fixture(scope="module")
def fitted():
    frame, kinds = plant(odd=EVERYWHERE)
    return Pipeline(NearestMean(), budget=BUDGET).fit(frame, kinds)


@pytest.fixture(scope="module")
def later():
    return plant(600, seed=1, start=1600, odd={"flood": [slice(100, 120)], "leak": [slice(400, 405)]})


def test_it_finds_and_names_what_it_was_told(fitted, later):
    frame, kinds = later
    analysis = fitted.analyse(frame)
    assert analysis.scores.alarm[kinds != "normal"].mean() > 0.9
    assert analysis.scores.alarm[kinds == "normal"].mean() < 0.01
    assert (analysis.kinds == kinds).mean() > 0.98
    causes = {one.cause: one for one in analysis.incidents if one.cause in STEPS}
    assert set(causes) == {"flood", "leak"}
    assert causes["flood"].sentence.endswith("looks like flood")
    assert causes["flood"].readings[0].channel == "a"
    assert causes["leak"].readings[0].channel == "b"


def test_marks_without_names(later):
    frame, kinds = plant(odd=EVERYWHERE)
    analysis = Pipeline(NearestMean(), budget=BUDGET).fit(frame, (kinds != "normal").astype(int)).analyse(later[0])
    assert set(analysis.kinds) == {"normal", "anomaly"}
    for incident in analysis.incidents:
        assert incident.cause in ("", "stuck", "spike", "noise", "unit", "clipped", "cadence", "clock")
        assert incident.sentence.rstrip(")").endswith(("anomaly", "fault", "attack", *("spike", "noise", "unit")))


def test_one_calibrator_for_the_score_alone(fitted):
    assert len(fitted.calibrators_) == 1
    assert fitted.notes_[0].startswith("320 of 1,600 training rows are labelled anomalous")


@pytest.mark.parametrize("detector", [NearestMean(), SlowNearestMean()], ids=["cheap", "dear"])
def test_levels_are_set_on_normal_rows_alone(monkeypatch, detector):
    frame, kinds = plant(odd=EVERYWHERE)
    seen, fit_columns = {}, redshank.pipeline.fit_columns

    def spy(make, settings, held, **more):
        seen.update(held)
        return fit_columns(make, settings, held, **more)

    monkeypatch.setattr(redshank.pipeline, "fit_columns", spy)
    Pipeline(detector, budget=BUDGET).fit(frame, kinds)
    (score,) = seen["pump"]
    last = kinds if detector.tags.cheap else kinds[int(len(kinds) * 0.7) :]
    assert len(score) == (last == "normal").sum()
    assert score.max() < 3.0, "an anomalous row would score far above"


def test_values_of_anomalous_rows_do_not_widen_the_quality_limits(monkeypatch):
    frame, kinds = plant(odd=EVERYWHERE)
    given = []
    fit = QualityChecks.fit
    monkeypatch.setattr(QualityChecks, "fit", lambda self, one: given.append(one) or fit(self, one))
    Pipeline(NearestMean(), budget=BUDGET).fit(frame, kinds)
    (one,) = given
    assert np.isnan(one.values[kinds != "normal"]).all()
    np.testing.assert_array_equal(one.values[kinds == "normal"], frame.values[kinds == "normal"])
    np.testing.assert_array_equal(one.time_ns, frame.time_ns)


def test_what_is_held_back_is_never_learned(monkeypatch):
    """Fold by fold: neither rows nor labels of the quarter that is held back reach the detector."""
    frame, kinds = plant(odd=EVERYWHERE)
    told = []
    fit = Detector.fit
    monkeypatch.setattr(Detector, "fit", lambda self, X, y=None: told.append((X, y)) or fit(self, X, y))
    Pipeline(NearestMean(), budget=BUDGET).fit(frame, kinds)
    assert [sum(map(len, y)) for _, y in told] == [1200] * 4 + [1600]
    for fold, (X, y) in enumerate(told[:4]):
        wanted = np.delete(kinds, slice(400 * fold, 400 * (fold + 1)))
        np.testing.assert_array_equal(np.concatenate(y), wanted)
        assert sum(map(len, X)) == len(wanted)


def test_a_single_event_is_not_held_back():
    frame, kinds = plant(odd={"flood": [slice(500, 540)]})
    pipeline = Pipeline(NearestMean(), budget=BUDGET).fit(frame, kinds)
    assert any("1 of 4 parts" in note for note in pipeline.notes_)
    frame, kinds = plant(600, seed=1, start=1600, odd={"flood": [slice(100, 120)]})
    assert pipeline.predict(frame).alarm[100:120].all()


def test_what_cannot_be_learned_is_an_error():
    frame, kinds = plant(odd={"flood": [slice(1500, 1540)]})
    with pytest.raises(InputError, match="hold back less"):
        Pipeline(SlowNearestMean()).fit(frame, kinds)
    with pytest.raises(InputError, match="none of the 1600 labelled training rows is anomalous"):
        Pipeline(NearestMean()).fit(frame, np.zeros(1600, int))
    with pytest.raises(InputError, match="is normal"):
        Pipeline(NearestMean()).fit(frame, np.ones(1600, int))


@pytest.mark.parametrize(
    ("detector", "labels", "message"),
    [
        (NearestMean(), None, "learns from labels and got none"),
        ("pca", np.zeros(1600, int), "learns without labels"),
        (NearestMean(), np.zeros(10, int), r"shape \(10,\)"),
        (NearestMean(), np.full(1600, 2), "neither 0 and 1"),
        (NearestMean(), np.full(1600, np.nan), "neither 0 and 1"),
    ],
)
def test_labels_only_for_whom_they_are(detector, labels, message):
    frame, _ = plant(odd=EVERYWHERE)
    with pytest.raises(InputError, match=message):
        Pipeline(detector, budget=BUDGET).fit(frame, labels)


def test_labels_in_any_form(later):
    frame, kinds = plant(odd=EVERYWHERE)
    wanted = Pipeline(NearestMean(), budget=BUDGET).fit(frame, kinds).predict(later[0])
    blank = np.array([None if one == "normal" else f" {one} " for one in kinds], dtype=object)
    for form in (blank, kinds.tolist(), np.where(kinds == "normal", "", kinds)):
        found = Pipeline(NearestMean(), budget=BUDGET).fit(frame, form).predict(later[0])
        np.testing.assert_array_equal(found.score, wanted.score)
    order = np.random.default_rng(0).permutation(len(frame))
    found = Pipeline(NearestMean(), budget=BUDGET).fit(frame.take(order), kinds[order]).predict(later[0])
    np.testing.assert_array_equal(found.p, wanted.p)


def test_a_detector_that_is_told_but_names_nothing(later):
    class Marks(Detector):
        tags = Tags(needs_labels=True, cheap=True)

        def _fit(self, series, y):
            rows = np.concatenate(series)
            self.axis_ = rows[y == 1].mean(axis=0) - rows[y == 0].mean(axis=0)

        def _score(self, X):
            return np.square(X).sum(axis=1)

    frame, kinds = plant(odd=EVERYWHERE)
    analysis = Pipeline(Marks(), budget=BUDGET).fit(frame, kinds).analyse(later[0])
    assert analysis.kinds is None
    assert any(one.readings for one in analysis.incidents)


def test_a_device_without_anomalies_has_the_detector_of_the_fleet():
    first, a = plant(odd=EVERYWHERE, device="one")
    second, b = plant(odd={}, device="two", seed=2)
    third, c = plant(odd={"leak": [slice(300, 340)]}, device="three", seed=3)
    frame, kinds = concatenate([first, second, third]), np.concatenate([a, b, c])
    scorer = Pipeline(NearestMean(), budget=BUDGET).fit(frame, kinds).scorer_
    assert scorer.own.tolist() == [1, 0, 0], "one event is not in every part that is learned from"
    assert scorer.detectors[0].classes_.tolist() == ["normal", "flood", "leak"]


def test_only_some_alarmed_rows_are_explained_where_there_are_many(monkeypatch):
    monkeypatch.setattr(redshank.scoring, "MOST_EXPLAINED", 10)
    frame, kinds = plant(odd=EVERYWHERE)
    pipeline = Pipeline(NearestMean(), budget=BUDGET).fit(frame, kinds)
    later, _ = plant(600, seed=1, start=1600, odd={"flood": [slice(100, 160)]})
    analysis = pipeline.analyse(later)
    explained = np.isfinite(analysis.contributions).all(axis=1)
    assert 0 < explained.sum() <= 10
    assert analysis.scores.alarm[explained].all()
    (incident,) = (one for one in analysis.incidents if one.cause == "flood")
    assert incident.readings[0].channel == "a"
    assert np.isfinite(incident.readings[0].share)


def test_a_budget_that_nothing_can_keep_is_said():
    """Where normal rows look as anomalous as anything does, the budget silences all; better to know it."""
    frame, kinds = plant(odd=EVERYWHERE)
    wrong = kinds.copy()
    wrong[kinds != "normal"] = np.where(np.random.default_rng(0).random(320) < 0.3, "normal", kinds[kinds != "normal"])
    pipeline = Pipeline(NearestMean(), budget="1 per device per year").fit(frame, wrong)
    assert pipeline.notes_[-1].startswith("nothing can alarm")
    assert not pipeline.predict(frame).alarm.any()
    assert not any(note.startswith("nothing") for note in Pipeline(NearestMean()).fit(frame, kinds).notes_)
