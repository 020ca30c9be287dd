"""The support vector machine with a Gaussian kernel: a curved border between classes, with room on both sides."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from redshank.core import Tags, check_range, check_whole
from redshank.core.contracts import Array
from redshank.detectors._imbalance import undersampled
from redshank.detectors.classical import _scikit
from redshank.detectors.classical._labelled import Codes, RowClassifier, softmax
from redshank.detectors.classical._nearest import CELLS, squares_of

EVERY = 4
"""Every fourth row of a class is held back while the probabilities are learned; a class of fewer rows is not."""

SURE = 0.99
"""Decision values beyond this count as this: at 1 the machine stops to push, which it reaches to a thousandth, and what
lies beyond is chance. It keeps a row that is farther out than the learned ones from scoring lower than those."""

STRAYING = 0.01
"""Weight, beside the mean log loss, of half the squares of how far sharpness and biases go from 1 and 0."""

STEPS = 50
"""Newton steps at most; fewer than 10 are usual."""


class SVMDetector(RowClassifier):
    """Name a row's class by one support vector machine for each class, against all others.

    Parameters
    ----------
    C : float, default=10.0
        Weight of a training row on the wrong side beside the width of the border, above 0.
    gamma : float, default=None
        Of the kernel ``exp(-gamma |a - b|^2)`` on scaled values, above 0. None takes ``1 / (n_features v)`` with v
        the variance of all scaled values.
    rows : int, default=5000
        Training rows learned from at most, at least 2, without copies. Where there are more, the large classes are
        thinned out at random to equal numbers: the time grows with their square.
    class_weight : {"balanced", None}, default=None
        ``"balanced"``: the rows of all classes together weigh alike. Not here: only rows near a border weigh at all,
        so a common class does not drown a rare one.
    oversample : float or bool, default=False
        Rows of rare classes are repeated until each has this share of the rows of the largest; True is 1.
    seed : int, default=0
        Draws rows.

    Attributes
    ----------
    middle_, spread_, low_, high_ : ndarray of shape (n_features,)
        Scaling, as in logistic regression.
    support_ : ndarray of shape (vectors, n_features)
        Support vectors, scaled.
    weights_ : ndarray of shape (vectors, classes)
        Their weights in the machine of each class; above 0 speaks for the class.
    intercept_ : ndarray of shape (classes,)
    gamma_ : float
        Of the kernel.
    sharpness_ : float
    bias_ : ndarray of shape (classes,)
        What makes margins logits.

    Notes
    -----
    The machine of [1]_, learned by scikit-learn (libsvm), one against the rest for each class: the first parts normal
    rows from all that is not. (Machines between pairs of classes are quicker to learn, but one that saw neither a row's
    class nor anything like it says something all the same.) The margin of a class is its decision value, cut to the
    range -0.99 to 0.99, and ``P = softmax(sharpness margin + bias)``, which for two classes is Platt's sigmoid [2]_.

    Sharpness and biases are learned as [2]_ wants, on rows that the machine has not seen: a first machine learns
    without every fourth row of each class (of the rows themselves; copies are made later), and its margins of those are
    fitted, kept near 1 and 0 by a small penalty. The machine that scores learns from all rows. Time O(classes rows^2 d)
    to fit, O(vectors (d + classes)) a row to score; needs the ``train`` extra to fit, not to score.

    References
    ----------
    .. [1] C. Cortes, V. Vapnik, "Support-vector networks", Machine Learning 20(3), 1995.
    .. [2] J. Platt, "Probabilistic outputs for support vector machines", Advances in large margin classifiers, 1999.
    """

    tags = Tags(
        needs_labels=True,
        good_for="a few thousand labelled rows; kinds that lie in curved regions of a few channels",
        cost="O(vectors (channels + classes))",
        source="Cortes and Vapnik 1995; Platt 1999",
    )

    def __init__(
        self,
        *,
        C: float = 10.0,
        gamma: float | None = None,
        rows: int = 5000,
        class_weight: str | None = None,
        oversample: float = False,
        seed: int = 0,
    ) -> None:
        self.C = C
        self.gamma = gamma
        self.rows = rows
        self.class_weight = class_weight
        self.oversample = oversample
        self.seed = seed

    def _check_settings(self) -> None:
        super()._check_settings()
        smallest = float(np.nextafter(0.0, 1.0))
        check_range(self._name, "C", self.C, low=smallest)
        if self.gamma is not None:
            check_range(self._name, "gamma", self.gamma, low=smallest)
        check_whole(self._name, "rows", self.rows, low=2)

    def _learn(self, rows: Array, codes: Codes) -> None:
        kept = undersampled(codes, max(self.rows, len(self.classes_)), self.seed)
        rows, codes = rows[kept], codes[kept]
        variance = rows.var()
        self.gamma_ = 1.0 / (rows.shape[1] * variance if variance > 0 else 1.0) if self.gamma is None else self.gamma
        held = held_back(codes)
        self.sharpness_, self.bias_ = 1.0, np.zeros(len(self.classes_))
        if held.any():
            self._learn_machine(rows[~held], codes[~held])
            self.sharpness_, self.bias_ = sharpened(self._margins(rows[held]), codes[held])
        self._learn_machine(rows, codes)

    def _learn_machine(self, rows: Array, codes: Codes) -> None:
        places, weights = self._drawn(codes)
        self.support_, self.weights_, self.intercept_ = _scikit.machines(
            rows[places], codes[places], weights, self.C, self.gamma_
        )

    def _decisions(self, rows: Array) -> Array:
        """Decision value of the machine of each class, (rows, classes)."""
        sizes = np.einsum("ij,ij->i", self.support_, self.support_)
        found = np.empty((len(rows), len(self.intercept_)))
        step = max(1, CELLS // max(len(self.support_), 1))
        for start in range(0, len(rows), step):
            squares = squares_of(rows[start : start + step], self.support_, sizes)
            found[start : start + step] = np.exp(-self.gamma_ * squares) @ self.weights_ + self.intercept_
        return found

    def _margins(self, rows: Array) -> Array:
        margins: Array = np.clip(self._decisions(rows), -SURE, SURE)
        return margins

    def _chances(self, rows: Array) -> Array:
        return softmax(self.sharpness_ * self._margins(rows) + self.bias_)


def held_back(codes: Codes) -> npt.NDArray[np.bool_]:
    """Every fourth row of each class."""
    held = np.zeros(len(codes), np.bool_)
    for code in np.unique(codes):
        held[np.flatnonzero(codes == code)[EVERY - 1 :: EVERY]] = True
    return held


def sharpened(margins: Array, codes: Codes) -> tuple[float, Array]:
    """Sharpness and biases that make ``softmax(sharpness margins + bias)`` fit the classes best, near 1 and 0.

    Newton's method on a convex function: the mean log loss and ``STRAYING / 2`` times the squares of how far the
    parameters went; ``margins`` are (rows, classes).
    """
    n, classes = margins.shape
    start = np.concatenate([[1.0], np.zeros(classes)])
    known, at = np.eye(classes)[codes], start.copy()
    for _ in range(STEPS):
        chances = softmax(at[0] * margins + at[1:])
        excess = chances - known
        slope = np.concatenate([[(excess * margins).sum()], excess.sum(axis=0)]) / n + STRAYING * (at - start)
        mean = (chances * margins).sum(axis=1, keepdims=True)
        curve = np.empty((classes + 1, classes + 1))
        curve[0, 0] = (chances * np.square(margins - mean)).sum()
        curve[0, 1:] = curve[1:, 0] = (chances * (margins - mean)).sum(axis=0)
        curve[1:, 1:] = np.diag(chances.sum(axis=0)) - chances.T @ chances
        step = np.linalg.solve(curve / n + STRAYING * np.eye(classes + 1), slope)
        at -= step * min(1.0, 5.0 / np.abs(step).max())
        if np.abs(step).max() < 1e-10:
            break
    return float(at[0]), at[1:]
