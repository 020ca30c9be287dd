"""PaAno: patches whose learned likeness to the patches of training is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from redshank.core import SettingError, Tags, check_whole
from redshank.core.contracts import Array
from redshank.detectors.neural._base import NEAR, TorchDetector, one_thread
from redshank.detectors.neural._training import spent

NEIGHBOUR = 2
"""A patch that starts at most so many rows earlier or later is like the patch."""

MARGIN = 0.1
"""Cosine distance by which a like patch must be nearer than the least like one of its batch."""

PROJECTION = 64
"""Width of the layer in which patches are compared in training; it is left away afterwards."""

NEAREST = 3
"""The score is a mean over so many of the most similar patches of the bank."""

SHARE, LEAST = 0.1, 500
"""The bank holds this share of the training patches, and at least this number."""

SAMPLED = 10_000
"""Training patches that the bank is chosen from at most: evenly spread over time."""

ROUNDS = 10
"""Rounds of k-means: later ones move hardly any patch."""

RANGE = (0.005, 0.995)
"""Quantiles of training patches between which their means are usual, and up to which their deviations are."""

FAR = 1e12
"""Means and deviations are measured on values clipped this far from the training mean, in training standard
deviations."""

SPECK = 0.01
"""Added to the variance of a patch, in training variances, before a patch is divided by its deviation: noise on a
channel that stands still is not blown up to a shape."""

PATCH = (64, 96)
"""Rows in a patch of one channel, and of several, as in the paper."""

PARTS = 4
"""A window that is not given is at most this part of the longest training series, which shows it too seldom else."""

CLOSE = 1e-3
"""Smallest cosine distance that is taken for usual: patches that repeat exactly have none."""

CELLS = 2**20
"""Cosines in memory at once while the bank is chosen: 8 MiB."""

BLOCK = 64
"""Patches embedded at a time. Always this many, the last block filled up: equal shapes give equal bits."""


class PatchEncoder(nn.Module):
    """Patches, each less its own mean and divided by its own deviation, to points on a sphere.

    Parameters
    ----------
    n_features, filters : int
        Channels; filters of the first of four convolutions, which have 1, 2, 1 and 1/2 times as many.
    """

    def __init__(self, n_features: int, filters: int) -> None:
        super().__init__()
        width = max(1, filters // 2)
        self.convolutions = nn.Sequential()
        for kernel, wide in ((7, filters), (5, 2 * filters), (3, filters), (3, width)):
            self.convolutions.extend(
                [nn.Conv1d(n_features, wide, kernel, padding=kernel // 2, bias=False), nn.BatchNorm1d(wide), nn.ReLU()]
            )
            n_features = wide
        self.project = nn.Sequential(nn.Linear(width, PROJECTION), nn.ReLU(), nn.Linear(PROJECTION, PROJECTION))

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        """From (batch, window, channels) to (batch, width)."""
        found: torch.Tensor = self.convolutions(own_shape(patches).transpose(1, 2)).mean(dim=2)
        return found


@dataclass(kw_only=True, eq=False, repr=False)
class PaAnoDetector(TorchDetector):
    """Score the patch of rows that ends at a row by how unlike it is to the most similar patches of training.

    Parameters
    ----------
    window : int, default=None
        Rows in a patch, at least 2. None takes 64 for one channel and 96 for more, at most a quarter of the longest
        training series.
    filters : int, default=32
        Filters of the first convolution; the others have 2, 1 and 1/2 times as many. The paper has 128.
    bank : int, default=1000
        Patches kept at most, at least 3: a tenth of the training patches, or 500.
    epochs, batch, lr, patience, held_back, budget_s, seed, device
        As in every neural detector: see :class:`~redshank.detectors.neural._base.TorchDetector`. A quarter of
        ``budget_s`` is kept for the bank; what it leaves undone is drawn at random.

    Attributes
    ----------
    window_ : int
        Rows in a patch.
    bank_ : ndarray of shape (at most bank, width)
        What the network makes of the patches kept, each of length 1.
    bank_patches_ : float32 ndarray of shape (at most bank, window, n_features)
        These patches, each channel less its mean and divided by its deviation.
    usual_distance_ : float
        The distance that 99.5 % of the held-back patches do not pass.
    usual_mean_ : ndarray of shape (2, n_features)
        From where to where the patches' means usually lie, in training standard deviations.
    usual_deviation_ : ndarray of shape (n_features,)
        What the patches' standard deviations usually do not pass, in training standard deviations.

    Notes
    -----
    ``score = d / usual_distance + sum over channels of ln(1 + excess)``. ``d`` is the mean cosine distance of the
    patch's embedding to the three nearest of the bank, as in [1]_: the network sees shapes alone and learned by a
    triplet loss that a patch is like those that start up to two rows away and unlike the least like one of its batch.
    ``excess`` is how far the mean and the deviation that were taken from a channel of the patch lie outside their usual
    range, in training standard deviations.

    Departures from [1]_: that second term, without which a level that no training row had would go unseen; the
    score of the patch that ends at a row, never of one around it; smaller layers; Adam and an early stop in place of
    200 steps of AdamW with a falling rate; no pretext task in the first steps; a bank that is bounded and chosen
    from at most 10,000 patches. Time O(window filters^2 + bank filters) a row to score.

    Contributions: the second term by channel, the first in parts as the squared differences from the most
    similar patch of the bank. They sum to the score.

    References
    ----------
    .. [1] J. Park et al., "PaAno: patch-based representation learning for time-series anomaly detection", ICLR, 2026.
    """

    tags = Tags(
        sequence=True,
        good_for="a shape never seen before, at whatever level and size it comes; repeating signals",
        cost="O(window filters^2 + bank filters)",
        source="Park et al. 2026",
    )

    _behind: ClassVar[float] = 0.25

    window: int | None = None
    filters: int = 32
    bank: int = 1000
    epochs: int = 10
    batch: int = 128
    patience: int = 3

    window_: int = field(init=False)
    bank_: Array = field(init=False)
    bank_patches_: npt.NDArray[np.float32] = field(init=False)
    usual_distance_: float = field(init=False)
    usual_mean_: Array = field(init=False)
    usual_deviation_: Array = field(init=False)

    @property
    def warmup(self) -> int:
        """Rows before the first score, until a patch is full; 0 before ``fit`` where its length is yet to be chosen."""
        return getattr(self, "window_", self.window or 1) - 1

    @property
    def _lead(self) -> int:
        return self.window_ - 1

    @property
    def _chunk(self) -> int:
        return 2 * NEIGHBOUR + 1

    def _check_settings(self) -> None:
        super()._check_settings()
        if self.window is not None:
            check_whole(self._name, "window", self.window, low=2)
        check_whole(self._name, "filters", self.filters, low=1)
        check_whole(self._name, "bank", self.bank, low=NEAREST)

    def _fit(self, series: list[Array], y: npt.NDArray[np.intp] | None) -> None:
        self._check_settings()
        longest = max(map(len, series))
        wanted = PATCH[0] if self.n_features_ == 1 else PATCH[1]
        self.window_ = self.window or max(2, min(wanted, longest // PARTS))
        if self.window_ > longest:
            raise SettingError(
                f"{self._name}: window is {self.window}, the longest training series {longest} rows; "
                "wanted a shorter window or longer series"
            )
        super()._fit(series, y)

    def _build(self, n_features: int) -> nn.Module:
        return PatchEncoder(n_features, self.filters)

    def _losses(self, module: nn.Module, batch: torch.Tensor) -> Iterator[torch.Tensor]:
        if not isinstance(module, PatchEncoder):
            raise AssertionError
        patches = batch.unfold(1, self.window_, 1).transpose(2, 3)  # (batch, chunk, window, channels)
        places = torch.arange(len(batch), device=batch.device)
        if module.training:  # any of the neighbours, before or after
            drawn = torch.randint(2 * NEIGHBOUR, (len(batch),), device=batch.device)
        else:
            drawn = places % (2 * NEIGHBOUR)
        likes = patches[places, drawn + (drawn >= NEIGHBOUR)]
        both = module.project(module(torch.cat([patches[:, NEIGHBOUR], likes])))
        anchors, others = nn.functional.normalize(both, dim=1).chunk(2)
        apart = 1.0 - anchors @ others.T  # cosine distances, (batch, batch)
        yield torch.relu(apart.diagonal() - apart.max(dim=1).values + MARGIN).mean()

    def _calibrate(self, series: list[Array], held: list[npt.NDArray[np.bool_]]) -> None:
        counts = [len(one) - self._lead for one in series]
        step = -(-sum(count for count in counts if count > 0) // SAMPLED)
        places = [np.arange(max(0, count - 1) % step, count, step) for count in counts]
        made = [self._embedded(one, own) for one, own in zip(series, places, strict=True)]
        points, means, deviations = (np.concatenate([one[k] for one in made]) for k in range(3))
        self.usual_mean_ = np.quantile(means, RANGE, axis=0)
        self.usual_deviation_ = np.quantile(deviations, RANGE[1], axis=0)
        new = np.concatenate([mask[own + self._lead] for mask, own in zip(held, places, strict=True)])
        distances = np.zeros(1)
        if new.any() and not new.all():
            self.bank_ = points[~new][self._chosen(points[~new])]
            distances, _ = self._nearest(points[new])
        self.usual_distance_ = max(float(np.quantile(distances, RANGE[1])), CLOSE)
        best = self._chosen(points)
        self.bank_ = points[best]
        where = np.column_stack([np.repeat(np.arange(len(series)), list(map(len, places))), np.concatenate(places)])
        kept = np.stack([self._near(series[k][place : place + self.window_]) for k, place in where[best]])
        self.bank_patches_ = own_shape(torch.from_numpy(kept)).numpy()

    def _chosen(self, points: Array) -> npt.NDArray[np.intp]:
        return representatives(points, min(self.bank, max(LEAST, int(SHARE * len(points)))), self.seed, self._deadline)

    def _score(self, X: Array) -> Array:
        distances, _, far = self._judged(X)
        scores: Array = distances + far.sum(axis=1)
        return scores

    def _contributions(self, X: Array) -> Array:
        distances, nearest, parts = self._judged(X)
        windows = np.lib.stride_tricks.sliding_window_view(X, self.window_, axis=0) if len(X) > self._lead else X[:0]
        for start in range(0, len(windows), BLOCK):
            rows = slice(self._lead + start, min(len(X), self._lead + start + BLOCK))
            own = own_shape(torch.from_numpy(self._near(windows[start : start + BLOCK].transpose(0, 2, 1)))).numpy()
            unlike = np.square(own - self.bank_patches_[nearest[rows]]).mean(axis=1, dtype=np.float64)
            unlike += np.finfo(np.float32).tiny  # of no difference each channel has the same part
            parts[rows] += (distances[rows] / unlike.sum(axis=1))[:, None] * unlike
        return parts

    def _judged(self, X: Array) -> tuple[Array, npt.NDArray[np.intp], Array]:
        """For each row the distance in units of the usual, the most similar patch, and the excess by channel."""
        distances, nearest, far = np.zeros(len(X)), np.zeros(len(X), np.intp), np.zeros(X.shape)
        if len(X) > self._lead:
            points, means, deviations = self._embedded(X, np.arange(len(X) - self._lead))
            found, nearest[self._lead :] = self._nearest(points)
            distances[self._lead :] = found / self.usual_distance_
            low, high = self.usual_mean_
            beyond = np.maximum(low - means, 0.0) + np.maximum(means - high, 0.0)
            beyond += np.maximum(deviations - self.usual_deviation_, 0.0)
            far[self._lead :] = np.log1p(beyond)
        return distances, nearest, far

    def _embedded(self, X: Array, places: npt.NDArray[np.intp]) -> tuple[Array, Array, Array]:
        """Points of the patches of one series that start at ``places``, and mean and deviation of their channels."""
        count = len(places)
        points = np.empty((count, max(1, self.filters // 2)))
        means, deviations = np.empty((count, self.n_features_)), np.empty((count, self.n_features_))
        block = np.zeros((BLOCK, self.window_, self.n_features_), np.float32)
        device = next(self._module.parameters()).device
        offsets = np.arange(self.window_)
        with one_thread(), torch.inference_mode():
            for start in range(0, count, BLOCK):
                rows = slice(start, min(count, start + BLOCK))
                own = np.clip(self._scaled(X[places[rows, None] + offsets]), -FAR, FAR)  # (block, window, channels)
                means[rows], deviations[rows] = own.mean(axis=1), own.std(axis=1)
                block[: len(own)] = np.clip(own, -NEAR, NEAR)
                points[rows] = self._module(torch.from_numpy(block).to(device))[: len(own)].cpu().numpy()
        return unit(points), means, deviations

    def _nearest(self, points: Array) -> tuple[Array, npt.NDArray[np.intp]]:
        """Mean cosine distance to the nearest of the bank, and the place of the very nearest."""
        near = min(NEAREST, len(self.bank_))
        distances, places = np.empty(len(points)), np.empty(len(points), np.intp)
        for start in range(0, len(points), BLOCK):
            apart = 1.0 - points[start : start + BLOCK] @ self.bank_.T
            places[start : start + BLOCK] = apart.argmin(axis=1)
            distances[start : start + BLOCK] = np.partition(apart, near - 1, axis=1)[:, :near].mean(axis=1)
        return np.maximum(distances, 0.0), places


def own_shape(patches: torch.Tensor) -> torch.Tensor:
    """Each channel of (batch, window, channels) less its mean and divided by its deviation."""
    centred = patches - patches.mean(dim=1, keepdim=True)
    shaped: torch.Tensor = centred / (centred.square().mean(dim=1, keepdim=True) + SPECK).sqrt()
    return shaped


def unit(points: Array) -> Array:
    """Each point moved along its ray to length 1; the origin stays."""
    moved: Array = points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), np.finfo(np.float64).tiny)
    return moved


def representatives(points: Array, count: int, seed: int, end: float | None = None) -> npt.NDArray[np.intp]:
    """Places of at most ``count`` points on the sphere, each the nearest to a centre of k-means by cosines.

    No round is begun after ``end``, on the clock of :func:`~redshank.detectors.neural._training.spent`: before the
    first, the centres are points drawn at random.
    """
    if count >= len(points):
        return np.arange(len(points))
    centres = points[np.sort(np.random.default_rng(seed).choice(len(points), count, replace=False))]
    for _ in range(ROUNDS):
        if spent(end):
            break
        own = most_similar(points, centres)
        sums = np.zeros_like(centres)
        np.add.at(sums, own, points)
        taken = np.bincount(own, minlength=count) > 0
        centres[taken] = unit(sums[taken])
    return np.unique(most_similar(centres, points))


def most_similar(points: Array, others: Array) -> npt.NDArray[np.intp]:
    """Place of the one among ``others`` whose cosine with each point is largest."""
    step = max(1, CELLS // len(others))
    parts = [(points[i : i + step] @ others.T).argmax(axis=1) for i in range(0, len(points), step)]
    return np.concatenate(parts)
