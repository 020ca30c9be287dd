"""Denoising autoencoder."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from redshank.core import Tags, check_range
from redshank.detectors.neural._rebuild import RebuildDetector, Rebuilder, dense


class DenoisingAutoencoder(Rebuilder):
    """Dense encoder and decoder that see a part of the values only, while they learn.

    Parameters
    ----------
    window, inputs, hidden, latent : int
        Rows in a window, values in it, width of the inner layers and of the code.
    corrupted : float
        Share of the values that is put to 0, the training mean, in training.
    """

    def __init__(self, window: int, inputs: int, hidden: int, latent: int, corrupted: float) -> None:
        super().__init__(window)
        self.corrupted = corrupted
        self.encoder = dense([inputs, hidden, latent])
        self.decoder = dense([latent, hidden, inputs])

    def rebuild(self, values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The one estimate, of the values as they came."""
        if self.training:
            values = values * (torch.rand_like(values) >= self.corrupted)
        return (self.decoder(torch.relu(self.encoder(values))),)


@dataclass(kw_only=True, eq=False, repr=False)
class DenoisingAutoencoderDetector(RebuildDetector):
    """Score a row by how badly it is rebuilt by an autoencoder that learned to fill in what is missing.

    Parameters
    ----------
    corrupted : float, default=0.2
        Share of the values that is put to the training mean, drawn anew for every batch, in training only; 0 to 0.9.
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
    The masking noise of [1]_: a value that is gone can only be told from the others, so the network has to learn how
    channels hang together and cannot pass them on one by one. Loss: mean squared error against the values before the
    noise. Score: the same, without noise, so that a row always has the same score. Departures: one autoencoder, not a
    stack learned layer by layer; linear output and squared error for real values, where [1]_ has bits; the score
    itself, for [1]_ detects nothing.

    References
    ----------
    .. [1] P. Vincent, H. Larochelle, Y. Bengio, P.-A. Manzagol, "Extracting and composing robust features with
       denoising autoencoders", ICML 2008.
    """

    about = Tags(
        streams=True,
        exports=True,
        good_for="channels that tell each other's values; a lost correlation shows more than in a plain autoencoder",
        cost="O(window channels hidden)",
        source="Vincent et al. 2008",
    )

    corrupted: float = 0.2

    def _check_settings(self) -> None:
        super()._check_settings()
        check_range(self._name, "corrupted", self.corrupted, low=0.0, high=0.9)

    def _network(self, inputs: int, latent: int) -> Rebuilder:
        return DenoisingAutoencoder(self._window, inputs, self.hidden, latent, self.corrupted)
