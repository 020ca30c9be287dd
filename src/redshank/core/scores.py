"""What scoring a frame gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """One entry for each row of the scored frame, in its order.

    Parameters
    ----------
    score : float64 ndarray of shape (n,)
        Raw score, finite, higher = more anomalous.
    ready : bool ndarray of shape (n,)
        False where there was not enough history; such a row has the lowest training score and no alarm.
    p : float64 ndarray of shape (n,)
        Probability that normal data score this high, 0 to 1.
    alarm : bool ndarray of shape (n,)
        True where the budget says that this row is worth a person's time.
    """

    score: npt.NDArray[np.float64]
    ready: npt.NDArray[np.bool_]
    p: npt.NDArray[np.float64]
    alarm: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.score)
