"""First-order recursions over long series, without a loop over time."""

from __future__ import annotations

import math

import numpy as np

from redshank.simulate.channels import Floats

_NOTHING = 1e-9
"""A weight below this adds less than the rounding of float32 and ends the recursion."""


def accumulate(x: Floats, decay: float) -> None:
    """Replace ``x`` by ``y[t] = decay * y[t-1] + x[t]`` along its last axis, in place.

    Doubling (Hillis and Steele, Communications of the ACM 29(12), 1986): after step k each entry holds the last
    ``2**k`` terms, so the number of passes is logarithmic in the memory, and only products and sums are used,
    which round alike on every machine.

    Parameters
    ----------
    x : float32 ndarray of shape (..., n)
    decay : float
        ``0 <= decay < 1``.
    """
    steps = x.shape[-1]
    scratch = np.empty(x.shape, np.float32)
    shift, weight = 1, decay
    while shift < steps and weight > _NOTHING:
        part = scratch[..., shift:]
        np.multiply(x[..., :-shift], np.float32(weight), out=part)
        x[..., shift:] += part
        shift *= 2
        weight *= weight


def decay_of(time_constant_s: float, interval_s: float) -> float:
    """Weight that the last value keeps after one interval; 0 for a time constant of 0."""
    return math.exp(-interval_s / time_constant_s) if time_constant_s > 0 else 0.0


def coloured(white: Floats, decay: float) -> None:
    """Turn white noise of deviation 1 into first-order noise of deviation 1, in place, stationary from row 0."""
    if decay > 0:
        white[..., 1:] *= np.float32(math.sqrt(1.0 - decay * decay))
        accumulate(white, decay)


def lagged(x: Floats, decay: float) -> None:
    """Replace ``x`` by its first-order lag (gain 1), in place, settled at ``x[0]`` in the beginning."""
    if decay > 0:
        x[..., 1:] *= np.float32(1.0 - decay)
        accumulate(x, decay)
