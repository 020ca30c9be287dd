"""Detectors beside trivial baselines on families of public data: the tables of ``redshank bench``, at the defaults."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.record import write_record

from redshank.evaluate.records import read
from redshank.evaluate.tables import DEFAULT_MEASURES, Measured, results_table

LEFT_OUT = 2
"""Exit code where a member of the family could not be used; the sentences stand in the record."""
FAMILIES = ("skab", "nab/realKnownCause", "nab/realTraffic", "smd", "asd")


def main() -> None:
    """Bench each family in a process of its own, and keep the rows of its table with their intervals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--families", nargs="+", default=list(FAMILIES))
    parser.add_argument("--detectors", nargs="+", default=["ridge", "pca"])
    options = parser.parse_args()
    tables = {}
    for family in options.families:
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "runs.jsonl"
            words = [word for name in options.detectors for word in ("--detector", name)]
            done = subprocess.run(
                [sys.executable, "-m", "redshank", "bench", family, *words, "--record", str(path)],
                check=False,
                capture_output=True,
                text=True,
            )
            if done.returncode not in {0, LEFT_OUT}:
                raise SystemExit(done.stderr)
            table = results_table(read(path), (*DEFAULT_MEASURES, "PR-AUC", "VUS-ROC", "affiliation F1"))
        tables[family] = {
            "caption": table.caption,
            "columns": table.columns,
            "rows": [[vars_of(cell) for cell in row] for row in table.rows],
            "notes": table.notes,
            "left_out": [line for line in done.stderr.splitlines() if line.startswith("left out:")],
            "seconds": round(time.perf_counter() - start, 1),
        }
        print(table.markdown())
    write_record("evaluate", tables=tables)


def vars_of(cell: object) -> object:
    """A measured cell with its interval; any other as it is."""
    if isinstance(cell, Measured):
        return {"value": cell.value, "low": cell.low, "high": cell.high, "best": cell.best}
    return cell


if __name__ == "__main__":
    main()
