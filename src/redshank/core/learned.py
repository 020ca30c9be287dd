"""What every component that learns has in common: settings, and learned state as plain arrays."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from redshank.core.errors import ModelError, NotFittedError

Setting = bool | int | float | str | tuple[int, ...] | tuple[str, ...] | None


class Learned:
    """Something with settings and a ``fit``.

    Settings are the keyword arguments. What ``fit`` learned stands under names that end in ``_`` and is all arrays,
    numbers and texts; a subclass names in ``_proof`` one that is there once ``fit`` has ended.
    """

    _proof: ClassVar[str]

    def settings(self) -> dict[str, Setting]:
        """The keyword arguments that make an equal, unfitted component."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """Everything that ``fit`` learned, as plain arrays by name; no objects.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        """
        self._require_fit()
        return {name: np.asarray(value) for name, value in vars(self).items() if _is_learned(name)}

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]]) -> Self:
        """Take back what :meth:`state` gave, in a component with equal settings.

        Raises
        ------
        ModelError
            If a name cannot be that of learned state.
        NotFittedError
            If the state is not that of a fitted component.
        """
        for name, value in state.items():
            if not _is_learned(name):
                raise ModelError(
                    f"{type(self).__name__}: {name!r} is not the name of something learned; the state is not mine"
                )
            setattr(self, name, value.item() if value.ndim == 0 else value)
        self._require_fit()
        return self

    def _require_fit(self) -> None:
        if not hasattr(self, self._proof):
            raise NotFittedError(f"{type(self).__name__}: not fitted yet; call fit first")


def _is_learned(name: str) -> bool:
    return name.endswith("_") and not name.startswith("_")
