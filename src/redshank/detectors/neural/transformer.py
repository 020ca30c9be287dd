"""Forecaster of causal self-attention over a bounded window."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from redshank.core import SettingError, Tags, check_whole
from redshank.detectors.neural._errors import STEPS, Carried, ErrorDetector


class Attention(nn.Module):
    """A layer of self-attention in which a row sees itself and the rows before it, ``window`` in all.

    Parameters
    ----------
    width, heads, window : int
        Width of a row's features, heads that share it, rows that a row sees.

    Notes
    -----
    How long ago a row was enters as a learned bias of each head for each age, so that a row is seen alike wherever it
    stands in a series. Normalisation comes before each half, which needs no slow start of training.
    """

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.before = nn.LayerNorm(width)
        self.asked = nn.Linear(width, width)
        self.known = nn.Linear(width, 2 * width)
        self.mix = nn.Linear(width, width)
        self.by_age = nn.Parameter(torch.zeros(heads, window))
        self.dense = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width)
        )

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """From (batch, rows, width) to (batch, rows - window + 1, width)."""
        normal, last = self.before(values), values[:, self.window - 1 :]
        asked = self._by_head(self.asked(normal[:, self.window - 1 :]))
        keys, answers = map(self._by_head, self.known(normal).chunk(2, dim=2))
        attended = nn.functional.scaled_dot_product_attention(
            asked, keys, answers, attn_mask=self._bias(last.shape[1]).to(asked.dtype)
        )
        changed = last + self.mix(attended.transpose(1, 2).flatten(2))
        made: torch.Tensor = changed + self.dense(changed)
        return made

    def _by_head(self, values: torch.Tensor) -> torch.Tensor:
        """From (batch, rows, width) to (batch, heads, rows, width / heads)."""
        batch, rows, width = values.shape
        return values.reshape(batch, rows, self.heads, width // self.heads).transpose(1, 2)

    def _bias(self, steps: int) -> torch.Tensor:
        """What is added before the softmax, (heads, steps, steps + window - 1): minus infinity outside the window."""
        places = torch.arange(steps + self.window - 1, device=self.by_age.device)
        age = places[self.window - 1 :, None] - places
        outside = (age < 0) | (age >= self.window)
        return self.by_age[:, age.clamp(0, self.window - 1)].masked_fill(outside, -torch.inf)


class CausalTransformer(nn.Module):
    """Layers of attention that read the rows before a row and tell by how much it differs.

    Parameters
    ----------
    channels, width, heads, layers, window : int
        Width of a row; as in :class:`Attention`; how many layers.
    """

    def __init__(self, channels: int, width: int, heads: int, layers: int, window: int) -> None:
        super().__init__()
        self.widen = nn.Linear(channels, width)
        self.layers = nn.Sequential(*(Attention(width, heads, window) for _ in range(layers)))
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, channels))

    def forward(self, rows: torch.Tensor, carried: Carried = None) -> tuple[tuple[torch.Tensor], Carried]:
        """The predicted rows, (batch, steps, channels), of (batch, lead + steps, channels); nothing is carried on."""
        change = self.head(self.layers(self.widen(rows[:, :-1])))
        return (rows[:, -change.shape[1] - 1 : -1] + change,), carried


@dataclass(kw_only=True, eq=False, repr=False)
class TransformerDetector(ErrorDetector):
    """Score a row by how badly it was foretold by attention to the rows before it.

    Parameters
    ----------
    window : int, default=16
        Rows that a layer looks at, the current one among them. With the layers below it a prediction comes from
        ``layers (window - 1) + 1`` rows, which is also the ``warmup``.
    hidden : int, default=64
        Width of a row's features, a multiple of ``heads``.
    heads, layers : int, default=4, 2
        Heads of each layer, layers.
    epochs, batch, lr, patience, held_back, budget_s, seed, device
        As in every neural detector: see :class:`~redshank.detectors.neural._base.TorchDetector`.

    Attributes
    ----------
    spread_, band_
        As in :class:`~redshank.detectors.neural._errors.ErrorDetector`; one kind of error, the prediction's.

    Notes
    -----
    The decoder of [1]_, without the attention to an encoder, as a forecaster. Departures: attention is bounded to a
    window, so that a row's cost does not grow with the series; places enter as a bias by age, as in [2]_ but with one
    for each age; normalisation stands before each half; no dropout; the change from row to row is predicted.

    References
    ----------
    .. [1] A. Vaswani et al., "Attention is all you need", NeurIPS 2017.
    .. [2] C. Raffel et al., "Exploring the limits of transfer learning with a unified text-to-text transformer",
       JMLR 21, 2020.
    """

    tags = Tags(
        sequence=True,
        streams=True,
        exports=True,
        good_for="signals whose next value hangs on a few certain rows of the recent past",
        cost="O(layers hidden (window + hidden))",
        source="Vaswani et al. 2017",
    )

    window: int = 16
    hidden: int = 64
    heads: int = 4
    layers: int = 2

    @property
    def warmup(self) -> int:
        """Rows of a series that must come before the first real score: all that a prediction looks at."""
        return self._lead

    @property
    def _lead(self) -> int:
        return self.layers * (self.window - 1) + 1

    @property
    def _block(self) -> int:
        return STEPS  # a row is compared with every row of its block: longer blocks cost more

    def _check_settings(self) -> None:
        super()._check_settings()
        check_whole(self._name, "window", self.window, low=2)
        for name in ("hidden", "heads", "layers"):
            check_whole(self._name, name, getattr(self, name), low=1)
        if self.hidden % self.heads:
            raise SettingError(f"{self._name}: hidden is {self.hidden}; wanted a multiple of heads, {self.heads}")

    def _build(self, n_features: int) -> nn.Module:
        return CausalTransformer(n_features, self.hidden, self.heads, self.layers, self.window)
