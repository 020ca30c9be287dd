"""Rows at unequal steps and missing readings: what a detector is given, and what is said of it."""

from __future__ import annotations

import numpy as np
import pytest
from tests.fixtures.classifiers import Marked, NearestMean
from tests.unit.pipeline.test_labelled import BUDGET, EVERYWHERE, plant

from redshank.bundle import load, save
from redshank.core import Detector, Frame, SettingError, Tags
from redshank.detectors import DETECTORS
from redshank.evaluate.records import model_fingerprint, pipeline_settings
from redshank.pipeline import Pipeline
from redshank.simulate import simulate

MINUTE = 60_000_000_000


class Watched(Detector):
    """Keeps what it was given; the score is the distance to the row before."""

    tags = Tags(sequence=True)
    given: list  # of the class: what was learned from, series by series

    @property
    def warmup(self):
        return 1

    def _fit(self, series, y):
        Watched.given = [one.copy() for one in series]
        self.mean_ = np.concatenate(series).mean(axis=0)

    def _score(self, X):
        return np.square(np.diff(X, axis=0, prepend=X[:1])).sum(axis=1)


class Holey(Watched):
    tags = Tags(sequence=True, missing=True)

    def _fit(self, series, y):
        Watched.given = [one.copy() for one in series]
        self.mean_ = np.nanmean(np.concatenate(series), axis=0)

    def _score(self, X):
        return super()._score(np.nan_to_num(X))


def jittered(rows: int = 1500, *, seed: int = 0, jitter: float = 0.4, lost: float = 0.3) -> Frame:
    """A slow wave in true time, read at unsteady moments, many readings lost."""
    rng = np.random.default_rng(seed)
    nominal = np.sort(rng.choice(int(rows / (1 - lost)), rows, replace=False))
    moments = nominal + rng.uniform(-jitter, jitter, rows)
    values = np.stack([np.sin(moments / 8), np.cos(moments / 8)], axis=1) + rng.normal(0, 0.02, (rows, 2))
    return Frame.of(values, names=("a", "b"), time_ns=(moments * MINUTE).astype(np.int64) + 10**15)


def by_hand(values, time_ns, interval_ns):
    """Copies of the last row for every whole interval that a gap spans."""
    rows, at = [values[0]], [0]
    for i in range(1, len(values)):
        steps = max(round((time_ns[i] - time_ns[i - 1]) / interval_ns), 1)
        rows += [values[i - 1]] * (steps - 1) + [values[i]]
        at.append(len(rows) - 1)
    return np.array(rows), at


def test_resampled_rows_by_hand():
    frame = jittered()
    pipeline = Pipeline(Watched(), budget=BUDGET, sampling="resample", hold_back=0.3).fit(frame)
    (given,) = Watched.given
    interval = np.median(np.diff(frame.time_ns))
    learned = int(len(frame) * 0.7)
    scaled = pipeline.scorer_.scaler.transform(frame.values, groups=np.zeros(len(frame), int))
    wanted, _ = by_hand(scaled[:learned], frame.time_ns[:learned], interval)
    np.testing.assert_allclose(given, wanted, rtol=1e-6)
    everything, at = by_hand(scaled, frame.time_ns, interval)
    scores = pipeline.predict(frame)
    np.testing.assert_allclose(
        scores.score[1:], np.square(np.diff(everything, axis=0, prepend=everything[:1])).sum(axis=1)[at][1:], rtol=1e-4
    )
    assert scores.ready[1:].all()


def test_the_gap_is_a_channel_of_its_own_and_no_part_of_explanations():
    frame = jittered()
    pipeline = Pipeline(Watched(), budget=BUDGET, sampling="gap").fit(frame)
    (given,) = Watched.given
    steps = np.diff(frame.time_ns)[: len(given) - 1]
    assert given.shape[1] == 3
    assert given[0, 2] == 0
    np.testing.assert_allclose(given[1:, 2], np.log(steps / np.median(np.diff(frame.time_ns))), rtol=1e-4, atol=1e-5)
    later = jittered(seed=1)
    later.values[700:705] += 9.0
    analysis = pipeline.analyse(later)
    assert analysis.contributions.shape == later.values.shape
    assert analysis.expected.shape == later.values.shape
    assert {reading.channel for one in analysis.incidents for reading in one.readings} <= {"a", "b"}
    assert len(pipeline.calibrators_) == 3


def test_auto():
    uneven, even = jittered(), jittered(jitter=0.0, lost=0.0)
    chosen = Pipeline(Watched(), budget=BUDGET, sampling="auto").fit(uneven)
    assert chosen.scorer_.sampling == "resample"
    assert "irregular" in chosen.notes_[0]
    assert Pipeline(Watched(), budget=BUDGET, sampling="auto").fit(even).scorer_.sampling == "as_is"
    rows = Pipeline("pca", budget=BUDGET, sampling="auto").fit(uneven)
    assert rows.scorer_.sampling == "as_is", "it looks at each row by itself"
    assert rows.notes_ == ()
    assert "changes nothing" in Pipeline("pca", budget=BUDGET, sampling="gap").fit(uneven).notes_[0]


def test_even_rows_are_the_same_either_way():
    even = jittered(jitter=0.0, lost=0.0)
    as_is, resampled = (Pipeline("ewma", budget=BUDGET, sampling=way).fit(even) for way in ("as_is", "resample"))
    np.testing.assert_array_equal(as_is.predict(even).score, resampled.predict(even).score)


@pytest.mark.parametrize("sampling", ["resample", "gap"])
@pytest.mark.parametrize("cut", [40, 700, 1499])
def test_causal(sampling, cut):
    pipeline = Pipeline("ewma", budget=BUDGET, sampling=sampling).fit(jittered())
    later = jittered(seed=1)
    whole, head = pipeline.predict(later), pipeline.predict(later.take(slice(0, cut)))
    for part in ("score", "p", "alarm", "ready"):
        np.testing.assert_allclose(getattr(head, part), getattr(whole, part)[:cut], rtol=1e-9)


@pytest.mark.parametrize("sampling", ["resample", "gap", "auto"])
def test_saved(tmp_path, sampling):
    frame, later = jittered(), jittered(seed=1)
    pipeline = Pipeline("ewma", budget=BUDGET, sampling=sampling).fit(frame)
    again = load(save(pipeline, tmp_path / "m"))
    assert again.sampling == sampling
    assert again.scorer_.sampling == pipeline.scorer_.sampling
    np.testing.assert_array_equal(again.predict(later).score, pipeline.predict(later).score)
    assert model_fingerprint(again) == model_fingerprint(pipeline)
    assert pipeline_settings(again)["sampling"] == sampling


def test_a_plant_on_a_lossy_channel():
    """Resampling keeps the seasonal profile in step with the clock, where rows are counted it slips."""
    made = simulate(2, 24 * 14, seed=5, interval_s=1800.0, clean_hours=24 * 14, anomalies_per_device_week=0)
    kept = np.random.default_rng(0).random(len(made.frame)) < 0.6
    frame = made.frame.take(kept)
    time = frame.time_ns
    first, rest = (
        frame.take(time < time.min() + 10 * 86400 * 10**9),
        frame.take(time >= time.min() + 10 * 86400 * 10**9),
    )
    detector = DETECTORS.get("seasonal")(period=48)
    found = {}
    for way in ("as_is", "resample"):
        pipeline = Pipeline(detector, budget=BUDGET, sampling=way).fit(first)
        found[way] = float(np.median(pipeline.predict(rest, history=first).score))
    assert found["resample"] < found["as_is"]


def test_a_detector_that_was_fitted_elsewhere_is_begun_anew():
    """There it took each row by itself, as one of 40 channels is enough; of two channels it does not."""
    detector = DETECTORS.get("autoencoder")(epochs=1, device="cpu")
    detector.fit(np.random.default_rng(0).standard_normal((200, 40)))
    assert not detector.tags.sequence
    assert Pipeline(detector, sampling="resample").fit(jittered()).scorer_.sampling == "resample"


def test_unknown_way():
    with pytest.raises(SettingError, match="sampling is 'often'"):
        Pipeline("pca", sampling="often").fit(jittered())


def holes() -> tuple[Frame, int]:
    frame = jittered(jitter=0.0, lost=0.0)
    values = frame.values.copy()
    values[100:103, 0] = np.nan
    values[200:220, 1] = np.nan
    return Frame(frame.schema, frame.devices, frame.device, frame.time_ns, values), 23


def test_gaps_are_filled_only_for_whom_they_must_and_counted():
    frame, count = holes()
    filled = Pipeline(Watched(), budget=BUDGET).fit(frame)
    assert not any(np.isnan(one).any() for one in Watched.given)
    assert f"{count} missing readings in 2 channels were filled for Watched" in filled.notes_[0]
    analysis = filled.analyse(frame)
    assert analysis.filled == count
    assert f"{count} missing readings in 2 channels" in analysis.notes[0]
    clean = filled.analyse(frame.take(slice(300, 400)))
    assert (clean.filled, clean.notes) == (0, ())

    taken = Pipeline(Holey(), budget=BUDGET).fit(frame)
    assert sum(int(np.isnan(one).sum()) for one in Watched.given) == count
    assert taken.notes_ == ()
    analysis = taken.analyse(frame)
    assert (analysis.filled, analysis.notes) == (0, ())
    assert np.isfinite(analysis.scores.score).all()


def test_a_channel_that_training_never_had_is_not_filled_but_left_out():
    frame = jittered(jitter=0.0, lost=0.0)
    frame.values[:, 1] = np.nan
    for detector in (Watched(), Holey()):
        pipeline = Pipeline(detector, budget=BUDGET).fit(frame)
        assert pipeline.notes_ == ()
        assert not any(np.isnan(one).any() for one in Watched.given)
        assert pipeline.analyse(frame).filled == 0


@pytest.mark.parametrize("detector", [NearestMean(), Marked()], ids=["filled", "taken"])
def test_missing_readings_and_labels(detector):
    frame, kinds = plant(odd=EVERYWHERE)
    frame.values[::17, 0] = np.nan
    pipeline = Pipeline(detector, budget=BUDGET).fit(frame, kinds)
    assert any("missing readings" in note for note in pipeline.notes_) is not detector.tags.missing
    assert np.isfinite(pipeline.analyse(frame).scores.score).all()


def test_labels_go_with_their_rows_onto_the_grid():
    class Sequence(NearestMean):
        tags = Tags(sequence=True, needs_labels=True, cheap=True)

        def _fit(self, series, y):
            super()._fit(series, y)
            Sequence.told = sum(map(len, series)), len(y), int((y > 0).sum())

    frame, kinds = plant(odd=EVERYWHERE)
    kept = np.random.default_rng(0).random(len(frame)) < 0.7
    pipeline = Pipeline(Sequence(), budget=BUDGET, sampling="resample").fit(frame.take(kept), kinds[kept])
    rows, told, odd = Sequence.told
    assert rows == told > kept.sum()
    assert odd > (kinds[kept] != "normal").sum()
    assert pipeline.predict(frame).alarm[kinds != "normal"].mean() > 0.9
