"""Trivial detectors that every table holds beside the real ones: what a figure is worth is seen against them.

They stand outside the registry of detectors, because nobody should choose one to watch a plant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from redshank.core import LAST_SEED, Band, Detector, Tags, check_whole
from redshank.core.detector import Array

ROUNDING = 1e-12
"""Share of its size that a channel's deviation must pass for the channel to have moved at all."""
FAR = 1e60
"""Deviations are clipped here, in training standard deviations, so that no square leaves float64."""
BAND = (0.005, 0.995)
"""Quantiles of the training steps between which a step is as expected."""


class _Constant(Detector):
    """The same score for every row; its alarms are settled beforehand, whatever calibration makes of the scores."""

    tags = Tags(cheap=True)
    always: ClassVar[bool]

    def _fit(self, series: list[Array], y: npt.NDArray[np.intp] | None) -> None:  # noqa: ARG002 - learns nothing
        return

    def _score(self, X: Array) -> Array:
        return np.zeros(len(X))

    def _contributions(self, X: Array) -> Array:
        return np.zeros(X.shape)


class Always(_Constant):
    """Alarm in every row: finds every event, and one endless incident a device is all that it tells."""

    always = True


class Never(_Constant):
    """Alarm in no row: costs nothing, and has the accuracy of the share of normal rows."""

    always = False


class RandomScore(Detector):
    """Draw the score of each row at random, uniform from 0 to 1.

    Parameters
    ----------
    seed : int, default=0
        With the first row of a series it settles all draws, so that no two series have the same ones and the same
        rows always do. SettingError from ``fit`` if it is no whole number from 0 to 2^32 - 1.
    """

    tags = Tags(sequence=True, cheap=True)

    def __init__(self, *, seed: int = 0) -> None:
        self.seed = seed

    def _fit(self, series: list[Array], y: npt.NDArray[np.intp] | None) -> None:  # noqa: ARG002
        """Nothing is learned."""
        check_whole("RandomScore", "seed", self.seed, low=0, high=LAST_SEED)

    def _score(self, X: Array) -> Array:
        if not len(X):
            return np.empty(0)
        start = np.ascontiguousarray(X[0]).view(np.uint64).tolist()
        return np.random.default_rng([self.seed, *start]).random(len(X))

    def _contributions(self, X: Array) -> Array:
        return np.repeat(self._score(X)[:, None] / X.shape[1], X.shape[1], axis=1)


class LastValue(Detector):
    """Score a row by how far it is from the one before, ``sum_j |x_tj - x_(t-1)j| / s_j``.

    Attributes
    ----------
    scale_ : ndarray of shape (n_features,)
        Training standard deviation s; 1 where a channel never moved.
    step_ : ndarray of shape (2, n_features)
        Range of 99 % of the training steps, in the units of ``X``.
    """

    tags = Tags(sequence=True, streams=True, cheap=True)

    @property
    def warmup(self) -> int:
        """Rows before the first score: there is no step into the first row."""
        return 1

    def _fit(self, series: list[Array], y: npt.NDArray[np.intp] | None) -> None:  # noqa: ARG002
        _, self.scale_ = _moments(np.concatenate(series))
        steps = np.concatenate([np.diff(one, axis=0) for one in series])
        self.step_ = np.quantile(steps, BAND, axis=0) if len(steps) else np.zeros((2, self.n_features_))
        self.step_ += np.array([[-1.0], [1.0]]) * ROUNDING * np.abs(self.step_)

    def _score(self, X: Array) -> Array:
        total: Array = self._contributions(X).sum(axis=1)
        return total

    def _contributions(self, X: Array) -> Array:
        parts: Array = np.abs(np.diff(X, axis=0, prepend=X[:1])) / self.scale_
        return parts

    def _expected(self, X: Array) -> Band:
        before = np.concatenate([self.center_[None], X[:-1]])[: len(X)]
        low, high = np.minimum(self.step_[0], 0.0), np.maximum(self.step_[1], 0.0)
        return Band(before, before + low, before + high)


class FlatLine(Detector):
    """Score a row by how long its values have not moved, ``sum_j r_tj / m_j``.

    ``r`` counts the rows since the value last changed, and ``m`` is the longest such run in training, at least 1.

    Attributes
    ----------
    longest_ : ndarray of shape (n_features,)
        m.
    """

    tags = Tags(sequence=True, streams=True, cheap=True)

    def _fit(self, series: list[Array], y: npt.NDArray[np.intp] | None) -> None:  # noqa: ARG002
        self.longest_ = np.max([_still(one).max(axis=0) for one in series], axis=0)
        self.longest_ = np.maximum(self.longest_, 1.0)

    def _score(self, X: Array) -> Array:
        total: Array = self._contributions(X).sum(axis=1)
        return total

    def _contributions(self, X: Array) -> Array:
        parts: Array = _still(X) / self.longest_
        return parts


class TrainingMean(Detector):
    """Score a row by its distance from the training mean, ``sqrt(sum_j ((x_j - mean_j) / s_j)^2)``.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_features,)
        Training mean and standard deviation s; a scale of 1 where a channel never moved.
    """

    tags = Tags(streams=True, cheap=True)

    def _fit(self, series: list[Array], y: npt.NDArray[np.intp] | None) -> None:  # noqa: ARG002
        self.mean_, self.scale_ = _moments(np.concatenate(series))

    def _score(self, X: Array) -> Array:
        distance: Array = np.sqrt(self._squares(X).sum(axis=1))
        return distance

    def _contributions(self, X: Array) -> Array:
        squares = self._squares(X)
        whole = np.sqrt(squares.sum(axis=1, keepdims=True))
        parts: Array = np.divide(squares, whole, out=np.zeros(X.shape), where=whole > 0)
        return parts

    def _squares(self, X: Array) -> Array:
        return np.square(np.clip((X - self.mean_) / self.scale_, -FAR, FAR))


BASELINES: Mapping[str, Callable[..., Detector]] = {
    "always": Always,
    "never": Never,
    "random": RandomScore,
    "last_value": LastValue,
    "flat_line": FlatLine,
    "training_mean": TrainingMean,
}
"""Every trivial baseline by name; ``random`` takes a seed."""


def alarm_of(detector: Detector) -> bool | None:
    """What a baseline says of every row, whatever its score; None for detectors whose scores decide."""
    return detector.always if isinstance(detector, _Constant) else None


def _moments(X: Array) -> tuple[Array, Array]:
    mean, scale = X.mean(axis=0), X.std(axis=0)
    return mean, np.where(scale > ROUNDING * np.abs(mean), scale, 1.0)


def _still(X: Array) -> Array:
    """Rows since each value last changed, shape of ``X``."""
    rows = np.arange(len(X))[:, None]
    moved = np.ones(X.shape, np.bool_)
    moved[1:] = X[1:] != X[:-1]
    return (rows - np.maximum.accumulate(np.where(moved, rows, 0), axis=0)).astype(np.float64)
