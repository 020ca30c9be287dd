"""Several multi-layer perceptrons whose probabilities are averaged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from redshank.core import Tags, check_whole
from redshank.detectors.neural._classifier import TorchClassifier, check_dropout
from redshank.detectors.neural._dense import MLPs


@dataclass(kw_only=True, eq=False, repr=False)
class MLPEnsembleDetector(TorchClassifier):
    """Name a row's class by the mean probabilities of several multi-layer perceptrons.

    Parameters
    ----------
    members : int, default=5
        Networks, at least 1.
    hidden, layers : int, default=64, 2
        Width and number of the hidden layers of each.
    dropout : float, default=0.1
        Share of hidden values that a step of training leaves out, 0 to 0.9, drawn for each network.
    class_weight, oversample
        As in :class:`~redshank.detectors.neural._classifier.TorchClassifier`.
    epochs, batch, lr, patience, held_back, budget_s, seed, device
        As in every neural detector: see :class:`~redshank.detectors.neural._base.TorchDetector`.

    Notes
    -----
    ``P = mean over networks of softmax``, score ``-ln P(normal)``: the deep ensemble of [1]_ for classes. Each network
    has a loss, first weights and dropout of its own; they learn from the same batches side by side, as one
    product of matrices a layer, and end together, when their mean is best on the held-back rows.

    References
    ----------
    .. [1] B. Lakshminarayanan, A. Pritzel, C. Blundell, "Simple and scalable predictive uncertainty estimation
       using deep ensembles", NeurIPS, 2017.
    """

    tags = Tags(
        needs_labels=True,
        exports=True,
        good_for="as mlp, with probabilities that are less sure of themselves where the networks disagree",
        cost="O(members (channels hidden + layers hidden^2))",
        source="Lakshminarayanan et al. 2017",
    )

    members: int = 5
    hidden: int = 64
    layers: int = 2
    dropout: float = 0.1

    def _check_settings(self) -> None:
        super()._check_settings()
        for name in ("members", "hidden", "layers"):
            check_whole(self._name, name, getattr(self, name), low=1)
        check_dropout(self._name, self.dropout)

    def _build(self, n_features: int) -> nn.Module:
        return MLPs(
            self.members,
            features=n_features,
            hidden=self.hidden,
            layers=self.layers,
            classes=len(self.classes_),
            dropout=self.dropout,
        )

    def _losses(self, module: nn.Module, batch: torch.Tensor) -> Iterator[torch.Tensor]:
        if not isinstance(module, MLPs):
            raise AssertionError
        logits = module.each(batch[:, :, :-1])
        yield self._cross_entropy(logits.flatten(0, 1), batch[:, -1, -1].long().repeat(self.members))
