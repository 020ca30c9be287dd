"""A polynomial fitted to the rows before each row and carried one row on; of degree 0 it is their mean."""

from __future__ import annotations

import numpy as np

from redshank.core.contracts import Array
from redshank.detectors.statistical._residual import FIRST_ROWS, ResidualDetector

ROWS_A_TERM = 8
"""Earlier rows for each power of the polynomial: fewer say more of their noise than of the trend."""


class TrendDetector(ResidualDetector):
    """Expects each channel where the least-squares polynomial through its last rows leads."""

    @property
    def warmup(self) -> int:
        """Rows of a series that must come before the first real score."""
        return FIRST_ROWS

    def _carry_on(self, rows: Array, window: int, degree: int) -> Array:
        tables = {t: ahead_weights(t, degree) for t in range(1, min(window, len(rows)) + 1)}

        def ahead(cleaned: Array, t: int) -> Array:
            count = min(t, window)
            expected: Array = tables[count] @ cleaned[t - count : t]
            return expected

        return self._follow(rows, window, ahead)


def ahead_weights(count: int, degree: int) -> Array:
    """What each of ``count`` rows weighs in the least-squares polynomial's value one row on; (count,), sums to 1.

    The degree is lowered to what ``count`` rows can carry, see :data:`ROWS_A_TERM`.
    """
    powers = np.arange(min(degree, count // ROWS_A_TERM) + 1)
    # Places run from -1 to just below 0, and the row that is expected is at 0, where only the power 0 is not 0.
    places = np.arange(-count, 0)[:, None] / count
    weights: Array = np.linalg.pinv(places**powers)[0]
    return weights
