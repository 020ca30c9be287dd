"""``redshank train``: learn from a file of normal readings and save the model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from redshank.bundle import save
from redshank.cli import inputs
from redshank.cli.console import Stopwatch, output, print_json, working
from redshank.cli.scan import settings_of
from redshank.pipeline import Pipeline


def train(
    file: inputs.File,
    out: Annotated[Path, typer.Option(help="Where to write the model, such as pump.redshank.")],
    detector: inputs.Detector = "ae_lstm",
    calibrator: Annotated[str, typer.Option(help="extreme, likelihood or conformal.")] = "extreme",
    budget: inputs.Budget = "1 per device per week",
    label: inputs.Label = None,
    ignore: inputs.Ignore = None,
    time: inputs.Time = None,
    device: inputs.Device = None,
    zone: inputs.Zone = None,
    sort: inputs.Sort = False,
    data_root: inputs.DataRoot = None,
    as_json: inputs.AsJson = False,
) -> None:
    """Learn what is normal from FILE and save the model."""
    watch = Stopwatch()
    with working("reading", quiet=as_json), watch.step("read"):
        data = inputs.open_data(
            file, label=label, ignore=ignore, time=time, device=device, zone=zone, sort=sort, data_root=data_root
        )
        frame = data.frame if data.train is None else data.frame.take(data.train)
    pipeline = Pipeline(detector, calibrator=calibrator, budget=budget)
    with working("learning", quiet=as_json) as advance, watch.step("learn"):
        pipeline.fit(frame, progress=lambda epoch, epochs, _: advance(epoch / epochs))
    save(pipeline, out)
    if as_json:
        record = {
            "model": str(out),
            "rows": len(frame),
            "devices": len(pipeline.devices_),
            "channels": list(pipeline.schema_.names),
            "held_back_rate": pipeline.held_back_rate_,
            "settings": settings_of(pipeline, {"file": file}),
            "seconds": watch.seconds,
            "notes": list(data.notes),
        }
        print_json(record)
        return
    output.print(
        f"learned {len(pipeline.schema_)} channels of {len(pipeline.devices_)} devices from {len(frame):,} rows "
        f"in {watch.seconds['learn']:.1f} s; model: {out}",
        soft_wrap=True,
    )
