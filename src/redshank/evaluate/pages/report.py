"""The report of a judged frame: one HTML file that needs no network, no script and no other file."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup

from redshank.calibrate import Budget
from redshank.core import Incident, Label
from redshank.evaluate.pages._canvas import MARKS
from redshank.evaluate.pages._page import ABSENT, page, versions, write_at_once
from redshank.evaluate.pages.figures import incident_figure, lanes_figure, series_figure
from redshank.incidents import duration, moment, number
from redshank.pipeline import Analysis

MOST_LANES = 30
"""Devices in the timeline."""
MOST_CARDS = 12
"""Incidents with a figure of their own, the most severe first."""
MOST_DEVICES = 6
"""Devices whose whole period is drawn, those with the most severe incidents first."""
MOST_ROWS = 300
"""Incidents in the table, the most severe."""
DAY_S = 86400.0


def write_report(
    path: Path | str,
    analysis: Analysis,
    *,
    title: str,
    source: str,
    budget: str,
    held_back_rate: float,
    notes: Sequence[str] = (),
    ledger: Mapping[str, int] | None = None,
    settings: Mapping[str, object] | None = None,
    seconds: Mapping[str, float] | None = None,
    labels: Sequence[Label] = (),
    measures: Mapping[str, float | str] | None = None,
) -> Path:
    """Write ``analysis`` as one HTML file that a person can read, print and send on.

    The file is put in place in one step: a reader sees the old report or the new one, never a part. The same
    arguments give the same bytes.

    Parameters
    ----------
    path : Path or str
        Where to write; the folder must exist.
    analysis : Analysis
        What there is to say.
    title, source : str
        Heading, and where the readings come from.
    budget : str
        False alarms asked for, such as ``"1 per device per week"``.
    held_back_rate : float
        Alarm events per device and week on normal rows that were not learned from; NaN where unknown.
    notes : sequence of str, default=()
        Sentences on the quality of the data.
    ledger : mapping of str to int or None, default=None
        Rows counted by what became of them.
    settings : mapping of str to object or None, default=None
        Everything that was set, by name.
    seconds : mapping of str to float or None, default=None
        Time taken by each step.
    labels : sequence of Label, default=()
        Known anomalies, drawn beside the incidents. They play no part in what was learned.
    measures : mapping of str to float or str or None, default=None
        How the incidents compare with ``labels``; shown only where there are labels.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    SettingError
        If ``budget`` is not understood.
    OSError
        If the file cannot be written.
    """
    text = page(
        "report.html",
        title=title,
        source=source,
        verdict=verdict(analysis, budget, held_back_rate),
        period=_period(analysis),
        tiles=_tiles(analysis, budget, held_back_rate),
        notes=notes,
        ledger=ledger or {},
        settings=settings or {},
        seconds=seconds or {},
        measures=(measures or {}) if labels else {},
        known=len(labels),
        budget=budget,
        versions=versions(),
        **_sections(analysis, labels),
    )
    return write_at_once(Path(path), text)


def verdict(analysis: Analysis, budget: str, held_back_rate: float) -> str:
    """The whole report in one sentence."""
    asked = Budget.parse(budget)
    concerned = {device for incident in analysis.incidents for device in incident.devices}
    count = len(analysis.incidents)
    found = f"{_count(count, 'incident')} on {_count(len(concerned), 'device')}" if count else "No incident"
    wanted = f"{number(asked.count)} false alarm{'' if asked.count == 1 else 's'}"
    whose = "per device per" if asked.per_device else "per"
    unit = "" if asked.per_device and asked.unit == "week" else " per device per week"
    gave = f"gave {number(held_back_rate)}{unit}" if math.isfinite(held_back_rate) else "gave no answer"
    span = f" in {_span(analysis)}" if len(analysis.frame) else ""
    return f"{found}{span}; asked for at most {wanted} {whose} {asked.unit}, held-back normal data {gave}."


@dataclass(frozen=True, slots=True)
class _Entry:
    """An incident as the template wants it."""

    number: int
    incident: Incident
    role: str
    glyph: str
    start: str
    end: str
    lasted: str
    detected: str
    delay: str
    rest: float  # part of the score in channels that the incident does not list
    others: int
    card: bool


def _sections(analysis: Analysis, labels: Sequence[Label]) -> dict[str, object]:
    incidents = analysis.incidents
    severe = sorted(range(len(incidents)), key=lambda k: (-incidents[k].severity, k))
    cards = severe[:MOST_CARDS]
    entries = {k: _entry(analysis, k, k in cards) for k in sorted(severe[:MOST_ROWS])}
    devices = list(dict.fromkeys(device for k in severe for device in incidents[k].devices))
    lanes = [*devices, *(name for name in analysis.frame.devices if name not in set(devices))]
    drawn = devices[:MOST_DEVICES]
    return {
        "total": len(incidents),
        "entries": list(entries.values()),
        "cards": [(entries[k], Markup(incident_figure(analysis, incidents[k], labels=labels))) for k in cards],  # noqa: S704
        "lanes": Markup(lanes_figure(analysis, lanes[:MOST_LANES], labels=labels)) if len(analysis.frame) else "",  # noqa: S704
        "lanes_hidden": max(len(lanes) - MOST_LANES, 0),
        "devices": [(name, Markup(series_figure(analysis, name, labels=labels))) for name in drawn],  # noqa: S704
        "devices_hidden": len(devices) - len(drawn),
        "kinds": Counter(str(incident.kind) for incident in incidents).most_common(),
    }


def _entry(analysis: Analysis, k: int, card: bool) -> _Entry:
    incident = analysis.incidents[k]
    mark = MARKS[incident.kind]
    shares = math.fsum(reading.share for reading in incident.readings)
    delay_s = (incident.detected_ns - incident.start_ns) / 1e9
    length_s = (incident.end_ns - incident.start_ns) / 1e9
    return _Entry(
        number=k + 1,
        incident=incident,
        role=mark.role,
        glyph=mark.glyph,
        start=moment(incident.start_ns),
        end=moment(incident.end_ns),
        lasted=duration(length_s) if length_s else "one reading",
        detected=moment(incident.detected_ns),
        delay=f"after {duration(delay_s)}" if delay_s else "at once",
        rest=max(1.0 - shares, 0.0) if incident.readings else 0.0,
        others=len(analysis.frame.schema) - len(incident.readings),
        card=card,
    )


def _tiles(analysis: Analysis, budget: str, held_back_rate: float) -> list[tuple[str, str, str]]:
    frame = analysis.frame
    concerned = {device for incident in analysis.incidents for device in incident.devices}
    return [
        ("incidents", str(len(analysis.incidents)), f"on {_count(len(concerned), 'device')}"),
        ("devices", f"{len(frame.devices):,}", f"{_count(len(frame.schema), 'channel')} each"),
        ("rows", f"{len(frame):,}", f"one every {duration(frame.interval_s())}"),
        ("asked", f"≤ {number(Budget.parse(budget).count)}", f"false alarms {_rest(budget)}"),
        ("realised", _rate(analysis.rate()), "incidents per device per week, true ones included"),
        ("held back", _rate(held_back_rate), "alarms per device per week on normal data"),
    ]


def _rest(budget: str) -> str:
    return str(Budget.parse(budget)).split(" ", 1)[1]


def _rate(value: float) -> str:
    return number(round(value, 2)) if math.isfinite(value) else ABSENT


def _period(analysis: Analysis) -> tuple[str, str] | None:
    time_ns = analysis.frame.time_ns
    return (moment(int(time_ns.min())), moment(int(time_ns.max()))) if len(time_ns) else None


def _span(analysis: Analysis) -> str:
    seconds = float(np.ptp(analysis.frame.time_ns)) / 1e9
    return f"{seconds / DAY_S:.0f} days" if seconds >= 2 * DAY_S else duration(seconds)


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
