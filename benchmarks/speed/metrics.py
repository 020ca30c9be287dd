"""Metrics beside those of the pip package TSB-AD 1.5: seconds and peak memory on one thread, one table.

    python benchmarks/speed/metrics.py [--rows 10000 100000 1000000] [--repeats 5] [--limit 120] [--python PATH]

Each cell is a process of its own. Data: 2 % anomalous rows in anomalies of 25 to 75 rows, scores of normal rows from a
normal distribution and those of anomalous rows 1.5 higher, the top 2 % of the scores alarmed, window 100. Without
``--python`` an environment for TSB-AD is made beside ours, once.

Rows of the table: both VUS; affiliation of the alarms; all measures at once (ours: ``measure``, with oracle values;
theirs: ``get_metrics``, nine of them, by its oracle thresholds); the NAB score of the scores as one file, all
thresholds and profiles, which TSB-AD has not. Seconds are processor seconds, on a quiet machine the wall time; wall
times are recorded too. TSB-AD runs once and is stopped at the limit, in wall time with its start.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.record import write_record
from benchmarks.tsb_ad_peer import call, environment, one_thread, timed

from redshank.evaluate.metrics.affiliation import affiliation
from redshank.evaluate.metrics.nab import nab_score
from redshank.evaluate.metrics.summary import measure
from redshank.evaluate.metrics.volume import vus

SEED, SHARE, SHORTEST, LONGEST, SHIFT, WINDOW, MINUTE_NS = 0, 0.02, 25, 75, 1.5, 100, 60_000_000_000
WHAT = ("VUS", "affiliation", "all", "NAB")
TARGETS_S = {
    ("VUS", 100_000): 0.25,
    ("VUS", 1_000_000): 3.0,
    ("affiliation", 1_000_000): 0.5,
    ("NAB", 1_000_000): 1.0,
    ("all", 100_000): 1.5,
}
TARGET_MIB, TARGET_GROWTH = 500.0, 12.0


def make(rows: int) -> dict[str, np.ndarray]:
    """Scores, labels and alarms of one series; anomalies are apart, and not in the first rows (NAB's probation)."""
    rng = np.random.default_rng([SEED, rows])
    count = max(1, round(SHARE * rows * 2 / (SHORTEST + LONGEST)))
    lengths = rng.integers(SHORTEST, LONGEST + 1, count)
    gaps = rng.multinomial(rows - lengths.sum() - 750 - count, np.ones(count + 1) / (count + 1))
    first = 750 + np.cumsum(gaps[:-1] + 1) + np.cumsum(lengths) - lengths
    edges = np.zeros(rows + 1, dtype=int)
    edges[first] += 1
    edges[first + lengths] -= 1
    labels = np.cumsum(edges[:-1])
    scores = rng.normal(size=rows) + SHIFT * labels
    alarm = (scores > np.quantile(scores, 1 - SHARE)).astype(int)
    return {"scores": scores, "labels": labels, "alarm": alarm, "window": np.array(WINDOW)}


def cell(what: str, path: Path, repeats: int) -> list[dict[str, float]]:
    """Our side of one cell, in this process."""
    series = np.load(path)
    scores, labels, alarm = (series[name] for name in ("scores", "labels", "alarm"))
    time_ns = np.arange(len(scores), dtype=np.int64) * MINUTE_NS
    edges = np.flatnonzero(np.diff(labels, prepend=0, append=0))
    windows = list(zip(edges[::2].tolist(), (edges[1::2] - 1).tolist(), strict=True))
    work: dict[str, Callable[[], object]] = {
        "VUS": lambda: vus(scores, labels, window=WINDOW),
        "affiliation": lambda: affiliation(alarm, labels),
        "all": lambda: measure(scores, labels, alarm=alarm, time_ns=time_ns, window=WINDOW),
        "NAB": lambda: nab_score({"file": scores}, {"file": windows}),
    }
    return [timed(work[what]) for _ in range(repeats)]


def our_cell(what: str, path: Path, repeats: int) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, __file__, "--cell", what, str(path), "--repeats", str(repeats)],
        capture_output=True,
        text=True,
        check=False,
        env=one_thread(),
    )
    if done.returncode:
        raise RuntimeError(f"{what} of {path.name}: {done.stderr.strip()[-2000:]}")
    runs = json.loads(done.stdout)
    return {
        "cpu_s": statistics.median(run["cpu_s"] for run in runs),
        "wall_s": statistics.median(run["wall_s"] for run in runs),
        "peak_mib": runs[-1]["peak_mib"],
        "runs_cpu_s": [round(run["cpu_s"], 5) for run in runs],
    }


def growth(cells: dict[str, dict], sizes: list[int]) -> list[float]:
    """How often each size costs what the size before it did, per tenfold growth."""
    known = [(n, cells[str(n)]["cpu_s"]) for n in sizes if isinstance(cells.get(str(n)), dict)]
    return [round((late / early) ** (1 / np.log10(n / m)), 2) for (m, early), (n, late) in pairwise(known)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--limit", type=float, default=120.0, help="seconds after which a cell of TSB-AD is stopped")
    parser.add_argument("--what", nargs="+", choices=WHAT, default=list(WHAT))
    parser.add_argument("--python", help="a Python that has TSB-AD 1.5")
    parser.add_argument("--record", default="speed-metrics")
    parser.add_argument("--cell", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.cell:
        print(json.dumps(cell(chosen.cell[0], Path(chosen.cell[1]), chosen.repeats)))
        return
    python, sizes = environment(chosen.python), sorted(chosen.rows)
    ours: dict[str, dict[str, dict]] = {what: {} for what in chosen.what}
    theirs: dict[str, dict[str, dict | str]] = {what: {} for what in chosen.what if what != "NAB"}
    print(f"{'':12} {'rows':>9}  {'ours':>9} {'MiB':>5}  {'TSB-AD':>12} {'MiB':>5}  {'times':>8}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "series.npz"
        versions = call(python, "versions", path)
        for n in sizes:
            np.savez(path, **make(n))
            for what in chosen.what:
                own = ours[what][str(n)] = our_cell(what, path, chosen.repeats)
                line = f"{what:12} {n:9}  {own['cpu_s']:7.4f} s {own['peak_mib']:5.0f}"
                if what in theirs:
                    other = call(python, f"time {what}", path, chosen.limit)
                    theirs[what][str(n)] = other or f"over {chosen.limit:g} s"
                    line += shown(other, chosen.limit, own["cpu_s"])
                print(line, flush=True)
    grown = {what: growth(cells, sizes) for what, cells in ours.items()}
    for what, factors in grown.items():
        print(f"{what:12} grows by {', '.join(map(str, factors)) or 'one size only'} for ten times the rows")
    missed = [
        f"{what} at {n} rows: {ours[what][str(n)]['cpu_s']:.2f} s, wanted {limit} s"
        for (what, n), limit in TARGETS_S.items()
        if str(n) in ours.get(what, {}) and ours[what][str(n)]["cpu_s"] > limit
    ]
    missed += [
        f"{what} at {n} rows: {one['peak_mib']:.0f} MiB, wanted {TARGET_MIB:.0f}"
        for what, cells in ours.items()
        for n, one in cells.items()
        if one["peak_mib"] > TARGET_MIB
    ]
    missed += [
        f"{what} grows by {worst}"
        for what, factors in grown.items()
        if (worst := max(factors, default=0)) > TARGET_GROWTH
    ]
    for one in missed:
        print(f"MISSED: {one}")
    write_record(
        chosen.record,
        data=f"{SHARE:.0%} anomalous, anomalies of {SHORTEST} to {LONGEST} rows, window {WINDOW}, {SHARE:.0%} alarmed",
        seed=SEED,
        peer=versions,
        settings={"repeats": chosen.repeats, "limit_s": chosen.limit, "threads": 1},
        ours=ours,
        theirs=theirs,
        growth_per_tenfold=grown,
        growth_per_tenfold_theirs={what: growth(cells, sizes) for what, cells in theirs.items()},
        targets={
            "seconds": {f"{what} {n}": limit for (what, n), limit in TARGETS_S.items()},
            "mib": TARGET_MIB,
            "growth": TARGET_GROWTH,
        },
        missed=missed,
    )


def shown(other: dict | None, limit_s: float, own_s: float) -> str:
    """TSB-AD's part of a line."""
    if other is None:
        return f"  {f'over {limit_s:g} s':>12} {'-':>5}  {f'over {limit_s / own_s:,.0f}':>8}"
    return f"  {other['cpu_s']:10.2f} s {other['peak_mib']:5.0f}  {other['cpu_s'] / own_s:8,.0f}"


if __name__ == "__main__":
    main()
