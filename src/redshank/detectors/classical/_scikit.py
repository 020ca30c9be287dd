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

STARTS = 4
"""Times that k-means starts anew; the best is kept."""


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


def isolation_trees(rows: Array, trees: int, sample: int, seed: int) -> dict[str, npt.NDArray[Any]]:
    """Isolation trees as node arrays, all trees one after another.

    ``children`` (2, nodes) are places in the same arrays, a leaf's are its own; ``feature`` and ``cut`` (nodes,): go
    left where the float32 value is at most the cut; ``size`` (nodes,) counts the training rows; ``roots`` (trees,).
    """
    with _needed():
        from sklearn.ensemble import IsolationForest  # noqa: PLC0415 - only fitting needs it
    forest = IsolationForest(n_estimators=trees, max_samples=sample, random_state=seed).fit(rows)
    parts = [one.tree_ for one in forest.estimators_]
    roots = np.cumsum([0] + [part.node_count for part in parts])[:-1]
    children = np.concatenate(
        [
            np.where(side < 0, np.arange(part.node_count), side) + root
            for part, root in zip(parts, roots, strict=True)
            for side in [np.stack([part.children_left, part.children_right])]
        ],
        axis=1,
    )
    return {
        "children": children,
        "feature": np.concatenate([np.maximum(part.feature, 0) for part in parts]),
        "cut": np.concatenate([part.threshold for part in parts]),
        "size": np.concatenate([part.n_node_samples for part in parts]),
        "roots": roots,
    }
