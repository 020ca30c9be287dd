"""What the commands that measure share: running detectors beside trivial baselines, and showing the records."""

from __future__ import annotations

import difflib
import json
import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.table import Table as Grid
from rich.text import Text

from redshank.cli.console import output, print_notes
from redshank.cli.outputs import check_place, needs_train
from redshank.core import Detector, InputError, SettingError
from redshank.data import Dataset, audit
from redshank.evaluate.anchors import PLAIN
from redshank.evaluate.metrics import measure
from redshank.evaluate.protocols import PROTOCOLS, Split, protocol_of
from redshank.evaluate.records import Record, append
from redshank.evaluate.run import evaluate_run
from redshank.evaluate.tables import (
    BASELINE,
    COUNTS,
    DEFAULT_MEASURES,
    HIGHER_IS_BETTER,
    ORACLE,
    Measured,
    Table,
    Value,
    results_table,
)

ROOM_FOR_INTERVALS = 130
"""Columns of a terminal from which on a table of results shows intervals as well."""
ROOM_FOR_NAMES = 13
"""Columns that a name keeps where numbers need the room, as many as baselines need; the rest goes to the next line."""


class Form(StrEnum):
    """How a table is written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    CSV = "csv"
    LATEX = "latex"


class By(StrEnum):
    """What has rows of its own in a table of results."""

    DETECTOR = "detector"
    DATA = "data"
    PROTOCOL = "protocol"
    LEFT_OUT = "left out"
    FOLD = "fold"
    SEED = "seed"


Protocol = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help=f"How rows are divided: {', '.join(name.replace(' ', '-') for name in PROTOCOLS)} "
        "[default: as published, else chronological-hold-out].",
    ),
]
Baselines = Annotated[bool, typer.Option(help="Also judge the trivial baselines and plain anchors.")]
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
    """Refuse a place where no record can be written or that holds something else, before anything is learned."""
    if path is None:
        return
    check_place(path)
    if path.is_file():
        with path.open("rb") as stream:
            first = stream.read(1)
        if first not in {b"", b"{"}:
            raise InputError(f"{path}: does not hold records, so none is added to it; name another file with --record")


def check_apart(written: Iterable[Path | None], kept: Iterable[Path | str | None] = ()) -> None:
    """Refuse to write two things to one file, or over a file that is read."""
    taken = {Path(path).resolve() for path in kept if path is not None}
    for path in written:
        if path is not None and path.resolve() in taken:
            raise SettingError(f"{path}: is named twice, and would be written over; choose another file to write")
        if path is not None:
            taken.add(path.resolve())


def check_measures(names: Sequence[str] | None) -> None:
    """Refuse a measure that no record will have, before anything is read: their names are those of four rows."""
    time_ns = np.arange(4)
    found = measure(time_ns, time_ns > 1, alarm=time_ns > 1, time_ns=time_ns)
    known = {*found.values, *(f"{name}{ORACLE}" for name in found.oracle), *HIGHER_IS_BETTER, *COUNTS}
    for name in names or ():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are for example {', '.join(DEFAULT_MEASURES)}"
            raise SettingError(f"--measure: no measure is called {name!r}; {hint}")


def check_labelled(dataset: Dataset, file: str) -> None:
    """Refuse data of which no anomaly is known."""
    if dataset.y is None and not dataset.labels:
        hint = "; name their column with --label COLUMN" if Path(file).exists() else ""
        raise InputError(f"{file}: holds no known anomalies to compare with{hint}")


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
    findings = audit(dataset)
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
            findings=findings,
            read_s=read_s,
            progress=on,
        ):
            keep(record)


def trivial(seeds: Iterable[int], *, wanted: bool) -> list[tuple[Detector | str, int]]:
    """The trivial baselines and plain anchors, each with every seed that makes a difference to it."""
    if not wanted:
        return []
    return [(name, seed) for name, make in PLAIN.items() for seed in own_seeds(make(), seeds)]


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
    records: Sequence[Record], form: Form = Form.TEXT, measures: Sequence[str] | None = None, by: By = By.DETECTOR
) -> None:
    """The table of results, with what must be read beside it on the error stream where it is text."""
    print_table(results_table(records, tuple(measures or DEFAULT_MEASURES), by=by), form)


def print_table(table: Table, form: Form) -> None:
    """A table in the form asked for."""
    if form is not Form.TEXT:
        output.out(getattr(table, form.value)(), end="", highlight=False)
        return
    wide = output.width >= ROOM_FOR_INTERVALS
    for line in textwrap.wrap(table.caption, output.width, break_long_words=False, break_on_hyphens=False):
        output.print(Text(line, style="italic"), soft_wrap=True)  # a name is never broken
    shown = [
        [_shown(value, parts, wide=wide) for value, parts in zip(row, own, strict=True)]
        for row, own in zip(table.rows, table.parts(), strict=True)
    ]
    grid = Grid(
        header_style="bold",
        box=None,
        pad_edge=False,
        collapse_padding=not wide,
    )
    least = (2 if wide else 1) * (len(table.columns) - 1)
    words: list[int] = []
    for place, name in enumerate(table.columns):
        cells = [row[place] for row in shown]
        width = max(len(part) for part in (*cells, *re.split(r"(?<=-)|\s", name)))
        heading = "\n".join(textwrap.wrap(name, width))
        textual = all(isinstance(row[place], str) for row in table.rows)
        words.append(max((len(word) for cell in cells for word in cell.split()), default=0) if textual else 0)
        if textual:
            width = min(width, ROOM_FOR_NAMES)
            grid.add_column(heading, min_width=width, overflow="fold")
        else:
            grid.add_column(heading, justify="right", min_width=width, no_wrap=True)
        least += width
    for drawn, word in zip(grid.columns, words, strict=True):
        more = min(max(word - (drawn.min_width or 0), 0), max(output.width - least, 0))  # whole words where they fit
        drawn.min_width = (drawn.min_width or 0) + more
        least += more
    for place, row in enumerate(table.rows):
        if place in table.breaks:
            grid.add_row()
        grid.add_row(*(Text(text, style=_style(value)) for text, value in zip(shown[place], row, strict=True)))
    if least > output.width:
        grid.width = least  # better a line that the terminal breaks than a number that is cut off
    output.print(grid, crop=False)
    print_notes(table.notes)
    if not wide and any(isinstance(value, Measured) and value.bounds for row in table.rows for value in row):
        print_notes([f"intervals need a terminal of {ROOM_FOR_INTERVALS} columns"])


def _style(value: Value) -> str:
    return "bold" if isinstance(value, Measured) and value.best else ""


def _shown(value: Value, parts: tuple[str, str], *, wide: bool) -> str:
    if isinstance(value, str):
        return value.removesuffix(BASELINE)  # they stand below a gap
    if isinstance(value, int):
        return f"{value:,}"
    return " ".join(parts).rstrip() if wide else parts[0]


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
