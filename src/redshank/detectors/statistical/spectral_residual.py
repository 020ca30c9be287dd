"""How much the last reading stands out from the spectrum of the rows before it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from redshank.core import Detector, Tags, check_whole
from redshank.core.contracts import Array
from redshank.detectors.statistical._residual import channel_scale, usual_size
from redshank.features.windows import windows

SMOOTH = 3
"""Neighbouring frequencies over which the log spectrum is averaged (q of the paper)."""

BEFORE = 21
"""Rows before the last whose saliency its own is compared with (z of the paper)."""

AHEAD = 5
"""Copies of an extrapolated row put after the last, as the paper does: the transform takes the ends for neighbours."""

REACH = 10.0
"""Readings are clipped here around the median of their window, in usual distances: the method judges form, not size."""

QUIET = 1e-4
"""Added to each amplitude, in usual distances: a frequency that is not there has no logarithm."""

CHUNK_VALUES = 1 << 18
"""Values of windows worked on at a time, which bounds the memory."""


class SpectralResidualDetector(Detector):
    """Score each channel by how salient its reading is once what repeats in the last rows is taken out.

    Parameters
    ----------
    window : int, default=64
        Rows looked at, the one that is judged the last of them, at least 22.

    Attributes
    ----------
    scale_ : ndarray of shape (n_features,)
        Usual distance of a channel from its training median, in the units of ``X``; 1 where it never moved.
    spread_ : ndarray of shape (n_features,)
        Usual excess of saliency on the training rows; 1 where there was none.

    Notes
    -----
    With A and P the amplitude and the phase of the window's Fourier transform, the saliency is
    ``S = |F^-1 exp(log A - mean_3(log A) + i P)|`` and its excess ``o = max(0, S_last / mean(S_21 rows before) - 1)``,
    all as in [1]_; the score is ``sum_j (o_j / spread_j)^2``. [1]_ transforms a series as a whole and judges one
    channel by a fixed limit on o. Ours looks back only, and each window is taken from its median and clipped at 10
    usual distances. The saliency forgets size: a reading ten times as far out scores no higher, and one that stays
    out is normal once the window is full of it. Where there is no rhythm, every reading of noise is a little salient.
    Time O(window log(window) n_features) a row.

    References
    ----------
    .. [1] H. Ren et al., "Time-series anomaly detection service at Microsoft", KDD 2019.
    """

    tags = Tags(
        sequence=True,
        streams=True,
        cheap=True,
        good_for="single odd readings and sudden steps in a rhythm, with hardly anything learned",
        cost="O(window log(window) channels)",
        source="Ren et al. 2019",
    )

    scale_: Array
    spread_: Array

    def __init__(self, *, window: int = 64) -> None:
        self.window = window

    @property
    def warmup(self) -> int:
        """Rows of a series that must come before the first real score."""
        return self.window - 1

    def _fit(self, series: list[Array], y: npt.NDArray[np.intp] | None) -> None:  # noqa: ARG002 - learns without labels
        check_whole(self._name, "window", self.window, low=BEFORE + 1)
        self.scale_ = channel_scale(np.concatenate(series), self.center_)
        spread = usual_size(np.concatenate([self._excess(one) for one in series]))
        self.spread_ = np.where(spread > 0.0, spread, 1.0)

    def _score(self, X: Array) -> Array:
        scores: Array = self._contributions(X).sum(axis=1)
        return scores

    def _contributions(self, X: Array) -> Array:
        parts: Array = np.square(self._excess(X) / self.spread_)
        return parts

    def _excess(self, X: Array) -> Array:
        """Excess of saliency of each row over the rows before it, (rows, channels); 0 before ``warmup``."""
        excess = np.zeros_like(X)
        cut = windows(X, self.window)
        chunk = max(CHUNK_VALUES // (self.window * X.shape[1]), 1)
        for start in range(0, len(cut), chunk):
            some = cut[start : start + chunk]
            centred = (some - np.median(some, axis=1, keepdims=True)) / self.scale_
            saliency = _saliency(np.clip(centred, -REACH, REACH))
            before = saliency[:, -BEFORE - 1 : -1].mean(axis=1)
            first = start + self.warmup
            excess[first : first + len(some)] = np.maximum(saliency[:, -1] / np.maximum(before, QUIET) - 1.0, 0.0)
        return excess


def _saliency(rows: Array) -> Array:
    """Saliency of each row of windows of shape (windows, rows, channels)."""
    count = rows.shape[1]
    # The row put after is led by the mean slope of the rows before the last: that one, if odd, would hide itself.
    earlier, latest = rows[:, -AHEAD - 2 : -2], rows[:, -2:-1]
    slope = ((latest - earlier) / np.arange(AHEAD, 0, -1)[:, None]).mean(axis=1, keepdims=True)
    after = earlier[:, 1:2] + slope * AHEAD
    spectrum = np.fft.rfft(np.concatenate([rows, np.repeat(after, AHEAD, axis=1)], axis=1), axis=1)
    amplitude = np.abs(spectrum) + QUIET
    level = np.log(amplitude)
    side = SMOOTH // 2
    padded = np.pad(level, ((0, 0), (side, side), (0, 0)), mode="reflect")  # the spectrum goes on as its mirror image
    smooth = np.stack([padded[:, i : i + level.shape[1]] for i in range(SMOOTH)]).mean(axis=0)
    whitened = spectrum / amplitude * np.exp(level - smooth)
    saliency: Array = np.abs(np.fft.irfft(whitened, n=count + AHEAD, axis=1)[:, :count])
    return saliency
