"""The contract of every detector: input is checked here, once, and results too."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from redshank.core.errors import ContractError, InputError, SettingError
from redshank.core.frame import LARGEST
from redshank.core.learned import Learned

Array = npt.NDArray[np.float64]
Series = npt.ArrayLike | Sequence[npt.ArrayLike]
Progress = Callable[[int, int, float], None]

LAST_SEED = 2**32 - 1
"""Largest seed that everything that draws takes: NumPy's global generator and scikit-learn take 32 bits."""


@dataclass(frozen=True, slots=True)
class Tags:
    """What a detector can do, for whoever has to choose or run one.

    Parameters
    ----------
    causal : bool
        The score of a row does not depend on later rows.
    sequence : bool
        Looks at the order of rows; otherwise every row is scored by itself.
    missing : bool
        Accepts NaN; otherwise the pipeline fills gaps first.
    streams : bool
        Can be stepped reading by reading at a cost that does not grow with the history.
    exports : bool
        Can be written as a graph that runs without the training framework.
    needs_labels : bool
        ``fit`` needs ``y``.
    cheap : bool
        Learns in a moment: the pipeline fits one for each device, and several times over to set alarm levels.
    good_for : str
        One line for the user who has to choose.
    cost : str
        Work of scoring one row, as it grows: ``"O(latent channels)"``.
    source : str
        Where the method is from: author and year, or empty where it is ours.
    """

    causal: bool = True
    sequence: bool = False
    missing: bool = False
    streams: bool = False
    exports: bool = False
    needs_labels: bool = False
    cheap: bool = False
    good_for: str = ""
    cost: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """What a detector expected: ``value`` and the range ``low`` to ``high``, each (n, channels), in units of ``X``."""

    value: Array
    low: Array
    high: Array


class Detector(Learned, ABC):
    """Learns what normal rows look like and scores how far others are from that.

    Subclasses give ``_fit`` and ``_score`` (and, where they know better, ``_contributions`` and ``_expected``);
    shapes, finiteness, "is it fitted?" and the form of the result are checked here. A constructor only stores
    keyword arguments; what ``fit`` learns ends in ``_``.

    Everything takes one series of shape (rows, channels), oldest row first, or a list of them, and gives one
    entry a row in the order of the list. A row detector does not care where a series ends.
    """

    tags: ClassVar[Tags]
    most: ClassVar[Mapping[str, float]] = MappingProxyType({})
    """Largest value that a search may try of a setting, by name, for settings that are refused somewhere above it."""
    _proof = "floor_"
    progress: Progress | None = None
    """Called by detectors that train in epochs with the epoch done, the most there will be, and its loss."""

    n_features_: int
    floor_: float
    center_: Array
    usual_: Array

    @property
    def warmup(self) -> int:
        """Rows of a series that must come before the first real score."""
        return 0

    def fit(self, X: Series, y: Series | None = None) -> Self:
        """Learn from normal rows; whatever an earlier ``fit`` learned is forgotten.

        Parameters
        ----------
        X : array of shape (rows, channels) or a list of them
            Training rows, oldest first.
        y : array of shape (rows,) or a list of them, default=None
            1 for anomalous rows, or names of what is wrong (see :class:`~redshank.core.Classifier`); only for detectors
            whose tags say that they need labels.

        Raises
        ------
        InputError
            If the rows cannot be used: no rows, infinite or (where the tags say so) missing values, no labels
            where the tags need them.
        SettingError
            If a setting does not fit the data.
        """
        series = [one for one in self._check(X, features=None) if len(one)]
        rows = sum(map(len, series))
        if rows < 2:
            raise InputError(f"{self._name}: {rows} training rows; at least 2 are needed")
        if self.tags.needs_labels and y is None:
            raise InputError(f"{self._name}: learns from labels and got none; give y")
        labels = None if y is None else self._labels(y, rows)
        for name in [name for name in vars(self) if name.endswith("_") and not name.startswith("_")]:
            delattr(self, name)
        self.n_features_ = series[0].shape[1]
        codes = None if labels is None else self._coded(labels)
        normal = slice(None) if codes is None or not (codes == 0).any() else codes == 0
        self.center_ = np.zeros(self.n_features_)
        self.usual_ = np.zeros((2, self.n_features_))
        for j in range(self.n_features_):  # a channel at a time: no copy of all rows
            column = np.concatenate([one[:, j] for one in series])[normal]
            known = column[~np.isnan(column)] if self.tags.missing else column
            if len(known):
                self.usual_[0, j], self.center_[j], self.usual_[1, j] = np.quantile(known, (0.005, 0.5, 0.995))
        self._fit(series, codes)
        scored = np.concatenate([scores[self.warmup :] for scores in self._checked_scores(series)])
        self.floor_ = float(self._finite(scored, "training scores").min()) if len(scored) else 0.0
        return self

    def score_samples(self, X: Series) -> Array:
        """Raw scores of shape (n,), finite, higher = more anomalous.

        Rows before ``warmup`` have the lowest training score.

        Raises
        ------
        NotFittedError, InputError
            Before ``fit``; if ``X`` has another width or infinite values.
        """
        scores = self._checked_scores([one for one in self._check_fitted(X) if len(one)])
        for own in scores:
            own[: self.warmup] = self.floor_
        return self._finite(np.concatenate([np.empty(0), *scores]), "scores")

    def ready(self, X: Series) -> npt.NDArray[np.bool_]:
        """True for each row that has enough history for a real score; shape (n,)."""
        enough = [np.arange(len(one)) >= self.warmup for one in self._check_fitted(X)]
        together: npt.NDArray[np.bool_] = np.concatenate(enough)
        return together

    def contributions(self, X: Series) -> Array:
        """Part of the score that each channel carries, shape (n, channels), in units of the score, not negative.

        Sums to the score where the mathematics allow it. The general form, for detectors that know nothing
        better, puts each channel in turn to its training median and takes the fall of the score.
        """
        parts: Array = np.concatenate([self._warm(self._contributions(one)) for one in self._check_fitted(X)])
        return self._finite(parts, "contributions")

    def expected(self, X: Series) -> Band:
        """The value that each channel was expected to have, with its usual band, in units of ``X``.

        The general form is the training median and the range that holds 99 % of the training rows.
        """
        bands = [self._expected(one) for one in self._check_fitted(X)]
        return Band(*(np.concatenate([getattr(band, part) for band in bands]) for part in ("value", "low", "high")))

    @abstractmethod
    def _fit(self, series: list[Array], y: npt.NDArray[np.intp] | None) -> None:
        """Learn from checked series; ``y`` has one entry a row of all series together, 0 for normal."""

    @abstractmethod
    def _score(self, X: Array) -> Array:
        """Scores of one checked series, shape (rows,); what stands before ``warmup`` is replaced."""

    def _score_all(self, series: list[Array]) -> list[Array]:
        """Scores of several series; a detector that can score them side by side gives its own."""
        return [self._score(one) for one in series]

    def _contributions(self, X: Array) -> Array:
        whole = self._score(X)
        falls = np.empty((len(X), self.n_features_))
        for j in range(self.n_features_):
            without = X.copy()
            without[:, j] = self.center_[j]
            falls[:, j] = np.maximum(whole - self._score(without), 0.0)
        total = falls.sum(axis=1, keepdims=True)
        shares: Array = np.divide(falls, total, out=np.full_like(falls, 1.0 / self.n_features_), where=total > 0)
        shares *= np.maximum(whole, 0.0)[:, None]
        return shares

    def _expected(self, X: Array) -> Band:
        shape = (len(X), self.n_features_)
        low, high = self.usual_
        return Band(*(np.broadcast_to(part, shape) for part in (self.center_, low, high)))

    @property
    def _name(self) -> str:
        return type(self).__name__

    def _check_fitted(self, X: Series) -> list[Array]:
        self._require_fit()
        return self._check(X, features=self.n_features_)

    def _check(self, X: Series, features: int | None) -> list[Array]:
        series: list[Array] = []
        try:
            parts = X if isinstance(X, list | tuple) and not (X and np.ndim(X[0]) < 2) else [X]
            arrays = [self._array(part) for part in parts]
        except (TypeError, ValueError, OverflowError) as error:
            raise InputError(f"{self._name}: X is not an array of numbers ({error})") from error
        for one in arrays:
            if one.ndim != 2:
                raise InputError(f"{self._name}: X has shape {one.shape}; wanted (rows, channels)")
            wanted = features if features is not None else (series[0] if series else one).shape[1]
            if one.shape[1] != wanted or wanted == 0:
                raise InputError(
                    f"{self._name}: X has {one.shape[1]} features, wanted {wanted}; check the channel list"
                )
            # Without NaN, which fmin and fmax pass over and min hands on: no other array of this size is made.
            low, high = np.fmin.reduce(one, axis=None, initial=0.0), np.fmax.reduce(one, axis=None, initial=0.0)
            if low < -LARGEST or high > LARGEST:
                raise InputError(
                    f"{self._name}: X holds infinite values or values above {LARGEST:.3g}; clean them first"
                )
            if not self.tags.missing and np.isnan(np.min(one, initial=0.0)):
                raise InputError(f"{self._name}: X has missing values (NaN); fill them first, the pipeline does so")
            series.append(one)
        if not series:
            raise InputError(f"{self._name}: X is an empty list; give at least one series")
        return series

    def _array(self, part: Any) -> Array:
        """One series as floats: a copy, so that a detector may keep it or work in it."""
        return np.array(part, dtype=np.float64, order="C")

    def _labels(self, y: Series, rows: int) -> npt.NDArray[np.generic]:
        parts = y if isinstance(y, list | tuple) and y and np.ndim(y[0]) else [y]
        labels = np.concatenate([np.asarray(part).ravel() for part in parts])
        if len(labels) != rows:
            raise InputError(f"{self._name}: {len(labels)} labels for {rows} rows")
        return labels

    def _coded(self, labels: npt.NDArray[np.generic]) -> npt.NDArray[np.intp]:
        """Labels as numbers, 0 for normal."""
        if not np.isin(labels, (0, 1)).all():
            raise InputError(f"{self._name}: labels must be 0 (normal) or 1 (anomaly)")
        return labels.astype(np.intp)

    def _checked_scores(self, series: list[Array]) -> list[Array]:
        scores = [np.array(own, dtype=np.float64) for own in self._score_all(series)]  # copies: callers write into them
        shapes = [own.shape for own in scores]
        if shapes != [(len(one),) for one in series]:
            raise ContractError(f"{self._name}: series of {list(map(len, series))} rows gave scores of shapes {shapes}")
        return scores

    def _warm(self, parts: Array) -> Array:
        parts = np.array(parts, dtype=np.float64)
        parts[: self.warmup] = max(self.floor_, 0.0) / self.n_features_
        return parts

    def _finite(self, result: Array, what: str) -> Array:
        if not np.isfinite(result).all():
            raise ContractError(
                f"{self._name}: {what} are not finite at row {int(np.argwhere(~np.isfinite(result))[0][0])}"
            )
        return result


def check_range(who: str, name: str, value: Any, low: float, high: float = np.inf) -> None:
    """Raise SettingError unless ``value`` is a number and ``low <= value <= high``; true and false are no numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise SettingError(f"{who}: {name} is {value!r}; wanted a number")
    if not low <= value <= high:
        wanted = f"at least {low:g}" if high == np.inf else f"from {low:g} to {high:g}"
        raise SettingError(f"{who}: {name} is {value:g}; wanted {wanted}")


def check_whole(who: str, name: str, value: object, low: int, high: float = np.inf) -> None:
    """Raise SettingError unless ``value`` is a whole number and ``low <= value <= high``: 2.0 is none, nor is true."""
    wanted = f"at least {low}" if high == np.inf else f"from {low} to {high}"
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise SettingError(f"{who}: {name} is {value!r}; wanted a whole number, {wanted}")
    if not low <= value <= high:
        raise SettingError(f"{who}: {name} is {value}; wanted {wanted}")
