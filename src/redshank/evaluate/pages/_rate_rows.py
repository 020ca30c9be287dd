"""The table of rates of a report: how often a run is right, how often it disturbs, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from redshank.evaluate.intervals import Interval, wilson
from redshank.evaluate.pages._plots import value
from redshank.evaluate.pages._subject import Subject
from redshank.evaluate.pages._wording import Clock, counted, exposure, interval_text, percent, two_digits
from redshank.incidents import number

Words = Callable[[float], str]
"""Writes a number for a person."""
Row = dict[str, object]
"""Name of a rate, how it is written, its interval, what it is of, and where its bar lies."""


def rates(subject: Subject) -> list[Row]:
    """Rows of the table, as the template wants them."""
    return [*_counts(subject), *_times(subject)]


def _counts(subject: Subject) -> list[Row]:
    events, rate = subject.record["events"], subject.false_rate
    rows: list[Row] = []
    whole = "" if subject.period is None else " (whole run)"
    leak = "; leaks neighbours, and so without a range" if subject.record["split"]["leaks"] else ""
    if rate is not None:
        note = f"{counted(subject.false or 0, 'false incident')} in {exposure(subject.device_weeks)}"
        if subject.clock.assumed:
            note = f"{note} of assumed row times"
        if math.isfinite(subject.asked):
            note = f"{note}; asked for: at most {number(subject.asked)}"
        text = two_digits(rate.estimate)
        name = "False incidents per device and week"
        rows.append(_row(subject, name, text, f"{note}{leak}", interval=rate, of=two_digits))
    if subject.recall is not None:
        note = f"{events['found']} of {events['known']} known{whole}"
        text = percent(subject.recall.estimate)
        rows.append(_row(subject, "Known anomalies found", text, f"{note}{leak}", interval=subject.recall, of=percent))
    judged = [one for one in subject.incidents if one["true"] is not None]
    if judged and subject.labelled:
        true = wilson(sum(bool(one["true"]) for one in judged), len(judged))
        note = f"{sum(bool(one['true']) for one in judged)} of {len(judged)} that could be checked"
        text, known = percent(true.estimate), None if leak else true
        rows.append(_row(subject, "Incidents that are true", text, f"{note}{leak}", interval=known, of=percent))
    return rows


def _times(subject: Subject) -> list[Row]:
    events, calibration = subject.record["events"], subject.record["calibration"]
    rows: list[Row] = []
    whole = "" if subject.period is None else " (whole run)"
    delays = [seconds for seconds in events["delays_s"] if seconds is not None]
    if delays:
        middle, slow = float(np.median(delays)), float(np.quantile(delays, 0.9))
        note = f"{_delays(subject.clock, middle, slow, len(delays))}{whole}"
        rows.append(_row(subject, "Time from onset to alarm", subject.clock.long(middle), note))
    share = value(events, "alarm_share")
    if math.isfinite(share):
        rows.append(
            _row(subject, "Part of the time in alarm", percent(share), f"always alarming would be 100 %{whole}")
        )
    held_back = value(calibration, "held_back")
    if math.isfinite(held_back):
        note = f"alarms per device and week; the alarm levels were set on these data{whole}"
        rows.append(_row(subject, "On held-back normal data", number(held_back), note))
    return rows


def _row(
    subject: Subject, name: str, text: str, note: str, *, interval: Interval | None = None, of: Words = number
) -> Row:
    asked, top = subject.asked, 1.0
    if interval is not None and of is two_digits:
        top = 1.15 * max(interval.high, asked if math.isfinite(asked) else 0.0)
    known = interval is not None and math.isfinite(interval.low) and top > 0
    ends = (interval.low, interval.high, interval.estimate) if known and interval is not None else ()
    return {
        "name": name,
        "text": text,
        "interval": interval_text(interval, of),
        "note": note,
        "bar": [100 * min(end / top, 1.0) for end in ends],
        "asked": 100 * asked / top if known and of is two_digits and math.isfinite(asked) else None,
    }


def _delays(clock: Clock, middle: float, slow: float, count: int) -> str:
    """How the delays of the found anomalies lie."""
    if count == 1:
        return "the one found anomaly"
    half = "half of the found anomalies sooner" if middle > 0 else "at least half of the found anomalies"
    most = "nine of ten at once too" if slow <= 0 else f"nine of ten within {clock.long(slow)}"
    return f"{half}, {most}"


def kinds(subject: Subject) -> list[tuple[str, int, int, str]]:
    """Kind, found, known and interval of the found share, for each kind of known anomaly."""
    return [
        (kind.replace("/", " / "), found, known, interval_text(wilson(found, known), percent))
        for kind, (found, known) in subject.record["events"]["by_kind"].items()
        if known
    ]


def causes(subject: Subject) -> list[tuple[str, int, float]]:
    total = sum(subject.causes.values())
    return [(cause, count, 100 * count / total) for cause, count in subject.causes.items()]
