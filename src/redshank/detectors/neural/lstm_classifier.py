"""A long short-term memory over a window, and the class of its last row."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from redshank.core import Tags, check_whole
from redshank.detectors.neural._classifier import WindowClassifier, check_dropout


class LSTM(nn.Module):
    """Stacked LSTM over a window, and logits from what it holds at the last row.

    Parameters
    ----------
    n_features, hidden, layers, classes : int
        Channels, width and number of the LSTM layers, logits.
    dropout : float
        Share of the last memory that a step of training leaves out.
    """

    def __init__(self, n_features: int, hidden: int, layers: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.lstm = nn.LSTM(n_features, hidden, layers, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden, classes)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """From (batch, window, channels) to logits (batch, classes)."""
        memory, _ = self.lstm(rows)  # (batch, window, hidden)
        logits: torch.Tensor = self.head(self.dropout(memory[:, -1]))
        return logits


@dataclass(kw_only=True, eq=False, repr=False)
class LSTMClassifierDetector(WindowClassifier):
    """Name a row's class by a long short-term memory over the window that ends at it.

    Parameters
    ----------
    window : int, default=10
        Rows in a window. With 1 the memory has one step: a gated layer over the features of the row.
    hidden, layers : int, default=64, 1
        Width and number of the LSTM layers.
    dropout : float, default=0.1
        Share of the last memory that a step of training leaves out, 0 to 0.9.
    class_weight, oversample
        As in :class:`~redshank.detectors.neural._classifier.TorchClassifier`.
    epochs, batch, lr, patience, held_back, budget_s, seed, device
        As in every neural detector: see :class:`~redshank.detectors.neural._base.TorchDetector`.

    Notes
    -----
    Score ``-ln P(normal)``. The memory of [1]_ starts empty at each window, so that a row's score depends on the window
    alone.

    References
    ----------
    .. [1] S. Hochreiter, J. Schmidhuber, "Long short-term memory", Neural Computation 9(8), 1997.
    """

    tags = Tags(
        sequence=True,
        needs_labels=True,
        exports=True,
        good_for="orders of events with names for what is wrong",
        cost="O(window (channels hidden + layers hidden^2))",
        source="Hochreiter and Schmidhuber 1997",
    )

    hidden: int = 64
    layers: int = 1
    dropout: float = 0.1

    def _check_settings(self) -> None:
        super()._check_settings()
        for name in ("hidden", "layers"):
            check_whole(self._name, name, getattr(self, name), low=1)
        check_dropout(self._name, self.dropout)

    def _build(self, n_features: int) -> nn.Module:
        return LSTM(n_features, self.hidden, self.layers, len(self.classes_), self.dropout)
