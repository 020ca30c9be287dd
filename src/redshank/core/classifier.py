"""Detectors that learn from labels: what is normal, what is not, and the name of what is wrong."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import numpy.typing as npt

from redshank.core.detector import Array, Detector, Series
from redshank.core.errors import InputError

NORMAL, ANOMALY = "normal", "anomaly"
"""Names of the two classes where labels are 0 and 1; a label of "normal" or of no text is no anomaly."""

SUREST = 1e-9
"""Smallest probability that a score tells apart, of being normal and of not: a forest that is sure of an anomaly says
0 for normal, and nearer to 1 the rounding of a probability would show in the score."""


class Classifier(Detector):
    """Scores a row by how surely it is not normal, and names what it looks like.

    A subclass gives ``_fit``, with ``y`` as places in ``classes_``, and ``_probabilities``. Labels are 0 and 1, or
    names of what is wrong, in which ``"normal"`` or an empty text is no anomaly.

    Attributes
    ----------
    classes_ : ndarray of str of shape (classes,)
        ``"normal"``, then the names of the anomalies in the training rows, sorted.

    Notes
    -----
    The score is ``-ln P(normal)``: near 0 for a row that is surely normal, not bounded by 1, so that two rows that are
    both surely anomalous still rank. A row unlike everything learned has the score of what it resembles most: a
    classifier knows the anomalies it has seen.
    """

    classes_: npt.NDArray[np.str_]

    def probabilities(self, X: Series) -> Array:
        """Probability of each class for each row, shape (n, classes), in the order of ``classes_``; rows sum to 1.

        Rows before ``warmup`` are taken for normal.
        """
        parts = [np.empty((0, 0))]
        for one in self._check_fitted(X):
            own = np.array(self._probabilities(one), dtype=np.float64)
            own[: self.warmup] = np.eye(1, len(self.classes_))
            parts.append(own)
        found: Array = np.concatenate([part for part in parts if len(part)] or [np.empty((0, len(self.classes_)))])
        return found

    def kinds(self, X: Series) -> npt.NDArray[np.str_]:
        """The most probable class of each row, shape (n,)."""
        probable = self.probabilities(X).argmax(axis=1)
        names: npt.NDArray[np.str_] = self.classes_[probable]
        return names

    @abstractmethod
    def _probabilities(self, X: Array) -> Array:
        """Probability of each class for each row of one checked series, shape (rows, classes)."""

    def _score(self, X: Array) -> Array:
        scores: Array = -np.log(np.clip(self._probabilities(X)[:, 0], SUREST, 1.0 - SUREST))
        return scores

    def _coded(self, labels: npt.NDArray[np.generic]) -> npt.NDArray[np.intp]:
        if labels.dtype.kind in "US":
            names = np.char.strip(labels.astype(np.str_))
            names = np.where(names == "", NORMAL, names)
        else:
            names = np.array([NORMAL, ANOMALY])[super()._coded(labels)]
        kinds = np.unique(names[names != NORMAL])
        if not len(kinds) or len(names[names == NORMAL]) == 0:
            only = f"only {kinds[0]!r}" if len(kinds) == 1 else "no normal row" if len(kinds) else "normal rows only"
            raise InputError(f"{self._name}: the labels hold {only}; give rows of normal and of at least one anomaly")
        self.classes_ = np.concatenate([[NORMAL], kinds])
        codes: npt.NDArray[np.intp] = np.where(names == NORMAL, 0, np.searchsorted(kinds, names) + 1)
        return codes
