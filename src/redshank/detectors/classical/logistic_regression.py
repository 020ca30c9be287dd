"""Logistic regression: one weighted sum of the channels for each class."""

from __future__ import annotations

import numpy as np

from redshank.core import Tags, check_range
from redshank.core.contracts import Array
from redshank.detectors.classical import _scikit
from redshank.detectors.classical._labelled import Codes, RowClassifier, softmax


class LogisticRegressionDetector(RowClassifier):
    """Name a row's class by one weighted sum of its channels for each class.

    Parameters
    ----------
    penalty : float, default=1e-4
        Weight of half the squared coefficients beside the mean loss of a training row, above 0.
    class_weight : {"balanced", None}, default=None
        ``"balanced"``: all classes weigh alike. Not here: the few rows of a rare kind would bend the sums of all the
        others, and where an alarm begins is set by the calibration, not by how frequent a kind was.
    oversample : float or bool, default=False
        Rows of rare classes are repeated until each has this share of the rows of the largest; True is 1.
    seed : int, default=0
        Draws the repeated rows.

    Attributes
    ----------
    middle_, spread_, low_, high_ : ndarray of shape (n_features,)
        Scaling, see Notes.
    weights_ : ndarray of shape (classes, n_features)
        On scaled values; for two classes the first row is 0.
    bias_ : ndarray of shape (classes,)

    Notes
    -----
    ``P(c | x) = softmax(W r + b)_c``, the multinomial model of [1]_, with the squares of W as penalty; scikit-learn
    fits it by L-BFGS. ``r`` counts in robust deviations from the median, in logarithms beyond 3 of them, within
    the range of the training rows. Needs the ``train`` extra to fit, not to score. Time O(d classes) a row.

    References
    ----------
    .. [1] D. R. Cox, "The regression analysis of binary sequences", J. Royal Statistical Society B 20(2), 1958.
    """

    tags = Tags(
        needs_labels=True,
        cheap=True,
        good_for="known kinds that a channel's height tells; few labelled rows; the first to try, the easiest to read",
        cost="O(channels classes)",
        source="Cox 1958",
    )

    def __init__(
        self,
        *,
        penalty: float = 1e-4,
        class_weight: str | None = None,
        oversample: float = False,
        seed: int = 0,
    ) -> None:
        self.penalty = penalty
        self.class_weight = class_weight
        self.oversample = oversample
        self.seed = seed

    def _check_settings(self) -> None:
        super()._check_settings()
        check_range(self._name, "penalty", self.penalty, low=float(np.nextafter(0.0, 1.0)))

    def _learn(self, rows: Array, codes: Codes) -> None:
        places, weights = self._drawn(codes)
        self.weights_, self.bias_ = _scikit.linear(rows[places], codes[places], weights, self.penalty)

    def _chances(self, rows: Array) -> Array:
        return softmax(rows @ self.weights_.T + self.bias_)
