"""LSTM encoder-decoder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from redshank.core import Tags, check_whole
from redshank.detectors.neural._errors import Carried, ErrorDetector
from redshank.detectors.neural._rebuild import BLOCK_VALUES


class LSTMAutoencoder(nn.Module):
    """An LSTM that reads a window, and one that writes it down again from the last state, latest row first.

    Parameters
    ----------
    window, channels, hidden : int
        Rows in a window, width of a row, width of the two LSTMs.
    """

    def __init__(self, window: int, channels: int, hidden: int) -> None:
        super().__init__()
        self.window = window
        self.encoder = nn.LSTM(channels, hidden, batch_first=True)
        self.decoder = nn.LSTM(hidden, hidden, batch_first=True)
        self.head = nn.Linear(hidden, channels)

    def forward(self, rows: torch.Tensor, carried: Carried = None) -> tuple[tuple[torch.Tensor], Carried]:
        """The rebuilt windows, (batch, steps, channels, window); ``rows`` is (batch, window - 1 + steps, channels)."""
        windows = rows.unfold(1, self.window, 1)  # (batch, steps, channels, window)
        _, state = self.encoder(windows.flatten(0, 1).transpose(1, 2))
        code = state[0][-1]
        memory, _ = self.decoder(code[:, None].expand(-1, self.window, -1), state)
        rebuilt = self.head(memory).flip(1).transpose(1, 2)  # (batch * steps, channels, window)
        return (rebuilt.reshape(windows.shape),), carried


@dataclass(kw_only=True, eq=False, repr=False)
class LSTMAutoencoderDetector(ErrorDetector):
    """Score a row by how badly an LSTM encoder-decoder rebuilds the window that ends at it.

    Parameters
    ----------
    window : int, default=16
        Rows that are read and rebuilt; one less is the ``warmup``.
    hidden : int, default=64
        Width of both LSTMs, and so of the code.
    epochs, batch, lr, patience, held_back, budget_s, seed, device
        As in every neural detector: see :class:`~redshank.detectors.neural._base.TorchDetector`; here steps of 0.003.

    Attributes
    ----------
    spread_, band_
        As in :class:`~redshank.detectors.neural._errors.ErrorDetector`.

    Notes
    -----
    EncDec-AD of [1]_: the decoder begins with the encoder's last state and gives the window in reverse order.
    Departures: the decoder reads the code at every step, in training and scoring alike, where [1]_ gives it the true
    row in training and its own in scoring; errors are in units of each channel's held-back error, in place of a
    Mahalanobis distance with all covariances, so that they can be put down to channels; the window ends at the row that
    is scored, and the mean is over all its rows, where [1]_ cuts windows that lie on both sides of a row; an epoch
    learns from windows that follow each other with a step of a window, or less where rows are few, not from all.

    References
    ----------
    .. [1] P. Malhotra, A. Ramakrishnan, G. Anand, L. Vig, P. Agarwal, G. Shroff, "LSTM-based encoder-decoder for
       multi-sensor anomaly detection", ICML anomaly detection workshop 2016.
    """

    tags = Tags(
        sequence=True,
        streams=True,
        exports=True,
        good_for="short patterns in time whose shape, rather than the next value, is what is normal",
        cost="O(window hidden^2)",
        source="Malhotra et al. 2016",
    )

    window: int = 16
    hidden: int = 64
    lr: float = 0.003

    @property
    def warmup(self) -> int:
        """Rows of a series before the first real score, until a window is full."""
        return self.window - 1

    @property
    def _lead(self) -> int:
        return self.window - 1

    @property
    def _chunk(self) -> int:
        return self.window

    @property
    def _block(self) -> int:
        return max(1, BLOCK_VALUES // (max(self.hidden, self.n_features_) * self.window))

    def _check_settings(self) -> None:
        super()._check_settings()
        for name in ("window", "hidden"):
            check_whole(self._name, name, getattr(self, name), low=1)

    def _build(self, n_features: int) -> nn.Module:
        return LSTMAutoencoder(self.window, n_features, self.hidden)

    def _losses(self, module: nn.Module, batch: torch.Tensor) -> Iterator[torch.Tensor]:
        window = batch[:, -self.window :]  # the last of a chunk: the next chunk's begins where it ends
        (rebuilt,), _ = module(window)
        yield nn.functional.mse_loss(rebuilt[:, 0], window.transpose(1, 2))
