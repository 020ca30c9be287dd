"""How well a single thing (a time, a column, the form of its cells) tells the label. NumPy only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.int8]
Array = npt.NDArray[np.float64]

BINS = 256
"""Cuts that a one-column rule may choose from, at quantiles."""
BLOCKS = 10
"""Unbroken pieces of each class; rules are made on every other one and judged on the rest."""


def balanced(predicted: npt.NDArray[np.bool_], y: Labels) -> float:
    """Mean of the shares of anomalous and of normal rows that are told rightly; 0.5 is chance."""
    return 0.5 * (float(predicted[y == 1].mean()) + float((~predicted[y == 0]).mean()))


def held_out(y: Labels) -> npt.NDArray[np.bool_]:
    """Rows to judge a rule on: every other block of each class, in time order, so that neighbours stay together."""
    judged = np.zeros(len(y), bool)
    for side in (0, 1):
        rows = np.flatnonzero(y == side)
        for block in np.array_split(rows, min(BLOCKS, max(2, len(rows))))[1::2]:
            judged[block] = True
    return judged


def interval_rule(column: Array, y: Labels) -> float:
    """Held-back balanced accuracy of "anomalous inside an interval" (or outside it, or where missing).

    The interval is the best one on the other rows, among :data:`BINS` quantiles: the range of bins with the largest
    sum of class-weighted labels (the maximum-subarray problem, solved in one pass).
    """
    judged = held_out(y)
    return balanced(_interval(column[~judged], y[~judged], column[judged]), y[judged])


def threshold_rule(column: Array, y: Labels) -> float:
    """Balanced accuracy of the best single threshold; for time, where rows cannot be held back."""
    order = np.argsort(column, kind="stable")
    values, marked = column[order], y[order]
    told = np.cumsum(marked) / max(1, int(marked.sum()))
    false = np.cumsum(1 - marked) / max(1, int((1 - marked).sum()))
    cut = np.concatenate([np.diff(values) > 0, [True]])
    return 0.5 + 0.5 * float(np.abs(told - false)[cut].max())


def class_rule(codes: npt.NDArray[np.intp], y: Labels) -> float:
    """Held-back balanced accuracy of a table from code to the class that has the larger share of its rows there."""
    judged = held_out(y)
    count = int(codes.max()) + 1
    share = [
        np.bincount(codes[~judged & (y == side)], minlength=count) / max(1, int((~judged & (y == side)).sum()))
        for side in (0, 1)
    ]
    return balanced((share[1] > share[0])[codes[judged]], y[judged])


def _interval(column: Array, y: Labels, unseen: Array) -> npt.NDArray[np.bool_]:
    known = ~np.isnan(column)
    weights: Array = np.where(y == 1, 1.0 / max(1, int((y == 1).sum())), -1.0 / max(1, int((y == 0).sum())))
    missing_is_odd = bool(weights[~known].sum() > 0)
    predicted = np.full(len(unseen), missing_is_odd)
    if not known.any():
        return predicted
    edges = np.unique(np.quantile(column[known], np.linspace(0, 1, BINS + 1)))
    edges = np.concatenate([edges[:1], (edges[1:] + edges[:-1]) / 2, edges[-1:]]) if len(edges) > 1 else edges
    inner = edges[1:-1]
    counted = np.bincount(np.searchsorted(inner, column[known]), weights[known], minlength=len(inner) + 1)
    per_bin: Array = np.asarray(counted, dtype=np.float64)
    inside, outside = _best_range(per_bin), _best_range(-per_bin)
    gain_in = per_bin[inside[0] : inside[1]].sum()
    gain_out = per_bin.sum() - per_bin[outside[0] : outside[1]].sum()
    low, high = inside if gain_in >= gain_out else outside
    bins = np.searchsorted(inner, unseen)
    within = (bins >= low) & (bins < high)
    here = ~np.isnan(unseen)
    predicted[here] = (within if gain_in >= gain_out else ~within)[here]
    return predicted


def _best_range(weights: Array) -> tuple[int, int]:
    """Half-open range with the largest sum."""
    sums = np.concatenate([[0.0], np.cumsum(weights)])
    lowest = np.minimum.accumulate(sums)
    end = int(np.argmax(sums - lowest))
    start = int(np.argmin(sums[: end + 1]))
    return start, end
