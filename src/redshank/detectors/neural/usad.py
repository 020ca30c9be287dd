"""USAD: two autoencoders with one encoder, trained against each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from redshank.core import SettingError, Tags, check_range
from redshank.detectors.neural._base import NEAR
from redshank.detectors.neural._rebuild import RebuildDetector, Rebuilder, dense, fixed
from redshank.detectors.neural._training import Chunks, Plan, train


class USAD(Rebuilder):
    """One encoder and two decoders; the second autoencoder also judges what the first one made.

    Parameters
    ----------
    window, inputs, hidden, latent : int
        Rows in a window, values in it, width of the inner layers and of the code.
    """

    def __init__(self, window: int, inputs: int, hidden: int, latent: int) -> None:
        super().__init__(window)
        self.encoder = dense([inputs, hidden, latent])
        self.first = dense([latent, hidden, inputs])
        self.second = dense([latent, hidden, inputs])
        self.epoch = 1

    def rebuild(self, values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """What the first autoencoder makes of the values, and what the second makes of that."""
        made = self.through(self.first, values)
        return made, self.through(self.second, made)

    def through(self, decoder: nn.Module, values: torch.Tensor) -> torch.Tensor:
        """The reconstruction by the encoder and one of the decoders, between -:data:`NEAR` and :data:`NEAR`."""
        # Bounded, as what the network sees: the second autoencoder could else make its loss as low as it likes.
        return NEAR * torch.tanh(decoder(torch.relu(self.encoder(values))) / NEAR)


@dataclass(kw_only=True, eq=False, repr=False)
class USADDetector(RebuildDetector):
    """Score a row by how badly a window is rebuilt, once and a second time by a network trained to enlarge faults.

    Parameters
    ----------
    alpha, beta : float, default=0.5
        Weights of the first and of the second reconstruction's error in the score. More of beta finds smaller
        anomalies, and more false ones.
    window, latent, hidden
        As in :class:`~redshank.detectors.neural._rebuild.RebuildDetector`, but 5 rows.
    epochs, batch, lr, patience, held_back, budget_s, seed, device
        As in every neural detector: see :class:`~redshank.detectors.neural._base.TorchDetector`; here batches of 1024
        windows and steps of 0.003.

    Attributes
    ----------
    weights_ : ndarray of shape (2,)
        Alpha and beta.
    band_
        As in :class:`~redshank.detectors.neural._errors.ErrorDetector`, of the second reconstruction.

    Notes
    -----
    With W a window, A1 and A2 the autoencoders and n the epoch, [1]_ minimises in turn

    ``L1 = |W - A1(W)|^2 / n + (1 - 1/n) |W - A2(A1(W))|^2`` over the encoder and the first decoder, and
    ``L2 = |W - A2(W)|^2 / n - (1 - 1/n) |W - A2(A1(W))|^2`` over the encoder and the second one.

    Score: ``alpha |W - A1(W)|^2 + beta |W - A2(A1(W))|^2``, mean over values; contributions are the terms of that mean.

    Departures from [1]_: outputs between -10 and 10 training standard deviations, not a sigmoid after min-max scaling;
    one optimiser with both losses' steps in turn, and gradients no longer than 1; the weights kept are those of the
    epoch with the least held-back error of A1, since neither loss can say, one being the other's opposite: in late
    epochs that error grows, so training ends early of itself; the window is causal, it ends at the row.

    References
    ----------
    .. [1] J. Audibert, P. Michiardi, F. Guyard, S. Marti, M. A. Zuluaga, "USAD: unsupervised anomaly detection on
       multivariate time series", KDD 2020.
    """

    about = Tags(
        streams=True,
        exports=True,
        good_for="many channels, where anomalies close to normal matter: a second network enlarges them",
        cost="O(window channels hidden)",
        source="Audibert et al. 2020",
    )

    alpha: float = 0.5
    beta: float = 0.5
    window: int | None = 5

    @property
    def _fixed_weights(self) -> tuple[float | None, ...]:
        return self.alpha, self.beta

    def _check_settings(self) -> None:
        super()._check_settings()
        for name in ("alpha", "beta"):
            check_range(self._name, name, getattr(self, name), low=0.0)
        if self.alpha == 0 and self.beta == 0:
            raise SettingError(f"{self._name}: alpha and beta are both 0; every score would be 0")

    def _network(self, inputs: int, latent: int) -> Rebuilder:
        return USAD(self._window, inputs, self.hidden, latent)

    def _losses(self, module: nn.Module, batch: torch.Tensor) -> Iterator[torch.Tensor]:
        if not isinstance(module, USAD):  # it is what _network gave
            raise AssertionError
        values, share = module.flat(batch), 1.0 / module.epoch
        missed = nn.functional.mse_loss
        with fixed(module.second):
            made = module.through(module.first, values)
            again = module.through(module.second, made)
        yield share * missed(made, values) + (1.0 - share) * missed(again, values)
        with fixed(module.first):
            again = module.through(module.second, module.through(module.first, values))
            own = module.through(module.second, values)
        yield share * missed(own, values) - (1.0 - share) * missed(again, values)

    def _watched(self, module: nn.Module, batch: torch.Tensor) -> Iterator[torch.Tensor]:
        for kinds in self._kinds_of_loss(module, batch):
            yield kinds[0]

    def _learn(self, module: nn.Module, learned: Chunks, watched: Chunks, plan: Plan, device: torch.device) -> None:
        if not isinstance(module, USAD):  # it is what _network gave
            raise AssertionError

        def told(done: int, most: int, loss: float) -> None:
            module.epoch = done + 1
            if self.progress is not None:
                self.progress(done, most, loss)

        train(module, self._losses, learned, watched, watched=self._watched, plan=plan, device=device, progress=told)
