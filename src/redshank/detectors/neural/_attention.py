"""The trunk of IoT-AnomalyNet: features of each row, their patterns, their order in time, and where to look."""

from __future__ import annotations

import math

import torch
from torch import nn

from redshank.detectors.neural._convolution import convolutions


class IoTAnomalyNetTrunk(nn.Module):
    """Autoencoder, convolution and pooling, stacked LSTM and attention over every window, in this order.

    Parameters
    ----------
    channels, window : int
        Width of a row, rows in a window.
    latent : int, default=16
        Width of the autoencoder's code.
    filters : int, default=8
        Filters of three values that run over the code.
    hidden, layers : int, default=32, 2
        Width of the autoencoder's inner layers, of the LSTM and of the attention; LSTM layers.
    dropout : float, default=0.2
        Share of values that training leaves out, between the LSTM's layers and of the context.

    Attributes
    ----------
    width : int
        Width of a context.
    """

    def __init__(
        self,
        channels: int,
        window: int,
        *,
        latent: int = 16,
        filters: int = 8,
        hidden: int = 32,
        layers: int = 2,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        self.window, self.width = window, hidden
        self.encoder = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, latent))
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, channels))
        self.convolutions, length = convolutions(1, latent, filters, blocks=1)
        self.memory = nn.LSTM(
            filters * length, hidden, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0
        )
        self.query = nn.Linear(hidden, hidden)
        self.key = nn.Linear(hidden, hidden)
        self.value = nn.Linear(hidden, hidden)
        self.dropout = nn.Dropout(dropout)

    def forward(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Context of every row that ends a window, (batch, steps, width), and what each row of the window weighs in it.

        ``rows`` has shape (batch, window - 1 + steps, channels). The attention, of shape (batch, steps, window), oldest
        row first, sums to 1: the last state of the LSTM asks, all its states in the window answer.
        """
        batch, count = rows.shape[:2]
        codes = self.encoder(rows).flatten(0, 1)  # (batch * rows, latent)
        found = self.convolutions(codes[:, None]).flatten(1).unflatten(0, (batch, count))
        windows = found.unfold(1, self.window, 1).transpose(2, 3)  # (batch, steps, window, found)
        memory, _ = self.memory(windows.flatten(0, 1))  # (batch * steps, window, width)
        asked = self.query(memory[:, -1:]) @ self.key(memory).transpose(1, 2)  # (batch * steps, 1, window)
        attention = torch.softmax(asked / math.sqrt(self.width), dim=2)
        context = self.dropout(attention @ self.value(memory))  # (batch * steps, 1, width)
        steps = count - self.window + 1
        return context.view(batch, steps, self.width), attention.view(batch, steps, self.window)

    def rebuilt(self, rows: torch.Tensor) -> torch.Tensor:
        """The rows as the autoencoder gives them back, same shape."""
        made: torch.Tensor = self.decoder(self.encoder(rows))
        return made
