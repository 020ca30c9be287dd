"""The report of a run, made from records alone: one HTML file that a plant engineer can hand over, and its PDF."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from redshank.evaluate.intervals import Interval
from redshank.evaluate.pages import _parts, _rate_rows
from redshank.evaluate.pages._browser import print_pdf
from redshank.evaluate.pages._caveats import caveats
from redshank.evaluate.pages._everything import everything
from redshank.evaluate.pages._page import ABSENT, page, versions, write_at_once
from redshank.evaluate.pages._plots import Record, value
from redshank.evaluate.pages._subject import LEAST_TESTED, Subject, subject_of
from redshank.evaluate.pages._wording import bare, counted, css_text, first_up, two_digits, was
from redshank.evaluate.protocols import LEARNED_EARLIER
from redshank.evaluate.significance import ALPHA
from redshank.incidents import moment, number
from redshank.incidents.sentence import some

__all__ = ["print_pdf", "verdict", "write_run_report"]

MOST_ROWS = 60
"""Incidents in the table, the worst."""


def write_run_report(
    path: Path | str,
    records: Sequence[Record],
    *,
    title: str | None = None,
    data: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> Path:
    """Write what records say of a run as one HTML file that needs no network, no script and no other file.

    The report is about one run: the first detector that is not a baseline, on its data, by its protocol, with its
    settings and its seed; its folds are taken together, and of a run that came twice the last counts. Runs on the same
    rows are what it is compared with. Where the records hold several data sets one section is on all of them. What
    else they hold is named and mixed into nothing. The same records give the same bytes.

    Parameters
    ----------
    path : Path or str
        Where to write; the folder must exist.
    records : sequence of mapping
        Records of runs, as ``redshank.evaluate.records`` reads them.
    title : str or None, default=None
        Heading; None makes one of detector and data.
    data : str or None, default=None
        Name of the data that the report is about; None for the first in the records.
    since, until : str or None, default=None
        ISO times, UTC where they name no zone: only what was detected from ``since`` on and before ``until`` is shown
        among incidents, false alarms and scores. All else stays that of the whole run, and says so.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    InputError
        If no record is of a detector or of ``data``, nothing was judged in the period, or a period is asked for of data
        that have no times.
    OSError
        If the file cannot be written.
    """
    subject = subject_of(records, data=data, since=since, until=until)
    record = subject.record
    heading = title if title is not None else f"{record['detector']} on {record['data']['name']}"
    text = page(
        "run_report.html",
        title=heading,
        running=css_text(f"Redshank · {heading}"),
        detector=record["detector"],
        data=record["data"],
        split=record["split"],
        verdict=verdict(subject),
        scope=_scope(subject),
        period=_span(subject),
        assumed=subject.clock.assumed,
        whole=subject.period is None,
        tiles=_parts.tiles(subject),
        incidents=[_parts.entry(one, k, subject.clock) for k, one in enumerate(subject.incidents[:MOST_ROWS], 1)],
        total=len(subject.incidents),
        labelled=subject.labelled,
        rates=_rate_rows.rates(subject),
        kinds=_rate_rows.kinds(subject),
        causes=_rate_rows.causes(subject),
        everything=everything(subject),
        comparison=_parts.comparison(subject),
        measures=_parts.measures(subject),
        figures=_parts.figures(subject),
        scores=_parts.scores(subject),
        reliability=_parts.calibration(subject),
        alarm_load=_parts.load_of(subject),
        drift=_parts.drift_of(subject),
        ledger=record["data"]["ledger"],
        notes=[bare(note) for note in record["data"]["notes"]],
        audit=[{**finding, "sentence": bare(finding["sentence"])} for finding in record["audit"]],
        facts=_parts.facts(subject),
        settings={name: _parts.setting_text(setting) for name, setting in record["settings"].items()},
        seconds=record["seconds"],
        caveats=caveats(subject),
        versions=versions(),
    )
    return write_at_once(Path(path), text)


def verdict(subject: Subject) -> str:
    """The whole report in a few plain sentences."""
    return " ".join(filter(None, (_warning(subject), _outcome(subject), _against_baseline(subject))))


def _warning(subject: Subject) -> str:
    """What makes all that follows worth little."""
    split = subject.record["split"]
    if subject.leaks:
        where = f" ({some(subject.leaking)})" if subject.leaking else ""
        return f"The data give the label away{where}: nothing below can be believed until that is mended."
    if split["leaks"]:
        return (
            f"Rows next to those judged were learned from ({split['protocol']}): on new data all of this will be worse."
        )
    if split["protocol"] == LEARNED_EARLIER:
        return "The model was learned earlier, and whether from these very rows is not known."
    return ""


def _outcome(subject: Subject) -> str:
    record, count, rate = subject.record, len(subject.incidents), subject.false_rate
    events, asked = record["events"], subject.asked
    when = "" if subject.period is None else f"From {moment(subject.period[0])} to {moment(subject.period[1])} UTC: "
    concerned = {device for one in subject.incidents for device in one["devices"]}
    seen = f"{counted(count, 'incident')} on {counted(len(concerned), 'device')}" if count else "no incident"
    if rate is None:
        held_back = value(record["calibration"], "held_back")
        gave = f"; held-back normal data gave {number(held_back)} alarms per device and week" if held_back >= 0 else ""
        wanted = (
            f" where at most {number(asked)} {was(1 if asked == 1 else 2)} asked for" if gave and asked >= 0 else ""
        )
        return f"{first_up(when + seen)}, and what really happened is not known{gave}{wanted}."
    kept = _kept(subject, rate) if math.isfinite(asked) else ""
    clock = " (row times are assumed)" if subject.clock.assumed else ""
    each = f"{two_digits(rate.estimate)} per device and week{clock}{kept}."
    false = f"{subject.false} {was(subject.false or 0)} false"
    if count == 1:
        false = "it was false" if subject.false else "it was true"
    if subject.period is not None or not events["known"]:
        truth = "" if not count else f", and {false}" if count == 1 else f", of which {false}"
        return f"{first_up(when + seen)}{truth}: {each}"
    found = f"{events['found']} of {counted(events['known'], 'known anomaly')} {was(events['found'])} found"
    if not count:
        return f"{found} and nothing was reported: {each}"
    told = f"of {counted(count, 'incident')} {false}" if count > 1 else f"there was one incident, and {false}"
    return f"{found}; {told}, {each}"


def _kept(subject: Subject, rate: Interval) -> str:
    """Whether the budget was kept, as far as the interval can tell; nothing where the rows may have been learned."""
    asked = subject.asked
    words = f" where at most {number(asked)} {was(1 if asked == 1 else 2)} asked for"
    if not subject.unseen:
        return words
    sure = rate.high <= asked or rate.low > asked
    doubt = "" if sure else " as far as so short a time can tell"
    return f"{words}, so the budget was {'kept' if rate.estimate <= asked else 'exceeded'}{doubt}"


def _against_baseline(subject: Subject) -> str:
    """How it stands beside the best trivial rule, with a claim only where a test by series bears it."""
    best, name, test = subject.best_baseline, subject.headline, subject.against_best
    if best is None or name is None:
        return ""
    rule = f"the best trivial rule, {best.first['detector']}"
    own, other = (f"{value(r['measures'], name):.2f}" for r in (subject.record, best.record))
    if test is None or test.series == 1:
        told = f"By {name} it has {own} and {rule}, {other} (one series: no test)"
    elif test.series < LEAST_TESTED:
        told = f"By {name} it has {own} and {rule}, {other} ({test.series} series: too few for a test)"
    elif test.p_value >= ALPHA:
        told = f"By {name} it is not told apart from {rule} ({own} against {other} on {test.series} series)"
    else:
        ahead = "better" if test.mean_difference > 0 else "worse"
        told = f"By {name} it is {ahead} than {rule} ({own} against {other} on {test.series} series)"
    if subject.overtaken is None:
        return f"{told}."
    name, rule_ahead = subject.overtaken
    own, other = (f"{value(r['measures'], name):.2f}" for r in (subject.record, rule_ahead.record))
    return f"{told}; by {name} {rule_ahead.first['detector']} is ahead, {other} against {own}."


def _scope(subject: Subject) -> list[str]:
    """What the page is about where the records hold more than that."""
    told = []
    if len(subject.datasets) > 1:
        told.append(
            f"The records hold {len(subject.datasets)} data sets. This page is about {subject.record['data']['name']} "
            "alone, save for the section on all of them."
        )
    return [*told, *([bare(subject.others)] if subject.others else [])]


def _span(subject: Subject) -> tuple[str, str]:
    span = subject.period or subject.judged
    return (subject.clock.when(span[0]), subject.clock.when(span[1])) if span else (ABSENT, ABSENT)
