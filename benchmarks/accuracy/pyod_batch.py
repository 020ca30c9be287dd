"""Which detectors of PyOD may judge live readings, and which clauses of the contract the others break.

Each detector of PyOD for rows that needs no training framework is fitted through :class:`PyODDetector`, which scores
the probe together and row by row, and refuses what differs. Those that are taken run through the contract checks, as
far as the time allowed a detector goes.

    python benchmarks/accuracy/pyod_batch.py
"""

from __future__ import annotations

import sys
import time
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.record import write_record

from redshank.core import RedshankError, SettingError
from redshank.detectors.combination.pyod import MODELS, PyODDetector
from redshank.testing import CHECKS, normal_series, skip_reason

ROWS = 200
"""Training rows: LOCI takes time with their cube."""
CHECKS_S = 40.0
"""Seconds after which no further contract check of a detector is begun."""


def judged(name: str) -> dict[str, object]:
    channels = 1 if name == "MAD" else 3  # MAD takes one channel alone
    begun = time.perf_counter()
    try:
        PyODDetector(name, rows=ROWS).fit(normal_series()[:, :channels])
    except RedshankError as error:
        why = str(error).removeprefix(f"PyODDetector: PyOD's {name} ").partition(", so it cannot judge")[0]
        kind = "refused" if isinstance(error, SettingError) else "not installed"
        return {"verdict": kind, "why": why, "seconds": round(time.perf_counter() - begun, 2)}
    found: dict[str, object] = {"verdict": "taken", "seconds": round(time.perf_counter() - begun, 2)}
    if channels == 1:
        return found | {"checks": "not run: they have three channels"}

    def make() -> PyODDetector:
        return PyODDetector(name, rows=ROWS)

    broken, left = {}, []
    for check, run in CHECKS.items():
        if skip_reason(check, make()) is not None:
            continue
        if time.perf_counter() - begun > CHECKS_S:
            left.append(check)
            continue
        try:
            run(make)
        except RedshankError as error:
            broken[check] = str(error).removeprefix("PyODDetector: ")
    return found | {"broken": broken, "checks not run in time": left}


def main() -> None:
    rows = {}
    for name in MODELS:
        rows[name] = judged(name)
        print(name, rows[name], flush=True)
    refused = [name for name, row in rows.items() if row["verdict"] == "refused"]
    print(f"refused for live use: {len(refused)} of {len(rows)}: {', '.join(refused)}")
    write_record("pyod_batch", pyod=version("pyod"), rows=ROWS, detectors=rows, refused=refused)


if __name__ == "__main__":
    main()
