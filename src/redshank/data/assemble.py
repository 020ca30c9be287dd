"""A table and the parts of its columns to readings. Needs polars."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from redshank.core import LARGEST, Channel, Frame, InputError, Schema
from redshank.core.classifier import ANOMALY, NORMAL
from redshank.data import roles as parts
from redshank.data.cells import numbers, present
from redshank.data.dataset import Dataset, labels_of
from redshank.data.options import Options, Order
from redshank.data.order import in_order, second_pass
from redshank.data.roles import Roles, assign
from redshank.data.sniff import MAX_COLUMNS
from redshank.data.table import Table
from redshank.data.times import Times, parse

NORMAL_WORDS = ("normal", "benign", "ok", "good", "healthy", "no", "none", "false", "-")
"""Label cells, in lower case, that mean a normal row; so does 0."""

_UNIT = re.compile(r"^(?P<name>.*\S)\s*[(\[]\s*(?P<unit>[^()\[\]]{1,12}?)\s*[)\]]$")
_LISTED = 5


@dataclass(frozen=True, slots=True, eq=False)
class _Keys:
    """Device and time of each row, and what had to be assumed."""

    devices: tuple[str, ...]
    device: npt.NDArray[np.int32]
    times: Times
    notes: tuple[str, ...]


def assemble(table: Table, options: Options, name: str) -> Dataset:
    """Readings of a table.

    Raises
    ------
    InputError
        If the table cannot be used as it came; the text names row and column.
    """
    rows = table.columns.height
    if rows < 2:
        raise InputError(f"{table.source}: has one row of readings; at least two are needed")
    roles = assign(table, options)
    keys = _keys(table, roles, options)
    kinds, label_notes = (None, ()) if roles.label is None else label_kinds(table, roles.label)
    given = (*table.notes, *roles.notes, *keys.notes)
    build = _long if roles.metric is not None else _wide
    dataset = build(table, roles, keys, kinds, options)
    if dataset.kinds is not None:
        y = (dataset.kinds != NORMAL).astype(np.int8)
        named = not np.isin(dataset.kinds, (NORMAL, ANOMALY)).all()
        labels = labels_of(dataset.frame, y, kinds=dataset.kinds if named else None)
        dataset = replace(dataset, y=y, labels=labels, kinds=dataset.kinds if named else None)
    missing = int(np.isnan(dataset.frame.values).sum())
    return replace(
        dataset,
        name=name,
        notes=(*given, *label_notes, *dataset.notes),
        ledger={"rows read": rows, **dataset.ledger, "rows kept": len(dataset.frame), "missing cells": missing},
    )


def channel(name: str) -> Channel:
    """A channel of a column name, with the unit that stands behind it in brackets."""
    found = _UNIT.match(name)
    return Channel(found["name"], found["unit"]) if found else Channel(name)


def _keys(table: Table, roles: Roles, options: Options) -> _Keys:
    rows = table.columns.height
    devices: tuple[str, ...] = ("device",)
    device = np.zeros(rows, np.int32)
    if roles.device is not None:
        devices, device = _codes(table, roles.device, "a device")
    if roles.time is None:
        nth = np.zeros(rows, np.int64)
        metric = _codes(table, roles.metric, "a metric")[1] if roles.metric is not None else np.zeros(rows, np.int32)
        by_series = np.lexsort((metric, device))
        starts = np.flatnonzero(np.diff(device[by_series]) | np.diff(metric[by_series])) + 1
        nth[by_series] = np.concatenate([np.arange(len(part)) for part in np.split(by_series, starts)])
        note = "no time column: rows are taken to be one second apart"
        return _Keys(devices, device, Times(nth * 1_000_000_000, None, naive=False, notes=()), (note,))
    times = parse(table, roles.time, roles.clock, options.time_unit, options.zone)
    if times.later_ns is not None:
        times = replace(times, ns=second_pass(times.ns, times.later_ns, device))
    return _Keys(devices, device, times, times.notes)


def _codes(table: Table, name: str, what: str) -> tuple[tuple[str, ...], npt.NDArray[np.int32]]:
    """Names in the order of their first appearance, and the index of each row's name among them."""
    cells = present(table.columns[name])
    if cells.null_count():
        row = int(cells.is_null().arg_max() or 0)
        raise InputError(f"{table.at(row, name)} is empty; every row needs the name of {what}: fill it in")
    names = cells.unique(maintain_order=True)
    codes = cells.replace_strict(names, pl.Series(range(len(names)), dtype=pl.Int32), return_dtype=pl.Int32)
    return tuple(names.to_list()), codes.to_numpy()


def label_kinds(table: Table, name: str) -> tuple[npt.NDArray[np.str_], tuple[str, ...]]:
    """A label column as ``"normal"`` or the name of what is wrong, by row, and what was assumed.

    Names are as they stand in the cells; where the column only says whether (1, true), it is ``"anomaly"``.

    Raises
    ------
    InputError
        If there are several kinds of rows and none is normal.
    """
    column = table.columns[name]
    cells = column.cast(pl.Int8) if column.dtype == pl.Boolean else column
    written = cells.cast(pl.String).str.strip_chars()
    words = written.str.to_lowercase()
    empty = words.is_null() | words.is_in(["", "nan", "null", "na"])
    zero = words.cast(pl.Float64, strict=False) == 0
    normal = (zero.fill_null(False) | words.is_in(list(NORMAL_WORDS)).fill_null(False)) | empty
    other = words.filter(~normal).unique().sort()
    if len(other) > 1 and not (normal & ~empty).any():
        seen = ", ".join(map(repr, other[:_LISTED]))
        raise InputError(
            f"{table.source}: label column {name!r} holds {seen} and marks no row as normal; write 0 for normal rows"
        )
    notes = [f"column {name!r} is the label: never an input; learned from only by detectors that need labels"]
    told = other.to_list() not in (["1"], ["1.0"], ["true"])
    if len(other) and told:
        notes.append(f"label {name!r}: {', '.join(other[:_LISTED])}{', ...' * (len(other) > _LISTED)} mean anomalous")
    if empty.any():
        notes.append(f"label {name!r} is empty in {int(empty.sum())} rows: counted as normal")
    odd = (~normal).to_numpy()
    kinds = np.where(odd, written.fill_null("").to_numpy().astype(np.str_) if told else ANOMALY, NORMAL)
    return kinds.astype(np.str_), tuple(notes)


def _wide(table: Table, roles: Roles, keys: _Keys, kinds: npt.NDArray[np.str_] | None, options: Options) -> Dataset:
    names, columns, notes = [], [], []
    texts = []
    for name in roles.rest:
        found = numbers(table, name, options.decimal)
        if found is None:
            texts.append(name)
        elif name in table.unnamed and np.isnan(found.values).all():
            continue  # rows that end in a delimiter
        elif parts.is_counter(table, name, found.values) and len(roles.rest) > 1:
            notes.append(f"column {name!r} only numbers the rows: left out")
        else:
            _check_size(table, name, found.values)
            names.append(name)
            columns.append(found.values.astype(np.float32))
            notes += [f"column {name!r}: {found.note}"] if found.note else []
            if np.isnan(columns[-1]).all():
                notes.append(f"column {name!r} is empty in all rows")
    for name in texts:
        what = "text" if table.columns[name].dtype in (pl.String, pl.Categorical, pl.Enum) else "no number"
        notes.append(f"column {name!r} is {what}: left out")
    if not columns or all(np.isnan(column).all() for column in columns):
        seen = ", ".join(map(repr, table.columns.columns[:_LISTED]))
        raise InputError(f"{table.source}: no column of numbers among {seen}; readings must be numbers")
    values = np.column_stack(columns)
    ordered = in_order(
        keys.times.ns,
        keys.device,
        order=options.order,
        naive=keys.times.naive,
        where=lambda row: _where(table, roles, row),
        name=lambda row: f" of {keys.devices[keys.device[row]]!r}" if roles.device is not None else "",
    )
    notes += ordered.notes
    frame = Frame(_schema(names), keys.devices, keys.device, keys.times.ns, values)
    if ordered.rows is not None:
        frame = frame.take(ordered.rows)
        kinds = kinds[ordered.rows] if kinds is not None else None
    return Dataset("", frame, notes=tuple(notes), ledger=_dropped(ordered.dropped), kinds=kinds)


def _long(table: Table, roles: Roles, keys: _Keys, kinds: npt.NDArray[np.str_] | None, options: Options) -> Dataset:
    """One row a metric to one row a device and time, device after device, oldest first."""
    if options.order is Order.KEEP:
        raise InputError(f"{table.source}: rows in long form cannot be kept as they are; they become wide")
    metric, value = str(roles.metric), str(roles.value)
    metrics, code = _codes(table, metric, "a metric")
    if len(metrics) > MAX_COLUMNS:
        raise InputError(
            f"{table.source}: column {metric!r} names {len(metrics):,} metrics, more than the {MAX_COLUMNS:,} "
            "that are read; is it the right column?"
        )
    found = numbers(table, value, options.decimal)
    if found is None:
        raise InputError(f"{table.source}: column {value!r} is to hold the values, but holds text; name another")
    _check_size(table, value, found.values)
    series = (keys.device * np.int64(len(metrics)) + code).astype(np.int32)
    ordered = in_order(
        keys.times.ns,
        series,
        order=options.order,
        naive=keys.times.naive,
        where=lambda row: _where(table, roles, row),
        name=lambda row: f" of {metrics[code[row]]!r} of {keys.devices[keys.device[row]]!r}",
    )
    rows = ordered.rows if ordered.rows is not None else np.arange(len(series))
    device, times = keys.device[rows], keys.times.ns[rows]
    order = np.lexsort((times, device))
    new = np.ones(len(order), bool)
    new[1:] = (np.diff(device[order]) != 0) | (np.diff(times[order]) != 0)
    group = np.empty(len(order), np.intp)
    group[order] = np.cumsum(new) - 1
    first = order[new]
    values = np.full((len(first), len(metrics)), np.nan, np.float32)
    values[group, code[rows]] = found.values[rows]
    marked = None
    if kinds is not None:
        # Of the metrics of one row an anomalous one counts; of several names the last in the alphabet.
        names, place = np.unique(np.append(kinds[rows], NORMAL), return_inverse=True)
        rank = np.where(names == NORMAL, -1, np.arange(len(names)))[place[:-1]]
        best = np.full(len(first), -1)
        np.maximum.at(best, group, rank)
        marked = np.where(best < 0, NORMAL, names[best])
    schema = _schema(list(metrics))
    if roles.unit is not None:
        units = present(table.columns[roles.unit]).fill_null("")
        firsts = [int(np.argmax(code == i)) for i in range(len(metrics))]
        named = zip(schema.channels, firsts, strict=True)
        schema = Schema(tuple(Channel(channel.name, str(units[row]) or channel.unit) for channel, row in named))
    notes = [f"long form: {len(metrics)} metrics of column {metric!r} become channels"]
    notes += [f"column {value!r}: {found.note}"] if found.note else []
    frame = Frame(schema, keys.devices, device[first], times[first], values)
    ledger = _dropped(ordered.dropped)
    return Dataset("", frame, notes=(*notes, *ordered.notes), ledger=ledger, kinds=marked)


def _dropped(count: int) -> dict[str, int]:
    return {"repeated times dropped": count}


def _schema(names: list[str]) -> Schema:
    """Channels with units taken out of the names, unless names would no longer differ."""
    channels = [channel(name) for name in names]
    bare = [one.name for one in channels]
    return Schema(
        tuple(one if bare.count(one.name) == 1 else Channel(name) for one, name in zip(channels, names, strict=True))
    )


def _where(table: Table, roles: Roles, row: int) -> str:
    if roles.time is None:
        return f"{table.source}: row {table.line(row)}"
    return f"{table.at(row, roles.time)}"


def _check_size(table: Table, name: str, values: npt.NDArray[np.float64]) -> None:
    beyond = np.abs(values) > LARGEST
    if beyond.any():
        row = int(beyond.argmax())
        raise InputError(
            f"{table.at(row, name)} holds {table.columns[name][row]}; readings must be finite and below {LARGEST:.3g}: "
            f"mend the cell (leave it empty for missing), or leave the column out (--ignore {name!r})"
        )
