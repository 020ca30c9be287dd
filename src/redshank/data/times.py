"""Time columns: ISO 8601 and its relatives, local forms, numbers since 1970. Needs polars."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from redshank.core import InputError
from redshank.data.cells import NUMERIC_SHARE, present
from redshank.data.options import TIME_UNITS
from redshank.data.table import READ_ERRORS, Table

Nanoseconds = npt.NDArray[np.int64]

YEARS = (1900, 2261)
"""Years a time may lie in: nanoseconds since 1970 in 64 bits end in 2262."""

_SAMPLE = 400
_EPOCH = ((1e8, 1e11, "s"), (1e11, 1e14, "ms"), (1e14, 1e17, "us"), (1e17, 9.3e18, "ns"))
"""Magnitude of times since 1970 in each unit: from 1973 on, and before the next unit's 1973."""

_YEAR_FIRST = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d")
_DAY_FIRST = ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%y", "%d.%m.%y", "%d-%m-%y")
_MONTH_FIRST = ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y", "%m-%d-%y")
_NAMED = ("%d-%b-%Y", "%d %b %Y", "%b %d %Y", "%b %d, %Y", "%d-%b-%y", "%d %B %Y")
_CLOCKS = ("", "%H:%M:%S%.f", "%H:%M", "%I:%M:%S %p", "%I:%M %p", "%H.%M.%S", "%H")
_CLOCK_ONLY = r"^\d{1,2}(:\d{2}(:\d{2}([.,]\d+)?)?|\.\d{2}\.\d{2})$"
_OFFSET = r"(?i)(:\d{2}(?:\.\d+)?)\s*(z|utc|gmt|[+-]\d{2}(?::?\d{2})?)$"


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """A time column in nanoseconds since 1970, UTC.

    Parameters
    ----------
    ns : int64 ndarray of shape (n,)
        Times; where a clock hour comes twice, those of its first pass.
    later_ns : int64 ndarray of shape (n,) or None
        The same for the second pass; None where no hour comes twice.
    naive : bool
        Written without a zone.
    notes : tuple of str
        What was assumed.
    """

    ns: Nanoseconds
    later_ns: Nanoseconds | None
    naive: bool
    notes: tuple[str, ...]


def is_time_text(column: pl.Series) -> bool:
    """Whether a text column holds times, judged by a sample."""
    return _form(_sample(column)) is not None


def has_clock(column: pl.Series) -> bool:
    """Whether the times of a text column say more than the day."""
    return bool(_sample(column).str.contains(r"\d[ Tt_]\d{1,2}|:\d").any())


def is_clock_text(column: pl.Series) -> bool:
    """Whether a text column holds times of day without a date."""
    sample = _sample(column)
    return len(sample) > 0 and bool(sample.str.contains(_CLOCK_ONLY).all())


def epoch_unit(values: npt.NDArray[np.float64]) -> str | None:
    """Unit of numbers that look like times since 1970; None if they are too small or too large for that."""
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    middle = float(np.median(known))
    return next((unit for low, high, unit in _EPOCH if low <= middle < high), None)


def parse(table: Table, name: str, clock: str | None, unit: str | None, zone: str | None) -> Times:
    """A time column (with, where it is apart, the column of the time of day) as UTC nanoseconds.

    Raises
    ------
    InputError
        If a cell is missing or is not a time, or some cells have a zone and others have none.
    """
    column = table.columns[name]
    if isinstance(column.dtype, pl.Datetime | pl.Date):
        return _typed(table, name, column, zone)
    if column.dtype.is_numeric():
        return _numeric(table, name, column, unit)
    cells = present(column)
    if clock is not None:
        of_day = present(table.columns[clock]).str.replace_all(r"^(\d+)\.(\d+)\.", "${1}:${2}:")
        cells = (cells + pl.Series([" "]) + of_day).rename(name)
    _require_all(table, name, cells)
    whole = cells.cast(pl.Int64, strict=False)
    if not whole.null_count() and (unit is not None or _form(_sample(cells)) is None):
        return _numeric(table, name, whole, unit)
    real = cells.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    if whole.null_count() and not real.null_count():
        return _numeric(table, name, real, unit)
    return _text(table, name, cells, zone)


def _require_all(table: Table, name: str, cells: pl.Series) -> None:
    if cells.null_count():
        row = int(cells.is_null().arg_max() or 0)
        raise InputError(f"{table.at(row, name)} is empty; every row needs a time: fill the cell or remove the row")


def _sample(column: pl.Series) -> pl.Series:
    if column.dtype not in (pl.String, pl.Categorical, pl.Enum):
        return pl.Series([], dtype=pl.String)
    step = max(1, len(column) // _SAMPLE)
    return present(column.gather_every(step)).drop_nulls()


@dataclass(frozen=True, slots=True)
class _Form:
    """Patterns of the day and of the clock behind it (empty: there is none)."""

    date: str
    clock: str


def _form(cells: pl.Series) -> _Form | None:
    """The first form that reads a sample but for one cell in ten, or but for one of a few."""
    plain = _plain(cells)
    if not len(plain):
        return None
    for date, clock in itertools.product(_YEAR_FIRST + _DAY_FIRST + _MONTH_FIRST + _NAMED, _CLOCKS):
        form = _Form(date, clock)
        if _read(plain[:1], form).null_count() and _read(plain[-1:], form).null_count():
            continue
        wrong = _read(plain, form).null_count()
        if wrong <= max(1, (1 - NUMERIC_SHARE) * len(plain)) and (len(plain) - wrong >= 2 or not wrong):
            return form
    return None


def _plain(cells: pl.Series) -> pl.Series:
    """Without zone, with a blank between date and time, a point before fractions."""
    for pattern, form in (
        (r"^(\d{4}[-/.]?\d\d[-/.]?\d\d)[Tt_](\d)", "${1} ${2}"),
        (r"^(\d{8})(\d\d)(\d\d)(\d\d)$", "${1} ${2}:${3}:${4}"),
        (_OFFSET, "${1}"),
        (r"(:\d\d),(\d+)$", "${1}.${2}"),
    ):
        if cells.str.contains(pattern).any():
            cells = cells.str.replace(pattern, form)
    return cells


def _read(plain: pl.Series, form: _Form, unit: Literal["us", "ns"] = "us") -> pl.Series:
    """Naive times, null where a cell does not follow the form or lies outside :data:`YEARS`."""
    pattern = f"{form.date} {form.clock}"
    if not form.clock:
        plain, pattern = plain + " 00:00", f"{form.date} %H:%M"
    elif form.clock == "%H":  # polars wants minutes beside hours
        plain, pattern = plain + ":00", f"{form.date} %H:%M"
    read = plain.str.to_datetime(pattern, time_unit="us", strict=False)
    read = read.set(~read.dt.year().is_between(*YEARS), None)
    if unit == "us":
        return read
    return plain.set(read.is_null(), None).str.to_datetime(pattern, time_unit="ns", strict=False)


def _text(table: Table, name: str, cells: pl.Series, zone: str | None) -> Times:
    form = _form(_sample(cells))
    if form is None:
        raise InputError(
            f"{table.at(0, name)} holds {str(cells[0])[:40]!r}; a time such as 2024-01-31 14:05:00 was wanted: "
            "name another column as time, or leave this one out"
        )
    zoned = cells.str.contains(_OFFSET)
    plain = _plain(cells)
    notes: list[str] = []
    unit: Literal["us", "ns"] = "ns" if plain.str.contains(r"\.\d{7}").any() else "us"
    read = _read(plain, form, unit)
    if form.date in _DAY_FIRST and "." not in form.date:
        read, undecided = _day_or_month(plain, form, read, unit)
        if undecided:
            notes.append(f"column {name!r} may be day/month or month/day: read as day/month")
    if read.null_count():
        row = int(read.is_null().arg_max() or 0)
        raise InputError(
            f"{table.at(row, name)} holds {str(cells[row])[:40]!r}; "
            f"a time in the form of the other rows ({cells.filter(read.is_not_null())[0]}) was wanted: "
            "mend the cell or remove the row"
        )
    if zoned.any() and not zoned.all():
        first = bool(zoned[0])
        row = int((zoned != first).arg_max() or 0)
        raise InputError(
            f"{table.at(row, name)} holds {cells[row]!r} {'without' if first else 'with'} a zone, the rows before "
            f"have {'one' if first else 'none'} ({cells[0]!r}); write all times with an offset, or none"
        )
    if zoned.any():
        offset = cells.str.extract(_OFFSET, 2).str.to_lowercase()
        return Times(_ns(read) - _offset_ns(offset), None, naive=False, notes=tuple(notes))
    return _local(table, name, read, zone, tuple(notes))


def _offset_ns(offset: pl.Series) -> Nanoseconds:
    """East of Greenwich, in nanoseconds."""
    sign = pl.select(pl.when(offset.str.starts_with("-")).then(-1).otherwise(1)).to_series()
    hours = offset.str.extract(r"^[+-](\d\d)", 1).cast(pl.Int64).fill_null(0)
    minutes = offset.str.extract(r"^[+-]\d\d:?(\d\d)", 1).cast(pl.Int64).fill_null(0)
    return np.asarray(sign * (hours * 60 + minutes) * 60 * TIME_UNITS["s"], dtype=np.int64)


def _day_or_month(plain: pl.Series, form: _Form, read: pl.Series, unit: Literal["us", "ns"]) -> tuple[pl.Series, bool]:
    """Day before month unless only the other order reads every cell or keeps the times in order; and: is it a guess."""
    swapped = _read(plain, _Form(re.sub(r"^%d(.)%m", r"%m\1%d", form.date), form.clock), unit)
    if read.null_count() != swapped.null_count():
        return (read if read.null_count() < swapped.null_count() else swapped), False
    if swapped.is_sorted() != read.is_sorted():
        return (read if read.is_sorted() else swapped), False
    return read, not bool((read == swapped).all())


def _local(table: Table, name: str, read: pl.Series, zone: str | None, notes: tuple[str, ...]) -> Times:
    if zone is None:
        return Times(_ns(read), None, True, (*notes, f"times in column {name!r} have no zone: read as UTC"))
    try:
        earliest = _in_zone(read, zone, "earliest")
        latest = _in_zone(read, zone, "latest")
    except READ_ERRORS as error:
        raise InputError(f"{table.source}: zone {zone!r} is not known; give a name such as 'Europe/Berlin'") from error
    return Times(earliest, None if (earliest == latest).all() else latest, True, notes)


def _in_zone(read: pl.Series, zone: str, ambiguous: str) -> Nanoseconds:
    """UTC; an hour that the clock skipped is read as if it had not been set forward yet."""
    moved = read.dt.replace_time_zone(zone, ambiguous=ambiguous, non_existent="null")  # type: ignore[arg-type]
    before = read.dt.offset_by("-1h").dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return _ns(moved.fill_null(before.dt.offset_by("1h")))


def _ns(read: pl.Series) -> Nanoseconds:
    factor = {"us": 1_000, "ns": 1, "ms": 1_000_000}[read.dtype.time_unit]  # type: ignore[attr-defined]
    return read.to_physical().to_numpy().astype(np.int64) * factor


def _typed(table: Table, name: str, column: pl.Series, zone: str | None) -> Times:
    _require_all(table, name, column)
    if column.dtype == pl.Date:
        column = column.cast(pl.Datetime("us"))
    outside = ~column.dt.year().is_between(*YEARS)
    if outside.any():
        row = int(outside.arg_max() or 0)
        raise InputError(f"{table.at(row, name)} holds {column[row]}; times must lie between 1900 and 2261")
    if column.dtype.time_zone is not None:  # type: ignore[attr-defined]
        return Times(_ns(column.dt.convert_time_zone("UTC")), None, False, ())
    return _local(table, name, column, zone, ())


def _numeric(table: Table, name: str, column: pl.Series, unit: str | None) -> Times:
    _require_all(table, name, column.fill_nan(None) if column.dtype.is_float() else column)
    values = column.cast(pl.Float64).to_numpy()
    notes: tuple[str, ...] = ()
    if unit is None:
        unit = epoch_unit(values)
        if unit is not None:
            notes = (f"column {name!r} is read as {unit} since 1970",)
    if unit is None:
        match = re.search(r"[_\s(\[](ms|us|ns)[)\]]?$", name)
        unit = match[1] if match else "s"
        notes = (f"column {name!r} holds numbers too small for a date: read as {unit} from the start of 1970",)
    factor = TIME_UNITS[unit]
    beyond = ~(np.abs(values) * factor < np.iinfo(np.int64).max)
    if beyond.any():
        row = int(beyond.argmax())
        raise InputError(f"{table.at(row, name)} holds {values[row]:g}; as {unit} since 1970 that is no usable time")
    if column.dtype.is_integer():
        return Times(column.to_numpy().astype(np.int64) * factor, None, False, notes)
    # A float64 of today's seconds is good to some 0.2 us: round there, and finer only for small numbers.
    grain = 1 if np.abs(values).max() * factor < 1e15 else min(factor, 1_000)
    return Times(np.round(values * (factor / grain)).astype(np.int64) * grain, None, False, notes)
