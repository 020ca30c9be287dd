"""Forecaster of causal, dilated convolutions."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import nn

from redshank.core import Tags, check_whole
from redshank.detectors.neural._errors import Carried, ErrorDetector
from redshank.detectors.neural._recurrent import CHUNK

KERNEL = 3
"""Rows that a filter sees at once (Bai et al. 2018 use 2 to 8)."""


MOST_BLOCKS = 12
"""Twelve see 8,191 rows."""


class Residual(nn.Module):
    """A dilated convolution over time that looks back only, ReLU, a layer, and the values it started from added.

    Parameters
    ----------
    width, dilation : int
        Channels; rows between two that a filter sees.

    Notes
    -----
    The convolution is one matrix product over the rows that a filter sees, side by side: on a CPU as fast as torch's
    own, and the same to the last bit for one series and for many.
    """

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.filters = nn.Linear(KERNEL * width, width)
        self.mix = nn.Linear(width, width)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """From (batch, rows, width) to (batch, rows - (KERNEL - 1) * dilation, width)."""
        rows = values.shape[1] - (KERNEL - 1) * self.dilation
        seen = [values[:, k * self.dilation : k * self.dilation + rows] for k in range(KERNEL)]
        changed: torch.Tensor = self.mix(torch.relu(self.filters(torch.cat(seen, dim=2))))
        return seen[-1] + changed


class CausalCNN(nn.Module):
    """Residual blocks of doubling dilation that read the rows before a row and tell by how much it differs.

    Parameters
    ----------
    channels, width, blocks : int
        Width of a row, filters of a block, blocks.
    """

    def __init__(self, channels: int, width: int, blocks: int) -> None:
        super().__init__()
        self.widen = nn.Linear(channels, width)
        self.blocks = nn.Sequential(*(Residual(width, 2**k) for k in range(blocks)))
        self.head = nn.Linear(width, channels)

    def forward(self, rows: torch.Tensor, carried: Carried = None) -> tuple[tuple[torch.Tensor], Carried]:
        """The predicted rows, (batch, steps, channels), of (batch, lead + steps, channels); nothing is carried on."""
        change = self.head(torch.relu(self.blocks(self.widen(rows[:, :-1]))))
        return (rows[:, -change.shape[1] - 1 : -1] + change,), carried


def reach(blocks: int) -> int:
    """Rows that blocks of dilation 1, 2, 4, ... see together."""
    return (KERNEL - 1) * ((1 << blocks) - 1) + 1


@dataclass(kw_only=True, eq=False, repr=False)
class CNNDetector(ErrorDetector):
    """Score a row by how badly causal convolutions over the rows before foretold it.

    Parameters
    ----------
    hidden : int, default=64
        Filters of each block.
    blocks : int, default=4
        Residual blocks of dilation 1, 2, 4, ...: together they see the ``2 (2^blocks - 1) + 1`` rows before a row,
        which is also the ``warmup``.
    epochs, batch, lr, patience, held_back, budget_s, seed, device
        As in every neural detector: see :class:`~redshank.detectors.neural._base.TorchDetector`.

    Attributes
    ----------
    spread_, band_
        As in :class:`~redshank.detectors.neural._errors.ErrorDetector`; one kind of error, the prediction's.

    Notes
    -----
    The idea of [1]_, a convolutional network that foretells the next row from a window, with the network of [2]_,
    whose cost for long windows grows with their logarithm. Departures from [1]_: dilation in the place of pooling,
    which is not causal row by row; the change from row to row is predicted; errors as in
    :class:`~redshank.detectors.neural._errors.ErrorDetector` in the place of the distance. From [2]_: one dilated
    convolution a block, no dropout and no weight normalisation, which these small networks do without.

    References
    ----------
    .. [1] M. Munir, S. A. Siddiqui, A. Dengel, S. Ahmed, "DeepAnT: a deep learning approach for unsupervised anomaly
       detection in time series", IEEE Access 7, 2019.
    .. [2] S. Bai, J. Z. Kolter, V. Koltun, "An empirical evaluation of generic convolutional and recurrent networks
       for sequence modeling", 2018.
    """

    tags = Tags(
        sequence=True,
        streams=True,
        exports=True,
        good_for="signals with short patterns in time; forgets whatever is older than its window",
        cost="O(blocks hidden^2)",
        source="Munir et al. 2019, Bai et al. 2018",
    )
    most = MappingProxyType({"blocks": MOST_BLOCKS})

    hidden: int = 64
    blocks: int = 4

    @property
    def warmup(self) -> int:
        """Rows of a series that must come before the first real score: all that a prediction looks at."""
        return self._lead

    @property
    def _lead(self) -> int:
        return reach(self.blocks)

    @property
    def _chunk(self) -> int:
        return CHUNK

    def _check_settings(self) -> None:
        super()._check_settings()
        check_whole(self._name, "hidden", self.hidden, low=1)
        check_whole(self._name, "blocks", self.blocks, low=1, high=self.most["blocks"])

    def _build(self, n_features: int) -> nn.Module:
        return CausalCNN(n_features, self.hidden, self.blocks)
