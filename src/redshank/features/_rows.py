"""The door of this room: which arrays come in, and which of their values are known."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from redshank.core import LARGEST, InputError

Rows = npt.NDArray[np.floating[Any]]
Mask = npt.NDArray[np.bool_]
T = TypeVar("T", bound=np.floating[Any])


def rows(who: str, values: npt.ArrayLike) -> Rows:
    """Check for shape (n, channels); float32 and float64 stay as they are, other numbers become float64.

    Raises
    ------
    InputError
        If the shape is another one or the values are not numbers.
    """
    array = np.asarray(values)
    if array.ndim != 2:
        raise InputError(f"{who}: values have shape {array.shape}; wanted (rows, channels)")
    if array.dtype not in (np.float32, np.float64):
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(f"{who}: values are not numbers ({error})") from error
    return np.ascontiguousarray(array)


def known(values: npt.NDArray[T]) -> Mask:
    """True where a value is there: a number no larger than a reading may be; NaN and infinities are missing."""
    mask: Mask = np.abs(values) <= LARGEST
    return mask


def bounded(values: Rows, dtype: np.dtype[np.floating[Any]]) -> Rows:
    """Cast; a wider type is first cut to the largest magnitude that a reading may have, so that nothing is infinite."""
    if values.dtype == dtype == np.float32:
        return values
    return np.clip(values, -LARGEST, LARGEST).astype(dtype, copy=False)
