"""Tables of results, made from records and nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from redshank.core import InputError, SettingError
from redshank.evaluate import _cells
from redshank.evaluate._cells import column, paired_rows
from redshank.evaluate._digits import texts
from redshank.evaluate._notes import oracle_note, provenance, reading
from redshank.evaluate._runs import (
    BASELINE,
    COUNTS,
    DEFAULT_MEASURES,
    DELAY,
    HIGHER_IS_BETTER,
    ORACLE,
    POINT_ADJUSTED,
    POINT_ADJUSTED_RANDOM,
    RATE,
    RECALL,
    SECTIONS,
    Record,
    Row,
    Run,
    check_measures,
    group,
    listed,
    nearest,
    number,
    read_runs,
)
from redshank.evaluate._table import Measured, Table, Value
from redshank.evaluate.significance import ALPHA, holm

__all__ = [
    "BASELINE",
    "COUNTS",
    "DEFAULT_MEASURES",
    "DELAY",
    "HIGHER_IS_BETTER",
    "ORACLE",
    "RATE",
    "RECALL",
    "Measured",
    "Table",
    "Value",
    "by_series",
    "pairs_table",
    "results_table",
    "runs_table",
    "texts",
]


def results_table(
    records: Sequence[Record],
    measures: Sequence[str] = DEFAULT_MEASURES,
    *,
    by: str = "detector",
    interval: bool = True,
    baselines: bool = True,
) -> Table:
    """One row a detector: means over series, folds and seeds, with intervals; baselines stand behind, marked.

    A measure that the records give by series is first averaged over the folds and seeds of each series, then over
    series, with its 95 % bootstrap interval by series. False incidents per device-week, and incident recall of a
    single series, are pooled, with exact Poisson and Wilson intervals save where rows leak; counts are added up; the
    rest is the mean over runs. A value is bold only where the paired test by series tells the best mean from that of
    *every* other row, baselines included but for ``always`` and ``never``, at 0.05: as all of these tests must agree,
    none needs a correction. No oracle is ever bold.

    Where a series of a fold holds no known anomaly, F1 and the like are defined for some rows and not for others; such
    a unit counts for no row then, and a note says so. What else stands on fewer series or folds than its neighbours is
    marked.

    Parameters
    ----------
    records : sequence of mapping
        As read from a file of records; other kinds than runs are passed over. Of two records of one run the later
        counts, and a note says so. A detector that ran with several settings on the same rows has a row for each.
    measures : sequence of str
        Columns. ``"F1 (oracle)"`` and the like give the values at thresholds chosen with the labels in hand. A
        point-adjusted F1 never stands without that of as many random alarms.
    by : {"detector", "data", "protocol", "left out", "fold", "seed"}, default="detector"
        One row a detector, or one a detector and each of these; only rows of one such section are compared.
    interval : bool, default=True
        Give intervals.
    baselines : bool, default=True
        Give the rows of trivial baselines.

    Returns
    -------
    Table
        Detectors from best to worst by the first measure. The notes name data, protocol, seeds, command, leaks, and
        whatever makes rows hard to compare.

    Raises
    ------
    InputError
        If there are no runs, a record is incomplete, a measure is unknown, or runs cannot be compared: data of one
        name that differ, or several protocols or other test rows in one section.
    SettingError
        If ``by`` is unknown.
    """
    if by not in SECTIONS:
        raise SettingError(f"results_table: by is {by!r}; wanted one of {', '.join(SECTIONS)}")
    runs, notes = read_runs(records)
    if not baselines:
        runs = [run for run in runs if not run.baseline]
        notes.append("Trivial baselines are left out of this table on request.")
    check_measures(runs, measures)
    measures = _beside(measures)
    rows, more = group(runs, by)
    sections = list(dict.fromkeys(row.section for row in rows))
    found = []
    cells: dict[int, list[Measured]] = {id(row): [] for row in rows}
    for section in sections:
        own = [row for row in rows if row.section == section]
        for measure in measures:
            found.append(column(own, measure, interval=interval))
            for row, cell in zip(own, found[-1].cells, strict=True):
                cells[id(row)].append(cell)
    first = measures[0] if measures else ""
    sign = -1 if HIGHER_IS_BETTER.get(first, True) else 1

    def order(row: Row) -> tuple[int, bool, float]:
        value = cells[id(row)][0].value if first else math.nan
        return sections.index(row.section), row.baseline, math.inf if math.isnan(value) else sign * value

    rows.sort(key=order)
    leaks = _leak_column(runs)
    body: list[tuple[Value, ...]] = [
        (
            *([row.section] if by != "detector" else []),
            row.shown,
            *(_whole(measure, one) for measure, one in zip(measures, cells[id(row)], strict=True)),
            len({(run.data, name) for run in row.runs for name in run.series}),
            *(row.leaks for _ in leaks),
        )
        for row in rows
    ]
    columns = (*([by] if by != "detector" else []), "detector", *measures, "series", *leaks)
    ends = [(row.section, row.baseline) for row in rows]
    return Table(
        columns,
        tuple(body),
        f"Detectors on {listed((run.data for run in runs), 'data sets')}; {listed(run.protocol for run in runs)}",
        (*provenance(runs, measures), *notes, *more, *reading(found, runs, interval=interval)),
        tuple(place for place in range(1, len(rows)) if ends[place] != ends[place - 1]),
    )


def runs_table(records: Sequence[Record], measures: Sequence[str] = DEFAULT_MEASURES) -> Table:
    """One row a run, in the order of the records: where it was judged, its own measures, seconds and peak memory.

    Nothing is averaged, so runs of any data and protocol may stand together. Raises as :func:`results_table`, save
    that nothing is compared.
    """
    runs, notes = read_runs(records)
    check_measures(runs, measures)
    measures = _beside(measures)
    columns = ("data", "protocol", "fold", "left out", "detector", "seed", *measures, "seconds", "peak MiB", "leaks")
    rows: list[tuple[Value, ...]] = []
    for run in runs:
        spent = [number(one) for one in (run.record.get("seconds") or {}).values()]
        where = (run.data, run.protocol, run.fold, run.left_out)
        name = f"{run.detector}{BASELINE}" if run.baseline else run.detector
        own = [run.measures.get(measure, math.nan) for measure in measures]
        rows.append(
            (
                *where,
                name,
                run.seed,
                *own,
                math.fsum(one for one in spent if math.isfinite(one)),
                number(run.record.get("peak_mib")),
                run.leak_mark,
            )
        )
    return Table(columns, tuple(rows), "Runs", (*provenance(runs, measures), *notes, *oracle_note(measures)))


def pairs_table(records: Sequence[Record], measure: str, against: str) -> Table:
    """Every detector paired by series with one of them, Holm's correction over all these comparisons.

    Parameters
    ----------
    records : sequence of mapping
        As for :func:`results_table`, of one protocol.
    measure : str
        One that the records give by series.
    against : str
        Label of the row to compare with, as :func:`by_series` names it.

    Raises
    ------
    InputError
        As :func:`results_table`; if no series has the measure, its better direction is not known, or nothing is
        called ``against``.
    """
    runs, notes = read_runs(records)
    check_measures(runs, [measure])
    rows, more = group(runs, "detector")
    named = {row.label: row for row in rows}
    if against not in named:
        raise InputError(f"pairs_table: nothing is called {against!r}; {nearest(against, named)}")
    if not np.isfinite(list(named[against].units(measure).values())).any():
        raise InputError(f"pairs_table: {against} has no {measure} by series; only such measures can be paired")
    higher = HIGHER_IS_BETTER.get(measure.removesuffix(ORACLE))
    if higher is None:
        raise InputError(f"pairs_table: it is not known which way {measure} is better; choose another measure")
    others = [row for row in rows if row.label != against]
    found = [paired_rows(row, named[against], measure, higher=higher) for row in others]
    adjusted = holm([one.p_value for one in found])
    leaks = _leak_column(runs)
    body: list[tuple[Value, ...]] = []
    for row, one, p in sorted(zip(others, found, adjusted, strict=True), key=lambda three: three[0].baseline):
        ahead = (one.mean_difference > 0) == higher
        agreed = (one.wins - one.losses) * (1 if ahead else -1) > 0
        told = ("better" if ahead else "worse") if agreed else "different"
        difference = Measured(one.mean_difference, one.low, one.high)
        counts = (one.series, difference, one.wins, one.ties, one.losses)
        verdict = told if p < ALPHA else "not told apart"
        body.append((row.shown, *counts, one.p_value, float(p), verdict, *(row.leaks for _ in leaks)))
    columns = ("detector", "series", f"{measure}, difference", "wins", "ties", "losses", "p", "p (Holm)", "verdict")
    legend: tuple[str, ...] = (
        f"Difference: the detector's {measure} minus that of {against}, with its 95 % bootstrap interval by series.",
        f"p: Wilcoxon signed-rank by series; Holm: corrected for {len(others)} comparisons; verdict at {ALPHA}.",
    )
    least = 2.0 ** (1 - max((one.series for one in found), default=0))
    if least * len(others) >= ALPHA:
        legend += (
            f"On so few series p cannot fall below {least:.3g}, or {min(1.0, least * len(others)):.3g} by Holm.",
        )
    caption = f"{measure} against {against}, paired by series"
    sources = (*provenance(runs, [measure]), *notes, *more, *legend, *oracle_note([measure]))
    return Table((*columns, *leaks), tuple(body), caption, sources)


def by_series(records: Sequence[Record], measure: str) -> dict[str, dict[str, float]]:
    """One measure by row label and series: what ``ranks`` and ``paired`` take.

    Means over seeds and over the folds that all rows with a value on that series share; folds without a known anomaly
    are left out as in :func:`results_table`. NaN where the rows share no fold.

    Raises
    ------
    InputError
        As :func:`results_table`.
    """
    runs, _ = read_runs(records)
    check_measures(runs, [measure])
    rows, _ = group(runs, "detector")
    return {row.label: own for row, own in zip(rows, _cells.by_series(rows, measure), strict=True)}


def _beside(measures: Sequence[str]) -> tuple[str, ...]:
    """The columns asked for, a point-adjusted F1 always with that of random alarms behind it."""
    if POINT_ADJUSTED not in measures or POINT_ADJUSTED_RANDOM in measures:
        return tuple(measures)
    place = list(measures).index(POINT_ADJUSTED) + 1
    return (*measures[:place], POINT_ADJUSTED_RANDOM, *measures[place:])


def _whole(measure: str, cell: Measured) -> Value:
    return int(cell.value) if measure in COUNTS and cell.value.is_integer() else cell


def _leak_column(runs: list[Run]) -> list[str]:
    """A column where any run leaks: the mark must survive where notes do not go."""
    return ["leaks"] if any(run.leaks for run in runs) else []
