"""The hybrid AE-LSTM: an autoencoder over a short window and an LSTM forecaster, trained jointly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from redshank.core import SettingError, Tags, check_range, check_whole
from redshank.detectors.neural._errors import RECURRENT, Carried, ErrorDetector


class AELSTM(nn.Module):
    """Dense autoencoder of every window, and stacked LSTM over the windows' codes and their last rows.

    Parameters
    ----------
    channels, window, latent, hidden, layers : int
        Width of a row, rows in a window, width of the code, width of the inner layers, LSTM layers.
    """

    def __init__(self, channels: int, window: int, latent: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.window = window
        self.encoder = nn.Sequential(nn.Linear(channels * window, hidden), nn.ReLU(), nn.Linear(hidden, latent))
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, channels * window))
        self.lstm = nn.LSTM(latent + channels, hidden, layers, batch_first=True)
        self.head = nn.Linear(hidden, channels)

    def forward(self, rows: torch.Tensor, carried: Carried = None) -> tuple[tuple[torch.Tensor, torch.Tensor], Carried]:
        """The reconstructed windows, (batch, steps, channels, window), the predicted rows, and the state to carry on.

        ``rows`` has shape (batch, window + steps, channels).
        """
        shape = (rows.shape[2], self.window)
        windows = rows.unfold(1, self.window, 1)  # (batch, steps + 1, channels, window)
        codes = self.encoder(windows.flatten(2))  # (batch, steps + 1, latent)
        rebuilt = self.decoder(codes[:, 1:]).unflatten(2, shape)
        before = rows[:, self.window - 1 : -1]  # (batch, steps, channels)
        memory, carried = self.lstm(torch.cat([codes[:, :-1], before], dim=2), carried)
        return (rebuilt, before + self.head(memory)), carried


@dataclass(kw_only=True, eq=False, repr=False)
class AELSTMDetector(ErrorDetector):
    """Score a row by how badly its window is rebuilt and how badly the row itself was foretold.

    Parameters
    ----------
    window : int, default=10
        Rows that the autoencoder sees at once; also the ``warmup``.
    latent : int, default=None
        Width of the code; None takes a twentieth of ``window * n_features``, from 3 to 32.
    hidden : int, default=64
        Width of the autoencoder's inner layers and of the LSTM.
    layers : int, default=2
        LSTM layers.
    alpha, beta : float, default=None
        Weights of the reconstruction and of the prediction error. None: one over the spread (5 to 95 % quantile) of
        that error on held-back normal rows, so that both spread alike; never from labels.
    epochs, batch, lr, patience, held_back, budget_s, seed, device
        As in every neural detector: see :class:`~redshank.detectors.neural._base.TorchDetector`.

    Attributes
    ----------
    weights_ : ndarray of shape (2,)
        Alpha and beta in use.
    spread_, band_
        As in :class:`~redshank.detectors.neural._errors.ErrorDetector`; reconstruction first, prediction second.

    Notes
    -----
    ``A(t) = alpha * reconstruction error + beta * prediction error`` of [1]_. The reconstruction error is of the window
    that ends at row t, mean over its rows and channels; the prediction error is of row t, mean over channels. Both are
    squared errors in units of the channel's held-back error, growing linearly past three of them (Huber), so that
    a quiet channel counts as much as a noisy one and one wild channel does not drown the rest. Contributions are the
    terms of that mean: they sum to the score.

    Departures from [1]_, which gives no sizes: the LSTM predicts the change from row to row rather than the
    row; it reads the current row beside the code; it is trained by truncated back-propagation over chunks of
    32 rows from an empty state, and scores by one pass that carries its state through the series, so that the cost of a
    row does not depend on the history. Before its first row a series is taken to have stood still.

    References
    ----------
    .. [1] A. K. Pallikonda, V. K. Bandarapalli, A. Vipparla, "Real-Time Anomaly Detection in IoT Networks Using a
       Hybrid Deep Learning Model", Acadlore Transactions on AI and Machine Learning 4(4), 2025.
    """

    tags = Tags(
        sequence=True,
        streams=True,
        exports=True,
        good_for="slow multichannel signals with patterns in time; says what each channel was expected to be",
        cost="O(window channels hidden + layers hidden^2)",
        source="Pallikonda, Bandarapalli and Vipparla 2025",
    )

    abreast: ClassVar[int] = RECURRENT

    window: int = 10
    latent: int | None = None
    hidden: int = 64
    layers: int = 2
    alpha: float | None = None
    beta: float | None = None

    @property
    def warmup(self) -> int:
        """Rows of a series that must come before the first real score: one window."""
        return self.window

    @property
    def _lead(self) -> int:
        return self.window

    @property
    def _fixed_weights(self) -> tuple[float | None, ...]:
        return self.alpha, self.beta

    def _check_settings(self) -> None:
        super()._check_settings()
        for name in ("window", "hidden", "layers"):
            check_whole(self._name, name, getattr(self, name), low=1)
        if self.latent is not None:
            check_whole(self._name, "latent", self.latent, low=1)
        for name in ("alpha", "beta"):
            if getattr(self, name) is not None:
                check_range(self._name, name, getattr(self, name), low=0.0)
        if self.alpha == 0 and self.beta == 0:
            raise SettingError(f"{self._name}: alpha and beta are both 0; every score would be 0")

    def _build(self, n_features: int) -> nn.Module:
        latent = self.latent or min(32, max(3, n_features * self.window // 20))
        return AELSTM(n_features, self.window, latent, self.hidden, self.layers)
