"""A table as it came, before anything is known of its columns. Needs polars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from redshank.core import InputError
from redshank.data.sniff import MAX_COLUMNS, distinct

READ_ERRORS = (
    pl.exceptions.ComputeError,
    pl.exceptions.InvalidOperationError,
    pl.exceptions.NoDataError,
    pl.exceptions.SchemaError,
    pl.exceptions.ShapeError,
)
"""What polars raises on a file that it cannot make a table of."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Columns of text or of types, with the way back to the file for messages.

    Parameters
    ----------
    source : str
        File name or ``"table"``, the beginning of every message.
    columns : polars.DataFrame
        Names are distinct.
    unnamed : frozenset of str
        Columns that had no name of their own.
    line : callable
        Row number in the file, as a person counts, of a row of ``columns``.
    notes : tuple of str
        What was assumed.
    delimiter : str, default=""
        Between the cells of a text.
    """

    source: str
    columns: pl.DataFrame
    unnamed: frozenset[str]
    line: Callable[[int], int]
    notes: tuple[str, ...] = ()
    delimiter: str = ""

    def at(self, row: int, column: str) -> str:
        """Where a cell is, for the beginning of a message."""
        return f"{self.source}: row {self.line(row)}, column {column!r}"


def typed_table(frame: pl.DataFrame, source: str) -> Table:
    """A table of columns that have types already (Parquet, pandas, polars); rows count from 1."""
    if frame.width > MAX_COLUMNS:
        raise InputError(f"{source}: has {frame.width:,} columns, more than the {MAX_COLUMNS:,} that are read")
    if not frame.height:
        raise InputError(f"{source}: has no rows; at least two rows of readings are needed")
    notes: list[str] = []
    blank = ["" if name.startswith("__index_level_") or name == "None" else name for name in frame.columns]
    names, unnamed = distinct(blank, notes)
    frame = frame.rename(dict(zip(frame.columns, names, strict=True)))
    return Table(source, frame, unnamed, lambda row: row + 1, tuple(notes))
