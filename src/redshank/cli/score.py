"""``redshank score``: judge a file with a saved model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from redshank.bundle import load
from redshank.cli import inputs
from redshank.cli.console import count, incident_table, output, print_json, print_notes, working
from redshank.cli.outputs import check_place
from redshank.cli.scan import settings_of
from redshank.evaluate.records import incident_record, iso
from redshank.pipeline import Analysis

Model = Annotated[Path, typer.Argument(metavar="MODEL", help="What `redshank train` wrote.")]


def score(
    model: Model,
    file: inputs.File,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write time, device, score, p, alarm of each row here as CSV.")
    ] = None,
    label: inputs.Label = None,
    ignore: inputs.Ignore = None,
    time: inputs.Time = None,
    device: inputs.Device = None,
    zone: inputs.Zone = None,
    sort: inputs.Sort = False,
    data_root: inputs.DataRoot = None,
    as_json: inputs.AsJson = False,
) -> None:
    """Judge FILE with a saved MODEL.

    The incidents are printed; `--out` writes the score of every row.
    """
    if out is not None:
        check_place(out)
    pipeline = load(model)
    with working("reading", quiet=as_json):
        data = inputs.open_data(
            file, label=label, ignore=ignore, time=time, device=device, zone=zone, sort=sort, data_root=data_root
        )
    inputs.check_channels(data, file, pipeline.schema_.names, f"the model {model}")
    with working("judging", quiet=as_json):
        _, judged = inputs.published(data)
        analysis = pipeline.analyse(data.frame.take(judged))
    if out is not None:
        write_scores(out, analysis)
    if as_json:
        record = {
            "model": str(model),
            "file": file,
            "rows": len(analysis.frame),
            "devices": len({int(device) for device in data.frame.device}),
            "alarms": int(analysis.scores.alarm.sum()),
            "realised_rate": analysis.rate(),
            "budget": pipeline.budget,
            "settings": settings_of(pipeline, {}),
            "notes": [*data.notes, *analysis.notes],
            "scores": None if out is None else str(out),
            "incidents": [incident_record(incident) for incident in analysis.incidents],
        }
        print_json(record)
        return
    print_notes([*data.notes, *analysis.notes])
    if analysis.incidents:
        output.print(incident_table(analysis.incidents))
    output.print(f"\n{count(len(analysis.incidents), 'incident')} in {count(len(data.frame), 'row')}", soft_wrap=True)
    if out is not None:
        output.print(f"scores: {out}", soft_wrap=True)


def write_scores(path: Path, analysis: Analysis) -> None:
    """One line a row; the file appears whole or not at all."""
    frame, scores = analysis.frame, analysis.scores
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    columns = zip(frame.time_ns, frame.device, scores.score, scores.p, scores.alarm, scores.ready, strict=True)
    try:
        with partial.open("w", encoding="utf-8", newline="") as stream:
            stream.write("time,device,score,p,alarm,ready\n")
            for time_ns, index, value, p, alarm, ready in columns:
                name = frame.devices[index].replace('"', '""')
                stream.write(f'{iso(int(time_ns))},"{name}",{value:.9g},{p:.6g},{np.int8(alarm)},{np.int8(ready)}\n')
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
