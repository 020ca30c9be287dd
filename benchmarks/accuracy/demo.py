"""The demo against the known truth, seed by seed: event recall, delay, false incidents, for each detector."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.record import write_record


def main() -> None:
    """Run ``redshank demo --json`` once a seed and detector, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="seeds 0 to N-1")
    parser.add_argument("--detectors", nargs="+", default=["ridge", "pca", "ae_lstm"])
    parser.add_argument("--record", default="demo")
    options = parser.parse_args()
    runs = []
    for detector in options.detectors:
        for seed in range(options.seeds):
            runs.append(run(detector, seed))
            found = runs[-1]
            print(
                f"{detector:8} seed {seed:2}: recall {found['event recall']:.3f}, "
                f"{found['false incidents per device-week']:.2f} false per device-week, "
                f"median delay {found['median delay, s']:.0f} s, {found['wall_s']:.0f} s"
            )
    summary = {
        detector: summarise([one for one in runs if one["detector"] == detector]) for detector in options.detectors
    }
    for detector, means in summary.items():
        print(detector, means)
    write_record(options.record, summary=summary, runs=runs)


def run(detector: str, seed: int) -> dict[str, Any]:
    """One demo: its measures, what was found by kind, and seconds."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "redshank",
                "demo",
                "--json",
                "--seed",
                str(seed),
                "--detector",
                detector,
                "--report",
            ]
            + [str(Path(folder) / "report.html")],
            capture_output=True,
            text=True,
            check=True,
        )
        wall_s = time.perf_counter() - start
    record = json.loads(done.stdout)
    keep = ("budget", "realised_rate", "held_back_rate", "found_by_kind", "seconds", "rows", "devices")
    return {"detector": detector, "seed": seed, "wall_s": round(wall_s, 1), **record["measures"]} | {
        key: record[key] for key in keep
    }


def summarise(runs: list[dict[str, Any]]) -> dict[str, float]:
    """Totals and means over the seeds of one detector."""
    known = sum(one["known events"] for one in runs)
    found = sum(one["found"] for one in runs)
    return {
        "event recall": round(found / known, 4),
        "lowest event recall": min(one["event recall"] for one in runs),
        "false incidents per device-week": round(
            statistics.mean(one["false incidents per device-week"] for one in runs),
            4,
        ),
        "highest false incidents per device-week": max(one["false incidents per device-week"] for one in runs),
        "median wall_s": statistics.median(one["wall_s"] for one in runs),
    }


if __name__ == "__main__":
    main()
