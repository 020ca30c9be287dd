"""The hybrid AE-LSTM: an autoencoder over a short window and an LSTM forecaster, trained jointly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from redshank.core import Band, SettingError, Tags, check_range
from redshank.core.contracts import Array
from redshank.detectors.neural._base import NEAR, TorchDetector, one_thread

FAR = 1e12
"""Errors are measured on values clipped this far from the training mean, in training standard deviations."""

KNEE = 3.0
"""An error of more than this many held-back root mean squares counts linearly, not squared (Huber 1964)."""

FLOOR = 0.01
"""Smallest mean squared error of a channel on held-back rows, as a share of its training variance: a channel
that is foretold perfectly, because it never moves, would otherwise outweigh all others."""

BAND = (0.005, 0.995)
"""Quantiles of the held-back prediction errors between which a channel is as expected."""

MIDDLE = (0.05, 0.95)
"""Quantiles of a held-back error whose distance is its spread."""

BLOCK = 256
"""Rows scored at a time. Always this many, the last block filled up: arithmetic on equal shapes gives equal
bits, so a row's score does not change in its last digits with what follows it."""

STEPS = 32
"""Rows over which an error is propagated back: 64 take twice as long a pass and found no more on SMD 1-6."""

TOGETHER = 64
"""Series of one list that are scored side by side."""


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

    def forward(
        self, rows: torch.Tensor, carried: tuple[torch.Tensor, torch.Tensor] | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        """Windows, their reconstruction, the predicted rows and the state to carry on.

        ``rows`` has shape (batch, window + steps, channels). Windows and reconstructions have shape (batch, steps,
        channels, window) and end at rows ``window`` and later; predictions are of those rows, (batch, steps, channels).
        """
        shape = (rows.shape[2], self.window)
        windows = rows.unfold(1, self.window, 1)  # (batch, steps + 1, channels, window)
        codes = self.encoder(windows.flatten(2))  # (batch, steps + 1, latent)
        rebuilt = self.decoder(codes[:, 1:]).unflatten(2, shape)
        before = rows[:, self.window - 1 : -1]  # (batch, steps, channels)
        memory, carried = self.lstm(torch.cat([codes[:, :-1], before], dim=2), carried)
        return windows[:, 1:], rebuilt, before + self.head(memory), carried


class AELSTMDetector(TorchDetector):
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
    epochs, batch, lr, patience : int, int, float, int, default=50, 64, 0.001, 5
        Passes at most, chunks in a batch, step of Adam, epochs to wait for a better held-back loss.
    held_back : float, default=0.2
        Share of the training rows that weights are not learned from.
    budget_s : float, default=None
        Seconds that training may take; None: no limit.
    seed : int, default=0
        Same seed, same scores.
    device : str, default="auto"
        ``"cpu"``, ``"cuda"`` or ``"auto"``: CUDA where there is one.

    Attributes
    ----------
    alpha_, beta_ : float
        The weights in use.
    rebuilt_spread_, predicted_spread_ : ndarray of shape (n_features,)
        Root mean square error of each channel on held-back rows, in training standard deviations.
    band_ : ndarray of shape (2, n_features)
        Usual prediction error, from and to, in training standard deviations.

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
    .. [1] A. Pallikonda et al., hybrid autoencoder and LSTM anomaly detection for IoT sensor networks, 2025.
    """

    tags = Tags(
        sequence=True,
        streams=True,
        exports=True,
        good_for="slow multichannel signals with patterns in time; says what each channel was expected to be",
    )

    def __init__(
        self,
        *,
        window: int = 10,
        latent: int | None = None,
        hidden: int = 64,
        layers: int = 2,
        alpha: float | None = None,
        beta: float | None = None,
        epochs: int = 50,
        batch: int = 64,
        lr: float = 0.001,
        patience: int = 5,
        held_back: float = 0.2,
        budget_s: float | None = None,
        seed: int = 0,
        device: str = "auto",
    ) -> None:
        self.window = window
        self.latent = latent
        self.hidden = hidden
        self.layers = layers
        self.alpha = alpha
        self.beta = beta
        self.epochs = epochs
        self.batch = batch
        self.lr = lr
        self.patience = patience
        self.held_back = held_back
        self.budget_s = budget_s
        self.seed = seed
        self.device = device

    @property
    def warmup(self) -> int:
        """Rows of a series that must come before the first real score: one window."""
        return self.window

    @property
    def _lead(self) -> int:
        return self.window

    @property
    def _chunk(self) -> int:
        return STEPS

    def _check_settings(self) -> None:
        super()._check_settings()
        for name in ("window", "hidden", "layers"):
            check_range(self._name, name, getattr(self, name), low=1)
        if self.latent is not None:
            check_range(self._name, "latent", self.latent, low=1)
        for name in ("alpha", "beta"):
            if getattr(self, name) is not None:
                check_range(self._name, name, getattr(self, name), low=0.0)
        if self.alpha == 0 and self.beta == 0:
            raise SettingError(f"{self._name}: alpha and beta are both 0; every score would be 0")

    def _build(self, n_features: int) -> nn.Module:
        latent = self.latent or min(32, max(3, n_features * self.window // 20))
        return AELSTM(n_features, self.window, latent, self.hidden, self.layers)

    def _loss(self, module: nn.Module, batch: torch.Tensor) -> torch.Tensor:
        windows, rebuilt, predicted, _ = module(batch)
        return nn.functional.mse_loss(rebuilt, windows) + nn.functional.mse_loss(predicted, batch[:, self.window :])

    def _calibrate(self, series: list[Array], held: list[npt.NDArray[np.bool_]]) -> None:
        squares = np.zeros(self.n_features_)
        misses: list[Array] = []
        for part in self._parts(series):
            mask = held[part.series][part.rows]
            # Clipped, so that a fault among the training rows does not make its channel deaf.
            squares += np.square(np.clip(part.window[mask], -NEAR, NEAR)).mean(axis=2).sum(axis=0)
            misses.append(np.clip(part.row[mask], -NEAR, NEAR))
        missed = np.concatenate(misses)
        self.rebuilt_spread_ = np.sqrt(np.maximum(squares / len(missed), FLOOR))
        self.predicted_spread_ = np.sqrt(np.maximum(np.square(missed).mean(axis=0), FLOOR))
        low, high = np.quantile(missed, BAND, axis=0)
        self.band_ = np.stack([np.minimum(low, 0.0), np.maximum(high, 0.0)])
        errors = [self._errors(part, held[part.series][part.rows]) for part in self._parts(series)]
        rebuilt, predicted = (np.concatenate(kind).mean(axis=1) for kind in zip(*errors, strict=True))
        self.alpha_ = self.alpha if self.alpha is not None else 1.0 / _spread(rebuilt)
        self.beta_ = self.beta if self.beta is not None else 1.0 / _spread(predicted)

    def _score(self, X: Array) -> Array:
        return self._score_all([X])[0]

    def _score_all(self, series: list[Array]) -> list[Array]:
        """Scores of several series, side by side through the LSTM."""
        return [parts.sum(axis=1) for parts in self._terms(series)]

    def _contributions(self, X: Array) -> Array:
        return self._terms([X])[0]

    def _expected(self, X: Array) -> Band:
        """The predicted row, with the range that held 99 % of the held-back errors; before that, the training's."""
        early = super()._expected(X)
        value, low, high = (part.copy() for part in (early.value, early.low, early.high))
        for part in self._parts([X]):
            foretold = part.predicted
            for out, ahead in ((value, 0.0), (low, self.band_[0]), (high, self.band_[1])):
                out[part.rows] = self.mean_ + self.scale_ * (foretold + ahead)
        for out, start in ((value, early.value), (low, early.low), (high, early.high)):
            out[: self.warmup] = start[: self.warmup]
        return Band(value, low, high)

    def _terms(self, series: list[Array]) -> list[Array]:
        """What each channel adds to the score of each row, an array of shape (rows, n_features) a series."""
        terms = [np.empty(one.shape) for one in series]
        for part in self._parts(series):
            rebuilt, predicted = self._errors(part)
            terms[part.series][part.rows] = (self.alpha_ * rebuilt + self.beta_ * predicted) / self.n_features_
        return terms

    def _errors(self, part: _Part, which: npt.NDArray[np.bool_] | slice = slice(None)) -> tuple[Array, Array]:
        """Reconstruction and prediction error of the rows ``which``, each of shape (rows, n_features)."""
        rebuilt = _huber(part.window[which] / self.rebuilt_spread_[:, None]).mean(axis=2)
        return rebuilt, _huber(part.row[which] / self.predicted_spread_)

    def _parts(self, series: list[Array]) -> Iterator[_Part]:
        """What the network makes of each series, block by block, carrying its state."""
        # Longest first: series of like length stand side by side, so little is filled up.
        order = sorted((k for k in range(len(series)) if len(series[k])), key=lambda k: -len(series[k]))
        for first in range(0, len(order), TOGETHER):
            yield from self._side_by_side({k: series[k] for k in order[first : first + TOGETHER]})

    def _side_by_side(self, group: dict[int, Array]) -> Iterator[_Part]:
        device = next(self._module.parameters()).device
        far = [self._padded(np.clip(self._scaled(one), -FAR, FAR)) for one in group.values()]
        carried = None
        for start in range(0, max(map(len, group.values())), BLOCK):
            rows = np.zeros((len(group), self.window + BLOCK, self.n_features_), np.float32)
            for i, one in enumerate(far):
                piece = one[start : start + self.window + BLOCK]
                rows[i, : len(piece)] = np.clip(piece, -NEAR, NEAR)
            with one_thread(), torch.inference_mode():
                _, rebuilt, predicted, carried = self._module(torch.from_numpy(rows).to(device), carried)
            for i, (k, one) in enumerate(zip(group, far, strict=True)):
                piece = one[start : start + self.window + BLOCK]
                count = len(piece) - self.window
                if count > 0:
                    windows = np.lib.stride_tricks.sliding_window_view(piece[1:], self.window, axis=0)
                    foretold = predicted[i, :count].cpu().numpy().astype(np.float64)
                    yield _Part(
                        k,
                        slice(start, start + count),
                        windows - rebuilt[i, :count].cpu().numpy(),
                        piece[self.window :] - foretold,
                        foretold,
                    )

    def _padded(self, rows: Array) -> Array:
        return np.concatenate([np.repeat(rows[:1], self.window, axis=0), rows])


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Errors of consecutive rows of one series, in training standard deviations.

    ``window`` of shape (rows, channels, window), ``row`` and ``predicted`` of shape (rows, channels).
    """

    series: int
    rows: slice
    window: Array
    row: Array
    predicted: Array


def _huber(error: Array) -> Array:
    size = np.abs(error)
    return np.where(size <= KNEE, np.square(np.minimum(size, KNEE)), KNEE * (2.0 * size - KNEE))


def _spread(errors: Array) -> float:
    low, high = np.quantile(errors, MIDDLE)
    return float(max(high - low, np.finfo(np.float32).eps))
