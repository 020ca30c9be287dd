"""Adversarial autoencoder in the manner of GANomaly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from redshank.core import Tags, check_range
from redshank.detectors.neural._rebuild import RebuildDetector, Rebuilder, dense, fixed


class GANomaly(Rebuilder):
    """Encoder, decoder and a second encoder, and a discriminator that tells rows from reconstructions.

    Parameters
    ----------
    window, inputs, hidden, latent : int
        Rows in a window, values in it, width of the inner layers and of the code.
    """

    def __init__(self, window: int, inputs: int, hidden: int, latent: int) -> None:
        super().__init__(window)
        self.encoder = dense([inputs, hidden, latent])
        self.decoder = dense([latent, hidden, inputs])
        self.again = dense([inputs, hidden, latent])
        self.features = nn.Sequential(nn.Linear(inputs, hidden), nn.LeakyReLU(0.2))
        self.verdict = nn.Linear(hidden, 1)

    def rebuild(self, values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The one estimate."""
        return (self.decoder(self.encoder(values)),)


@dataclass(kw_only=True, eq=False, repr=False)
class GANDetector(RebuildDetector):
    """Score a row by how badly it is rebuilt by an autoencoder trained against a discriminator.

    Parameters
    ----------
    adversarial, coding : float, default=0.02
        Weights of the features' and of the codes' distance beside the squared error of the reconstruction, 1.
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
    The networks and losses of GANomaly [1]_. The generator is an autoencoder; a second encoder turns the reconstruction
    into a code again; a discriminator learns to tell rows from reconstructions. The generator's loss is the
    reconstruction's error, the distance of the two codes, and the distance of the discriminator's inner features of row
    and reconstruction, 50 : 1 : 1 as in [1]_; the discriminator's is the cross-entropy.

    Departures from [1]_: dense layers, for rows in place of images; squared errors throughout; the score is the
    reconstruction's squared error, mean over values, rather than the distance of the codes, for that can be put down to
    channels and grows with the fault beyond what the network sees; the weights kept are those of the epoch with the
    least held-back reconstruction error.

    References
    ----------
    .. [1] S. Akcay, A. Atapour-Abarghouei, T. P. Breckon, "GANomaly: semi-supervised anomaly detection via adversarial
       training", ACCV 2018.
    """

    about = Tags(
        streams=True,
        exports=True,
        good_for="rows whose reconstructions must look real: a discriminator keeps them from being averages",
        cost="O(window channels hidden)",
        source="Akcay et al. 2018",
    )

    adversarial: float = 0.02
    coding: float = 0.02

    def _check_settings(self) -> None:
        super()._check_settings()
        for name in ("adversarial", "coding"):
            check_range(self._name, name, getattr(self, name), low=0.0)

    def _network(self, inputs: int, latent: int) -> Rebuilder:
        return GANomaly(self._window, inputs, self.hidden, latent)

    def _losses(self, module: nn.Module, batch: torch.Tensor) -> Iterator[torch.Tensor]:
        if not isinstance(module, GANomaly):  # it is what _network gave
            raise AssertionError
        values = module.flat(batch)
        code = module.encoder(values)
        made = module.decoder(code)
        away = nn.functional.mse_loss
        with fixed(module.features):
            unlike = away(module.features(made), module.features(values))
        yield (away(made, values) + self.adversarial * unlike + self.coding * away(module.again(made), code))
        real, false = (module.verdict(module.features(one)) for one in (values, made.detach()))
        judged = nn.functional.binary_cross_entropy_with_logits
        yield (judged(real, torch.ones_like(real)) + judged(false, torch.zeros_like(false))) / 2

    def _watched(self, module: nn.Module, batch: torch.Tensor) -> Iterator[torch.Tensor]:
        return super()._losses(module, batch)
