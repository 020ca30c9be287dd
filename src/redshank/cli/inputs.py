"""How the commands read their data: options that several of them share, files and data sets by name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer

from redshank.core import Frame, InputError
from redshank.data import Dataset, load, names, read, split_time

File = Annotated[
    str, typer.Argument(metavar="FILE", help="CSV, Parquet, JSON lines or NumPy file, or a data set by name.")
]
Label = Annotated[str | None, typer.Option(help="Column of known anomalies: never an input, only compared with.")]
Ignore = Annotated[list[str] | None, typer.Option(help="Column to leave out; may be given again.")]
Time = Annotated[str | None, typer.Option(help="Time column, where it is not found by itself.")]
Device = Annotated[str | None, typer.Option(help="Device column, where it is not found by itself.")]
Zone = Annotated[str | None, typer.Option(help="Zone of times without one, such as Europe/Berlin; UTC if not given.")]
Sort = Annotated[bool, typer.Option("--sort", help="Sort rows by time and keep the first of equal times.")]
DataRoot = Annotated[Path | None, typer.Option(help="Folder of the named data sets; else REDSHANK_DATA.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output instead of tables.")]
Detector = Annotated[str, typer.Option(help="Detector by name; `redshank detectors` lists them.")]
Budget = Annotated[str, typer.Option(help="False alarms allowed, such as '1 per device per week'.")]


def open_data(
    file: str,
    *,
    label: str | None = None,
    ignore: list[str] | None = None,
    time: str | None = None,
    device: str | None = None,
    zone: str | None = None,
    sort: bool = False,
    data_root: Path | None = None,
) -> Dataset:
    """A file, or where there is no such file a data set of that name."""
    if not Path(file).exists() and file.split("/", 1)[0] in {name.split("/", 1)[0] for name in names(data_root)}:
        return load(file, data_root)
    return read(file, label=label, ignore=tuple(ignore or ()), time=time, device=device, zone=zone, sort=sort)


def training_part(
    data: Dataset, learn: float | None, trained_on: Dataset | None
) -> tuple[Frame, Frame, npt.NDArray[np.bool_], str]:
    """What to learn from and what to judge, the rows judged, and a sentence on the choice."""
    everything = np.ones(len(data.frame), np.bool_)
    if trained_on is not None:
        if trained_on.frame.schema.names != data.frame.schema.names:
            raise InputError(
                f"{trained_on.name}: its channels {', '.join(trained_on.frame.schema.names)} are not those of "
                f"{data.name}: {', '.join(data.frame.schema.names)}"
            )
        return trained_on.frame, data.frame, everything, f"learned from {trained_on.name}"
    if data.train is not None and learn is None:
        rest = ~data.train
        return (
            data.frame.take(data.train),
            data.frame.take(rest),
            rest,
            "learned from the rows published as training part",
        )
    share = 0.3 if learn is None else learn
    first, rest = split_time(data.frame, share)
    return (
        data.frame.take(first),
        data.frame.take(rest),
        rest,
        f"learned from the first {share:.0%} of each device's rows",
    )
