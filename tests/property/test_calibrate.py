"""Laws of budgets, levels and calibrated scores."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redshank.calibrate import CALIBRATORS, Budget
from redshank.calibrate._levels import stream_levels
from redshank.calibrate._statistic import trailing_mean
from redshank.calibrate._tail import Tail, fit_tail
from redshank.calibrate.budget import SECONDS

COUNTS = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
HELD = {name: 3.0 * k + np.random.default_rng(k).gamma(1.0, 2.0, 700) for k, name in enumerate(("a", "b"))}
FITTED = {
    name: CALIBRATORS.get(name)(budget="1 per device per day", **more).fit(HELD, 60.0)
    for name, more in (("conformal", {}), ("extreme", {"windows": (1, 4, 300)}), ("likelihood", {"history": 40}))
}
EVERY = pytest.mark.parametrize("name", sorted(FITTED))


@st.composite
def scored(draw):
    """Mostly usual scores with stretches of anything, over several blocks of 256."""
    rows = draw(st.integers(1, 700))
    scores = np.random.default_rng(draw(st.integers(0, 99))).gamma(1.0, 2.0, rows)
    for start, length, value in draw(
        st.lists(st.tuples(st.integers(0, 699), st.integers(1, 300), st.floats(-1e300, 1e300)), max_size=4)
    ):
        scores[start : start + length] = value
    ready = np.ones(rows, np.bool_)
    ready[: draw(st.integers(0, 20))] = False
    return scores, ready


def test_every_calibrator_is_here():
    assert sorted(FITTED) == list(CALIBRATORS)


@settings(deadline=None)
@given(COUNTS, st.sampled_from(sorted(SECONDS)), st.booleans())
def test_budget_survives_its_words(count, unit, per_device):
    budget = Budget(count, unit, per_device)
    assert Budget.parse(str(budget)) == budget
    assert Budget.parse(str(budget).upper()) == budget
    assert Budget.parse(str(budget).replace(" per ", "/")) == budget


@settings(deadline=None)
@given(st.floats(1e-3, 1e3), st.sampled_from(sorted(SECONDS)), st.integers(1, 10**6))
def test_a_shared_budget_is_shared(count, unit, devices):
    own, shared = Budget(count, unit), Budget(count, unit, per_device=False)
    assert shared.per_device_second(devices) * devices == pytest.approx(own.per_device_second(devices))


@EVERY
@settings(max_examples=40, deadline=None)
@given(scored(), st.sampled_from(["a", "b", "new"]))
def test_answers_have_their_form(name, rows, device):
    scores, ready = rows
    got = FITTED[name].apply(device, scores, ready)
    assert ((got.p >= 0) & (got.p <= 1)).all()
    assert not np.isnan(got.level).any()
    assert not got.alarm[~ready].any()
    assert (got.p[~ready] == 1.0).all()
    clear = np.abs(scores - got.level) > 1e-6 * (np.abs(scores) + 20.0)
    np.testing.assert_array_equal(got.alarm[clear], (scores > got.level)[clear])


@EVERY
@settings(max_examples=40, deadline=None)
@given(scored(), st.integers(0, 700))
def test_no_answer_depends_on_what_follows(name, rows, cut):
    scores, ready = rows
    whole, part = FITTED[name].apply("a", scores, ready), FITTED[name].apply("a", scores[:cut], ready[:cut])
    for field in ("p", "alarm", "level"):
        np.testing.assert_array_equal(getattr(part, field), getattr(whole, field)[:cut], err_msg=field)


@EVERY
@settings(max_examples=40, deadline=None)
@given(scored(), st.floats(0, 1e300))
def test_a_higher_last_score_is_no_more_usual(name, rows, rise):
    scores, ready = rows
    higher = scores.copy()
    higher[-1] = min(higher[-1] + rise, 1e300)
    low, high = FITTED[name].apply("a", scores, ready), FITTED[name].apply("a", higher, ready)
    assert high.p[-1] <= low.p[-1] + 1e-9
    assert high.alarm[-1] >= low.alarm[-1]


@settings(deadline=None)
@given(st.lists(st.floats(-700, 700), max_size=80), st.integers(1, 90))
def test_trailing_mean(values, rows):
    values = np.array(values, float)
    slow = [values[max(0, t - rows + 1) : t + 1].mean() for t in range(len(values))]
    np.testing.assert_allclose(trailing_mean(values, rows), slow, atol=1e-9)


TAILS = st.builds(
    Tail,
    start=st.floats(-5, 5),
    scale=st.floats(1e-3, 10),
    shape=st.floats(-0.4, 0.4) | st.just(0.0),
    peaks_per_row=st.floats(1e-5, 0.02),
    rows=st.integers(20, 10**7),
    largest=st.floats(5, 50),
)


@settings(deadline=None)
@given(TAILS, st.floats(1e-12, 0.1), st.floats(1e-12, 0.1))
def test_rarer_is_higher(tail, one, other):
    rare, common = sorted((one, other))
    assert tail.level(rare) >= tail.level(common) >= tail.start
    low, high = tail.rate(np.array([tail.level(common), tail.level(rare)]))
    assert low >= high >= 0
    assert low <= tail.peaks_per_row * (1 + 1e-9)


@settings(max_examples=50, deadline=None)
@given(TAILS, st.floats(1e-9, 0.01), st.integers(0, 99), st.integers(1, 60), st.integers(0, 900))
def test_levels_are_causal(tail, rate, seed, gap, cut):
    values = tail.start + np.random.default_rng(seed).normal(size=900) * tail.scale * 3
    levels = stream_levels(values, tail, rate, gap)
    np.testing.assert_array_equal(stream_levels(values[:cut], tail, rate, gap), levels[:cut])
    assert (levels >= tail.start).all()


@settings(deadline=None)
@given(
    st.lists(st.lists(st.floats(-700, 700), min_size=1, max_size=60), min_size=1, max_size=3).filter(
        lambda parts: sum(map(len, parts)) >= 20
    ),
    st.integers(1, 60),
)
def test_any_values_give_a_tail_that_can_be_used(parts, gap):
    series = [np.array(part) for part in parts]
    tail = fit_tail(series, gap)
    assert tail.scale > 0
    assert tail.peaks_per_row > 0
    assert np.isfinite(tail.level(1e-9))
    assert tail.level(1e-9) >= max(one.max() for one in series)
