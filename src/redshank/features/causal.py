"""Wavelet denoising for live use: what it says of a row depends on that row and earlier ones only."""

from __future__ import annotations

import math
from typing import Self

import numpy as np
import numpy.typing as npt

from redshank.core import InputError, check_range
from redshank.features._learned import LearnedTransform
from redshank.features._rows import Rows, bounded, known
from redshank.features.interpolate import hold
from redshank.features.wavelet import universal_threshold

CHUNK_VALUES = 1 << 18
"""Values worked on at a time, which bounds the memory beside the result to a few megabytes."""


class CausalDenoiser(LearnedTransform):
    """Remove noise from each channel with the undecimated Haar transform, which needs no later rows.

    Missing values stay NaN; for the transform the last known value stands in for them, and before the first known
    value that one. Where a detector is to see the same kind of rows in training and live, use this on both sides.

    Parameters
    ----------
    level : int, default=4
        Levels of the transform, 1 to 16: noise is averaged over up to ``2 ** level`` rows.

    Attributes
    ----------
    threshold_ : float64 ndarray of shape (channels,)
        ``sigma sqrt(2 ln n)`` of the training rows, in the units of ``X``.

    Notes
    -----
    With ``a_0 = x``, level l has ``a_l(t) = (a_{l-1}(t) + a_{l-1}(t - 2^{l-1})) / 2`` and the detail
    ``d_l = a_{l-1} - a_l`` (the "a trous" scheme [1]_). White noise of deviation sigma has deviation
    ``sigma 2^{-l/2}`` in ``d_l``, so ``d_l`` shrinks towards 0 by ``threshold_ 2^{-l/2}`` and the result is ``a_level``
    and all shrunk details together. A step much larger than the threshold passes at once, less a part of the threshold;
    a smaller one appears over ``2 ** level`` rows. Time O(level) per value.

    References
    ----------
    .. [1] M. J. Shensa, IEEE Transactions on Signal Processing 40(10), 1992.
    """

    threshold_: npt.NDArray[np.float64]

    def __init__(self, *, level: int = 4) -> None:
        self.level = level

    @property
    def context(self) -> int:
        """Earlier rows that the result for a row depends on, where none is missing."""
        return (1 << self.level) - 1

    def fit(self, X: npt.ArrayLike) -> Self:
        """Learn the noise of each channel from training rows of shape (n, channels), oldest first.

        Raises
        ------
        InputError
            If there is nothing to learn from.
        SettingError
            If ``level`` is out of range.
        """
        check_range("CausalDenoiser", "level", self.level, low=1, high=16)
        array = self._training_rows(X)
        if len(array) < 2:
            raise InputError("CausalDenoiser: 1 training row; at least 2 are needed")
        self.n_channels_ = array.shape[1]
        there = known(array)
        finest = []
        for j in range(array.shape[1]):
            pairs = there[1:, j] & there[:-1, j]
            steps = array[1:, j][pairs].astype(np.float64) - array[:-1, j][pairs]
            finest.append(steps * math.sqrt(0.5))  # of the same deviation as the noise
        self.threshold_ = universal_threshold(finest, len(array))
        return self

    def transform(self, X: npt.ArrayLike) -> Rows:
        """Denoised rows of one series, oldest first, of the shape and dtype of ``X``.

        Raises
        ------
        InputError, NotFittedError
            If ``X`` has another width; before ``fit``.
        """
        array = self._fitted_rows(X)
        n, channels = array.shape
        held = hold(array, n)
        for j in np.flatnonzero(np.isnan(held[0])) if n else ():
            there = ~np.isnan(held[:, j])
            held[~there, j] = held[there.argmax(), j] if there.any() else 0.0
        result = np.empty_like(array)
        chunk = max(CHUNK_VALUES // channels, self.context)
        for start in range(0, n, chunk):
            first = max(start - self.context, 0)
            series = held[first : start + chunk].astype(np.float64)
            result[start : start + chunk] = bounded(self._denoised(series)[start - first :], array.dtype)
        result[~known(array)] = np.nan
        return result

    def _denoised(self, series: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        details = np.zeros_like(series)
        smooth = series
        for scale in range(self.level):
            earlier = np.empty_like(smooth)
            lag = min(1 << scale, len(smooth))
            earlier[:lag] = smooth[0]
            earlier[lag:] = smooth[:-lag]
            detail = (smooth - earlier) / 2.0
            threshold = self.threshold_ * 2.0 ** (-(scale + 1) / 2.0)
            details += detail - np.clip(detail, -threshold, threshold)
            smooth = (smooth + earlier) / 2.0
        denoised: npt.NDArray[np.float64] = smooth + details
        return denoised
