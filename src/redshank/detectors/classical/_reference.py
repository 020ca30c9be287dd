"""What row detectors share that keep training rows and measure distances to them."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import numpy.typing as npt

from redshank.core import LAST_SEED, Detector, check_whole
from redshank.core.contracts import Array
from redshank.detectors.classical._nearest import by_channel, nearest
from redshank.detectors.classical._standard import moments, standardised, thinned


class ReferenceDetector(Detector):
    """A row detector with the mean distance to the nearest of ``reference_`` for its score; a subclass learns those.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_features,)
        Training mean and standard deviation, in the units of ``X``; a scale of 1 where a channel never moved.
    reference_ : ndarray of shape (points, n_features)
        Points in training standard deviations.
    """

    rows: int
    seed: int
    mean_: Array
    scale_: Array
    reference_: Array

    @property
    def _neighbours(self) -> int:
        """How many of the nearest points the score is the mean distance to."""
        return 1

    @abstractmethod
    def _learn(self, centred: Array) -> None:
        """Give ``reference_`` from at most ``rows`` standardised training rows."""

    def _fit(self, series: list[Array], y: npt.NDArray[np.intp] | None) -> None:  # noqa: ARG002 - learns without labels
        check_whole(self._name, "rows", self.rows, low=2)
        check_whole(self._name, "seed", self.seed, low=0, high=LAST_SEED)
        rows = np.concatenate(series)
        self.mean_, self.scale_ = moments(rows)
        self._learn(standardised(thinned(rows, self.rows, self.seed), self.mean_, self.scale_))

    def _score(self, X: Array) -> Array:
        centred = standardised(X, self.mean_, self.scale_)
        distances, _ = nearest(centred, self.reference_, min(self._neighbours, len(self.reference_)))
        scores: Array = distances.mean(axis=1)
        return scores

    def _contributions(self, X: Array) -> Array:
        centred = standardised(X, self.mean_, self.scale_)
        found = nearest(centred, self.reference_, min(self._neighbours, len(self.reference_)))
        return by_channel(centred, self.reference_, *found, self.n_features_)
