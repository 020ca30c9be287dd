"""What NAB gives for an alarm in each row: files and windows, checked once, to credits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from redshank.core import InputError
from redshank.evaluate.metrics._inputs import ArrayLike, Floats, Rows, numbers

Moment = str | datetime | np.datetime64 | int
Span = Sequence[Moment]

PROBATION_SHARE = 0.15
PROBATION_ROWS = 750
"""A file's first rows are not scored: 15 % of it, at most 15 % of 5,000 rows."""

FAR = 3
"""An alarm more than this many window widths behind a window costs the whole weight."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class Credits:
    """The scored rows of one file: score, unweighted credit as an alarm, number of its window (-1 = none)."""

    scores: Floats
    credit: Floats
    window: Rows
    windows: int


def probation_rows(rows: int) -> int:
    """How many rows at the start of a file of ``rows`` rows are not scored."""
    return min(math.floor(PROBATION_SHARE * rows), PROBATION_ROWS)


def credits_of(
    who: str,
    scores: Mapping[str, ArrayLike],
    windows: Mapping[str, Sequence[Span]],
    time_ns: Mapping[str, npt.NDArray[np.int64]] | None,
) -> dict[str, Credits]:
    """Check a corpus and give each row its credit; raises as :func:`nab_score`."""
    if not scores:
        raise InputError(f"{who}: no scores; give those of at least one file")
    _require_all(who, "scores", windows, scores)
    if time_ns is not None:
        _require_all(who, "times", scores, time_ns)
    files = {}
    for name, column in scores.items():
        values = numbers(who, f"{name}: scores", column)
        if values.ndim != 1:
            raise InputError(f"{who}: {name} has scores of shape {values.shape}; wanted one a row, shape (n,)")
        odd = ~np.isfinite(values)
        if odd.any():
            row = int(odd.argmax())
            raise InputError(f"{who}: {name}, row {row}: the score is {values[row]}; give every row a finite one")
        times = None if time_ns is None else np.asarray(time_ns[name], dtype=np.int64)
        if times is not None and times.shape != values.shape:
            raise InputError(f"{who}: {name} has {len(values)} scores and {times.size} times; wanted as many")
        first, last = _window_rows(f"{who}: {name}", windows.get(name, ()), len(values), times)
        files[name] = _file_credits(values, first, last)
    return files


def _require_all(who: str, what: str, wanted: Iterable[str], given: Iterable[str]) -> None:
    lacking = sorted(set(wanted) - set(given))
    if lacking:
        more = f" and {len(lacking) - 5} more" if len(lacking) > 5 else ""
        raise InputError(f"{who}: no {what} for {', '.join(lacking[:5])}{more}; give those of every file")


def _file_credits(scores: Floats, first: Rows, last: Rows) -> Credits:
    start, rows = probation_rows(len(scores)), len(scores)
    credit, window = np.full(rows, -1.0), np.full(rows, -1)
    if len(first):
        width = last - first + 1
        stop = np.minimum(np.append(first[1:], rows), last + FAR * (width - 1) + 1)
        reach = stop - first  # rows of each window and those behind it that cost less than the whole weight
        own = np.repeat(np.arange(len(first)), reach)
        row = np.arange(len(own)) + np.repeat(stop - np.cumsum(reach), reach)
        past = row - last[own]
        inside = past <= 0
        y = np.where(inside, past - 1, past) / np.where(inside, width[own], width[own] - 1)
        credit[row] = _scaled_sigmoid(y) / np.where(inside, _scaled_sigmoid(-1.0), 1.0)
        window[row[inside]] = own[inside] - np.count_nonzero(last < start)  # windows count from the first scorable one
    scorable = int(np.count_nonzero(last >= start))
    return Credits(scores[start:], credit[start:], window[start:], scorable)


def _scaled_sigmoid(y: Floats | float) -> Floats:
    return np.asarray(2.0 / (1.0 + np.exp(5.0 * np.asarray(y))) - 1.0)


def _window_rows(who: str, spans: Sequence[Span], rows: int, time_ns: Rows | None) -> tuple[Rows, Rows]:
    """First and last row of each window, in order."""
    ends = np.array([_pair(who, span, time_ns is not None) for span in spans], dtype=np.int64).reshape(-1, 2)
    if time_ns is not None and len(ends):
        order = np.argsort(time_ns, kind="stable")  # where a clock was set back, times do not rise
        place = np.minimum(np.searchsorted(time_ns[order], ends), rows - 1)
        found = time_ns[order[place]] == ends if rows else np.zeros(ends.shape, np.bool_)
        if not found.all():
            number = int(np.argwhere(~found)[0][0])
            raise InputError(f"{who}: no rows at the ends of window {number} {tuple(spans[number])}; check the times")
        ends = order[place]
    ends = ends[np.argsort(ends[:, 0], kind="stable")]
    for first, last in ends[(ends[:, 0] > ends[:, 1]) | (ends[:, 0] < 0) | (ends[:, 1] >= rows)]:
        raise InputError(f"{who}: a window from row {first} to row {last} of {rows}; check its ends")
    for at in np.flatnonzero(ends[1:, 0] <= ends[:-1, 1]):
        one, other = ends[at], ends[at + 1]
        raise InputError(f"{who}: windows {one.tolist()} and {other.tolist()} (rows) overlap; merge them")
    return ends[:, 0], ends[:, 1]


def _pair(who: str, span: Span, timed: bool) -> tuple[int, int]:
    if isinstance(span, str) or len(span) != 2:
        raise InputError(f"{who}: a window is {span!r}; wanted (first, last)")
    if not timed and not all(isinstance(end, int | np.integer) for end in span):
        raise InputError(f"{who}: a window is {tuple(span)!r}; wanted row numbers, or give time_ns to use moments")
    first, last = (_nanoseconds(who, end) for end in span)
    return first, last


def _nanoseconds(who: str, moment: Moment) -> int:
    if isinstance(moment, int | np.integer):
        return int(moment)
    if isinstance(moment, np.datetime64):
        return int(moment.astype("datetime64[ns]").astype(np.int64))
    try:
        date = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    except ValueError as error:
        raise InputError(f"{who}: a window ends at {moment!r}, which is no time; wanted ISO 8601") from error
    aware = date if date.tzinfo is not None else date.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(microseconds=1) * 1000
