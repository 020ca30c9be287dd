"""``redshank evaluate``: how a saved model, or one learned on the spot, does against known anomalies."""

from __future__ import annotations

from typing import Annotated

import typer

from redshank.bundle import load
from redshank.cli import inputs
from redshank.cli.console import output, print_json, working
from redshank.cli.scan import labels_between, measures_of, settings_of
from redshank.core import InputError
from redshank.evaluate import compare, point_measures
from redshank.pipeline import Pipeline, device_weeks


def evaluate(
    file: inputs.File,
    model: Annotated[str | None, typer.Option(help="A saved model; else one is learned from the first part.")] = None,
    label: inputs.Label = None,
    learn: Annotated[
        float | None, typer.Option(help="Part of each device's rows to learn from [default: 0.3].")
    ] = None,
    detector: inputs.Detector = "ae_lstm",
    budget: inputs.Budget = "1 per device per week",
    ignore: inputs.Ignore = None,
    time: inputs.Time = None,
    device: inputs.Device = None,
    zone: inputs.Zone = None,
    sort: inputs.Sort = False,
    data_root: inputs.DataRoot = None,
    as_json: inputs.AsJson = False,
) -> None:
    """Compare with the known anomalies of FILE (`--label COLUMN`, or a named data set). Labels are never an input."""
    with working("reading", quiet=as_json):
        data = inputs.open_data(
            file, label=label, ignore=ignore, time=time, device=device, zone=zone, sort=sort, data_root=data_root
        )
    if data.y is None:
        raise InputError(f"{file}: holds no known anomalies; name their column with --label COLUMN")
    normal, rest, judged, choice = inputs.training_part(data, learn, None)
    if model is not None:
        pipeline = load(model)
    else:
        pipeline = Pipeline(detector, budget=budget)
        with working("learning", quiet=as_json) as advance:
            pipeline.fit(normal, progress=lambda epoch, epochs, _: advance(epoch / epochs))
    with working("judging", quiet=as_json):
        analysis = pipeline.analyse(rest)
    labels = labels_between(data.labels, rest)
    events = measures_of(compare(analysis.incidents, labels, device_weeks=device_weeks(rest)))
    points = point_measures(analysis.scores.score, data.y[judged], analysis.scores.alarm)
    record = {
        "file": file,
        "rows_judged": int(judged.sum()),
        "settings": settings_of(pipeline, {"learned": f"model {model}" if model else choice}),
        "events": events,
        "points": points,
        "notes": list(data.notes),
    }
    if as_json:
        print_json(record)
        return
    for name, value in (events | points).items():
        output.print(f"{name:<36} {value:>12.4g}", soft_wrap=True)
