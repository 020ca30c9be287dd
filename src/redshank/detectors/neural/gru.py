"""Stacked GRU forecaster."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from redshank.core import Tags
from redshank.detectors.neural._recurrent import Recurrent, RecurrentDetector


@dataclass(kw_only=True, eq=False, repr=False)
class GRUDetector(RecurrentDetector):
    """Score a row by how badly a stack of gated recurrent units foretold it from the rows before.

    Parameters
    ----------
    hidden, layers : int, default=64, 2
        Width of each recurrent layer, and how many there are.
    epochs, batch, lr, patience, held_back, budget_s, seed, device
        As in every neural detector: see :class:`~redshank.detectors.neural._base.TorchDetector`.

    Attributes
    ----------
    spread_, band_
        As in :class:`~redshank.detectors.neural._errors.ErrorDetector`; one kind of error, the prediction's.

    Notes
    -----
    The unit of [1]_ in the place of the LSTM's in :class:`~redshank.detectors.neural.lstm.LSTMDetector`, all else as
    there: it predicts the change from row to row, one row ahead, and carries its state. Three gates' worth of
    weights instead of four.

    References
    ----------
    .. [1] K. Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine
       translation", EMNLP 2014.
    """

    tags = Tags(
        sequence=True,
        streams=True,
        exports=True,
        good_for="as lstm, where a smaller model is wanted",
        cost="O(layers hidden^2)",
        source="Cho et al. 2014",
    )

    def _build(self, n_features: int) -> nn.Module:
        return Recurrent(nn.GRU(n_features, self.hidden, self.layers, batch_first=True))
