"""Any detector, lifted by two deviations that need no training."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from redshank.core import check_range, check_whole
from redshank.core.contracts import Array
from redshank.detectors.combination._combined import CombinedDetector, shares_of
from redshank.features.rolling import rolling
from redshank.features.windows import period

PERIODS = (4, 300)
"""Shortest and longest period of the training rows that is taken for the window."""

WINDOW = 32
"""Window where no period is found, in rows."""

FAR = 1e100
"""Terms are clipped here, in standard deviations: far above any that a reading can reach, far below overflow."""

ROUNDING = 1e-12
"""Share of its size that a channel's usual distance from the median must pass for the channel to have moved at all."""


class PAIDetector(CombinedDetector):
    """Add to the score of a detector how far the row, and the mean of the last rows, lie from the training median.

    Parameters
    ----------
    base : str, default="sub_pca"
        Text of the detector, such as ``"pca(latent=2)"``.
    point : float, default=0.667
        Weight of the row's own deviation, not negative.
    local : float, default=0.2
        Weight of the deviation of the mean of the last rows, not negative.
    window : int, default=None
        Rows in that mean, at least 1. None takes the period of the longest training series, 4 to 300 rows; or 32.

    Attributes
    ----------
    window_ : int
        Rows in the mean.
    median_, scale_ : ndarray of shape (n_features,)
        Median and median distance from it of the training rows, in the units of ``X``; the mean distance where
        more than half of the rows are alike, and 1 where a channel never moved.
    moments_ : ndarray of shape (3, 2)
        Mean and standard deviation of the base score and both deviations on the training rows.

    Notes
    -----
    ``S = z(base) + point z(d) + local z(e)`` [1]_, with d the deviation ``|x - median| / scale`` of the row and e that
    of the mean over the last ``window`` rows, each averaged over the channels; z takes out mean and standard deviation
    of the training rows. The score is ``ln(1 + exp(S))``: as S ranks, S itself where it is large, and above 0.

    It departs from [1]_ in three things: the mean is over the rows before, not around; all statistics are of the
    training rows; and there may be several channels. Of mean, largest, root mean square and mean of the three largest,
    the mean over channels gave the highest VUS-PR on SMD for each of five bases, and is within 0.011 of the
    highest on SKAB valve1.

    What the terms bring depends on what is wrong: for levels they help a base that looks at rows or shapes alone; for
    shapes that stay in range they do harm. ``benchmarks/accuracy/combination.py`` measures both.

    Contributions: each term's own, the base's as shares of its part of S above its mean, scaled to sum to the score.
    Time O(channels) a row besides that of the base.

    References
    ----------
    .. [1] PAI, arXiv 2606.08935, 2026.
    """

    good_for = "lifting any detector where levels count: adds how far a row and the last rows' mean are from usual"
    ordered = True
    source = "PAI, arXiv 2606.08935, 2026"

    def __init__(
        self, *, base: str = "sub_pca", point: float = 0.667, local: float = 0.2, window: int | None = None
    ) -> None:
        self.base = base
        self.point = point
        self.local = local
        self.window = window

    @property
    def _texts(self) -> tuple[str, ...]:
        return (self.base,)

    def _fit(self, series: list[Array], y: npt.NDArray[np.intp] | None) -> None:  # noqa: ARG002 - learns without labels
        check_range(self._name, "point", self.point, low=0.0)
        check_range(self._name, "local", self.local, low=0.0)
        if self.window is not None:
            check_whole(self._name, "window", self.window, low=1)
        self.window_ = self.window or period(max(series, key=len), *PERIODS) or WINDOW
        self.median_ = self.center_.copy()
        distance = np.abs(self._filled(np.concatenate(series)) - self.median_)
        self.scale_ = np.ones(self.n_features_)
        for usual in (distance.mean(axis=0), np.median(distance, axis=0)):
            np.copyto(self.scale_, usual, where=usual > ROUNDING * np.abs(self.median_))
        self._fitted = (self._fit_member(self.base, series, 0, 1),)
        terms = np.concatenate([own[:, self.warmup :] for own in self._terms(series)], axis=1)
        mean, deviation = terms.mean(axis=1), terms.std(axis=1)
        self.moments_ = np.stack([mean, np.where(deviation > ROUNDING * np.abs(mean), deviation, 1.0)], axis=1)

    def _score(self, X: Array) -> Array:
        return self._score_all([X])[0]

    def _score_all(self, series: list[Array]) -> list[Array]:
        return [np.logaddexp(0.0, self._weighted(terms).sum(axis=0)) for terms in self._terms(series)]

    def _contributions(self, X: Array) -> Array:
        if not len(X):
            return np.empty(X.shape)
        (terms,) = self._terms([X])
        weighted = self._weighted(terms)
        above = np.maximum(weighted, 0.0)
        above[0, above.sum(axis=0) == 0.0] = 1.0  # a row that is usual in all three is put down as the base has it
        shares = np.stack([*self._member_shares(X), *(shares_of(own) for own in self._deviations(X))])
        parts: Array = np.einsum("tr,trc->rc", above / above.sum(axis=0), shares)
        parts *= np.logaddexp(0.0, weighted.sum(axis=0))[:, None]
        return parts

    def _terms(self, series: list[Array]) -> list[Array]:
        """Base score and mean of both deviations over the channels, (3, rows), of each series."""
        return [
            np.minimum([*scores, *(own.mean(axis=1) for own in self._deviations(one))], FAR)
            for scores, one in zip(self._member_scores(series), series, strict=True)
        ]

    def _weighted(self, terms: Array) -> Array:
        """The terms of S, (3, rows)."""
        mean, deviation = self.moments_.T[:, :, None]
        return np.asarray(np.array([[1.0], [self.point], [self.local]]) * ((terms - mean) / deviation))

    def _deviations(self, X: Array) -> tuple[Array, Array]:
        """Of each row and of the mean that ends with it, both (rows, channels), in usual distances."""
        filled = self._filled(X)
        mean, _ = rolling(filled, self.window_)
        return np.abs(filled - self.median_) / self.scale_, np.abs(mean - self.median_) / self.scale_

    def _filled(self, X: Array) -> Array:
        return np.where(np.isnan(X), self.median_, X)
