"""What the transforms that learn have in common: learned arrays out and in, and the check of a width."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Self

import numpy as np
import numpy.typing as npt

from redshank.core import InputError, NotFittedError
from redshank.features._rows import Rows, rows

Setting = bool | int | float | str | None


class Learned:
    """A transform whose ``fit`` sets ``n_channels_`` first and other names that end in ``_`` after it."""

    n_channels_: int

    def settings(self) -> dict[str, Setting]:
        """The keyword arguments that make an equal, unfitted transform."""
        return {
            name: getattr(self, name) for name in inspect.signature(type(self).__init__).parameters if name != "self"
        }

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """Everything that ``fit`` learned, as plain arrays by name.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        """
        self._require_fit()
        return {name: np.asarray(value) for name, value in vars(self).items() if name.endswith("_")}

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]]) -> Self:
        """Take back what :meth:`state` gave, in a transform with equal settings."""
        for name, value in state.items():
            setattr(self, name, value.item() if value.ndim == 0 else value)
        self._require_fit()
        return self

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

    def _require_fit(self) -> None:
        if not hasattr(self, "n_channels_"):
            raise NotFittedError(f"{type(self).__name__}: not fitted yet; call fit first")
