"""The one door to scikit-learn: it fits, and only plain arrays come back; scoring never needs it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from redshank.core import MissingExtraError
from redshank.core.contracts import Array
from redshank.detectors.classical._trees import Trees

Codes = npt.NDArray[np.intp]

STARTS = 4
"""Times that k-means starts anew; the best is kept."""

LONGEST = 500
"""Steps of a logistic regression at most."""


@contextmanager
def _needed() -> Iterator[None]:
    """Imports inside may fail; the error says what to install."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"learning this detector needs {error.name}, which is not installed; "
            "install it with: pip install 'redshank[train]'; a saved model needs it no more"
        ) from error


def smallest_determinant(rows: Array, seed: int) -> tuple[Array, Array]:
    """Centre (d,) and covariance (d, d) of the minimum covariance determinant."""
    with _needed():
        from sklearn.covariance import MinCovDet  # noqa: PLC0415 - only fitting needs it
    with warnings.catch_warnings():
        # Of a determinant that rises by rounding and of near-singular rows; the caller bounds variances from below.
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        fitted = MinCovDet(random_state=seed).fit(rows)
    return np.array(fitted.location_), np.array(fitted.covariance_)


def centres(rows: Array, clusters: int, seed: int) -> Array:
    """Centres of k-means, (at most clusters, d): fewer where there are fewer distinct rows."""
    with _needed():
        from sklearn.cluster import KMeans  # noqa: PLC0415 - only fitting needs it
        from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415 - only fitting needs it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct rows than clusters
        fitted = KMeans(n_clusters=min(clusters, len(rows)), n_init=STARTS, random_state=seed).fit(rows)
    found: Array = np.array(fitted.cluster_centers_)[np.unique(fitted.labels_)]
    return found


def support(rows: Array, nu: float, gamma: float) -> tuple[Array, Array]:
    """Support vectors (s, d) and their weights (s,), above 0, of a one-class machine with a Gaussian kernel."""
    with _needed():
        from sklearn.svm import OneClassSVM  # noqa: PLC0415 - only fitting needs it
    machine = OneClassSVM(nu=nu, gamma=gamma)
    machine.random_state = 0  # it has no such setting, yet draws a number, which must not be a global one
    fitted = machine.fit(rows)
    return np.array(fitted.support_vectors_), np.array(fitted.dual_coef_[0])


def isolation_trees(rows: Array, trees: int, sample: int, seed: int) -> tuple[Trees, npt.NDArray[np.int64]]:
    """Isolation trees, whose cuts are for values rounded to float32, and the training rows at each node."""
    with _needed():
        from sklearn.ensemble import IsolationForest  # noqa: PLC0415 - only fitting needs it
    forest = IsolationForest(n_estimators=trees, max_samples=sample, random_state=seed).fit(rows)
    size = np.concatenate([one.tree_.n_node_samples for one in forest.estimators_])
    return Trees.joined([_tree(one.tree_) for one in forest.estimators_]), size


def linear(rows: Array, codes: Codes, weights: Array, penalty: float) -> tuple[Array, Array]:
    """Weights (classes, d) and biases (classes,) of the logits of a logistic regression; the first 0 of two classes."""
    with _needed():
        from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415 - only fitting needs it
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - only fitting needs it
    model = LogisticRegression(C=1.0 / (penalty * weights.sum()), max_iter=LONGEST)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # what is left to gain by then is little
        model.fit(rows, codes, sample_weight=weights)
    coefficients, bias = np.array(model.coef_, order="C"), np.array(model.intercept_)
    if len(bias) == 1:
        coefficients, bias = np.vstack([np.zeros_like(coefficients), coefficients]), np.append(0.0, bias)
    return coefficients, bias


def machines(rows: Array, codes: Codes, weights: Array, C: float, gamma: float) -> tuple[Array, Array, Array]:
    """Support vectors (s, d), their weights (s, classes) and intercepts (classes,) of a machine for each class.

    A decision value above 0 is for the class, below 0 for all others.
    """
    with _needed():
        from sklearn.svm import SVC  # noqa: PLC0415 - only fitting needs it
    classes = int(codes.max()) + 1
    own, intercept = np.zeros((len(rows), classes)), np.zeros(classes)
    for code in range(1 if classes == 2 else 0, classes):
        # It draws random numbers for probabilities alone, which are not asked for; a seed keeps it from global ones.
        fitted = SVC(C=C, gamma=gamma, random_state=0).fit(rows, codes == code, sample_weight=weights)
        own[fitted.support_, code], intercept[code] = fitted.dual_coef_[0], fitted.intercept_[0]
    if classes == 2:
        own[:, 0], intercept[0] = -own[:, 1], -intercept[1]
    used = own.any(axis=1)
    return rows[used], own[used], intercept


def decision_tree(
    rows: Array, codes: Codes, weights: Array, *, depth: int, leaf: int, seed: int
) -> tuple[Trees, Array]:
    """One tree for values rounded to float32, and the share of each class at each node, (nodes, classes)."""
    with _needed():
        from sklearn.tree import DecisionTreeClassifier  # noqa: PLC0415 - only fitting needs it
    model = DecisionTreeClassifier(max_depth=depth, min_samples_leaf=leaf, random_state=seed)
    tree = model.fit(rows, codes, sample_weight=weights).tree_
    return _tree(tree), _shares(tree)


def random_forest(
    rows: Array, codes: Codes, weights: Array, *, trees: int, depth: int, leaf: int, seed: int
) -> tuple[Trees, Array]:
    """As :func:`decision_tree`, for the trees of a random forest."""
    with _needed():
        from sklearn.ensemble import RandomForestClassifier  # noqa: PLC0415 - only fitting needs it
    model = RandomForestClassifier(trees, max_depth=depth, min_samples_leaf=leaf, random_state=seed)
    grown = [one.tree_ for one in model.fit(rows, codes, sample_weight=weights).estimators_]
    return Trees.joined([_tree(tree) for tree in grown]), np.concatenate([_shares(tree) for tree in grown])


def adaboost(
    rows: Array, codes: Codes, weights: Array, *, trees: int, depth: int, rate: float, seed: int
) -> tuple[Trees, Array]:
    """The trees of AdaBoost, for values rounded to float32, and what they add to the logits, (nodes, classes)."""
    with _needed():
        from sklearn.ensemble import AdaBoostClassifier  # noqa: PLC0415 - only fitting needs it
        from sklearn.tree import DecisionTreeClassifier  # noqa: PLC0415 - only fitting needs it
    small = DecisionTreeClassifier(max_depth=depth, random_state=seed).fit(rows, codes, sample_weight=weights)
    classes = int(codes.max()) + 1
    wrong = float(np.average(small.predict(rows) != codes, weights=weights))
    if wrong >= (1.0 - 1e-9) * (1.0 - 1.0 / classes):
        # The rows tell nothing of their classes: scikit-learn gives up where the first tree is no better than chance.
        return _tree(small.tree_), np.zeros((small.tree_.node_count, classes))
    model = AdaBoostClassifier(
        DecisionTreeClassifier(max_depth=depth), n_estimators=trees, learning_rate=rate, random_state=seed
    ).fit(rows, codes, sample_weight=weights)
    grown = [one.tree_ for one in model.estimators_]
    votes = np.array(model.estimator_weights_)[: len(grown)]
    votes = votes / (votes.sum() * (classes - 1))
    value = [
        vote * np.where(np.eye(classes, dtype=bool)[_shares(tree).argmax(axis=1)], 1.0, -1.0 / (classes - 1))
        for tree, vote in zip(grown, votes, strict=True)
    ]
    return Trees.joined([_tree(tree) for tree in grown]), np.concatenate(value)


def gradient_boosting(
    rows: Array,
    codes: Codes,
    weights: Array,
    *,
    rounds: int,
    leaves: int,
    leaf: int,
    rate: float,
    penalty: float,
    seed: int,
) -> tuple[Trees, Array, Codes, Array]:
    """Trees for float64 values, what their leaves add to a logit, the class of each tree, and the logits before."""
    with _needed():
        from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - only fitting needs it
    rows = np.where(np.isnan(rows).all(axis=0), 0.0, rows)  # it cannot bin a channel of gaps alone; this one is not cut
    model = HistGradientBoostingClassifier(
        max_iter=rounds,
        max_leaf_nodes=leaves,
        min_samples_leaf=leaf,
        learning_rate=rate,
        l2_regularization=penalty,
        categorical_features=None,
        early_stopping=False,
        random_state=seed,
    ).fit(rows, codes, sample_weight=weights)
    parts, of = [], []
    for together in model._predictors:
        for code, one in enumerate(together):
            nodes, own = one.nodes, np.arange(len(one.nodes))
            leaf_here = nodes["is_leaf"].astype(bool)
            sides = [np.where(leaf_here, own, nodes[side].astype(np.intp)) for side in ("left", "right")]
            parts.append(
                Trees(
                    np.stack(sides),
                    np.where(leaf_here, 0, nodes["feature_idx"]).astype(np.intp),
                    nodes["num_threshold"].astype(np.float64),
                    ~nodes["missing_go_to_left"].astype(bool),
                    np.zeros(1, np.intp),
                )
            )
            of.append(code if len(together) > 1 else 1)
    base = np.array(model._baseline_prediction).ravel()
    value = np.concatenate([one.nodes["value"] for together in model._predictors for one in together])
    return Trees.joined(parts), value, np.array(of, np.intp), np.append(0.0, base) if len(base) == 1 else base


def _tree(tree: Any) -> Trees:
    """A tree of scikit-learn; its cuts are for values rounded to float32."""
    own = np.arange(tree.node_count)
    sides = [np.where(side < 0, own, side) for side in (tree.children_left, tree.children_right)]
    return Trees(
        np.stack(sides),
        np.maximum(tree.feature, 0),
        np.array(tree.threshold),
        ~np.asarray(tree.missing_go_to_left, bool),
        np.zeros(1, np.intp),
    )


def _shares(tree: Any) -> Array:
    shares: Array = np.array(tree.value[:, 0, :])
    shares /= shares.sum(axis=1, keepdims=True)
    return shares
