"""What is particular to the PAI wrapper; the contract is checked in tests/contract."""

from __future__ import annotations

import numpy as np
import pytest

from redshank.core import Detector, SettingError, Tags
from redshank.detectors.combination import _combined
from redshank.detectors.combination.pai import WINDOW, PAIDetector
from redshank.detectors.specs import detector_of
from redshank.testing import normal_series, odd_series


def by_hand(X, test, base, window):
    """The formula, row by row."""
    median = np.median(X, axis=0)
    mad = np.median(np.abs(X - median), axis=0)

    def terms(rows, scores):
        found = np.empty((len(rows), 3))
        for t in range(len(rows)):
            mean = rows[max(0, t - window + 1) : t + 1].mean(axis=0)
            deviations = np.abs(rows[t] - median) / mad, np.abs(mean - median) / mad
            found[t] = scores[t], deviations[0].mean(), deviations[1].mean()
        return found

    fitted = detector_of(base).fit(X)
    learned = terms(X, fitted.score_samples(X))[fitted.warmup :]
    z = (terms(test, fitted.score_samples(test)) - learned.mean(axis=0)) / learned.std(axis=0)
    return np.logaddexp(0.0, z @ [1.0, 0.667, 0.2]), fitted.warmup


@pytest.mark.parametrize("base", ["pca", "ridge", "sub_pca(window=12)"])
def test_score_is_the_formula(base):
    X, test = normal_series(), odd_series(1)[0]
    wanted, warmup = by_hand(X, test, base, 24)
    found = PAIDetector(base=base, window=24).fit(X).score_samples(test)
    np.testing.assert_allclose(found[warmup:], wanted[warmup:], rtol=1e-7)


def test_without_its_terms_it_ranks_as_the_base():
    X, test = normal_series(), odd_series(1)[0]
    lifted = PAIDetector(base="pca", point=0.0, local=0.0).fit(X).score_samples(test)
    np.testing.assert_array_equal(
        np.argsort(lifted, kind="stable"), np.argsort(detector_of("pca").fit(X).score_samples(test), kind="stable")
    )


def test_a_level_that_the_base_does_not_see_scores_higher():
    """Patches are thinned and rows forgotten by many a base; a lasting shift must not hide."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 1))
    test = rng.normal(size=(400, 1))
    test[200:] += 3.0
    base = detector_of("moving_average(window=20)").fit(X).score_samples(test)
    lifted = PAIDetector(base="moving_average(window=20)", window=20).fit(X).score_samples(test)
    late = slice(300, 400)  # the moving average has followed by now
    assert np.median(base[late]) < np.quantile(base[50:200], 0.9)
    assert np.median(lifted[late]) > np.quantile(lifted[50:200], 0.99)


def test_window_is_the_period_or_the_usual_one():
    assert PAIDetector(base="pca").fit(normal_series()[:, :1]).window_ in (24, 60, 120)
    assert PAIDetector(base="pca").fit(np.random.default_rng(0).normal(size=(300, 2))).window_ == WINDOW
    assert PAIDetector(base="pca", window=7).fit(normal_series()).window_ == 7


class Gapped(Detector):
    """Takes missing readings for usual ones."""

    tags = Tags(missing=True)

    def __init__(self) -> None: ...

    def _fit(self, series, y):
        return

    def _score(self, X):
        return np.nansum(np.abs(X - self.center_), axis=1)


def test_missing_readings_are_usual_where_the_base_takes_them(monkeypatch):
    assert not PAIDetector(base="pca").tags.missing
    monkeypatch.setattr(_combined, "detector_of", lambda text: Gapped())
    X, whole = normal_series(), odd_series(1)[0]
    gapped = whole.copy()
    gapped[::9, 1] = np.nan
    detector = PAIDetector(base="gapped", window=5)
    assert detector.tags.missing
    scores = detector.fit(X).score_samples(gapped)
    gapped[::9, 1] = np.median(X[:, 1])
    np.testing.assert_allclose(scores, detector.score_samples(gapped))
    assert np.isfinite(PAIDetector(base="gapped").fit(np.where(X > 20.0, np.nan, X)).score_samples(X)).all()


def test_a_row_detector_becomes_one_of_sequences():
    assert PAIDetector(base="pca").tags.sequence
    assert PAIDetector(base="pca").tags.causal


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"point": -1.0}, "point is -1"),
        ({"local": -0.1}, "local is -0.1"),
        ({"window": 0}, "window is 0"),
        ({"window": 2.5}, "wanted a whole number"),
        ({"base": "nope"}, "no detector is called 'nope'"),
    ],
)
def test_wrong_settings_are_refused(settings, says):
    with pytest.raises(SettingError, match=says):
        PAIDetector(**{"base": "pca"} | settings).fit(normal_series())
