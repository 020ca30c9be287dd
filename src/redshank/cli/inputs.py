"""What the commands share before they differ: their options, how data are read, which part is learned from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer

from redshank.calibrate import CALIBRATORS, Budget
from redshank.cli.console import count, working
from redshank.core import Frame, InputError, SettingError
from redshank.data import Dataset, load, names, read, split_time
from redshank.detectors.specs import detector_of
from redshank.pipeline import Pipeline
from redshank.scoring import AS_IS
from redshank.training import SAMPLINGS, check_sampling

LEARN = 0.3
"""Part of each device's rows that is learned from, where nothing else is said."""


def check_share(learn: float | None) -> float | None:
    """``--learn``, if it is a part of the rows.

    Raises
    ------
    SettingError
        If it is not.
    """
    if learn is not None and not 0 < learn < 1:
        raise SettingError(f"--learn is {learn:g}; it must lie between 0 and 1, such as {LEARN:g}")
    return learn


File = Annotated[
    str, typer.Argument(metavar="FILE", help="CSV, Parquet, JSON lines or NumPy file, or a data set by name.")
]
Label = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Column of known anomalies: learned from by detectors that need labels, by others only compared with.",
    ),
]
Ignore = Annotated[list[str] | None, typer.Option(metavar="COLUMN", help="Column to leave out; may be given again.")]
Time = Annotated[str | None, typer.Option(metavar="COLUMN", help="Time column, where it is not found by itself.")]
Device = Annotated[str | None, typer.Option(metavar="COLUMN", help="Device column, where it is not found by itself.")]
Zone = Annotated[
    str | None, typer.Option(metavar="ZONE", help="Zone of times without one, such as Europe/Berlin [default: UTC].")
]
Sort = Annotated[bool, typer.Option("--sort", help="Sort rows by time and keep the first of equal times.")]
DataRoot = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Folder of the named data sets [default: REDSHANK_DATA].")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output instead of tables.")]
Detector = Annotated[str, typer.Option(metavar="NAME", help="Detector by name, or with settings: 'pca(latent=2)'.")]
Calibrator = Annotated[str, typer.Option(metavar="NAME", help=f"How scores become alarms: {', '.join(CALIBRATORS)}.")]
BudgetText = Annotated[
    str, typer.Option(metavar="TEXT", help="False alarms allowed; '3 per day' would be for the whole fleet.")
]
Sampling = Annotated[
    str,
    typer.Option(
        metavar="WAY",
        help=f"Rows at unequal steps, for detectors that look at their order: {', '.join(SAMPLINGS)}.",
    ),
]
Learn = Annotated[
    float | None,
    typer.Option(
        metavar="PART",
        callback=check_share,
        help=f"Part of each device's rows, from the first on, to learn from [default: {LEARN:g}].",
    ),
]
Report = Annotated[Path, typer.Option(metavar="FILE", help="Where to write the report.")]

BUDGET = "1 per device per week"
DETECTOR = "ridge"


def pipeline_of(detector: str, calibrator: str, budget: str, sampling: str = AS_IS) -> Pipeline:
    """An unfitted pipeline; names, budget and sampling are checked now, before anything is read.

    Raises
    ------
    SettingError
        If a name or the budget is not understood.
    """
    detector_of(detector)
    CALIBRATORS.extra_of(calibrator)
    Budget.parse(budget)
    check_sampling("--sampling", sampling)
    return Pipeline(detector, calibrator=calibrator, budget=budget, sampling=sampling)


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
    """A file, or where there is no such file a data set of that name.

    Raises
    ------
    InputError
        If it cannot be read.
    SettingError
        If an option on columns is given for a data set by name.
    """
    if not Path(file).exists() and file.split("/", 1)[0] in {name.split("/", 1)[0] for name in names(data_root)}:
        columns = {"label": label, "ignore": ignore, "time": time, "device": device, "zone": zone, "sort": sort}
        for option, given in columns.items():
            if given:
                raise SettingError(f"{file}: is a data set by name, whose columns are known; --{option} is for files")
        return load(file, data_root)
    return read(file, label=label, ignore=tuple(ignore or ()), time=time, device=device, zone=zone, sort=sort)


def check_channels(data: Dataset, file: str, wanted: Sequence[str], whose: str) -> None:
    """Refuse data whose channels are not those that something was, or is to be, learned from.

    Raises
    ------
    InputError
        Names the first channel that is missing, unknown or in another place.
    """
    got = data.frame.schema.names
    missing = [name for name in wanted if name not in got]
    unknown = [name for name in got if name not in wanted]
    if missing:
        what = f"has no channel {missing[0]!r}{_and_more(missing)}"
    elif unknown:
        what = f"has the channel {unknown[0]!r}{_and_more(unknown)} more (--ignore leaves columns out)"
    elif got != tuple(wanted):
        moved = next(name for name, place in zip(got, wanted, strict=True) if name != place)
        what = f"has the same channels in another order, from {moved!r} on"
    else:
        return
    raise InputError(f"{file}: {what}, unlike {whose}; both need the same columns")


def training_part(
    data: Dataset, file: str, learn: float | None, trained_on: Dataset | None = None
) -> tuple[Frame, Frame, npt.NDArray[np.bool_], str]:
    """What to learn from and what to judge, the rows judged, and a sentence on the choice."""
    if trained_on is not None:
        if learn is not None:
            raise SettingError("--train and --learn are both given; choose one")
        check_channels(data, file, trained_on.frame.schema.names, trained_on.name)
        normal, _ = published(trained_on)
        _, judged = published(data)
        return normal, data.frame.take(judged), judged, f"learned from {trained_on.name}"
    if data.train is not None and learn is None:
        normal, rest = published(data)
        return (
            normal,
            data.frame.take(rest),
            rest,
            "learned from the rows published as training part, judged the others",
        )
    share = LEARN if learn is None else learn
    first, rest = split_time(data.frame, share)
    choice = f"learned from the first {share:.0%} of each device's rows (--learn), judged the others"
    return data.frame.take(first), data.frame.take(rest), rest, choice


def labels_for(
    detector: str, data: Dataset, file: str, learn: float | None, *, whole: bool
) -> npt.NDArray[np.generic] | None:
    """Labels of the rows that are learned from, for a detector that needs them; None for all others.

    Parameters
    ----------
    detector : str
        As the user wrote it.
    data : Dataset
        What is learned from, and where it is not ``whole`` judged as well.
    file : str
        Its name, for messages.
    learn : float or None
        As for :func:`training_part`.
    whole : bool
        Whether all rows are learned from, or those published for training: nothing of ``data`` is judged.

    Raises
    ------
    InputError
        If no anomaly is known there.
    """
    if not detector_of(detector).tags.needs_labels:
        return None
    told = data.lessons()
    if told is None:
        hint = "; name their column with --label COLUMN" if Path(file).exists() else ""
        raise InputError(f"{file}: {detector} learns from known anomalies, and none are known there{hint}")
    if data.train is not None and (whole or learn is None):
        return told[data.train]
    return told if whole else told[split_time(data.frame, LEARN if learn is None else learn)[0]]


def published(data: Dataset) -> tuple[Frame, npt.NDArray[np.bool_]]:
    """The rows published for training and the mask of the others; without such a split all rows are both."""
    if data.train is None:
        return data.frame, np.ones(len(data.frame), np.bool_)
    return data.frame.take(data.train), ~data.train


def learn_from(
    pipeline: Pipeline, frame: Frame, file: str, *, labels: npt.NDArray[np.generic] | None = None, quiet: bool
) -> None:
    """Fit a pipeline to what was read from a file, with a progress bar.

    Raises
    ------
    InputError
        If there is not enough to learn from; the text names the file.
    """
    with working("learning", quiet=quiet) as advance:
        try:
            pipeline.fit(frame, labels, progress=lambda epoch, epochs, _: advance(epoch / epochs))
        except InputError as error:
            raise InputError(f"{file}: cannot learn from {count(len(frame), 'row')} ({error})") from error


def _and_more(names: Sequence[str]) -> str:
    return f" and {len(names) - 1} more" if len(names) > 1 else ""
