"""A false-alarm budget in the words that people use."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from redshank.core import SettingError

SECONDS = {
    "minute": 60.0,
    "hour": 3600.0,
    "day": 86400.0,
    "week": 604800.0,
    "month": 2629800.0,  # a twelfth of 365.25 days
    "year": 31557600.0,
}
_FORM = re.compile(
    r"\s*(?:at\s+most\s+)?(?P<count>\d+(?:\.\d+)?|one|two|three)\s*(?:false\s+alarms?|alarms?|incidents?)?"
    r"\s*(?:(?:per|a|/)\s*(?P<device>device))?\s*(?:per|a|an|each|/)\s*(?P<unit>minute|hour|day|week|month|year)\s*"
)
_WORDS = {"one": 1.0, "two": 2.0, "three": 3.0}


@dataclass(frozen=True, slots=True)
class Budget:
    """How many false alarms are worth a person's time.

    Parameters
    ----------
    count : float
        False alarms, above 0.
    unit : str
        ``"minute"`` to ``"year"``.
    per_device : bool, default=True
        Each device has ``count`` of its own; otherwise the whole fleet shares them.
    """

    count: float
    unit: str
    per_device: bool = True

    def __post_init__(self) -> None:
        if self.unit not in SECONDS or not 0 < self.count < float("inf"):
            raise SettingError(
                f"budget: {self.count:g} per {self.unit}; wanted a number above 0 per {', '.join(SECONDS)}"
            )

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Read ``"1 per device per week"``  ``"3 per day"`` (whole fleet), ``"0.5 / device / month"``.

        Raises
        ------
        SettingError
            If the text has another form.
        """
        found = _FORM.fullmatch(text.lower())
        if found is None:
            raise SettingError(
                f"budget: {text!r} is not understood; write for example '1 per device per week' or '3 per day'"
            )
        count = _WORDS.get(found["count"]) or float(found["count"])
        return cls(count, found["unit"], found["device"] is not None)

    def per_device_second(self, devices: int) -> float:
        """False alarms allowed per device and second in a fleet of so many devices."""
        return self.count / SECONDS[self.unit] / (1 if self.per_device else max(devices, 1))

    def per_device_week(self, devices: int) -> float:
        """False alarms allowed per device and week in a fleet of so many devices."""
        return self.per_device_second(devices) * SECONDS["week"]

    def __str__(self) -> str:
        count = np.format_float_positional(self.count, trim="-")  # no exponent: parse reads it back exactly
        return f"{count} per {'device per ' if self.per_device else ''}{self.unit}"
