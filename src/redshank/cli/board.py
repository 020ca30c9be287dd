"""``redshank bench detectors``: every detector on five families of public data, one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import typer

from redshank.cli.console import BAD_INPUT, notices, print_json, working
from redshank.cli.outputs import needs_train
from redshank.cli.results import Form, print_table
from redshank.data.sets.catalogue import VARIABLE
from redshank.evaluate.board import Job, run_jobs
from redshank.evaluate.board.jobs import DONE, ROW
from redshank.evaluate.records import Record
from redshank.evaluate.tables import Table

DETECTORS_BOARD = "detectors"


def bench_detectors(
    only: Sequence[str] | None,
    families: Sequence[str] | None,
    record: Path | None,
    workers: int,
    form: Form,
    data_root: Path | None,
    *,
    quick: bool,
    as_json: bool,
) -> None:
    """Run what is not in ``record`` yet and print the table."""
    with needs_train("the board of detectors"):
        import polars  # noqa: F401, ICN001, PLC0415 - the data are read with it, in the workers

        from redshank.evaluate.board.detectors import detector_jobs  # noqa: PLC0415
        from redshank.evaluate.board.table import board_table  # noqa: PLC0415
    jobs = detector_jobs(quick=quick, only=names_in(only), families=names_in(families), root=data_root)
    bench_board(jobs, board_table, record, workers, form, data_root, as_json=as_json)


def bench_board(
    jobs: Sequence[Job],
    table: Callable[[Sequence[Record]], Table],
    record: Path | None,
    workers: int,
    form: Form,
    data_root: Path | None,
    *,
    as_json: bool,
) -> None:
    """Run a board, print its table and what failed; leave with the code for bad input where anything did."""
    environ = {} if data_root is None else {VARIABLE: str(data_root.resolve())}
    with working("judging", quiet=as_json) as advance:
        records = run_jobs(jobs, record=record, workers=workers, environ=environ, progress=advance)
    if as_json:
        print_json({"records": records})
    else:
        print_table(table(records), form)
    missed = [one for one in records if one["kind"] == ROW and one["status"] != DONE]
    for one in missed:
        notices.print(f"{one['job']}: {one['status']}: {one['reason']}", soft_wrap=True)
    if missed:
        raise typer.Exit(BAD_INPUT)


def names_in(given: Sequence[str] | None) -> list[str] | None:
    """Names as they were given, one by one or several with commas between."""
    if given is None:
        return None
    return [name.strip() for one in given for name in one.split(",") if name.strip()]
