"""What the commands that measure share: running detectors beside trivial baselines, and showing the records."""

from __future__ import annotations

import json
import math
import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table as Grid

from redshank.cli.console import output, print_notes
from redshank.cli.outputs import check_place, needs_train
from redshank.core import Detector, SettingError
from redshank.data import Dataset
from redshank.evaluate.baselines import BASELINES
from redshank.evaluate.protocols import Split, protocol_of
from redshank.evaluate.records import Record, append
from redshank.evaluate.run import evaluate_run
from redshank.evaluate.tables import BASELINE, DEFAULT_MEASURES, Measured, Table, Value, results_table

ROOM_FOR_INTERVALS = 130
"""Columns of a terminal from which on a table of results shows intervals as well."""


class Form(StrEnum):
    """How a table is written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    CSV = "csv"
    LATEX = "latex"


Protocol = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="How rows are divided: hold-out, rolling-origin, blocked, leave-one-device-out, leave-one-capture-out, "
        "leave-one-attack-out, random [default: as published, else hold-out].",
    ),
]
Baselines = Annotated[bool, typer.Option(help="Also judge the trivial baselines.")]
RecordFile = Annotated[
    Path | None, typer.Option("--record", metavar="FILE", help="Add a record of each run to this JSON-lines file.")
]
FormOption = Annotated[Form, typer.Option("--format", help="How to print the table.")]
Measures = Annotated[
    list[str] | None,
    typer.Option(
        "--measure", metavar="NAME", help="Column of the table, such as 'affiliation F1'; may be given again."
    ),
]


def check_protocol(name: str | None) -> None:
    """Refuse an unknown protocol before anything is read."""
    if name is not None:
        protocol_of(name)


def check_record(path: Path | None) -> None:
    """Refuse a place where no record can be written, before anything is learned."""
    if path is not None:
        check_place(path)


def judged(
    dataset: Dataset,
    detectors: Sequence[tuple[Detector | str, int]],
    *,
    protocol: str | None,
    splits: Sequence[Split] | None,
    calibrator: str,
    budget: str,
    read_s: float,
    keep: Callable[[Record], None],
    advance: Callable[[float | None], None],
) -> None:
    """Judge each of ``detectors``, with its seed, on every split, and hand each record to ``keep`` as it is made."""
    for place, (detector, seed) in enumerate(detectors):

        def on(part: float, place: int = place) -> None:
            advance((place + part) / len(detectors))

        for record in evaluate_run(
            dataset,
            detector,
            protocol=protocol,
            splits=splits,
            calibrator=calibrator,
            budget=budget,
            seed=seed,
            read_s=read_s,
            progress=on,
        ):
            keep(record)


def trivial(seeds: Iterable[int], *, wanted: bool) -> list[tuple[Detector | str, int]]:
    """The baselines, each with every seed that makes a difference to it."""
    if not wanted:
        return []
    return [(name, seed) for name, make in BASELINES.items() for seed in own_seeds(make(), seeds)]


def own_seeds(detector: Detector, seeds: Iterable[int]) -> list[int]:
    """All seeds where the detector draws at random, else the first."""
    every = list(seeds)
    return every if "seed" in detector.settings() else every[:1]


def keeper(records: list[Record], path: Path | None) -> Callable[[Record], None]:
    """What takes a record: into the list, and at once into the file, so that an interrupted run keeps what it has."""

    def keep(record: Record) -> None:
        records.append(record)
        if path is not None:
            append(path, record)

    return keep


def page_at(path: Path) -> Callable[..., Path]:
    """What writes the report of records to ``path``; its libraries, of an extra, are loaded here."""
    with needs_train("the report"):
        from redshank.evaluate.pages.run_report import write_run_report  # noqa: PLC0415
    return partial(write_run_report, path)


def print_results(
    records: Sequence[Record], form: Form = Form.TEXT, measures: Sequence[str] | None = None, by: str = "detector"
) -> None:
    """The table of results, with what must be read beside it on the error stream where it is text."""
    print_table(results_table(records, tuple(measures or DEFAULT_MEASURES), by=by), form)


def print_table(table: Table, form: Form) -> None:
    """A table in the form asked for."""
    if form is not Form.TEXT:
        output.out(getattr(table, form.value)(), end="", highlight=False)
        return
    wide = output.width >= ROOM_FOR_INTERVALS
    grid = Grid(title=table.caption, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for place, name in enumerate(table.columns):
        words = all(isinstance(row[place], str) for row in table.rows)
        cells = [_shown(row[place], wide=wide) for row in table.rows]
        width = max(len(part) for part in (*cells, *re.split(r"(?<=-)|\s", name)))
        heading = "\n".join(textwrap.wrap(name, width))
        grid.add_column(heading, justify="left" if words else "right", min_width=width)
    for place, row in enumerate(table.rows):
        if place in table.breaks:
            grid.add_row()
        grid.add_row(*(_shown(value, wide=wide) for value in row))
    output.print(grid)
    print_notes((*table.notes, *([] if wide else [f"intervals need a terminal of {ROOM_FOR_INTERVALS} columns"])))


def _shown(value: Value, *, wide: bool) -> str:
    if isinstance(value, Measured):
        return str(value) if wide else value.number
    if isinstance(value, str):
        return value.removesuffix(BASELINE)  # they stand below a gap
    return "\N{EN DASH}" if math.isnan(value) else f"{value:,}"


def setting_values(text: str) -> tuple[str, list[Any]]:
    """``NAME=VALUE,VALUE`` as a name and its values: numbers, true, false, null, else words.

    Raises
    ------
    SettingError
        If there is no name or no value.
    """
    name, sign, values = text.partition("=")
    found = [_value(one) for one in values.split(",") if one.strip()]
    if not name.strip() or not sign or not found:
        raise SettingError(f"--vary is {text!r}; wanted NAME=VALUE,VALUE such as latent=2,4,8")
    return name.strip(), found


def _value(text: str) -> Any:
    try:
        return json.loads(text.strip())
    except ValueError:
        return text.strip()
