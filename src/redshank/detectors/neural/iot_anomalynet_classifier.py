"""IoT-AnomalyNet learned from labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from redshank.core import Tags, check_whole
from redshank.core.contracts import Array
from redshank.core.detector import Series
from redshank.detectors.neural._attention import IoTAnomalyNetTrunk
from redshank.detectors.neural._classifier import WindowClassifier, check_dropout


class IoTAnomalyNetLogits(nn.Module):
    """The trunk, and the logits of a window's context.

    Parameters
    ----------
    trunk : IoTAnomalyNetTrunk
        From windows to contexts.
    classes : int
        Logits.
    """

    def __init__(self, trunk: IoTAnomalyNetTrunk, classes: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = nn.Linear(trunk.width, classes)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """From (batch, window, channels) to logits (batch, classes)."""
        context, _ = self.trunk(rows)
        logits: torch.Tensor = self.head(context[:, -1])
        return logits

    def attention(self, rows: torch.Tensor) -> torch.Tensor:
        """What each row of the window weighs in its class, (batch, window), oldest first."""
        found: torch.Tensor = self.trunk(rows)[1][:, -1]
        return found


@dataclass(kw_only=True, eq=False, repr=False)
class IoTAnomalyNetClassifierDetector(WindowClassifier):
    """Name a row's class by attention to the window that ends at it.

    Parameters
    ----------
    window : int, default=10
        Rows in a window. With 1 there is one step in time: the convolution still runs over the row's code.
    latent : int, default=16
        Width of the autoencoder's code.
    filters : int, default=8
        Filters of three values that run over the code.
    hidden, layers : int, default=32, 2
        Width of the inner layers, LSTM layers.
    dropout : float, default=0.2
        Share of values that a step of training leaves out, 0 to 0.9.
    class_weight, oversample
        As in :class:`~redshank.detectors.neural._classifier.TorchClassifier`.
    epochs, batch, lr, patience, held_back, budget_s, seed, device
        As in every neural detector: see :class:`~redshank.detectors.neural._base.TorchDetector`; here, as in [1]_,
        100 epochs at most of 32 windows a batch.

    Notes
    -----
    The classifier of [1]_: an autoencoder gives the features of each row, convolution and pooling over the code find
    patterns among them, a stacked LSTM reads a window of those, and attention with query, key and value makes one
    context of the LSTM's states, from which a layer tells the class. Score ``-ln P(normal)``.

    Departures from [1]_, which gives no sizes: the parts are trained together, by the sum of the cross-entropy and the
    mean squared error of reconstruction; the query is the LSTM's last state.

    References
    ----------
    .. [1] K. Sudharson, C. S. Anita, M. A. Berlin, G. Eswari, J. Deepika, K. Selvi, "Real-Time Anomaly Detection in IoT
       Networks Using Deep Learning over Wireless Channels", SSRG International Journal of Electrical and Electronics
       Engineering 11(3), 2024, 332-340.
    """

    tags = Tags(
        sequence=True,
        needs_labels=True,
        exports=True,
        good_for="patterns in time with names for what is wrong, where it matters which rows gave them away",
        cost="O(window layers hidden^2)",
        source="Sudharson et al. 2024",
    )

    latent: int = 16
    filters: int = 8
    hidden: int = 32
    layers: int = 2
    dropout: float = 0.2
    epochs: int = 100
    batch: int = 32

    def attention(self, X: Series) -> Array:
        """What each row of the window that ends at a row weighs in its class, shape (n, window), oldest first.

        Sums to 1. Before its first row a series is taken to have stood still.
        """
        series = self._check_fitted(X)
        if not isinstance(self._module, IoTAnomalyNetLogits):
            raise AssertionError
        found = [self._through(self._module.attention, one, self.window) for one in series]
        return self._finite(np.concatenate(found), "attention")

    def _check_settings(self) -> None:
        super()._check_settings()
        for name in ("latent", "filters", "hidden", "layers"):
            check_whole(self._name, name, getattr(self, name), low=1)
        check_dropout(self._name, self.dropout)

    def _build(self, n_features: int) -> nn.Module:
        trunk = IoTAnomalyNetTrunk(
            n_features,
            self.window,
            latent=self.latent,
            filters=self.filters,
            hidden=self.hidden,
            layers=self.layers,
            dropout=self.dropout,
        )
        return IoTAnomalyNetLogits(trunk, len(self.classes_))

    def _losses(self, module: nn.Module, batch: torch.Tensor) -> Iterator[torch.Tensor]:
        if not isinstance(module, IoTAnomalyNetLogits):
            raise AssertionError
        rows = batch[:, :, :-1]
        named = self._cross_entropy(module(rows), batch[:, -1, -1].long())
        yield named + nn.functional.mse_loss(module.trunk.rebuilt(rows), rows)
