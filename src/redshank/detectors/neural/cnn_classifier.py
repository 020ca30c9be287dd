"""A convolutional network from a window, or from the features of a row, to a class."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from redshank.core import Tags
from redshank.detectors.neural._classifier import ConvolutionClassifier, signal, signal_shape
from redshank.detectors.neural._convolution import convolutions


class CNN(nn.Module):
    """Convolutions, then a hidden layer over all that they found, then the logits.

    Parameters
    ----------
    window, n_features, filters, blocks, hidden, classes : int
        Rows in a window, channels, filters of each block, blocks, width of the hidden layer, logits.
    dropout : float
        Share of hidden values that a step of training leaves out.
    """

    def __init__(
        self, window: int, n_features: int, *, filters: int, blocks: int, hidden: int, classes: int, dropout: float
    ) -> None:
        super().__init__()
        self.convolutions, length = convolutions(*signal_shape(window, n_features), filters, blocks)
        self.dense = nn.Sequential(nn.Flatten(), nn.Linear(filters * length, hidden), nn.ReLU(), nn.Dropout(dropout))
        self.head = nn.Linear(hidden, classes)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """From (batch, window, channels) to logits (batch, classes)."""
        logits: torch.Tensor = self.head(self.dense(self.convolutions(signal(rows))))
        return logits


@dataclass(kw_only=True, eq=False, repr=False)
class CNNClassifierDetector(ConvolutionClassifier):
    """Name a row's class by convolutions along the window that ends at it, or along its features.

    Parameters
    ----------
    window : int, default=10
        Rows in a window. With 1 the filters run along the features of the row, as papers on network records do it.
    filters, blocks : int, default=32, 2
        Filters of three values in a block; blocks, each of which halves the length.
    hidden : int, default=64
        Width of the layer behind them.
    dropout : float, default=0.1
        Share of hidden values that a step of training leaves out, 0 to 0.9.
    class_weight, oversample
        As in :class:`~redshank.detectors.neural._classifier.TorchClassifier`.
    epochs, batch, lr, patience, held_back, budget_s, seed, device
        As in every neural detector: see :class:`~redshank.detectors.neural._base.TorchDetector`.

    Notes
    -----
    Score ``-ln P(normal)``. The network of [1]_ in one dimension: what the filters find keeps its place, so that it
    matters when in the window, or at which feature, it was found.

    References
    ----------
    .. [1] Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document recognition",
       Proceedings of the IEEE 86(11), 1998.
    """

    tags = Tags(
        sequence=True,
        needs_labels=True,
        exports=True,
        good_for="short shapes in time with names for what is wrong",
        cost="O(window channels filters)",
        source="LeCun et al. 1998",
    )
    network = CNN
