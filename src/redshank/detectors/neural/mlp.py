"""The multi-layer perceptron: a row to its class."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from redshank.core import Tags, check_whole
from redshank.detectors.neural._classifier import TorchClassifier, check_dropout
from redshank.detectors.neural._dense import MLP


@dataclass(kw_only=True, eq=False, repr=False)
class MLPDetector(TorchClassifier):
    """Name a row's class by a multi-layer perceptron; score it by how surely it is not normal.

    Parameters
    ----------
    hidden, layers : int, default=128, 2
        Width and number of the hidden layers.
    dropout : float, default=0.1
        Share of hidden values that a step of training leaves out, 0 to 0.9.
    class_weight, oversample
        As in :class:`~redshank.detectors.neural._classifier.TorchClassifier`.
    epochs, batch, lr, patience, held_back, budget_s, seed, device
        As in every neural detector: see :class:`~redshank.detectors.neural._base.TorchDetector`.

    Notes
    -----
    Score ``-ln P(normal)`` by softmax of the last layer. The network of [1]_ with ReLU, dropout and Adam.

    References
    ----------
    .. [1] D. E. Rumelhart, G. E. Hinton, R. J. Williams, "Learning representations by back-propagating errors",
       Nature 323, 1986.
    """

    tags = Tags(
        needs_labels=True,
        exports=True,
        good_for="rows with names for what is wrong; curved borders between classes, many rows",
        cost="O(channels hidden + layers hidden^2)",
        source="Rumelhart et al. 1986",
    )

    hidden: int = 128
    layers: int = 2
    dropout: float = 0.1

    def _check_settings(self) -> None:
        super()._check_settings()
        for name in ("hidden", "layers"):
            check_whole(self._name, name, getattr(self, name), low=1)
        check_dropout(self._name, self.dropout)

    def _build(self, n_features: int) -> nn.Module:
        return MLP(n_features, self.hidden, self.layers, len(self.classes_), self.dropout)
