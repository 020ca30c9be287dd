"""What the figures made from records share: the names of records, times, lines told apart, square panels with a key."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from redshank.core import InputError
from redshank.core.detector import Array
from redshank.evaluate.pages._canvas import COLOURS, LONGEST_NAME, short, stack, value_axis

Record: TypeAlias = Mapping[str, Any]
"""One line of a file of records, as JSON gives it."""

SERIES = (
    ("contextual", "o"),
    ("point", "s"),
    ("continuous", "^"),
    ("collective", "D"),
    ("attack", "v"),
    ("fault", "P"),
    ("visual", "X"),
)
"""Colour role and marker of the first, second, ... line of a figure; past the last they come again, dashed."""
SQUARE = 352.0
"""Width of a figure with one square panel, in points: two stand side by side on a page."""
MOST_LINES = 14
"""Detectors drawn in one figure, the first ones; baselines are drawn besides."""
KEPT_HEAD = 9
"""Characters that stand before the gap of a name cut in its middle."""
LONGEST_OF_TWO = 24
"""Characters of a key's entry of which two stand beside each other."""
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def seedless(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of the detector; without the seed, which the record names itself, and the window of the measuring."""
    return {name: one for name, one in settings.items() if name not in {"seed", "detector.seed", "window"}}


def differing(records: Sequence[Record]) -> dict[str, list[str]]:
    """By detector the settings in which its records differ."""
    found: dict[str, dict[str, set[str]]] = {}
    for r in records:
        own = found.setdefault(r["detector"], {})
        for name, one in seedless(r["settings"]).items():
            own.setdefault(name, set()).add(json.dumps(one, sort_keys=True))
    return {detector: [name for name, texts in own.items() if len(texts) > 1] for detector, own in found.items()}


def settings_text(record: Record, names: Iterable[str]) -> str:
    """``"penalty=0.01, budget=1 per week"``."""
    given = ((name.removeprefix("detector."), record["settings"].get(name, "default")) for name in names)
    return ", ".join(f"{name}={one if isinstance(one, str) else json.dumps(one)}" for name, one in given)


def names_of(records: Sequence[Record]) -> list[str]:
    """A name for each record: its detector, and settings, data, protocol, fold and seed where these tell them apart.

    Names are cut to what a figure shows, save where that would make two of them one.
    """
    varied = differing(records)
    parts: list[Callable[[Record], str]] = [
        lambda r: str(r["detector"]),
        lambda r: settings_text(r, varied[r["detector"]]),
        lambda r: str(r["data"]["name"]),
        lambda r: str(r["split"]["protocol"]),
        lambda r: f"fold {r['split']['fold']}",
        lambda r: f"seed {r['seed']}",
    ]
    telling = [part for k, part in enumerate(parts) if not k or len({part(r) for r in records}) > 1]
    long = [" ".join(filter(None, (part(r) for part in telling))) for r in records]
    return distinct(long)


def distinct(names: Sequence[str]) -> list[str]:
    """Names cut to what a figure shows; where that makes two of them one, in their middle, or else not at all."""
    for cut in (short, _without_middle):
        shown = [cut(name) for name in names]
        if len(set(shown)) == len(set(names)):
            return shown
    return list(names)


def _without_middle(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[:KEPT_HEAD]}…{name[KEPT_HEAD + 1 - LONGEST_NAME :]}"


def data_of(records: Sequence[Record]) -> str:
    """What a title says of the data: their name, or how many there are."""
    names = list(dict.fromkeys(str((r.get("data") or {}).get("name") or "") for r in records))
    return names[0] if len(names) == 1 else f"{len(names)} data sets"


def titled(title: str, records: Sequence[Record]) -> str:
    """A figure's title with the name of the data."""
    return f"{title}: {name}" if (name := data_of(records)) else title


def instant(text: str) -> int:
    """UTC nanoseconds of an ISO time; one without a zone is UTC.

    Raises
    ------
    InputError
        If the text is no ISO time.
    """
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"time: {text!r} is not ISO; write for example 2026-03-01 or 2026-03-01T08:30Z") from error
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return (when - EPOCH) // timedelta(microseconds=1) * 1000


def value(numbers: Mapping[str, Any] | None, name: str) -> float:
    """A number of a record as float; NaN where it is null or absent."""
    found = (numbers or {}).get(name)
    return math.nan if found is None else float(found)


def numeric(values: Iterable[float | None]) -> Array:
    """Numbers of a record; null is NaN."""
    return np.array([np.nan if value is None else value for value in values], np.float64)


def stroke(place: int) -> dict[str, Any]:
    """How the line in this place looks, as Matplotlib takes it."""
    role, marker = SERIES[place % len(SERIES)]
    dashed = place >= len(SERIES)
    return {
        "color": COLOURS[role],
        "marker": marker,
        "ms": 4.5,
        "mew": 0,
        "lw": 1.5,
        "ls": (0, (4, 2)) if dashed else "-",
    }


def dotted(place: int | None) -> dict[str, Any]:
    """A point without a line; None gives that of a trivial baseline."""
    grey = {} if place is not None else {"color": COLOURS["muted"], "marker": "d"}
    return stroke(place or 0) | {"ls": "", "ms": 5.5} | grey


def power(number: float) -> str:
    """A number in full, or below a thousandth as a power of ten where it is one."""
    decade = math.log10(number) if number > 0 else 0.0
    if decade < -3 and abs(decade - round(decade)) < 1e-9:
        return f"10\N{SUPERSCRIPT MINUS}{str(-round(decade)).translate(SUPERSCRIPTS)}"
    return np.format_float_positional(number, precision=9, trim="-")


def square(labels: Sequence[str], *, above: float = 10.0) -> tuple[Figure, Axes]:
    """A figure with one nearly square panel, and room beneath it for a key with these entries."""
    rows = -(-len(labels) // _columns(labels))
    figure, (axes,) = stack([244.0], left=56.0, above=above, width=SQUARE, beneath=36.0 + 12.5 * rows)
    axes.grid(color=COLOURS["rule"], lw=0.4, alpha=0.35)
    axes.set_axisbelow(True)
    return figure, axes


def _columns(labels: Sequence[str]) -> int:
    return 2 if max(map(len, labels), default=0) <= LONGEST_OF_TWO else 1


def log_axes(axes: Axes, x: tuple[float, float], y: tuple[float, float]) -> None:
    axes.set_xscale("log")
    value_axis(axes, 5, log=True)
    axes.xaxis.set_minor_locator(NullLocator())
    for one in (axes.xaxis, axes.yaxis):
        one.set_major_formatter(lambda value, _: power(value))
    axes.set(xlim=x, ylim=y)


def axis_names(axes: Axes, x_name: str, y_name: str) -> None:
    axes.set_xlabel(x_name, size=8.5, color=COLOURS["ink"], labelpad=4)
    axes.set_ylabel(y_name, size=8.5, color=COLOURS["ink"], labelpad=5)


def key(figure: Figure, handles: Sequence[Line2D]) -> None:
    figure.legend(
        handles=list(handles),
        loc="lower left",
        bbox_to_anchor=(50.0 / SQUARE, 0.0),
        ncols=_columns([str(one.get_label()) for one in handles]),
        frameon=False,
        fontsize=8,
        labelcolor=COLOURS["ink"],
        borderpad=0.1,
        borderaxespad=0.0,
        handlelength=2.2,
        handletextpad=0.5,
        columnspacing=1.4,
        labelspacing=0.35,
    )
