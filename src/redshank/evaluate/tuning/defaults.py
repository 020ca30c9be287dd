"""What to try where nobody says: a space around the defaults, the rhythm of the data and the number of channels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from redshank.core import Detector, SettingError
from redshank.core.learned import Setting
from redshank.data import Dataset
from redshank.evaluate._known import WINDOWS
from redshank.evaluate.tuning.log import Settings
from redshank.evaluate.tuning.space import Choice, Domain, Space, Span, checked
from redshank.features import period

AROUND = 4
"""A number is tried from its default divided by this up to its default times this."""
KEPT = frozenset(
    {"seed", "device", "budget_s", "epochs", "patience", "batch", "rows", "held_back", "memory", "history"}
)
"""Settings that no default space holds: on what, for how long and from how many rows is learned. More of these is
seldom worse and always dearer; they can be named."""
DOUBLING = (0.25, 0.5, 1, 2, 4)
"""Parts of their default that widths and heads are tried at: heads share a width out evenly, which few allow."""
RHYTHMS = ("window", "period")
"""Settings in rows that the found period of the data says something about."""


def space_of(
    name: str, fresh: Detector, given: Mapping[str, Domain | Sequence[Setting]] | None, rows: Sequence[Dataset]
) -> tuple[Space, list[str], list[Settings]]:
    """What may be tried, what to say of it, and what to try early: windows of the found period."""
    rhythm = _period(rows)
    notes = []
    if given:
        found = checked(name, fresh, given)
    else:
        channels = len(rows[0].frame.schema)
        found, aside = default_space(fresh, channels=channels, period=rhythm)
        if not found:
            has = ", ".join(fresh.settings()) or "none"
            raise SettingError(
                f"tune: {name} has no setting with a default space (it has {has}); name one and its values"
            )
        if aside:
            notes.append(f"Not tried, as no space follows from their default: {', '.join(aside)}.")
    hint: Settings = {
        one: rhythm
        for one, domain in found.items()
        if one in RHYTHMS and rhythm is not None and isinstance(domain, Span) and domain.holds(rhythm)
    }
    if hint:
        notes.append(f"The data repeat every {rhythm} rows (peak of the autocorrelation): an early {', '.join(hint)}.")
    ready = hint and all(one in hint or domain.holds(fresh.settings()[one]) for one, domain in found.items())
    return found, notes, [hint] if ready else []


def default_space(detector: Detector, *, channels: int, period: int | None) -> tuple[dict[str, Domain], list[str]]:
    """What to try where nobody says: numbers from a quarter of their default to four times, both truth values.

    Nothing is above what the detector names as the most, and where a width is shared out over heads each width that
    is tried is a multiple of each number of heads.

    A window is tried around the period that was found in the data, and the width of a code up to the number of
    channels, also where their default is left to the detector. Other settings that are left to the detector are not
    tried, nor texts, lists and those of :data:`KEPT`.

    Parameters
    ----------
    detector : Detector
        Unfitted.
    channels : int
        Channels of the data.
    period : int or None
        Period of the data in rows, None where none was found.

    Returns
    -------
    space : dict of str to Choice or Span
        May be empty.
    aside : list of str
        Settings that only an explicit space can hold.
    """
    space: dict[str, Domain] = {}
    aside = []
    settings = detector.settings()
    shared = _shared(settings)
    for name, usual in settings.items():
        if name in KEPT:
            continue
        domain = shared.get(name) or _around(name, usual, channels, period, detector.most.get(name, math.inf))
        if domain is None:
            aside.append(name)
        else:
            space[name] = domain
    return space, aside


def _period(rows: Sequence[Dataset]) -> int | None:
    """Median of the periods found in the devices of the searched rows, known anomalies blanked out."""
    found = []
    for one in rows:
        values = one.frame.values
        if one.y is not None:
            values = np.where((one.y == 1)[:, None], np.float32(np.nan), values)
        found += [period(values[own], *WINDOWS) for own in one.frame.series() if len(own)]
    known = [one for one in found if one is not None]
    return int(np.median(known)) if known else None


def _shared(settings: Settings) -> dict[str, Domain]:
    """Choices of ``hidden`` and ``heads`` that all go together; none where a detector has not both."""
    hidden, heads = settings.get("hidden"), settings.get("heads")
    if not isinstance(hidden, int) or not isinstance(heads, int) or hidden < 1 or heads < 1 or hidden % heads:
        return {}
    wide = [int(hidden * times) for times in DOUBLING if hidden * times % heads == 0]
    split = [int(heads * times) for times in DOUBLING if heads * times % 1 == 0]
    return {
        "hidden": Choice(tuple(wide)),
        "heads": Choice(tuple(parts for parts in split if not any(width % parts for width in wide))),
    }


def _around(name: str, usual: Setting, channels: int, period: int | None, most: float) -> Domain | None:
    """The default span or choice of one setting, up to ``most``."""
    if isinstance(usual, bool):
        return Choice((usual, not usual))
    if usual is None and name in RHYTHMS and period is not None:
        return Span(max(2, period // AROUND), period * AROUND, log=True, whole=True)
    if usual is None and name == "latent" and channels > 2:
        return Span(1, channels - 1, log=True, whole=True)
    if isinstance(usual, int) and usual > 0:
        low, high = max(1, usual // AROUND), usual * AROUND
        if name in RHYTHMS and period is not None:
            low, high = min(low, period), max(high, period)
        return _span(low, min(high, most), whole=True)
    if isinstance(usual, float) and usual > 0:
        return _span(usual / AROUND, min(usual * AROUND, 1.0 if usual < 1 else math.inf, most), whole=False)
    return None


def _span(low: float, high: float, *, whole: bool) -> Domain | None:
    """A span even in ratios; None where nothing lies between its ends."""
    return Span(low, high, log=True, whole=whole) if low < high else None
