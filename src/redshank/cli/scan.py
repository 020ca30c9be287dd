"""``redshank scan``: learn from the first part of a file, judge the rest, explain what is odd."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from redshank.cli import inputs
from redshank.cli.console import (
    Stopwatch,
    count,
    incident_table,
    output,
    print_json,
    print_notes,
    working,
)
from redshank.cli.outputs import report_at
from redshank.core import Frame, Label
from redshank.detectors import DETECTORS
from redshank.evaluate import EventReport, compare
from redshank.evaluate.records import incident_record, pipeline_settings
from redshank.incidents import duration
from redshank.pipeline import Analysis, Pipeline, device_weeks
from redshank.scoring import AS_IS

FEWEST_WEEKS = 0.2
"""Device-weeks, more than a day, below which one incident more or less says nothing of a weekly rate."""
WEEK_S = 604800.0


def scan(
    file: inputs.File,
    train: Annotated[
        str | None, typer.Option(metavar="FILE", help="Learn from this file instead of the first part of FILE.")
    ] = None,
    learn: inputs.Learn = None,
    detector: inputs.Detector = inputs.DETECTOR,
    calibrator: inputs.Calibrator = "extreme",
    budget: inputs.BudgetText = inputs.BUDGET,
    sampling: inputs.Sampling = AS_IS,
    report: inputs.Report = Path("report.html"),
    label: inputs.Label = None,
    ignore: inputs.Ignore = None,
    time: inputs.Time = None,
    device: inputs.Device = None,
    zone: inputs.Zone = None,
    sort: inputs.Sort = False,
    data_root: inputs.DataRoot = None,
    as_json: inputs.AsJson = False,
) -> None:
    """Learn from the first part of FILE, judge the rest, report.

    FILE may hold one device or many; what was assumed about its columns is printed, and every assumption has an
    option that overrides it. The incidents are printed as a table and drawn in the report, one HTML file. A detector
    that needs labels learns from those of --label in the first part, and incidents are called by their names.
    """
    watch = Stopwatch()
    pipeline = inputs.pipeline_of(detector, calibrator, budget, sampling)
    write_report = report_at(report)
    open_data = partial(
        inputs.open_data,
        label=label,
        ignore=ignore,
        time=time,
        device=device,
        zone=zone,
        sort=sort,
        data_root=data_root,
    )
    with working("reading", quiet=as_json), watch.step("read"):
        data = open_data(file)
        learned = open_data(train) if train else None
        normal, rest, judged, choice = inputs.training_part(data, file, learn, learned)
        told = inputs.labels_for(detector, learned or data, train or file, learn, whole=learned is not None)
    with watch.step("learn"):
        inputs.learn_from(pipeline, normal, train or file, labels=told, quiet=as_json)
    with working("judging", quiet=as_json), watch.step("judge"):
        analysis = pipeline.analyse(rest, history=None if train else normal)
    labels = labels_between(data.labels, rest)
    found = compare(analysis.incidents, labels, device_weeks=device_weeks(rest)) if labels else None
    settings = settings_of(pipeline, {"file": file, "learned": choice})
    notes = (*data.notes, choice, *pipeline.notes_, *analysis.notes)
    with working("writing the report", quiet=as_json), watch.step("report"):
        write_report(
            analysis,
            title=f"Scan of {data.name}",
            source=file,
            budget=budget,
            held_back_rate=pipeline.held_back_rate_,
            notes=notes,
            ledger=data.ledger,
            settings=settings,
            seconds=watch.seconds,
            labels=labels,
            measures=measures_of(found) if found else {},
        )
    if as_json:
        record = {
            "file": file,
            "rows": data.ledger.get("rows read", len(data.frame)),
            "rows_judged": int(judged.sum()),
            "devices": len({int(device) for device in data.frame.device}),
            "budget": budget,
            "realised_rate": analysis.rate(),
            "held_back_rate": pipeline.held_back_rate_,
            "settings": settings,
            "seconds": watch.seconds,
            "notes": list(notes),
            "ledger": data.ledger,
            "labels": measures_of(found) if found else None,
            "incidents": [incident_record(incident) for incident in analysis.incidents],
            "report": str(report),
        }
        print_json(record)
        return
    print_notes(notes)
    show(analysis, pipeline, found, report, sum(watch.seconds.values()))


def labels_between(labels: Sequence[Label], frame: Frame) -> list[Label]:
    """The known anomalies that the judged rows of their device touch."""
    spans = {
        device: (int(frame.time_ns[rows[0]]), int(frame.time_ns[rows[-1]]))
        for device, rows in zip(frame.devices, frame.series(), strict=True)
        if len(rows)
    }
    return [
        label
        for label in labels
        if label.device in spans and label.end_ns >= spans[label.device][0] and label.start_ns <= spans[label.device][1]
    ]


def settings_of(pipeline: Pipeline, more: Mapping[str, object]) -> dict[str, object]:
    """Every setting of a fitted pipeline by name, for JSON and the report."""
    detector = DETECTORS.name_of(type(pipeline.scorer_.detectors[0]))
    return {**more, "detector": detector, **pipeline_settings(pipeline)}


def measures_of(found: EventReport) -> dict[str, float]:
    """The comparison with known anomalies as plain numbers."""
    return {
        "known events": found.events,
        "found": found.found,
        "event recall": round(found.recall, 4),
        "incidents": found.incidents,
        "false incidents": found.false,
        "false incidents per device-week": round(found.false_per_device_week, 4),
        "share of time in incidents": round(found.alarm_share, 4),
        "median delay, s": round(found.median_delay_s, 1),
    }


def show(analysis: Analysis, pipeline: Pipeline, found: EventReport | None, report: Path, seconds: float) -> None:
    """Print what a person wants to know: incidents, rates, comparison, where the report is."""
    if analysis.incidents:
        output.print(incident_table(analysis.incidents))
    incidents, rows = count(len(analysis.incidents), "incident"), count(len(analysis.frame), "row")
    weeks = device_weeks(analysis.frame)
    if weeks < FEWEST_WEEKS:
        time = f"{duration(weeks * WEEK_S)} of device time, too short for a rate"
    else:
        time = f"{weeks:.2f} device-weeks: {analysis.rate():.2f} per device-week, true ones included"
    output.print(
        f"\n{incidents} in {rows}, {time} (budget for false ones: {pipeline.budget}; "
        f"alarm levels set where normal rows held back gave {pipeline.held_back_rate_:.2f})",
        soft_wrap=True,
    )
    if found is not None:
        output.print(
            f"against the labels: {found.found} of {found.events} known events found, "
            f"{found.false} of {found.incidents} incidents match none, "
            f"{found.alarm_share:.0%} of the time lies inside incidents",
            soft_wrap=True,
        )
    output.print(f"report: {report}  ({seconds:.1f} s)", soft_wrap=True)
