"""Neural detectors that learn from labels: one network from a row, or the window that ends at it, to its class."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from redshank.core import Classifier, InputError, SettingError, check_range, check_whole
from redshank.core.classifier import SUREST
from redshank.core.contracts import Array
from redshank.detectors._imbalance import balanced_weights, oversampled
from redshank.detectors.neural._base import STRETCHES, TorchDetector, mean_and_scale, one_thread
from redshank.detectors.neural._training import Chunks

BLOCK = 256
"""Rows scored at a time. Always this many, the last block filled up: arithmetic on equal shapes gives equal
bits, so a row's score does not change in its last digits with what it comes with."""

EPOCH_ROWS = 4096
"""Rows that an epoch sees at least; where there are fewer it goes over them more than once before it looks at the
held-back rows."""

RUN = 10
"""Rows of a class that a stretch of time has at least."""


@dataclass(kw_only=True, eq=False, repr=False)
class TorchClassifier(TorchDetector, Classifier):
    """A classifier around one network. Score = -ln of the probability that the row is normal.

    A subclass gives ``_build(n_features)``: a module that takes float32 rows of shape (batch, window, channels), scaled
    and clipped as :meth:`_near` does, and gives a logit for each of ``classes_``, shape (batch, classes).

    Parameters
    ----------
    class_weight : {"root", "balanced", None}, default="root"
        ``"balanced"``: rows of a rare class count more, so that all classes count alike; None: all rows count alike;
        ``"root"``: between the two, weights are the square roots of those that balance.
    oversample : float, default=0.0
        Rows of rare classes are repeated until each class has this share of the largest, 0 to 1, among the rows learned
        from alone: no copy is held back.
    epochs, batch, lr, patience, held_back, budget_s, seed, device
        As in every neural detector: see :class:`~redshank.detectors.neural._base.TorchDetector`.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_features,)
        Mean and standard deviation of the normal training rows, in the units of ``X``; 1 for a channel that never
        moved. By all rows, one huge anomaly would make the others small; and past ten of these a row is as far as can
        be, so that a farther one is not less sure.

    Notes
    -----
    The loss is the weighted cross-entropy; the plain one of held-back rows ends training. Of each class, the last rows
    of up to five stretches of its time are held back, at least one where there are two. The history in front of a row
    may reach into them, but their labels are not learned from.
    """

    batch: int = 128
    class_weight: str | None = "root"
    oversample: float = 0.0

    _class_weights: torch.Tensor = field(init=False)

    @abstractmethod
    def _build(self, n_features: int) -> nn.Module:
        """The untrained network, from (batch, window, channels) to logits (batch, classes)."""

    def _losses(self, module: nn.Module, batch: torch.Tensor) -> Iterator[torch.Tensor]:
        # The last column holds the class of each row: see _labelled.
        yield self._cross_entropy(module(batch[:, :, :-1]), batch[:, -1, -1].long())

    def _watched(self, module: nn.Module, batch: torch.Tensor) -> Iterator[torch.Tensor]:
        # Without weights: one held-back row of a class of three would outvote a thousand others.
        yield nn.functional.cross_entropy(module(batch[:, :, :-1]), batch[:, -1, -1].long())

    def _cross_entropy(self, logits: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        each = nn.functional.cross_entropy(logits, codes, reduction="none")
        # Not divided by the weights in the batch, which would take them away where a batch has one class alone.
        return (self._class_weights[codes] * each).mean()

    def _calibrate_classes(self, series: list[Array], codes: npt.NDArray[np.intp], held: npt.NDArray[np.bool_]) -> None:
        """Learn what scoring needs beside the network; ``held`` marks the rows of all series that it has not seen."""

    def _fit(self, series: list[Array], y: npt.NDArray[np.intp] | None) -> None:
        self._check_settings()
        if y is None:  # the tags need labels: Detector.fit has asked for them
            raise AssertionError
        device = self._device()
        normal = np.split(y == 0, np.cumsum([len(one) for one in series])[:-1])
        self.mean_, self.scale_ = mean_and_scale(*(one[own] for one, own in zip(series, normal, strict=True)))
        held = held_rows(y, self.held_back)
        if not held.any():
            raise InputError(
                f"{self._name}: {len(y)} training rows are too few to hold back one row of a class; give more rows"
            )
        learned = np.flatnonzero(~held)
        learned = learned[oversampled(y[learned], self.seed, self.oversample)]
        self._class_weights = torch.tensor(self._weights(y[learned]), dtype=torch.float32, device=device)
        rows, starts = self._labelled(series, y)
        passes = -(-EPOCH_ROWS // len(learned))
        length = self._lead + 1
        self._train(
            Chunks(rows, np.tile(starts[learned], passes), length, device),
            Chunks(rows, starts[held], length, device),
            device,
        )
        del self._class_weights
        self._calibrate_classes(series, y, held)

    def _weights(self, codes: npt.NDArray[np.intp]) -> Array:
        """Weight of each class, 1 on average over the rows with these classes."""
        power = {"balanced": 1.0, "root": 0.5, None: 0.0}[self.class_weight]
        weights = balanced_weights(codes) ** power
        each: Array = weights / weights[codes].mean()
        return each

    def _labelled(
        self, series: list[Array], y: npt.NDArray[np.intp]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """All rows with their class as one more column, and where the window that ends at each row starts."""
        parts, starts, first, labelled = [], [], 0, 0
        for one in series:
            own = np.column_stack([self._near(one), y[labelled : labelled + len(one)].astype(np.float32)])
            parts.append(self._padded(own))
            starts.append(first + np.arange(len(one), dtype=np.int64))
            first += len(parts[-1])
            labelled += len(one)
        return np.concatenate(parts), np.concatenate(starts)

    def _padded(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Before its first row a series is taken to have stood still."""
        return np.concatenate([np.repeat(rows[:1], self._lead, axis=0), rows])

    def _score(self, X: Array) -> Array:
        logits = self._logits(X)
        # -ln P(normal) = ln(1 + sum of e^(logit - logit of normal)): exact for a row that is surely normal, too.
        scores = np.logaddexp(0.0, np.logaddexp.reduce(logits[:, 1:] - logits[:, :1], axis=1))
        clipped: Array = np.clip(scores, -np.log1p(-SUREST), -np.log(SUREST))
        return clipped

    def _probabilities(self, X: Array) -> Array:
        logits = self._logits(X)
        found: Array = np.exp(logits - np.logaddexp.reduce(logits, axis=1)[:, None])
        return found

    def _logits(self, X: Array) -> Array:
        """A logit for each class of each row of one series, shape (rows, classes)."""
        return self._through(self._module, X, len(self.classes_))

    def _through(self, network: Callable[[torch.Tensor], torch.Tensor], X: Array, width: int) -> Array:
        """What ``network`` makes of the window that ends at each row of one series, shape (rows, width)."""
        device = next(self._module.parameters()).device
        found = np.empty((len(X), width))
        if not len(X):
            return found
        windows = np.lib.stride_tricks.sliding_window_view(self._padded(self._near(X)), self._lead + 1, axis=0)
        block = np.zeros((BLOCK, self._lead + 1, self.n_features_), np.float32)
        with one_thread(), torch.inference_mode():
            for start in range(0, len(X), BLOCK):
                own = windows[start : start + BLOCK].transpose(0, 2, 1)
                block[: len(own)] = own
                made = network(torch.from_numpy(block).to(device))
                found[start : start + len(own)] = made[: len(own)].cpu().numpy()
        return found

    def _check_settings(self) -> None:
        super()._check_settings()
        if self.class_weight not in ("root", "balanced", None):
            raise SettingError(
                f"{self._name}: class_weight is {self.class_weight!r}; wanted 'root', 'balanced' or None"
            )
        check_range(self._name, "oversample", self.oversample, low=0.0, high=1.0)


@dataclass(kw_only=True, eq=False, repr=False)
class WindowClassifier(TorchClassifier):
    """A :class:`TorchClassifier` that sees the window of rows that ends at the row it names.

    Parameters
    ----------
    window : int, default=10
        Rows in a window. 1: the row alone, for tables whose order means nothing.
    """

    window: int = 10

    @property
    def warmup(self) -> int:
        """Rows of a series that must come before the first real score, until a window is full."""
        return self.window - 1

    @property
    def _lead(self) -> int:
        return self.window - 1

    def _check_settings(self) -> None:
        super()._check_settings()
        check_whole(self._name, "window", self.window, low=1)


@dataclass(kw_only=True, eq=False, repr=False)
class ConvolutionClassifier(WindowClassifier):
    """A :class:`WindowClassifier` that begins with convolutions; a subclass names its ``network``.

    Parameters
    ----------
    filters, blocks : int, default=32, 2
        Filters of three values in a block; blocks, each of which halves the length.
    hidden : int, default=64
        Width of the layers behind them.
    dropout : float, default=0.1
        Share of values that a step of training leaves out, 0 to 0.9.
    """

    network: ClassVar[type[nn.Module]]
    """Made of window and channels, and by keyword of the settings here and the number of classes."""

    filters: int = 32
    blocks: int = 2
    hidden: int = 64
    dropout: float = 0.1

    def _check_settings(self) -> None:
        super()._check_settings()
        for name in ("filters", "blocks", "hidden"):
            check_whole(self._name, name, getattr(self, name), low=1)
        check_dropout(self._name, self.dropout)

    def _build(self, n_features: int) -> nn.Module:
        return self.network(
            self.window,
            n_features,
            filters=self.filters,
            blocks=self.blocks,
            hidden=self.hidden,
            classes=len(self.classes_),
            dropout=self.dropout,
        )


def held_rows(codes: npt.NDArray[np.intp], share: float) -> npt.NDArray[np.bool_]:
    """True for the last ``share`` of up to five stretches of each class's rows; one row at least where it has two."""
    held = np.zeros(len(codes), dtype=np.bool_)
    for code in np.unique(codes):
        mine = np.flatnonzero(codes == code)
        stretches = min(STRETCHES, max(1, len(mine) // RUN))
        last = np.arange(len(mine)) * stretches % len(mine) >= (1.0 - share) * len(mine)
        if len(mine) > 1:
            last[-1] = True
        held[mine[last]] = True
    return held


def signal(rows: torch.Tensor) -> torch.Tensor:
    """A window (batch, window, channels) as (batch, channels, window); a single row as (batch, 1, channels).

    So a convolution runs along time where there is a window, and along the features of a row where there is none, as
    the papers on network records do. The order of features then matters: neighbours share a filter.
    """
    return rows if rows.shape[1] == 1 else rows.transpose(1, 2)


def signal_shape(window: int, n_features: int) -> tuple[int, int]:
    """Channels and length of what :func:`signal` gives."""
    return (1, n_features) if window == 1 else (n_features, window)


def check_dropout(who: str, dropout: float) -> None:
    """Raise SettingError unless a share of 0 to 0.9 is dropped."""
    check_range(who, "dropout", dropout, low=0.0, high=0.9)
