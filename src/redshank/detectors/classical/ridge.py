"""Two ridge regressions a channel: what the other channels say of it, and what its own past says besides."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from redshank.core import LARGEST, Band, Detector, SettingError, Tags, check_range
from redshank.core.contracts import Array

REACH = 8.0
"""Inputs are clipped here, in training standard deviations: far outside what was learned, a line proves nothing."""

FAR = 1e6
"""The channel that is judged is clipped only here, in training standard deviations, so that its square stays small."""

SPREAD_FLOOR = 1e-3
"""Smallest spread of a residual, in training standard deviations (in units of ``X`` where a channel never moved)."""

STILL = 1e-6
"""An input that deviates less, in training standard deviations of its channel, carries nothing and is left unscaled."""

ROUNDING = 1e-12
"""Share of its mean that a channel's deviation must pass for the channel to have moved at all."""

BAND = (0.005, 0.995)
"""Quantiles of the held-back residuals between which a channel is as expected."""

SEEN = 4
"""A mean is used only if the longest series fitted has this many times its lag: fewer show it at too few values."""

WARMUP = 5
"""Rows before the first score: enough for the previous value and the short mean to be more than the first row."""

SPAN = 128
"""Rows whose means are one matrix product: beyond it the product costs more than the carry from span to span."""

BLOCK = 32 * SPAN
"""Rows whose inputs are in memory at once; a whole number of spans."""


class RidgeDetector(Detector):
    """Score each channel by how far it left its relation to the other channels, and how suddenly it moved.

    Parameters
    ----------
    lags : tuple of int, default=(5, 30, 120, 480)
        Time constants of the exponentially weighted means that are inputs beside the current values, in rows,
        rising, the first at least 2. One that is long for the training series, see :data:`SEEN`, is not used.
    penalty : float, default=2e-3
        Weight of the squared coefficients, per training row, on inputs of standard deviation 1.
    held_back : float, default=0.2
        Share of each training series, its last rows, from which the spread of the residuals is learned and nothing
        else, ``0 <= held_back <= 0.5``. Where that is no row, the spread comes from the rows fitted.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_features,)
        Mean and standard deviation of the rows fitted, in the units of ``X``; a scale of 1 where a channel never moved.
    input_mean_, input_scale_ : ndarray of shape (inputs,)
        Mean and standard deviation of each input, ``inputs = (2 len(lags) + 4) n_features``.
    start_ : ndarray of shape (len(lags), n_features)
        Slope of each mean on the current value, 0 to 1: the part of its first row at which a series starts the mean.
    coefficients_ : ndarray of shape (2, inputs + 1, n_features)
        Soft sensor and innovation; the last row is the intercept, and 0 stands at inputs that a channel does not use.
    spread_ : ndarray of shape (2, n_features)
        Root mean square of both residuals on the held-back rows, in training standard deviations.
    band_ : ndarray of shape (2, n_features)
        Range that held 99 % of the held-back residuals around the expected value, in training standard deviations.

    Notes
    -----
    Channel j is predicted twice, by ridge regression [1]_. The *soft sensor* [2]_ sees the other channels alone: their
    current values, their means over each lag, and the squares of the current values and of the shortest mean. Its
    residual stays large for as long as the channel is off, however long ago that began. The *innovation* sees also
    the channel's own previous value and its means up to the previous row; its residual is large where the channel
    changes suddenly. Each is divided by its spread s, and channel j contributes
    ``(r_level / s_level)^2 + (r_innovation / s_innovation)^2``; the score is the sum over channels, about
    ``2 n_features`` on normal rows. A single channel has no others: its soft sensor is the training mean.

    The mean over k rows of the deviation x from the training mean is ``e_t = e_{t-1} + (x_t - e_{t-1}) / k``. Waiting
    for the longest would blind the detector for hours, so scores begin after :data:`WARMUP` rows, and a series starts
    each mean at what its first row lets one expect: near that row for a short one, near 0 for a long one.

    Where channels repeat each other exactly, a fault of one that is no farther out than :data:`REACH` is shared among
    them: no residual can tell which of them is wrong.

    Time O(n inputs^2 + n_features inputs^3) to fit, O(inputs n_features) a row to score; inputs are made for
    :data:`BLOCK` rows at a time, never for a whole series.

    References
    ----------
    .. [1] A. E. Hoerl, R. W. Kennard, "Ridge regression: biased estimation for nonorthogonal problems",
       Technometrics 12(1), 1970.
    .. [2] P. Kadlec, B. Gabrys, S. Strandt, "Data-driven soft sensors in the process industry", Computers and
       Chemical Engineering 33(4), 2009.
    """

    tags = Tags(
        sequence=True,
        streams=True,
        cheap=True,
        good_for="a reading that jumps or no longer fits the other channels; learns in a second, says what it expected",
        cost="O(inputs channels)",
        source="Hoerl and Kennard 1970",
    )

    def __init__(
        self, *, lags: tuple[int, ...] = (5, 30, 120, 480), penalty: float = 2e-3, held_back: float = 0.2
    ) -> None:
        self.lags = lags
        self.penalty = penalty
        self.held_back = held_back

    @property
    def warmup(self) -> int:
        """Rows of a series that must come before the first real score."""
        return WARMUP

    def _fit(self, series: list[Array], y: npt.NDArray[np.intp] | None) -> None:  # noqa: ARG002 - learns without labels
        self._check_settings()
        ends = [max(1, round(len(one) * (1.0 - self.held_back))) for one in series]
        fitted = [one[:end] for one, end in zip(series, ends, strict=True)]
        rows = np.concatenate(fitted)
        # Squares of 1e38, summed over rows, are still far inside float64.
        mean, deviation = rows.mean(axis=0), rows.std(axis=0)
        # The mean of equal floats is off by rounding: what deviates no more than that never moved.
        still = deviation <= ROUNDING * np.abs(mean)
        self.mean_, self.scale_ = mean, np.where(still | (deviation == 0.0), 1.0, deviation)
        self._learn_inputs(fitted, len(rows))
        self.coefficients_ = self._solve(fitted, len(rows))
        if all(end == len(one) for one, end in zip(series, ends, strict=True)):
            ends = [0] * len(series)
        # (2, held-back rows, channels)
        held = np.concatenate([self._residuals(one, end) for one, end in zip(series, ends, strict=True)], axis=1)
        self.spread_ = np.maximum(np.sqrt(np.square(held).mean(axis=1)), SPREAD_FLOOR)
        low, high = np.quantile(held[0], BAND, axis=0)
        self.band_ = np.stack([np.minimum(low, 0.0), np.maximum(high, 0.0)])

    def _score(self, X: Array) -> Array:
        scores: Array = self._contributions(X).sum(axis=1)
        return scores

    def _contributions(self, X: Array) -> Array:
        residuals = self._residuals(X)
        residuals /= self.spread_[:, None]
        np.square(residuals, out=residuals)
        parts: Array = residuals.sum(axis=0)
        return parts

    def _expected(self, X: Array) -> Band:
        """What the other channels say of each, untouched by its own fault; of a single channel, its training mean."""
        best = self._targets(X) - self._residuals(X)[0]
        value, low, high = (
            np.clip(self.mean_ + self.scale_ * (best + ahead), -LARGEST, LARGEST) for ahead in (0.0, *self.band_)
        )
        return Band(value, low, high)

    def _check_settings(self) -> None:
        whole = isinstance(self.lags, tuple) and all(isinstance(k, int) and not isinstance(k, bool) for k in self.lags)
        if not whole or not self.lags or min(self.lags) < 2 or list(self.lags) != sorted(set(self.lags)):
            raise SettingError(
                f"{self._name}: lags is {self.lags!r}; wanted a tuple of whole numbers, rising, the first at least 2"
            )
        # Below 1e-9 inputs that repeat each other leave nothing but rounding to solve with.
        check_range(self._name, "penalty", self.penalty, low=1e-9)
        check_range(self._name, "held_back", self.held_back, low=0.0, high=0.5)

    def _targets(self, X: Array) -> Array:
        """Deviation of each reading in training standard deviations."""
        bound = FAR * self.scale_
        targets: Array = np.clip(X - self.mean_, -bound, bound) / self.scale_
        return targets

    def _learn_inputs(self, series: list[Array], rows: int) -> None:
        """Mean and standard deviation of each input over the rows fitted, and where means start."""
        lags, width = len(self.lags), self.n_features_
        total, squares = np.zeros((2, (2 * lags + 4) * width))
        shared = np.zeros((lags, width))
        self.start_ = np.zeros((lags, width))
        for one in series:
            for _, inputs in self._inputs(self._targets(one)):
                total += inputs.sum(axis=0)
                squares += np.einsum("ij,ij->j", inputs, inputs)
                kinds = inputs.reshape(len(inputs), -1, width)
                shared += np.einsum("ij,ikj->kj", kinds[:, 0], kinds[:, 1 : lags + 1])
        self.input_mean_ = total / rows
        deviation = np.sqrt(np.maximum(squares / rows - np.square(self.input_mean_), 0.0))
        self.input_scale_ = np.where(deviation < STILL, 1.0, deviation)
        moved = np.maximum(squares[:width], STILL)  # a channel that never moved has 0 above and starts at 0
        self.start_ = np.clip(shared / moved, 0.0, 1.0)

    def _solve(self, series: list[Array], rows: int) -> Array:
        """Coefficients of both regressions of every channel, all from one matrix of products of inputs."""
        width, lags = self.n_features_, len(self.lags)
        inputs = len(self.input_mean_)
        gram, answer = np.zeros((inputs + 1, inputs + 1)), np.zeros((inputs + 1, width))
        for one in series:
            targets = self._targets(one)
            for start, scaled in self._scaled(targets):
                gram += scaled.T @ scaled
                answer += scaled.T @ targets[start : start + len(scaled)]
        gram[np.arange(inputs), np.arange(inputs)] += self.penalty * rows  # the intercept goes free
        columns = np.arange(inputs).reshape(-1, width)  # (kinds of input, channels)
        longest = max(map(len, series))
        known = np.array([True, *(SEEN * lag <= longest for lag in self.lags)])
        now, past = columns[: lags + 3][np.append(known, known[:2])], columns[lags + 3 :][known]
        coefficients = np.zeros((2, inputs + 1, width))
        for j in range(width):
            others = np.append(np.delete(now, j, axis=1), inputs)
            for kind, used in enumerate((others, np.append(others, past[:, j]))):
                coefficients[kind, used, j] = np.linalg.solve(gram[np.ix_(used, used)], answer[used, j])
        return coefficients

    def _residuals(self, X: Array, begin: int = 0) -> Array:
        """What soft sensor and innovation leave of the rows from ``begin`` on, (2, rows - begin, channels)."""
        targets = self._targets(X)
        left = np.broadcast_to(targets[begin:], (2, len(X) - begin, self.n_features_)).copy()
        for start, scaled in self._scaled(targets, begin):
            first = max(begin - start, 0)
            place = slice(start + first - begin, start + len(scaled) - begin)
            left[:, place] -= scaled[first:] @ self.coefficients_
        return left

    def _scaled(self, targets: Array, begin: int = 0) -> Iterator[tuple[int, Array]]:
        """First row and scaled inputs, with a last column of 1, of the blocks that reach past row ``begin``."""
        for start, inputs in self._inputs(targets):
            if start + len(inputs) <= begin:
                continue
            scaled = np.ones((len(inputs), inputs.shape[1] + 1))
            np.subtract(inputs, self.input_mean_, out=inputs)
            np.divide(inputs, self.input_scale_, out=inputs)
            np.clip(inputs, -REACH, REACH, out=scaled[:, :-1])
            yield start, scaled

    def _inputs(self, targets: Array) -> Iterator[tuple[int, Array]]:
        """First row and inputs of each block of a series.

        Columns go by kind, then channel: current values, means, squares of the current values and of the first mean,
        previous values, means up to the previous row.
        """
        if len(targets) == 0:
            return
        weights, decay = _weights(self.lags)
        width, lags = targets.shape[1], len(self.lags)
        last = np.clip(targets[:1], -REACH, REACH)
        carry = self.start_ * last  # (lags, channels)
        for start in range(0, len(targets), BLOCK):
            current = np.clip(targets[start : start + BLOCK], -REACH, REACH)
            inputs = np.empty((len(current), 2 * lags + 4, width))
            inputs[:, 0] = current
            inputs[:, 1 : lags + 1], ended = _means(current, carry, weights, decay)
            np.square(inputs[:, :2], out=inputs[:, lags + 1 : lags + 3])
            inputs[1:, lags + 3 :] = inputs[:-1, : lags + 1]
            inputs[0, lags + 3 :] = np.concatenate([last, carry])
            carry, last = ended, current[-1:]
            yield start, inputs.reshape(len(current), -1)


def _weights(lags: tuple[int, ...]) -> tuple[Array, Array]:
    """What a row of a span weighs in the mean at a later one, (lags, SPAN, SPAN), and the mean before, (lags, SPAN)."""
    alpha = 1.0 / np.array(lags, dtype=np.float64)[:, None, None]
    age = np.subtract.outer(np.arange(SPAN), np.arange(SPAN))
    weights = np.where(age >= 0, alpha * (1.0 - alpha) ** np.maximum(age, 0), 0.0)
    return weights, (1.0 - alpha[:, 0]) ** np.arange(1, SPAN + 1)


def _means(rows: Array, carry: Array, weights: Array, decay: Array) -> tuple[Array, Array]:
    """Exponentially weighted means over the rows that follow ``carry``, (rows, lags, channels), and those of the last.

    Spans are counted from the first row, so a prefix has the same spans; a short last one is filled with zeros, which
    no earlier row sees.
    """
    count, width = rows.shape
    spans = -(-count // SPAN)
    padded = np.zeros((spans, 1, SPAN, width))
    padded.reshape(-1, width)[:count] = rows
    means = weights @ padded  # (spans, lags, SPAN, channels)
    for i in range(spans):
        means[i] += decay[:, :, None] * carry[:, None]
        carry = means[i, :, -1]
    flat: Array = means.transpose(0, 2, 1, 3).reshape(spans * SPAN, -1, width)[:count]
    return flat, flat[-1].copy()
