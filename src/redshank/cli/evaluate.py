"""``redshank evaluate``: how a saved model, or one learned on the spot, does against known anomalies."""

from __future__ import annotations

from typing import Annotated

import typer

from redshank.bundle import load
from redshank.cli import inputs
from redshank.cli.console import output, print_json, print_notes, working
from redshank.cli.scan import labels_between, measures_of, settings_of
from redshank.core import InputError, SettingError
from redshank.evaluate import compare, point_measures
from redshank.pipeline import device_weeks


def evaluate(
    context: typer.Context,
    file: inputs.File,
    model: Annotated[
        str | None, typer.Option(metavar="FILE", help="A saved model; else one is learned from the first part.")
    ] = None,
    label: inputs.Label = None,
    learn: inputs.Learn = None,
    detector: inputs.Detector = inputs.DETECTOR,
    calibrator: inputs.Calibrator = "extreme",
    budget: inputs.BudgetText = inputs.BUDGET,
    ignore: inputs.Ignore = None,
    time: inputs.Time = None,
    device: inputs.Device = None,
    zone: inputs.Zone = None,
    sort: inputs.Sort = False,
    data_root: inputs.DataRoot = None,
    as_json: inputs.AsJson = False,
) -> None:
    """Compare with the known anomalies of FILE.

    FILE is a table with `--label COLUMN`, or a data set by name. Labels are never an input.
    """
    for option in ("detector", "calibrator", "budget", "learn"):
        source = context.get_parameter_source(option)
        if model is not None and source is not None and source.name == "COMMANDLINE":
            raise SettingError(f"--{option} is for learning, and {model} is learned already; leave one of them out")
    pipeline = inputs.pipeline_of(detector, calibrator, budget) if model is None else load(model)
    with working("reading", quiet=as_json):
        data = inputs.open_data(
            file, label=label, ignore=ignore, time=time, device=device, zone=zone, sort=sort, data_root=data_root
        )
    if data.y is None:
        raise InputError(f"{file}: holds no known anomalies; name their column with --label COLUMN")
    if model is None:
        normal, rest, judged, choice = inputs.training_part(data, file, learn)
        inputs.learn_from(pipeline, normal, file, quiet=as_json)
    else:
        inputs.check_channels(data, file, pipeline.schema_.names, f"the model {model}")
        _, judged = inputs.published(data)
        rest, choice = data.frame.take(judged), f"learned earlier: model {model}"
    with working("judging", quiet=as_json):
        analysis = pipeline.analyse(rest, history=normal if model is None else None)
    labels = labels_between(data.labels, rest)
    events = measures_of(compare(analysis.incidents, labels, device_weeks=device_weeks(rest)))
    points = point_measures(analysis.scores.score, data.y[judged], analysis.scores.alarm)
    record = {
        "file": file,
        "rows_judged": int(judged.sum()),
        "settings": settings_of(pipeline, {"learned": choice}),
        "events": events,
        "points": points,
        "notes": list(data.notes),
    }
    if as_json:
        print_json(record)
        return
    print_notes((*data.notes, choice))
    for name, value in (events | points).items():
        output.print(f"{name:<36} {value:>12.4g}", soft_wrap=True)
