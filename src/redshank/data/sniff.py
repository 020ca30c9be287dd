"""How a delimited text is laid out: delimiter, header, first row of data. Looks at the beginning only."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass

from redshank.core import InputError
from redshank.data.options import Options

MAX_COLUMNS = 4096
"""Widest table that is read: beyond it a file is almost always transposed or not a table of readings."""

DELIMITERS = (";", "\t", ",", "|", " ")
"""Tried in this order where two explain the text equally well; ' ' stands for any run of blanks."""

MISSING = frozenset({"", "na", "n/a", "null", "nan", "none", "-", "--", "?", "#n/a", "<na>", "nil"})
"""Cells, in lower case, that mean that there was no reading."""

ONE_COLUMN = "\x1f"
"""Delimiter of a text that has none: the unit separator, which no table of readings holds."""

SAMPLE_BYTES = 1 << 20
SAMPLE_ROWS = 200

_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?$")
_TIME = re.compile(r"\d{1,4}[-/.:]\d{1,2}([-/.:]\d{1,4})?([ T].*|Z)?$")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the cells of a delimited text are.

    Parameters
    ----------
    delimiter : str
        Between cells; ``" "`` for any run of blanks.
    names : tuple of str
        One for each column, distinct, never empty.
    unnamed : frozenset of str
        Those that had no header cell of their own.
    body : int
        Byte at which the first row of data begins.
    first_line : int
        Its line in the file, counted from 1.
    notes : tuple of str
        What was assumed.
    """

    delimiter: str
    names: tuple[str, ...]
    unnamed: frozenset[str]
    body: int
    first_line: int
    notes: tuple[str, ...]


def sniff(data: bytes, options: Options, source: str) -> Layout:
    """Find out how a text is laid out; ``options`` overrule.

    Raises
    ------
    InputError
        If there is a header and nothing else, or there are too many columns.
    """
    lead = len(data) - len(data.lstrip(b"\n"))
    lines = _sample(data[lead:])
    delimiter = options.delimiter or _delimiter(lines)
    records = split(lines[:SAMPLE_ROWS], delimiter)
    head, rest = records[0], records[1:]
    width = Counter(len(record) for record in rest or [head]).most_common(1)[0][0]
    if max(width, len(head)) > MAX_COLUMNS:
        raise InputError(
            f"{source}: has {max(width, len(head)):,} columns, more than the {MAX_COLUMNS:,} that are read; "
            "is the table transposed, or in long form without line ends?"
        )
    has_header = options.header if options.header is not None else _is_header(head, rest)
    notes: list[str] = []
    if not has_header:
        names, unnamed = tuple(f"column_{i + 1}" for i in range(width)), frozenset[str]()
        notes.append("no header: columns are called column_1, column_2, ...")
        return Layout(delimiter, names, unnamed, lead, lead + 1, tuple(notes))
    if not rest:
        raise InputError(f"{source}: has a header and no rows; at least two rows of readings are needed")
    if len(head) == width - 1:
        head = ["", *head]
        notes.append("the header has one cell less than the rows: the first column has no name")
    if len(head) != width:
        raise InputError(
            f"{source}: the header has {len(head)} cells, the rows have {width}; "
            "give every column a name, or say that there is no header"
        )
    names, unnamed = distinct(head, notes)
    header_end, header_lines = _header_end(data, lead, delimiter)
    return Layout(delimiter, names, unnamed, header_end, lead + header_lines + 1, tuple(notes))


def split(lines: list[str], delimiter: str) -> list[list[str]]:
    """Cells of each line, outer blanks removed; quotes as in CSV."""
    if delimiter == " ":
        return [re.split(r"[ \t]+", line.replace('"', "").strip(" \t")) for line in lines]
    try:
        records = list(csv.reader(lines, delimiter=delimiter))
    except csv.Error:  # an unclosed quote, or a cell beyond the module's limit: not this delimiter
        return [[line] for line in lines]
    return [[cell.strip() for cell in record] for record in records if record]


def distinct(head: list[str], notes: list[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Names that differ and are not empty, and which of them had no cell of their own."""
    names: list[str] = []
    unnamed = set()
    for i, cell in enumerate(head):
        name = cell.strip() or f"column_{i + 1}"
        if not cell.strip():
            unnamed.add(name)
        if name in names:
            again = next(f"{name}_{n}" for n in range(2, len(head) + 2) if f"{name}_{n}" not in names + head)
            notes.append(f"two columns are called {name!r}: the later one is read as {again!r}")
            name = again
        names.append(name)
    return tuple(names), frozenset(unnamed)


def is_number(cell: str) -> bool:
    """Whether a cell is a number, with a decimal point or comma."""
    return _NUMBER.match(cell) is not None


def _sample(data: bytes) -> list[str]:
    piece = data[:SAMPLE_BYTES]
    if len(piece) < len(data) and b"\n" in piece:
        piece = piece[: piece.rindex(b"\n")]
    lines = piece.decode(errors="ignore").split("\n", maxsplit=SAMPLE_ROWS * 5)
    return [line for line in lines[: SAMPLE_ROWS * 5] if line.strip(" \t")]


def _delimiter(lines: list[str]) -> str:
    def merit(delimiter: str) -> tuple[bool, float, bool, int]:
        head, *rest = split(lines[:SAMPLE_ROWS], delimiter)
        rows = rest or [head]
        width, often = Counter(map(len, rows)).most_common(1)[0]
        typed = sum(_is_typed(cell) for row in rows for cell in row) / max(1, sum(map(len, rows)))
        return (
            len(head) > 1 and width > 1 and often >= 0.9 * len(rows),
            round(typed, 2),
            len(head) in (width, width - 1),
            -DELIMITERS.index(delimiter),
        )

    best = max(DELIMITERS, key=merit)
    if merit(best)[0]:
        return best
    likely = max(DELIMITERS, key=lambda delimiter: (lines[0].count(delimiter), -DELIMITERS.index(delimiter)))
    return likely if likely in lines[0] and likely != " " else ONE_COLUMN


def _is_typed(cell: str) -> bool:
    return is_number(cell) or cell.lower() in MISSING or _TIME.match(cell) is not None


def _is_header(head: list[str], rest: list[list[str]]) -> bool:
    """A header has words where the rows below have numbers or times, or nothing but words."""
    words = [i for i, cell in enumerate(head) if not _is_typed(cell)]
    if not words:
        return False
    if not any(_is_typed(cell) and cell for cell in head):
        return True
    offset = 1 if rest and len(rest[0]) == len(head) + 1 else 0
    return any(all(_is_typed(row[i + offset]) for row in rest[:20] if len(row) > i + offset) for i in words if rest)


def _header_end(data: bytes, lead: int, delimiter: str) -> tuple[int, int]:
    """Byte behind the header, and its lines: a quoted cell may hold line ends."""
    if delimiter == " ":
        return data.index(b"\n", lead) + 1, 1
    reader = csv.reader(io.StringIO(data[lead : lead + SAMPLE_BYTES].decode(errors="ignore")), delimiter=delimiter)
    next(reader)
    end = lead
    for _ in range(reader.line_num):
        end = data.index(b"\n", end) + 1
    return end, reader.line_num
