"""What the transforms that learn have in common: the check of rows and of their width."""

from __future__ import annotations

import numpy.typing as npt

from redshank.core import InputError
from redshank.core.learned import Learned
from redshank.features._rows import Rows, rows


class LearnedTransform(Learned):
    """A transform whose ``fit`` sets ``n_channels_`` first and other names that end in ``_`` after it."""

    _proof = "n_channels_"
    n_channels_: int

    def _training_rows(self, X: npt.ArrayLike) -> Rows:
        array = rows(type(self).__name__, X)
        if not array.size:
            raise InputError(f"{type(self).__name__}: nothing to learn from in training rows of shape {array.shape}")
        return array

    def _fitted_rows(self, X: npt.ArrayLike, width: int | None = None) -> Rows:
        self._require_fit()
        array = rows(type(self).__name__, X)
        wanted = self.n_channels_ if width is None else width
        if array.shape[1] != wanted:
            raise InputError(
                f"{type(self).__name__}: rows have {array.shape[1]} channels, wanted {wanted}; check the channel list"
            )
        return array
