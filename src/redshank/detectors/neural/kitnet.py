"""KitNET: an ensemble of small autoencoders over groups of channels, and one over their errors."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from redshank.core import Tags, check_whole
from redshank.core.contracts import Array
from redshank.core.detector import Progress
from redshank.detectors.neural._base import CACHED, NEAR, mean_and_scale, one_thread
from redshank.detectors.neural._errors import Carried, ErrorDetector, _Part
from redshank.detectors.neural._rebuild import BLOCK_VALUES
from redshank.detectors.neural._training import Chunks, Plan, train

NARROW = 0.75
"""Width of an inner layer, as a share of the inputs (Mirsky et al. 2018)."""

NARROWEST = 0.1
"""Least range of a group's errors in training, in training standard deviations: channels that never move have none."""

GROUPS = 3
"""Groups that are made at least, where channels are few: one error has no correlation with others to be learned."""


class GroupedAutoencoders(nn.Module):
    """Small autoencoders side by side, each over its own inputs, as two products of stacked matrices.

    Parameters
    ----------
    group : int64 ndarray of shape (inputs,)
        Which autoencoder each input belongs to, from 0, none left out.
    """

    def __init__(self, group: npt.NDArray[np.int64]) -> None:
        super().__init__()
        sizes = np.bincount(group)
        order = np.argsort(group, kind="stable")
        slot = np.empty(len(group), np.int64)
        slot[order] = np.arange(len(group)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        widest = int(sizes.max())
        hidden = np.ceil(NARROW * sizes).astype(np.int64)
        # Groups are filled up to the widest: a place that stands for no input is always 0.
        self.shape = (len(sizes), widest)
        self.register_buffer("place", torch.from_numpy(group * widest + slot), persistent=False)
        inner = torch.from_numpy(np.arange(hidden.max()) < hidden[:, None]).float()
        self.register_buffer("inner", inner[:, None], persistent=False)  # (groups, 1, hidden)
        bounds = torch.from_numpy(1.0 / np.sqrt(sizes)).float()[:, None, None]
        self.encoder = nn.Parameter(bounds * (2 * torch.rand(len(sizes), widest, int(hidden.max())) - 1))
        self.encoder_bias = nn.Parameter(torch.zeros(len(sizes), 1, int(hidden.max())))
        self.decoder = nn.Parameter(bounds * (2 * torch.rand(len(sizes), int(hidden.max()), widest) - 1))
        self.decoder_bias = nn.Parameter(torch.zeros(len(sizes), 1, widest))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Reconstructions of (rows, inputs), of the same shape."""
        place = self.get_buffer("place")
        groups, widest = self.shape
        filled = values.new_zeros(len(values), groups * widest).index_copy(1, place, values)
        apart = filled.view(-1, groups, widest).transpose(0, 1)  # (groups, rows, widest)
        code = torch.sigmoid(torch.baddbmm(self.encoder_bias, apart, self.encoder)) * self.get_buffer("inner")
        rebuilt = torch.baddbmm(self.decoder_bias, code, self.decoder)
        return rebuilt.transpose(0, 1).flatten(1).index_select(1, place)


class KitNET(nn.Module):
    """The ensemble, and the autoencoder of its errors.

    Parameters
    ----------
    group : int64 ndarray of shape (channels,)
        Which autoencoder each channel belongs to.
    """

    def __init__(self, group: npt.NDArray[np.int64]) -> None:
        super().__init__()
        sizes = np.bincount(group)
        self.ensemble = GroupedAutoencoders(group)
        inner = math.ceil(NARROW * len(sizes))
        self.output = nn.Sequential(
            nn.Linear(len(sizes), inner), nn.Sigmoid(), nn.Linear(inner, len(sizes)), nn.Sigmoid()
        )
        member = np.zeros((len(group), len(sizes)), np.float32)
        member[np.arange(len(group)), group] = 1.0 / sizes[group]
        self.register_buffer("member", torch.from_numpy(member), persistent=False)
        self.register_buffer("low", torch.zeros(len(sizes)))
        self.register_buffer("high", torch.ones(len(sizes)))

    def forward(self, rows: torch.Tensor, carried: Carried = None) -> tuple[tuple[torch.Tensor], Carried]:
        """The ensemble's estimates of ``rows``, (batch, steps, channels)."""
        return (self.ensemble(rows.flatten(0, 1)).view_as(rows),), carried

    def errors(self, rows: torch.Tensor) -> torch.Tensor:
        """Root mean square error of each group, (batch, groups), of one row a chunk."""
        return torch.sqrt((rows[:, 0] - self.ensemble(rows[:, 0])).square() @ self.get_buffer("member"))

    def levels(self, rows: torch.Tensor) -> torch.Tensor:
        """The errors, 0 at the smallest and 1 at the largest in training."""
        low, high = self.get_buffer("low"), self.get_buffer("high")
        return (self.errors(rows) - low) / (high - low)


@dataclass(kw_only=True, eq=False, repr=False)
class KitNETDetector(ErrorDetector):
    """Score a row by how unusual the errors are, together, of small autoencoders of channels that move together.

    Parameters
    ----------
    largest : int, default=10
        Channels in a group at most; fewer where there would not be three groups.
    epochs, batch, lr, patience, held_back, budget_s, seed, device
        As in every neural detector: see :class:`~redshank.detectors.neural._base.TorchDetector`; here batches of 1024
        rows, steps of 0.01, and epochs and budget for each of the two stages, half of the budget each.

    Attributes
    ----------
    group_ : int64 ndarray of shape (n_features,)
        Group of each channel, from 0; every channel is in one.
    band_
        As in :class:`~redshank.detectors.neural._errors.ErrorDetector`, of the ensemble's estimates.

    Notes
    -----
    The detector of [1]_: channels are put together by correlation; an autoencoder a group, with three quarters of its
    inputs in the inner layer; the root mean square errors of the groups, 0 to 1 over the training rows, pass through an
    output autoencoder of the same form, whose outputs lie between 0 and 1, so that an error never seen cannot be
    rebuilt. Score: the root mean square error of that. Its parts by group are shared out to the channels in proportion
    to their squared errors: contributions sum to the score.

    All small autoencoders are computed as one product of stacked matrices, filled up to the largest group.

    Departures from [1]_, which learns row by row, each row once: groups are joined by mean correlation as long as they
    stay within ``largest``, not cut from a single-linkage tree; correlations are absolute; rows are standardised, not
    brought to 0 to 1, and the groups' outputs are linear; the ensemble is trained first, in epochs with Adam, then the
    output autoencoder; the features of network traffic that [1]_ also describes are no part of a detector.

    References
    ----------
    .. [1] Y. Mirsky, T. Doitshman, Y. Elovici, A. Shabtai, "Kitsune: an ensemble of autoencoders for online network
       intrusion detection", NDSS 2018.
    """

    robust = False
    tags = Tags(
        streams=True,
        exports=True,
        good_for="very many channels on a small machine, as in statistics of network traffic",
        cost="O(channels largest)",
        source="Mirsky et al. 2018",
    )

    largest: int = 10
    batch: int = 1024
    lr: float = 0.01

    group_: npt.NDArray[np.int64] = field(init=False)

    @property
    def _chunk(self) -> int:
        return 1

    @property
    def _block(self) -> int:
        return max(1, BLOCK_VALUES // self.n_features_)

    def _check_settings(self) -> None:
        super()._check_settings()
        check_whole(self._name, "largest", self.largest, low=1)

    def _fit(self, series: list[Array], y: npt.NDArray[np.intp] | None) -> None:
        self._check_settings()
        most = max(1, min(self.largest, math.ceil(self.n_features_ / GROUPS)))
        self.group_ = grouped(np.abs(correlations(series)), most)
        super()._fit(series, y)

    def _build(self, n_features: int) -> nn.Module:  # noqa: ARG002 - the groups tell
        return KitNET(self.group_)

    def _learn(self, module: nn.Module, learned: Chunks, watched: Chunks, plan: Plan, device: torch.device) -> None:
        if not isinstance(module, KitNET):  # it is what _build gave
            raise AssertionError
        stage = replace(plan, budget_s=None if plan.budget_s is None else plan.budget_s / 2)
        for k, losses in enumerate((self._losses, _output_losses)):
            module.ensemble.requires_grad_(k == 0)
            if k == 1:
                _set_levels(module, learned, plan.batch)
            told = None if self.progress is None else partial(_told, self.progress, k)
            train(module, losses, learned, watched, watched=losses, plan=stage, device=device, progress=told)

    def _terms(self, part: _Part) -> Array:
        module = self._module
        low, high = (module.get_buffer(name).cpu().numpy().astype(np.float64) for name in ("low", "high"))
        squares = np.square(part.errors[0])
        sizes = np.bincount(self.group_)
        sums = squares @ (self.group_[:, None] == np.arange(len(sizes)))
        levels = (np.sqrt(sums / sizes) - low) / (high - low)
        seen = np.zeros((self._block, len(sizes)), np.float32)  # always of one shape, for equal bits
        seen[: len(levels)] = np.clip(levels, -NEAR, NEAR)
        device = next(module.parameters()).device
        with one_thread(), torch.inference_mode():
            made = module.get_submodule("output")(torch.from_numpy(seen).to(device)).cpu().numpy()[: len(levels)]
        missed = np.square(levels - made)
        score = np.sqrt(missed.mean(axis=1, keepdims=True))
        of_group = score * _shares(missed, missed.sum(axis=1, keepdims=True), 1.0 / len(sizes))
        terms: Array = of_group[:, self.group_] * _shares(squares, sums[:, self.group_], 1.0 / sizes[self.group_])
        return terms


def correlations(series: list[Array]) -> Array:
    """Correlation of every two channels over all series; 0 with one that never moved."""
    mean, scale = mean_and_scale(*series)
    products = np.zeros((len(mean), len(mean)))
    for one in series:
        for start in range(0, len(one), CACHED):
            rows = (one[start : start + CACHED] - mean) / scale
            products += rows.T @ rows
    found: Array = products / sum(map(len, series))
    return found


def grouped(likeness: Array, largest: int) -> npt.NDArray[np.int64]:
    """Groups of at most ``largest`` members: again and again the two that are most alike, on average, become one."""
    count = len(likeness)
    sums, sizes, group = likeness.copy(), np.ones(count), np.arange(count)
    while True:
        mean = sums / np.maximum(np.outer(sizes, sizes), 1.0)
        fits = np.triu((sizes[:, None] + sizes <= largest) & (sizes[:, None] > 0) & (sizes > 0), 1)
        if not fits.any():
            return np.unique(group, return_inverse=True)[1].astype(np.int64)
        a, b = np.unravel_index(np.where(fits, mean, -np.inf).argmax(), mean.shape)
        sums[a] += sums[b]
        sums[:, a] += sums[:, b]
        sizes[a], sizes[b] = sizes[a] + sizes[b], 0
        group[group == b] = a


def _output_losses(module: nn.Module, batch: torch.Tensor) -> Iterator[torch.Tensor]:
    if not isinstance(module, KitNET):  # it is what _build gave
        raise AssertionError
    with torch.no_grad():
        levels = module.levels(batch)
    yield nn.functional.mse_loss(module.output(levels), levels)


def _set_levels(module: KitNET, learned: Chunks, batch: int) -> None:
    """Smallest and largest error of each group over the rows that it was learned from."""
    module.eval()
    with torch.no_grad():
        ends = [
            torch.stack([errors.amin(dim=0), errors.amax(dim=0)])
            for which in torch.split(torch.arange(len(learned)), batch)
            for errors in [module.errors(learned.take(which))]
        ]
        low, high = torch.stack(ends).amin(dim=0)[0], torch.stack(ends).amax(dim=0)[1]
        module.get_buffer("low").copy_(low)
        module.get_buffer("high").copy_(torch.maximum(high, low + NARROWEST))


def _told(progress: Progress, stage: int, done: int, most: int, loss: float) -> None:
    """Progress of both stages as one."""
    progress(stage * most + done, 2 * most, loss)


def _shares(parts: Array, whole: Array, otherwise: Array | float) -> Array:
    """Parts of a whole; ``otherwise`` where the whole is 0."""
    shares: Array = np.divide(parts, whole, out=np.broadcast_to(otherwise, parts.shape).copy(), where=whole > 0)
    return shares
