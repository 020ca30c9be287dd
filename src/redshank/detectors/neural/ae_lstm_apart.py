"""The baseline of the hybrid AE-LSTM: the same two networks, trained apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import nn

from redshank.core import Tags
from redshank.core.detector import Progress
from redshank.detectors.neural._training import Chunks, Losses, Plan, train
from redshank.detectors.neural.ae_lstm import AELSTM, AELSTMDetector

STAGES = 2
"""The autoencoder, then the LSTM."""


@dataclass(kw_only=True, eq=False, repr=False)
class AELSTMApartDetector(AELSTMDetector):
    """Score a row as the hybrid AE-LSTM does, by an autoencoder and an LSTM that were trained one after the other.

    Parameters
    ----------
    window, latent, hidden, layers, alpha, beta
        As in :class:`~redshank.detectors.neural.ae_lstm.AELSTMDetector`.
    epochs, batch, lr, patience, held_back, budget_s, seed, device
        As in every neural detector: see :class:`~redshank.detectors.neural._base.TorchDetector`. ``epochs`` and
        ``patience`` hold for each of the two, ``budget_s`` for both together, half for each.

    Attributes
    ----------
    weights_, spread_, band_
        As in :class:`~redshank.detectors.neural.ae_lstm.AELSTMDetector`.

    Notes
    -----
    What [1]_ compares the hybrid with. Networks, sizes, rows, order of the chunks, step of Adam and score are those of
    :class:`~redshank.detectors.neural.ae_lstm.AELSTMDetector`; only the training differs: first the autoencoder learns
    to rebuild windows, stopped at its own best held-back loss; then its weights are frozen, and the LSTM learns to
    foretell rows from its codes, stopped at its own. The codes do not learn what a prediction needs.

    References
    ----------
    .. [1] A. K. Pallikonda, V. K. Bandarapalli, A. Vipparla, "Real-Time Anomaly Detection in IoT Networks Using a
       Hybrid Deep Learning Model", Acadlore Transactions on AI and Machine Learning 4(4), 2025.
    """

    tags = Tags(
        sequence=True,
        streams=True,
        exports=True,
        good_for="a comparison with ae_lstm: the same networks, trained one after the other",
        cost="O(window channels hidden + layers hidden^2)",
        source="Pallikonda, Bandarapalli and Vipparla 2025",
    )

    def _learn(self, module: nn.Module, learned: Chunks, watched: Chunks, plan: Plan, device: torch.device) -> None:
        if not isinstance(module, AELSTM):  # it is what _build gave
            raise AssertionError
        stage = replace(plan, budget_s=None if plan.budget_s is None else plan.budget_s / STAGES)
        autoencoder = nn.ModuleList([module.encoder, module.decoder])
        for k in range(STAGES):
            autoencoder.requires_grad_(k == 0)
            losses = self._losses_of(k)
            told = self._told(k)
            train(module, losses, learned, watched, watched=losses, plan=stage, device=device, progress=told)

    def _losses_of(self, stage: int) -> Losses:
        """The mean squared error of one of the two estimates alone."""

        def losses(module: nn.Module, batch: torch.Tensor) -> Iterator[torch.Tensor]:
            yield from (kinds[stage] for kinds in self._kinds_of_loss(module, batch))

        return losses

    def _told(self, stage: int) -> Progress | None:
        """Progress of both stages as one."""
        progress = self.progress
        if progress is None:
            return None
        return lambda done, most, loss: progress(stage * most + done, STAGES * most, loss)
