"""A polynomial fitted to the rows before each row and carried one row on; of degree 0 it is their mean."""

from __future__ import annotations

import numpy as np

from redshank.core.contracts import Array
from redshank.detectors.statistical._residual import Ahead

ROWS_A_TERM = 8
"""Earlier rows for each power of the polynomial: fewer say more of their noise than of the trend."""


def trend_ahead(window: int, degree: int) -> Ahead:
    """Expects each channel where the least-squares polynomial through its last ``window`` rows leads."""
    tables: dict[int, Array] = {}

    def ahead(cleaned: Array, t: int) -> Array:
        count = min(t, window)
        if count not in tables:
            tables[count] = ahead_weights(count, degree)
        expected: Array = tables[count] @ cleaned[t - count : t]
        return expected

    return ahead


def ahead_weights(count: int, degree: int) -> Array:
    """What each of ``count`` rows weighs in the least-squares polynomial's value one row on; (count,), sums to 1.

    The degree is lowered to what ``count`` rows can carry, see :data:`ROWS_A_TERM`.
    """
    powers = np.arange(min(degree, count // ROWS_A_TERM) + 1)
    # Places run from -1 to just below 0, and the row that is expected is at 0, where only the power 0 is not 0.
    places = np.arange(-count, 0)[:, None] / count
    weights: Array = np.linalg.pinv(places**powers)[0]
    return weights
