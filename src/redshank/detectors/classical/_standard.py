"""Rows in training standard deviations: what every distance in this room is measured in."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from redshank.core.contracts import Array

T = TypeVar("T", bound=np.generic)

FAR = 1e60
"""Deviations are clipped here, in training standard deviations, so that no square leaves float64."""

ROUNDING = 1e-12
"""Share of its mean that a channel's deviation must pass for the channel to have moved at all."""


def moments(rows: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of each channel, each (channels,); a deviation of 1 where a channel never moved."""
    # Squares of 1e38, summed over rows, are still far inside float64.
    mean, deviation = rows.mean(axis=0), rows.std(axis=0)
    # The mean of equal floats is off by rounding: what deviates no more than that never moved.
    still = deviation <= ROUNDING * np.abs(mean)
    return mean, np.where(still | (deviation == 0.0), 1.0, deviation)


def standardised(X: Array, mean: Array, scale: Array) -> Array:
    """Rows less ``mean``, in units of ``scale``, clipped at :data:`FAR`."""
    deviations: Array = np.clip((X - mean) / scale, -FAR, FAR)
    return deviations


def thinned(rows: npt.NDArray[T], most: int, seed: int) -> npt.NDArray[T]:
    """At most ``most`` of the rows, drawn without putting back, in their order."""
    if len(rows) <= most:
        return rows
    chosen = np.sort(np.random.default_rng(seed).choice(len(rows), most, replace=False))
    few: npt.NDArray[T] = rows[chosen]
    return few
