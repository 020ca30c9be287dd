"""Trivial baselines keep the contract as far as it applies to them, and do what their names say."""

from __future__ import annotations

import numpy as np
import pytest

from redshank.detectors import DETECTORS
from redshank.evaluate.baselines import BASELINES, alarm_of
from redshank.testing import CHECKS, normal_series, skip_reason

BLIND = {"outlier_stands_out", "constant_channel", "contributions"}
"""Checks that want an outlier to be seen: these baselines do not look, or look for the opposite."""
EXEMPT = {"always": BLIND, "never": BLIND, "random": BLIND, "flat_line": BLIND}


@pytest.mark.parametrize("check", list(CHECKS))
@pytest.mark.parametrize("name", list(BASELINES))
def test_contract(name, check):
    if check in EXEMPT.get(name, ()):
        pytest.skip(f"{check}: {name} does not look at how far a value is")
    reason = skip_reason(check, BASELINES[name]())
    if reason is not None:
        pytest.skip(reason)
    CHECKS[check](BASELINES[name])


def test_nobody_can_choose_one():
    assert not set(BASELINES) & set(DETECTORS)


@pytest.mark.parametrize(("name", "alarm"), [("always", True), ("never", False)])
def test_always_and_never(name, alarm):
    detector = BASELINES[name]().fit(normal_series())
    assert alarm_of(detector) is alarm
    assert (detector.score_samples(normal_series(1)) == 0).all()


@pytest.mark.parametrize("name", ["random", "last_value", "flat_line", "training_mean"])
def test_others_leave_alarms_to_calibration(name):
    assert alarm_of(BASELINES[name]()) is None


def test_random_is_uniform_and_different_for_each_series_and_seed():
    X, other = normal_series(0, 20000), normal_series(1, 20000)
    scores = BASELINES["random"](seed=0).fit(X).score_samples([X, other])
    first, second = scores[:20000], scores[20000:]
    np.testing.assert_allclose(np.quantile(first, [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=0.02)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.03
    assert (BASELINES["random"](seed=1).fit(X).score_samples(X) != first).all()


def test_last_value_by_hand():
    X = np.array([[0.0, 10.0], [2.0, 10.0], [0.0, 14.0], [2.0, 14.0]])  # deviations 1 and 2
    detector = BASELINES["last_value"]().fit(X)
    np.testing.assert_allclose(detector.score_samples([[1.0, 10.0], [1.5, 10.0], [0.5, 16.0]])[1:], [0.5, 1.0 + 3.0])
    band = detector.expected(X)
    np.testing.assert_array_equal(band.value[1:], X[:-1])


def test_flat_line_by_hand():
    train = np.array([[1.0], [1.0], [1.0], [2.0], [3.0]])  # stayed for two rows at most
    detector = BASELINES["flat_line"]().fit(train)
    np.testing.assert_allclose(
        detector.score_samples(np.array([[5.0], [5.0], [5.0], [5.0], [6.0]])), [0, 0.5, 1, 1.5, 0]
    )


def test_training_mean_by_hand():
    X = np.array([[0.0, 10.0], [2.0, 14.0]])  # means 1 and 12, deviations 1 and 2
    detector = BASELINES["training_mean"]().fit(X)
    np.testing.assert_allclose(detector.score_samples(np.array([[4.0, 20.0], [1.0, 12.0]])), [5.0, 0.0])
    np.testing.assert_allclose(detector.contributions(np.array([[4.0, 20.0]])), [[9 / 5, 16 / 5]])
