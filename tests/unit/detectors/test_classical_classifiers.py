"""What is particular to the classical detectors that learn from labels: NumPy says what scikit-learn says."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import AdaBoostClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from redshank.core import SettingError
from redshank.core.classifier import NORMAL
from redshank.detectors import DETECTORS
from redshank.detectors.classical import _trees
from redshank.detectors.classical._labelled import RowClassifier
from redshank.detectors.classical.svm import SVMDetector, held_back, sharpened
from redshank.testing import labelled_series

ORACLES = {
    "adaboost": lambda: AdaBoostClassifier(DecisionTreeClassifier(max_depth=4), n_estimators=50, random_state=3),
    "decision_tree": lambda: DecisionTreeClassifier(max_depth=12, random_state=3),
    "gradient_boosting": lambda: HistGradientBoostingClassifier(
        max_iter=60, max_leaf_nodes=15, min_samples_leaf=5, l2_regularization=1.0, early_stopping=False, random_state=3
    ),
    "knn_classifier": lambda: KNeighborsClassifier(5, weights="distance"),
    "logistic_regression": lambda: LogisticRegression(C=1.0 / (1e-4 * 400), max_iter=500),
    "random_forest": lambda: RandomForestClassifier(max_depth=20, random_state=3),
}
"""The same learners with their defaults, spelled by scikit-learn."""
NAMES = [*ORACLES, "svm"]
GAPS = ["decision_tree", "gradient_boosting", "random_forest"]


def made(name: str, **settings: object) -> RowClassifier:
    detector = DETECTORS.get(name)(**({"seed": 3} | settings))
    assert isinstance(detector, RowClassifier)
    return detector


def hard(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of three classes that no level parts cleanly, in float64 of many digits."""
    X, names = labelled_series(seed)
    rng = np.random.default_rng(seed)
    return X + rng.standard_normal(X.shape) * [3.0, 5.0, 1.0] * 1.23456789, names


def weights_of(codes: np.ndarray, class_weight: str | None) -> np.ndarray:
    share = len(codes) / len(np.unique(codes)) / np.bincount(codes)
    return share[codes] if class_weight else np.ones(len(codes))


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("class_weight", ["balanced", None])
@pytest.mark.parametrize("name", ORACLES)
def test_probabilities_are_those_of_scikit_learn(name: str, class_weight: str | None, binary: bool) -> None:
    (X, names), (test, _) = hard(0), hard(1)
    labels = np.where(names == NORMAL, NORMAL, "odd") if binary else names
    # Weighted votes are ours: scikit-learn's neighbours have none.
    detector = made(name, class_weight=None if name == "knn_classifier" else class_weight).fit(X, labels)
    codes = np.searchsorted(detector.classes_[1:], labels, side="left") + 1
    codes[labels == NORMAL] = 0
    weights = {} if name == "knn_classifier" else {"sample_weight": weights_of(codes, class_weight)}
    oracle = ORACLES[name]().fit(detector._scaled(X), codes, **weights)
    wanted = oracle.predict_proba(detector._scaled(test))
    assert wanted[:, 0].std() > 0.02, "the oracle says the same of all rows"
    np.testing.assert_allclose(detector.probabilities(test), wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", GAPS)
def test_gaps_go_where_scikit_learn_sends_them(name: str) -> None:
    (X, names), (test, _) = hard(0), hard(1)
    X[::5, 0] = test[::5, 1] = test[::7, 0] = np.nan  # in training and test; in test alone
    detector = made(name, class_weight=None).fit(X, names != NORMAL)
    # A forest without weights draws other rows than one whose weights are all 1.
    oracle = ORACLES[name]().fit(detector._scaled(X), names != NORMAL, sample_weight=np.ones(len(X)))
    np.testing.assert_allclose(
        detector.probabilities(test), oracle.predict_proba(detector._scaled(test)), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("binary", [True, False])
def test_svm_decides_as_scikit_learn_one_against_the_rest(binary: bool) -> None:
    (X, names), (test, _) = hard(0), hard(1)
    labels = np.where(names == NORMAL, NORMAL, "odd") if binary else names
    detector = SVMDetector().fit(X, labels)
    oracle = OneVsRestClassifier(SVC(C=10.0, gamma=detector.gamma_)).fit(detector._scaled(X), labels)
    wanted = oracle.decision_function(detector._scaled(test))
    if binary:  # classes in the order of the alphabet: "normal" before "odd"
        wanted = np.column_stack([-wanted, wanted])
    else:
        wanted = wanted[:, [oracle.classes_.tolist().index(name) for name in detector.classes_]]
    np.testing.assert_allclose(detector._decisions(detector._scaled(test)), wanted, rtol=1e-6, atol=1e-6)


def test_sharpness_and_biases_are_the_best_there_are() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, 300)
    margins = np.eye(3)[codes] + rng.standard_normal((300, 3))

    def loss(sharpness: float, bias: np.ndarray) -> float:
        logits = sharpness * margins + bias
        fit = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(300), codes]
        return float(fit.mean() + 0.005 * ((sharpness - 1.0) ** 2 + np.square(bias).sum()))

    sharpness, bias = sharpened(margins, codes)
    best = loss(sharpness, bias)
    for way in rng.standard_normal((40, 4)) * 1e-3:
        assert loss(sharpness + way[0], bias + way[1:]) > best


def test_svm_holds_back_no_class_of_few_rows() -> None:
    held = held_back(np.repeat([0, 1, 2], [8, 3, 5]))
    assert np.flatnonzero(held).tolist() == [3, 7, 14]


@pytest.mark.parametrize("name", NAMES)
def test_a_farther_row_is_taken_for_the_farthest_known(name: str) -> None:
    X, names = labelled_series()
    detector = made(name).fit(X, names)
    far = np.array([[20.0, 5.0, 1.0]]) + np.array([[1e3], [1e6], [1e30]])
    scores = detector.score_samples(np.concatenate([far, far * [0.0, 1.0, 0.0] + [20.0, 0.0, 1.0]]))
    assert scores[0] == scores[1] == scores[2]
    assert scores[3] == scores[4] == scores[5]
    assert scores.min() > np.quantile(detector.score_samples(X[names == NORMAL]), 0.9)


@pytest.mark.parametrize("name", ["decision_tree", "gradient_boosting", "random_forest", "adaboost"])
def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    X, names = hard(0)
    detector = made(name).fit(X, names)
    whole = detector.probabilities(X)
    monkeypatch.setattr(_trees, "CELLS", 7)
    np.testing.assert_allclose(detector.probabilities(X), whole, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("adaboost", "random_forest")])
def test_copies_help_a_rare_kind(name: str) -> None:
    """Six rows of a kind among 600 that overlap with it: with copies its probability rises.

    Not in trees grown to single rows: there six rows are six leaves, however often they are repeated.
    """
    rng = np.random.default_rng(1)
    X = np.concatenate([rng.standard_normal((600, 2)), rng.standard_normal((6, 2)) + 1.5])
    y = np.repeat([0, 1], [600, 6])
    test = rng.standard_normal((200, 2)) + 1.5
    settings = {"leaf": 5, "depth": 3} if name == "decision_tree" else {}
    plain, copied = (
        made(name, class_weight=None, oversample=share, **settings).fit(X, y).score_samples(test).mean()
        for share in (False, True)
    )
    assert copied > plain


SETTINGS = [(name, "class_weight", "heavy") for name in NAMES] + [(name, "oversample", 1.5) for name in NAMES]
SETTINGS += [(name, "seed", -1) for name in NAMES] + [
    ("adaboost", "trees", 0), ("adaboost", "depth", 0), ("adaboost", "rate", 0.0),
    ("decision_tree", "depth", 0), ("decision_tree", "leaf", 0),
    ("gradient_boosting", "rounds", 0), ("gradient_boosting", "leaves", 1), ("gradient_boosting", "leaf", 0),
    ("gradient_boosting", "rate", 0.0), ("gradient_boosting", "penalty", -1.0),
    ("knn_classifier", "neighbours", 0), ("knn_classifier", "rows", 1), ("logistic_regression", "penalty", 0.0),
    ("random_forest", "trees", 0), ("random_forest", "depth", 0), ("random_forest", "leaf", 0),
    ("svm", "C", 0.0), ("svm", "gamma", 0.0), ("svm", "rows", 1),
]  # fmt: skip


@pytest.mark.parametrize(("name", "setting", "value"), SETTINGS)
def test_settings(name: str, setting: str, value: object) -> None:
    with pytest.raises(SettingError, match=f"{setting} is"):
        made(name, **{setting: value}).fit(*labelled_series(0, 40))
