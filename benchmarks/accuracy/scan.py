"""``redshank scan`` on real recordings: which known events its incidents meet, false incidents, seconds."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.record import write_record

DATA = Path(os.environ.get("REDSHANK_DATA", ROOT.parent / "shared" / "data"))


def main() -> None:
    """Scan each recording with each detector, in a process of its own, at the shipped defaults."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detectors", nargs="+", default=["ridge", "pca", "ae_lstm"])
    parser.add_argument("--reports", type=Path, default=None, help="folder to keep the reports in")
    options = parser.parse_args()
    recordings = {
        "nab/realKnownCause/machine_temperature_system_failure": [
            "nab/realKnownCause/machine_temperature_system_failure"
        ],
        **{f"skab/valve1/{i}": [str(DATA / f"skab/valve1/{i}.csv"), "--label", "anomaly"] for i in (0, 1, 2)},
        "smd/machine-1-6": ["smd/machine-1-6"],
    }
    runs = []
    for name, words in recordings.items():
        for detector in options.detectors:
            runs.append(run(name, words, detector, options.reports))
            print({key: value for key, value in runs[-1].items() if key != "sentences"})
    write_record("scan", runs=runs)


def run(name: str, words: list[str], detector: str, reports: Path | None) -> dict[str, object]:
    """One scan: comparison with the labels, rates, seconds, and the first sentences."""
    with tempfile.TemporaryDirectory() as folder:
        report = (reports or Path(folder)) / f"{name.replace('/', '-')}-{detector}.html"
        start = time.perf_counter()
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "redshank",
                "scan",
                *words,
                "--json",
                "--detector",
                detector,
                "--report",
                str(report),
            ]
            + ["--data-root", str(DATA)],
            capture_output=True,
            text=True,
            check=True,
        )
        wall_s = time.perf_counter() - start
    record = json.loads(done.stdout)
    return {
        "recording": name,
        "detector": detector,
        "rows": record["rows"],
        "rows_judged": record["rows_judged"],
        **record["labels"],
        "budget": record["budget"],
        "realised_rate": record["realised_rate"],
        "held_back_rate": record["held_back_rate"],
        "wall_s": round(wall_s, 1),
        "seconds": record["seconds"],
        "sentences": [incident["sentence"] for incident in record["incidents"]][:5],
    }


if __name__ == "__main__":
    main()
