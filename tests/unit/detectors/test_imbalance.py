"""Weights and copies of rare classes, and that no copy crosses from what is learned to what is judged."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redshank.core import Frame, SettingError
from redshank.data import Dataset
from redshank.detectors import DETECTORS
from redshank.detectors._imbalance import balanced_weights, check_imbalance, oversampled, undersampled
from redshank.detectors.classical import _scikit
from redshank.evaluate.protocols import blocked
from redshank.evaluate.run import evaluate_run
from redshank.scoring import DeviceRows, Scorer, fit_scorer
from redshank.testing import labelled_series

Numbers = npt.NDArray[np.intp]

CODES = st.lists(st.integers(0, 4), min_size=1, max_size=80).map(np.array)
ROWS = 600
DOORS = {
    "adaboost": "adaboost",
    "decision_tree": "decision_tree",
    "gradient_boosting": "gradient_boosting",
    "logistic_regression": "linear",
    "random_forest": "random_forest",
    "svm": "machines",
}
"""The function that a detector gives its rows to, after they were copied."""


@given(CODES)
def test_balanced_classes_weigh_alike_and_rows_one_on_average(codes: np.ndarray) -> None:
    weights = balanced_weights(codes)[codes]
    totals = [weights[codes == code].sum() for code in np.unique(codes)]
    np.testing.assert_allclose(totals, totals[0])
    assert weights.mean() == pytest.approx(1.0)


@given(CODES, st.floats(0.0, 1.0), st.integers(0, 9))
def test_copies_bring_each_class_to_its_share_and_none_is_favoured(codes: np.ndarray, ratio: float, seed: int) -> None:
    places = oversampled(codes, seed, ratio)
    np.testing.assert_array_equal(places[: len(codes)], np.arange(len(codes)))
    before, after = np.bincount(codes), np.bincount(codes[places])
    wanted = int(np.ceil(ratio * before.max()))
    np.testing.assert_array_equal(after, np.where(before > 0, np.maximum(before, wanted), 0))
    used = np.bincount(places)
    for code in np.unique(codes):
        assert np.ptp(used[codes == code]) <= 1
    np.testing.assert_array_equal(places, oversampled(codes, seed, ratio))


@given(CODES, st.integers(1, 90), st.integers(0, 9))
def test_large_classes_are_thinned_first_and_most_is_used_up(codes: np.ndarray, most: int, seed: int) -> None:
    kept = undersampled(codes, most, seed)
    assert len(kept) == len(np.unique(kept)) == min(most, len(codes))
    assert (np.diff(kept) > 0).all()
    before, after = np.bincount(codes), np.bincount(codes[kept], minlength=codes.max() + 1)
    assert (after[after < before] >= after.max() - 1).all()


@pytest.mark.parametrize(("weight", "ratio"), [("heavy", 0.0), (None, 1.5), (None, -0.1)])
def test_settings(weight: str | None, ratio: float) -> None:
    with pytest.raises(SettingError, match=r"^X: (class_weight|oversample) is"):
        check_imbalance("X", weight, ratio)


def spied(monkeypatch: pytest.MonkeyPatch, name: str) -> list[np.ndarray]:
    """The first channel, as scaled, of all rows that the detector learns from, call by call."""
    calls: list[np.ndarray] = []
    honest = getattr(_scikit, DOORS[name])

    def spy(rows, *others, **settings):
        calls.append(np.array(rows[:, 0]))
        return honest(rows, *others, **settings)

    monkeypatch.setattr(_scikit, DOORS[name], spy)
    return calls


def numbered() -> Dataset:
    """Labelled rows whose first channel is a number that no other row has."""
    X, names = labelled_series(0, ROWS)
    X[:, 0] = np.random.default_rng(0).permutation(ROWS)
    return Dataset("numbered", Frame.of(X, interval_s=1.0), (names != "normal").astype(np.int8))


class Fit(NamedTuple):
    """One fit inside an evaluation: the numbers of the rows that scikit-learn got, and of those it was asked about."""

    scorer: Scorer
    learned: Numbers
    judged: list[Numbers]


def watched(monkeypatch: pytest.MonkeyPatch, name: str) -> list[Fit]:
    """Every fit from now on."""
    fits: list[Fit] = []
    given: list[np.ndarray] = []
    door, columns = getattr(_scikit, DOORS[name]), Scorer.columns

    def taught(rows, *others, **settings):
        given.append(np.array(rows))
        return door(rows, *others, **settings)

    def learn(*pieces, **settings) -> Scorer:
        given.clear()
        scorer = fit_scorer(*pieces, **settings)
        (detector,) = scorer.detectors
        rows = np.concatenate(given) * detector.spread_ + detector.middle_
        fits.append(Fit(scorer, numbers(scorer.scaler.inverse(rows, groups=np.zeros(len(rows), np.intp))), []))
        return scorer

    def judge(self: Scorer, one: DeviceRows):
        (fit,) = (fit for fit in fits if fit.scorer is self)
        fit.judged.append(numbers(one.values[one.before :]))
        return columns(self, one)

    monkeypatch.setattr(_scikit, DOORS[name], taught)
    monkeypatch.setattr("redshank.pipeline.fit_scorer", learn)
    monkeypatch.setattr(Scorer, "columns", judge)
    return fits


def numbers(rows: np.ndarray) -> Numbers:
    return np.rint(rows[:, 0]).astype(np.intp)


def crossed(monkeypatch: pytest.MonkeyPatch, name: str, dataset: Dataset) -> set[int]:
    """Numbers of rows that a fit of an evaluation learned from and was asked about as well."""
    with monkeypatch.context() as patch:
        fits = watched(patch, name)
        splits = blocked(dataset, folds=3, purge_rows=0)
        records = list(evaluate_run(dataset, DETECTORS.get(name)(oversample=1.0), splits=splits, findings=()))
    assert len(records) == len(splits)
    assert all(len(set(fit.learned)) < len(fit.learned) for fit in fits), "no row was copied: nothing would be shown"
    assert all(set(fit.learned) <= set(range(ROWS)) for fit in fits)
    assert {number for fit in fits for own in fit.judged for number in own} == set(range(ROWS))
    return {number for fit in fits for own in fit.judged for number in own if number in set(fit.learned)}


@pytest.mark.parametrize("name", DOORS)
def test_no_copied_row_crosses_a_fold(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert crossed(monkeypatch, name, numbered()) == set()


def test_rows_copied_before_the_division_would_be_found_on_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = numbered()
    assert dataset.y is not None
    places = oversampled(dataset.y.astype(np.intp), 0)
    frame = Frame.of(dataset.frame.values[places], interval_s=1.0)
    leaking = Dataset("copied before the division", frame, dataset.y[places])
    found = crossed(monkeypatch, "decision_tree", leaking)
    assert found
    assert dataset.y[np.isin(numbers(dataset.frame.values), list(found))].all()  # anomalous rows alone were copied


def test_the_nearest_neighbours_are_training_rows() -> None:
    dataset = numbered()
    X, y = dataset.frame.values.astype(np.float64), dataset.y
    assert y is not None
    for split in blocked(dataset, folds=3, purge_rows=0):
        detector = DETECTORS.get("knn_classifier")(oversample=True).fit(X[split.train], y[split.train])
        kept = detector.reference_[:, 0]
        assert len(set(kept)) == split.train.sum() < len(kept)
        assert set(kept) == set(detector._scaled(X[split.train])[:, 0])


def test_no_copied_row_crosses_to_what_the_svm_holds_back(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset, calls = numbered(), spied(monkeypatch, "svm")
    X, y = dataset.frame.values.astype(np.float64), dataset.y
    detector = DETECTORS.get("svm")(oversample=True)
    detector.fit(X, y)
    first, last = calls
    assert len(set(first)) < len(first)
    held = set(detector._scaled(X)[:, 0]) - set(first)
    assert len(held) == sum(np.bincount(y) // 4)
    assert set(last) == set(first) | held
