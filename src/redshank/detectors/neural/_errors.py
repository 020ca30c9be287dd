"""Detectors whose score is an error: of a row foretold, of a row or window rebuilt, or of both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from redshank.core import Band
from redshank.core.contracts import Array
from redshank.detectors.neural._base import NEAR, TorchDetector, one_thread

FAR = 1e12
"""Errors are measured on values clipped this far from the training mean, in training standard deviations."""

KNEE = 3.0
"""An error of more than this many held-back root mean squares counts linearly, not squared (Huber 1964)."""

FLOOR = 0.01
"""Smallest mean squared error of a channel on held-back rows, as a share of its training variance: a channel
that is foretold perfectly, because it never moves, would otherwise outweigh all others."""

BAND = (0.005, 0.995)
"""Quantiles of the held-back errors between which a channel is as expected."""

MIDDLE = (0.05, 0.95)
"""Quantiles of a held-back error whose distance is its spread."""

BLOCK = 256
"""Rows scored at a time. Always this many, the last block filled up: arithmetic on equal shapes gives equal
bits, so a row's score does not change in its last digits with what follows it."""

STEPS = 32
"""Rows over which an error is propagated back: 64 take twice as long a pass and found no more on SMD 1-6."""

RECURRENT = 4
"""Fewest series from which a recurrent layer gives the same bits as with :data:`TOGETHER`: 2 for LSTM, 4 for GRU."""

TOGETHER = 64
"""Series of one list that are scored side by side."""

Carried = torch.Tensor | tuple["Carried", ...] | None
"""What a network takes from one block of rows to the next; its first dimension but one is the batch, as in an LSTM."""


@dataclass(kw_only=True, eq=False, repr=False)
class ErrorDetector(TorchDetector):
    """Score a row by the errors of one or more estimates that a network makes of it, or of the window that ends at it.

    A subclass gives ``_build``: a module whose ``forward(rows, carried)`` takes float32 rows of shape (batch,
    lead + steps, channels) and what it gave last time (None at the start of a series). It returns a tuple of estimates
    of the last ``steps`` rows, one tensor for each kind of error, and what to carry on. An estimate of the rows has
    shape (batch, steps, channels), one of the windows that end at them (batch, steps, channels, window). The last
    estimate is the one that :meth:`expected` tells.

    It may give ``_lead``; ``_chunk``, a multiple of :data:`STEPS`, whose parts are learned from in turn, the state
    carried from one to the next without its gradient; and ``_fixed_weights``.

    Attributes
    ----------
    spread_ : ndarray of shape (estimates, n_features)
        Root mean square error of each channel on held-back rows, in training standard deviations; 1 where errors
        are plain squares.
    weights_ : ndarray of shape (estimates,)
        Weight of each kind of error in the score.
    band_ : ndarray of shape (2, n_features)
        Usual error of the last estimate, from and to, in training standard deviations.

    Notes
    -----
    ``score = sum over estimates of weight * mean over channels (and rows of the window) of size(error / spread)``.
    The size is the square, growing linearly past three (Huber), so that a quiet channel counts as much as a noisy one
    and one wild channel does not drown the rest. Where ``robust`` is False it is the plain squared error. Contributions
    are the terms of the mean over channels: they sum to the score.
    """

    robust: ClassVar[bool] = True
    """Errors in units of their held-back spread, linear past :data:`KNEE`; otherwise plain squares."""

    abreast: ClassVar[int] = 1
    """Series that are scored side by side at least, empty ones where there are fewer. Recurrent layers need
    :data:`RECURRENT`: a matrix product of fewer rows sums in another order, and a score would differ in its last digits
    with the series that it is asked beside."""

    spread_: Array = field(init=False)
    weights_: Array = field(init=False)
    band_: Array = field(init=False)

    @property
    def _chunk(self) -> int:
        return STEPS

    @property
    def _block(self) -> int:
        """Rows of a series that are scored at a time."""
        return BLOCK

    @property
    def _fixed_weights(self) -> tuple[float | None, ...]:
        """Weight of each kind of error; None: one over its spread on held-back rows. A single error has weight 1."""
        return (1.0,)

    def _losses(self, module: nn.Module, batch: torch.Tensor) -> Iterator[torch.Tensor]:
        for kinds in self._kinds_of_loss(module, batch):
            yield sum(kinds[1:], kinds[0])

    def _kinds_of_loss(self, module: nn.Module, batch: torch.Tensor) -> Iterator[list[torch.Tensor]]:
        """Mean squared error of each estimate, for each part of the chunks in turn."""
        carried: Carried = None
        for start in range(0, self._chunk, STEPS):
            rows = batch[:, start : start + self._lead + min(STEPS, self._chunk)]
            estimates, carried = module(rows, carried)
            yield [nn.functional.mse_loss(one, _actual(rows, one)) for one in estimates]
            carried = _without_gradient(carried)

    def _calibrate(self, series: list[Array], held: list[npt.NDArray[np.bool_]]) -> None:
        if not self.tags.sequence:  # no row needs those before it: only the held-back ones are asked for
            series, held = [one[mask] for one, mask in zip(series, held, strict=True)], [mask[mask] for mask in held]
        squares: Array | None = None
        misses: list[Array] = []
        for part in self._parts(series):
            mask = held[part.series][part.rows]
            # Clipped, so that a fault among the training rows does not make its channel deaf.
            near = [np.clip(error[mask], -NEAR, NEAR) for error in part.errors]
            own = np.stack([_over_window(np.square(error)).sum(axis=0) for error in near])
            squares = own if squares is None else squares + own
            misses.append(_last(near[-1]).copy())  # not a view, which would keep the windows
        missed = np.concatenate(misses)
        low, high = np.quantile(missed, BAND, axis=0)
        self.band_ = np.stack([np.minimum(low, 0.0), np.maximum(high, 0.0)])
        if squares is None:  # the caller has held rows back
            raise AssertionError
        self.spread_ = np.sqrt(np.maximum(squares / len(missed), FLOOR)) if self.robust else np.ones_like(squares)
        self.weights_ = np.array([1.0 if weight is None else weight for weight in self._fixed_weights])
        unknown = [k for k, weight in enumerate(self._fixed_weights) if weight is None]
        if unknown:
            sizes = [
                [size[held[part.series][part.rows]].mean(axis=1) for size in self._sizes(part)]
                for part in self._parts(series)
            ]
            spreads = [_spread(np.concatenate(kind)) for kind in zip(*sizes, strict=True)]
            self.weights_[unknown] = [1.0 / spreads[k] for k in unknown]

    def _score(self, X: Array) -> Array:
        return self._score_all([X])[0]

    def _score_all(self, series: list[Array]) -> list[Array]:
        """Scores of several series, side by side through the network."""
        scores = [np.empty(len(one)) for one in series]
        for part in self._parts(series):
            scores[part.series][part.rows] = self._terms(part).sum(axis=1)
        return scores

    def _contributions(self, X: Array) -> Array:
        terms = np.empty(X.shape)
        for part in self._parts([X]):
            terms[part.rows] = self._terms(part)
        return terms

    def _expected(self, X: Array) -> Band:
        """The last estimate, with the range that held 99 % of the held-back errors; in the warm-up the training's."""
        early = super()._expected(X)
        value, low, high = (part.copy() for part in (early.value, early.low, early.high))
        for part in self._parts([X]):
            for out, ahead in ((value, 0.0), (low, self.band_[0]), (high, self.band_[1])):
                out[part.rows] = self.mean_ + self.scale_ * (part.estimate + ahead)
        for out, start in ((value, early.value), (low, early.low), (high, early.high)):
            out[: self.warmup] = start[: self.warmup]
        return Band(value, low, high)

    def _terms(self, part: _Part) -> Array:
        """What each channel adds to the score of each row, (rows, n_features)."""
        first, *others = (
            size * (weight / self.n_features_) for size, weight in zip(self._sizes(part), self.weights_, strict=True)
        )
        terms: Array = sum(others, first)
        return terms

    def _sizes(self, part: _Part) -> list[Array]:
        """Size of each error of each row and channel, (rows, n_features) each."""
        if not self.robust:
            return [_over_window(np.square(error)) for error in part.errors]
        return [
            _over_window(_huber(error / (spread if error.ndim == 2 else spread[:, None])))
            for error, spread in zip(part.errors, self.spread_, strict=True)
        ]

    def _parts(self, series: list[Array]) -> Iterator[_Part]:
        """What the network makes of each series, block by block, carrying its state."""
        if not self.tags.sequence:
            yield from self._row_by_row(series)
            return
        # Longest first: series of like length stand side by side, so little is filled up.
        order = sorted((k for k in range(len(series)) if len(series[k])), key=lambda k: -len(series[k]))
        for first in range(0, len(order), TOGETHER):
            yield from self._side_by_side({k: series[k] for k in order[first : first + TOGETHER]})

    def _row_by_row(self, series: list[Array]) -> Iterator[_Part]:
        """As :meth:`_parts`, of rows that do not know each other: short series share a block."""
        ends = np.cumsum([len(one) for one in series])
        first = 0
        while first < len(series):
            before = ends[first] - len(series[first])
            last = max(first + 1, int(np.searchsorted(ends, before + self._block, side="right")))
            if last == first + 1:
                yield from self._side_by_side({first: series[first]})
            else:
                for whole in self._side_by_side({first: np.concatenate(series[first:last])}):
                    for k in range(first, last):
                        own = slice(ends[k] - len(series[k]) - before, ends[k] - before)
                        errors = [error[own] for error in whole.errors]
                        yield _Part(k, slice(0, len(series[k])), errors, whole.estimate[own])
            first = last

    def _side_by_side(self, group: dict[int, Array]) -> Iterator[_Part]:
        device = next(self._module.parameters()).device
        lead, block = self._lead, self._block
        carried: Carried = None
        for start in range(0, max(map(len, group.values())), block):
            far = {k: self._piece(one, start) for k, one in group.items() if len(one) > start}
            rows = np.zeros((max(len(group), self.abreast), lead + block, self.n_features_), np.float32)
            for own, piece in zip(rows, far.values(), strict=False):  # longest first: those at an end stand last
                np.clip(piece, -NEAR, NEAR, out=own[: len(piece)], casting="same_kind")
            with one_thread(), torch.inference_mode():
                made, carried = self._module(torch.from_numpy(rows).to(device), carried)
            made = [one.cpu().numpy() for one in made]
            for i, (k, piece) in enumerate(far.items()):
                count = len(piece) - lead
                estimates = [one[i, :count] for one in made]
                errors = [_actual_rows(piece, one) - one for one in estimates]
                yield _Part(k, slice(start, start + count), errors, _last(estimates[-1]))

    def _piece(self, X: Array, start: int) -> Array:
        """The rows that are scored from ``start`` on and those that lead to them, scaled and clipped to :data:`FAR`.

        Before its first row a series is taken to have stood still.
        """
        rows = X[max(0, start - self._lead) : start + self._block]
        missing = max(0, self._lead - start)
        if missing:
            rows = np.concatenate([np.repeat(rows[:1], missing, axis=0), rows])
        scaled = self._scaled(rows)
        return np.clip(scaled, -FAR, FAR, out=scaled)


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Consecutive rows of one series, in training standard deviations.

    ``errors`` of shape (rows, channels) or (rows, channels, window) each; ``estimate`` of shape (rows, channels).
    """

    series: int
    rows: slice
    errors: list[Array]
    estimate: Array


def _actual(rows: torch.Tensor, estimate: torch.Tensor) -> torch.Tensor:
    """What ``estimate`` is an estimate of: the last rows, or the windows that end at them."""
    steps = estimate.shape[1]
    if estimate.ndim == 3:
        return rows[:, -steps:]
    return rows.unfold(1, estimate.shape[3], 1)[:, -steps:]  # (batch, steps, channels, window)


def _actual_rows(rows: Array, estimate: Array) -> Array:
    """As :func:`_actual`, of one series."""
    steps = len(estimate)
    if estimate.ndim == 2:
        return rows[-steps:]
    windows: Array = np.lib.stride_tricks.sliding_window_view(rows, estimate.shape[2], axis=0)
    return windows[-steps:]


def _over_window(values: Array) -> Array:
    """Mean over the rows of the window, where there is one."""
    return values if values.ndim == 2 else np.asarray(values.mean(axis=2))


def _last(values: Array) -> Array:
    """Of windows their last row."""
    return values if values.ndim == 2 else values[:, :, -1]


def _without_gradient(carried: Carried) -> Carried:
    if isinstance(carried, torch.Tensor):
        return carried.detach()
    return carried if carried is None else tuple(map(_without_gradient, carried))


def _huber(error: Array) -> Array:
    size = np.abs(error)
    return np.where(size <= KNEE, np.square(np.minimum(size, KNEE)), KNEE * (2.0 * size - KNEE))


def _spread(errors: Array) -> float:
    low, high = np.quantile(errors, MIDDLE)
    return float(max(high - low, np.finfo(np.float32).eps))
