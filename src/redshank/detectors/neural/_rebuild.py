"""What the detectors share that rebuild a row, or the window of rows that ends at it, from a narrow code."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import nn

from redshank.core import Tags, check_whole
from redshank.detectors.neural._errors import Carried, ErrorDetector

INPUTS = 32
"""Values that a window holds at least where its length is not given: a code of fewer has nothing to leave out."""

CODES = (2, 32)
"""Narrowest and widest code that is taken where its width is not given."""

NARROWING = 7
"""Values for each number of a code whose width is not given: 115 channels pass through 16 numbers."""

BLOCK_VALUES = 2**17
"""Values that are rebuilt at a time: half a MiB, which stays in the cache."""


class Rebuilder(nn.Module, ABC):
    """Gives every row the window that ends at it, flattened, and hands it to :meth:`rebuild`.

    Parameters
    ----------
    window : int
        Rows in a window.
    """

    def __init__(self, window: int) -> None:
        super().__init__()
        self.window = window

    def forward(self, rows: torch.Tensor, carried: Carried = None) -> tuple[tuple[torch.Tensor, ...], Carried]:
        """Estimates of the windows, (batch, steps, channels, window), or of the rows where a window is one row.

        ``rows`` has shape (batch, window - 1 + steps, channels).
        """
        made = self.rebuild(self.flat(rows))
        if self.window > 1:
            made = tuple(one.view(*one.shape[:2], -1, self.window) for one in made)
        return made, carried

    def flat(self, rows: torch.Tensor) -> torch.Tensor:
        """The windows, (batch, steps, channels * window)."""
        return rows if self.window == 1 else rows.unfold(1, self.window, 1).flatten(2)

    @abstractmethod
    def rebuild(self, values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Estimates of flattened windows, each of their shape."""


def dense(widths: Sequence[int]) -> nn.Sequential:
    """Linear layers from width to width, rectified in between."""
    layers: list[nn.Module] = [nn.Linear(widths[0], widths[1])]
    for before, after in itertools.pairwise(widths[1:]):
        layers += [nn.ReLU(inplace=True), nn.Linear(before, after)]
    return nn.Sequential(*layers)


@contextmanager
def fixed(module: nn.Module) -> Iterator[None]:
    """What is computed inside leaves no gradient in this module's weights, but passes it on to its input."""
    module.requires_grad_(False)
    try:
        yield
    finally:
        module.requires_grad_(True)


@dataclass(kw_only=True, eq=False, repr=False)
class RebuildDetector(ErrorDetector):
    """Score a row by how badly it, or the window that ends at it, is rebuilt; plain squares, mean over the values.

    A subclass gives ``_network(inputs, latent)``, a :class:`Rebuilder` whose windows are :attr:`_window` rows, and
    ``about``, its tags as far as they do not depend on the window.

    Parameters
    ----------
    window : int, default=None
        Rows that are rebuilt together. None: as many as hold 32 values, one where there are 32 channels or more. With
        1 every row is scored by itself.
    latent : int, default=None
        Width of the code; None: a seventh of the values in a window, from 2 to 32.
    hidden : int, default=64
        Width of the inner layers.
    """

    robust = False
    about: ClassVar[Tags]

    window: int | None = None
    latent: int | None = None
    hidden: int = 64
    batch: int = 1024
    lr: float = 0.003

    @property
    def tags(self) -> Tags:  # type: ignore[override]  # of the object: a window of one row knows no order
        """What the detector can do; it looks at the order of rows unless the window is one row.

        Before ``fit`` a window that is yet to be chosen is taken for longer.
        """
        window = self._window if hasattr(self, "n_features_") else self.window
        return replace(self.about, sequence=window != 1)

    @property
    def warmup(self) -> int:
        """Rows before the first score, until a window is full; before ``fit``, 0 where it is yet to be chosen."""
        return (self._window if hasattr(self, "n_features_") else self.window or 1) - 1

    @property
    def _window(self) -> int:
        return self.window or -(-INPUTS // self.n_features_)

    @property
    def _lead(self) -> int:
        return self._window - 1

    @property
    def _chunk(self) -> int:
        return 1

    @property
    def _block(self) -> int:
        return max(1, BLOCK_VALUES // (self.n_features_ * self._window))

    @abstractmethod
    def _network(self, inputs: int, latent: int) -> Rebuilder:
        """The untrained network for windows of so many values."""

    def _build(self, n_features: int) -> nn.Module:
        inputs = n_features * self._window
        low, high = CODES
        return self._network(inputs, self.latent or min(high, max(low, inputs // NARROWING)))

    def _check_settings(self) -> None:
        super()._check_settings()
        for name in ("window", "latent", "hidden"):
            if name == "hidden" or getattr(self, name) is not None:
                check_whole(self._name, name, getattr(self, name), low=1)
