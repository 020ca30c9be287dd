"""Forecaster of causal convolutions followed by an LSTM."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import nn

from redshank.core import Tags, check_whole
from redshank.detectors.neural._errors import Carried
from redshank.detectors.neural._recurrent import RecurrentDetector
from redshank.detectors.neural.cnn import MOST_BLOCKS, Residual, reach


class CNNLSTM(nn.Module):
    """Residual blocks over the last few rows, an LSTM over what they found, and a layer that tells the change.

    Parameters
    ----------
    channels, width, blocks, layers : int
        Width of a row; filters of a block and width of the LSTM; blocks; LSTM layers.
    """

    def __init__(self, channels: int, width: int, blocks: int, layers: int) -> None:
        super().__init__()
        self.widen = nn.Linear(channels, width)
        self.blocks = nn.Sequential(*(Residual(width, 2**k) for k in range(blocks)))
        self.memory = nn.LSTM(width, width, layers, batch_first=True)
        self.head = nn.Linear(width, channels)

    def forward(self, rows: torch.Tensor, carried: Carried = None) -> tuple[tuple[torch.Tensor], Carried]:
        """The predicted rows, (batch, steps, channels), and the state; ``rows`` are (batch, lead + steps, channels)."""
        memory, carried = self.memory(self.blocks(self.widen(rows[:, :-1])), carried)
        return (rows[:, -memory.shape[1] - 1 : -1] + self.head(memory),), carried


@dataclass(kw_only=True, eq=False, repr=False)
class CNNLSTMDetector(RecurrentDetector):
    """Score a row by how badly it was foretold by an LSTM that reads what causal convolutions found.

    Parameters
    ----------
    hidden : int, default=64
        Filters of each block, and width of the LSTM.
    layers : int, default=1
        LSTM layers.
    blocks : int, default=2
        Residual blocks of dilation 1, 2, 4, ...: what the LSTM reads at a row is from ``2 (2^blocks - 1) + 1`` rows.
    epochs, batch, lr, patience, held_back, budget_s, seed, device
        As in every neural detector: see :class:`~redshank.detectors.neural._base.TorchDetector`.

    Attributes
    ----------
    spread_, band_
        As in :class:`~redshank.detectors.neural._errors.ErrorDetector`; one kind of error, the prediction's.

    Notes
    -----
    The order of [1]_ and [2]_: convolutions find short shapes, the LSTM remembers them. Departures: both name what they
    hear or see, here the next row is foretold, as its change from the row before; the blocks are those of
    :class:`~redshank.detectors.neural.cnn.CNNDetector` and pool nothing, so that every row is foretold; training
    and state as in :class:`~redshank.detectors.neural.lstm.LSTMDetector`.

    References
    ----------
    .. [1] T. N. Sainath, O. Vinyals, A. Senior, H. Sak, "Convolutional, long short-term memory, fully connected deep
       neural networks", ICASSP 2015.
    .. [2] T.-Y. Kim, S.-B. Cho, "Web traffic anomaly detection using C-LSTM neural networks", Expert Systems with
       Applications 106, 2018.
    """

    tags = Tags(
        sequence=True,
        streams=True,
        exports=True,
        good_for="short shapes that recur at long and changing distances",
        cost="O((blocks + layers) hidden^2)",
        source="Sainath et al. 2015",
    )
    most = MappingProxyType({"blocks": MOST_BLOCKS})

    layers: int = 1
    blocks: int = 2

    @property
    def warmup(self) -> int:
        """Rows of a series that must come before the first real score: until the state has settled."""
        return max(super().warmup, self._lead)

    @property
    def _lead(self) -> int:
        return reach(self.blocks)

    def _check_settings(self) -> None:
        super()._check_settings()
        check_whole(self._name, "blocks", self.blocks, low=1, high=self.most["blocks"])

    def _build(self, n_features: int) -> nn.Module:
        return CNNLSTM(n_features, self.hidden, self.blocks, self.layers)
