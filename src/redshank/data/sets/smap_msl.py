"""SMAP and MSL: telemetry of a satellite and of a rover with the commands they were given."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

from redshank.core import Kind, Label, label_rows
from redshank.data import arrays
from redshank.data.content import content
from redshank.data.dataset import Dataset
from redshank.data.sets.family import Family, stems

STEP_S = 60.0
_KINDS = {"point": Kind.POINT, "contextual": Kind.CONTEXTUAL}


def _load(folder: Path, part: str) -> Dataset:
    """One telemetry channel (``value``) with its command indicators (``command_1``, ...).

    A channel that is listed twice (P-2) has the segments of both lists.
    """
    path = folder / f"{part}.npz"
    loaded = arrays.load_npz(content(path), str(path))
    names = ("value", *(f"command_{i}" for i in range(1, loaded["train"].shape[1])))
    dataset = arrays.from_arrays(loaded, f"smap_msl/{part}", str(path), interval_s=STEP_S, names=names)
    first, time_ns = len(loaded["train"]), dataset.frame.time_ns
    spacecraft, _, channel = part.partition("/")
    labels = []
    listed = io.StringIO(content(folder / "labeled_anomalies.csv").decode())
    for record in csv.DictReader(listed):
        if (record["spacecraft"], record["chan_id"]) != (spacecraft, channel):
            continue
        kinds = record["class"].strip("[]").split(", ")
        for (start, end), kind in zip(json.loads(record["anomaly_sequences"]), kinds, strict=True):
            last = min(first + end, len(time_ns) - 1)
            labels.append(Label("device", int(time_ns[first + start]), int(time_ns[last]), _KINDS[kind]))
    notes = (*dataset.notes, "training and test rows of a channel are not always contiguous")
    return replace(dataset, labels=tuple(labels), y=label_rows(labels, dataset.frame), notes=notes)


SMAP_MSL = Family(
    "smap_msl",
    "GitHub khundman/telemanom",
    lambda folder: stems(folder, "SMAP/*.npz") + stems(folder, "MSL/*.npz"),
    _load,
)
