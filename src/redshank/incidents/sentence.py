"""One plain sentence for an incident: what, since when, expected against seen, what follows, what it looks like."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from redshank.core import Kind, Reading

FOLLOWS = 0.15
"""Share of the score from which a second channel is worth a word."""
MOST_NAMES = 3
"""Names written out before "and N more"."""


DOING = {
    "clock": "clock wrong",
    "cadence": "reports at another rate",
    "unit": "in another unit",
    "replay": "sent again",
    "noise": "noisy",
    "spike": "spiky",
}
"""What a channel does, where the name of the cause would read oddly behind it."""


def number(value: float) -> str:
    """A number as a person writes it: three or four significant digits, no exponent in the usual range."""
    if not math.isfinite(value):
        return "nothing"
    if value == 0.0:
        return "0"
    size = abs(value)
    if not 1e-4 <= size < 1e7:
        return f"{value:.3g}"
    digits = max(0, 2 - math.floor(math.log10(size)))
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def duration(seconds: float) -> str:
    """``"2 h 10 min"``: the two largest units that are not zero."""
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    rest, parts = round(seconds), []
    for name, size in units:
        if rest >= size:
            parts.append(f"{rest // size} {name}")
            rest %= size
    return " ".join(parts[:2]) or f"{seconds * 1000:.0f} ms"


def moment(time_ns: int) -> str:
    """UTC date and time to the minute, or to the second where the seconds are not zero."""
    when = datetime.fromtimestamp(time_ns // 1_000_000_000, tz=UTC)
    return when.strftime("%Y-%m-%d %H:%M:%S" if when.second else "%Y-%m-%d %H:%M")


def some(names: Sequence[str]) -> str:
    """``"a, b, c and 4 more"``."""
    shown = list(names[:MOST_NAMES])
    more = len(names) - len(shown)
    if more:
        return f"{', '.join(shown)} and {more} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def anomaly_sentence(device: str, start_ns: int, kind: Kind, readings: Sequence[Reading], cause: str = "") -> str:
    """The sentence of an incident that a detector found; ``cause`` is what a detector with labels calls it."""
    first = readings[0]
    unit = f" {first.unit}" if first.unit and math.isfinite(first.seen) else ""
    if first.low < first.high and not first.low <= first.seen <= first.high:
        expected = f"{number(first.low)} to {number(first.high)}"
    else:
        expected = f"about {number(first.expected)}"
    follows = [reading.channel for reading in readings[1:] if reading.share >= FOLLOWS]
    clause = f"; {some(follows)} follow{'s' if len(follows) == 1 else ''}" if follows else ""
    article = "an " if kind[0] in "aeiou" else "a "
    thing = kind if kind in (Kind.NETWORK_ATTACK, Kind.SENSOR_FAULT) else f"{kind} anomaly"
    verdict = cause or f"{article}{thing}"
    return (
        f"{device}: {first.channel} {number(first.seen)}{unit} since {moment(start_ns)}, expected {expected}"
        f"{clause}; looks like {verdict}"
    )


def fault_sentence(device: str, start_ns: int, kind: Kind, *, cause: str, channels: Sequence[str], detail: str) -> str:
    """The sentence of an incident that a quality check found."""
    if kind is Kind.SILENCE:
        return f"{device}: silent since {moment(start_ns)}; {detail}"
    what = DOING.get(cause, cause)
    where = f"{some(channels)} " if channels else ""
    looks = {Kind.SENSOR_FAULT: f"a sensor fault ({cause})", Kind.NETWORK_ATTACK: f"a network attack ({cause})"}
    verdict = looks.get(kind, f"a {kind} anomaly")
    return f"{device}: {where}{what} since {moment(start_ns)}; {detail}; looks like {verdict}"


def silence_of_many(devices: Sequence[str], start_ns: int, fleet: int) -> str:
    """The one sentence for devices that fell silent together."""
    return f"{len(devices)} of {fleet} devices silent since {moment(start_ns)}: {some(devices)}; looks like one outage"
