"""Scaling of channels, for all rows alike or for each device by itself."""

from __future__ import annotations

from typing import Literal, Self, get_args

import numpy as np
import numpy.typing as npt

from redshank.core import InputError, SettingError, check_range
from redshank.features._learned import LearnedTransform
from redshank.features._rows import Rows, bounded, known

Method = Literal["minmax", "standard", "robust"]
Floats = npt.NDArray[np.float64]
Groups = npt.NDArray[np.intp]

NORMAL_IQR = 1.3489795003921634
"""Distance between the quartiles of a standard normal variable."""

CHANGE_OF_CONSTANT = 0.1
"""Share of a constant's own size that counts as one unit of change."""

SMALLEST = float(np.finfo(np.float32).tiny)
"""Least scale: below it a division would lose its digits or overflow."""


class Scaler(LearnedTransform):
    """Centre and scale each channel by what its training rows were like, for each device by itself if wanted.

    Missing values are ignored in training and stay missing. Results are cut to the largest magnitude a reading may
    have, so none is infinite.

    Parameters
    ----------
    method : {"minmax", "standard", "robust"}, default="standard"
        Centre and scale are: the smallest value and the range, so that training rows lie from 0 to 1; the mean and the
        deviation; or the median and the distance between the quartiles over 1.349, with the deviation in its place
        where the quartiles are equal.
    clip : float or None, default=None
        Largest magnitude of a scaled value; larger ones are cut to it (and do not come back by :meth:`inverse`).

    Attributes
    ----------
    center_, scale_ : float64 ndarray of shape (channels,)
        Those of the fleet: the median over the groups, for rows of no known group.
    centers_, scales_ : float64 ndarray of shape (groups, channels)
        Those of each group; scales are positive.

    Notes
    -----
    A channel that is constant in training has no scale of its own and is 0 after :meth:`transform`. If it changes
    later, that shows in units of the fleet's scale where other groups vary in this channel, else in tenths of the
    constant's own size, whatever its unit, or as it is where the constant is 0. A group that never had the channel
    takes the fleet's centre and scale; a channel that no group ever had has 0 and 1.
    """

    center_: Floats
    scale_: Floats
    centers_: Floats
    scales_: Floats

    def __init__(self, *, method: Method = "standard", clip: float | None = None) -> None:
        self.method = method
        self.clip = clip

    def fit(self, X: npt.ArrayLike, groups: npt.ArrayLike | None = None) -> Self:
        """Learn from training rows.

        Parameters
        ----------
        X : array of shape (n, channels)
            Training rows, in any order.
        groups : int array of shape (n,), default=None
            Group, for example device, of each row, from 0; without it all rows are of one group.

        Raises
        ------
        InputError
            If there are no rows, or ``groups`` does not fit them.
        SettingError
            If ``method`` or ``clip`` is unknown or out of range.
        """
        if self.method not in get_args(Method):
            raise SettingError(f"Scaler: method is {self.method!r}; wanted one of {', '.join(get_args(Method))}")
        if self.clip is not None:
            check_range("Scaler", "clip", self.clip, low=np.finfo(np.float64).tiny)
        array = self._training_rows(X)
        index = np.zeros(len(array), np.intp) if groups is None else _groups(groups, len(array))
        if index.min() < 0:
            raise InputError(f"Scaler: group {index.min()} in the training rows; groups count from 0")
        self.n_channels_ = array.shape[1]
        shape = (int(index.max()) + 1, array.shape[1])
        centers, scales = np.full(shape, np.nan), np.full(shape, np.nan)
        order = np.argsort(index, kind="stable")
        present, starts = np.unique(index[order], return_index=True)
        for group, own in zip(present, np.split(order, starts[1:]), strict=True):
            centers[group], scales[group] = self._learn(array[own])
        self.center_ = _median(centers, empty=0.0)
        fleet = _median(scales, empty=np.nan)
        self.scale_ = np.where(np.isnan(fleet), _change(self.center_), fleet)
        self.centers_ = np.where(np.isnan(centers), self.center_, centers)
        self.scales_ = np.where(np.isnan(scales), np.where(np.isnan(fleet), _change(self.centers_), fleet), scales)
        return self

    def transform(self, X: npt.ArrayLike, groups: npt.ArrayLike | None = None) -> Rows:
        """Scaled rows, of the shape and dtype of ``X``.

        Parameters
        ----------
        X : array of shape (n, channels)
            Rows in any order.
        groups : int array of shape (n,), default=None
            Group of each row; -1 and groups that were not in training are scaled like the fleet, as are all rows
            without it.

        Raises
        ------
        InputError, NotFittedError
            If ``X`` has another width or ``groups`` does not fit; before ``fit``.
        """
        array = self._fitted_rows(X)
        center, scale = self._parameters(groups, len(array))
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = (np.where(known(array), array, np.nan) - center) / scale
        if self.clip is not None:
            np.clip(scaled, -self.clip, self.clip, out=scaled)
        return bounded(scaled, array.dtype)

    def inverse(self, X: npt.ArrayLike, groups: npt.ArrayLike | None = None) -> Rows:
        """Rows in their own units again: undoes :meth:`transform` with the same ``groups``."""
        array = self._fitted_rows(X)
        center, scale = self._parameters(groups, len(array))
        with np.errstate(over="ignore", invalid="ignore"):
            return bounded(np.where(known(array), array, np.nan) * scale + center, array.dtype)

    def _parameters(self, groups: npt.ArrayLike | None, n: int) -> tuple[Floats, Floats]:
        if groups is None:
            return self.center_, self.scale_
        index = _groups(groups, n)
        index = np.where((index >= 0) & (index < len(self.centers_)), index, len(self.centers_))
        return np.vstack([self.centers_, self.center_])[index], np.vstack([self.scales_, self.scale_])[index]

    def _learn(self, own: Rows) -> tuple[Floats, Floats]:
        """Centre and scale of one group's rows; NaN where nothing is known, and as scale of a constant channel."""
        center, scale = np.full(own.shape[1], np.nan), np.full(own.shape[1], np.nan)
        for j in range(own.shape[1]):
            column = own[:, j]
            column = column[known(column)].astype(np.float64)
            if not len(column):
                continue
            low, high = column.min(), column.max()
            spread = high - low
            center[j] = low
            if self.method == "standard":
                center[j], spread = column.mean(), column.std()
            elif self.method == "robust":
                lower, center[j], upper = np.quantile(column, (0.25, 0.5, 0.75))
                spread = (upper - lower) / NORMAL_IQR or column.std()
            if low == high:
                center[j] = low  # a mean of equal values can differ from them in the last digit
            elif spread > 0:
                scale[j] = max(spread, SMALLEST)
        return center, scale


def _change(constant: Floats) -> Floats:
    """The scale of a channel that is this constant wherever it is known."""
    return np.where(constant == 0.0, 1.0, np.maximum(CHANGE_OF_CONSTANT * np.abs(constant), SMALLEST))


def _groups(groups: npt.ArrayLike, n: int) -> Groups:
    index = np.asarray(groups)
    if index.shape != (n,) or index.dtype.kind not in "iu":
        raise InputError(
            f"Scaler: groups are {index.dtype} of shape {index.shape}; wanted one whole number for each of {n} rows"
        )
    return index.astype(np.intp)


def _median(table: Floats, empty: float) -> Floats:
    """Median of the known values of each column; ``empty`` where there is none."""
    some = ~np.isnan(table).all(axis=0)
    median = np.full(table.shape[1], empty)
    median[some] = np.nanmedian(table[:, some], axis=0)
    return median
