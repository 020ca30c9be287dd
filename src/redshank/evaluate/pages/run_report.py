"""The report of a run, made from records alone: one HTML file that a plant engineer can hand over, and its PDF."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from redshank.evaluate.intervals import Interval
from redshank.evaluate.pages import _parts
from redshank.evaluate.pages._browser import print_pdf
from redshank.evaluate.pages._caveats import caveats
from redshank.evaluate.pages._page import ABSENT, page, versions, write_at_once
from redshank.evaluate.pages._plots import Record, value
from redshank.evaluate.pages._subject import Subject, subject_of
from redshank.evaluate.pages._wording import bare, counted, css_text, first_up, was
from redshank.incidents import moment, number

__all__ = ["print_pdf", "verdict", "write_run_report"]

MOST_ROWS = 60
"""Incidents in the table, the worst."""


def write_run_report(
    path: Path | str,
    records: Sequence[Record],
    *,
    title: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> Path:
    """Write what records say of a run as one HTML file that needs no network, no script and no other file.

    The report is about the first detector that is not a baseline, on its data and with its seed; its folds are taken
    together. All other records of the same data are what it is compared with. The same records give the same bytes.

    Parameters
    ----------
    path : Path or str
        Where to write; the folder must exist.
    records : sequence of mapping
        Records of runs, as ``redshank.evaluate.records`` reads them.
    title : str or None, default=None
        Heading; None makes one of detector and data.
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
        If no record is of a detector, or nothing was judged in the period.
    OSError
        If the file cannot be written.
    """
    subject = subject_of(records, since=since, until=until)
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
        period=_span(subject.period or subject.judged),
        whole=subject.period is None,
        tiles=_parts.tiles(subject),
        incidents=[_parts.entry(one, k) for k, one in enumerate(subject.incidents[:MOST_ROWS], 1)],
        total=len(subject.incidents),
        labelled=subject.labelled,
        rates=_parts.rates(subject),
        kinds=_parts.kinds(subject),
        causes=_parts.causes(subject),
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
    """The whole report in one plain sentence."""
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
    kept = _kept(rate, asked) if math.isfinite(asked) else ""
    each = f"{number(round(rate.estimate, 2))} per device and week{kept}{_against_baseline(subject)}."
    false = (
        f"{subject.false} of them {was(subject.false or 0)} false"
        if count > 1
        else "it was false"
        if subject.false
        else "it was true"
    )
    if subject.period is not None or not events["known"]:
        return f"{first_up(when + seen)}{', and ' + false if count else ''}: {each}"
    found = f"{events['found']} of {counted(events['known'], 'known anomaly')} {was(events['found'])} found"
    if not count:
        return f"{found} and nothing was reported: {each}"
    return f"{found}; of {counted(count, 'incident')} {subject.false} {was(subject.false or 0)} false, {each}"


def _kept(rate: Interval, asked: float) -> str:
    """Whether the budget was kept, as far as the interval can tell."""
    words = f" where at most {number(asked)} {was(1 if asked == 1 else 2)} asked for, so the budget was"
    sure = rate.high <= asked or rate.low > asked
    doubt = "" if sure else " as far as so short a time can tell"
    return f"{words} {'kept' if rate.estimate <= asked else 'exceeded'}{doubt}"


def _against_baseline(subject: Subject) -> str:
    best, name = subject.best_baseline(), subject.headline
    if best is None or name is None:
        return ""
    own, other = (round(value(r["measures"], name), 2) for r in (subject.record, best))
    better = "better than" if own > other else "about as good as" if own == other else "worse than"
    return f"; by {name} it is {better} the best trivial rule, {best['detector']} ({own:.2f} against {other:.2f})"


def _span(span: tuple[int, int] | None) -> tuple[str, str]:
    return (moment(span[0]), moment(span[1])) if span else (ABSENT, ABSENT)
