"""Tables and figures of records as files, for a paper, a wiki or a spreadsheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from redshank.core import InputError
from redshank.evaluate.pages._page import write_at_once
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

Record = dict[str, Any]

RANKED = "VUS-PR"
"""The measure of the critical-difference diagram and of sensitivity."""


def write_folder(folder: Path, records: Sequence[Record]) -> list[Path]:
    """Every table and figure that the records have something for.

    Tables ``results`` and ``runs`` as ``.md``, ``.csv`` and ``.tex``; ROC, PR, confusion, score over the series,
    calibration, rates, sensitivity and critical difference as ``.svg``. What needs more records than there are is left
    out.

    Parameters
    ----------
    folder : Path
        Made where it is not there; files of the same names are replaced.
    records : sequence of dict
        As :func:`redshank.evaluate.records.read` gives them.

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
    tables: dict[str, Table] = {"results": results_table(records), "runs": runs_table(records)}
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, table in tables.items():
        for ending, text in (("md", table.markdown()), ("csv", table.csv()), ("tex", table.latex())):
            written.append(write_at_once(folder / f"{name}.{ending}", text))
    for name, draw in _figures(records).items():
        try:
            figure = draw()
        except InputError:
            continue  # the records do not hold what it shows
        written.append(write_at_once(folder / f"{name}.svg", figure))
    return written


def _figures(records: Sequence[Record]) -> dict[str, Callable[[], str]]:
    real = [record for record in records if not record["baseline"]] or list(records)
    first = real[0]
    drawn: dict[str, Callable[[], str]] = {
        "roc": lambda: roc_chart(_on_same_data(first, records)),
        "pr": lambda: pr_chart(_on_same_data(first, records)),
        "confusion": lambda: confusion_chart(first),
        "calibration": lambda: calibration_chart(real),
        "rates": lambda: rate_chart(real),
        "critical-difference": lambda: critical_difference_chart(ranks(by_series(records, RANKED))),
    }
    for number, trace in enumerate(first.get("traces") or (), 1):
        drawn[f"scores-{number}"] = lambda trace=trace: score_chart(trace)  # type: ignore[misc]
    for setting in _varied(real):
        drawn[f"sensitivity-{setting}"] = lambda setting=setting: sensitivity_chart(  # type: ignore[misc]
            [record for record in real if setting in record["settings"]], setting, RANKED
        )
    return drawn


def _on_same_data(first: Record, records: Sequence[Record]) -> list[Record]:
    """One fold of one data set: curves of other rows do not belong into one figure."""
    place = (first["data"]["fingerprint"], first["split"]["protocol"], first["split"]["fold"])
    return [
        record
        for record in records
        if (record["data"]["fingerprint"], record["split"]["protocol"], record["split"]["fold"]) == place
    ]


def _varied(records: Sequence[Record]) -> list[str]:
    """Numeric settings of a detector that differ between runs."""
    values: dict[str, set[float]] = {}
    for record in records:
        for name, value in record["settings"].items():
            if name.startswith("detector.") and name != "detector.seed" and isinstance(value, int | float):
                values.setdefault(name, set()).add(value)
    return [name for name, found in values.items() if len(found) > 1]
