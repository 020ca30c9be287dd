"""Sets that are one table, or a folder of like tables: GECCO 2018, occupancy, BATADAL, 3W, C-MAPSS."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from redshank.core import Channel, Kind, Schema, concatenate
from redshank.data.dataset import Dataset, labels_of
from redshank.data.options import Options
from redshank.data.reading import read_as
from redshank.data.sets.family import Family, stems, with_interval, with_units

_WATER = {"tp": "°C", "ph": "pH", "leit": "µS/cm", "redox": "mV", "trueb": "NTU"}
_ROOM = {"Temperature": "°C", "Humidity": "%", "Light": "lux", "CO2": "ppm"}
_WELL = {
    **dict.fromkeys(("P-PDG", "P-TPT", "P-MON-CKP", "P-JUS-CKGL"), "Pa"),
    **dict.fromkeys(("T-TPT", "T-JUS-CKP", "T-JUS-CKGL"), "°C"),
    "QGL": "m3/s",
}
_WELL_EVENTS = {
    "1": "abrupt rise of water content",
    "2": "spurious closure of the subsea safety valve",
    "3": "severe slugging",
    "4": "flow instability",
    "5": "rapid productivity loss",
    "6": "quick choke restriction",
    "7": "scaling in the choke",
    "8": "hydrate",
}
_ENGINE = ("unit", "cycle", *(f"setting_{i}" for i in (1, 2, 3)), *(f"sensor_{i}" for i in range(1, 22)))


def _load_gecco(folder: Path, part: str) -> Dataset:  # noqa: ARG001  the set has one part
    """Drinking water, one row a minute (the mirror dropped the times), ``y`` from ``event``."""
    dataset = read_as(folder / "train.csv.gz", Options(label="event", ignore=("idx",)), "gecco2018")
    return with_units(with_interval(dataset, 60.0, "times were not published: rows are one minute apart"), _WATER)


def _load_occupancy(folder: Path, part: str) -> Dataset:
    """An office; whether it is occupied is context and no anomaly, so there is no ``y``."""
    options = Options(time="date", ignore=("Occupancy",))
    return with_units(read_as(folder / f"{part}.txt.gz", options, f"occupancy/{part}"), _ROOM)


def _load_batadal(folder: Path, part: str) -> Dataset:  # noqa: ARG001  the set has one part
    """A water network: a year without attacks (dataset03, the training rows), then months with seven (dataset04)."""
    options = Options(time="DATETIME", label="ATT_FLAG")
    normal, attacked = (read_as(folder / f"dataset0{i}.csv.gz", options) for i in (3, 4))
    frame = concatenate([normal.frame, attacked.frame])
    train = np.arange(len(frame)) < len(normal)
    y = np.concatenate([_known(normal), _known(attacked)])
    units = {name: {"L": "m", "F": "l/s", "P": "m"}.get(name[0], "") for name in frame.schema.names}
    labels = labels_of(frame, y, Kind.NETWORK_ATTACK)
    ledger = {count: normal.ledger[count] + attacked.ledger[count] for count in normal.ledger}
    return with_units(Dataset("batadal", frame, y, train, labels, attacked.notes, ledger), units)


def _load_well(folder: Path, part: str) -> Dataset:
    """One instance of an oil well, ``y`` from ``class``: transient and steady state of an event are anomalous."""
    dataset = read_as(folder / f"{part}.csv.gz", Options(time="timestamp", label="class"), f"oil_wells_3w/{part}")
    cause = _WELL_EVENTS.get(part.partition("/")[0], "")
    return with_units(replace(dataset, labels=labels_of(dataset.frame, _known(dataset), cause=cause)), _WELL)


def _load_engines(folder: Path, part: str) -> Dataset:
    """Engines until failure (train) or cut before it (test); one cycle counts as one second; no row labels."""
    options = Options(header=False, delimiter=" ", device="column_1", time="column_2", time_unit="s")
    dataset = read_as(folder / f"{part}.txt.gz", options, f"cmapss/{part}")
    frame = dataset.frame
    devices = tuple(f"engine_{number}" for number in frame.devices)
    schema = Schema(tuple(Channel(name) for name in _ENGINE[2:]), 1.0)
    notes = (*dataset.notes, "one flight cycle is written as one second")
    return replace(dataset, frame=replace(frame, devices=devices, schema=schema), notes=notes)


def _known(dataset: Dataset) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    return dataset.y if dataset.y is not None else np.zeros(len(dataset), np.int8)


def _one(folder: Path) -> list[str]:  # noqa: ARG001  same form as the others
    return [""]


_MIRROR = "GitHub cefet-rj-dal/dalevents"
GECCO = Family("gecco2018", f"the GECCO 2018 Industrial Challenge (mirror: {_MIRROR})", _one, _load_gecco)
OCCUPANCY = Family(
    "occupancy", "GitHub LuisM78/Occupancy-detection-data", lambda folder: stems(folder, "*.txt.gz"), _load_occupancy
)
BATADAL = Family("batadal", "the BATADAL competition (mirror: GitHub rtaormina/aeed)", _one, _load_batadal)
WELLS = Family(
    "oil_wells_3w",
    f"the 3W data set of Petrobras (mirror: {_MIRROR})",
    lambda folder: stems(folder, "[0-9]/*.csv.gz"),
    _load_well,
)
CMAPSS = Family(
    "cmapss",
    "the NASA C-MAPSS turbofan data (mirror: GitHub schwxd/LSTM-Keras-CMAPSS)",
    lambda folder: stems(folder, "*_FD*.txt.gz"),
    _load_engines,
)
