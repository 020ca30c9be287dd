"""A perceptron whose last layer is replaced by a support vector machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from redshank.core import Tags, check_range, check_whole
from redshank.core.contracts import Array
from redshank.detectors.neural._base import mean_and_scale, one_thread
from redshank.detectors.neural._classifier import TorchClassifier, check_dropout
from redshank.detectors.neural._dense import MLP
from redshank.detectors.neural._training import spent

ITERATIONS = 200
"""Steps of L-BFGS at most: the loss is convex and smooth, fewer than 100 are usual."""

FEWEST = 5
"""Looks at the loss at least, where there is no time left: the first step alone takes a few."""

SHARPNESS = np.geomspace(0.1, 100.0, 61)
"""Factors of the margins that are tried when they are made probabilities."""


@dataclass(kw_only=True, eq=False, repr=False)
class MLPSVMDetector(TorchClassifier):
    """Name a row's class by a support vector machine on what a perceptron makes of the row.

    Parameters
    ----------
    hidden, layers : int, default=128, 2
        Width and number of the perceptron's hidden layers; the machine sees the last.
    dropout : float, default=0.1
        Share of hidden values that a step of training leaves out, 0 to 0.9.
    C : float, default=1.0
        Weight of the mean loss beside the size of the machine's weights, above 0.
    class_weight, oversample
        As in :class:`~redshank.detectors.neural._classifier.TorchClassifier`; the machine too.
    epochs, batch, lr, patience, held_back, budget_s, seed, device
        As in every neural detector: see :class:`~redshank.detectors.neural._base.TorchDetector`. A quarter of
        ``budget_s`` is kept for the machine.

    Attributes
    ----------
    hidden_mean_, hidden_scale_ : ndarray of shape (hidden,)
        Mean and standard deviation of the last hidden layer over the training rows.
    support_weights_ : ndarray of shape (hidden, classes)
        One against the rest, of standardised hidden values.
    support_bias_ : ndarray of shape (classes,)
    sharpness_ : float
        Margins times this are the logits.

    Notes
    -----
    The network is trained as a classifier first; then a linear machine with squared hinge loss, one class against the
    rest, is fitted to its last hidden layer, as [1]_ has it, though there both are trained as one. The mapping to
    the hidden layer takes the place of a kernel. Margins become probabilities by a softmax with one factor that makes
    the held-back rows most probable, as in Platt's scaling.

    References
    ----------
    .. [1] Y. Tang, "Deep learning using linear support vector machines", ICML workshop, 2013.
    """

    tags = Tags(
        needs_labels=True,
        exports=True,
        good_for="as mlp, with the border between classes drawn as far from both as can be; few rows a class",
        cost="O(channels hidden + layers hidden^2)",
        source="Tang 2013",
    )

    _behind: ClassVar[float] = 0.25

    hidden: int = 128
    layers: int = 2
    dropout: float = 0.1
    C: float = 1.0

    hidden_mean_: Array = field(init=False)
    hidden_scale_: Array = field(init=False)
    support_weights_: Array = field(init=False)
    support_bias_: Array = field(init=False)
    sharpness_: float = field(init=False)

    def _check_settings(self) -> None:
        super()._check_settings()
        for name in ("hidden", "layers"):
            check_whole(self._name, name, getattr(self, name), low=1)
        check_dropout(self._name, self.dropout)
        check_range(self._name, "C", self.C, low=1e-6)

    def _build(self, n_features: int) -> nn.Module:
        return MLP(n_features, self.hidden, self.layers, len(self.classes_), self.dropout)

    def _calibrate_classes(self, series: list[Array], codes: npt.NDArray[np.intp], held: npt.NDArray[np.bool_]) -> None:
        values = np.concatenate([self._hidden(one) for one in series])
        self.hidden_mean_, self.hidden_scale_ = mean_and_scale(values)
        values = (values - self.hidden_mean_) / self.hidden_scale_
        learned = codes[~held]
        self.support_weights_, self.support_bias_ = squared_hinge(
            values[~held], learned, self._weights(learned)[learned], len(self.classes_), self.C, end=self._deadline
        )
        margins = values[held] @ self.support_weights_ + self.support_bias_
        self.sharpness_ = sharpest(margins, codes[held])

    def _logits(self, X: Array) -> Array:
        values = (self._hidden(X) - self.hidden_mean_) / self.hidden_scale_
        margins: Array = values @ self.support_weights_ + self.support_bias_
        return margins * self.sharpness_

    def _hidden(self, X: Array) -> Array:
        if not isinstance(self._module, MLP):
            raise AssertionError
        return self._through(self._module.trunk, X, self.hidden)


class _TimeUpError(Exception):
    """Ends a search that asks for one loss after the other."""


def squared_hinge(
    values: Array, codes: npt.NDArray[np.intp], weights: Array, classes: int, C: float, *, end: float | None = None
) -> tuple[Array, Array]:
    """Linear machines, one class against the rest, by L-BFGS.

    They have the least ``|w|^2 / 2 + C * mean of weight * max(0, 1 - t (w x + b))^2`` with t 1 for rows of the class
    and -1 for others; the least of those looked at until ``end``, on the clock of
    :func:`~redshank.detectors.neural._training.spent`.

    Returns
    -------
    weights, bias : ndarray of shape (inputs, classes), (classes,)
    """
    x, each = torch.from_numpy(values), torch.from_numpy(weights)[:, None]
    sides = torch.full((len(codes), classes), -1.0, dtype=x.dtype)
    sides[torch.arange(len(codes)), torch.from_numpy(codes)] = 1.0
    w = torch.zeros(x.shape[1], classes, dtype=x.dtype, requires_grad=True)
    b = torch.zeros(classes, dtype=x.dtype, requires_grad=True)
    optimiser = torch.optim.LBFGS([w, b], max_iter=ITERATIONS, line_search_fn="strong_wolfe")

    least, looks, best = np.inf, 0, (w.detach().clone(), b.detach().clone())

    def loss() -> torch.Tensor:
        nonlocal least, looks, best
        if looks >= FEWEST and spent(end):
            raise _TimeUpError
        looks += 1
        optimiser.zero_grad()
        short = torch.relu(1.0 - sides * (x @ w + b))
        value = 0.5 * w.square().sum() + C * (each * short.square()).sum(dim=1).mean()
        value.backward()  # type: ignore[no-untyped-call]
        if value.item() < least:
            least, best = value.item(), (w.detach().clone(), b.detach().clone())
        return value

    with one_thread():
        try:
            optimiser.step(loss)  # type: ignore[no-untyped-call]
        except _TimeUpError:
            return best[0].numpy(), best[1].numpy()
    return w.detach().numpy(), b.detach().numpy()


def sharpest(margins: Array, codes: npt.NDArray[np.intp]) -> float:
    """The factor of the margins under which a softmax finds the classes of the rows most probable."""

    def surprise(factor: float) -> float:
        logits = factor * margins
        own = logits[np.arange(len(codes)), codes]
        return float((np.logaddexp.reduce(logits, axis=1) - own).sum())

    return float(min(SHARPNESS, key=surprise))
