"""SKAB, the Skoltech Anomaly Benchmark: a water rig with staged faults."""

from __future__ import annotations

from pathlib import Path

from redshank.data.dataset import Dataset
from redshank.data.options import Options
from redshank.data.reading import read_as
from redshank.data.sets.family import Family, stems, with_units

_UNITS = {
    "Accelerometer1RMS": "g",
    "Accelerometer2RMS": "g",
    "Current": "A",
    "Pressure": "bar",
    "Temperature": "°C",
    "Thermocouple": "°C",
    "Voltage": "V",
    "Volume Flow RateRMS": "l/min",
}


def _load(folder: Path, part: str) -> Dataset:
    """One experiment, ``y`` from its column ``anomaly``; there is no published training part.

    The usual protocol learns from the first 400 rows of each experiment. ``anomaly-free`` has no labels.
    """
    label = None if part.startswith("anomaly-free") else "anomaly"
    dataset = read_as(folder / f"{part}.csv", Options(time="datetime", label=label), f"skab/{part}")
    return with_units(dataset, _UNITS)


SKAB = Family("skab", "GitHub waico/SKAB", lambda folder: stems(folder, "*/*.csv"), _load)
