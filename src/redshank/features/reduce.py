"""Fewer channels: principal components."""

from __future__ import annotations

from typing import Self

import numpy as np
import numpy.typing as npt

from redshank.core import InputError, SettingError, check_range
from redshank.features._learned import LearnedTransform
from redshank.features._rows import Rows, bounded, known


class PCA(LearnedTransform):
    """Project rows on the directions in which the training rows vary most.

    A row with a missing value has no place in the subspace: it is left out of training, and all its components are
    NaN. Scale the channels first, or the one with the largest unit decides.

    Parameters
    ----------
    components : int or float, default=0.95
        A whole number: how many components, at most the number of channels and of training rows. A share below 1: as
        few as explain that much of the variance.

    Attributes
    ----------
    mean_ : float64 ndarray of shape (channels,)
        Training mean, in the units of ``X``.
    components_ : float64 ndarray of shape (components, channels)
        Orthonormal rows, largest variance first; the largest entry of each is positive.
    variance_ : float64 ndarray of shape (components,)
        Variance of the training rows along each, in squared units of ``X``.
    share_ : float64 ndarray of shape (components,)
        Part of the whole variance that each explains.

    Notes
    -----
    By the singular values of the triangular factor of the centred rows, which are those of the rows themselves [1]_.
    Time O(n channels^2) to fit, O(channels components) per row to transform.

    References
    ----------
    .. [1] G. H. Golub, C. F. Van Loan, Matrix Computations, section 8.6, 2013.
    """

    mean_: npt.NDArray[np.float64]
    components_: npt.NDArray[np.float64]
    variance_: npt.NDArray[np.float64]
    share_: npt.NDArray[np.float64]

    def __init__(self, *, components: int | float = 0.95) -> None:
        self.components = components

    def fit(self, X: npt.ArrayLike) -> Self:
        """Learn the directions from training rows of shape (n, channels), in any order.

        Raises
        ------
        InputError
            If fewer than 2 rows have no missing value.
        SettingError
            If ``components`` is neither a share below 1 nor a whole number that fits the rows.
        """
        array = self._training_rows(X)
        complete = array[known(array).all(axis=1)].astype(np.float64)
        if len(complete) < 2:
            raise InputError(f"PCA: {len(complete)} training rows without a missing value; at least 2 are needed")
        if isinstance(self.components, int):
            check_range("PCA", "components", self.components, low=1, high=min(complete.shape))
        elif not 0.0 < self.components < 1.0:
            raise SettingError(f"PCA: components is {self.components:g}; wanted a whole number or a share from 0 to 1")
        self.n_channels_ = array.shape[1]
        self.mean_ = complete.mean(axis=0)
        _, values, axes = np.linalg.svd(np.linalg.qr(complete - self.mean_, mode="r"), full_matrices=False)
        variance = values**2 / (len(complete) - 1)
        share = variance / variance.sum() if variance.sum() > 0 else np.zeros_like(variance)
        if isinstance(self.components, int):
            kept = self.components
        else:
            kept = min(int(np.searchsorted(share.cumsum(), self.components)) + 1, len(share))
        largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1, keepdims=True), axis=1)
        self.components_ = (axes * np.where(largest < 0, -1.0, 1.0))[:kept]
        self.variance_, self.share_ = variance[:kept], share[:kept]
        return self

    def transform(self, X: npt.ArrayLike) -> Rows:
        """Components of rows of shape (n, channels): shape (n, components), dtype of ``X``.

        Raises
        ------
        InputError, NotFittedError
            If ``X`` has another width; before ``fit``.
        """
        array = self._fitted_rows(X)
        complete = known(array).all(axis=1)
        result = np.full((len(array), len(self.components_)), np.nan)
        result[complete] = (array[complete] - self.mean_) @ self.components_.T
        return bounded(result, array.dtype)

    def inverse(self, X: npt.ArrayLike) -> Rows:
        """The rows in the subspace that have these components: shape (n, channels), dtype of ``X``.

        Raises
        ------
        InputError, NotFittedError
            If ``X`` has another number of components; before ``fit``.
        """
        self._require_fit()
        array = self._fitted_rows(X, width=len(self.components_))
        complete = known(array).all(axis=1)
        result = np.full((len(array), self.n_channels_), np.nan)
        result[complete] = array[complete].astype(np.float64) @ self.components_ + self.mean_
        return bounded(result, array.dtype)
