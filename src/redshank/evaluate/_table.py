"""A table that still holds values, and how it is written as Markdown, CSV, LaTeX and plain text."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable
from dataclasses import dataclass

from redshank.core import InputError
from redshank.evaluate._digits import DASH, column_places, texts

MARK = "\N{DAGGER}"
"""Follows a value that stands on fewer series or folds than others of its column."""
_DANGEROUS = ("=", "+", "-", "@")
_MARKDOWN = str.maketrans({**{sign: f"\\{sign}" for sign in "\\`*_[]|"}, "<": "&lt;", ">": "&gt;", "&": "&amp;"})
_LATEX = str.maketrans(
    {sign: f"\\{sign}" for sign in "{}$&#_%"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "`": r"\textasciigrave{}"}
    | {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "[": "{[}", "*": "{*}", DASH: "--"}
    | {MARK: r"\textdagger{}"}
)


@dataclass(frozen=True, slots=True)
class Measured:
    """A cell: a value with its interval (NaN where there is none).

    ``best`` where it stands out by more than luck; ``partial`` where it stands on fewer series or folds than others.
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    best: bool = False
    partial: bool = False

    def __str__(self) -> str:
        return f"{self.number} {self.bounds}".rstrip()

    @property
    def number(self) -> str:
        """The value by itself, to the digits that its interval supports."""
        return self.parts()[0]

    @property
    def bounds(self) -> str:
        """The interval in brackets; empty where there is none."""
        return self.parts()[1]

    def parts(self, places: int | None = None) -> tuple[str, str]:
        """Number and bounds as :func:`~redshank.evaluate._digits.texts` writes them, with ``places`` of the column."""
        number, low, high = texts(self.value, self.low, self.high, places)
        return number + MARK * self.partial, f"[{low}, {high}]" if low else ""


Value = str | int | float | Measured


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows that are still values, and what must be read with them.

    Parameters
    ----------
    columns : tuple of str
        Headings.
    rows : tuple of tuple of str, int, float or Measured
        One entry a column; NaN is shown as an en dash.
    caption : str
        What the table holds.
    notes : tuple of str, default=()
        What the numbers stand on; no table should be shown without them.
    breaks : tuple of int, default=()
        Rows before which a rule stands.

    Raises
    ------
    InputError
        If a row has another number of entries than there are columns.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    caption: str
    notes: tuple[str, ...] = ()
    breaks: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for place, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise InputError(f"table: row {place} has {len(row)} entries for {len(self.columns)} columns")

    def parts(self) -> list[list[tuple[str, str]]]:
        """Each entry as its text and its bounds in brackets; numbers of a column have the same decimals.

        More only where a number would lose its second digit, fewer where its interval does not support them.
        """
        columns = zip(*self.rows, strict=True) if self.rows else ()
        places = [column_places(cell for value in column for cell in _cell(value)) for column in columns]
        return [[_parts(value, own) for value, own in zip(row, places, strict=True)] for row in self.rows]

    def cells(self) -> list[list[str]]:
        """The rows as plain text, for a terminal."""
        return [[" ".join(parts).rstrip() for parts in row] for row in self.parts()]

    def markdown(self) -> str:
        """A pipe table between its caption and its notes; names cannot break it or bring in markup."""
        rules = [":---" if own else "---:" for own in self._textual()]
        body = self._styled(_in_markdown, "**", "**")
        lines = [f"| {' | '.join(row)} |" for row in [[_in_markdown(name) for name in self.columns], rules, *body]]
        notes = [f"- {_in_markdown(note)}" for note in self.notes]
        return "\n".join([f"**{_in_markdown(self.caption)}**", "", *lines, *([""] if notes else []), *notes]) + "\n"

    def csv(self) -> str:
        """Headings and rows; an interval stands in two columns of its own, NaN is empty, numbers keep all digits.

        Caption and notes are left out. Texts that a spreadsheet would run as a formula begin with an apostrophe.
        """
        columns = zip(*self.rows, strict=True) if self.rows else [()] * len(self.columns)
        wide = [any(isinstance(value, Measured) and value.bounds for value in column) for column in columns]
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(
            _guarded(heading)
            for name, own in zip(self.columns, wide, strict=True)
            for heading in ([name, f"{name} low", f"{name} high"] if own else [name])
        )
        for row in self.rows:
            writer.writerow(entry for value, own in zip(row, wide, strict=True) for entry in _in_csv(value, wide=own))
        return stream.getvalue()

    def latex(self) -> str:
        r"""A ``table`` for the ``booktabs`` package; every text is escaped."""
        rows = [" & ".join(row) + r" \\" for row in self._styled(_in_latex, r"\textbf{", "}")]
        for place in sorted(self.breaks, reverse=True):
            rows.insert(place, r"\midrule")
        lines = [r"\begin{table}", r"\centering", r"\caption{" + _in_latex(self.caption) + "}"]
        lines += [r"\begin{tabular}{" + "".join("l" if own else "r" for own in self._textual()) + "}", r"\toprule"]
        lines += [
            " & ".join(map(_in_latex, self.columns)) + r" \\",
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
        ]
        lines += [r"\par{\footnotesize " + _in_latex(note) + r"\par}" for note in self.notes]
        return "\n".join([*lines, r"\end{table}"]) + "\n"

    def _styled(self, escape: Callable[[str], str], before: str, after: str) -> list[list[str]]:
        """The rows escaped, what stands out between ``before`` and ``after``."""

        def styled(value: Value, parts: tuple[str, str]) -> str:
            number, bounds = map(escape, parts)
            stands_out = isinstance(value, Measured) and value.best
            return f"{before}{number}{after} {bounds}".rstrip() if stands_out else f"{number} {bounds}".rstrip()

        return [
            [styled(value, parts) for value, parts in zip(row, own, strict=True)]
            for row, own in zip(self.rows, self.parts(), strict=True)
        ]

    def _textual(self) -> list[bool]:
        return [any(isinstance(row[place], str) for row in self.rows) for place in range(len(self.columns))]


def _cell(value: Value) -> list[tuple[float, float, float]]:
    """What a value says of the decimals of its column."""
    if isinstance(value, Measured):
        return [(value.value, value.low, value.high)]
    return [(value, math.nan, math.nan)] if isinstance(value, float) else []


def _parts(value: Value, places: int | None) -> tuple[str, str]:
    if isinstance(value, Measured):
        return value.parts(places)
    return texts(value, places=places)[0] if isinstance(value, float) else str(value), ""


def _in_markdown(text: str) -> str:
    return " ".join(text.split()).translate(_MARKDOWN)


def _in_latex(text: str) -> str:
    return " ".join(text.split()).translate(_LATEX)


def _in_csv(value: Value, *, wide: bool) -> list[str]:
    if isinstance(value, Measured):
        return [_digits(one) for one in ((value.value, value.low, value.high) if wide else (value.value,))]
    own = _guarded(value) if isinstance(value, str) else _digits(value)
    return [own, "", ""] if wide else [own]


def _digits(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    return "" if math.isnan(value) else repr(float(value))


def _guarded(text: str) -> str:
    line = " ".join(text.split())
    return f"'{line}" if line.startswith(_DANGEROUS) else line
