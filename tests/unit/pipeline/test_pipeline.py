"""What the pipeline promises on top of its parts: any order of rows, gaps, strangers, purity, causality."""

from __future__ import annotations

import numpy as np
import pytest
from tests.fixtures.quick import UNLABELLED

from redshank.bundle import save
from redshank.core import Frame, InputError, NotFittedError, Schema, SettingError
from redshank.data import split_time
from redshank.detectors import DETECTORS
from redshank.pipeline import Pipeline, device_weeks

MINUTE = 60_000_000_000
CORE = [name for name in UNLABELLED if not DETECTORS.extra_of(name)]
DEVICES = ("pump-1", "pump-2", "fan")
BUDGET = "1 per device per day"


def fleet(rows: int = 1000, *, seed: int = 0, start: int = 0, odd: tuple[slice, ...] = ()) -> Frame:
    """Three devices of another level and spread each, row by row in turn; ``odd`` stretches of pump-2 are strange."""
    rng = np.random.default_rng(seed)
    t = start + np.arange(rows)
    each = []
    for k in range(3):
        wave = np.sin(t / 60 + k)
        values = np.stack([10 * k + wave, 5 + 2 * wave, 100 - wave], axis=1) * (1 + k) + rng.normal(0, 0.1, (rows, 3))
        each.append(values)
    for part in odd:
        each[1][part, 1] += 15
    values = np.stack(each, axis=1).reshape(-1, 3)
    schema = Schema.of(("a", "b", "c"), 60.0)
    return Frame(schema, DEVICES, np.tile(np.arange(3), rows), np.repeat(t, 3) * MINUTE, values)


@pytest.fixture(scope="module", params=CORE)
def pipeline(request) -> Pipeline:
    return Pipeline(request.param, budget=BUDGET).fit(fleet())


@pytest.fixture(scope="module")
def later() -> Frame:
    return fleet(600, seed=1, start=1000, odd=(slice(150, 200), slice(400, 420)))


def same(one, two) -> None:
    for part in ("score", "ready", "p", "alarm"):
        np.testing.assert_array_equal(getattr(one, part), getattr(two, part), err_msg=part)


def test_the_strange_is_found_and_named(pipeline, later):
    analysis = pipeline.analyse(later)
    alarmed = analysis.scores.alarm.reshape(-1, 3)
    assert alarmed[150:200, 1].any()
    assert alarmed[400:420, 1].any()
    about = [i for i in analysis.incidents if i.device == "pump-2" and i.readings[0].channel == "b"]
    assert any(1150 * MINUTE <= i.start_ns <= 1200 * MINUTE for i in about)
    for incident in analysis.incidents:
        assert incident.start_ns <= incident.detected_ns <= incident.end_ns
    assert analysis.rate() == pytest.approx(
        sum(len(i.devices) for i in analysis.incidents) / device_weeks(later), rel=1e-12
    )


def test_rows_in_any_order(pipeline, later):
    order = np.random.default_rng(2).permutation(len(later))
    wanted, mixed = pipeline.predict(later), pipeline.predict(later.take(order))
    for part in ("score", "ready", "p", "alarm"):
        np.testing.assert_array_equal(getattr(mixed, part), getattr(wanted, part)[order], err_msg=part)


def test_device_after_device_or_in_turn(pipeline, later):
    """Only the order within a device means something: the clock check takes it as order of arrival."""
    blocks = np.argsort(later.device, kind="stable")
    assert pipeline.analyse(later.take(blocks)).incidents == pipeline.analyse(later).incidents


@pytest.mark.parametrize("name", CORE)
def test_training_rows_in_any_order(tmp_path, name):
    frame = fleet()
    straight = Pipeline(name, budget=BUDGET).fit(frame)
    blocks = Pipeline(name, budget=BUDGET).fit(frame.take(np.argsort(frame.device, kind="stable")))
    assert save(straight, tmp_path / "a").read_bytes() == save(blocks, tmp_path / "b").read_bytes()
    mixed = Pipeline(name, budget=BUDGET).fit(frame.take(np.random.default_rng(2).permutation(len(frame))))
    same(mixed.predict(frame), straight.predict(frame))


def test_devices_do_not_disturb_each_other(pipeline, later):
    whole = pipeline.predict(later)
    for k in range(3):
        own = later.device == k
        alone = pipeline.predict(later.take(own))
        np.testing.assert_allclose(alone.score, whole.score[own], rtol=1e-9)
        np.testing.assert_array_equal(alone.alarm, whole.alarm[own])


def test_a_repeated_reading_gets_the_floor_and_no_alarm(pipeline, later):
    """Delivered twice: the copy says nothing new, and the others keep their scores."""
    again = np.flatnonzero(later.device == 1)[150:200]
    twice = later.take(np.concatenate([np.arange(len(later)), again]))
    wanted, found = pipeline.predict(later), pipeline.predict(twice)
    same_part = slice(0, len(later))
    np.testing.assert_array_equal(found.score[same_part], wanted.score)
    np.testing.assert_array_equal(found.alarm[same_part], wanted.alarm)
    copies = slice(len(later), None)
    assert (found.score[copies] == pipeline.floor_).all()
    assert not found.alarm[copies].any()
    assert not found.ready[copies].any()
    assert (found.p[copies] == 1).all()


def test_a_device_that_was_not_there_in_training(pipeline, later):
    stranger = Frame(later.schema, ("pump-1", "new", "fan"), later.device, later.time_ns, later.values)
    scores = pipeline.predict(stranger)
    assert np.isfinite(scores.score).all()
    assert ((scores.p >= 0) & (scores.p <= 1)).all()
    others = later.device != 1
    np.testing.assert_array_equal(scores.score[others], pipeline.predict(later).score[others])
    pipeline.analyse(stranger)


def test_a_series_begins_anew_behind_a_long_gap(later):
    """A day of silence: what came before it tells nothing, and the first rows behind it are not ready."""
    pipeline = Pipeline("ridge" if "ridge" in CORE else "pca", budget=BUDGET).fit(fleet())
    moved = later.time_ns.copy()
    moved[300 * 3 :] += 1440 * MINUTE
    gapped = Frame(later.schema, later.devices, later.device, moved, later.values)
    second = pipeline.predict(gapped.take(slice(300 * 3, None)))
    whole = pipeline.predict(gapped)
    np.testing.assert_array_equal(whole.ready[900:], second.ready)
    np.testing.assert_allclose(whole.score[900:], second.score, rtol=1e-9)
    assert any("silen" in f"{i.kind} {i.sentence}" for i in pipeline.analyse(gapped).incidents)


def test_missing_values(pipeline, later):
    values = later.values.copy()
    values[np.random.default_rng(0).random(values.shape) < 0.2] = np.nan
    values[900:960] = np.nan
    values[:, 2] = np.nan
    holes = Frame(later.schema, later.devices, later.device, later.time_ns, values)
    analysis = pipeline.analyse(holes)
    assert np.isfinite(analysis.scores.score).all()
    assert np.isfinite(analysis.scores.p).all()


def test_learning_with_missing_values():
    frame = fleet()
    values = frame.values.copy()
    values[np.random.default_rng(0).random(values.shape) < 0.2] = np.nan
    values[frame.device == 2, 2] = np.nan  # one device has no such sensor
    holes = Frame(frame.schema, frame.devices, frame.device, frame.time_ns, values)
    for name in CORE:
        scores = Pipeline(name, budget=BUDGET).fit(holes).predict(fleet(300, seed=2, start=1000))
        assert np.isfinite(scores.score).all()


def test_pure(pipeline, later):
    before = [array.copy() for array in (later.values, later.time_ns, later.device)]
    first, second = pipeline.predict(later), pipeline.predict(later)
    same(first, second)
    assert pipeline.analyse(later).incidents == pipeline.analyse(later).incidents
    same(pipeline.predict(later), first)
    for was, now in zip(before, (later.values, later.time_ns, later.device), strict=True):
        np.testing.assert_array_equal(was, now)


@pytest.mark.parametrize("cut", [1, 100, 170, 200, 399, 599])
def test_causal(pipeline, later, cut):
    """What follows changes nothing: neither scores nor alarms nor incidents that were over."""
    head = later.take(slice(0, cut * 3))
    whole, part = pipeline.predict(later), pipeline.predict(head)
    np.testing.assert_allclose(part.score, whole.score[: cut * 3], rtol=1e-9)
    np.testing.assert_allclose(part.p, whole.p[: cut * 3], rtol=1e-9)
    np.testing.assert_array_equal(part.alarm, whole.alarm[: cut * 3])
    np.testing.assert_array_equal(part.ready, whole.ready[: cut * 3])
    end_ns = int(head.time_ns.max())
    rest_ns = 120 * MINUTE

    def over(analysis) -> list:
        return [(i.key, i.devices, i.start_ns, i.kind) for i in analysis.incidents if i.end_ns < end_ns - rest_ns]

    assert over(pipeline.analyse(head)) == over(pipeline.analyse(later))


@pytest.mark.parametrize("name", CORE)
def test_the_judged_part_is_never_learned_from(tmp_path, name):
    """Sentinel: whatever stands in the rest of the file, the model is the same to the byte."""
    frame = fleet(1500)
    first, rest = split_time(frame, 0.6)
    values = frame.values.copy()
    values[rest] = np.random.default_rng(5).normal(1e6, 1e5, values[rest].shape)
    other = Frame(frame.schema, frame.devices, frame.device, frame.time_ns, values)
    models = [
        save(Pipeline(name, budget=BUDGET).fit(one.take(first)), tmp_path / "m").read_bytes() for one in (frame, other)
    ]
    assert models[0] == models[1]


def test_a_second_fit_forgets_the_first(tmp_path):
    for name in CORE:
        fresh = Pipeline(name, budget=BUDGET).fit(fleet())
        used = Pipeline(name, budget=BUDGET).fit(fleet(seed=9, odd=(slice(0, 500),)).take(slice(0, 1500)))
        used.fit(fleet())
        assert save(fresh, tmp_path / "a").read_bytes() == save(used, tmp_path / "b").read_bytes()


def test_given_parts_are_not_changed():
    """A detector and a calibrator given as objects stay unfitted: two pipelines may share them."""
    detector = DETECTORS.get("pca")(latent=1)
    Pipeline(detector, budget=BUDGET).fit(fleet())
    with pytest.raises(NotFittedError):
        detector.score_samples(np.zeros((2, 3)))


def test_one_channel_one_device(later):
    for name in CORE:
        values = later.values[later.device == 0, :1]
        frame = Frame.of(values, names=["a"], interval_s=60.0)
        try:
            pipeline = Pipeline(name, budget=BUDGET).fit(frame)
        except SettingError as error:
            pytest.fail(f"{name}: {error}")
        assert np.isfinite(pipeline.predict(frame).score).all()


def test_nothing_to_judge(pipeline, later):
    empty = later.take(slice(0, 0))
    analysis = pipeline.analyse(empty)
    assert len(analysis.scores) == 0
    assert analysis.incidents == ()
    assert analysis.rate() == 0.0


def test_wrong_channels(pipeline, later):
    other = Frame(Schema.of(("a", "b", "x"), 60.0), later.devices, later.device, later.time_ns, later.values)
    with pytest.raises(InputError, match="x"):
        pipeline.predict(other)


def test_unfitted(later):
    for call in ("predict", "analyse", "score_samples"):
        with pytest.raises(NotFittedError):
            getattr(Pipeline("pca"), call)(later)


@pytest.mark.parametrize("rows", [0, 1, 2, 5])
def test_too_few_rows(rows):
    for name in CORE:
        with pytest.raises(InputError):
            Pipeline(name, budget=BUDGET).fit(fleet().take(slice(0, rows)))


@pytest.mark.parametrize(
    "settings",
    [{"budget": "often"}, {"hold_back": 0.0}, {"hold_back": 1.0}, {"calibrator": "none"}, {"fill": -1}],
    ids=lambda settings: next(iter(settings)),
)
def test_settings(settings):
    with pytest.raises(SettingError):
        Pipeline("pca", **settings).fit(fleet())


def test_all_missing():
    frame = fleet()
    empty = Frame(frame.schema, frame.devices, frame.device, frame.time_ns, np.full_like(frame.values, np.nan))
    with pytest.raises(InputError, match="no channel holds a value"):
        Pipeline("pca").fit(empty)
