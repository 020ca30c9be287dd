"""The score of the Numenta Anomaly Benchmark, version 1.1: all thresholds and all three profiles in one pass.

A file's windows say where alarms are wanted. Everything follows from two columns that do not depend on the detector:
the credit of each row as an alarm, and the window in which it lies.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from redshank.core import InputError, SettingError
from redshank.evaluate.metrics._inputs import ArrayLike, Floats, Rows
from redshank.evaluate.metrics._nab_credits import Credits, Span, credits_of, probation_rows

__all__ = [
    "PROFILES",
    "NabHalves",
    "NabScore",
    "ProfileScore",
    "Weights",
    "nab_floor",
    "nab_score",
    "nab_score_halves",
    "probation_rows",
]


@dataclass(frozen=True, slots=True)
class Weights:
    """What a found window earns, and what a missed window and a false row cost at most."""

    tp: float
    fn: float
    fp: float


PROFILES = {
    "standard": Weights(tp=1.0, fn=1.0, fp=0.11),
    "reward_low_FP_rate": Weights(tp=1.0, fn=1.0, fp=0.22),
    "reward_low_FN_rate": Weights(tp=1.0, fn=2.0, fp=0.11),
}
"""The application profiles, named and weighted as in NAB's ``config/profiles.json``."""


@dataclass(frozen=True, slots=True)
class ProfileScore:
    """One profile of a NAB score.

    Parameters
    ----------
    score : float
        100 = every window found at its first row without a false row, 0 = no alarm at all; may be negative; NaN
        where there are no windows.
    threshold : float
        A row alarms when its score is **at least** this (NAB's rule); ``inf`` = no row alarms; NaN = more than one
        threshold was in use.
    raw : float
        Sum of credits before it is normalised.
    windows_hit, windows : int
        Windows with at least one alarm, and all windows.
    false_rows : int
        Alarms outside of windows.
    """

    score: float
    threshold: float
    raw: float
    windows_hit: int
    windows: int
    false_rows: int


@dataclass(frozen=True, slots=True)
class NabScore:
    """The three profiles.

    Parameters
    ----------
    standard, low_fp, low_fn : ProfileScore
        Profiles ``standard``, ``reward_low_FP_rate`` and ``reward_low_FN_rate``.
    oracle : bool
        The thresholds were chosen with the labels of the scored files in hand, as the published board does: an
        upper bound and no figure that can be expected of new data.
    """

    standard: ProfileScore
    low_fp: ProfileScore
    low_fn: ProfileScore
    oracle: bool

    def by_profile(self) -> dict[str, ProfileScore]:
        """The profiles under NAB's names."""
        return dict(zip(PROFILES, (self.standard, self.low_fp, self.low_fn), strict=True))


@dataclass(frozen=True, slots=True)
class NabHalves(NabScore):
    """Both halves together, each at the thresholds that are best for the other; ``halves`` has them apart."""

    halves: tuple[NabScore, NabScore]


def nab_score(
    scores: Mapping[str, ArrayLike],
    windows: Mapping[str, Sequence[Span]],
    *,
    time_ns: Mapping[str, npt.NDArray[np.int64]] | None = None,
    threshold: float | Mapping[str, float] | None = None,
) -> NabScore:
    """NAB score of a corpus, version 1.1, in all three profiles.

    Parameters
    ----------
    scores : mapping of file name to array of shape (n,)
        Finite scores of every row of each file, higher = more anomalous; of any scale, the same for all files.
    windows : mapping of file name to sequence of (first, last)
        Anomaly windows, both ends inside: row numbers, or with ``time_ns`` the moments of those rows, as ISO text,
        ``datetime`` (without a zone: UTC) or nanoseconds since 1970. Files without windows may be left out.
    time_ns : mapping of file name to int64 array of shape (n,), optional
        Time of each row, nanoseconds since 1970; where a time comes twice its first row counts.
    threshold : float or mapping of profile name to float, optional
        Rows with a score of at least this alarm. None takes, for each profile, the one that makes its score
        highest on these very labels; the result is then marked ``oracle``.

    Raises
    ------
    InputError
        If a file has windows and no scores, times and scores differ in length, a score is not finite, a window
        matches no rows or overlaps another.
    SettingError
        If ``threshold`` is NaN, or lacks a profile.

    Notes
    -----
    With ``s(y) = 2 / (1 + exp(5 y)) - 1``, and -1 for ``y > 3``: row ``i`` of a window from row ``l`` to row ``r`` has
    the credit ``tp * s(-(r - i + 1) / (r - l + 1)) / s(-1)``; a window counts its best alarm, or ``-fn`` without any.
    An alarm outside has the credit ``fp * s((i - r) / (r - l))`` by the last window before it, and ``-fp`` where there
    is none. The first ``min(floor(0.15 n), 750)`` rows of a file are left out. With ``W`` windows, score =
    ``100 (raw + fn W) / (tp W + fn W)``.

    Beyond what NAB itself meets: a window that ends within those first rows is not counted, and after a window of one
    row, where NAB divides by zero, every alarm costs ``fp``. Time O(n log n) at most for all
    thresholds and profiles together.

    References
    ----------
    .. [1] A. Lavin, S. Ahmad, "Evaluating real-time anomaly detection algorithms: the Numenta Anomaly Benchmark",
       ICMLA 2015; version 1.1 as in the repository numenta/NAB at ea702d7.
    """
    sweep = _Sweep(credits_of("nab_score", scores, windows, time_ns).values())
    if threshold is None:
        return _at(sweep, _best(sweep), oracle=True)
    return _at(sweep, _thresholds(threshold), oracle=False)


def nab_score_halves(
    scores: Mapping[str, ArrayLike],
    windows: Mapping[str, Sequence[Span]],
    *,
    time_ns: Mapping[str, npt.NDArray[np.int64]] | None = None,
) -> NabHalves:
    """NAB score at thresholds that were not chosen on the files they are applied to.

    Files go alternately, in the order of their names, into two halves; each profile's best threshold of one half is
    applied to the other, both ways. The raw scores of the two are added and normalised once, so each window weighs
    the same whichever half it is in. Parameters and errors as in :func:`nab_score`.
    """
    files = credits_of("nab_score_halves", scores, windows, time_ns)
    if len(files) < 2:
        raise InputError(f"nab_score_halves: {len(files)} file cannot be halved; give at least two")
    names = sorted(files)
    first, second = (_Sweep(files[name] for name in names[part::2]) for part in (0, 1))
    there, back = _at(first, _best(second), oracle=False), _at(second, _best(first), oracle=False)
    both = zip(PROFILES.values(), there.by_profile().values(), back.by_profile().values(), strict=True)
    standard, low_fp, low_fn = (_together(*parts) for parts in both)
    return NabHalves(standard, low_fp, low_fn, oracle=False, halves=(there, back))


def nab_floor(rows: Mapping[str, int]) -> dict[str, Floats]:
    """Scores of a detector that never looks at the data: 1 on every row that ends half a probation, else 0.

    What it reaches is luck that NAB pays for; a detector's score is to be read from there, not from 0.

    Parameters
    ----------
    rows : mapping of file name to int
        Rows of each file.
    """
    floor = {}
    for name, count in rows.items():
        probation = probation_rows(count)
        step = max(round(probation / 2), 1)
        floor[name] = np.zeros(count)
        floor[name][probation + step - 1 :: step] = 1.0
    return floor


class _Sweep:
    """The thresholds at which a corpus can score highest, highest first, beginning with ``inf``.

    Those are the scores of the rows that better the best alarm of their window; lowered past any other row, a
    threshold gains nothing. At ``thresholds[k]`` alarms hit ``hits[k]`` windows with the credits ``gain[k]``
    together, and rows outside with the credits ``cost[k]`` together, all before they are weighted. ``cost`` ends
    where no score above 0 is left to reach.
    """

    def __init__(self, files: Iterable[Credits]) -> None:
        parts = list(files)
        offsets = np.cumsum([0, *(part.windows for part in parts)])
        self.windows = int(offsets[-1])
        scores = np.concatenate([part.scores for part in parts])
        credit = np.concatenate([part.credit for part in parts])
        window = np.concatenate(
            [np.where(part.window < 0, -1, part.window + start) for part, start in zip(parts, offsets, strict=False)]
        )
        outside = window < 0
        self.outside, self.costs = scores[outside], credit[outside]
        inside = np.flatnonzero(~outside)
        row, first, gain = _improvements(inside[np.argsort(-scores[inside])], credit, window)
        self.thresholds = np.append(np.inf, scores[row])  # of equal ones the last has all of their alarms
        self.hits = np.append(0.0, np.cumsum(first, dtype=np.float64))
        self.gain = np.append(0.0, np.cumsum(gain))
        self.cost = self._cost()

    def _cost(self) -> Floats:
        """Cost at the thresholds, from the highest down to where false rows cost more than all windows can earn."""
        dear = self.outside[self.costs == -1.0]
        affordable = int(max((one.tp + one.fn) / one.fp for one in PROFILES.values()) * self.windows)
        low = np.partition(dear, -affordable - 1)[-affordable - 1] if len(dear) > affordable else -np.inf
        thresholds, alarms = self.thresholds[self.thresholds > low], self.outside > low
        levels = len(thresholds)
        enters = levels - np.searchsorted(thresholds[::-1], self.outside[alarms], side="right")
        return np.cumsum(np.bincount(enters, self.costs[alarms], minlength=levels + 1), dtype=np.float64)[:levels]

    def best(self, weights: Weights) -> float:
        """Threshold of the highest score; the highest such threshold."""
        useful = slice(len(self.cost))
        return float(self.thresholds[np.argmax(self._raw(weights, self.gain[useful], self.cost, self.hits[useful]))])

    def at(self, weights: Weights, threshold: float) -> ProfileScore:
        """The score where rows of at least ``threshold`` alarm."""
        k = int(np.searchsorted(-self.thresholds, -threshold, side="right")) - 1
        false = self.outside >= threshold
        raw = float(self._raw(weights, self.gain[k], self.costs[false].sum(), self.hits[k]))
        score = _normalised(weights, raw, self.windows)
        return ProfileScore(score, threshold, raw, int(self.hits[k]), self.windows, int(np.count_nonzero(false)))

    def _raw(self, weights: Weights, gain: Floats, cost: Floats, hits: Floats) -> Floats:
        return weights.tp * gain + weights.fp * cost - weights.fn * (self.windows - hits)


def _improvements(row: Rows, credit: Floats, window: Rows) -> tuple[Rows, npt.NDArray[np.bool_], Floats]:
    """The rows that better their window, whether each is the first to hit it, and by how much it betters it.

    ``row`` holds the rows of windows in falling order of score, and so does the result. Within a window an earlier
    row has the higher credit, so a row betters it where it is the earliest so far.
    """
    # Last window first: all rows of the windows before it in this order are later, so one running minimum serves all.
    place = np.argsort(-window[row], kind="stable")
    place = place[row[place] == np.minimum.accumulate(row[place])]
    own = row[place]
    first = np.append(True, window[own[1:]] != window[own[:-1]])[: len(own)]
    gain = credit[own] - np.where(first, 0.0, np.append(0.0, credit[own[:-1]])[: len(own)])
    order = np.argsort(place)
    return own[order], first[order], gain[order]


def _best(sweep: _Sweep) -> dict[str, float]:
    return {name: sweep.best(weights) for name, weights in PROFILES.items()}


def _at(sweep: _Sweep, thresholds: Mapping[str, float], *, oracle: bool) -> NabScore:
    standard, low_fp, low_fn = (sweep.at(weights, thresholds[name]) for name, weights in PROFILES.items())
    return NabScore(standard, low_fp, low_fn, oracle)


def _normalised(weights: Weights, raw: float, windows: int) -> float:
    null, perfect = -weights.fn * windows, weights.tp * windows
    return 100.0 * (raw - null) / (perfect - null) if windows else math.nan


def _together(weights: Weights, first: ProfileScore, second: ProfileScore) -> ProfileScore:
    raw, windows = first.raw + second.raw, first.windows + second.windows
    hit, false = first.windows_hit + second.windows_hit, first.false_rows + second.false_rows
    threshold = first.threshold if first.threshold == second.threshold else math.nan
    return ProfileScore(_normalised(weights, raw, windows), threshold, raw, hit, windows, false)


def _thresholds(threshold: float | Mapping[str, float]) -> dict[str, float]:
    given = threshold if isinstance(threshold, Mapping) else dict.fromkeys(PROFILES, threshold)
    if set(given) != set(PROFILES):
        raise SettingError(f"nab_score: thresholds for {sorted(given)}; wanted one for each of {list(PROFILES)}")
    for name, value in given.items():
        if math.isnan(value):
            raise SettingError(f"nab_score: the threshold of {name} is NaN; give a number, or inf for no alarms")
    return {name: float(value) for name, value in given.items()}
