"""What every metric takes: one series of scores or alarms beside its labels, checked once."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from redshank.core import InputError, SettingError, check_range

Floats = npt.NDArray[np.float64]
Marks = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]
ArrayLike = npt.ArrayLike

WEEK_NS = 7 * 86400 * 10**9


def scored(who: str, scores: ArrayLike, labels: ArrayLike) -> tuple[Floats, Marks]:
    """Scores as float64 (n,) and labels as bool (n,).

    Raises
    ------
    InputError
        If they are not one-dimensional and equally long, a score is NaN or no number, or a label is neither 0 nor 1.
    """
    values = numbers(who, "scores", scores)
    marks = marked(who, "labels", labels)
    _same_shape(who, "scores", values.shape, marks.shape)
    if np.isnan(values).any():
        first = int(np.isnan(values).argmax())
        raise InputError(f"{who}: the score of row {first} is NaN; give every row a score")
    return values, marks


def alarmed(who: str, alarm: ArrayLike, labels: ArrayLike) -> tuple[Marks, Marks]:
    """Alarms and labels as bool (n,); raises as :func:`scored`."""
    alarms = marked(who, "alarm", alarm)
    marks = marked(who, "labels", labels)
    _same_shape(who, "alarms", alarms.shape, marks.shape)
    return alarms, marks


def marked(who: str, what: str, values: ArrayLike) -> Marks:
    """A one-dimensional array of 0 and 1 as bool."""
    array = given(who, what, values)
    if array.ndim != 1:
        raise InputError(f"{who}: {what} has shape {array.shape}; wanted one value for each row, shape (n,)")
    if array.dtype == np.bool_:
        return array
    if len(array) and array.dtype.kind not in "iuf":
        raise InputError(f"{who}: {what} holds {array.dtype}; wanted 1 for anomalous rows and 0 for the others")
    marks: Marks = np.asarray(array == 1)
    odd = ~marks & (array != 0)
    if odd.any():
        first = int(odd.argmax())
        raise InputError(f"{who}: {what} holds {array[first]} in row {first}; wanted 1 for anomalous rows, else 0")
    return marks


def numbers(who: str, what: str, values: ArrayLike) -> Floats:
    """An array of numbers of any shape as float64; text is refused, even where it spells a number."""
    array = given(who, what, values)
    try:
        if array.dtype.kind in "biufO":
            return array.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:  # objects that are no numbers
        raise InputError(f"{who}: {what} holds what is no number ({error}); wanted numbers only") from error
    raise InputError(f"{who}: {what} holds {array.dtype}; wanted numbers")


def given(who: str, what: str, values: ArrayLike) -> npt.NDArray[Any]:
    """Values as an array of whatever they are; InputError where lists within lists differ in length."""
    try:
        return np.asarray(values)
    except ValueError as error:
        raise InputError(f"{who}: {what} cannot be an array ({error}); wanted one value for each row") from error


def whole(who: str, name: str, value: int, low: int) -> int:
    """A setting that counts something: a whole number of at least ``low``, else SettingError."""
    try:
        number = operator.index(value)
    except TypeError as error:
        raise SettingError(f"{who}: {name} is {value!r}; wanted a whole number") from error
    check_range(who, name, number, low)
    return number


def segments(marks: Marks) -> tuple[Rows, Rows]:
    """First row of each unbroken run of marked rows, and the row behind its last: half-open, in order."""
    if not len(marks):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    changes = np.flatnonzero(marks[1:] != marks[:-1]) + 1
    edges = np.concatenate([[0] if marks[0] else [], changes, [len(marks)] if marks[-1] else []]).astype(np.int64)
    return edges[::2], edges[1::2]


def touching(start: Rows, end: Rows, other_start: Rows, other_end: Rows) -> Rows:
    """How many of the other segments each segment shares a row with; both half-open, disjoint and in order."""
    return np.searchsorted(other_start, end, side="left") - np.searchsorted(other_end, start, side="right")


def harmonic_mean(precision: float, recall: float) -> float:
    """F1 of a precision and a recall: 0 where either is 0, even if the other is undefined; else NaN where one is."""
    if precision == 0 or recall == 0:
        return 0.0
    return 2.0 * precision * recall / (precision + recall)


def ratio(part: float, whole: float) -> float:
    """``part / whole``; NaN where there is nothing to divide by."""
    return float(part / whole) if whole else float("nan")


def _same_shape(who: str, what: str, got: Sequence[int], wanted: Sequence[int]) -> None:
    if len(got) != 1 or tuple(got) != tuple(wanted):
        raise InputError(f"{who}: {what} of shape {tuple(got)} and labels of shape {tuple(wanted)} do not match")
