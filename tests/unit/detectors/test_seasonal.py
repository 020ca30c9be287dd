"""What is particular to SeasonalDetector."""

from __future__ import annotations

import numpy as np
import pytest

from redshank.core import SettingError
from redshank.detectors.statistical.seasonal import SeasonalDetector

DAY = 48


def days(first: int, rows: int, seed: int = 0) -> np.ndarray:
    """A room's temperature and a busy hour of the day, from row ``first`` of a day on."""
    hour = np.arange(first, first + rows) % DAY
    clean = np.column_stack([20 + 3 * np.sin(2 * np.pi * hour / DAY), np.where((hour > 16) & (hour < 20), 5.0, 1.0)])
    return clean + 0.1 * np.random.default_rng(seed).standard_normal(clean.shape)


def test_the_period_is_found_and_the_profile_is_the_median_of_its_rows():
    X = days(7, 10 * DAY)
    detector = SeasonalDetector().fit(X)
    assert len(detector.profile_) == DAY
    assert detector.warmup == DAY // 2
    for place in (0, 5, DAY - 1):
        np.testing.assert_allclose(
            detector.profile_[place] * detector.scale_ + detector.center_, np.median(X[place::DAY], axis=0)
        )


@pytest.mark.parametrize("first", [0, 13, 40])
def test_a_series_may_begin_at_any_hour(first):
    detector = SeasonalDetector().fit(days(0, 10 * DAY))
    X = days(first, 5 * DAY, seed=1)
    error = np.abs(detector.expected(X).value - days(first, 5 * DAY, seed=2))[detector.warmup :]
    assert error.max() < 0.7


def test_expected_is_the_profile_at_the_best_shift_of_earlier_rows():
    detector = SeasonalDetector(period=6).fit(np.random.default_rng(0).normal(size=(60, 2)))
    X = np.random.default_rng(1).normal(size=(40, 2))
    rows = (X - detector.center_) / detector.scale_
    for t, got in enumerate(detector.expected(X).value):
        costs = [
            sum(
                (1 - 1 / 12) ** (t - i)
                * np.sum(np.minimum(np.abs(rows[i] - detector.profile_[(i + shift) % 6]) / detector.noise_, 4) ** 2)
                for i in range(t)
            )
            for shift in range(6)
        ]
        at = (t + int(np.argmin(costs))) % 6
        np.testing.assert_allclose(got, detector.profile_[at] * detector.scale_ + detector.center_)


def test_what_is_usual_at_another_hour_is_found():
    detector = SeasonalDetector().fit(days(0, 10 * DAY))
    X = days(0, 5 * DAY, seed=1)
    night = 3 * DAY + 2
    X[night, 1] = 5.0
    scores = detector.score_samples(X)
    assert scores.argmax() == night
    assert detector.contributions(X)[night].argmax() == 1


def test_a_clock_that_was_set_is_followed():
    detector = SeasonalDetector().fit(days(0, 10 * DAY))
    X = np.concatenate([days(0, 3 * DAY, seed=1), days(20, 8 * DAY, seed=2)])
    scores = detector.score_samples(X)
    assert scores[3 * DAY : 3 * DAY + 20].max() > 100.0
    assert np.quantile(scores[-4 * DAY :], 0.95) < 20.0


def test_training_series_that_begin_at_other_hours_are_put_together():
    together = SeasonalDetector().fit([days(0, 8 * DAY), days(11, 6 * DAY, seed=1), days(30, 4 * DAY, seed=2)])
    alone = SeasonalDetector().fit(days(0, 8 * DAY))
    profiles = [one.profile_ * one.scale_ + one.center_ for one in (together, alone)]
    np.testing.assert_allclose(*profiles, atol=0.25)


def test_rows_unseen_in_training_are_as_usual_as_those_seen():
    detector = SeasonalDetector().fit(days(0, 3 * DAY))
    scores = detector.score_samples(days(0, 40 * DAY, seed=9))
    assert scores[DAY:].mean() == pytest.approx(2.0, rel=0.35)  # one a channel


def test_a_fault_does_not_shift_the_day():
    detector = SeasonalDetector().fit(days(0, 10 * DAY))
    X = days(0, 4 * DAY, seed=1)
    X[2 * DAY : 2 * DAY + 20, 0] += 3.0
    error = np.abs(detector.expected(X).value - days(0, 4 * DAY, seed=2))[detector.warmup :]
    assert error.max() < 0.7


def test_without_a_period_the_profile_is_the_median():
    X = np.random.default_rng(3).normal(size=(300, 1))
    detector = SeasonalDetector().fit(X)
    assert detector.profile_.shape == (1, 1)
    np.testing.assert_allclose(detector.expected(X).value, np.median(X))


@pytest.mark.parametrize("period", [1, 2.5, 60])
def test_a_period_that_does_not_fit_is_refused(period):
    with pytest.raises(SettingError, match="SeasonalDetector: period is"):
        SeasonalDetector(period=period).fit(days(0, 100))
