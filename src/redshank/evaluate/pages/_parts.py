"""The parts of the report of a run, each as its page wants it: rows, words and figures from one subject."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from markupsafe import Markup

from redshank.core import InputError, Kind
from redshank.evaluate.metrics import load
from redshank.evaluate.pages._canvas import MARKS
from redshank.evaluate.pages._caveats import DRIFTED
from redshank.evaluate.pages._page import ABSENT
from redshank.evaluate.pages._plots import Record, instant, value
from redshank.evaluate.pages._subject import LEAST_TESTED, Subject
from redshank.evaluate.pages._wording import (
    LEAST_WEEKS,
    Clock,
    bare,
    counted,
    exposure,
    percent,
    two_digits,
)
from redshank.evaluate.pages.charts import (
    calibration_chart,
    confusion_chart,
    pr_chart,
    rate_chart,
    roc_chart,
    score_chart,
)
from redshank.evaluate.protocols import LEARNED_EARLIER
from redshank.evaluate.tables import Measured, Table, results_table
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
    events, best, name = record["events"], subject.best_baseline, subject.headline
    concerned = {device for one in subject.incidents for device in one["devices"]}
    found = [("incidents", f"{len(subject.incidents):,}", f"on {counted(len(concerned), 'device')}")]
    if subject.recall is not None:
        known = f"of {counted(events['known'], 'known anomaly')}{'' if subject.period is None else ', whole run'}"
        found.append(("found", str(events["found"]), known))
    if rate is not None:
        assumed = ", row times assumed" if subject.clock.assumed else ""
        found.append(("false", two_digits(rate.estimate), f"incidents per device per week{assumed}"))
    held_back = value(record["calibration"], "held_back")
    if math.isfinite(subject.asked):
        found.append(("asked", f"≤ {number(subject.asked)}", "false alarms per device per week"))
    if rate is None and math.isfinite(held_back):
        found.append(("held back", number(round(held_back, 2)), "alarms per device per week on normal data"))
    if name is not None:
        note = f"best trivial rule: {value(best.record['measures'], name):.2f}" if best is not None else "of 1"
        found.append((name, f"{value(record['measures'], name):.2f}", note))
    found.append(_judged(subject))
    return found


def _judged(subject: Subject) -> tuple[str, str, str]:
    devices = counted(len(subject.record["data"]["devices"]), "device")
    if subject.clock.assumed:
        return "judged", f"{subject.record['split']['test_rows']:,}", f"rows of {devices}"
    if subject.device_weeks < LEAST_WEEKS:
        return "judged", exposure(subject.device_weeks), f"of {devices}, added up"
    return "judged", number(round(subject.device_weeks, 1)), f"weeks of {devices}, added up"


def entry(incident: Record, place: int, clock: Clock) -> dict[str, object]:
    """An incident as the template wants it."""
    start, end, seen = (instant(incident[name]) for name in ("start", "end", "detected"))
    known = {str(kind): mark for kind, mark in MARKS.items()}
    mark = known.get(incident["kind"], MARKS[Kind.POINT])
    return {
        "number": place,
        "sentence": clock.retold(incident["sentence"]),
        "start": clock.when(start),
        "lasted": clock.long((end - start) / 1e9) if end > start else "one reading",
        "after": clock.long((seen - start) / 1e9) if seen > start else "",
        "kind": incident["kind"],
        "role": mark.role,
        "glyph": mark.glyph,
        "severity": value(incident, "severity"),
        "true": incident["true"],
    }


def comparison(subject: Subject) -> dict[str, object] | None:
    """Table against other detectors and trivial rules; None where there are none, or nothing to compare them by."""
    if not subject.rivals or not subject.labelled:
        return None
    try:
        table = results_table(subject.compared)
    except InputError as error:
        return {"refused": str(error)}
    test = subject.against_best
    return {
        "refused": "",
        "table": grid(table),
        "notes": notes_of(table),
        "paired": "" if test is None or test.series < LEAST_TESTED else test.sentence,
        "measure": subject.headline,
    }


def notes_of(table: Table) -> list[str]:
    """Notes that the report has in no section of its own."""
    return [bare(note) for note in table.notes if not note.startswith(REPEATED)]


def grid(table: Table) -> dict[str, object]:
    """A table as the template wants it: each entry with its text, bounds and whether it is best; leaks are a note."""
    kept = [k for k, name in enumerate(table.columns) if name != "leaks"]
    best = [[isinstance(cell, Measured) and cell.best for cell in row] for row in table.rows]
    rows = [[(*parts[k], marks[k]) for k in kept] for parts, marks in zip(table.parts(), best, strict=True)]
    return {
        "caption": table.caption,
        "columns": [table.columns[k] for k in kept],
        "rows": rows,
        "breaks": table.breaks,
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
    folds = subject.group.folds  # several have a curve each, and rivals theirs on each fold: too many for a figure
    curves = folds if len(folds) > 1 else [*folds, *(one.record for one in subject.rivals)]
    area = "A number is the area under the line beside it."
    wanted: list[tuple[str, Callable[[], str], str]] = [
        (
            "ROC curve",
            lambda: roc_chart(curves),
            "The nearer a line comes to the upper left corner, the better it tells anomalous rows from normal ones. "
            + area,
        ),
        (
            "Precision-recall curve",
            lambda: pr_chart(curves),
            "How many alarmed rows are right, for each share of the anomalous rows that is caught. " + area,
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
    data = subject.record["data"]
    traces = sorted(subject.traces, key=lambda trace: place.get(trace["device"], len(worst)))[:MOST_TRACES]
    return [
        (trace["device"], Markup(score_chart(_by_weight(subject, trace), data=data)))  # noqa: S704
        for trace in traces
    ]


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
            _if_there(lambda: calibration_chart(subject.group.folds)),
            "On the diagonal p means what it says. Above it normal rows look rarer than they are: more of them alarm.",
        )
    ]
    if subject.variants:
        made.append(
            (
                "False alarms asked for and realised",
                _if_there(lambda: rate_chart([subject.record, *(one.record for one in subject.variants)])),
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
    clock = subject.clock
    machine = (f"{name.replace('_', ' ')} {bare(str(what))}" for name, what in r["machine"].items() if what is not None)
    size = [f"{data['rows']:,} rows of {counted(len(data['devices']), 'device')}"]
    size.append(counted(len(data["channels"]), "channel"))
    if data["interval_s"]:
        size.append(f"{'taken to be' if clock.assumed else 'usually'} one every {duration(data['interval_s'])}")
    learned = f"{'at most ' if split['folds'] > 1 else ''}{counted(split['train_rows'], 'row')} learned from"
    if split["protocol"] == LEARNED_EARLIER:
        learned = "what was learned from is not known"
    purged = f", {split['purged_rows']:,} left out between the two" if split["purged_rows"] else ""
    rows = f"{learned}, {split['test_rows']:,} judged{purged}"
    memory = value(r, "peak_mib")
    return {
        "Data": f"{data['name']}, from {str(data['source']).replace(chr(92), '/').rpartition('/')[2] or ABSENT}",
        "Data fingerprint": data["fingerprint"],
        "Period of the data": "not known: the rows have no times"
        if clock.assumed
        else f"{_iso(data['start'])} to {_iso(data['end'])} UTC",
        "Size": ", ".join(size),
        "Split": f"{split['protocol']}{folds}{held_out}: {rows}",
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
