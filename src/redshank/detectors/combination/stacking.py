"""Several detectors of the unusual, and labels that say which of it matters."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from redshank.core import Classifier, InputError, SettingError, check_range, check_whole
from redshank.core.contracts import Array
from redshank.detectors._imbalance import balanced_weights, check_imbalance
from redshank.detectors.classical import _scikit
from redshank.detectors.classical._labelled import softmax
from redshank.detectors.combination._combined import CombinedDetector
from redshank.detectors.combination._tail import LEAST, fit_tail, surprise

Codes = npt.NDArray[np.intp]


class StackingDetector(CombinedDetector, Classifier):
    """Name a row's class by how surprising several detectors find it, and which channels they point at.

    Parameters
    ----------
    members : tuple of str, default=("pca", "ridge", "knn")
        Texts of detectors that learn from normal rows alone. What was expected is said by the first.
    folds : int, default=4
        Blocks of time, at least 2, that members are held back from in turn.
    penalty : float, default=1e-4
        Weight of half the squared coefficients beside the mean loss of a training row, above 0.
    class_weight : {"balanced", None}, default=None
        ``"balanced"``: all classes weigh alike, however few rows of one there are.

    Attributes
    ----------
    classes_
        See :class:`~redshank.core.Classifier`.
    tails_ : ndarray of shape (members, 35)
        Tail of each member's scores of normal rows held back from it.
    largest_ : ndarray of shape (inputs,)
        Largest input learned from; no later one counts as larger.
    weights_ : ndarray of shape (classes, inputs)
    bias_ : ndarray of shape (classes,)

    Notes
    -----
    Stacked generalisation [1]_: each series is cut into blocks of time; members learn from the normal rows outside a
    block and score the rows within, so that nothing that is learned here has seen the score of a row that a member had
    learned from. These scores become surprises in nats, as in the ensemble. Inputs are ``ln(1 + u)`` of the surprise of
    each member, and of the part of each channel in their sum; a multinomial logistic regression weighs them. Then the
    members learn from all normal rows. Time: that of the members, ``folds + 1`` times to fit.

    Contributions: those of the members, weighted by their surprise and scaled to sum to the score. Needs the ``train``
    extra to fit, not to score.

    References
    ----------
    .. [1] D. H. Wolpert, "Stacked generalization", Neural Networks 5(2), 1992.
    """

    good_for = "labels for some of what is unusual: learns which surprises matter, and names them by their channels"
    source = "Wolpert 1992"
    labelled = True

    def __init__(
        self,
        *,
        members: tuple[str, ...] = ("pca", "ridge", "knn"),
        folds: int = 4,
        penalty: float = 1e-4,
        class_weight: str | None = None,
    ) -> None:
        self.members = members
        self.folds = folds
        self.penalty = penalty
        self.class_weight = class_weight

    @property
    def _texts(self) -> tuple[str, ...]:
        if not isinstance(self.members, tuple) or not self.members:
            raise SettingError(f"{self._name}: members is {self.members!r}; wanted texts of detectors")
        return self.members

    def _fit(self, series: list[Array], y: Codes | None) -> None:
        if y is None:  # the tags need labels: Detector.fit has asked for them
            raise AssertionError
        check_whole(self._name, "folds", self.folds, low=2)
        check_range(self._name, "penalty", self.penalty, low=float(np.nextafter(0.0, 1.0)))
        check_imbalance(self._name, self.class_weight, 0.0)
        codes = np.split(y, np.cumsum([len(one) for one in series])[:-1])
        scores, shares, places = self._held_back(series, codes)
        learned = y[places]
        normal, odd = int((learned == 0).sum()), int((learned > 0).sum())
        if normal < LEAST or not odd:
            raise InputError(
                f"{self._name}: {normal} normal and {odd} anomalous rows could be held back from the members; "
                f"at least {LEAST} and 1 are needed; give more rows"
            )
        self.tails_ = np.stack([fit_tail(own[learned == 0]) for own in scores])
        inputs = self._inputs(self._opinions(scores), shares)
        self.largest_ = inputs.max(axis=0)
        weights = balanced_weights(learned)[learned] if self.class_weight == "balanced" else np.ones(len(learned))
        self.weights_, self.bias_ = self._regression(inputs, learned, weights)
        every = [(0, len(one)) for one in series]
        runs = [run for one, own, span in zip(series, codes, every, strict=True) for run in _runs(one, own, *span)]
        turns = (self.folds + 1) * len(self._texts)
        first = turns - len(self._texts)
        self._fitted = tuple(self._fit_member(text, runs, first + i, turns) for i, text in enumerate(self._texts))

    def _regression(self, inputs: Array, codes: Codes, weights: Array) -> tuple[Array, Array]:
        """Weights and bias of every class; one that no held-back row has is never probable."""
        present, places = np.unique(codes, return_inverse=True)
        found = _scikit.linear(inputs, places, weights, self.penalty)
        all_weights, bias = np.zeros((len(self.classes_), inputs.shape[1])), np.full(len(self.classes_), -np.inf)
        all_weights[present], bias[present] = found
        return all_weights, bias

    def _held_back(self, series: list[Array], codes: list[Codes]) -> tuple[Array, Array, npt.NDArray[np.intp]]:
        """Scores (members, rows) and shares (members, rows, channels) by members that had not seen the rows; which."""
        scores, shares, places = [], [], []
        first = np.concatenate([[0], np.cumsum([len(one) for one in series])])
        turns = (self.folds + 1) * len(self._texts)
        for fold in range(self.folds):
            spans = [(len(one) * fold // self.folds, len(one) * (fold + 1) // self.folds) for one in series]
            rest = [
                run
                for one, own, (start, end) in zip(series, codes, spans, strict=True)
                for outside in ((0, start), (end, len(one)))
                for run in _runs(one, own, *outside)
            ]
            if not rest:
                raise InputError(
                    f"{self._name}: no normal row lies outside block {fold + 1} of {self.folds}; give more"
                )
            done = fold * len(self._texts)
            self._fitted = tuple(self._fit_member(text, rest, done + i, turns) for i, text in enumerate(self._texts))
            for k, (one, (start, end)) in enumerate(zip(series, spans, strict=True)):
                ready = max(start, self.warmup)
                if ready < end:
                    seen = one[:end]  # what lies before a block is context, as it is for the rows of a stream
                    scores.append(self._member_scores([seen])[0][:, ready:])
                    shares.append(self._member_shares(seen)[:, ready:])
                    places.append(first[k] + np.arange(ready, end))
        if not places:
            raise InputError(f"{self._name}: no training series is longer than the {self.warmup} rows looked back on")
        return np.concatenate(scores, axis=1), np.concatenate(shares, axis=1), np.concatenate(places)

    def _probabilities(self, X: Array) -> Array:
        if not len(X):
            return np.empty((0, len(self.classes_)))
        inputs = self._inputs(self._opinions(self._member_scores([X])[0]), self._member_shares(X))
        return softmax(np.minimum(inputs, self.largest_) @ self.weights_.T + self.bias_)

    def _contributions(self, X: Array) -> Array:
        if not len(X):
            return np.empty(X.shape)
        parts: Array = self._parted(X, self._opinions(self._member_scores([X])[0])) * self._score(X)[:, None]
        return parts

    def _opinions(self, scores: Array) -> Array:
        """Surprise of each member at each row, (members, rows), in nats."""
        return np.stack([surprise(own, tail) for own, tail in zip(scores, self.tails_, strict=True)])

    def _inputs(self, opinions: Array, shares: Array) -> Array:
        """What the regression sees of each row, (rows, members + channels)."""
        by_channel = np.einsum("mr,mrc->rc", opinions, shares)
        inputs: Array = np.log1p(np.concatenate([opinions.T, by_channel], axis=1))
        return inputs


def _runs(X: Array, codes: Codes, start: int, end: int) -> list[Array]:
    """Unbroken runs of normal rows from ``start`` on, up to ``end``."""
    normal = np.flatnonzero(codes[start:end] == 0) + start
    return [X[run] for run in np.split(normal, np.flatnonzero(np.diff(normal) > 1) + 1) if len(run)]
