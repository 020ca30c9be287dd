"""``redshank report``: a page to hand over, tables and figures, made from records and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from redshank.cli import inputs
from redshank.cli.console import output, print_json, working
from redshank.cli.outputs import check_place, needs_train
from redshank.cli.results import check_apart
from redshank.core import InputError
from redshank.evaluate.records import SECTIONS, Record, read


def report(
    records: Annotated[list[Path], typer.Argument(metavar="RECORDS...", help="JSON-lines files of records.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to write the page.")] = Path("report.html"),
    pdf: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also print it to this PDF, by an installed Chromium or Chrome.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Also write tables (.md, .csv, .tex) and figures (.svg) into this folder."),
    ] = None,
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="Heading [default: detector and data].")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only incidents from this time on, such as 2026-11-01.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Only incidents before this time.")] = None,
    as_json: inputs.AsJson = False,
) -> None:
    """Make a report of RECORDS, as `evaluate` and `bench` write them."""
    for path in (out, *([pdf] if pdf is not None else [])):
        check_place(path)
    check_apart([out, pdf], records)
    if folder is not None and folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; name a folder for tables and figures")
    found = [record for path in records for record in _runs(path)]
    if not found:
        raise InputError(f"{', '.join(map(str, records))}: no records; make some with redshank evaluate --record FILE")
    with needs_train("the report"), working("writing the report", quiet=as_json):
        from redshank.evaluate.pages.folder import write_folder  # noqa: PLC0415  draw with libraries of an extra
        from redshank.evaluate.pages.run_report import print_pdf, write_run_report  # noqa: PLC0415

        written = [write_run_report(out, found, title=title, since=since, until=until)]
        if pdf is not None:
            written.append(print_pdf(out, pdf))
        if folder is not None:
            written += write_folder(folder, found)
    if as_json:
        print_json({"records": len(found), "written": [str(path) for path in written]})
        return
    for path in written:
        output.print(str(path), soft_wrap=True)


def _runs(path: Path) -> list[Record]:
    """The records of runs in a file; a run that lacks a section is refused, other records are passed over."""
    runs = [record for record in read(path) if record.get("kind") == "run"]
    for place, record in enumerate(runs, 1):
        missing = [name for name in SECTIONS if name not in record]
        if missing:
            raise InputError(
                f"{path}: run {place} lacks {', '.join(missing)}; give the file as evaluate or bench wrote it"
            )
    return runs
