"""Delimited text and JSON lines to a table. Needs polars."""

from __future__ import annotations

import csv
import io
import json
import re

import polars as pl

from redshank.core import InputError
from redshank.data.sniff import MAX_COLUMNS, Layout
from redshank.data.table import READ_ERRORS, Table


def delimited(data: bytes, layout: Layout, source: str) -> Table:
    """All cells as text, null where empty.

    Raises
    ------
    InputError
        If there are no rows, or rows of differing width.
    """
    begin, end = layout.body, len(data)
    while end > begin and data[end - 1] == ord("\n"):
        end -= 1
    while begin < end and data[begin] == ord("\n"):
        begin += 1
    body = data[begin:end]
    width, delimiter = len(layout.names), layout.delimiter
    if not body:
        raise InputError(f"{source}: has a header and no rows; at least two rows of readings are needed")
    if delimiter == " ":
        body = re.sub(rb"[ \t]*\n[ \t]*", b"\n", re.sub(rb"[ \t]+", b" ", body)).strip(b" ")
    if b"\n\n" in body:
        body = re.sub(rb"\n{2,}", b"\n", body)
    try:
        columns = pl.read_csv(
            body,
            has_header=False,
            separator=delimiter,
            schema=dict.fromkeys(layout.names, pl.String),
            quote_char='"' if b'"' in body else None,
        )
    except READ_ERRORS as error:
        _check_width(data, layout, source, strict=True)
        reason = str(error).partition("\n")[0]
        raise InputError(f"{source}: cannot be read as a table ({reason}); check its quotes and delimiter") from error
    cells = body.count(delimiter.encode()) + body.count(b"\n") + 1
    if cells != width * columns.height:
        _check_width(data, layout, source, strict=False)
    return Table(source, columns, layout.unnamed, lambda row: _line(data, layout, row), layout.notes, delimiter)


def json_lines(data: bytes, source: str) -> Table:
    """One object a line; keys become columns, in the order of their first appearance.

    Raises
    ------
    InputError
        If a line is not an object.
    """
    try:
        columns = pl.read_ndjson(data, infer_schema_length=None)
    except READ_ERRORS:
        columns = _objects(data, source)  # slower and more patient: names the line, takes NaN and mixed types
    if columns.width > MAX_COLUMNS:
        raise InputError(f"{source}: has {columns.width:,} keys, more than the {MAX_COLUMNS:,} that are read")
    lines = [i for i, line in enumerate(data.split(b"\n")) if line.strip()] if b"\n\n" in data else None
    return Table(source, columns, frozenset(), lambda row: (lines[row] if lines else row) + 1)


def _objects(data: bytes, source: str) -> pl.DataFrame:
    cells: dict[str, list[str | None]] = {}
    rows = 0
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError(f"{source}: row {number} is not JSON ({error.msg}); write one object a line") from error
        if not isinstance(record, dict):
            raise InputError(f"{source}: row {number} is a JSON {type(record).__name__}; write one object a line")
        for key, cell in record.items():
            plain = None if cell is None else cell if isinstance(cell, str) else json.dumps(cell)
            cells.setdefault(key, [None] * rows).append(plain)
        rows += 1
        for column in cells.values():
            if len(column) < rows:
                column.append(None)
    return pl.DataFrame(cells, schema=dict.fromkeys(cells, pl.String))


def _check_width(data: bytes, layout: Layout, source: str, *, strict: bool) -> None:
    """Look at row after row for the first of another width; slow, and only run when one is suspected.

    ``strict`` also finds quotes that are never closed.
    """
    width = len(layout.names)
    body = data[layout.body :].decode()
    if layout.delimiter == " ":
        for number, line in enumerate(body.split("\n"), start=layout.first_line):
            cells = len(line.split())
            if cells not in (0, width):
                raise _ragged(source, number, cells, width)
        return
    reader = csv.reader(io.StringIO(body), delimiter=layout.delimiter, strict=strict)
    begins = layout.first_line
    try:
        for record in reader:
            if record and len(record) != width:
                raise _ragged(source, begins, len(record), width)
            begins = reader.line_num + layout.first_line
    except csv.Error as error:
        raise InputError(f"{source}: row {begins} cannot be split into cells ({error}); check its quotes") from error


def _ragged(source: str, row: int, cells: int, width: int) -> InputError:
    return InputError(
        f"{source}: row {row} has {cells} {'cell' if cells == 1 else 'cells'}, the table has {width} columns; "
        "mend the row, or give the delimiter"
    )


def _line(data: bytes, layout: Layout, row: int) -> int:
    """Line of the file on which a row of data begins; blank lines and quoted line ends counted."""
    body = data[layout.body :].decode()
    if layout.delimiter == " " or '"' not in body:
        filled = (i for i, line in enumerate(body.split("\n")) if line.strip())
        return next(i for k, i in enumerate(filled) if k == row) + layout.first_line
    reader = csv.reader(io.StringIO(body), delimiter=layout.delimiter)
    begins, at = 0, 0
    for record in reader:
        if record:
            if at == row:
                break
            at += 1
        begins = reader.line_num
    return begins + layout.first_line
