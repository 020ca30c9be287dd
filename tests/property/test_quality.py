"""Laws of the quality checks on random faults: causal, blind to scale and company, wider for a smaller budget."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from redshank.core import Frame, concatenate
from redshank.quality import Finding, QualityChecks

MINUTE = 60 * 10**9
ROWS = 900


def device(seed: int, first: int, name: str) -> Frame:
    rng = np.random.default_rng([seed, first])
    t = np.arange(first, first + ROWS)
    data = np.stack(
        [
            np.round(20 + np.sin(t / 90) + 0.2 * rng.normal(size=ROWS), 2),
            np.abs(3 + rng.normal(size=ROWS)),
            rng.poisson(0.5, ROWS),
        ],
        axis=1,
    )
    return Frame.of(data, names=["a", "b", "c"], time_ns=t * MINUTE, interval_s=60.0, device=name)


TRAIN = concatenate([device(seed, 0, f"d{seed}") for seed in range(2)])
CHECKS = QualityChecks().fit(TRAIN)


def repeated(data: np.ndarray, rows: slice, column: int) -> None:
    data[rows] = np.roll(data, 300, axis=0)[rows]


def held(data: np.ndarray, rows: slice, column: int) -> None:
    data[rows, column] = data[rows.start, column]


def shaken(data: np.ndarray, rows: slice, column: int) -> None:
    data[rows, column] += 5 * np.random.default_rng(rows.start).normal(size=len(data[rows]))


def cut(data: np.ndarray, rows: slice, column: int) -> None:
    data[rows, column] = np.minimum(data[rows, column], data[rows.start, column])


def scaled_up(data: np.ndarray, rows: slice, column: int) -> None:
    data[rows, column] *= 1000


def lost(data: np.ndarray, rows: slice, column: int) -> None:
    data[rows, column] = np.nan


CHANGES = (repeated, held, shaken, cut, scaled_up, lost)


@st.composite
def faulty(draw: st.DrawFn) -> Frame:
    """Two devices with up to four faults of sensors each and up to two of the link or clock, at random rows."""
    some_rows = st.builds(lambda start, length: slice(start, start + length), st.integers(0, 840), st.integers(20, 200))
    parts = []
    for seed in range(2):
        part = device(seed, ROWS, f"d{seed}")
        data, times, keep = part.values.copy(), part.time_ns.copy(), np.ones(ROWS, dtype=bool)
        for change in draw(st.lists(st.sampled_from(CHANGES), max_size=4)):
            change(data, draw(some_rows), draw(st.integers(0, 2)))
        for wrong in draw(st.lists(st.booleans(), max_size=2)):
            if wrong:
                times[draw(some_rows)] += 20 * MINUTE + MINUTE // 3
            else:
                keep[draw(some_rows)] = False
        order = np.argsort(times[keep], kind="stable")
        parts.append(Frame(part.schema, part.devices, part.device[keep], times[keep][order], data[keep][order]))
    return concatenate(parts)


def fixed(findings: list[Finding]) -> list[tuple[object, ...]]:
    return [(one.device, one.start_ns, one.detected_ns, one.kind, one.cause) for one in findings]


@settings(max_examples=40, deadline=None)
@given(faulty(), st.integers(1, 2 * ROWS))
def test_causal(frame: Frame, minutes: int) -> None:
    """What is known at a moment stays as it was, whatever follows."""
    now = (ROWS + minutes) * MINUTE
    past = frame.take(frame.time_ns <= now)
    known = CHECKS.check(past, until_ns=now)
    whole = CHECKS.check(frame, until_ns=4 * ROWS * MINUTE)
    assert fixed(known) == fixed([one for one in whole if len(past) and one.detected_ns <= now])


@settings(max_examples=25, deadline=None)
@given(faulty())
def test_findings_are_sound(frame: Frame) -> None:
    for one in CHECKS.check(frame):
        assert one.start_ns <= one.detected_ns
        assert one.start_ns <= one.end_ns
        assert 50.0 <= one.severity <= 100.0
        assert set(one.channels) <= set(frame.schema.names)
        assert np.isfinite([one.seen, one.expected]).all()
        assert one.detail


@settings(max_examples=25, deadline=None)
@given(faulty())
def test_devices_do_not_disturb_each_other(frame: Frame) -> None:
    until = int(frame.time_ns.max())
    together = CHECKS.check(frame, until_ns=until)
    for place, name in enumerate(frame.devices):
        rows = frame.device == place
        own = Frame(frame.schema, (name,), np.zeros(rows.sum(), np.int32), frame.time_ns[rows], frame.values[rows])
        if len(own):
            alone = CHECKS.check(own, until_ns=until)
            begin = own.time_ns.min()  # only the others tell that it was watched before its first reading
            same = [one for one in together if one.device == name and one.start_ns >= begin]
            assert fixed(alone) == fixed(same)
            np.testing.assert_allclose([one.seen for one in alone], [one.seen for one in same], rtol=1e-9)


@settings(max_examples=25, deadline=None)
@given(faulty(), st.sampled_from([0.25, 4.0]))
def test_the_unit_of_a_channel_does_not_matter(frame: Frame, factor: float) -> None:
    def scaled(plain: Frame) -> Frame:
        return Frame(plain.schema, plain.devices, plain.device, plain.time_ns, plain.values * np.float32(factor))

    again = QualityChecks().fit(scaled(TRAIN))
    assert fixed(again.check(scaled(frame))) == fixed(CHECKS.check(frame))


@settings(max_examples=20, deadline=None)
@given(st.floats(1e-4, 10.0), st.floats(1e-4, 10.0))
def test_a_smaller_budget_widens_every_limit(one: float, other: float) -> None:
    wide, narrow = (QualityChecks(budget_per_week=budget).fit(TRAIN) for budget in sorted((one, other)))
    for table in ("timing_", "stuck_", "spike_", "noise_", "clipped_"):
        first, second = getattr(wide, table), getattr(narrow, table)
        both = ~np.isnan(first) & ~np.isnan(second)
        assert (first[both] >= second[both]).all()
        assert not (np.isnan(second) & ~np.isnan(first)).any()
