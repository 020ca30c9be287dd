"""Planted faults are found where they are and named; what only looks like a fault is left alone."""

from __future__ import annotations

import numpy as np
import pytest

from redshank.core import Frame, InputError, Kind, NotFittedError, Schema, SettingError, concatenate
from redshank.quality import Finding, QualityChecks

MINUTE = 60 * 10**9
DAY = 1440
NAMES = ("temperature", "humidity", "vibration", "light", "motion", "mode", "constant", "total")


def values(rows: int, seed: int = 0, first: int = 0) -> np.ndarray:
    """A room with day and night: light rests at 0, motion is mostly 0, a flag, a constant and a counter."""
    rng = np.random.default_rng([seed, first])
    t = np.arange(first, first + rows)
    day = np.sin(2 * np.pi * t / DAY)
    lit = day > 0
    return np.stack(
        [
            np.round(20 + 3 * day + 0.2 * rng.normal(size=rows), 2),
            np.round(50 - 8 * day + 0.5 * rng.normal(size=rows), 1),
            np.abs(2 + 0.3 * rng.normal(size=rows)),
            np.where(lit, np.round(400 * day + 5 * rng.normal(size=rows)), 0.0),
            np.where(lit, rng.poisson(1.0, rows), 0),
            lit.astype(float),
            np.full(rows, 7.0),
            np.cumsum(rng.poisson(3.0, rows)),
        ],
        axis=1,
    )


def frame(rows: int, seed: int = 0, first: int = 0, device: str = "pump-07") -> Frame:
    return Frame.of(
        values(rows, seed, first),
        names=NAMES,
        time_ns=(np.arange(rows) + first) * MINUTE,
        interval_s=60.0,
        device=device,
    )


def altered(plain: Frame, rows: slice, channel: str, change) -> Frame:
    data = plain.values.copy()
    column = NAMES.index(channel)
    data[rows, column] = change(data[rows, column])
    return Frame(plain.schema, plain.devices, plain.device, plain.time_ns, data)


@pytest.fixture(scope="module")
def checks() -> QualityChecks:
    return QualityChecks().fit(frame(3 * DAY))


@pytest.fixture(scope="module")
def later() -> Frame:
    return frame(2 * DAY, first=3 * DAY)


def only(found: list[Finding], cause: str) -> Finding:
    assert [one.cause for one in found] == [cause]
    return found[0]


def test_normal_rows_raise_nothing(checks: QualityChecks, later: Frame) -> None:
    assert checks.check(later) == []
    assert list(checks.notes_) == []


def test_silence_starts_after_the_last_reading_and_is_known_at_the_deadline(
    checks: QualityChecks, later: Frame
) -> None:
    keep = np.ones(len(later), dtype=bool)
    keep[600:730] = False
    one = only(checks.check(later.take(keep)), "silence")
    assert one.kind is Kind.SILENCE
    assert one.channels == ()
    assert one.start_ns == later.time_ns[600]
    assert one.end_ns == later.time_ns[730]
    assert later.time_ns[600] < one.detected_ns <= later.time_ns[620]
    assert one.expected == 60.0
    assert one.seen == 131 * 60.0
    assert one.detail == "no reading for 2 h 11 min, usual every 60 s"


def test_silence_at_the_end_of_the_observed_time(checks: QualityChecks, later: Frame) -> None:
    cut = later.take(slice(0, 1000))
    until = int(later.time_ns[1200])
    assert checks.check(cut) == []
    one = only(checks.check(cut, until_ns=until), "silence")
    assert (one.start_ns, one.end_ns) == (later.time_ns[1000], until)
    assert checks.check(cut, until_ns=int(later.time_ns[1001])) == []


def test_a_device_is_silent_while_the_others_go_on() -> None:
    names = [f"d{i}" for i in range(4)]
    fitted = QualityChecks().fit(concatenate([frame(DAY, i, device=name) for i, name in enumerate(names)]))
    parts = [frame(500 if i == 2 else DAY, i, DAY, device=name) for i, name in enumerate(names)]
    one = only(fitted.check(concatenate(parts)), "silence")
    assert one.device == "d2"
    assert one.start_ns == (DAY + 500) * MINUTE
    assert one.end_ns == (2 * DAY - 1) * MINUTE


def test_one_wrong_clock_does_not_make_the_others_silent() -> None:
    names = [f"d{i}" for i in range(4)]
    fitted = QualityChecks().fit(concatenate([frame(DAY, i, device=name) for i, name in enumerate(names)]))
    parts = [frame(DAY, i, DAY, device=name) for i, name in enumerate(names)]
    times = parts[0].time_ns.copy()
    times[-1] += 3650 * DAY * MINUTE
    parts[0] = Frame(parts[0].schema, parts[0].devices, parts[0].device, times, parts[0].values)
    assert {one.device for one in fitted.check(concatenate(parts))} == {"d0"}


def test_a_device_of_the_table_without_any_reading(checks: QualityChecks, later: Frame) -> None:
    known = Frame(later.schema, ("other", "pump-07"), later.device, later.time_ns, later.values)
    until = int(later.time_ns[-1])
    assert [one.device for one in checks.check(known, until_ns=until)] == ["pump-07"]
    assert checks.check(known) == []


def test_a_known_device_that_starts_late_was_silent_before(checks: QualityChecks, later: Frame) -> None:
    other = frame(2 * DAY, seed=5, first=3 * DAY, device="new")
    both = concatenate([other, later.take(slice(200, None))])
    one = only(checks.check(both, until_ns=int(later.time_ns[-1])), "silence")
    assert (one.device, one.start_ns, one.end_ns) == ("pump-07", later.time_ns[0], later.time_ns[200])
    assert checks.check(both) == []


def test_loss_as_in_training_is_not_silence() -> None:
    rng = np.random.default_rng(3)
    whole = frame(8 * DAY)
    arrived = whole.take(rng.random(len(whole)) > 0.3)
    half = len(arrived) // 2
    assert QualityChecks().fit(arrived.take(slice(0, half))).check(arrived.take(slice(half, None))) == []


def test_an_outage_in_training_does_not_become_normal(later: Frame) -> None:
    train = frame(3 * DAY)
    keep = np.ones(len(train), dtype=bool)
    keep[1000:1600] = False
    fitted = QualityChecks().fit(train.take(keep))
    assert "1 gaps of the training rows were taken for outages" in fitted.notes_[0]
    keep = np.ones(len(later), dtype=bool)
    keep[600:660] = False
    assert [one.cause for one in fitted.check(later.take(keep))] == ["silence"]


@pytest.mark.parametrize(("factor", "word"), [(0.5, "more often"), (3.0, "more rarely")])
def test_cadence(checks: QualityChecks, later: Frame, factor: float, word: str) -> None:
    steps = np.full(len(later), MINUTE)
    steps[500:800] = round(factor * MINUTE)
    times = later.time_ns[0] + np.cumsum(steps)
    found = checks.check(Frame(later.schema, later.devices, later.device, times, later.values))
    one = next(one for one in found if one.cause == "cadence")
    assert abs(np.searchsorted(times, one.start_ns) - 499) <= 8
    assert abs(np.searchsorted(times, one.end_ns) - 800) <= 16
    assert one.seen == 60.0 * factor
    assert word in one.detail


def test_a_clock_that_steps_back_in_order_of_arrival(checks: QualityChecks, later: Frame) -> None:
    times = later.time_ns.copy()
    times[900:] -= 60 * MINUTE
    found = checks.check(Frame(later.schema, later.devices, later.device, times, later.values))
    one = next(one for one in found if one.cause == "clock")
    assert one.start_ns == times[900]
    assert one.detected_ns == times[899]
    assert one.seen == 3540.0


def test_a_clock_that_was_ahead_is_seen_in_rows_in_order_of_time(checks: QualityChecks, later: Frame) -> None:
    times = later.time_ns.copy()
    times[900:960] += 30 * MINUTE + MINUTE // 3
    order = np.argsort(times)
    found = checks.check(Frame(later.schema, later.devices, later.device, times[order], later.values[order]))
    one = next(one for one in found if one.cause == "clock")
    assert times[960] <= one.start_ns <= times[962]
    assert times[988] <= one.end_ns <= times[992]
    assert "cadence" not in {one.cause for one in found}


def test_a_restart_of_the_device_is_no_clock_fault(checks: QualityChecks, later: Frame) -> None:
    times = later.time_ns.copy()
    times[900:] += MINUTE // 3
    assert checks.check(Frame(later.schema, later.devices, later.device, times, later.values)) == []


def test_stuck(checks: QualityChecks, later: Frame) -> None:
    one = only(checks.check(altered(later, slice(700, 800), "temperature", lambda x: x[0])), "stuck")
    assert one.kind is Kind.SENSOR_FAULT
    assert one.channels == ("temperature",)
    assert one.start_ns == later.time_ns[700]
    assert one.end_ns == later.time_ns[799]
    assert later.time_ns[712] <= one.detected_ns <= later.time_ns[730]
    assert one.seen == 100


def test_stuck_beside_the_resting_value(checks: QualityChecks, later: Frame) -> None:
    """Light may rest at 0 all night, but not at 300 lux for an hour."""
    row = int(np.argmax(later.values[:, 3] > 300))
    one = only(checks.check(altered(later, slice(row, row + 60), "light", lambda x: x[0])), "stuck")
    assert one.channels == ("light",)


def test_a_missing_reading_does_not_break_a_stuck_run(checks: QualityChecks, later: Frame) -> None:
    held = altered(later, slice(700, 800), "temperature", lambda x: x[0])
    one = only(checks.check(altered(held, slice(705, 800, 7), "temperature", lambda x: x * np.nan)), "stuck")
    assert one.start_ns == later.time_ns[700]


def test_channels_stuck_together_are_one_finding(checks: QualityChecks, later: Frame) -> None:
    both = altered(later, slice(700, 800), "temperature", lambda x: x[0])
    both = altered(both, slice(700, 800), "humidity", lambda x: x[0])
    assert set(only(checks.check(both), "stuck").channels) == {"temperature", "humidity"}


def test_a_burst_of_spikes_but_not_a_single_one(checks: QualityChecks, later: Frame) -> None:
    one_spike = altered(later, slice(300, 301), "temperature", lambda x: x + 30)
    assert checks.check(one_spike) == []
    burst = altered(one_spike, slice(700, 740, 8), "temperature", lambda x: x + 30)
    one = only(checks.check(burst), "spike")
    assert one.start_ns == later.time_ns[700]
    assert one.detected_ns == later.time_ns[717]  # the third, known by the reading after it
    assert one.end_ns == later.time_ns[733]
    assert 29 < one.seen < 31


def test_noise(checks: QualityChecks, later: Frame) -> None:
    rng = np.random.default_rng(5)
    noisy = altered(later, slice(700, 900), "vibration", lambda x: x + 1.5 * rng.normal(size=len(x)))
    found = checks.check(noisy)
    assert {one.channels for one in found} == {("vibration",)}
    one = next(one for one in found if one.cause == "noise")
    assert abs(np.searchsorted(later.time_ns, one.start_ns) - 700) <= 32
    assert abs(np.searchsorted(later.time_ns, one.end_ns) - 900) <= 32
    assert one.seen > one.expected


def test_a_level_change_is_no_noise_and_no_spike(checks: QualityChecks, later: Frame) -> None:
    assert checks.check(altered(later, slice(700, None), "vibration", lambda x: x + 40)) == []


def test_clipped(checks: QualityChecks, later: Frame) -> None:
    found = checks.check(altered(later, slice(700, 900), "vibration", lambda x: np.minimum(x, 1.9)))
    one = only(found, "clipped")
    assert one.channels == ("vibration",)
    assert later.time_ns[700] <= one.start_ns <= one.detected_ns <= later.time_ns[800]


@pytest.mark.parametrize(
    ("change", "words"), [(lambda x: 1000 * x, "1000 times"), (lambda x: 1.8 * x + 32, "Fahrenheit")]
)
def test_unit(checks: QualityChecks, later: Frame, change, words: str) -> None:
    found = checks.check(altered(later, slice(700, 900), "temperature", change))
    one = next(one for one in found if one.cause == "unit")
    assert {one.channels for one in found} == {("temperature",)}
    assert (one.start_ns, one.end_ns) == (later.time_ns[700], later.time_ns[899])
    assert one.detected_ns == later.time_ns[711]
    assert words in one.detail


def test_replay_of_rows_in_the_frame(checks: QualityChecks, later: Frame) -> None:
    data = later.values.copy()
    data[900:960] = data[400:460]
    found = checks.check(Frame(later.schema, later.devices, later.device, later.time_ns, data))
    one = next(one for one in found if one.cause == "replay")
    assert one.kind is Kind.NETWORK_ATTACK
    assert (one.start_ns, one.end_ns) == (later.time_ns[900], later.time_ns[959])
    assert one.detected_ns == later.time_ns[907]
    assert len(one.channels) >= 2


def test_replay_of_training_rows(checks: QualityChecks, later: Frame) -> None:
    data = later.values.copy()
    data[900:960] = frame(3 * DAY).values[2000:2060]
    found = checks.check(Frame(later.schema, later.devices, later.device, later.time_ns, data))
    assert "replay" in {one.cause for one in found}


def test_checking_the_training_rows_themselves_is_no_replay(checks: QualityChecks) -> None:
    assert checks.check(frame(3 * DAY)) == []


def test_an_unknown_device_is_judged_by_the_widest_limits(checks: QualityChecks) -> None:
    new = frame(2 * DAY, seed=9, first=3 * DAY, device="new")
    assert checks.check(new) == []
    keep = np.ones(len(new), dtype=bool)
    keep[600:730] = False
    assert [one.cause for one in checks.check(new.take(keep))] == ["silence"]


def test_little_training_stays_off_and_says_so() -> None:
    fitted = QualityChecks().fit(frame(20))
    assert len(fitted.notes_) == 2
    assert "too few to learn its cadence" in fitted.notes_[0]
    found = fitted.check(frame(500, first=100))
    assert found == []
    gap = np.r_[0:100, 200:300]
    assert [one.cause for one in fitted.check(frame(500, first=100).take(gap))] == ["silence"]  # by the schema


def test_without_any_cadence_nothing_is_said_of_silence() -> None:
    schema = Schema.of(["a"])
    few = Frame(schema, ("d",), np.zeros(3, np.int32), np.arange(3), np.zeros((3, 1)))
    far = Frame(schema, ("d",), np.zeros(2, np.int32), np.array([0, 10**18]), np.zeros((2, 1)))
    assert QualityChecks().fit(few).check(far) == []


def test_344_rows_of_training_raise_nothing_later() -> None:
    rng = np.random.default_rng(1)
    data = np.round(rng.normal(size=(3000, 8)).cumsum(axis=0) * 0.05 + rng.normal(size=(3000, 8)), 2)
    whole = Frame.of(data, interval_s=1.0)
    assert QualityChecks().fit(whole.take(slice(0, 344))).check(whole.take(slice(344, None))) == []


def test_missing_channel_and_infinite_patience(checks: QualityChecks, later: Frame) -> None:
    assert checks.check(altered(later, slice(None), "temperature", lambda x: x * np.nan)) == []
    empty = later.values.copy()
    empty[:, 0] = np.nan
    gone = Frame(later.schema, later.devices, later.device, later.time_ns, empty)
    assert "training readings of temperature" in QualityChecks().fit(gone).notes_[0]


def test_state_goes_round(checks: QualityChecks, later: Frame) -> None:
    faulty = altered(later, slice(700, 800), "temperature", lambda x: x[0])
    state = checks.state()
    assert all(isinstance(array, np.ndarray) and array.dtype != object for array in state.values())
    again = QualityChecks(**checks.settings()).restore(state)
    assert again.check(faulty) == checks.check(faulty) != []


def test_checking_changes_nothing(checks: QualityChecks, later: Frame) -> None:
    before = {name: array.copy() for name, array in checks.state().items()}
    data = later.values.copy()
    checks.check(later)
    np.testing.assert_array_equal(later.values, data)
    for name, array in checks.state().items():
        np.testing.assert_array_equal(array, before[name])


def test_fit_forgets_the_last_fit(checks: QualityChecks) -> None:
    twice = QualityChecks().fit(frame(500, seed=4, device="other")).fit(frame(3 * DAY))
    for name, array in twice.state().items():
        np.testing.assert_array_equal(array, checks.state()[name])


def test_no_rows(checks: QualityChecks, later: Frame) -> None:
    assert checks.check(later.take(slice(0, 0))) == []
    with pytest.raises(InputError, match="no training rows"):
        QualityChecks().fit(later.take(slice(0, 0)))


def test_errors(later: Frame, checks: QualityChecks) -> None:
    with pytest.raises(NotFittedError, match="call fit first"):
        QualityChecks().check(later)
    with pytest.raises(NotFittedError, match="call fit first"):
        QualityChecks().state()
    with pytest.raises(SettingError, match="budget_per_week is 0"):
        QualityChecks(budget_per_week=0.0).fit(later)
    with pytest.raises(InputError, match="check the channel list"):
        checks.check(Frame.of(np.zeros((5, 1))))
