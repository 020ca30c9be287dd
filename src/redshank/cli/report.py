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
from redshank.evaluate.nab_board import KIND
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
    data: Annotated[
        str | None, typer.Option(metavar="NAME", help="Data set that the page is about [default: the first].")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only incidents from this time on, such as 2026-11-01.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Only incidents before this time.")] = None,
    as_json: inputs.AsJson = False,
) -> None:
    """Make a report of RECORDS, as `evaluate` and `bench` write them.

    Records of the NAB score have a table of their own in --folder, and no page.
    """
    for path in (out, *([pdf] if pdf is not None else [])):
        check_place(path)
    check_apart([out, pdf], records)
    if folder is not None and folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; name a folder for tables and figures")
    every = [record for path in records for record in _known(path)]
    found = [record for record in every if record["kind"] == "run"]
    if not found and not (every and folder is not None):
        raise InputError(f"{', '.join(map(str, records))}: no records; make some with redshank evaluate --record FILE")
    with needs_train("the report"), working("writing the report", quiet=as_json):
        from redshank.evaluate.pages.folder import write_folder  # noqa: PLC0415  draw with libraries of an extra
        from redshank.evaluate.pages.run_report import print_pdf, write_run_report  # noqa: PLC0415

        written: list[Path] = []
        if found:
            written.append(write_run_report(out, found, title=title, data=data, since=since, until=until))
        if found and pdf is not None:
            written.append(print_pdf(out, pdf))
        if folder is not None:
            written += write_folder(folder, every)
    if as_json:
        print_json({"records": len(every), "written": [str(path) for path in written]})
        return
    for path in written:
        output.print(str(path), soft_wrap=True)


def _known(path: Path) -> list[Record]:
    """The runs and NAB scores of a file; a run that lacks a section is refused, other records are passed over."""
    every = [record for record in read(path) if record.get("kind") in {"run", KIND}]
    for place, record in enumerate((one for one in every if one["kind"] == "run"), 1):
        missing = [name for name in SECTIONS if name not in record]
        if missing:
            raise InputError(
                f"{path}: run {place} lacks {', '.join(missing)}; give the file as evaluate or bench wrote it"
            )
    return every
