"""Deep autoencoder."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from redshank.core import Tags
from redshank.detectors.neural._rebuild import RebuildDetector, Rebuilder, dense


class Autoencoder(Rebuilder):
    """Dense encoder and decoder with one inner layer each.

    Parameters
    ----------
    window, inputs, hidden, latent : int
        Rows in a window, values in it, width of the inner layers and of the code.
    """

    def __init__(self, window: int, inputs: int, hidden: int, latent: int) -> None:
        super().__init__(window)
        self.encoder = dense([inputs, hidden, latent])
        self.decoder = dense([latent, hidden, inputs])

    def rebuild(self, values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The one estimate."""
        return (self.decoder(torch.relu(self.encoder(values))),)


@dataclass(kw_only=True, eq=False, repr=False)
class AutoencoderDetector(RebuildDetector):
    """Score a row by how badly a dense autoencoder rebuilds it.

    Parameters
    ----------
    window, latent, hidden
        As in :class:`~redshank.detectors.neural._rebuild.RebuildDetector`.
    epochs, batch, lr, patience, held_back, budget_s, seed, device
        As in every neural detector: see :class:`~redshank.detectors.neural._base.TorchDetector`; here batches of 1024
        rows and steps of 0.003.

    Attributes
    ----------
    band_
        As in :class:`~redshank.detectors.neural._errors.ErrorDetector`.

    Notes
    -----
    The deep autoencoder of [1]_: dense encoder and decoder, trained on normal rows by the mean squared error; the score
    is the squared L2 reconstruction error, here divided by the number of values, of channels in training standard
    deviations. Departures: rows are standardised, not brought to 0 to 1, and the output is linear; sizes follow from
    the number of channels; where there are fewer than 32 channels the window that ends at a row is rebuilt rather than
    the row alone, for a code as wide as the row would pass it on unseen; no threshold, which calibrators set.

    References
    ----------
    .. [1] Marcio, 2026 (deep autoencoder with a dense encoder and decoder; score: L2 reconstruction error).
    """

    about = Tags(
        streams=True,
        exports=True,
        good_for="many channels that hang together in bent ways; learns and scores quickly",
        cost="O(window channels hidden)",
        source="Marcio 2026",
    )

    def _network(self, inputs: int, latent: int) -> Rebuilder:
        return Autoencoder(self._window, inputs, self.hidden, latent)
