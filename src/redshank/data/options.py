"""How a table is to be read, where it is not to be found by itself."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from redshank.core import InputError, SettingError

TIME_UNITS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
"""Nanoseconds in each unit that a time column may count in."""


class Order(StrEnum):
    """What becomes of rows whose time goes back or repeats."""

    CHECK = "check"
    SORT = "sort"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of :func:`redshank.data.read`; None means: find it out."""

    time: str | None = None
    device: str | None = None
    metric: str | None = None
    value: str | None = None
    label: str | None = None
    ignore: tuple[str, ...] = ()
    delimiter: str | None = None
    decimal: str | None = None
    header: bool | None = None
    time_unit: str | None = None
    zone: str | None = None
    order: Order = Order.CHECK

    def __post_init__(self) -> None:
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\n\r'):
            raise SettingError(
                f"delimiter is {self.delimiter!r}; it must be one character, such as ';' (' ' for blanks)"
            )
        if self.decimal not in (None, ".", ","):
            raise SettingError(f"decimal is {self.decimal!r}; it must be '.' or ','")
        if self.time_unit is not None and self.time_unit not in TIME_UNITS:
            raise SettingError(f"time_unit is {self.time_unit!r}; it must be one of {', '.join(TIME_UNITS)}")


def pick(asked: str, columns: Sequence[str], option: str, source: str) -> str:
    """The column that a user means by ``asked``: its header cell, or that without unit, case and outer blanks.

    Raises
    ------
    InputError
        If there is no such column; the nearest is offered.
    """
    if asked in columns:
        return asked
    for form in (str.strip, _bare, lambda name: _bare(name).casefold()):
        matches = [column for column in columns if form(column) == form(asked)]
        if len(matches) == 1:
            return matches[0]
    near = difflib.get_close_matches(asked, columns, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(map(repr, columns[:20]))}"
    raise InputError(f"{source}: no column is called {asked!r} ({option}); {hint}")


def _bare(name: str) -> str:
    return re.split(r"[(\[]", name, maxsplit=1)[0].strip()
