"""Weights and copies of rare classes, and that no copy crosses from what is learned to what is judged."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redshank.core import Classifier, Frame, SettingError
from redshank.data import Dataset
from redshank.detectors import DETECTORS
from redshank.detectors._imbalance import balanced_weights, check_imbalance, oversampled, undersampled
from redshank.detectors.classical import _scikit
from redshank.evaluate.protocols import blocked
from redshank.testing import labelled_series

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


@pytest.mark.parametrize("name", DOORS)
def test_no_copied_row_crosses_a_fold(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    dataset = numbered()
    X, y = dataset.frame.values.astype(np.float64), dataset.y
    assert y is not None
    for split in blocked(dataset, folds=3, purge_rows=0):
        calls = spied(monkeypatch, name)
        detector = DETECTORS.get(name)(oversample=True)
        assert isinstance(detector, Classifier)
        detector.fit(X[split.train], y[split.train])
        learned = set(detector._scaled(X[split.train])[:, 0])
        assert len(learned) == split.train.sum()  # scaling kept the numbers apart
        taken = np.concatenate(calls)
        assert len(taken) > len(set(taken)), "no row was copied: the test would show nothing"
        assert set(taken) == learned, "what was learned from is not the training rows of the fold"
        monkeypatch.undo()


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
