"""Variational autoencoder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from redshank.core import Tags, check_range
from redshank.detectors.neural._rebuild import RebuildDetector, Rebuilder, dense

EXACT = 1e-4
"""Added to the mean squared error, in training variances: without it a perfect reconstruction has an infinite gain."""

LOG_VARIANCE = 10.0
"""Largest size of a code's log-variance: its exponential stays finite."""


class VariationalAutoencoder(Rebuilder):
    """Encoder to mean and log-variance of a normal code, and decoder.

    Parameters
    ----------
    window, inputs, hidden, latent : int
        Rows in a window, values in it, width of the inner layers and of the code.
    """

    def __init__(self, window: int, inputs: int, hidden: int, latent: int) -> None:
        super().__init__(window)
        self.encoder = dense([inputs, hidden, 2 * latent])
        self.decoder = dense([latent, hidden, inputs])

    def rebuild(self, values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The one estimate, from the mean code: the same values give the same."""
        return (self.decoder(self.encoder(values).chunk(2, dim=-1)[0]),)

    def terms(self, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean squared error from drawn codes, and mean divergence of the codes from the standard normal."""
        mean, log_variance = self.encoder(values).chunk(2, dim=-1)
        log_variance = log_variance.clamp(-LOG_VARIANCE, LOG_VARIANCE)
        drawn = mean + torch.exp(log_variance / 2) * torch.randn_like(mean)
        divergence = (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(dim=-1) / 2
        return nn.functional.mse_loss(self.decoder(drawn), values), divergence.mean()


@dataclass(kw_only=True, eq=False, repr=False)
class VAEDetector(RebuildDetector):
    """Score a row by how badly a variational autoencoder rebuilds it from its most probable code.

    Parameters
    ----------
    beta : float, default=1.0
        Weight of the codes' divergence from the standard normal; 1 is the bound of [1]_.
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
    Learns by the evidence lower bound of [1]_ with one drawn code a row. The decoder's normal distribution has one
    variance for all values, at its most probable for each batch, so that the bound is, but for a constant, ``values / 2
    * log(mean squared error) + beta * divergence`` [2]_ and no weight between the two has to be tuned. The score is the
    squared error of the reconstruction from the mean code, mean over values: nothing is drawn, so a row always has the
    same score. Departures from [1]_: that variance; a rectified inner layer, not tanh; the best weights are those with
    the least reconstruction error on held-back rows.

    References
    ----------
    .. [1] D. P. Kingma, M. Welling, "Auto-encoding variational Bayes", ICLR 2014.
    .. [2] O. Rybkin, K. Daniilidis, S. Levine, "Simple and effective VAE training with calibrated decoders", ICML 2021.
    """

    about = Tags(
        streams=True,
        exports=True,
        good_for="noisy channels that hang together: codes that carry no information are given up",
        cost="O(window channels hidden)",
        source="Kingma and Welling 2014",
    )

    beta: float = 1.0

    def _check_settings(self) -> None:
        super()._check_settings()
        check_range(self._name, "beta", self.beta, low=0.0)

    def _network(self, inputs: int, latent: int) -> Rebuilder:
        return VariationalAutoencoder(self._window, inputs, self.hidden, latent)

    def _losses(self, module: nn.Module, batch: torch.Tensor) -> Iterator[torch.Tensor]:
        if not isinstance(module, VariationalAutoencoder):  # it is what _network gave
            raise AssertionError
        values = module.flat(batch)
        error, divergence = module.terms(values)
        yield torch.log(error + EXACT) / 2 + self.beta * divergence / values.shape[-1]

    def _watched(self, module: nn.Module, batch: torch.Tensor) -> Iterator[torch.Tensor]:
        return super()._losses(module, batch)
