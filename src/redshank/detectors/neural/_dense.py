"""Layers of perceptrons, one or several side by side."""

from __future__ import annotations

import itertools
import math

import torch
from torch import nn


class MLP(nn.Module):
    """Hidden layers of equal width, ReLU and dropout, then the logits.

    Parameters
    ----------
    features, hidden, layers, classes : int
        Values in a window, width and number of the hidden layers, logits.
    dropout : float
        Share of hidden values that a step of training leaves out.
    """

    def __init__(self, features: int, hidden: int, layers: int, classes: int, dropout: float) -> None:
        super().__init__()
        widths = [features] + [hidden] * layers
        self.trunk = nn.Sequential(nn.Flatten())
        for before, after in itertools.pairwise(widths):
            self.trunk.extend([nn.Linear(before, after), nn.ReLU(), nn.Dropout(dropout)])
        self.head = nn.Linear(hidden, classes)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """From (batch, window, features) to logits (batch, classes)."""
        logits: torch.Tensor = self.head(self.trunk(rows))
        return logits


class SideBySide(nn.Module):
    """A dense layer for each of several networks: (members, batch, before) to (members, batch, after) in one product.

    Parameters
    ----------
    members, before, after : int
        Networks, width in, width out.
    """

    def __init__(self, members: int, before: int, after: int) -> None:
        super().__init__()
        bound = 1.0 / math.sqrt(before)  # as nn.Linear draws them
        self.weight = nn.Parameter(torch.empty(members, before, after).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(members, 1, after).uniform_(-bound, bound))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Shape (members, batch, after)."""
        return torch.baddbmm(self.bias, values, self.weight)


class MLPs(nn.Module):
    """Several :class:`MLP` of one form, each with weights of its own; their mean probabilities.

    Parameters
    ----------
    members, features, hidden, layers, classes, dropout
        Networks, then as in :class:`MLP`.
    """

    def __init__(self, members: int, *, features: int, hidden: int, layers: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.members = members
        widths = [features] + [hidden] * layers
        self.trunk = nn.Sequential()
        for before, after in itertools.pairwise(widths):
            self.trunk.extend([SideBySide(members, before, after), nn.ReLU(), nn.Dropout(dropout)])
        self.head = SideBySide(members, hidden, classes)

    def each(self, rows: torch.Tensor) -> torch.Tensor:
        """Logits of each network, shape (members, batch, classes)."""
        logits: torch.Tensor = self.head(self.trunk(rows.flatten(1).expand(self.members, -1, -1)))
        return logits

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Logarithm of the mean probability of each class, shape (batch, classes)."""
        return torch.logsumexp(self.each(rows).log_softmax(dim=2), dim=0) - math.log(self.members)
