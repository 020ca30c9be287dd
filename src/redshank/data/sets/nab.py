"""NAB, the Numenta Anomaly Benchmark: 58 streams of one metric, labelled by windows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from redshank.core import InputError, Kind, Label, label_rows
from redshank.data.content import content
from redshank.data.dataset import Dataset
from redshank.data.options import Options, Order
from redshank.data.reading import read_as
from redshank.data.sets.family import Family, stems


def _load(folder: Path, part: str) -> Dataset:
    """All rows of the file in its order with its own times, also where a clock was changed: the benchmark counts rows.

    ``labels`` are the corpus' windows, both ends inside.
    """
    dataset = read_as(
        folder / "data" / f"{part}.csv", Options(time="timestamp", value="value", order=Order.KEEP), f"nab/{part}"
    )
    path = folder / "labels" / "combined_windows.json"
    windows = json.loads(content(path)).get(f"{part}.csv")
    if windows is None:
        raise InputError(f"{path}: lists no windows for {part}.csv; copy the whole corpus again")
    labels = tuple(Label("device", _ns(start), _ns(end), Kind.COLLECTIVE) for start, end in windows)
    return replace(dataset, labels=labels, y=label_rows(labels, dataset.frame))


def _ns(time: str) -> int:
    return int(np.datetime64(time.replace(" ", "T"), "ns").astype(np.int64))


NAB = Family("nab", "GitHub numenta/NAB", lambda folder: stems(folder / "data", "*/*.csv"), _load)
