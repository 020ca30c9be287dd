"""What transforms and calibrators promise."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from redshank.core.learned import Learned

Array = npt.NDArray[np.float64]


class Transform(Protocol):
    """Rows in, rows out: learned on training rows only, pure afterwards.

    ``X`` has shape (rows, channels) with NaN for missing; the result never holds an infinite value.
    """

    def fit(self, X: npt.NDArray[np.floating]) -> Self:
        """Learn from training rows."""
        ...

    def transform(self, X: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """The rows in their new form; ``X`` is left as it was."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated:
    """Tail probability, alarm and alarm level of one device's rows, each of shape (n,).

    ``level`` is the score above which a row would have alarmed, in units of the score.
    """

    p: Array
    alarm: npt.NDArray[np.bool_]
    level: Array


class Calibrator(Learned, ABC):
    """Raw score to probability to alarm, at a budget of false alarms given in words.

    Fitted on the scores of normal rows that the detector was not trained on, one array a device.
    Causal: what it says of a row depends on that row and earlier ones only.
    """

    @abstractmethod
    def fit(self, scores: Mapping[str, Array], interval_s: float) -> Self:
        """Learn the tail of normal scores.

        Parameters
        ----------
        scores : mapping of device name to float64 ndarray
            Scores of ready rows of held-back normal data, oldest first.
        interval_s : float
            Usual time between two rows of a device, in seconds.
        """

    @abstractmethod
    def apply(self, device: str, scores: Array, ready: npt.NDArray[np.bool_]) -> Calibrated:
        """Judge one device's rows, oldest first; rows that are not ready have ``p`` 1 and no alarm."""
