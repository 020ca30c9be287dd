"""One JSON record a benchmark run: what was measured, with what, where, by which command."""

from __future__ import annotations

import json
from pathlib import Path

from redshank.evaluate.records import environment, peak_mib, plain

RESULTS = Path(__file__).resolve().parent / "results"


def write_record(name: str, **fields: object) -> Path:
    """Write ``benchmarks/results/NAME.json`` with ``fields`` and everything needed to repeat the run."""
    record = {"benchmark": name, **environment(), "peak_mib": peak_mib(), **fields}
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(plain(record), indent=2, allow_nan=False) + "\n")
    print(f"wrote {path.relative_to(RESULTS.parents[1])}")
    return path
