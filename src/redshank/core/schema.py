"""What the columns of a frame mean: channels, units, physical limits, usual interval."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from redshank.core.errors import InputError

Json = Mapping[str, "str | float | Sequence[Json] | None"]


@dataclass(frozen=True, slots=True)
class Channel:
    """One measured quantity.

    Parameters
    ----------
    name : str
        Unique in its schema.
    unit : str, default=""
        Written behind numbers, for people.
    low, high : float, default=-inf, inf
        Physical limits in ``unit``; a value outside cannot be true and counts as missing.
    """

    name: str
    unit: str = ""
    low: float = -math.inf
    high: float = math.inf

    def __post_init__(self) -> None:
        if not self.name:
            raise InputError("channel: the name is empty; every channel needs one")
        if not self.low < self.high:
            raise InputError(f"channel {self.name!r}: low {self.low:g} is not below high {self.high:g}")


@dataclass(frozen=True, slots=True)
class Schema:
    """The channels of a frame, in column order.

    Parameters
    ----------
    channels : tuple of Channel
        At least one, with distinct names.
    interval_s : float or None, default=None
        Usual time between two readings of one device, in seconds; None where it is not known.
    """

    channels: tuple[Channel, ...]
    interval_s: float | None = None

    def __post_init__(self) -> None:
        if not self.channels:
            raise InputError("schema: no channels; at least one numeric column is needed")
        seen: set[str] = set()
        for name in self.names:
            if name in seen:
                raise InputError(f"schema: channel {name!r} comes twice; names must differ")
            seen.add(name)
        if self.interval_s is not None and not 0 < self.interval_s < math.inf:
            raise InputError(f"schema: interval_s is {self.interval_s:g}; it must be a positive number of seconds")

    @classmethod
    def of(cls, names: Iterable[str], interval_s: float | None = None) -> Schema:
        """Channels with these names, no units and no limits."""
        return cls(tuple(Channel(name) for name in names), interval_s)

    @property
    def names(self) -> tuple[str, ...]:
        """Channel names in column order."""
        return tuple(channel.name for channel in self.channels)

    def __len__(self) -> int:
        return len(self.channels)

    def to_dict(self) -> Json:
        """Plain values for JSON; infinite limits become None."""
        return {
            "interval_s": self.interval_s,
            "channels": [
                {
                    "name": channel.name,
                    "unit": channel.unit,
                    "low": channel.low if math.isfinite(channel.low) else None,
                    "high": channel.high if math.isfinite(channel.high) else None,
                }
                for channel in self.channels
            ],
        }

    @classmethod
    def from_dict(cls, record: Json) -> Schema:
        """Reverse of :meth:`to_dict`.

        Raises
        ------
        InputError
            If a field is absent or of the wrong type.
        """
        try:
            interval = record["interval_s"]
            channels = record["channels"]
            if isinstance(channels, str | float | None):
                raise TypeError(f"channels is {type(channels).__name__}, not a list")
            return cls(
                tuple(
                    Channel(
                        _text(channel["name"]),
                        _text(channel["unit"]),
                        _limit(channel["low"], -math.inf),
                        _limit(channel["high"], math.inf),
                    )
                    for channel in channels
                ),
                None if interval is None else _limit(interval, 0.0),
            )
        except (KeyError, TypeError) as error:
            raise InputError(f"schema: cannot be read from this record: {error}") from error


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise TypeError(f"{value!r} is not a text")


def _limit(value: object, absent: float) -> float:
    if value is None:
        return absent
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise TypeError(f"{value!r} is not a number")
