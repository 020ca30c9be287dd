"""The one training loop of every neural detector."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from redshank.core import SettingError
from redshank.core.detector import Progress
from redshank.detectors.neural._adam import Adam

Losses = Callable[[nn.Module, torch.Tensor], Iterator[torch.Tensor]]
"""Losses of a batch, one a step of the optimiser: the parts of a long chunk in turn, or the sides of a contest."""

CLIP_NORM = 1.0
"""Largest length of a gradient: longer ones are shortened to it (Pascanu et al. 2013)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train: the settings of a :class:`~redshank.detectors.neural._base.TorchDetector`."""

    epochs: int
    batch: int
    lr: float
    patience: int
    budget_s: float | None
    seed: int


class Chunks:
    """Runs of ``length`` consecutive rows, gathered only when a batch asks for them: windows are never stored.

    Parameters
    ----------
    rows : float32 ndarray of shape (n, channels)
        All series, one after the other.
    starts : int64 ndarray of shape (chunks,)
        First row of each chunk; ``starts + length <= n``.
    length : int
        Rows in a chunk.
    device : torch.device
        Where the rows are kept: once there, no batch has to be carried over.
    """

    def __init__(
        self, rows: npt.NDArray[np.float32], starts: npt.NDArray[np.int64], length: int, device: torch.device
    ) -> None:
        self._rows = torch.from_numpy(rows).to(device)
        self._starts = torch.from_numpy(starts).to(device)
        self._offsets = torch.arange(length, device=device)

    def __len__(self) -> int:
        return len(self._starts)

    def take(self, which: torch.Tensor) -> torch.Tensor:
        """The chunks with these numbers, shape (len(which), length, channels)."""
        rows = self._starts[which.to(self._rows.device)][:, None] + self._offsets
        taken = self._rows.index_select(0, rows.flatten())  # several times faster than indexing with a matrix
        return taken.view(len(which), len(self._offsets), -1)


def cut(lengths: Sequence[int], length: int, stride: int, wanted: int) -> npt.NDArray[np.int64]:
    """First rows of chunks over series that stand one after the other, none crossing a border.

    Where there are many rows a chunk starts ``stride`` rows behind the one before; where there are few they overlap
    more, down to a step of one row, until there are about ``wanted`` of them; where that is the stride, and no closer
    step is left, they are taken several times. The last rows of a series are always in a
    chunk; a series shorter than ``length`` gives none.
    """
    rooms = [size - length + 1 for size in lengths]
    step = max(1, min(stride, sum(room for room in rooms if room > 0) // wanted))
    begins = np.cumsum([0, *lengths[:-1]])
    starts = [
        begin + np.arange((room - 1) % step, room, step, dtype=np.int64)
        for begin, room in zip(begins, rooms, strict=True)
        if room > 0
    ]
    found = np.concatenate(starts) if starts else np.empty(0, np.int64)
    again = wanted // len(found) if stride == 1 and len(found) else 1
    return np.tile(found, again) if again > 1 else found


def train(
    module: nn.Module,
    losses: Losses,
    fit: Chunks,
    held: Chunks,
    *,
    watched: Losses,
    plan: Plan,
    device: torch.device,
    progress: Progress | None = None,
) -> None:
    """Train ``module`` in place by Adam and leave it with the weights that were best on the held-back chunks.

    Weights are learned from ``losses`` of the chunks ``fit``; the ``watched`` ones of ``held`` say which are best.
    ``progress`` is called after each epoch with the epochs done, the epochs at most and the held-back loss.
    Ends after ``plan.epochs``, after ``plan.patience`` epochs without a better held-back loss, or when
    ``plan.budget_s`` seconds are spent, whichever comes first. The caller has seeded torch; the order of the
    chunks comes from a generator of its own. Mixed precision (bfloat16, which needs no loss scaling) on CUDA. Not
    compiled: see ``docs/adr/0008-networks-are-not-compiled.md``.

    Raises
    ------
    SettingError
        If the held-back loss is never finite.
    """
    end = deadline(plan.budget_s)
    order = torch.Generator().manual_seed(plan.seed)
    optimiser = Adam(module.parameters(), plan.lr)
    mixed = torch.autocast("cuda", dtype=torch.bfloat16) if device.type == "cuda" else nullcontext()
    best, waited, weights = np.inf, 0, None
    for epoch in range(plan.epochs):
        module.train()
        for which in torch.split(torch.randperm(len(fit), generator=order), plan.batch):
            steps = losses(module, fit.take(which))
            while True:
                with mixed:
                    value = next(steps, None)
                if value is None:
                    break
                optimiser.zero_grad()
                value.backward()  # type: ignore[no-untyped-call]
                optimiser.shorten(CLIP_NORM)
                optimiser.step()
            if spent(end):
                break
        now = _held_back_loss(module, watched, held, plan.batch)
        if progress is not None:
            progress(epoch + 1, plan.epochs, now)
        if now < best:
            best, waited, weights = now, 0, copy.deepcopy(module.state_dict())
        else:
            waited += 1
        if waited >= plan.patience or spent(end):
            break
    if weights is None:
        raise SettingError(f"training diverged (held-back loss {now:g}); choose lr below {plan.lr:g}")
    module.load_state_dict(weights)


def _held_back_loss(module: nn.Module, losses: Losses, held: Chunks, batch: int) -> float:
    module.eval()
    total = 0.0
    with torch.inference_mode():
        for which in torch.split(torch.arange(len(held)), batch):
            values = [float(value) for value in losses(module, held.take(which))]
            total += sum(values) / len(values) * len(which)
    return total / len(held)


def deadline(budget_s: float | None) -> float | None:
    """When so many seconds from now will be spent, on the clock of :func:`spent`; None: never."""
    return None if budget_s is None else time.monotonic() + budget_s


def spent(end: float | None) -> bool:
    """Whether the time is up."""
    return end is not None and time.monotonic() >= end
