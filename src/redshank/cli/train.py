"""``redshank train``: learn from a file of normal readings and save the model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from redshank.bundle import save
from redshank.cli import inputs
from redshank.cli.console import Stopwatch, count, output, print_json, print_notes, working
from redshank.cli.outputs import check_place
from redshank.cli.scan import settings_of
from redshank.scoring import AS_IS


def train(
    file: inputs.File,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to write the model, such as pump.redshank.")],
    detector: inputs.Detector = inputs.DETECTOR,
    calibrator: inputs.Calibrator = "extreme",
    budget: inputs.BudgetText = inputs.BUDGET,
    sampling: inputs.Sampling = AS_IS,
    label: inputs.Label = None,
    ignore: inputs.Ignore = None,
    time: inputs.Time = None,
    device: inputs.Device = None,
    zone: inputs.Zone = None,
    sort: inputs.Sort = False,
    data_root: inputs.DataRoot = None,
    as_json: inputs.AsJson = False,
) -> None:
    """Learn what is normal from FILE and save the model.

    Every row of FILE counts as normal; of a data set by name, the rows that were published for training. A detector
    that needs labels learns from the column of --label, which may name what is wrong.
    """
    watch = Stopwatch()
    pipeline = inputs.pipeline_of(detector, calibrator, budget, sampling)
    check_place(out)
    with working("reading", quiet=as_json), watch.step("read"):
        data = inputs.open_data(
            file, label=label, ignore=ignore, time=time, device=device, zone=zone, sort=sort, data_root=data_root
        )
        told = inputs.labels_for(detector, data, file, None, whole=True)
        frame = data.frame if data.train is None else data.frame.take(data.train)
    with watch.step("learn"):
        inputs.learn_from(pipeline, frame, file, labels=told, quiet=as_json)
    save(pipeline, out)
    notes = (*data.notes, *pipeline.notes_)
    if as_json:
        record = {
            "model": str(out),
            "rows": len(frame),
            "devices": len(pipeline.devices_),
            "channels": list(pipeline.schema_.names),
            "held_back_rate": pipeline.held_back_rate_,
            "settings": settings_of(pipeline, {"file": file}),
            "seconds": watch.seconds,
            "notes": list(notes),
        }
        print_json(record)
        return
    print_notes(notes)
    output.print(
        f"learned {count(len(pipeline.schema_), 'channel')} of {count(len(pipeline.devices_), 'device')} "
        f"from {count(len(frame), 'row')} "
        f"in {watch.seconds['learn']:.1f} s; model: {out}",
        soft_wrap=True,
    )
