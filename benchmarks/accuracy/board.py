"""Every detector on five families of public data, and each paper's comparison, as one record each.

    python benchmarks/accuracy/board.py [--quick] [--jobs 2] [--only detectors|papers] [--data NAMES]
                                          [--comparisons NAMES]

Runs ``redshank bench detectors`` and ``redshank bench papers``; their own records, one a series and detector, go to
``.cache/`` and are taken up again by the next run. What is written to ``benchmarks/results`` is the table that they
make, with the VUS-PR of every series.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.record import write_record

from redshank.evaluate.board.jobs import DONE, ROW
from redshank.evaluate.board.series import FAMILIES
from redshank.evaluate.board.table import RANKED, board_table
from redshank.evaluate.papers import COMPARISONS
from redshank.evaluate.records import Record, read

CACHE = ROOT / ".cache"


def ran(board: str, record: Path, *options: str) -> tuple[list[Record], float]:
    """Records of a board, made where they are missing, and the seconds that took."""
    CACHE.mkdir(exist_ok=True)
    start = time.perf_counter()
    command = [sys.executable, "-m", "redshank", "bench", board, "--record", str(record), *options]
    code = subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False).returncode
    if code not in (0, 2):  # 2: a detector failed somewhere, which its row says
        raise SystemExit(code)
    return read(record), time.perf_counter() - start


def detectors(*, quick: bool, jobs: int, data: str | None) -> None:
    name = "board-quick" if quick else "board"
    options = [*["--quick"] * quick, *(["--data", data] if data else []), "--jobs", str(jobs)]
    records, seconds = ran("detectors", CACHE / f"{name}.jsonl", *options)
    wanted = data.split(",") if data else FAMILIES
    records = [one for one in records if one.get("kind") != ROW or family(one) in wanted]
    table = board_table(records)
    done = [one for one in records if one.get("kind") == ROW and one["status"] == DONE and not one.get("left_out")]
    names = list(dict.fromkeys(place(one) for one in done))
    values: dict[str, dict[str, float]] = {}
    for one in done:
        values.setdefault(one["arguments"]["detector"], {})[place(one)] = one["measures"].get(RANKED, math.nan)
    write_record(
        name,
        wall_s=seconds,
        work_s=sum(one["wall_s"] for one in records if one.get("kind") == ROW),
        jobs=sum(one.get("kind") == ROW for one in records),
        workers=jobs,
        caption=table.caption,
        notes=table.notes,
        table=table.csv().splitlines(),
        series=names,
        by_series={
            detector: " ".join(f"{own.get(series, math.nan):.4f}" for series in names)
            for detector, own in values.items()
        },
    )


def family(one: Record) -> str:
    """The family of data that was judged."""
    return str(one["arguments"]["series"].partition("/")[0])


def place(one: Record) -> str:
    """What was judged, and how it was divided."""
    return f"{one['arguments']['series']}, {one['arguments']['protocol']}"


def papers(*, quick: bool, only: str | None) -> None:
    name = "papers-quick" if quick else "papers"
    options = [*["--quick"] * quick, *(["--only", only] if only else [])]
    records, seconds = ran("papers", CACHE / f"{name}.jsonl", *options)
    wanted = only.split(",") if only else COMPARISONS
    without = ("versions", "machine", "git")  # those of the whole record
    kept = [
        {key: value for key, value in one.items() if key not in without}
        for one in records
        if one["comparison"] in wanted
    ]
    write_record(name, wall_s=seconds, comparisons=kept)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", choices=("detectors", "papers"))
    parser.add_argument("--comparisons", metavar="NAMES", help="of the papers, commas between; the others are left out")
    parser.add_argument("--data", metavar="NAMES", help="families of data, commas between; the others are left out")
    given = parser.parse_args()
    if given.only != "papers":
        detectors(quick=given.quick, jobs=given.jobs, data=given.data)
    if given.only != "detectors":
        papers(quick=given.quick, only=given.comparisons)
