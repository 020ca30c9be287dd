"""Cells to numbers: missing words, decimal commas, true and false. Needs polars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from redshank.core import InputError
from redshank.data.sniff import MISSING
from redshank.data.table import Table

Array = npt.NDArray[np.float64]

TRUTH = {"true": "1", "yes": "1", "on": "1", "false": "0", "no": "0", "off": "0"}
"""Words of switches, in lower case."""

NUMERIC_SHARE = 0.9
"""A column with this share of numbers was meant to be numeric: its other cells are errors, not text."""

_LONGEST_MISSING = max(map(len, MISSING))
_THOUSANDS = r"^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$"
_COMMA_NUMBER = r"^[+-]?\d*,\d+([eE][+-]?\d+)?$"


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """A column as float64 with NaN for missing, and what was assumed to get there."""

    values: Array
    note: str = ""


def present(column: pl.Series) -> pl.Series:
    """Text cells without outer blanks, null where the cell is a word for missing."""
    stripped = column.cast(pl.String).str.strip_chars()
    if not (stripped.str.len_bytes() <= _LONGEST_MISSING).any():
        return stripped
    return stripped.set(stripped.str.to_lowercase().is_in(list(MISSING)), None)


def numbers(table: Table, name: str, decimal: str | None) -> Numbers | None:
    """One column as numbers; None if it is not a column of numbers.

    Raises
    ------
    InputError
        If nearly all cells are numbers and one is not.
    """
    column = table.columns[name]
    if column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.Null):
        return Numbers(_array(column.cast(pl.Float64)))
    if column.dtype not in (pl.String, pl.Categorical, pl.Enum):
        return None
    if decimal != ",":
        plain = column.cast(pl.String).cast(pl.Float64, strict=False)
        if plain.null_count() == column.null_count():
            return Numbers(_array(plain))
    cells = present(column)
    found = _convert(cells, decimal, grouped=table.delimiter == ",")
    known = len(cells) - cells.null_count()
    bad = cells.is_not_null() & found.values.is_null()
    wrong = int(bad.sum())
    if not wrong:
        return Numbers(_array(found.values), found.note)
    if known - wrong >= 2 and wrong <= max(1, (1 - NUMERIC_SHARE) * known):
        row = int(bad.arg_max() or 0)
        raise InputError(
            f"{table.at(row, name)} holds {str(cells[row])[:40]!r}; a number was wanted: mend the cell, "
            f"or leave the column out (--ignore {name!r})"
        )
    return None


@dataclass(frozen=True, slots=True)
class _Converted:
    values: pl.Series
    note: str = ""


def _convert(cells: pl.Series, decimal: str | None, *, grouped: bool) -> _Converted:
    """Try, in this order: numbers as written, commas (of thousands where ``grouped``), words for true and false."""
    if decimal == ",":
        point = cells.str.contains(".", literal=True)
        return _Converted(cells.str.replace(",", ".", literal=True).set(point, "").cast(pl.Float64, strict=False))
    values = cells.cast(pl.Float64, strict=False)
    rest = cells.filter(cells.is_not_null() & values.is_null())
    if not len(rest):
        return _Converted(values)
    if grouped and rest.str.contains(_THOUSANDS).all():
        values = cells.str.replace_all(",", "", literal=True).cast(pl.Float64, strict=False)
        return _Converted(values, "commas are read as marks of thousands")
    comma = int(rest.str.contains(_COMMA_NUMBER).sum()) >= NUMERIC_SHARE * len(rest)
    if decimal is None and comma and not cells.str.contains(".", literal=True).any():
        return _Converted(cells.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False), "decimal comma")
    words = cells.str.to_lowercase()
    truth = words.replace_strict(TRUTH, default=None, return_dtype=pl.String)
    if (
        int(truth.is_not_null().sum())
        and words.filter(truth.is_null()).drop_nulls().is_in(["0", "1", "0.0", "1.0"]).all()
    ):
        return _Converted(truth.fill_null(words).cast(pl.Float64), "true and false are read as 1 and 0")
    return _Converted(values)


def _array(column: pl.Series) -> Array:
    return np.array(column.fill_null(float("nan")).to_numpy(), dtype=np.float64)
