"""Tables and figures of records as files, for a paper, a wiki or a spreadsheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from redshank.core import InputError
from redshank.evaluate.nab_board import KIND, nab_table
from redshank.evaluate.pages._groups import groups_of
from redshank.evaluate.pages._page import write_at_once
from redshank.evaluate.pages._plots import Record
from redshank.evaluate.pages.charts import (
    calibration_chart,
    confusion_chart,
    critical_difference_chart,
    pr_chart,
    rate_chart,
    roc_chart,
    score_chart,
    sensitivity_chart,
)
from redshank.evaluate.significance import ranks
from redshank.evaluate.tables import Table, by_series, results_table, runs_table

RANKED = "VUS-PR"
"""The measure of the critical-difference diagram and of sensitivity."""


def write_folder(folder: Path, records: Sequence[Record]) -> list[Path]:
    """Every table and figure that the records have something for.

    Tables ``results`` and ``runs``, and ``nab`` of NAB scores, as ``.md``, ``.csv`` and ``.tex``; ROC, PR, confusion,
    score over the series, calibration, rates, sensitivity and critical difference as ``.svg``. The figures name the
    data that they are of: curves, confusion, scores and calibration are of the first run that is not a baseline, and
    of what ran on the same rows; rates, ranks and sensitivity of all data by its protocol. What needs more records
    than there are is left out.

    Parameters
    ----------
    folder : Path
        Made where it is not there; files of the same names are replaced.
    records : sequence of dict
        As :func:`redshank.evaluate.records.read` gives them: runs and NAB scores.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    InputError
        If the records cannot be compared; see :func:`redshank.evaluate.tables.results_table`.
    OSError
        If a file cannot be written.
    """
    runs = _runs(records)
    boards = [record for record in records if record.get("kind") == KIND]
    tables: dict[str, Table] = {"nab": nab_table(boards)} if boards else {}
    if runs or not boards:
        by = "protocol" if len({record["split"]["protocol"] for record in runs}) > 1 else "detector"
        tables |= {"results": results_table(runs, by=by), "runs": runs_table(runs)}
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, table in tables.items():
        for ending, text in (("md", table.markdown()), ("csv", table.csv()), ("tex", table.latex())):
            written.append(write_at_once(folder / f"{name}.{ending}", text))
    for name, draw in (_figures(runs) if runs else {}).items():
        try:
            figure = draw()
        except InputError:
            continue  # the records do not hold what it shows
        written.append(write_at_once(folder / f"{name}.svg", figure))
    return written


def _runs(records: Sequence[Record]) -> list[Record]:
    return [record for record in records if record.get("kind") == "run"]


def _figures(records: Sequence[Record]) -> dict[str, Callable[[], str]]:
    """Figures by file name; curves, confusion and scores are of one run, calibration and rates of all detectors."""
    groups, _ = groups_of(records)
    real = [one for one in groups if not one.first["baseline"]] or groups
    first = real[0]
    same = [one for one in groups if one.where == first.where]
    curves = first.folds if len(first.folds) > 1 else [one.record for one in same]
    protocol = first.first["split"]["protocol"]
    alike = [one for one in real if one.first["split"]["protocol"] == protocol]
    ranked = [r for r in records if r["split"]["protocol"] == protocol]
    drawn: dict[str, Callable[[], str]] = {
        "roc": lambda: roc_chart(curves),
        "pr": lambda: pr_chart(curves),
        "confusion": lambda: confusion_chart(first.record),
        "calibration": lambda: calibration_chart(
            first.folds if len(first.folds) > 1 else [one.record for one in same if one in real]
        ),
        "rates": lambda: rate_chart([one.record for one in alike]),
        "critical-difference": lambda: critical_difference_chart(ranks(by_series(ranked, RANKED)), measure=RANKED),
    }
    for number, trace in enumerate(first.record["traces"] or (), 1):
        drawn[f"scores-{number}"] = lambda trace=trace: score_chart(trace, data=first.record["data"])  # type: ignore[misc]
    for setting in _varied([one.first for one in alike]):
        drawn[f"sensitivity-{setting}"] = lambda setting=setting: sensitivity_chart(  # type: ignore[misc]
            [r for one in alike for r in one.folds if setting in r["settings"]], setting, RANKED
        )
    return drawn


def _varied(records: Sequence[Record]) -> list[str]:
    """Numeric settings that differ between runs of one detector; that two detectors differ is no sensitivity."""
    values: dict[tuple[str, str], set[float]] = {}
    for record in records:
        for name, value in record["settings"].items():
            if name.startswith("detector.") and name != "detector.seed" and isinstance(value, int | float):
                values.setdefault((record["detector"], name), set()).add(value)
    return list(dict.fromkeys(name for (_, name), found in values.items() if len(found) > 1))
