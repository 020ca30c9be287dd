"""What detectors share that expect a value of each channel by itself: scale, spread, score, band, and a clean past."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from redshank.core import LARGEST, Band, Detector
from redshank.core.contracts import Array

Ahead = Callable[[Array, int], Array]
"""Cleaned rows and a row number to what is expected of that row, from the rows before it; shape (channels,)."""

FAR = 1e6
"""Readings are clipped here, in units of :attr:`ResidualDetector.scale_`, so that squares stay small."""

SPREAD_FLOOR = 1e-3
"""Smallest spread of a residual, in units of ``scale_`` (those of ``X`` where a channel never moved)."""

NORMAL_MEDIAN, NORMAL_TAIL, TAIL = 0.6745, 2.5758, 0.99
"""Half of the absolute values of standard normal numbers lie below the first, and 99 % below the second."""

CLEAN = 4.0
"""What lies farther from the expected value than this many spreads enters the past clipped to it."""

FIRST_ROWS = 5
"""Rows at the start of a series that are taken as they are: they say where it stands."""

BAND = (0.005, 0.995)
"""Quantiles of the training residuals between which a channel is as expected."""


class ResidualDetector(Detector):
    """Sum over channels of the squared distance to what each was expected to be, in usual distances.

    A subclass gives ``_ahead``, and ``_learn`` where it learns more than spreads.

    Attributes
    ----------
    scale_ : ndarray of shape (n_features,)
        Usual distance of a channel from its training median, in the units of ``X``; 1 where it never moved.
    spread_ : ndarray of shape (n_features,)
        Usual distance from the expected value, in units of ``scale_``.
    band_ : ndarray of shape (2, n_features)
        Range that held 99 % of the training residuals, in units of ``scale_``.

    Notes
    -----
    With ``r_j`` the residual of channel j, the score is ``sum_j (r_j / spread_j)^2``, its terms the contributions.
    The usual distance is :func:`usual_size`.
    """

    scale_: Array
    spread_: Array
    band_: Array

    def _fit(self, series: list[Array], y: npt.NDArray[np.intp] | None) -> None:  # noqa: ARG002 - learns without labels
        self.scale_ = channel_scale(np.concatenate(series), self.center_)
        scaled = [self._scaled(one) for one in series]
        self._learn(scaled)
        # The first time nothing is cleaned, as nobody knows yet what is far.
        self.spread_ = np.full(self.n_features_, np.inf)
        for _ in range(2):
            residuals = [one - self._ahead(one) for one in scaled]
            settled = np.concatenate([one[self.warmup :] for one in residuals])
            left = settled if len(settled) else np.concatenate(residuals)
            self.spread_ = np.maximum(usual_size(left), SPREAD_FLOOR)
        low, high = np.quantile(left, BAND, axis=0)
        self.band_ = np.stack([np.minimum(low, 0.0), np.maximum(high, 0.0)])

    def _learn(self, series: list[Array]) -> None:
        """Learn from scaled series what ``_ahead`` needs beside the spread."""

    @abstractmethod
    def _ahead(self, rows: Array) -> Array:
        """Expected values of the scaled rows of one series, each from earlier rows alone; (rows, channels)."""

    def _score(self, X: Array) -> Array:
        scores: Array = self._contributions(X).sum(axis=1)
        return scores

    def _contributions(self, X: Array) -> Array:
        rows = self._scaled(X)
        parts: Array = np.square((rows - self._ahead(rows)) / self.spread_)
        return parts

    def _expected(self, X: Array) -> Band:
        ahead = self._ahead(self._scaled(X))
        value, low, high = (
            np.clip(self.center_ + self.scale_ * (ahead + reach), -LARGEST, LARGEST) for reach in (0.0, *self.band_)
        )
        return Band(value, low, high)

    def _scaled(self, X: Array) -> Array:
        scaled: Array = np.clip((X - self.center_) / self.scale_, -FAR, FAR)
        return scaled

    def _follow(self, rows: Array, patience: int, ahead: Ahead) -> Array:
        """Expected values from a past in which nothing odd stands; (rows, channels).

        An odd reading enters the past clipped to :data:`CLEAN` spreads from what was expected of it, so that it moves
        later expectations little. A change that lasts is real: with every ``patience`` odd readings of a channel in
        a row its limit doubles, and it shrinks at the same rate once they are over.
        """
        expected, cleaned = np.zeros_like(rows), np.zeros_like(rows)
        least = CLEAN * self.spread_
        limit, growth = least.copy(), 2.0 ** (1.0 / patience)
        for t, row in enumerate(rows):
            if t:
                expected[t] = ahead(cleaned, t)
            if t < FIRST_ROWS:
                cleaned[t] = row
                continue
            residual = row - expected[t]
            cleaned[t] = expected[t] + np.minimum(np.maximum(residual, -limit), limit)
            limit = np.where(np.abs(residual) > limit, limit * growth, np.maximum(limit / growth, least))
        return expected


def usual_size(residuals: Array) -> Array:
    """Standard deviation that normal numbers as large as these would have; (rows, channels) to (channels,).

    The larger of what the median and the 99 % quantile of their absolute values say: one odd row in a hundred moves
    neither, and a channel that rests most of the time is not measured by its rest. Where both are 0 it is the root
    mean square.
    """
    size = np.abs(residuals)
    half, tail = np.quantile(size, (0.5, TAIL), axis=0)
    usual = np.maximum(half / NORMAL_MEDIAN, tail / NORMAL_TAIL)
    found: Array = np.where(usual > 0.0, usual, np.sqrt(np.square(size).mean(axis=0)))
    return found


def channel_scale(rows: Array, center: Array) -> Array:
    """Usual distance of each channel from its center; 1 for a channel that never moved."""
    usual = usual_size(rows - center)
    scale: Array = np.where(usual > 0.0, usual, 1.0)
    return scale
