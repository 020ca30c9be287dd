"""The parts of the report of a run, each as its page wants it: rows, words and figures from one subject."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from markupsafe import Markup

from redshank.core import InputError, Kind
from redshank.evaluate.intervals import Interval, wilson
from redshank.evaluate.metrics import load
from redshank.evaluate.pages._canvas import MARKS
from redshank.evaluate.pages._caveats import DRIFTED
from redshank.evaluate.pages._page import ABSENT
from redshank.evaluate.pages._plots import Record, instant, value
from redshank.evaluate.pages._subject import Subject
from redshank.evaluate.pages._wording import bare, counted, delay, interval_text, percent, two_digits
from redshank.evaluate.pages.charts import (
    calibration_chart,
    confusion_chart,
    pr_chart,
    rate_chart,
    roc_chart,
    score_chart,
)
from redshank.evaluate.tables import Measured, results_table
from redshank.incidents import duration, moment, number

Words = Callable[[float], str]
"""Writes a number for a person."""
MOST_TRACES = 6
"""Devices whose score is drawn, those with the worst incidents first."""
REPEATED = ("Audit", "Command:", "Data:")
"""How notes of the table begin that the report has in a section of its own."""
CHANGED = 0.1
"""Population stability index from which a change is worth a word (Siddiqi 2006; from 0.25 it is large)."""
ROWS_OF_LOAD: Mapping[str, tuple[str, float, Words]] = {
    "per_hour": ("Alarms per hour, on average", load.ACCEPTABLE_PER_HOUR, number),
    "worst_ten_minutes": ("Most alarms in any ten minutes", load.MOST_IN_TEN_MINUTES, number),
    "ten_minutes_over_10": ("Ten-minute stretches with more than 10 alarms", load.MOST_SHARE, percent),
    "hours_over_30": ("Hours with more than 30 alarms", load.MOST_SHARE, percent),
    "flood_share": ("Time in flood", load.MOST_SHARE, percent),
    "chattering": ("Alarms that chatter", 0.0, number),
}
"""Figures of the alarm load: what a person calls them, their limit in ANSI/ISA-18.2, and how they are written."""


def tiles(subject: Subject) -> list[tuple[str, str, str]]:
    record, rate = subject.record, subject.false_rate
    events, best, name = record["events"], subject.best_baseline(), subject.headline
    concerned = {device for one in subject.incidents for device in one["devices"]}
    found = [("incidents", f"{len(subject.incidents):,}", f"on {counted(len(concerned), 'device')}")]
    if subject.recall is not None:
        known = f"of {counted(events['known'], 'known anomaly')}{'' if subject.period is None else ', whole run'}"
        found.append(("found", str(events["found"]), known))
    if rate is not None:
        found.append(("false", number(round(rate.estimate, 2)), "incidents per device per week"))
    held_back = value(record["calibration"], "held_back")
    if math.isfinite(subject.asked):
        found.append(("asked", f"≤ {number(subject.asked)}", "false alarms per device per week"))
    if rate is None and math.isfinite(held_back):
        found.append(("held back", number(round(held_back, 2)), "alarms per device per week on normal data"))
    if name is not None:
        note = f"best trivial rule: {value(best['measures'], name):.2f}" if best is not None else "of 1"
        found.append((name, f"{value(record['measures'], name):.2f}", note))
    found.append(
        (
            "judged",
            number(round(subject.device_weeks, 1)),
            f"weeks of {counted(len(record['data']['devices']), 'device')}, added up",
        )
    )
    return found


def entry(incident: Record, place: int) -> dict[str, object]:
    """An incident as the template wants it."""
    start, end, seen = (instant(incident[name]) for name in ("start", "end", "detected"))
    known = {str(kind): mark for kind, mark in MARKS.items()}
    mark = known.get(incident["kind"], MARKS[Kind.POINT])
    return {
        "number": place,
        "sentence": incident["sentence"],
        "start": moment(start),
        "lasted": duration((end - start) / 1e9) if end > start else "one reading",
        "after": duration((seen - start) / 1e9) if seen > start else "",
        "kind": incident["kind"],
        "role": mark.role,
        "glyph": mark.glyph,
        "severity": value(incident, "severity"),
        "true": incident["true"],
    }


def rates(subject: Subject) -> list[dict[str, object]]:
    """Rows of the table of rates: name, how it is written, its interval, what it is of, and where the bar lies."""
    events, calibration, rate = subject.record["events"], subject.record["calibration"], subject.false_rate
    whole = "" if subject.period is None else " (whole run)"
    rows: list[dict[str, object]] = []

    def row(name: str, text: str, note: str, interval: Interval | None = None, of: Words = number) -> None:
        top = 1.0
        if interval is not None and of is two_digits:
            top = 1.15 * max(interval.high, subject.asked if math.isfinite(subject.asked) else 0.0)
        known = interval is not None and math.isfinite(interval.low) and top > 0
        ends = (interval.low, interval.high, interval.estimate) if known and interval is not None else ()
        rows.append(
            {
                "name": name,
                "text": text,
                "interval": interval_text(interval, of),
                "note": note,
                "bar": [100 * min(end / top, 1.0) for end in ends],
                "asked": 100 * subject.asked / top
                if known and of is two_digits and math.isfinite(subject.asked)
                else None,
            }
        )

    if rate is not None:
        note = f"{counted(subject.false or 0, 'false incident')} in {number(subject.device_weeks)} device-weeks"
        if math.isfinite(subject.asked):
            note = f"{note}; asked for: at most {number(subject.asked)}"
        row("False incidents per device and week", two_digits(rate.estimate), note, rate, two_digits)
    if subject.recall is not None:
        note = f"{events['found']} of {events['known']} known{whole}"
        row("Known anomalies found", percent(subject.recall.estimate), note, subject.recall, percent)
    judged = [one for one in subject.incidents if one["true"] is not None]
    if judged and subject.labelled:
        true = wilson(sum(bool(one["true"]) for one in judged), len(judged))
        note = f"{sum(bool(one['true']) for one in judged)} of {len(judged)} that could be checked"
        row("Incidents that are true", percent(true.estimate), note, true, percent)
    delays = [seconds for seconds in events["delays_s"] if seconds is not None]
    if delays:
        middle, slow = float(np.median(delays)), float(np.quantile(delays, 0.9))
        note = f"half of the found anomalies sooner, nine of ten within {delay(slow)}{whole}"
        row("Time from onset to alarm", delay(middle), note)
    share = value(events, "alarm_share")
    if math.isfinite(share):
        row("Part of the time in alarm", percent(share), f"always alarming would be 100 %{whole}")
    held_back = value(calibration, "held_back")
    if math.isfinite(held_back):
        note = f"alarms per device and week; the alarm levels were set on these data{whole}"
        row("On held-back normal data", number(held_back), note)
    return rows


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


def comparison(subject: Subject) -> dict[str, object] | None:
    """Table against other detectors and trivial rules; None where there are none, or nothing to compare them by."""
    if not subject.rivals or not subject.labelled:
        return None
    protocols = {r["split"]["protocol"] for r in subject.compared}
    try:
        table = results_table(subject.compared, by="detector" if len(protocols) == 1 else "protocol")
    except InputError as error:
        return {"refused": str(error)}
    test = subject.against_best()
    best_cells = [[isinstance(cell, Measured) and cell.best for cell in row] for row in table.rows]
    return {
        "refused": "",
        "caption": table.caption,
        "columns": table.columns,
        "rows": [list(zip(cells, best, strict=True)) for cells, best in zip(table.cells(), best_cells, strict=True)],
        "breaks": table.breaks,
        "notes": [bare(note) for note in table.notes if not note.startswith(REPEATED)],
        "paired": "" if test is None else test.sentence,
        "measure": subject.headline,
    }


def measures(subject: Subject) -> list[tuple[str, str, str]]:
    """Name, value and oracle value of every measure that is defined; the oracle's threshold was chosen with labels."""
    own, oracle = subject.record["measures"], subject.record["oracle"]
    texts = [(name, _measure(value(own, name)), _measure(value(oracle, name))) for name in {**own, **oracle}]
    return [row for row in texts if row[1:] != (ABSENT, ABSENT)]


def _measure(found: float) -> str:
    return number(found) if math.isfinite(found) else ABSENT


def figures(subject: Subject) -> list[tuple[str, Markup, str]]:
    """ROC, precision-recall and confusion, as far as the records have them: name, figure and how to read it."""
    folded = [r for r in subject.runs if r["seed"] == subject.record["seed"]]
    curves = [*(folded if len(folded) > 1 else [subject.record]), *subject.rivals]
    wanted: list[tuple[str, Callable[[], str], str]] = [
        (
            "ROC curve",
            lambda: roc_chart(curves),
            "The nearer a line comes to the upper left corner, the better it tells anomalous rows from normal ones.",
        ),
        (
            "Precision-recall curve",
            lambda: pr_chart(curves),
            "How many alarmed rows are right, for each share of the anomalous rows that is caught.",
        ),
        (
            "Confusion matrix at the alarm level in use",
            lambda: confusion_chart(subject.record),
            "An anomaly counts as found with one alarm in it, so many of its rows may go without.",
        ),
    ]
    return [(name, Markup(made), note) for name, make, note in wanted if (made := _if_there(make))]  # noqa: S704


def _if_there(make: Callable[[], str]) -> str:
    """A figure, or nothing where the records lack what it is made from."""
    try:
        return make()
    except InputError:
        return ""


def scores(subject: Subject) -> list[tuple[str, Markup]]:
    worst = [device for one in subject.incidents for device in one["devices"]]
    place = {device: k for k, device in reversed(list(enumerate(worst)))}
    traces = sorted(subject.traces, key=lambda trace: place.get(trace["device"], len(worst)))[:MOST_TRACES]
    return [(trace["device"], Markup(score_chart(_by_weight(subject, trace)))) for trace in traces]  # noqa: S704


def _by_weight(subject: Subject, trace: Record) -> Record:
    """The trace with the channels that its incidents name first in front."""
    named = [c for one in subject.incidents if trace["device"] in one["devices"] for c in one["channels"][:1]]
    order = [*dict.fromkeys(c for c in named if c in trace["values"]), *trace["values"]]
    return {**trace, "values": {c: trace["values"][c] for c in order}}


def calibration(subject: Subject) -> list[tuple[str, Markup, str]]:
    """How far p can be believed; and where there were several budgets or seeds, what came of each."""
    made = [
        (
            f"Tail probability of {'normal' if subject.labelled else 'all'} rows",
            _if_there(lambda: calibration_chart([subject.record])),
            "On the diagonal p means what it says. Above it normal rows look rarer than they are: more of them alarm.",
        )
    ]
    if len({(r["seed"], r["calibration"]["asked_per_device_week"]) for r in subject.runs}) > 1:
        made.append(
            (
                "False alarms asked for and realised",
                _if_there(lambda: rate_chart(subject.runs)),
                "Points in the shade kept their budget; the bars are exact 95 % intervals.",
            )
        )
    return [(name, Markup(figure), note) for name, figure, note in made if figure]  # noqa: S704


def load_of(subject: Subject) -> dict[str, object] | None:
    found = subject.record["load"]
    if not found:
        return None
    rows = []
    for name, (words, limit, write) in ROWS_OF_LOAD.items():
        number_of = value(found, name)
        if math.isfinite(number_of):
            rows.append((words, write(number_of), write(limit), number_of <= limit))
    hours = value(found, "hours")
    short = math.isfinite(hours) and hours < 24 * load.LEAST_DAYS
    return {"rows": rows, "short": duration(3600 * hours) if short else "", "days": number(load.LEAST_DAYS)}


def drift_of(subject: Subject) -> list[dict[str, object]]:
    """Channels by how far they have drifted, the farthest first."""
    found = [(one["channel"], value(one, "psi"), value(one, "shift")) for one in subject.record["drift"]]
    top = max((psi for _, psi, _ in found if math.isfinite(psi)), default=0.0)
    rows = []
    for channel, psi, shift in sorted(found, key=lambda one: -one[1] if math.isfinite(one[1]) else math.inf):
        word = "not known" if math.isnan(psi) else "large" if psi > DRIFTED else "some" if psi > CHANGED else "little"
        width = 100 * psi / max(top, DRIFTED) if math.isfinite(psi) else 0.0
        moved = f"{shift:+.2f}".replace("-", "\N{MINUS SIGN}") if math.isfinite(shift) else ABSENT
        rows.append({"channel": channel, "psi": psi, "shift": moved, "word": word, "width": width})
    return rows


def facts(subject: Subject) -> dict[str, str]:
    """Where the numbers come from: data, model, split, program and machine, without any path."""
    r = subject.record
    data, split = r["data"], r["split"]
    folds = f", {counted(split['folds'], 'fold')}" if split["folds"] > 1 else ""
    held_out = f", left out in turn: {split['left_out']}" if split["left_out"] else ""
    machine = (f"{name.replace('_', ' ')} {bare(str(what))}" for name, what in r["machine"].items() if what is not None)
    size = [f"{data['rows']:,} rows of {counted(len(data['devices']), 'device')}"]
    size.append(counted(len(data["channels"]), "channel"))
    if data["interval_s"]:
        size.append(f"usually one every {duration(data['interval_s'])}")
    rows = (
        f"{split['train_rows']:,} rows learned from, {split['test_rows']:,} judged, {split['purged_rows']:,} left out"
    )
    memory = value(r, "peak_mib")
    return {
        "Data": f"{data['name']}, from {str(data['source']).replace(chr(92), '/').rpartition('/')[2] or ABSENT}",
        "Data fingerprint": data["fingerprint"],
        "Period of the data": f"{_iso(data['start'])} to {_iso(data['end'])} UTC",
        "Size": ", ".join(size),
        "Split": f"{split['protocol']}{folds}{held_out}: {rows} between the two",
        "Detector, seed": f"{r['detector']}, {r['seed']}",
        "Model fingerprint": r["model"]["fingerprint"] or ABSENT,
        "Alarm budget": str((r["calibration"] or {}).get("budget") or ABSENT),
        "Command": bare(r["command"]),
        "Code": r["git"] or ABSENT,
        "Versions": ", ".join(f"{name} {version}" for name, version in r["versions"].items() if version),
        "Machine": ", ".join(machine),
        "Most memory": f"{number(memory)} MiB" if math.isfinite(memory) else ABSENT,
        "Made": f"{_iso(r['date'])} UTC",
    }


def setting_text(setting: object) -> str:
    """A setting in words; one number for each device becomes their range."""
    if isinstance(setting, Mapping) and setting:
        return f"{min(setting.values())} to {max(setting.values())}, by device"
    return ABSENT if setting is None else bare(str(setting))


def _iso(text: str | None) -> str:
    return moment(instant(text)) if text else ABSENT
