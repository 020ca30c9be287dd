"""Faults that real public data hold, and normal data that hold none."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from redshank.core import Frame
from redshank.quality import QualityChecks


def read(path: Path, delimiter: str = ",", columns: slice = slice(1, None)) -> Frame:
    plain = path if path.exists() else path.with_name(path.name + ".gz")
    opener = gzip.open if plain.suffix == ".gz" else open
    with opener(plain, "rt") as text:
        header, *rows = csv.reader(text, delimiter=delimiter)
    times = [round(datetime.fromisoformat(row[0]).replace(tzinfo=UTC).timestamp()) * 10**9 for row in rows]
    return Frame.of(np.array([row[columns] for row in rows], float), names=header[columns], time_ns=times)


def halves(frame: Frame, share: float) -> list[str]:
    cut = int(share * len(frame))
    found = QualityChecks().fit(frame.take(slice(0, cut))).check(frame.take(slice(cut, None)))
    return [one.cause for one in found]


def test_the_hour_that_came_twice(data_root: Path) -> None:
    """The machine's recorder went back one hour in January 2014; its temperature faults are no sensor faults."""
    assert halves(read(data_root / "nab/data/realKnownCause/machine_temperature_system_failure.csv"), 0.3) == ["clock"]


@pytest.mark.parametrize("name", ["ambient_temperature_system_failure", "nyc_taxi", "rogue_agent_key_updown"])
def test_anomalies_of_the_process_are_left_to_the_detector(data_root: Path, name: str) -> None:
    assert halves(read(data_root / f"nab/data/realKnownCause/{name}.csv"), 0.3) == []


def test_a_normal_water_rig(data_root: Path) -> None:
    (path,) = (data_root / "skab/anomaly-free").iterdir()
    assert halves(read(path, ";", slice(1, 9)), 0.5) == []
