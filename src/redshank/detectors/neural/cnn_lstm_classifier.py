"""Convolutions, and a long short-term memory over what they find, to a class."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from redshank.core import Tags
from redshank.detectors.neural._classifier import ConvolutionClassifier, signal, signal_shape
from redshank.detectors.neural._convolution import convolutions


class CNNLSTM(nn.Module):
    """Convolutions, an LSTM along what they leave, and logits from its last memory.

    Parameters
    ----------
    window, n_features, filters, blocks, hidden, classes : int
        Rows in a window, channels, filters of each block, blocks, width of the LSTM, logits.
    dropout : float
        Share of the last memory that a step of training leaves out.
    """

    def __init__(
        self, window: int, n_features: int, *, filters: int, blocks: int, hidden: int, classes: int, dropout: float
    ) -> None:
        super().__init__()
        self.convolutions, _ = convolutions(*signal_shape(window, n_features), filters, blocks)
        self.lstm = nn.LSTM(filters, hidden, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden, classes)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """From (batch, window, channels) to logits (batch, classes)."""
        found = self.convolutions(signal(rows)).transpose(1, 2)  # (batch, places, filters)
        memory, _ = self.lstm(found)
        logits: torch.Tensor = self.head(self.dropout(memory[:, -1]))
        return logits


@dataclass(kw_only=True, eq=False, repr=False)
class CNNLSTMClassifierDetector(ConvolutionClassifier):
    """Name a row's class by convolutions along its window, and a long short-term memory over what they find.

    Parameters
    ----------
    window : int, default=10
        Rows in a window. With 1 filters and memory run along the features of the row, as papers on network records
        do it.
    filters, blocks : int, default=32, 2
        Filters of three values in a block; blocks, each of which halves the length.
    hidden : int, default=64
        Width of the LSTM.
    dropout : float, default=0.1
        Share of the last memory that a step of training leaves out, 0 to 0.9.
    class_weight, oversample
        As in :class:`~redshank.detectors.neural._classifier.TorchClassifier`.
    epochs, batch, lr, patience, held_back, budget_s, seed, device
        As in every neural detector: see :class:`~redshank.detectors.neural._base.TorchDetector`.

    Notes
    -----
    Score ``-ln P(normal)``. The order of layers of [1]_, without its dense layers between.

    References
    ----------
    .. [1] T. N. Sainath, O. Vinyals, A. Senior, H. Sak, "Convolutional, long short-term memory, fully connected deep
       neural networks", ICASSP, 2015.
    """

    tags = Tags(
        sequence=True,
        needs_labels=True,
        exports=True,
        good_for="short shapes whose order matters, with names for what is wrong",
        cost="O(window (channels filters + hidden^2))",
        source="Sainath et al. 2015",
    )
    network = CNNLSTM
