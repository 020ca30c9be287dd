"""``redshank detectors``: what there is to choose from, and the settings of one."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from redshank.cli import inputs
from redshank.cli.console import output, print_json
from redshank.core import MissingExtraError
from redshank.detectors import DETECTORS

FAMILIES = ("statistical", "classical", "neural", "combination")
"""Rooms of the detectors, in the order of the list."""
ABSENT = "not installed"
ROOM_FOR_NAMES = 70
"""Columns of a terminal from which on names stand beside the text."""

Row = dict[str, Any]


def detectors(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Show one, with its settings.")] = None,
    as_json: inputs.AsJson = False,
) -> None:
    """List the detectors by family, with what each can do, its cost and its source; or show one with its settings."""
    if name is not None:
        DETECTORS.get(name)  # an unknown name, or one whose extra is not there, is an error here and a line in the list
        found = _row(name)
        if as_json:
            print_json(found)
        else:
            _show(found)
        return
    rows = [_row(one) for one in DETECTORS]
    if as_json:
        print_json({"detectors": rows})
        return
    for family in (*FAMILIES, ABSENT):
        own = [row for row in rows if row["family"] == family]
        if own:
            output.print(Text(family, style="bold underline"))
            output.print(_list(own))
            output.print()
    output.print("redshank detectors NAME shows one with its settings; --detector 'NAME(setting=value)' sets them")


def _row(name: str) -> Row:
    """What there is to say of one; of one that is not installed little."""
    extra = DETECTORS.extra_of(name)
    try:
        made = DETECTORS.get(name)()
        tags = made.tags
    except MissingExtraError:
        return {"name": name, "family": ABSENT, "extra": extra, "installed": False}
    summary = (inspect.getdoc(type(made)) or "").partition("\n")[0]
    family = type(made).__module__.split(".")[-2]
    known = {"name": name, "family": family, "extra": extra, "installed": True, "summary": summary}
    return {**known, "settings": made.settings(), **asdict(tags)}


def _list(rows: list[Row]) -> Table:
    """Names beside what there is to say of them, or above it where the terminal is narrow."""
    beside = output.width >= ROOM_FOR_NAMES
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=beside)
    if beside:
        table.add_column(overflow="fold")
    for row in rows:
        if row["installed"]:
            about = Text(row["good_for"])
            about.append(f"\n{'; '.join(_facts(row))}", style="dim")
        else:
            about = Text(f"not installed; pip install 'redshank[{row['extra']}]'")
        name = Text(row["name"], style="bold")
        if beside:
            table.add_row(name, about)
        else:
            table.add_row(name)
            table.add_row(Padding(about, (0, 0, 0, 2)))
    return table


def _facts(row: Mapping[str, Any]) -> list[str]:
    """What it can do, in words."""
    words = {
        "needs labels": row["needs_labels"],
        "looks at the order of rows": row["sequence"],
        "accepts gaps": row["missing"],
        "gaps filled first": not row["missing"],
        "looks ahead": not row["causal"],
        "streams": row["streams"],
    }
    cost = [f"{row['cost']} a row"] if row["cost"] else []
    return [word for word, holds in words.items() if holds] + cost + [row["source"] or "ours"]


def _show(row: Row) -> None:
    """One detector: what it does, what it can do, every setting with its default."""
    output.print(Text(row["name"], style="bold"), f"({row['family']})")
    if not row["installed"]:
        output.print(f"not installed; pip install 'redshank[{row['extra']}]'", soft_wrap=True)
        return
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    output.print(Text(row["summary"]))
    yes = {True: "yes", False: "no"}
    for title, text in (
        ("good for", row["good_for"]),
        ("needs labels", yes[row["needs_labels"]]),
        ("looks at", "the order of rows" if row["sequence"] else "each row by itself"),
        ("missing readings", "accepted as they are" if row["missing"] else "filled first"),
        ("causal", yes[row["causal"]]),
        ("streams", yes[row["streams"]]),
        ("learns", "in a moment, for each device" if row["cheap"] else "one model for the fleet"),
        ("cost of a row", row["cost"]),
        ("source", row["source"] or "ours"),
        ("extra", row["extra"] or "none"),
    ):
        table.add_row(Text(title, style="dim"), Text(text))
    output.print(table)
    output.print(Text("settings", style="bold") if row["settings"] else "no settings")
    settings = Table.grid(padding=(0, 2, 0, 0))
    settings.add_column(no_wrap=True)
    settings.add_column(overflow="fold")
    for setting, default in row["settings"].items():
        settings.add_row(f"  {setting}", Text(repr(default)))
    output.print(settings)
