"""How a number, its interval and a column of them are written: tables, pages and sentences print the same."""

from __future__ import annotations

import math
from collections.abc import Iterable

DASH = "\N{EN DASH}"
"""Stands where nothing is defined."""
SMALLEST, LARGEST = 1e-4, 1e7
"""Sizes outside which a number is written with an exponent."""
MOST_DIGITS = 4
"""Significant digits of the largest number of a cell that even the narrowest interval brings out."""


def texts(value: float, low: float = math.nan, high: float = math.nan, places: int | None = None) -> tuple[str, ...]:
    """A value and its bounds as every table and page prints them; the bounds are empty where there are none.

    To two digits of the interval's half width, else to three of the value; four at most. An interval on one side of
    zero gives the value and each bound at least two digits of their own, so that 18 in 18 to 4000 does not become 0.

    Parameters
    ----------
    value, low, high : float
        NaN bounds where there is no interval.
    places : int, optional
        Decimals of the column that the cell stands in; see :func:`column_places`.
    """
    own = _fitting(value, low, high)
    decimals = own if own is None or own < 0 or places is None else places
    if math.isnan(high - low):
        return _text(value, places if own is None else decimals, least=1), "", ""
    least = 0 if low < 0 < high else 1
    return tuple(_text(one, places if own is None else decimals, least=least) for one in (value, low, high))


def column_places(cells: Iterable[tuple[float, float, float]]) -> int | None:
    """Decimals that suit most cells of a column, but no more than give its largest value three digits.

    ``cells`` are values with their bounds; None where no cell holds a number other than 0.
    """
    every = list(cells)
    fitting = sorted(one for one in (_fitting(*cell) for cell in every) if one is not None)
    largest = max((abs(value) for value, _, _ in every if math.isfinite(value)), default=0.0)
    if not fitting or not largest:
        return None
    return max(0, min(fitting[len(fitting) // 2], 3 - math.ceil(math.log10(largest))))


def _fitting(value: float, low: float, high: float) -> int | None:
    """Decimals that one cell supports by itself; below 0, digits before the point that mean nothing."""
    half = (high - low) / 2
    if not math.isfinite(value) or math.isinf(half):
        return None
    if half > 0:
        return min(1 - _decade(half), MOST_DIGITS - 1 - _decade(max(abs(value), abs(low), abs(high))))
    return max(0, 2 - _decade(value)) if value else None


def _text(value: float, places: int | None, *, least: int) -> str:
    if not math.isfinite(value):
        return DASH if math.isnan(value) else f"{value:g}"
    if value == 0 or (not least and places is not None and abs(value) < 0.5 * 10.0**-places):
        return f"{0:.{max(places or 0, 0)}f}"
    if not SMALLEST <= abs(value) < LARGEST:
        return f"{value:.1e}" if abs(value) < SMALLEST else f"{value:.2e}"
    decimals = 2 - _decade(value) if places is None else places
    decimals = max(decimals, 1 - _decade(value)) if least else decimals
    return f"{round(value, decimals) + 0.0:.{max(decimals, 0)}f}"


def _decade(value: float) -> int:
    return math.floor(math.log10(abs(value)))
