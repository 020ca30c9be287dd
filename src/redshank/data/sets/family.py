"""What a family of data sets promises to the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from redshank.core import Channel, InputError, Kind, Label, Schema
from redshank.data import arrays
from redshank.data.content import content
from redshank.data.dataset import Dataset, labels_of, runs


@dataclass(frozen=True, slots=True)
class Family:
    """A published data set of one or more parts.

    Parameters
    ----------
    name : str
        First part of the names, and the folder below the root.
    published : str
        Where the original is to be had.
    parts : callable
        Folder to the names of its parts, sorted; ``("",)`` for a set that is one.
    load : callable
        Folder and part to data.
    """

    name: str
    published: str
    parts: Callable[[Path], list[str]]
    load: Callable[[Path, str], Dataset]


def stems(folder: Path, pattern: str) -> list[str]:
    """Paths below a folder that match, without their endings, sorted."""
    found = (path.relative_to(folder) for path in folder.glob(pattern))
    return sorted((path.parent / path.name.split(".")[0]).as_posix() for path in found)


def with_units(dataset: Dataset, units: dict[str, str]) -> Dataset:
    """The same readings, with units that the file itself does not give."""
    schema = dataset.frame.schema
    channels = tuple(Channel(one.name, units.get(one.name, one.unit)) for one in schema.channels)
    return replace(dataset, frame=replace(dataset.frame, schema=Schema(channels, schema.interval_s)))


def with_interval(dataset: Dataset, interval_s: float, note: str) -> Dataset:
    """The same rows, ``interval_s`` apart from 1970 on; for files that dropped their times."""
    frame = dataset.frame
    times = np.arange(len(frame), dtype=np.int64) * round(interval_s * 1e9)
    notes = tuple(one for one in dataset.notes if not one.startswith("no time column"))
    schema = Schema(frame.schema.channels, interval_s)
    frame = replace(frame, schema=schema, time_ns=times)
    labels = labels_of(frame, dataset.y) if dataset.y is not None else ()
    return replace(dataset, frame=frame, labels=labels, notes=(*notes, note))


def server(path: Path, name: str, interval_s: float, end_inside: bool) -> Dataset:
    """One server of SMD or ASD: arrays, row labels, and for each anomaly the channels that show it.

    Parameters
    ----------
    end_inside : bool
        Whether the end of a segment in ``interpretation_label`` belongs to it.
    """
    loaded = arrays.load_npz(content(path), str(path))
    width = loaded["train"].shape[1]
    names = tuple(f"dim_{i + 1}" for i in range(width))
    dataset = arrays.from_arrays(loaded, name, str(path), interval_s=interval_s, names=names)
    first = len(loaded["train"])
    labels = []
    listed = content(path.parent / "interpretation_label" / f"{path.stem}.txt").decode()
    for line in listed.split():
        segment, _, dims = line.partition(":")
        start, end = (first + int(row) for row in segment.split("-"))
        times = dataset.frame.time_ns[[start, end if end_inside else end - 1]]
        channels = tuple(names[int(dim) - 1] for dim in dims.split(",") if dim)
        labels.append(Label("device", int(times[0]), int(times[1]), Kind.COLLECTIVE, channels=channels))
    marked = runs(dataset.y) if dataset.y is not None else []
    if len(labels) < len(marked):
        raise InputError(
            f"{path}: {len(marked)} labelled segments, but {len(labels)} are explained; copy the set again"
        )
    return replace(dataset, labels=tuple(labels))
