"""Tables of results, made from records and nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from redshank.core import InputError, SettingError
from redshank.evaluate._runs import (
    BASELINE,
    COUNTS,
    DEFAULT_MEASURES,
    HIGHER_IS_BETTER,
    ORACLE,
    RATE,
    SECTIONS,
    Record,
    Row,
    Run,
    check_measures,
    group,
    listed,
    mean,
    nearest,
    number,
    provenance,
    read_runs,
)
from redshank.evaluate._table import Measured, Table, Value
from redshank.evaluate.significance import ALPHA, holm, paired

__all__ = [
    "BASELINE",
    "COUNTS",
    "DEFAULT_MEASURES",
    "HIGHER_IS_BETTER",
    "ORACLE",
    "RATE",
    "Measured",
    "Table",
    "Value",
    "by_series",
    "pairs_table",
    "results_table",
    "runs_table",
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
    series, with its 95 % bootstrap interval by series. Of the others, false incidents per device-week and event recall
    are pooled, with exact Poisson and Wilson intervals; counts are added up; the rest is the mean over runs. A value
    is bold only where the paired test by series tells the best mean from that of *every* other row, baselines
    included, at 0.05: as all of these tests must agree, none needs a correction. No oracle is ever bold.

    Parameters
    ----------
    records : sequence of mapping
        As read from a file of records; other kinds than runs are passed over. Of two records of one run the later
        counts, and a note says so. A detector that ran with several settings on the same rows has a row for each.
    measures : sequence of str
        Columns. ``"F1 (oracle)"`` and the like give the values at thresholds chosen with the labels in hand.
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
    rows, more = group(runs, by)
    sections = list(dict.fromkeys(row.section for row in rows))
    cells = {id(row): [row.cell(measure, interval=interval) for measure in measures] for row in rows}
    for place, measure in enumerate(measures):
        for section in sections:
            best = _best([row for row in rows if row.section == section], measure)
            if best is not None:
                cells[id(best)][place] = replace(cells[id(best)][place], best=True)
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
        (*provenance(runs), *notes, *more, *_reading(rows, measures, interval=interval)),
        tuple(place for place in range(1, len(rows)) if ends[place] != ends[place - 1]),
    )


def runs_table(records: Sequence[Record], measures: Sequence[str] = DEFAULT_MEASURES) -> Table:
    """One row a run, in the order of the records: where it was judged, its own measures, seconds and peak memory.

    Nothing is averaged, so runs of any data and protocol may stand together. Raises as :func:`results_table`, save
    that nothing is compared.
    """
    runs, notes = read_runs(records)
    check_measures(runs, measures)
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
                run.leaks,
            )
        )
    return Table(columns, tuple(rows), "Runs", (*provenance(runs), *notes, *_oracle_note(measures)))


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
    table = {row.label: row.by_series(measure) for row in rows}
    if against not in table:
        raise InputError(f"pairs_table: nothing is called {against!r}; {nearest(against, table)}")
    if not np.isfinite(list(table[against].values())).any():
        raise InputError(f"pairs_table: {against} has no {measure} by series; only such measures can be paired")
    higher = HIGHER_IS_BETTER.get(measure.removesuffix(ORACLE))
    if higher is None:
        raise InputError(f"pairs_table: it is not known which way {measure} is better; choose another measure")
    others = [row for row in rows if row.label != against]
    found = [
        paired(table[row.label], table[against], higher_is_better=higher, names=(row.label, against)) for row in others
    ]
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
    reading: tuple[str, ...] = (
        f"Difference: the detector's {measure} minus that of {against}, with its 95 % bootstrap interval by series.",
        f"p: Wilcoxon signed-rank by series; Holm: corrected for {len(others)} comparisons; verdict at {ALPHA}.",
    )
    least = 2.0 ** (1 - max((one.series for one in found), default=0))
    if least * len(others) >= ALPHA:
        reading += (
            f"On so few series p cannot fall below {least:.3g}, or {min(1.0, least * len(others)):.3g} by Holm.",
        )
    caption = f"{measure} against {against}, paired by series"
    sources = (*provenance(runs), *notes, *more, *reading, *_oracle_note([measure]))
    return Table((*columns, *leaks), tuple(body), caption, sources)


def by_series(records: Sequence[Record], measure: str) -> dict[str, dict[str, float]]:
    """One measure by row label and series, means over folds and seeds: what ``ranks`` and ``paired`` take.

    Raises
    ------
    InputError
        As :func:`results_table`.
    """
    runs, _ = read_runs(records)
    check_measures(runs, [measure])
    return {row.label: row.by_series(measure) for row in group(runs, "detector")[0]}


def _best(rows: list[Row], measure: str) -> Row | None:
    """The row whose mean is best, if the paired test tells it from every other row's."""
    higher = HIGHER_IS_BETTER.get(measure)
    known = [(row, own) for row in rows if np.isfinite(list((own := row.by_series(measure)).values())).any()]
    shown = sum(math.isfinite(row.cell(measure, interval=False).value) for row in rows)
    if higher is None or not 2 <= len(known) == shown:  # a value that is not known by series cannot be told from others
        return None
    (best, own), *others = sorted(known, key=lambda pair: mean(pair[1].values()), reverse=higher)
    for _, other in others:
        if not own.keys() & other.keys():
            return None
        found = paired(own, other, higher_is_better=higher)
        if not (found.p_value < ALPHA and (found.mean_difference > 0) == higher):
            return None
    return best


def _whole(measure: str, cell: Measured) -> Value:
    return int(cell.value) if measure in COUNTS and cell.value.is_integer() else cell


def _leak_column(runs: list[Run]) -> list[str]:
    """A column where any run leaks: the mark must survive where notes do not go."""
    return ["leaks"] if any(run.leaks for run in runs) else []


def _reading(rows: list[Row], measures: Sequence[str], *, interval: bool) -> list[str]:
    """How to read the cells."""
    notes = []
    lower = [name for name in measures if HIGHER_IS_BETTER.get(name) is False]
    if lower:
        notes.append(f"Lower is better: {', '.join(lower)}.")
    if interval:
        notes.append(
            "Brackets: 95 % bootstrap interval by series; exact Poisson or Wilson where only totals are known. "
            "None is given for fewer than 5 series."
        )
    notes.append(f"Bold: told from every other row by the Wilcoxon signed-rank test by series at {ALPHA}, uncorrected.")
    for row in rows:
        for measure in measures:
            own = list(row.by_series(measure).values())
            undefined = len(own) - int(np.isfinite(own).sum())
            if 0 < undefined < len(own):
                notes.append(
                    f"{row.shown}: {measure} is not defined on {undefined} of {len(own)} series; mean of the others."
                )
    return notes + _oracle_note(measures)


def _oracle_note(measures: Sequence[str]) -> list[str]:
    named = any(measure.endswith(ORACLE) for measure in measures)
    return ["(oracle): at a threshold chosen with the labels in hand; nobody who runs a plant has it."] if named else []
