"""IoT-AnomalyNet learned from normal rows alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from redshank.core import Tags, check_range, check_whole
from redshank.core.contracts import Array
from redshank.core.detector import Series
from redshank.detectors.neural._attention import IoTAnomalyNetTrunk
from redshank.detectors.neural._base import NEAR, one_thread
from redshank.detectors.neural._errors import STEPS, Carried, ErrorDetector


class IoTAnomalyNet(nn.Module):
    """The trunk, and a layer that tells from the context of a window by how much the next row differs.

    Parameters
    ----------
    trunk : IoTAnomalyNetTrunk
        From windows to contexts.
    channels : int
        Width of a row.
    """

    def __init__(self, trunk: IoTAnomalyNetTrunk, channels: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = nn.Linear(trunk.width, channels)

    def forward(self, rows: torch.Tensor, carried: Carried = None) -> tuple[tuple[torch.Tensor, torch.Tensor], Carried]:
        """The rebuilt rows, the predicted rows, (batch, steps, channels) each; nothing is carried on.

        ``rows`` has shape (batch, window + steps, channels).
        """
        context, _ = self.trunk(rows[:, :-1])
        before = rows[:, self.trunk.window - 1 : -1]  # (batch, steps, channels)
        return (self.trunk.rebuilt(rows[:, self.trunk.window :]), before + self.head(context)), carried


@dataclass(kw_only=True, eq=False, repr=False)
class IoTAnomalyNetDetector(ErrorDetector):
    """Score a row by how badly its features are rebuilt and how badly attention to the rows before foretold it.

    Parameters
    ----------
    window : int, default=10
        Rows before a row that its prediction looks at; also the ``warmup``.
    latent : int, default=16
        Width of the autoencoder's code.
    filters : int, default=8
        Filters of three values that run over the code.
    hidden, layers : int, default=32, 2
        Width of the inner layers, LSTM layers.
    dropout : float, default=0.2
        Share of values that a step of training leaves out, 0 to 0.9.
    epochs, batch, lr, patience, held_back, budget_s, seed, device
        As in every neural detector: see :class:`~redshank.detectors.neural._base.TorchDetector`; here, as in [1]_,
        100 epochs at most of 32 chunks a batch.

    Attributes
    ----------
    spread_, band_
        As in :class:`~redshank.detectors.neural._errors.ErrorDetector`; reconstruction first, prediction second.

    Notes
    -----
    The normal-only model of [1]_: an autoencoder gives the features of each row, convolution and pooling over the code
    find patterns among them, a stacked LSTM reads a window of those, and attention with query, key and value makes one
    context of the LSTM's states. Loss: mean squared error of reconstruction and prediction. Score: the same two errors
    with equal weight, measured as in :class:`~redshank.detectors.neural._errors.ErrorDetector`.

    Departures from [1]_, which gives no sizes: the parts are trained together; the network predicts the change from
    row to row, from the rows before alone; its query is the LSTM's last state. A batch is of 32 chunks of 32 rows, each
    row with the window before it. Every window begins with an empty state, so a row costs ``window`` steps of the LSTM.

    References
    ----------
    .. [1] K. Sudharson, C. S. Anita, M. A. Berlin, G. Eswari, J. Deepika, K. Selvi, "Real-Time Anomaly Detection in IoT
       Networks Using Deep Learning over Wireless Channels", SSRG International Journal of Electrical and Electronics
       Engineering 11(3), 2024, 332-340.
    """

    tags = Tags(
        sequence=True,
        streams=True,
        exports=True,
        good_for="short patterns in time, where it matters which earlier rows the model looked at",
        cost="O(window layers hidden^2)",
        source="Sudharson et al. 2024",
    )

    window: int = 10
    latent: int = 16
    filters: int = 8
    hidden: int = 32
    layers: int = 2
    dropout: float = 0.2
    epochs: int = 100
    batch: int = 32

    @property
    def warmup(self) -> int:
        """Rows of a series that must come before the first real score: one window."""
        return self.window

    def attention(self, X: Series) -> Array:
        """What each of the rows before a row weighs in its prediction, shape (n, window), oldest first.

        Sums to 1. Before its first row a series is taken to have stood still.
        """
        found = np.concatenate([np.empty((0, self.window)), *map(self._attended, self._check_fitted(X))])
        return self._finite(found, "attention")

    def _attended(self, X: Array) -> Array:
        weights = np.empty((len(X), self.window))
        device = next(self._module.parameters()).device
        for start in range(0, len(X), self._block):
            near = np.clip(self._piece(X, start), -NEAR, NEAR).astype(np.float32)
            with one_thread(), torch.inference_mode():
                own = self._module.get_submodule("trunk")(torch.from_numpy(near[:-1])[None].to(device))[1][0]
            weights[start : start + len(own)] = own.cpu().numpy()
        return weights

    @property
    def _lead(self) -> int:
        return self.window

    @property
    def _block(self) -> int:
        return STEPS  # every row brings its whole window to the LSTM: longer blocks take memory and save no time

    @property
    def _fixed_weights(self) -> tuple[float | None, ...]:
        return 1.0, 1.0

    def _check_settings(self) -> None:
        super()._check_settings()
        for name in ("window", "latent", "filters", "hidden", "layers"):
            check_whole(self._name, name, getattr(self, name), low=1)
        check_range(self._name, "dropout", self.dropout, low=0.0, high=0.9)

    def _build(self, n_features: int) -> IoTAnomalyNet:
        trunk = IoTAnomalyNetTrunk(
            n_features,
            self.window,
            latent=self.latent,
            filters=self.filters,
            hidden=self.hidden,
            layers=self.layers,
            dropout=self.dropout,
        )
        return IoTAnomalyNet(trunk, n_features)
