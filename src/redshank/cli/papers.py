"""``redshank bench papers``: each paper's own comparison, made again on real data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from redshank.cli.console import notices, output, print_json, working
from redshank.cli.outputs import needs_train
from redshank.cli.results import Form, keeper, print_table
from redshank.core import SettingError
from redshank.evaluate.records import Record, read

PAPERS = "papers"
CONFUSION = "c"
"""Comparison whose paper prints confusion matrices."""


def bench_papers(
    only: Sequence[str] | None, record: Path | None, form: Form, data_root: Path | None, *, quick: bool, as_json: bool
) -> None:
    """Make every comparison, or what a record file does not hold yet, and print a table for each.

    ``only`` names comparisons.
    """
    with needs_train("the papers' comparisons"):
        from redshank.evaluate.papers import (  # noqa: PLC0415  its detectors need the training extra
            COMPARISONS,
            confusion_tables,
            papers_run,
            papers_tables,
        )
    strange = [key for key in only or () if key not in COMPARISONS]
    if strange:
        raise SettingError(f"--only: no comparison is called {strange[0]!r}; there are: {', '.join(COMPARISONS)}")
    keys = tuple(only or COMPARISONS)
    records: list[Record] = _earlier(record, quick=quick)
    if records:
        notices.print(f"note: {len(records)} results taken from {record}", soft_wrap=True)
    keep = keeper(records, record)
    with working("comparing", quiet=as_json) as advance:
        for one in papers_run(keys, data_root=data_root, quick=quick, done=tuple(records), progress=advance):
            keep(one)
    if as_json:
        print_json({"records": records})
        return
    for table in [*papers_tables(records), *confusion_tables(records, CONFUSION)]:
        print_table(table, form)
        output.print()


def _earlier(record: Path | None, *, quick: bool) -> list[Record]:
    """What the record file holds of an earlier run of the same kind."""
    if record is None or not record.exists():
        return []
    return [one for one in read(record) if one.get("kind") == PAPERS and one["quick"] == quick]
