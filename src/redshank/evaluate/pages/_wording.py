"""How a report says numbers, counts and names in plain words, and without the folders of a machine."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from markupsafe import Markup

from redshank.evaluate.intervals import Interval
from redshank.evaluate.pages._page import ABSENT
from redshank.incidents import duration, number


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


def delay(seconds: float) -> str:
    return duration(seconds) if seconds > 0 else "at once"


def interval_text(interval: Interval | None, of: Callable[[float], str]) -> str:
    if interval is None or not math.isfinite(interval.low):
        return ABSENT
    return f"{of(interval.low)} to {of(interval.high)}"
