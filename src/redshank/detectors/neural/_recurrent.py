"""What the recurrent forecasters share: one network around a stack of recurrent layers, one detector around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from redshank.core import check_whole
from redshank.detectors.neural._errors import RECURRENT, STEPS, Carried, ErrorDetector

CHUNK = 4 * STEPS
"""Rows that the state is carried over in training: the network learns to go on from a state, not only to begin."""

SETTLE = 10
"""Rows before the first score: until then an empty state says more about the beginning than about the device."""


class Recurrent(nn.Module):
    """A stack of recurrent layers that reads a row and tells by how much the next one differs.

    Parameters
    ----------
    layers : nn.LSTM or nn.GRU
        Made with ``batch_first``; its input is as wide as a row.
    """

    def __init__(self, layers: nn.LSTM | nn.GRU) -> None:
        super().__init__()
        self.memory = layers
        self.head = nn.Linear(layers.hidden_size, layers.input_size)

    def forward(self, rows: torch.Tensor, carried: Carried = None) -> tuple[tuple[torch.Tensor], Carried]:
        """The predicted rows, (batch, steps, channels), and the state; ``rows`` are (batch, 1 + steps, channels)."""
        before = rows[:, :-1]
        memory, carried = self.memory(before, carried)
        return (before + self.head(memory),), carried


@dataclass(kw_only=True, eq=False, repr=False)
class RecurrentDetector(ErrorDetector):
    """A forecaster whose past is a state; a subclass gives ``_build``.

    Parameters
    ----------
    hidden : int, default=64
        Width of each recurrent layer.
    layers : int, default=2
        Recurrent layers.
    """

    abreast: ClassVar[int] = RECURRENT

    hidden: int = 64
    layers: int = 2

    @property
    def warmup(self) -> int:
        """Rows of a series that must come before the first real score."""
        return SETTLE

    @property
    def _lead(self) -> int:
        return 1

    @property
    def _chunk(self) -> int:
        return CHUNK

    def _check_settings(self) -> None:
        super()._check_settings()
        for name in ("hidden", "layers"):
            check_whole(self._name, name, getattr(self, name), low=1)
