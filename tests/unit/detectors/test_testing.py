"""The contract checks can fail: each catches a detector that is broken in just that way."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest

from redshank.core import (
    Band,
    Classifier,
    ContractError,
    Detector,
    InputError,
    SettingError,
    Tags,
    check_range,
    check_whole,
)
from redshank.testing import (
    ALL_UP,
    CHECKS,
    CLASSIFIER_CHECKS,
    ONE_UP,
    check_detector,
    checks_of,
    labelled_series,
    normal_series,
    odd_series,
    skip_reason,
)


class Honest(Detector):
    """Mean squared z of a row: the smallest detector that keeps the contract."""

    tags = Tags(good_for="tests")

    def __init__(self, *, power: float = 2.0) -> None:
        self.power = power

    def _fit(self, series, y):
        rows = np.concatenate(series)
        self.mean_ = rows.mean(axis=0)
        deviation = rows.std(axis=0)
        self.scale_ = np.where(deviation > 1e-9 * np.abs(self.mean_), deviation, 1.0)

    def _terms(self, X):
        return np.abs((X - self.mean_) / self.scale_) ** self.power / self.n_features_

    def _score(self, X):
        return self._terms(X).sum(axis=1)

    def _contributions(self, X):
        return self._terms(X)


class LooksAhead(Honest):
    tags = Tags(sequence=True)

    def _score(self, X):
        return super()._score(X) + np.append(X[1:, 0], 0.0)


class DependsOnBatch(Honest):
    def _score(self, X):
        scores = super()._score(X)
        return scores + scores.mean() if len(scores) else scores


class WritesToRows(Honest):
    def _check(self, X, features):
        return [X] if isinstance(X, np.ndarray) and X.ndim == 2 and features else super()._check(X, features)

    def _score(self, X):
        X *= 1.0 + 1e-9
        return super()._score(X)


class Remembers(Honest):
    def _score(self, X):
        self.mean_ = 0.999 * self.mean_ + 0.001 * X[:1].mean(axis=0) if len(X) else self.mean_
        return super()._score(X)


class LeaksBetweenFits(Honest):
    def _fit(self, series, y):
        super()._fit(series, y)
        self._scale = max(getattr(self, "_scale", 1.0), float(self.scale_.max()))

    def _terms(self, X):
        return super()._terms(X) / self._scale


class LeaksBetweenSeries(Honest):
    tags = Tags(sequence=True)

    def score_samples(self, X):
        series = self._check_fitted(X)
        carried = np.concatenate([np.zeros(1), *[self._score(one) for one in series]])
        return carried[1:] + 0.5 * carried[:-1]


class Unseeded(Honest):
    def _fit(self, series, y):
        super()._fit(series, y)
        self.scale_ = self.scale_ * np.random.uniform(0.9, 1.1)  # noqa: NPY002


class NotJson(Honest):
    def __init__(self, *, weights: object = None) -> None:
        self.weights = {1: 0.5} if weights is None else weights
        self.power = 2.0


class ChangesSettings(Honest):
    def _fit(self, series, y):
        super()._fit(series, y)
        self.power = 3.0


class Counted(Honest):
    """Honest, with a count that it looks at."""

    def __init__(self, *, rows: int = 300) -> None:
        self.rows = rows
        self.power = 2.0

    def _fit(self, series, y):
        self._look()
        super()._fit(series, y)

    def _look(self):
        check_whole(self._name, "rows", self.rows, low=2)


class TakesHalves(Counted):
    def _look(self):
        check_range(self._name, "rows", self.rows, low=2)


class TakesTruth(Counted):
    def _look(self):
        if not isinstance(self.rows, int):
            raise SettingError(f"{self._name}: rows is {self.rows!r}; wanted a whole number")


class HidesItsName(Counted):
    def _look(self):
        check_whole("detector", "rows", self.rows, low=2)


class RefusesWhenMade(Counted):
    def __init__(self, *, rows: int = 300) -> None:
        super().__init__(rows=int(rows))
        self._look()


class Backwards(Honest):
    def _score(self, X):
        return -super()._score(X)


class TakesAll(Honest):
    def _check(self, X, features):
        rows = np.atleast_2d(np.asarray(X, dtype=float))
        return [np.nan_to_num(np.resize(rows, (len(rows), 3)))]


class Overflows(Honest):
    def _score(self, X):
        with np.errstate(over="ignore"):
            return super()._score(X) ** 9

    def _finite(self, result, what):
        return result


class HidesState(Honest):
    def _fit(self, series, y):
        super()._fit(series, y)
        self._gain = float(self.scale_.sum())

    def _terms(self, X):
        return super()._terms(X) * getattr(self, "_gain", 1.0)


class Objects(Honest):
    def _fit(self, series, y):
        super()._fit(series, y)
        self.notes_ = np.array([{}], dtype=object)


class BlamesTheNext(Honest):
    def _contributions(self, X):
        return np.roll(self._terms(X), 1, axis=1)


class SumsToMore(Honest):
    def _contributions(self, X):
        return self._terms(X) * 1.001


class BandBesideValue(Honest):
    def _expected(self, X):
        band = super()._expected(X)
        return Band(band.value + 100.0, band.low, band.high)


class ReadyTooEarly(Honest):
    tags = Tags(sequence=True)

    @property
    def warmup(self):
        return 5

    def score_samples(self, X):
        return np.concatenate([self._score(one) for one in self._check_fitted(X)])


class ClaimsMissing(Honest):
    tags = Tags(missing=True)

    def _finite(self, result, what):
        return result


class BlindToConstants(Honest):
    def _fit(self, series, y):
        super()._fit(series, y)
        still = np.ptp(np.concatenate(series), axis=0) == 0.0
        self.scale_ = np.where(still, 1e9, self.scale_)


class AnyRows(Honest):
    def fit(self, X, y=None):
        rows = np.concatenate(X) if isinstance(X, list) and X else np.asarray(X, dtype=float)
        return super().fit(rows if len(rows) > 1 else normal_series(), y)


class NeverRefuses(Honest):
    floor_: ClassVar[float] = 0.0
    n_features_ = 3
    mean_ = np.zeros(3)
    scale_ = np.ones(3)


class FailsOnOneRow(Honest):
    def _score(self, X):
        if len(X) == 1:
            raise InputError("one row is not enough")
        return super()._score(X)


class DeafToLabels(Honest):
    def fit(self, X, y=None):
        return super().fit(X)


class LearnsFromZeros(Honest):
    def _fit(self, series, y):
        super()._fit(series, y)
        if y is not None:
            self.scale_ = 2.0 * self.scale_


class Nearest(Classifier):
    """The kind of the nearest training row, surely: the smallest classifier that keeps the contract."""

    tags = Tags(needs_labels=True, good_for="tests")

    def __init__(self) -> None:
        pass

    def _fit(self, series, y):
        rows = np.concatenate(series)

        self.reference_ = self._near(rows)
        self.codes_ = np.array(y)

    def _near(self, X):
        return np.clip(np.arcsinh(X), -9.0, 9.0)

    def _probabilities(self, X):
        far = np.square(self._near(X)[:, None] - self.reference_).sum(axis=2)
        return np.eye(len(self.classes_))[self.codes_[far.argmin(axis=1)]]


class TakesNoLabelsForNormal(Nearest):
    def fit(self, X, y=None):
        return super().fit(X, np.arange(len(X)) % 2 if y is None else y)


class ReadsNamesOnly(Nearest):
    def _coded(self, labels):
        return super()._coded(labels.astype(np.str_))


class SumsToTwo(Nearest):
    def probabilities(self, X):
        return 2.0 * super().probabilities(X)


class ScoresSomethingElse(Nearest):
    def _score(self, X):
        return super()._score(X) + 1.0


class MixesUpKinds(Nearest):
    def probabilities(self, X):
        found = super().probabilities(X)
        return found[:, [0, *range(len(self.classes_) - 1, 0, -1)]]


class ForgetsNames(Nearest):
    def state(self):
        return {**super().state(), "classes_": np.sort(self.classes_)[::-1]}


BROKEN = {
    "settings_round_trip": (NotJson, ChangesSettings),
    "settings_refused": (TakesHalves, TakesTruth, HidesItsName, RefusesWhenMade),
    "fit_returns_self_and_forgets": (LeaksBetweenFits,),
    "same_seed_same_scores": (Unseeded,),
    "pure": (WritesToRows, Remembers),
    "row_alone_equals_row_in_batch": (DependsOnBatch, LooksAhead),
    "causal_prefix": (LooksAhead, DependsOnBatch),
    "series_do_not_mix": (LeaksBetweenSeries,),
    "outlier_stands_out": (Backwards,),
    "unfitted": (NeverRefuses,),
    "wrong_input": (TakesAll,),
    "empty": (AnyRows,),
    "one_row": (FailsOnOneRow,),
    "missing": (TakesAll, ClaimsMissing),
    "constant_channel": (BlindToConstants,),
    "finite": (Overflows,),
    "state_restores": (HidesState, Objects, ForgetsNames),
    "contributions": (BlamesTheNext,),
    "contributions_sum": (SumsToMore,),
    "expected": (BandBesideValue,),
    "warmup": (ReadyTooEarly,),
    "labels": (DeafToLabels, LearnsFromZeros, TakesNoLabelsForNormal),
    "names_and_numbers": (ReadsNamesOnly, Honest),
    "probabilities": (SumsToTwo, ScoresSomethingElse),
    "kinds": (MixesUpKinds,),
}


def test_an_honest_detector_passes_every_check() -> None:
    assert check_detector(Honest) == []
    assert check_detector(Nearest) == []
    assert check_detector(Counted) == []


def test_every_check_has_a_detector_that_fails_it() -> None:
    assert set(BROKEN) == set(CHECKS) | set(CLASSIFIER_CHECKS)
    assert list(checks_of(Honest())) == list(CHECKS)
    assert set(checks_of(Nearest())) == set(BROKEN)


@pytest.mark.parametrize(("check", "broken"), [(check, broken) for check, all_ in BROKEN.items() for broken in all_])
def test_a_broken_detector_is_caught(check: str, broken: type[Detector]) -> None:
    with pytest.raises((ContractError, InputError)) as caught:
        (CHECKS | CLASSIFIER_CHECKS)[check](broken)
    if broken is not FailsOnOneRow:
        assert broken.__name__ in str(caught.value)


def test_a_skip_names_the_check_and_the_reason() -> None:
    assert skip_reason("causal_prefix", LooksAhead()) is None

    class AllAtOnce(Honest):
        tags = Tags(causal=False)

    assert check_detector(AllAtOnce) == [
        "causal_prefix: AllAtOnce does not claim to be causal (tags.causal)",
    ]


def test_series_are_seeded_and_labelled() -> None:
    np.testing.assert_array_equal(normal_series(3), normal_series(3))
    assert not np.array_equal(normal_series(3), normal_series(4))
    X, y = odd_series(3)
    changed = (normal_series(3) != X).any(axis=1)
    np.testing.assert_array_equal(changed, y == 1)
    assert 0.05 < y.mean() < 0.2


def test_kinds_are_planted_where_they_are_named() -> None:
    X, names = labelled_series(3)
    far = X - normal_series(3)
    assert ((far > 7.9).all(axis=1) == (names == ALL_UP)).all()
    np.testing.assert_array_equal(far[names == ONE_UP][:, [0, 2]], 0.0)
    assert ((far[:, 1] > 7.9) == (names != "normal")).all()
    assert (far[names == "normal"] == 0.0).all()
    assert 0.05 < (names == ALL_UP).mean() < 0.15
    assert 0.05 < (names == ONE_UP).mean() < 0.15
