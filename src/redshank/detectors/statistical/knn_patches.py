"""Distance of the last rows to the most similar pieces of the training rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from redshank.core import Detector, SettingError, Tags, check_whole
from redshank.core.contracts import Array
from redshank.detectors.statistical._residual import channel_scale
from redshank.features.windows import windows

REACH = 30.0
"""Readings are clipped here, in usual distances from the training median, so that products keep their digits."""

CHUNK_VALUES = 1 << 20
"""Distances, and values of patches, worked on at a time, which bounds the memory."""


class KNNPatchesDetector(Detector):
    """Score the last rows, as one patch, by their mean squared distance to the nearest patches of the training rows.

    Parameters
    ----------
    window : int, default=32
        Rows in a patch, at least 2; the patch of a row ends with it.
    neighbours : int, default=3
        Nearest patches whose distances are averaged, at least 1.
    memory : int, default=1000
        Patches kept at most, evenly spaced over the training rows, at least ``neighbours``.

    Attributes
    ----------
    scale_ : ndarray of shape (n_features,)
        Usual distance of a channel from its training median, in the units of ``X``; 1 where it never moved.
    bank_ : ndarray of shape (patches, window, n_features)
        Patches of the training rows, in units of ``scale_`` from the training median.

    Notes
    -----
    ``score = mean_k sum_j sum_i (x_{t-i,j} - b_{k,i,j})^2 / window`` over the nearest patches b_k, the k-nearest
    neighbour distance of [1]_ on patches; the terms of channel j are its contribution. Patches are compared as they
    are: their level and size, which z-normalised distances as in [2]_ take out, are most of what is odd in a plant.
    The bank is not added to while scoring, so that an anomaly is never learned. Candidates come from
    ``|x|^2 - 2 x b + |b|^2`` by one matrix product and only the nearest are computed term by term. Time
    O(memory window n_features) a row, whatever the length of training.

    References
    ----------
    .. [1] S. Ramaswamy, R. Rastogi, K. Shim, "Efficient algorithms for mining outliers from large data sets",
       SIGMOD 2000.
    .. [2] C.-C. M. Yeh et al., "Matrix profile I: all pairs similarity joins for time series", ICDM 2016.
    """

    tags = Tags(
        sequence=True,
        streams=True,
        cheap=True,
        good_for="a course of readings never seen in training: cycles of machines, heartbeats, daily curves",
        cost="O(memory window channels)",
        source="Ramaswamy, Rastogi and Shim 2000",
    )

    scale_: Array
    bank_: Array

    def __init__(self, *, window: int = 32, neighbours: int = 3, memory: int = 1000) -> None:
        self.window = window
        self.neighbours = neighbours
        self.memory = memory

    @property
    def warmup(self) -> int:
        """Rows of a series that must come before the first real score."""
        return self.window - 1

    def _fit(self, series: list[Array], y: npt.NDArray[np.intp] | None) -> None:  # noqa: ARG002 - learns without labels
        check_whole(self._name, "window", self.window, low=2)
        check_whole(self._name, "neighbours", self.neighbours, low=1)
        check_whole(self._name, "memory", self.memory, low=self.neighbours)
        self.scale_ = channel_scale(np.concatenate(series), self.center_)
        cut = [windows(self._scaled(one), self.window) for one in series]
        count = sum(map(len, cut))
        if count < self.neighbours:
            raise SettingError(
                f"{self._name}: the training rows hold {count} patches of {self.window} rows and {self.neighbours} "
                "neighbours are wanted; lower window or give longer series"
            )
        kept = np.linspace(0, count - 1, min(count, self.memory)).astype(np.intp)
        starts = np.cumsum([0, *map(len, cut)])
        self.bank_ = np.concatenate(
            [
                one[kept[(kept >= start) & (kept < start + len(one))] - start]
                for one, start in zip(cut, starts, strict=False)
            ]
        )

    def _score(self, X: Array) -> Array:
        scores: Array = self._contributions(X).sum(axis=1)
        return scores

    def _contributions(self, X: Array) -> Array:
        parts = np.zeros_like(X)
        patches = windows(self._scaled(X), self.window)
        bank = self.bank_.reshape(len(self.bank_), -1)
        own = np.einsum("ij,ij->i", bank, bank)
        chunk = max(CHUNK_VALUES // max(len(bank), self.neighbours * bank.shape[1]), 1)
        for start in range(0, len(patches), chunk):
            some = patches[start : start + chunk]
            apart = own - 2.0 * (some.reshape(len(some), -1) @ bank.T)  # less |x|^2, the same for all
            nearest = np.argpartition(apart, self.neighbours - 1, axis=1)[:, : self.neighbours]
            squares = np.square(some[:, None] - self.bank_[nearest])  # (patches, neighbours, window, channels)
            first = start + self.warmup
            parts[first : first + len(some)] = squares.mean(axis=(1, 2))
        return parts

    def _scaled(self, X: Array) -> Array:
        scaled: Array = np.clip((X - self.center_) / self.scale_, -REACH, REACH)
        return scaled
