"""Fleets of unlike devices: short ones, slow ones, unseen channels, levels that fit the detector that judges."""

import numpy as np
import pytest

from redshank.core import Frame, InputError, concatenate
from redshank.pipeline import Pipeline, device_weeks


def readings(rows: int, *, device: str, seed: int, interval_s: float = 60.0, start_s: float = 0.0) -> Frame:
    rng = np.random.default_rng(seed)
    slow = np.convolve(rng.normal(size=rows + 20), np.ones(20) / 20, mode="valid")[:rows]
    values = np.stack([slow + 0.1 * rng.normal(size=rows), 5 - 2 * slow + 0.1 * rng.normal(size=rows)], axis=1)
    times = np.round((start_s + interval_s * np.arange(rows)) * 1e9).astype(np.int64)
    return Frame.of(values, names=("flow", "pressure"), time_ns=times, device=device)


@pytest.mark.parametrize("detector", ["pca", "ridge"])
@pytest.mark.parametrize("rows", [1, 3, 9])
def test_one_short_device_does_not_stop_the_fleet(detector, rows):
    fleet = concatenate([readings(3000, device="long", seed=0), readings(rows, device="short", seed=1)])
    pipeline = Pipeline(detector).fit(fleet)
    judged = pipeline.predict(readings(500, device="short", seed=2))
    assert judged.ready[20:].all()


def test_each_device_is_judged_by_the_detector_its_levels_were_set_for():
    """In a fold a device has fewer rows than in all; that must not hand it to another detector."""
    fleet = concatenate([readings(rows, device=f"d{rows}", seed=rows) for rows in (700, 999, 1000, 1300)])
    scorer = Pipeline("pca").fit(fleet).scorer_
    assert scorer.own.tolist() == [0, 0, 1, 2]
    assert len(scorer.detectors) == 3


def test_false_alarms_stay_near_the_budget_with_short_histories():
    weeks, events = 0.0, 0
    for seed in range(3):
        train = [readings(700, device=f"d{i}", seed=100 * seed + i) for i in range(10)]
        later = [readings(4000, device=f"d{i}", seed=5000 + 100 * seed + i, start_s=1e6) for i in range(10)]
        analysis = Pipeline("pca").fit(concatenate(train)).analyse(concatenate(later))
        weeks += device_weeks(analysis.frame)
        events += len(analysis.incidents)
    assert events / weeks < 3.0


def test_a_slow_device_among_fast_ones_is_judged():
    train = [
        readings(6000, device="fast", seed=0, interval_s=1.0),
        readings(700, device="slow", seed=1, interval_s=100),
    ]
    pipeline = Pipeline("ridge").fit(concatenate(train))
    slow = readings(400, device="slow", seed=2, interval_s=100.0, start_s=1e6)
    slow.values[200:300] += 50.0
    judged = pipeline.predict(slow)
    assert judged.ready[20:].all()
    assert judged.alarm[200:].any()


def test_a_channel_never_seen_in_training_says_nothing():
    train, later = readings(3000, device="a", seed=0), readings(500, device="a", seed=1, start_s=1e6)
    train.values[:, 1] = np.nan
    later.values[:, 1] = 503.0
    analysis = Pipeline("pca").fit(train).analyse(later)
    assert analysis.scores.alarm.mean() < 0.02


def test_a_failed_fit_leaves_the_earlier_one():
    good, other = readings(3000, device="a", seed=0), readings(500, device="a", seed=1, start_s=1e6)
    pipeline = Pipeline("pca").fit(good)
    before = pipeline.predict(other)
    with pytest.raises(InputError):
        pipeline.fit(good.take(slice(0, 3)))
    after = pipeline.predict(other)
    np.testing.assert_array_equal(after.p, before.p)
    np.testing.assert_array_equal(after.score, before.score)
