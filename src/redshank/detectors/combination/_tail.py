"""How surprising a score is, in nats, by the scores of normal rows held back: the one unit that members can share.

:mod:`redshank.calibrate` answers another question and stands above the detectors: it counts events, so that alarms keep
a budget. Here rows are compared within one detector, and nothing is promised about alarms.
"""

from __future__ import annotations

import numpy as np

from redshank.core.contracts import Array

TAIL = 0.1
"""Share of the held-back scores that the tail is fitted to; below it, the held-back scores themselves say enough."""
LEVELS = np.linspace(0.0, -np.log(TAIL), 33)
"""Nats at which the score is kept below the tail; between them it runs straight."""
SHAPES = (0.2, 1.0)
"""Smallest and largest shape of the tail. Above 0 its surprise grows as the logarithm of the score, whatever power of
a distance that is, so that no member far out silences the others; with 0, 0.5 and 1 for the smallest, VUS-PR of the
ensemble is on average 0.00, -0.01 and -0.02 from what it is with 0.2 (SMD, SKAB valve1 and NAB)."""
FEW = 10
"""Scores in the tail below which its shape is not fitted."""
LEAST = 20
"""Held-back scores needed to say anything of a tail."""


def fit_tail(held: Array) -> Array:
    """The tail of held-back scores as one array: scores at :data:`LEVELS`, then scale and shape beyond the last.

    A generalised Pareto tail by probability-weighted moments [1]_, its shape kept within :data:`SHAPES`.

    References
    ----------
    .. [1] J. R. M. Hosking, J. R. Wallis, Technometrics 29(3), 1987.
    """
    knots = np.quantile(held, -np.expm1(-LEVELS))
    excess = np.sort(held[held > knots[-1]]) - knots[-1]
    spread = float(held.std()) or 1.0  # scores that were all the same tell nothing of their unit
    if not len(excess):
        return np.array([*knots, spread, SHAPES[0]])
    mean, shape = float(excess.mean()), SHAPES[0]
    if len(excess) >= FEW:
        rank = (np.arange(len(excess)) + 0.65) / len(excess)  # plotting positions of Hosking and Wallis
        weighted = float(((1.0 - rank) * excess).mean())
        if mean > 2.0 * weighted:
            shape = float(np.clip(2.0 - mean / (mean - 2.0 * weighted), *SHAPES))
    return np.array([*knots, max(mean * max(1.0 - shape, 0.1), 1e-9 * spread), shape])


def surprise(scores: Array, tail: Array) -> Array:
    """``-ln P(a normal score is as high)`` for each score: 0 up to the lowest held back, rising and finite."""
    knots, first = np.unique(tail[:-2], return_index=True)
    start, scale, shape = tail[-3], tail[-2], tail[-1]
    body = np.interp(scores, knots, LEVELS[first])  # of equal knots the first: P(as high), not P(higher)
    beyond = LEVELS[-1] + np.log1p(shape * np.maximum(scores - start, 0.0) / scale) / shape
    return np.where(scores > start, beyond, body)
