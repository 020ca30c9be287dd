"""Volume under the surface: ROC and PR areas with a soft border around each anomaly, mean over its width."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from redshank.evaluate.metrics._inputs import ArrayLike, Floats, Marks, Rows, scored, segments, whole

Number = TypeVar("Number", np.float64, np.int64)

GRID = 250
"""Thresholds of the public code and leaderboards: scores at equal steps of rank."""


@dataclass(frozen=True, slots=True)
class Volume:
    """Volumes under the PR and the ROC surface.

    Parameters
    ----------
    pr, roc : float
        VUS-PR and VUS-ROC, each 0 to 1; both NaN where no row is anomalous, ``roc`` also where every row is.
    """

    pr: float
    roc: float


@dataclass(frozen=True, slots=True)
class RangeAUC:
    """Areas under the PR and the ROC curve for one width of the border.

    Parameters
    ----------
    pr, roc : float
        Range-PR-AUC and range-ROC-AUC, each 0 to 1; NaN as in :class:`Volume`.
    """

    pr: float
    roc: float


def vus(scores: ArrayLike, labels: ArrayLike, *, window: int = 100, thresholds: int | None = GRID) -> Volume:
    """VUS-PR and VUS-ROC together: the mean of the range areas over all border widths 0, 1, ..., ``window``.

    A border of width w gives partial credit to alarms near an anomaly. A normal row at distance d, in rows, from
    anomalies (unbroken runs of anomalous rows) has the soft label

        b(row) = min(1, sum over the anomalies with d <= w // 2 of sqrt(1 - d / w)).

    At a threshold, with A the alarmed anomalous rows of P, B the sum of b over alarmed normal rows, N all alarmed rows
    of n, and E the share of anomalies with an alarm in or at most w // 2 rows beside them (anomalies whose widened
    ranges overlap count as one),

        recall = min(1, (A + B) / (P + B / 2)) * E
        precision = (A + B) / N
        false-positive rate = (N - A - B) / (n - P - B / 2).

    The area under PR is the sum of steps ``(recall_k - recall_(k-1)) * precision_k``, highest threshold first; under
    ROC it is the trapezoid from (0, 0) over all points to (1, 1).

    Parameters
    ----------
    scores : float array of shape (n,)
        Higher = more anomalous, infinities allowed; one device, in the order of time. A row alarms where
        ``score >= threshold``.
    labels : array of shape (n,)
        1 for anomalous rows, 0 for the others.
    window : int, default=100
        Largest border width in rows; the period of the series, or the median length of its anomalies, is usual.
    thresholds : int or None, default=250
        How many scores serve as thresholds, at equal steps of rank from the highest to the lowest; None for every
        distinct score.

    Returns
    -------
    Volume
        A perfect ranking has 1 and 1.

    Raises
    ------
    InputError
        If the two differ in length, a score is NaN or a label is neither 0 nor 1.
    SettingError
        If ``window`` is below 0 or ``thresholds`` below 2, or one is no whole number.

    Notes
    -----
    Measure of [1]_ in the form of its authors' public code (``RangeAUC_volume_opt`` of TSB-AD 1.5), equal to it to
    rounding; ``thresholds=250`` is what the leaderboards use. The way to it differs: one sort, then work on rows near
    anomalies only, O(n log n + window * (near rows)). Since ``sqrt(1 - d / w)`` is at least 0.7 for ``d <= w // 2``,
    a row near two anomalies has a soft label of exactly 1: its two smallest distances settle it for every width.

    - 250 ranks are a sample of the curve, coarse where anomalous rows are rare: with ``thresholds=None`` the VUS-PR of
      ``ucr/176`` (51 of 8,000 rows) is 0.018 instead of 0.010, and of ``ucr/119`` (301 of 8,000) 0.100 instead of
      0.076; VUS-ROC moved by 0.0005 at most on 40 series (``benchmarks/accuracy/tsb_ad.py``).
    - P + B / 2 counts the border as far as it was alarmed, as in the leaderboards. Earlier code of the same authors
      (``RangeAUC`` as first published) counts the whole border, alarmed or not, and so gives a lower recall.
    - The public code raises an error for series that are anomalous throughout, or not at all. Here PR is 1 in the first
      case, as any alarm is right, and all else is NaN.

    References
    ----------
    .. [1] J. Paparrizos, P. Boniol, T. Palpanas, R. S. Tsay, A. Elmore, M. J. Franklin, Volume under the surface: a new
       accuracy evaluation measure for time-series anomaly detection, PVLDB 15(11), 2022.
    """
    window = whole("vus", "window", window, low=0)
    pr, roc = _areas("vus", scores, labels, range(window + 1), thresholds).mean(axis=0)
    return Volume(float(pr), float(roc))


def vus_pr(scores: ArrayLike, labels: ArrayLike, *, window: int = 100, thresholds: int | None = GRID) -> float:
    """Volume under the PR surface, 0 to 1, NaN where no row is anomalous; all else as :func:`vus`."""
    return vus(scores, labels, window=window, thresholds=thresholds).pr


def vus_roc(scores: ArrayLike, labels: ArrayLike, *, window: int = 100, thresholds: int | None = GRID) -> float:
    """Volume under the ROC surface, 0 to 1, NaN where all rows are of one class; all else as :func:`vus`."""
    return vus(scores, labels, window=window, thresholds=thresholds).roc


def range_auc(scores: ArrayLike, labels: ArrayLike, *, window: int, thresholds: int | None = GRID) -> RangeAUC:
    """Range-PR-AUC and range-ROC-AUC: one slice of the volume of :func:`vus`, at border width ``window``.

    Formulas, parameters, errors and source as :func:`vus`. Width 0 is the point-wise curve on the same thresholds, with
    recall scaled by the share of anomalies found.

    Notes
    -----
    ``RangeAUC`` of TSB-AD 1.5 is not this slice, and not usable: it looks for whole steps from 0 to 1 in labels that it
    has softened before, finds no anomaly at widths of 4 and more, and divides by their number; its border behind an
    anomaly is also one row short.
    """
    window = whole("range_auc", "window", window, low=0)
    pr, roc = _areas("range_auc", scores, labels, range(window, window + 1), thresholds)[0]
    return RangeAUC(float(pr), float(roc))


def _areas(who: str, scores: ArrayLike, labels: ArrayLike, widths: range, thresholds: int | None) -> Floats:
    """PR and ROC area at each border width, (widths, 2)."""
    values, marks = scored(who, scores, labels)
    if thresholds is not None:
        thresholds = whole(who, "thresholds", thresholds, low=2)
    anomalous = int(np.count_nonzero(marks))
    if anomalous in (0, len(marks)):
        return np.full((len(widths), 2), [1.0 if anomalous else np.nan, np.nan])
    start, end = segments(marks)
    border = _border(marks, start, end, widths[-1] // 2)
    curve = _curve(-values, marks, border.rows, thresholds)
    soft = _Soft.of(border, curve)
    found = _found(start, end, curve, widths)
    return np.array([curve.areas(soft.credit(width), next(found)) for width in widths])


@dataclass(frozen=True, slots=True, eq=False)
class _Border:
    """Normal rows within ``reach`` of an anomaly, and how far the nearest and the second nearest are."""

    reach: int
    rows: Rows
    nearest: Rows
    second: Rows  # reach + 1 where it is farther


def _border(marks: Marks, start: Rows, end: Rows, reach: int) -> _Border:
    n = len(marks)
    opened = np.bincount(np.maximum(start - reach, 0), minlength=n)
    closed = np.bincount(np.minimum(end + reach, n), minlength=n)
    rows = np.flatnonzero((np.cumsum(opened[:n] - closed[:n]) > 0) & ~marks)
    beyond = reach + 1
    last: Rows = np.concatenate([[-beyond, -beyond], end - 1])
    first: Rows = np.concatenate([start, [n + beyond, n + beyond]])
    behind = np.searchsorted(start, rows)  # the first anomaly after each row; ``last`` is shifted by two against it
    left, right = rows - last[behind + 1], first[behind] - rows
    farther = np.minimum(rows - last[behind], first[behind + 1] - rows)
    second = np.minimum(np.maximum(left, right), farther)
    return _Border(reach, rows, np.minimum(left, right), np.minimum(second, beyond))


@dataclass(frozen=True, slots=True, eq=False)
class _Curve:
    """Thresholds from high to low, and what does not depend on the border.

    ``place`` (n,) is the first threshold that alarms a row (set for anomalous and border rows only); of the K
    thresholds, ``alarmed`` counts all alarmed rows, ``hit`` the anomalous ones, and ``before`` the rows alarmed at the
    last point of the ROC curve before the threshold, to which recall has not moved since the threshold before it.
    """

    place: Rows
    alarmed: Rows
    hit: Rows
    before: Rows

    def areas(self, credit: Floats, found: Floats) -> tuple[float, float]:
        """Area under PR and ROC for the credit B and the share of anomalies found E at each threshold."""
        n, anomalous = len(self.place), self.hit[-1]
        caught = self.hit + credit
        wanted = anomalous + credit / 2.0
        recall = np.minimum(caught / wanted, 1.0) * found
        false = (self.alarmed - caught) / (n - wanted)
        pr = np.diff(recall, prepend=0.0) @ (caught / self.alarmed)
        stood = (self.before - _shifted(caught)) / (n - anomalous - _shifted(credit) / 2.0)
        recall_before = _shifted(recall)
        flat = (stood - _shifted(false)) @ recall_before
        sloped = (false - stood) @ (recall_before + recall) / 2.0
        return float(pr), float(flat + sloped + (1.0 - false[-1]) * (1.0 + recall[-1]) / 2.0)


def _curve(falling: Floats, marks: Marks, border: Rows, thresholds: int | None) -> _Curve:
    """Everything that the one sort gives; ``falling`` are the negative scores, so that high ones come first."""
    ordered = np.sort(falling)
    concerned = np.concatenate([np.flatnonzero(marks), border])
    if thresholds is None:  # recall moves at the scores of these rows alone
        levels = np.unique(falling[concerned])
    else:
        levels = ordered[np.linspace(0, len(ordered) - 1, thresholds).astype(np.int64)]
    alarmed = np.searchsorted(ordered, levels, side="right")
    before = np.searchsorted(ordered, levels, side="left") if thresholds is None else _shifted(alarmed)
    place = np.zeros(len(falling), dtype=np.int64)
    place[concerned] = np.searchsorted(levels, falling[concerned])
    hit = np.cumsum(np.bincount(place[marks], minlength=len(levels)))
    return _Curve(place, alarmed, hit, before)


@dataclass(frozen=True, slots=True, eq=False)
class _Soft:
    """Border rows, counted by threshold and by their two distances, which settle the soft label for every width."""

    thresholds: int
    reach: int
    place: Rows  # (kinds,) threshold
    pair: Rows  # (kinds,) which pair of distances
    count: Rows  # (kinds,) rows of this kind
    nearest: Rows  # (pairs,)
    second: Rows  # (pairs,)

    @classmethod
    def of(cls, border: _Border, curve: _Curve) -> _Soft:
        base = border.reach + 2
        kinds, count = np.unique(
            (curve.place[border.rows] * base + border.nearest) * base + border.second, return_counts=True
        )
        place, distances = np.divmod(kinds, base * base)
        pairs, pair = np.unique(distances, return_inverse=True)
        return cls(len(curve.alarmed), border.reach, place, pair, count, *np.divmod(pairs, base))

    def credit(self, width: int) -> Floats:
        """B at each threshold, (thresholds,)."""
        half = width // 2
        alone = np.sqrt(1.0 - np.minimum(self.nearest, half) / max(width, 1))
        label = np.where(self.second <= half, 1.0, np.where(self.nearest <= half, alone, 0.0))
        gained = np.bincount(self.place, weights=label[self.pair] * self.count, minlength=self.thresholds)
        return np.cumsum(gained)


def _found(start: Rows, end: Rows, curve: _Curve, widths: range) -> Iterator[Floats]:
    """Share of anomalies found at each threshold, (thresholds,), for one width after the other.

    Ranges only ever widen and merge, so each step looks at the one row more on either side of what is left of them.
    """
    place, thresholds = curve.place, len(curve.alarmed)
    low, high = start, end - 1
    runs = np.stack([start, end], axis=1).ravel()
    best = np.minimum.reduceat(np.append(place, thresholds), runs)[::2]
    half = 0
    for width in widths:
        while half < width // 2:
            half += 1
            low, high = np.maximum(low - 1, 0), np.minimum(high + 1, len(place) - 1)
            best = np.minimum(best, np.minimum(place[low], place[high]))
            fresh = np.flatnonzero(np.append(True, low[1:] > high[:-1]))
            low, high = low[fresh], high[np.append(fresh[1:], len(high)) - 1]
            best = np.minimum.reduceat(best, fresh)
        yield np.cumsum(np.bincount(best, minlength=thresholds)) / len(best)


def _shifted(values: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """The value at the threshold before; 0 before the first."""
    moved = np.zeros_like(values)
    moved[1:] = values[:-1]
    return moved
