"""NAB score of the registered detectors, by ``redshank bench nab``, beside what does not look at the data."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.record import write_record


def main() -> None:
    """Score the whole corpus once a detector, each learned on the probation of each file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detectors", nargs="+", default=["ridge", "pca"])
    options = parser.parse_args()
    records: dict[str, object] = {}
    seconds = {}
    for name in options.detectors:
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "redshank", "bench", "nab", "--detector", name, "--json"],
            capture_output=True,
            text=True,
            check=True,
        )
        seconds[name] = round(time.perf_counter() - start, 1)
        found = {one["detector"]: one["scores"] for one in json.loads(done.stdout)["records"]}
        records |= found
        print(name, {kind: one["standard"]["score"] for kind, one in found[name].items()}, seconds[name], "s")
    write_record("nab_detectors", scores=records, seconds=seconds)


if __name__ == "__main__":
    main()
