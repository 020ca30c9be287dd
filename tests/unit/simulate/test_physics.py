"""Recursions and regimes against slow, obvious versions."""

from __future__ import annotations

import numpy as np
import pytest

from redshank.simulate.channels import TYPES
from redshank.simulate.recursion import accumulate, coloured, decay_of, lagged
from redshank.simulate.regimes import HIGH, IDLE, LEVELS, RUN, chain, loads


def slow(x, decay):
    y = np.array(x, np.float64)
    for t in range(1, y.shape[-1]):
        y[..., t] += decay * y[..., t - 1]
    return y


@pytest.mark.parametrize("decay", [0.0, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("shape", [(1,), (2,), (1000,), (3, 257)])
def test_accumulate_equals_the_loop(decay, shape):
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    expected = slow(x, decay)
    accumulate(x, decay)
    np.testing.assert_allclose(x, expected, atol=2e-4)


def test_coloured_noise_has_unit_deviation_and_its_memory():
    x = np.random.default_rng(1).standard_normal((200, 2000), dtype=np.float32)
    coloured(x, 0.8)
    assert x[:, 0].std() == pytest.approx(1.0, abs=0.15)
    assert x.std() == pytest.approx(1.0, abs=0.02)
    assert (x[:, 1:] * x[:, :-1]).mean() == pytest.approx(0.8, abs=0.02)


def test_lag_settles_on_its_input():
    x = np.concatenate([np.full(5, 2.0), np.full(400, 7.0)]).astype(np.float32)
    lagged(x, decay_of(600.0, 60.0))
    np.testing.assert_allclose(x[:5], 2.0, rtol=1e-6)
    assert x[14] == pytest.approx(7.0 - 5.0 * np.exp(-1.0), rel=1e-4)  # ten steps are one time constant
    assert x[-1] == pytest.approx(7.0, rel=1e-5)


def test_decay_of_nothing_is_nothing():
    assert decay_of(0.0, 60.0) == 0.0
    assert decay_of(60.0, 60.0) == pytest.approx(np.exp(-1.0))


def test_chain_dwells_as_long_as_told_and_never_repeats_a_state():
    states, dwell_s = np.array([IDLE, RUN, HIGH], np.int8), 60.0 * np.array([12.0, 80.0, 35.0])
    steps = np.concatenate([chain(np.random.default_rng(s), states, dwell_s, 40_000, 60.0) for s in range(5)])
    edges = np.flatnonzero(np.diff(steps)) + 1
    lengths, after = np.diff(edges), steps[edges[:-1]]
    for state, mean_s in zip(states, dwell_s, strict=True):
        assert lengths[after == state].mean() * 60.0 == pytest.approx(mean_s, rel=0.06)


def test_machines_rest_outside_the_schedule_unless_always_on():
    working = np.arange(10_080) % 1440 < 720
    wanted = loads(np.random.default_rng(3), TYPES["pump"], working, 60.0)
    assert set(np.unique(wanted)) <= set(LEVELS)
    assert wanted[working].min() >= LEVELS[IDLE]
    assert (wanted[~working] == 0.0).mean() > 0.8
    wanted = loads(np.random.default_rng(3), TYPES["chiller"], working, 60.0)
    assert wanted.min() >= LEVELS[IDLE]
