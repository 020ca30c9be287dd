"""What every neural detector shares: scaling, held-back rows, training, state as plain arrays."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from redshank.core import Detector, InputError, ModelError, SettingError, check_range
from redshank.core.contracts import Array
from redshank.detectors.neural._training import Chunks, Plan, cut, train

NEAR = 10.0
"""A network sees no value farther than this from the training mean, in training standard deviations."""

EPOCH_ROWS = 32_000
"""Rows that an epoch should see. Where there are fewer the chunks overlap: an epoch of a few steps teaches little."""

STRETCHES = 5
"""A long series is cut into this many stretches, and the end of each is held back, so that the held-back rows are
of all times and not of the last regime alone. On SMD 2-1, which drifts, that gave ROC-AUC 0.75 against 0.72."""

ROUNDING = 1e-12
"""Share of its mean that a channel's deviation must pass for the channel to have moved at all."""

WEIGHTS = "weights."
"""What stands before the name of a network's array in :meth:`TorchDetector.state`."""


@dataclass(kw_only=True, eq=False, repr=False)
class TorchDetector(Detector):
    """A detector around one network: a subclass gives the network and its losses, the rest stands here.

    A subclass is a dataclass too: its settings are fields with defaults. It gives

    - ``_build(n_features)``: the untrained ``nn.Module``;
    - ``_losses(module, batch)``: the mean losses of a batch of chunks, one for each step of the optimiser; a batch is
      float32 of shape (batch, lead + chunk, channels), scaled and clipped as :meth:`_near` does;
    - ``_watched(module, batch)``, if the losses do not say which weights are best, as in a contest of two networks;
    - ``_lead`` and ``_chunk``: rows of history that a chunk begins with, and rows after it that are learned from;
    - ``_calibrate(series, held)``, if it learns from the errors on held-back rows.

    Parameters
    ----------
    epochs, batch, lr, patience : int, int, float, int, default=50, 64, 0.001, 5
        Passes at most, chunks in a batch, step of Adam, epochs to wait for a better held-back loss.
    held_back : float, default=0.2
        Share of the training rows that weights are not learned from.
    budget_s : float, default=None
        Seconds that training may take; None: no limit.
    seed : int, default=0
        Same seed, same scores.
    device : str, default="auto"
        ``"cpu"``, ``"cuda"`` or ``"auto"``: CUDA where there is one.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_features,)
        Training mean and standard deviation, in the units of ``X``; 1 for a channel that never moved.

    Notes
    -----
    The same seed gives the same weights on one kind of machine, however many cores it has: on a CPU everything runs in
    one thread. These networks are small; two threads on idle cores take 14 ms a step where one takes 23, and on a
    busy machine wait for each other most of the time. Neither the number of threads nor torch's own random
    numbers are left changed.
    """

    epochs: int = 50
    batch: int = 64
    lr: float = 0.001
    patience: int = 5
    held_back: float = 0.2
    budget_s: float | None = None
    seed: int = 0
    device: str = "auto"

    mean_: Array = field(init=False)
    scale_: Array = field(init=False)
    _module: nn.Module = field(init=False)

    @property
    def _lead(self) -> int:
        return 0

    @property
    def _chunk(self) -> int:
        return 1

    @abstractmethod
    def _build(self, n_features: int) -> nn.Module:
        """The untrained network."""

    @abstractmethod
    def _losses(self, module: nn.Module, batch: torch.Tensor) -> Iterator[torch.Tensor]:
        """Mean losses of a batch of chunks, one for each step of the optimiser."""

    def _watched(self, module: nn.Module, batch: torch.Tensor) -> Iterator[torch.Tensor]:
        """Losses that say how good the weights are."""
        return self._losses(module, batch)

    def _calibrate(self, series: list[Array], held: list[npt.NDArray[np.bool_]]) -> None:
        """Learn what scoring needs from the trained network; ``held`` marks the rows that it has not seen."""

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """Everything that ``fit`` learned, as plain arrays by name; the network's stand under ``weights.``."""
        return super().state() | {
            WEIGHTS + name: tensor.detach().cpu().numpy().copy() for name, tensor in self._module.state_dict().items()
        }

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]]) -> Self:
        """Take back what :meth:`state` gave, in a detector with equal settings.

        Raises
        ------
        ModelError
            If the arrays do not fit the network that the settings describe.
        """
        super().restore({name: value for name, value in state.items() if not name.startswith(WEIGHTS)})
        weights = {
            name.removeprefix(WEIGHTS): torch.from_numpy(np.array(value))
            for name, value in state.items()
            if name.startswith(WEIGHTS)
        }
        device = self._device()
        with _seeded(self.seed, device):
            module = self._build(self.n_features_)
        try:
            module.load_state_dict(weights)
        except RuntimeError as error:
            raise ModelError(f"{self._name}: the saved network does not fit the settings ({error})") from error
        self._module = module.to(device).eval()
        return self

    def _fit(self, series: list[Array], y: npt.NDArray[np.intp] | None) -> None:  # noqa: ARG002 - learns without labels
        self._check_settings()
        device = self._device()
        length = self._lead + self._chunk
        rows = np.concatenate(series)
        self.mean_, self.scale_ = _mean_and_scale(rows)
        held = [_held_rows(len(one), self.held_back, self._lead, length) for one in series]
        near = [self._near(one) for one in series]
        parts = [_stretches(one, mask, self._lead, length) for one, mask in zip(near, held, strict=True)]
        learned = [part for fit, _ in parts for part in fit]
        watched = [part for _, held_parts in parts for part in held_parts]
        if not learned or not watched:
            raise InputError(
                f"{self._name}: {len(rows)} training rows are too few to hold back {self.held_back:.0%} of them; "
                "give more rows"
            )
        plan = Plan(self.epochs, self.batch, self.lr, self.patience, self.budget_s, self.seed)
        with _seeded(self.seed, device), one_thread():
            module = self._build(self.n_features_).to(device)
            train(
                module,
                self._losses,
                self._chunks(learned, EPOCH_ROWS // self._chunk, device),
                self._chunks(watched, 1, device),
                watched=self._watched,
                plan=plan,
                device=device,
                progress=self.progress,
            )
        self._module = module.eval()
        self._calibrate(series, held)

    def _chunks(self, parts: list[npt.NDArray[np.float32]], wanted: int, device: torch.device) -> Chunks:
        length = self._lead + self._chunk
        return Chunks(
            np.concatenate(parts), cut([len(part) for part in parts], length, self._chunk, wanted), length, device
        )

    def _scaled(self, X: Array) -> Array:
        """Deviation from the training mean, in training standard deviations."""
        scaled: Array = (X - self.mean_) / self.scale_
        return scaled

    def _near(self, X: Array) -> npt.NDArray[np.float32]:
        """What the network sees: scaled, and clipped to :data:`NEAR`."""
        return np.clip(self._scaled(X), -NEAR, NEAR).astype(np.float32)

    def _check_settings(self) -> None:
        for name in ("epochs", "batch", "patience"):
            check_range(self._name, name, getattr(self, name), low=1)
        check_range(self._name, "lr", self.lr, low=1e-8, high=1.0)
        check_range(self._name, "held_back", self.held_back, low=0.05, high=0.5)
        if self.budget_s is not None:
            check_range(self._name, "budget_s", self.budget_s, low=0.0)

    def _device(self) -> torch.device:
        if self.device == "auto":
            return torch.device("cuda" if torch.cuda.is_available() else "cpu")
        if self.device == "cuda" and not torch.cuda.is_available():
            raise SettingError(f"{self._name}: device is 'cuda', but torch finds none here; choose 'cpu' or 'auto'")
        if self.device not in ("cpu", "cuda"):
            raise SettingError(f"{self._name}: device is {self.device!r}; wanted 'auto', 'cpu' or 'cuda'")
        return torch.device(self.device)


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch uses one thread inside, and as many as before afterwards."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Torch's own random numbers start from ``seed`` inside and go on afterwards as if nothing had happened."""
    index = torch.cuda.current_device() if device.type == "cuda" else None
    with torch.random.fork_rng(devices=[] if index is None else [index]):
        # Not torch.manual_seed: it would seed every accelerator, also those that are not put back.
        torch.default_generator.manual_seed(seed)
        if index is not None:
            torch.cuda.manual_seed(seed)
        yield


def _mean_and_scale(rows: Array) -> tuple[Array, Array]:
    mean, deviation = rows.mean(axis=0), rows.std(axis=0)  # squares of 1e38 are far inside float64
    # A mean of equal floats is off by rounding: what deviates less than that never moved.
    still = (deviation <= ROUNDING * np.abs(mean)) | (deviation == 0.0)
    return mean, np.where(still, 1.0, deviation)


def _held_rows(rows: int, share: float, lead: int, length: int) -> npt.NDArray[np.bool_]:
    """True for the last ``share`` of each stretch of a series, its first ``lead`` rows excepted.

    A short series is one stretch: pieces of a few rows would teach nothing about time.
    """
    stretches = min(STRETCHES, max(1, rows // (10 * length)))
    place = np.arange(rows) * stretches % max(rows, 1)
    return np.asarray((place >= (1.0 - share) * rows) & (np.arange(rows) >= lead))


def _stretches(
    near: npt.NDArray[np.float32], held: npt.NDArray[np.bool_], lead: int, length: int
) -> tuple[list[npt.NDArray[np.float32]], list[npt.NDArray[np.float32]]]:
    """The series cut where ``held`` changes: parts to learn from, parts to watch, each with its history.

    A part to watch has the rows before it as history. A part to learn from may not see held-back rows: its own
    first row, repeated, stands for them, as at the start of a series when it is scored.
    """
    learned: list[npt.NDArray[np.float32]] = []
    watched: list[npt.NDArray[np.float32]] = []
    borders = [0, *(np.flatnonzero(np.diff(held)) + 1), len(near)]
    for start, end in itertools.pairwise(borders):
        if start == end:
            continue
        front = max(lead, length - (end - start))
        if held[start]:
            watched.append(_with_front(near[max(0, start - front) : end], front + end - start))
        else:
            learned.append(_with_front(near[start:end], front + end - start))
    return learned, watched


def _with_front(rows: npt.NDArray[np.float32], wanted: int) -> npt.NDArray[np.float32]:
    return np.concatenate([np.repeat(rows[:1], wanted - len(rows), axis=0), rows])
