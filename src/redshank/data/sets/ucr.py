"""The UCR Anomaly Archive of 2021: series of one metric with exactly one anomaly each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from redshank.core import InputError
from redshank.data.dataset import Dataset, labels_of
from redshank.data.options import Options
from redshank.data.reading import read_as
from redshank.data.sets.family import Family, stems


def _load(folder: Path, part: str) -> Dataset:
    """A series by its number or by its full name, which says where training rows end and where the anomaly lies."""
    full = stems(folder, f"{int(part):03d}_*.txt.gz")[:1] if part.isdecimal() else [part]
    if not full:
        raise InputError(
            f"{folder}: has no series {part}; the archive's numbers here are those that names('ucr') lists"
        )
    train_end, start, end = (int(piece) for piece in full[0].split("_")[-3:])
    dataset = read_as(folder / f"{full[0]}.txt.gz", Options(header=False, delimiter=","), f"ucr/{full[0]}")
    rows = np.arange(len(dataset))
    y = ((rows >= start - 1) & (rows <= end - 1)).astype(np.int8)  # the names count from 1, both ends inside
    frame = replace(dataset.frame, schema=type(dataset.frame.schema).of(["value"], 1.0))
    return replace(dataset, frame=frame, y=y, train=rows < train_end, labels=labels_of(frame, y))


UCR = Family(
    "ucr",
    "the UCR Time Series Anomaly Archive of R. Wu and E. Keogh (KDD Cup 2021)",
    lambda folder: stems(folder, "*_UCR_Anomaly_*.txt.gz"),
    _load,
)
