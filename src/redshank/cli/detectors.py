"""``redshank detectors``: what there is to choose from."""

from __future__ import annotations

from dataclasses import asdict

from rich.table import Table

from redshank.cli import inputs
from redshank.cli.console import output, print_json
from redshank.core import MissingExtraError
from redshank.detectors import DETECTORS


def detectors(as_json: inputs.AsJson = False) -> None:
    """List the detectors by name, with what each can do."""
    rows = []
    for name in DETECTORS:
        try:
            tags = asdict(DETECTORS.get(name).tags)
        except MissingExtraError:
            tags = {}
        rows.append({"name": name, "extra": DETECTORS.extra_of(name), "installed": bool(tags), **tags})
    if as_json:
        print_json({"detectors": rows})
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("name", "extra", "good for"):
        table.add_column(title, overflow="fold")
    for row in rows:
        extra = str(row["extra"]) or "-"
        good_for = str(row.get("good_for", f"not installed; pip install 'redshank[{extra}]'"))
        table.add_row(str(row["name"]), extra, good_for)
    output.print(table)
