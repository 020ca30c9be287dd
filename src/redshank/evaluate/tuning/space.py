"""What may be tried of a detector's settings: values by name, spans of numbers, and where nothing is said a default."""

from __future__ import annotations

import difflib
import itertools
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from redshank.core import Detector, SettingError
from redshank.core.learned import Setting

STEPS = 5
"""Values of a span on a grid: for a default span a quarter, a half, the default, twice and four times of it."""
MOST_POINTS = 500
"""Most points of a grid: past it a grid answers no question that a search does not answer sooner."""
SPAN = re.compile(r"^\s*(?P<low>\S+?)\s*\.\.\s*(?P<high>\S+)(?P<log>\s+log)?\s*$")
WORDS: Mapping[str, Setting] = {"True": True, "False": False, "None": None}
"""As they stand in the text of a detector; JSON writes them otherwise, and is read too."""
WHOLE = re.compile(r"^[+-]?\d+$")


@dataclass(frozen=True, slots=True)
class Choice:
    """These values and no others.

    Parameters
    ----------
    values : tuple
        At least one; texts, numbers, true, false, None or tuples of whole numbers.
    """

    values: tuple[Setting, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise SettingError("space: a choice has no values; give at least one")

    def points(self) -> tuple[Setting, ...]:
        """The values on a grid: each once."""
        return tuple({key_of(one): one for one in self.values}.values())

    def holds(self, value: Setting) -> bool:
        """Whether ``value`` may be tried."""
        return key_of(value) in map(key_of, self.values)


@dataclass(frozen=True, slots=True)
class Span:
    """All numbers from ``low`` to ``high``, both included.

    Parameters
    ----------
    low, high : float
        Finite, ``low < high``.
    log : bool, default=False
        Even in ratios rather than in differences; both ends are then above 0.
    whole : bool, default=False
        Whole numbers only.
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise SettingError(
                f"space: a span goes from {self.low:g} to {self.high:g}; the first must be below the last"
            )
        if self.log and self.low <= 0:
            raise SettingError(f"space: a span even in ratios begins at {self.low:g}; it must begin above 0")

    def points(self) -> tuple[Setting, ...]:
        """At most :data:`STEPS` values, both ends among them."""
        space = np.geomspace if self.log else np.linspace
        found = space(self.low, self.high, STEPS)
        if self.whole:
            return tuple(sorted({round(float(one)) for one in found}))
        return tuple(float(f"{one:.6g}") for one in found)

    def holds(self, value: Setting) -> bool:
        """Whether ``value`` may be tried."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return self.low <= value <= self.high and (not self.whole or float(value).is_integer())


Domain = Choice | Span
Space = Mapping[str, Domain]


def key_of(value: object) -> str:
    """A text that two values share only if they are the same setting; a list is the tuple that JSON made of it."""
    return json.dumps(value, sort_keys=True)


def parsed(text: str) -> tuple[str, Domain]:
    """``"hidden=16,32,64"``, ``"window=10..50"`` or ``"lr=0.0001..0.1 log"`` as a name and what may be tried.

    Raises
    ------
    SettingError
        If it is none of these.
    """
    name, sign, values = text.partition("=")
    if not name.strip() or not sign or not values.strip():
        raise SettingError(
            f"space: {text!r} is not understood; write NAME=VALUE,VALUE or NAME=LOW..HIGH, with log behind"
        )
    ends = SPAN.match(values)
    if ends is not None:
        low, high = ends["low"], ends["high"]
        try:
            span = float(low), float(high)
        except ValueError as error:
            raise SettingError(
                f"space: {text!r} is no span of numbers; write for example lr=0.0001..0.1 log"
            ) from error
        return name.strip(), Span(*span, log=bool(ends["log"]), whole=all(map(WHOLE.match, (low, high))))
    return name.strip(), Choice(tuple(_value(one) for one in values.split(",") if one.strip()))


def checked(name: str, detector: Detector, space: Mapping[str, Domain | Sequence[Setting]]) -> dict[str, Domain]:
    """A space whose names are settings of ``detector`` and whose values are of their kind.

    Parameters
    ----------
    name : str
        What the detector is called, for messages.
    detector : Detector
        Unfitted; its settings are the defaults.
    space : mapping of str to Choice, Span or a sequence of values
        A sequence is a choice.

    Raises
    ------
    SettingError
        Names the first setting that does not fit, with the nearest that there is.
    """
    known, found = detector.settings(), {}
    for setting, given in space.items():
        if setting not in known:
            near = difflib.get_close_matches(setting, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known) or 'none'}"
            raise SettingError(f"space: {name} has no setting {setting!r}; {hint}")
        domain = given if isinstance(given, Choice | Span) else Choice(tuple(given))
        usual = known[setting]
        for value in domain.points():
            if not _alike(usual, value):
                raise SettingError(f"space: {name} has {setting} = {usual!r} by default; {value!r} is of another kind")
        if isinstance(usual, float) and isinstance(domain, Choice):  # 1 and 1.0 are one setting
            domain = Choice(tuple(float(one) if isinstance(one, int) else one for one in domain.values))
        found[setting] = domain
    return found


def grid(space: Space) -> Iterator[dict[str, Setting]]:
    """Every combination, the last name changing fastest.

    Raises
    ------
    SettingError
        If there are more than :data:`MOST_POINTS`.
    """
    points = {name: domain.points() for name, domain in space.items()}
    count = math.prod(map(len, points.values()))
    if count > MOST_POINTS:
        sizes = " x ".join(f"{len(own)} {name}" for name, own in points.items())
        raise SettingError(
            f"grid: {sizes} are {count:,} points, more than {MOST_POINTS}; name fewer values, or search with optuna"
        )
    return (dict(zip(points, values, strict=True)) for values in itertools.product(*points.values()))


def in_words(domain: Domain) -> str:
    """As :func:`parsed` reads it."""
    if isinstance(domain, Span):
        return f"{_number(domain.low)}..{_number(domain.high)}{' log' if domain.log else ''}"
    return ",".join(map(str, domain.values))


def _alike(usual: Setting, value: Setting) -> bool:
    """Whether a value can stand for the default; what it may be beyond that the detector says."""
    if usual is None or value is None:
        return True
    if isinstance(usual, float):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(usual) is type(value)


def _number(value: float) -> str:
    return f"{int(value)}" if float(value).is_integer() else f"{value:g}"


def _value(text: str) -> Setting:
    word = text.strip()
    if word in WORDS:
        return WORDS[word]
    try:
        found: Setting = json.loads(word)
    except ValueError:
        return word
    return found
