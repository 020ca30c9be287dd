"""Which differences are more than luck: paired tests, ranks over many series, Holm's correction.

The unit is the series, as in :mod:`redshank.evaluate.intervals`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from redshank.core import InputError
from redshank.evaluate._digits import texts
from redshank.evaluate.intervals import DIGITS, Interval, bootstrap_interval, scipy_part

Floats = npt.NDArray[np.float64]

ALPHA = 0.05
"""Chance of calling equal things different that the sentences and the critical difference allow."""
EXACT_SERIES = 200
"""Most pairs for which the signed-rank distribution is counted out; above, the normal one is as good."""


@dataclass(frozen=True, slots=True)
class Paired:
    """Two detectors on the same series.

    ``series`` compared and ``left_out`` for want of a finite value of both; mean of first minus second with its 95 %
    bootstrap interval, in units of the measure; series on which the first wins, equals (to 12 digits) or loses; p of
    the two-sided Wilcoxon signed-rank test; all of it in a sentence for a person.
    """

    series: int
    left_out: int
    mean_difference: float
    low: float
    high: float
    wins: int
    ties: int
    losses: int
    p_value: float
    sentence: str


@dataclass(frozen=True, slots=True)
class CriticalDifference:
    """What a critical-difference diagram shows.

    Detectors by mean rank, best (1) first; the difference below which two mean ranks are not told apart (Nemenyi, alpha
    0.05); the largest groups of two or more of which no two are told apart, best first; p of the Friedman test, without
    which being small the rest means little; series ranked, and series dropped for want of a finite value.
    """

    names: tuple[str, ...]
    mean_ranks: tuple[float, ...]
    critical_difference: float
    groups: tuple[tuple[str, ...], ...]
    friedman_p: float
    series: int
    dropped: int


def paired(
    a: Mapping[str, float],
    b: Mapping[str, float],
    *,
    higher_is_better: bool = True,
    names: tuple[str, str] = ("the first", "the second"),
    seed: int = 0,
) -> Paired:
    """Compare two detectors on the series that both have.

    The p-value is the two-sided Wilcoxon signed-rank test, as [1]_ recommends. Zero differences are ranked and then set
    aside (Pratt), which gives the same p as splitting their ranks evenly, as [1]_ does. Up to 200 differences it is
    counted out over all signs, ties included; above, it is the normal one. Fewer than 6 cannot give a p below 0.05.

    Parameters
    ----------
    a, b : mapping of series to float
        A measure of each; a series where either is not finite is left out and counted.
    higher_is_better : bool, default=True
        Whether a win is the higher or the lower value. The difference is always ``a - b``.
    names : tuple of str, default=("the first", "the second")
        What the sentence calls them.
    seed : int, default=0
        Of the bootstrap.

    Returns
    -------
    Paired
        NaN throughout where no series has a finite value of both.

    Raises
    ------
    InputError
        If the two have no series in common.

    References
    ----------
    .. [1] J. Demsar, Statistical comparisons of classifiers over multiple data sets, JMLR 7, 2006.
    """
    common = [series for series in a if series in b]
    if not common:
        raise InputError(
            f"paired: {names[0]} ({len(a)} series) and {names[1]} ({len(b)} series) have no series in common; "
            "compare runs on the same data"
        )
    both = np.array([(a[series], b[series]) for series in common], dtype=np.float64)
    both = both[np.isfinite(both).all(axis=1)]
    left_out = len(set(a) | set(b)) - len(both)
    differences = both[:, 0] - both[:, 1]
    interval = bootstrap_interval(differences, seed=seed)
    scale = float(np.abs(both).max(initial=0.0)) or 1.0
    rounded = np.round(differences / scale, DIGITS)
    toward = rounded if higher_is_better else -rounded
    p_value = _signed_rank(rounded) if len(both) else math.nan
    wins, ties, losses = (int((np.sign(toward) == sign).sum()) for sign in (1, 0, -1))
    return Paired(
        series=len(both),
        left_out=left_out,
        mean_difference=interval.estimate,
        low=interval.low,
        high=interval.high,
        wins=wins,
        ties=ties,
        losses=losses,
        p_value=p_value,
        sentence=_sentence(names, (wins, ties, losses), interval, p_value),
    )


def ranks(table: Mapping[str, Mapping[str, float]], *, higher_is_better: bool = True) -> CriticalDifference:
    """Rank detectors on each series and tell which mean ranks differ (Friedman, then Nemenyi at alpha 0.05).

    Parameters
    ----------
    table : mapping of detector to mapping of series to float
        Equal values share their mean rank. Series that lack a finite value of any detector are left out and counted.
    higher_is_better : bool, default=True
        Whether rank 1 goes to the highest or the lowest value.

    Returns
    -------
    CriticalDifference
        ``critical_difference = q sqrt(k (k + 1) / (6 N))`` for ``k`` detectors on ``N`` series, with ``q`` the 0.95
        quantile of the studentized range of ``k`` means, infinite degrees of freedom, over ``sqrt(2)`` [1]_. The
        Friedman p is that of the F of ranks on ``k - 1`` and ``(k - 1)(N - 1)`` degrees [2]_, ties accounted for;
        where all series give one order, F is infinite and p is the chance of just that.

    Raises
    ------
    InputError
        If there are fewer than two detectors, or fewer than two series on which all have a value.

    References
    ----------
    .. [1] J. Demsar, Statistical comparisons of classifiers over multiple data sets, JMLR 7, 2006.
    .. [2] R. L. Iman, J. M. Davenport, Communications in Statistics A9(6), 1980.
    """
    names = list(table)
    every = dict.fromkeys(series for own in table.values() for series in own)
    values = np.array([[own.get(series, math.nan) for own in table.values()] for series in every], dtype=np.float64)
    if len(names) < 2:
        raise InputError(f"ranks: {len(names)} detectors; at least 2 are needed to rank them")
    values = values.reshape(-1, len(names))
    values = values[np.isfinite(values).all(axis=1)]
    n, k = values.shape
    if n < 2:
        raise InputError(f"ranks: all {k} detectors have a value on {n} of {len(every)} series; at least 2 are needed")
    scale = np.abs(values).max(axis=1, keepdims=True)
    rounded = np.round(values / np.where(scale > 0, scale, 1.0), DIGITS)
    placed = np.array([_midranks(-row if higher_is_better else row) for row in rounded])
    mean = placed.mean(axis=0)
    order = np.argsort(mean, kind="stable")
    ordered = tuple(names[place] for place in order)
    quantile = float(scipy_part("stats").studentized_range.ppf(1 - ALPHA, k, math.inf)) / math.sqrt(2)
    difference = quantile * math.sqrt(k * (k + 1) / (6 * n))
    return CriticalDifference(
        names=ordered,
        mean_ranks=tuple(float(rank) for rank in mean[order]),
        critical_difference=difference,
        groups=_groups(ordered, mean[order], difference),
        friedman_p=_friedman(placed),
        series=n,
        dropped=len(every) - n,
    )


def holm(p_values: npt.ArrayLike) -> Floats:
    """Holm's adjusted p-values of shape (tests,): below alpha, a test holds among all of them.

    ``max over j <= i of min(1, (m - j + 1) p_(j))`` for the ``m`` p-values in rising order. Valid whatever their
    dependence. NaN stays NaN and counts as no test.

    Raises
    ------
    InputError
        If the values are not one-dimensional or lie outside 0 to 1.

    References
    ----------
    .. [1] S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian J. of Statistics 6, 1979.
    """
    p = np.array(p_values, dtype=np.float64)
    if p.ndim != 1 or (p < 0).any() or (p > 1).any():
        raise InputError(f"holm: wanted a list of p-values from 0 to 1, got shape {p.shape}, {p_values!r:.80}")
    tests = np.flatnonzero(~np.isnan(p))
    rising = tests[np.argsort(p[tests], kind="stable")]
    p[rising] = np.minimum(np.maximum.accumulate(p[rising] * np.arange(len(rising), 0, -1)), 1.0)
    return p


def _signed_rank(differences: Floats) -> float:
    """Two-sided p: the share of all signs whose rank sum lies as far from its middle as the one seen."""
    size = np.abs(differences)
    place = np.rint(2 * _midranks(size)[size > 0]).astype(np.int64)  # doubled: half ranks become whole
    seen = int(place[differences[size > 0] > 0].sum())
    total = int(place.sum())
    if not len(place):
        return 1.0
    far = abs(2 * seen - total)
    if len(place) > EXACT_SERIES:
        return math.erfc(far / math.sqrt(2 * float(np.square(place, dtype=np.float64).sum())))
    chance = np.zeros(total + 1)
    chance[0] = 1.0
    for rank in place:
        with_it = chance.copy()
        with_it[rank:] += chance[:-rank]
        chance = with_it / 2
    return min(1.0, float(chance[np.abs(2 * np.arange(total + 1) - total) >= far].sum()))


def _friedman(placed: Floats) -> float:
    n, k = placed.shape
    middle = (k + 1) / 2
    if (placed == placed[0]).all():
        _, tied = np.unique(placed[0], return_counts=True)
        orders = math.factorial(k) // math.prod(math.factorial(int(count)) for count in tied)
        return math.pow(orders, 1 - n)
    between = n * float(np.square(placed.mean(axis=0) - middle).sum())
    rest = float(np.square(placed - middle).sum()) - between
    return float(scipy_part("special").fdtrc(k - 1, (k - 1) * (n - 1), (n - 1) * between / rest))


def _groups(names: tuple[str, ...], mean: Floats, difference: float) -> tuple[tuple[str, ...], ...]:
    groups: list[tuple[str, ...]] = []
    reached = 0
    for first in range(len(names)):
        last = int(np.searchsorted(mean, mean[first] + difference, side="left"))
        if last > reached and last - first > 1:
            groups.append(names[first:last])
            reached = last
    return tuple(groups)


def _midranks(values: Floats) -> Floats:
    """Ranks from 1, lowest first; equal values share the mean of theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last: Floats = np.cumsum(count).astype(np.float64)
    own: Floats = (last - (count - 1) / 2)[place]
    return own


def _sentence(names: tuple[str, str], outcome: tuple[int, int, int], interval: Interval, p_value: float) -> str:
    wins, ties, losses = outcome
    if math.isnan(p_value):
        return f"{names[0]} and {names[1]} have no series on which both have a value: nothing can be said."
    difference, low, high = map(_signed, texts(interval.estimate, interval.low, interval.high))
    bounds = f" [{low}, {high}]" if low else ""
    verdict = "told apart" if p_value < ALPHA else "not told apart"
    return (
        f"{names[0]} is better than {names[1]} on {wins} of {wins + ties + losses} series, equal on {ties} and worse "
        f"on {losses}; mean difference {difference}{bounds}, p = {p_value:.2g} (Wilcoxon): "
        f"{verdict} at the {ALPHA:.0%} level."
    )


def _signed(text: str) -> str:
    """A plus before what is above 0."""
    return f"+{text}" if text.strip("0.") and not text.startswith("-") else text
