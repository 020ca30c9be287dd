"""What every neural detector shares: scaling, held-back rows, training, state as plain arrays."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from redshank.core import LAST_SEED, Detector, InputError, ModelError, SettingError, check_range, check_whole
from redshank.core.contracts import Array
from redshank.detectors.neural._training import Chunks, Plan, cut, deadline, train

NEAR = 10.0
"""A network sees no value farther than this from the training mean, in training standard deviations."""

EPOCH_ROWS = 32_000
"""Rows that an epoch should see. Where there are fewer the chunks overlap: an epoch of a few steps teaches little."""

STRETCHES = 5
"""A long series is cut into this many stretches, and the end of each is held back, so that the held-back rows are
of all times and not of the last regime alone. On SMD 2-1, which drifts, that gave ROC-AUC 0.75 against 0.72."""

CACHED = 1024
"""Rows that are worked on at a time, so that what is in between fits the cache and no copy of all rows is made."""

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
        Seconds that training may take; None: no limit. Calibration and a scoring pass of the training rows follow.
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
    _deadline: float | None = field(init=False)

    _behind: ClassVar[float] = 0.0
    """Share of ``budget_s`` that is kept for what is learned behind the network, until :attr:`_deadline`."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, np.integer):  # torch takes Python's own whole numbers alone
                setattr(self, name, int(value))

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
        self.mean_, self.scale_ = mean_and_scale(*series)
        held = [_held_rows(len(one), self.held_back, self._lead, length) for one in series]
        cuts = [
            (one, stretch) for one, mask in zip(series, held, strict=True) for stretch in _stretches(mask, self._lead)
        ]
        learned = [(one, stretch) for one, stretch in cuts if not stretch.held]
        watched = [(one, stretch) for one, stretch in cuts if stretch.held]
        if not learned or not watched:
            raise InputError(
                f"{self._name}: {sum(map(len, series))} training rows are too few to hold back {self.held_back:.0%} of "
                "them; give more rows"
            )
        self._train(self._chunks(learned, EPOCH_ROWS // self._chunk, device), self._chunks(watched, 1, device), device)
        self._calibrate(series, held)

    def _array(self, part: Any) -> Array:
        """Floats as they are, float32 too: a network neither keeps rows nor writes to them, and works on blocks."""
        same = isinstance(part, np.ndarray) and part.dtype in (np.float32, np.float64)
        return np.asarray(part) if same else super()._array(part)

    def _train(self, learned: Chunks, watched: Chunks, device: torch.device) -> None:
        """Build the network and learn its weights."""
        budget_s = None if self.budget_s is None else self.budget_s * (1.0 - self._behind)
        plan = Plan(self.epochs, self.batch, self.lr, self.patience, budget_s, self.seed)
        self._deadline = deadline(self.budget_s)
        with _seeded(self.seed, device), one_thread():
            module = self._build(self.n_features_).to(device)
            self._learn(module, learned, watched, plan, device)
        self._module = module.eval()

    def _learn(self, module: nn.Module, learned: Chunks, watched: Chunks, plan: Plan, device: torch.device) -> None:
        """Learn the weights, in place; a network whose parts learn one after the other gives its own."""
        train(
            module,
            self._losses,
            learned,
            watched,
            watched=self._watched,
            plan=plan,
            device=device,
            progress=self.progress,
        )

    def _chunks(self, parts: list[tuple[Array, _Stretch]], wanted: int, device: torch.device) -> Chunks:
        length = self._lead + self._chunk
        sizes = [max(length, stretch.front + stretch.end - stretch.start) for _, stretch in parts]
        rows = np.empty((sum(sizes), self.n_features_), np.float32)
        first = 0
        for (one, stretch), size in zip(parts, sizes, strict=True):
            self._fill(rows[first : first + size], one, stretch)
            first += size
        return Chunks(rows, cut(sizes, length, self._chunk, wanted), length, device)

    def _fill(self, rows: npt.NDArray[np.float32], one: Array, stretch: _Stretch) -> None:
        """A stretch of a series and what stands before it, as the network sees it."""
        begin = stretch.begin(len(rows))
        known = rows[len(rows) - (stretch.end - begin) :]
        for start in range(0, len(known), CACHED):
            known[start : start + CACHED] = self._near(one[begin + start : min(stretch.end, begin + start + CACHED)])
        rows[: len(rows) - len(known)] = known[:1]

    def _scaled(self, X: Array) -> Array:
        """Deviation from the training mean, in training standard deviations."""
        scaled: Array = X - self.mean_
        scaled /= self.scale_
        return scaled

    def _near(self, X: Array) -> npt.NDArray[np.float32]:
        """What the network sees: scaled, and clipped to :data:`NEAR`."""
        scaled = self._scaled(X)
        return np.clip(scaled, -NEAR, NEAR, out=scaled).astype(np.float32)

    def _check_settings(self) -> None:
        for name in ("epochs", "batch", "patience"):
            check_whole(self._name, name, getattr(self, name), low=1)
        check_whole(self._name, "seed", self.seed, low=0, high=LAST_SEED)
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


def mean_and_scale(*series: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of each channel over all series; 1 where a channel never moved."""
    blocks = [one[i : i + CACHED] for one in series for i in range(0, len(one), CACHED)]
    count = sum(map(len, blocks))
    mean = np.asarray(np.sum([rows.sum(axis=0, dtype=np.float64) for rows in blocks], axis=0) / count)
    space = np.empty((CACHED, len(mean)))  # one for all blocks: to ask the system for each costs more than the sums
    squares = np.zeros(len(mean))
    for rows in blocks:
        centred = np.subtract(rows, mean, out=space[: len(rows)])
        squares += np.square(centred, out=centred).sum(axis=0)  # squares of 1e38 are far inside float64
    deviation = np.sqrt(squares / count)
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


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Rows ``start`` to ``end`` of a series, all held back or none, and how many rows of history come before them."""

    start: int
    end: int
    front: int
    held: bool

    def begin(self, size: int) -> int:
        """The first row of the series that may be among ``size`` rows which end with the stretch.

        A stretch to watch has the rows before it as history. One to learn from may not see held-back rows: its own
        first row, repeated, stands for them, as at the start of a series when it is scored.
        """
        return max(0, self.end - size) if self.held else self.start


def _stretches(held: npt.NDArray[np.bool_], lead: int) -> list[_Stretch]:
    """A series cut where ``held`` changes."""
    borders = [0, *(np.flatnonzero(np.diff(held)) + 1), len(held)]
    return [
        _Stretch(int(start), int(end), lead, bool(held[start]))
        for start, end in itertools.pairwise(borders)
        if start < end
    ]
