"""What the commands show: progress, tables, JSON and errors."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NoReturn

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from redshank.core import Incident
from redshank.evaluate.records import plain
from redshank.incidents import duration, moment

BAD_INPUT = 2

# Names of devices and files are shown as they are, even where Rich would read a style in them.
_plain_text = partial(Console, highlight=False, markup=False, emoji=False)
output = _plain_text()
notices = _plain_text(stderr=True)


def fail(sentence: str) -> NoReturn:
    """Say what is wrong on the error stream and leave with the code for bad input."""
    notices.print("error:", style="bold red", end=" ")
    notices.print(sentence, soft_wrap=True)
    sys.exit(BAD_INPUT)


@contextmanager
def working(text: str, *, quiet: bool = False) -> Iterator[Callable[[float | None], None]]:
    """A bar on the error stream while something long runs; call the yielded function with the part done, 0 to 1."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=notices, transient=True, disable=quiet or not notices.is_terminal) as progress:
        task = progress.add_task(text, total=None)

        def advance(part: float | None) -> None:
            progress.update(task, total=None if part is None else 1.0, completed=part or 0.0)

        yield advance


class Stopwatch:
    """Seconds by step, for the report."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what runs inside."""
        start = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - start, 3)


def print_notes(notes: Iterable[str]) -> None:
    """What was assumed or left out, on the error stream."""
    for note in notes:
        notices.print(f"note: {note}", soft_wrap=True)


def print_json(record: Mapping[str, object]) -> None:
    """One JSON object on standard output; NaN and infinities become null."""
    sys.stdout.write(json.dumps(plain(record), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def count(number: int, noun: str) -> str:
    """``1 row``, ``2,000 rows``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def incident_table(incidents: Sequence[Incident], most: int = 40) -> Table:
    """Incidents in order of onset; the most severe ones if there are too many for a screen."""
    shown = sorted(sorted(incidents, key=lambda i: -i.severity)[:most], key=lambda i: i.start_ns)
    more = f"; the {most} most severe of {len(incidents)}" if len(incidents) > most else ""
    table = Table(title=f"Incidents (UTC){more}", title_justify="left", header_style="bold", box=None, pad_edge=False)
    table.add_column("since", no_wrap=True)
    table.add_column("lasted", justify="right", no_wrap=True)
    table.add_column("severity", justify="right")
    table.add_column("what", overflow="fold")
    for i in shown:
        table.add_row(moment(i.start_ns), _lasted(i), f"{i.severity:.0f}", i.sentence)
    return table


def _lasted(incident: Incident) -> str:
    return duration((incident.end_ns - incident.start_ns) / 1e9) if incident.end_ns > incident.start_ns else "1 reading"
