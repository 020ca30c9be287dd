"""What classifiers of single rows share: robust scaling within what was learned, class weights and copies."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import numpy.typing as npt

from redshank.core import LAST_SEED, Classifier, check_whole
from redshank.core.contracts import Array
from redshank.detectors._imbalance import balanced_weights, check_imbalance, oversampled

Codes = npt.NDArray[np.intp]

USUAL_IQR = 1.3489795003921634
"""Distance between the quartiles of a standard normal variable."""

LINEAR = 3.0
"""Robust deviations up to which values are taken as they are; beyond, as logarithms: what lies 100 deviations out and
what lies 1000 out should differ, but not by 900."""

SMALLEST = float(np.finfo(np.float32).tiny)
"""Least spread: below it a quotient could leave float64."""


class RowClassifier(Classifier):
    """A classifier of single rows; a subclass gives ``_learn`` and ``_chances`` on scaled rows.

    Attributes
    ----------
    middle_, spread_ : ndarray of shape (n_features,)
        Median of the training rows, and the distance between their quartiles over 1.349, in the units of ``X``; their
        standard deviation where the quartiles are equal.
    low_, high_ : ndarray of shape (n_features,)
        Range of the training rows, scaled: no value is taken for farther out than any that was learned.

    Notes
    -----
    A value ``r`` spreads from the median counts as ``r`` up to 3 and as ``3 (1 + ln(r / 3))`` beyond (likewise below),
    and is then clipped to the range of the training rows. So nothing is said about values beyond all that was learned:
    a farther row is taken for the farthest known, and never scores lower than that.
    """

    class_weight: str | None
    oversample: float
    seed: int
    middle_: Array
    spread_: Array
    low_: Array
    high_: Array

    @abstractmethod
    def _learn(self, rows: Array, codes: Codes) -> None:
        """Learn from scaled training rows, of which none is weighted or copied yet: see :meth:`_drawn`."""

    @abstractmethod
    def _chances(self, rows: Array) -> Array:
        """Probability of each class for scaled rows, (rows, classes)."""

    def _check_settings(self) -> None:
        check_imbalance(self._name, self.class_weight, self.oversample)
        check_whole(self._name, "seed", self.seed, low=0, high=LAST_SEED)

    def _fit(self, series: list[Array], y: Codes | None) -> None:
        self._check_settings()
        if y is None:  # the tags need labels: Detector.fit has asked for them
            raise AssertionError
        rows = np.concatenate(series)
        self.middle_, self.spread_ = _robust(rows)
        self.low_, self.high_ = np.full(rows.shape[1], -np.inf), np.full(rows.shape[1], np.inf)
        scaled = self._scaled(rows)
        known = ~np.isnan(scaled).all(axis=0)
        self.low_[~known] = self.high_[~known] = 0.0
        self.low_[known], self.high_[known] = np.nanmin(scaled[:, known], axis=0), np.nanmax(scaled[:, known], axis=0)
        self._learn(scaled, y)

    def _probabilities(self, X: Array) -> Array:
        return self._chances(self._scaled(X)) if len(X) else np.empty((0, len(self.classes_)))

    def _scaled(self, X: Array) -> Array:
        deviations = (X - self.middle_) / self.spread_
        size = np.abs(deviations)
        far = LINEAR * (1.0 + np.log(np.maximum(size, LINEAR) / LINEAR))
        scaled: Array = np.clip(np.where(size > LINEAR, np.sign(deviations) * far, deviations), self.low_, self.high_)
        return scaled

    def _drawn(self, codes: Codes) -> tuple[npt.NDArray[np.intp], Array]:
        """Places of the rows to learn from, with copies of rare ones, and their weights.

        For rows that are learned from alone: whoever holds rows back does so before.
        """
        places = oversampled(codes, self.seed, float(self.oversample))
        drawn = codes[places]
        weights = balanced_weights(drawn)[drawn] if self.class_weight == "balanced" else np.ones(len(drawn))
        return places, weights


def softmax(logits: Array) -> Array:
    """Probabilities, (rows, classes), that are the exponentials of the logits, to a factor."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    chances: Array = powers / powers.sum(axis=1, keepdims=True)
    return chances


def _robust(rows: Array) -> tuple[Array, Array]:
    """Median and spread of each channel, from what is known of it; 0 and 1 where nothing is, or nothing moved."""
    middle, spread = np.zeros(rows.shape[1]), np.ones(rows.shape[1])
    for j, column in enumerate(rows.T):
        known = column[~np.isnan(column)]
        if not len(known):
            continue
        lower, middle[j], upper = np.quantile(known, (0.25, 0.5, 0.75))
        if known.min() < known.max():
            spread[j] = max((upper - lower) / USUAL_IQR or known.std(), SMALLEST)
    return middle, spread
