"""How a report says numbers, counts and names in plain words, and without the folders of a machine."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup

from redshank.evaluate.intervals import Interval
from redshank.evaluate.pages._page import ABSENT
from redshank.evaluate.pages._plots import instant
from redshank.incidents import duration, moment, number

WEEK_S = 604_800.0
LEAST_WEEKS = 0.1
"""Weeks below which a time is better told by the clock."""
WRITTEN_MOMENT = re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?\b")


def percent(share: float) -> str:
    """A share as a person writes it; a dash where there is none."""
    if not math.isfinite(share):
        return ABSENT
    part = 100.0 * share
    return f"{part:.0f} %" if 10 <= part <= 99 or part in (0, 100) else f"{part:.{3 if part > 99 else 2}g} %"


def bare(text: str) -> str:
    """A text without the folders of a machine: of each path only the last part stays."""
    text = re.sub(
        r"""(['"])(?:[A-Za-z]:)?(?:~|\.{1,2})?[\\/][^'"]*[\\/]([^\\/'"]+)\1""", r"\1\2\1", text
    )  # may hold blanks
    return re.sub(r"(?<![\w:/\\.])(?:[A-Za-z]:)?(?:~|\.{1,2})?[\\/](?:[^\s\\/'\"]+[\\/])*(?=[^\s\\/'\"])", "", text)


def css_text(text: str) -> Markup:
    """A text as the inside of a CSS string: every character that is no plain letter or digit by its number."""
    plain = "".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):06x}" for c in " ".join(text.split()))
    return Markup(plain)  # noqa: S704 - letters, digits and backslashes only


def counted(count: int, noun: str) -> str:
    """``"1 device"``, ``"3 devices"``, ``"2 known anomalies"``."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"


def was(count: int) -> str:
    return "was" if count == 1 else "were"


def first_up(text: str) -> str:
    return text[:1].upper() + text[1:]


def two_digits(rate: float) -> str:
    return number(float(f"{rate:.2g}"))


def exposure(weeks: float, unit: str = "device-weeks") -> str:
    """Time judged, all devices together: below a tenth of a week by the clock."""
    return f"{number(round(weeks, 2))} {unit}" if weeks >= LEAST_WEEKS else duration(weeks * WEEK_S)


class Clock:
    """How a report tells moments and lengths of time: by the clock, or by row where the times were only assumed.

    ``data`` is the section of that name of a record.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.assumed = data.get("clock") == "assumed" and bool(data["interval_s"]) and bool(data["start"])
        self._data = data

    @property
    def start_ns(self) -> int:
        """First moment of the data."""
        return instant(self._data["start"])

    @property
    def interval_s(self) -> float:
        return float(self._data["interval_s"])

    def row(self, time_ns: int) -> int:
        """Number of the row, counted from 1, that is taken to be of this time."""
        return round((time_ns - self.start_ns) / 1e9 / self.interval_s) + 1

    def when(self, time_ns: int) -> str:
        return f"row {self.row(time_ns):,}" if self.assumed else moment(time_ns)

    def long(self, seconds: float) -> str:
        """A length of time; nothing as ``"at once"``."""
        if seconds <= 0:
            return "at once"
        return counted(max(round(seconds / self.interval_s), 1), "reading") if self.assumed else duration(seconds)

    def retold(self, text: str) -> str:
        """A sentence whose dates are told by row where they were only assumed."""
        if not self.assumed:
            return text
        return WRITTEN_MOMENT.sub(lambda found: self.when(instant(found[0])), text)


def interval_text(interval: Interval | None, of: Callable[[float], str]) -> str:
    if interval is None or not math.isfinite(interval.low):
        return ABSENT
    return f"{of(interval.low)} to {of(interval.high)}"
