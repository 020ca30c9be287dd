"""Several classes, such as kinds of attack: confusion matrix, ratios by class, ROC-AUC of one against the rest."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import isnan

import numpy as np

from redshank.core import InputError
from redshank.evaluate.metrics._inputs import ArrayLike, Floats, Marks, Rows, given, numbers, ratio
from redshank.evaluate.metrics.points import roc_auc


@dataclass(frozen=True, slots=True, eq=False)
class ClassReport:
    """Predicted against true classes; every ratio is in 0 to 1 and NaN where it divides by nothing.

    Parameters
    ----------
    classes : tuple of length k
        The classes, in the order of every array here.
    matrix : int64 ndarray of shape (k, k)
        Rows of the data by true class (down) and predicted class (across).
    precision, recall, f1 : float64 ndarray of shape (k,)
        Each class against all others; ``f1 = 2 tp / (2 tp + fp + fn)``.
    support : int64 ndarray of shape (k,)
        Rows of each true class.
    """

    classes: tuple[Hashable, ...]
    matrix: Rows
    precision: Floats
    recall: Floats
    f1: Floats
    support: Rows

    @property
    def accuracy(self) -> float:
        """Share of the rows whose class was predicted."""
        return ratio(int(np.trace(self.matrix)), int(self.matrix.sum()))

    @property
    def balanced_accuracy(self) -> float:
        """Mean recall of the classes that occur: ``1 / k`` for any prediction that does not look at the rows."""
        return _mean(self.recall[self.support > 0])

    @property
    def macro_precision(self) -> float:
        """Mean precision of the classes that occur or are predicted; NaN if one of them is never predicted."""
        return _mean(self.precision[self._seen])

    @property
    def macro_recall(self) -> float:
        """Mean recall of the classes that occur or are predicted; NaN if one of them never occurs."""
        return _mean(self.recall[self._seen])

    @property
    def macro_f1(self) -> float:
        """Mean F1 of the classes that occur or are predicted: a rare class counts as much as a common one."""
        return _mean(self.f1[self._seen])

    @property
    def weighted_f1(self) -> float:
        """Mean F1 of the classes that occur, weighted by their rows: led by the commonest class."""
        return ratio(float(np.nansum(self.support * self.f1)), int(self.support.sum()))

    @property
    def _seen(self) -> Marks:
        return np.asarray(self.matrix.sum(axis=0) + self.support > 0)


def class_report(predicted: ArrayLike, y: ArrayLike, classes: Sequence[Hashable] | None = None) -> ClassReport:
    """Confusion matrix and ratios of predicted classes, such as kinds of attack.

    Parameters
    ----------
    predicted, y : array of shape (n,)
        Predicted and true class of each row: numbers, texts, or an object array of hashable values.
    classes : sequence of hashable, optional
        All classes, in the order wanted; those of ``y`` and ``predicted``, sorted, when not given.

    Raises
    ------
    InputError
        If the two differ in length, a class is NaN, or one is not in ``classes``.
    """
    guessed, true = _column("class_report", "predicted", predicted), _column("class_report", "y", y)
    if len(guessed) != len(true):
        raise InputError(f"class_report: {len(guessed)} predicted and {len(true)} true classes do not match")
    known, (down, across) = _coded("class_report", classes, true, guessed)
    k = len(known)
    matrix = np.bincount(down * k + across, minlength=k * k).reshape(k, k).astype(np.int64)
    right, support, alarms = np.diagonal(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    return ClassReport(
        known, matrix, _each(right, alarms), _each(right, support), _each(2 * right, alarms + support), support
    )


def class_auc(scores: ArrayLike, y: ArrayLike, classes: Sequence[Hashable] | None = None) -> float:
    """Mean over the classes of the ROC-AUC of one class against the rest, each class counting the same.

    Parameters
    ----------
    scores : float array of shape (n, k)
        Score or probability of each class, higher = more likely that class.
    y : array of shape (n,)
        True class of each row.
    classes : sequence of hashable of length k, optional
        Class of each column; the classes of ``y``, sorted, when not given.

    Returns
    -------
    float
        0 to 1, 0.5 by chance. A class that does not occur, or that all rows have, has no area and is left out; NaN
        where no class has one.

    Raises
    ------
    InputError
        If shapes do not match, a score is NaN, or a class of ``y`` is not in ``classes``.
    """
    true = _column("class_auc", "y", y)
    known, (places,) = _coded("class_auc", classes, true)
    values = numbers("class_auc", "scores", scores)
    if values.shape != (len(true), len(known)):
        raise InputError(
            f"class_auc: scores have shape {values.shape}; wanted ({len(true)}, {len(known)}), a row for each of y and "
            "a column for each class; name the columns by classes= where a class does not occur"
        )
    areas = np.array([roc_auc(values[:, k], places == k) for k in range(len(known))])
    return _mean(areas[np.isfinite(areas)])


def _mean(values: Floats) -> float:
    return ratio(float(values.sum()), len(values))


def _each(part: Rows, whole: Rows) -> Floats:
    return np.array([ratio(*pair) for pair in zip(part.tolist(), whole.tolist(), strict=True)])


def _column(who: str, what: str, values: ArrayLike) -> list[Hashable]:
    array = given(who, what, values)
    if array.ndim != 1:
        raise InputError(f"{who}: {what} has shape {array.shape}; wanted one class for each row, shape (n,)")
    return list(array.tolist())


def _coded(
    who: str, classes: Sequence[Hashable] | None, *columns: list[Hashable]
) -> tuple[tuple[Hashable, ...], list[Rows]]:
    """The classes in order, and each column as places among them."""
    found: set[Hashable] = set().union(*columns)
    if any(isinstance(value, float) and isnan(value) for value in found):
        raise InputError(f"{who}: a class is NaN; leave rows without a class out, or name a class for them")
    known = _sorted(found) if classes is None else tuple(classes)
    table = {name: place for place, name in enumerate(known)}
    if len(table) < len(known):
        raise InputError(f"{who}: classes holds one class twice: {known}; name each once")
    strange = found - table.keys()
    if strange:
        raise InputError(f"{who}: class {_sorted(strange)[0]!r} is not among the classes {known}; add it to classes=")
    return known, [np.fromiter(map(table.__getitem__, column), np.int64, len(column)) for column in columns]


def _sorted(found: set[Hashable]) -> tuple[Hashable, ...]:
    try:
        return tuple(sorted(found))  # type: ignore[type-var]
    except TypeError:  # no order between, say, numbers and texts
        return tuple(sorted(found, key=lambda value: (type(value).__name__, str(value))))
