"""Cells of a table: what each row's value stands on, so that rows beside each other can be compared."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from redshank.evaluate._runs import (
    COUNTS,
    HIGHER_IS_BETTER,
    RATE,
    RECALL,
    SETTLED,
    Row,
    Unit,
    event,
    mean,
)
from redshank.evaluate._table import Measured
from redshank.evaluate.intervals import Interval, bootstrap_interval, garwood, wilson
from redshank.evaluate.significance import ALPHA, Paired, paired

Values = dict[Unit, float]

_POOLED: Mapping[str, tuple[Callable[[float, float], Interval], str, str]] = MappingProxyType(
    {RATE: (garwood, "false", "device_weeks"), RECALL: (wilson, "found", "known")}
)
"""Rates and shares of events, with the counts of a record that give them where no series has them, or only one."""


@dataclass(frozen=True, slots=True)
class Column:
    """One measure of the rows of one section.

    ``cells`` in the order of the rows; ``clean`` series and folds without a known anomaly were left out of every row,
    of ``units`` in all; ``undefined`` by row on how many of how many the measure is not defined.
    """

    measure: str
    cells: tuple[Measured, ...]
    clean: int
    units: int
    undefined: Mapping[str, tuple[int, int]]


def column(rows: Sequence[Row], measure: str, *, interval: bool) -> Column:
    """The cells of one measure, over the same series and folds in every row wherever that can be.

    Where a series of a fold holds no known anomaly, F1 and the like are 0 for what alarmed and undefined for what did
    not: such a unit counts for no row unless it counts for all. Where a measure is undefined because a detector raised
    or found nothing, its row stands on fewer units, and the cell is marked.
    """
    values, clean = _compared(rows, measure)
    told = values if any(values) else [_of_runs(row, measure) for row in rows]
    defined = [{unit for unit, value in own.items() if math.isfinite(value)} for own in told]
    union = set().union(*defined)
    cells = []
    for row, own, known in zip(rows, values, defined, strict=True):
        cell = _cell(row, measure, own, interval=interval)
        cells.append(replace(cell, partial=bool(known) and known != union))
    undefined = {
        row.label: (len(own) - len(known), len(own))
        for row, own, known in zip(rows, told, defined, strict=True)
        if 0 < len(known) < len(own)
    }
    best = _best(rows, measure, values, cells)
    if best is not None:
        cells[best] = replace(cells[best], best=True)
    return Column(measure, tuple(cells), len(clean), len(clean.union(*values)), undefined)


def by_series(rows: Sequence[Row], measure: str) -> list[dict[str, float]]:
    """By row the mean of each series over the folds that all rows with a value on this series share.

    NaN where a row has no value on a series, or the rows share no fold of it.
    """
    values, _ = _compared(rows, measure)
    shared: dict[str, set[Unit]] = {}
    for own in values:
        for name, units in _by_name(unit for unit, value in own.items() if math.isfinite(value)).items():
            shared[name] = shared[name] & units if name in shared else units
    return [
        {
            name: mean(own[unit] for unit in units if unit in shared.get(name, ()))
            for name, units in _by_name(own).items()
        }
        for own in values
    ]


def paired_rows(first: Row, second: Row, measure: str, *, higher: bool) -> Paired:
    """The two on the series and folds on which both have a value."""
    own, other = by_series([first, second], measure)
    return paired(own, other, higher_is_better=higher, names=(first.label, second.label))


def _compared(rows: Sequence[Row], measure: str) -> tuple[list[Values], set[Unit]]:
    """Values of each row without the units that hold no known anomaly and are not defined for all; and these units."""
    every = [row.units(measure) for row in rows]
    spotless = set().union(*(row.clean for row in rows))
    clean = {unit for own in every for unit, value in own.items() if unit in spotless and not math.isfinite(value)}
    return [{unit: value for unit, value in own.items() if unit not in clean} for own in every], clean


def _of_runs(row: Row, measure: str) -> Values:
    """What stands behind a value that is known as totals of runs only."""
    return {(run.data, run.fold, ""): run.measures.get(measure, math.nan) for run in row.runs}


def _by_name(units: Iterable[Unit]) -> dict[str, set[Unit]]:
    found: defaultdict[str, set[Unit]] = defaultdict(set)
    for unit in units:
        found[f"{unit[0]}: {unit[2]}"].add(unit)
    return found


def _means(values: Values) -> list[float]:
    """Mean over the folds of each series."""
    return [mean(values[unit] for unit in units) for units in _by_name(values).values()]


def _cell(row: Row, measure: str, values: Values, *, interval: bool) -> Measured:
    seeds = len({run.seed for run in row.runs})
    if measure in COUNTS:
        return Measured(sum(run.measures.get(measure, math.nan) for run in row.runs) / seeds)
    own = [one for one in _means(values) if math.isfinite(one)]
    totals = [math.nan, math.nan]
    if measure in _POOLED:
        totals = [sum(event(run.record, name) for run in row.runs) / seeds for name in _POOLED[measure][1:]]
    if not math.isnan(sum(totals)) and len(own) < 2:
        found = _POOLED[measure][0](*totals)
        bounds = not row.leaks  # incidents torn between folds are not independent
    elif own:
        found, bounds = (bootstrap_interval(own) if interval else Interval(mean(own), math.nan, math.nan)), True
    else:
        found, bounds = (
            Interval(mean(run.measures.get(measure, math.nan) for run in row.runs), math.nan, math.nan),
            False,
        )
    return Measured(found.estimate, found.low, found.high) if interval and bounds else Measured(found.estimate)


def _best(rows: Sequence[Row], measure: str, values: list[Values], cells: list[Measured]) -> int | None:
    """The row whose mean is best, if the paired test tells it from every other row's."""
    higher = HIGHER_IS_BETTER.get(measure)
    competing = [place for place, row in enumerate(rows) if row.runs[0].detector not in SETTLED]
    known = [place for place in competing if np.isfinite(list(values[place].values())).any()]
    shown = sum(math.isfinite(cells[place].value) for place in competing)
    if higher is None or not 2 <= len(known) == shown:  # a value that is not known by series cannot be told from others
        return None
    best, *others = sorted(known, key=lambda place: mean(_means(values[place])), reverse=higher)
    for other in others:
        own, theirs = by_series([rows[best], rows[other]], measure)
        if not own.keys() & theirs.keys():
            return None
        found = paired(own, theirs, higher_is_better=higher)
        if not (found.p_value < ALPHA and (found.mean_difference > 0) == higher):
            return None
    return best
