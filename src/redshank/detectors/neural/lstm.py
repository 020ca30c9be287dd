"""Stacked LSTM forecaster."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from redshank.core import Tags
from redshank.detectors.neural._recurrent import Recurrent, RecurrentDetector


@dataclass(kw_only=True, eq=False, repr=False)
class LSTMDetector(RecurrentDetector):
    """Score a row by how badly a stacked LSTM foretold it from the rows before.

    Parameters
    ----------
    hidden, layers : int, default=64, 2
        Width of each LSTM layer, and how many there are.
    epochs, batch, lr, patience, held_back, budget_s, seed, device
        As in every neural detector: see :class:`~redshank.detectors.neural._base.TorchDetector`.

    Attributes
    ----------
    spread_, band_
        As in :class:`~redshank.detectors.neural._errors.ErrorDetector`; one kind of error, the prediction's.

    Notes
    -----
    The forecaster of [1]_. Departures: one row ahead, not several; the network predicts the change from row to row, so
    that an untrained one already says "as before"; no Gaussian over the errors of several channels, but the errors of
    :class:`~redshank.detectors.neural._errors.ErrorDetector`; trained by truncated back-propagation over long
    chunks whose state is carried from part to part, and scored in one pass that carries its state through the series.

    References
    ----------
    .. [1] P. Malhotra, L. Vig, G. Shroff, P. Agarwal, "Long short term memory networks for anomaly detection in time
       series", ESANN 2015.
    """

    tags = Tags(
        sequence=True,
        streams=True,
        exports=True,
        good_for="signals that move by rules of their own past; says what each channel was expected to be",
        cost="O(layers hidden^2)",
        source="Malhotra et al. 2015",
    )

    def _build(self, n_features: int) -> nn.Module:
        return Recurrent(nn.LSTM(n_features, self.hidden, self.layers, batch_first=True))
