"""What detectors share that judge the window of rows that ends at each row."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from redshank.core import LAST_SEED, Detector, SettingError, check_whole
from redshank.core.contracts import Array
from redshank.detectors.classical._standard import moments, standardised, thinned
from redshank.features.windows import period, windows

PERIODS = (4, 300)
"""Shortest and longest period of the training rows that is taken for the window."""

WINDOW = 32
"""Window where no period is found, in rows."""

INPUTS = 512
"""Values in a window at most when its length is not given: with more, matrices of inputs x inputs cost seconds."""

PARTS = 4
"""A window that is not given is at most this part of the longest training series, which shows it too seldom else."""

CELLS = 2**21
"""Values of windows that are in memory at once: 16 MiB."""


class SubsequenceDetector(Detector):
    """A causal sequence detector: the score of a row is that of the window that ends at it.

    Windows are flattened row after row, oldest first, channels in training standard deviations.

    Attributes
    ----------
    window_ : int
        Rows in a window: as set; or the period of the longest training series, 4 to 300 rows; or 32. What is not set is
        at most a quarter of that series, and holds at most :data:`INPUTS` values.
    mean_, scale_ : ndarray of shape (n_features,)
        Training mean and standard deviation, in the units of ``X``; a scale of 1 where a channel never moved.
    """

    window: int | None
    rows: int
    seed: int
    window_: int
    mean_: Array
    scale_: Array

    @property
    def warmup(self) -> int:
        """Rows before the first score, until a window is full; before ``fit``, 0 where it is yet to be found."""
        return getattr(self, "window_", self.window or 1) - 1

    @abstractmethod
    def _learn(self, points: Array) -> None:
        """Learn from at most ``rows`` flattened windows (n, inputs)."""

    def _fit(self, series: list[Array], y: npt.NDArray[np.intp] | None) -> None:  # noqa: ARG002 - learns without labels
        check_whole(self._name, "rows", self.rows, low=2)
        check_whole(self._name, "seed", self.seed, low=0, high=LAST_SEED)
        self.mean_, self.scale_ = moments(np.concatenate(series))
        longest = max(series, key=len)
        self.window_ = self._found(longest)
        if self.window_ > len(longest):
            raise SettingError(
                f"{self._name}: window is {self.window_}, the longest training series {len(longest)} rows; "
                "wanted a shorter window or longer series"
            )
        self._learn(self._sampled(series))

    def _over_windows(self, X: Array, judge: Callable[[Array], Array], *, channels: int = 1) -> Array:
        """What ``judge`` says of blocks of flattened windows, (rows, channels), 0 before the first window is full."""
        found = np.zeros((len(X), channels))
        every = windows(standardised(X, self.mean_, self.scale_), self.window_)
        step = max(1, CELLS // (self.window_ * self.n_features_))
        for start in range(0, len(every), step):
            block = every[start : start + step]  # a view until it is flattened
            last = start + self.window_ - 1
            found[last : last + len(block)] = judge(block.reshape(len(block), -1)).reshape(len(block), channels)
        return found

    def _found(self, longest: Array) -> int:
        if self.window is not None:
            check_whole(self._name, "window", self.window, low=1)
            return self.window
        wanted = period(longest, *PERIODS) or WINDOW
        return max(1, min(wanted, len(longest) // PARTS, INPUTS // self.n_features_))

    def _sampled(self, series: list[Array]) -> Array:
        """At most ``rows`` flattened windows of all series, drawn at random."""
        own = [max(0, len(one) - self.window_ + 1) for one in series]
        chosen = thinned(np.arange(sum(own)), self.rows, self.seed)
        first, found = 0, []
        for one, count in zip(series, own, strict=True):
            mine = chosen[(chosen >= first) & (chosen < first + count)] - first
            every = windows(standardised(one, self.mean_, self.scale_), self.window_)
            found.append(every[mine].reshape(len(mine), self.window_ * self.n_features_))
            first += count
        return np.concatenate(found)
