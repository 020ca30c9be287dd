"""DeepDetect: convolutions, a gated recurrent unit and a bidirectional LSTM, to a class."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from redshank.core import Tags
from redshank.detectors.neural._classifier import ConvolutionClassifier, signal, signal_shape
from redshank.detectors.neural._convolution import convolutions


class DeepDetect(nn.Module):
    """Convolutions; a GRU along what they leave; an LSTM along that, from both ends; a dense layer; the logits.

    Parameters
    ----------
    window, n_features, filters, blocks, hidden, classes : int
        Rows in a window, channels, filters of each block, blocks, width of each recurrent and dense layer, logits.
    dropout : float
        Share of values that a step of training leaves out, behind the GRU and before the logits.
    """

    def __init__(
        self, window: int, n_features: int, *, filters: int, blocks: int, hidden: int, classes: int, dropout: float
    ) -> None:
        super().__init__()
        self.convolutions, _ = convolutions(*signal_shape(window, n_features), filters, blocks)
        self.gru = nn.GRU(filters, hidden, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.lstm = nn.LSTM(hidden, hidden, batch_first=True, bidirectional=True)
        self.dense = nn.Sequential(nn.Linear(2 * hidden, hidden), nn.ReLU(), nn.Dropout(dropout))
        self.head = nn.Linear(hidden, classes)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """From (batch, window, channels) to logits (batch, classes)."""
        found = self.convolutions(signal(rows)).transpose(1, 2)  # (batch, places, filters)
        memory, _ = self.gru(found)
        _, (ends, _) = self.lstm(self.dropout(memory))  # (2, batch, hidden): the last place, and the first
        logits: torch.Tensor = self.head(self.dense(ends.transpose(0, 1).flatten(1)))
        return logits


@dataclass(kw_only=True, eq=False, repr=False)
class DeepDetectDetector(ConvolutionClassifier):
    """Name a row's class by DeepDetect: convolutions, a GRU and a bidirectional LSTM.

    Parameters
    ----------
    window : int, default=1
        Rows in a window. With 1, as in the paper, all layers run along the features of the row; with more, along time.
    filters, blocks : int, default=32, 3
        Filters of three values in a block; blocks, each of which halves the length.
    hidden : int, default=32
        Width of the GRU, of the LSTM in each direction and of the dense layer.
    dropout : float, default=0.2
        Share of values that a step of training leaves out, 0 to 0.9.
    class_weight, oversample
        As in :class:`~redshank.detectors.neural._classifier.TorchClassifier`.
    epochs, batch, lr, patience, held_back, budget_s, seed, device
        As in every neural detector: see :class:`~redshank.detectors.neural._base.TorchDetector`.

    Notes
    -----
    The layers of [1]_ in its order; two classes or many, as the labels have them. Its sizes are not known to us: these
    were chosen for two cores. By default (``class_weight="root"``) a rare class counts for more than its rows, yet less
    than a common one; the score is ``-ln P(normal)``. The LSTM reads a window from both ends, never a row after it:
    the score stays causal.

    References
    ----------
    .. [1] Z. Zulfiqar et al., "DeepDetect: an innovative hybrid deep learning framework for anomaly detection in IoT
       networks", Journal of Computational Science 83, 2024.
    """

    tags = Tags(
        sequence=True,
        needs_labels=True,
        exports=True,
        good_for="network records with names for the attacks",
        cost="O(length / 4 (filters^2 + hidden^2)), length = channels, or window",
        source="Zulfiqar et al. 2024",
    )
    network = DeepDetect

    window: int = 1
    blocks: int = 3
    hidden: int = 32
    dropout: float = 0.2
