"""A table that still holds values, and how it is written as Markdown, CSV, LaTeX and plain text."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable
from dataclasses import dataclass

from redshank.core import InputError

_DASH = "\N{EN DASH}"
_DANGEROUS = ("=", "+", "-", "@")
_MARKDOWN = str.maketrans({**{sign: f"\\{sign}" for sign in "\\`*_[]|"}, "<": "&lt;", ">": "&gt;", "&": "&amp;"})
_LATEX = str.maketrans(
    {sign: f"\\{sign}" for sign in "{}$&#_%"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "`": r"\textasciigrave{}"}
    | {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "[": "{[}", "*": "{*}", _DASH: "--"}
)


@dataclass(frozen=True, slots=True)
class Measured:
    """A cell: a value with its interval (NaN where there is none); ``best`` where it stands out by more than luck."""

    value: float
    low: float = math.nan
    high: float = math.nan
    best: bool = False

    def __str__(self) -> str:
        return f"{self.number} {self.bounds}".rstrip()

    @property
    def number(self) -> str:
        """The value to the digits that its interval supports: two of the half width, or three of the value."""
        return _number(self.value, self.high - self.low)

    @property
    def bounds(self) -> str:
        """The interval in brackets; empty where there is none."""
        if math.isnan(self.high - self.low):
            return ""
        low, high = (_number(bound, self.high - self.low) for bound in (self.low, self.high))
        return f"[{low}, {high}]"


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

    def cells(self) -> list[list[str]]:
        """The rows as plain text, for a terminal."""
        return [[_text(value) for value in row] for row in self.rows]

    def markdown(self) -> str:
        """A pipe table between its caption and its notes; names cannot break it or bring in markup."""
        rules = [":---" if own else "---:" for own in self._textual()]
        body = [[_styled(value, _in_markdown, "**", "**") for value in row] for row in self.rows]
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
        rows = [" & ".join(_styled(value, _in_latex, r"\textbf{", "}") for value in row) + r" \\" for row in self.rows]
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

    def _textual(self) -> list[bool]:
        return [any(isinstance(row[place], str) for row in self.rows) for place in range(len(self.columns))]


def _number(value: float, width: float = math.nan) -> str:
    if not math.isfinite(value):
        return _DASH if math.isnan(value) else f"{value:g}"
    size, digits = (width / 2, 1) if width > 0 else (abs(value), 2)
    if size == 0:
        return "0"
    if not 1e-4 <= size < 1e7:
        return f"{value:.2e}"
    places = digits - math.floor(math.log10(size))
    return f"{round(value, places) + 0.0:.{max(places, 0)}f}"


def _text(value: Value) -> str:
    return _number(value) if isinstance(value, float) else str(value)


def _styled(value: Value, escape: Callable[[str], str], before: str, after: str) -> str:
    if isinstance(value, Measured) and value.best:
        bounds = f" {escape(value.bounds)}" if value.bounds else ""
        return before + escape(value.number) + after + bounds
    return escape(_text(value))


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
