"""Interpolation, rolling mean and deviation, wavelet denoising of 50 sensors on one core, beside public libraries.

    python benchmarks/speed/features.py [--rows 1000000] [--rounds 5]

Peers, in series: polars (interpolation; rolling mean and deviation), PyWavelets (db4, 4 levels, soft universal
threshold). Each library gets the data in the form it likes best (columns for the peers, rows for us), made outside the
clock. Ours and theirs take turns, so that a busy machine slows both; the compiled loops are warmed up first.
The clock is the processor time of this process, system time included, which on one core is the wall time of a machine
with nothing else to do; wall times are recorded too.
"""

from __future__ import annotations

import os
import resource
import sys

for variable in ("NUMBA_NUM_THREADS", "POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import math
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pywt

from redshank.features import denoise, interpolate, rolling

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from record import write_record

CHANNELS, MISSING, WINDOW, MAX_GAP, SEED = 50, 0.01, 60, 10, 0
STEPS = ("interpolate", "rolling", "denoise")
TARGET = 1_000_000


def readings(rows: int) -> np.ndarray:
    rng = np.random.default_rng(SEED)
    values = rng.standard_normal((rows, CHANNELS), dtype=np.float32).cumsum(axis=0, dtype=np.float32) * np.float32(0.1)
    values += rng.standard_normal((rows, CHANNELS), dtype=np.float32)
    values[rng.random((rows, CHANNELS), dtype=np.float32) < MISSING] = np.nan
    return values


def peer_denoise(columns: np.ndarray) -> np.ndarray:
    """PyWavelets, column by column (faster than all at once)."""
    out = np.empty_like(columns)
    for j, column in enumerate(columns):
        parts = pywt.wavedec(column, "db4", mode="symmetric", level=4)
        threshold = np.median(np.abs(parts[-1])) / 0.6744897501960817 * math.sqrt(2 * math.log(len(column)))
        shrunk = [pywt.threshold(part, threshold, "soft") for part in parts[1:]]
        out[j] = pywt.waverec([parts[0], *shrunk], "db4", mode="symmetric")[: len(column)]
    return out


def peer_rolling(table: pl.DataFrame) -> pl.DataFrame:
    return table.select(
        pl.all().rolling_mean(WINDOW, min_samples=1).name.suffix("_mean"),
        pl.all().rolling_std(WINDOW, min_samples=1, ddof=0).name.suffix("_deviation"),
    )


def timed(work: Callable[[], object]) -> tuple[float, float, float]:
    """Processor seconds, user's part of them, wall seconds."""
    wall, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    result = work()
    after, wall = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - wall
    del result
    user = after.ru_utime - before.ru_utime
    return user + after.ru_stime - before.ru_stime, user, wall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

    values = readings(chosen.rows)
    gappy = pl.DataFrame(values, schema=[f"s{j}" for j in range(CHANNELS)], orient="row").fill_nan(None)
    filled = interpolate(values, MAX_GAP)
    columns = np.nan_to_num(filled.T.copy())  # edges only: the transform of the peer takes no gaps
    complete = pl.DataFrame(columns, schema=gappy.columns, orient="col")
    rows = np.ascontiguousarray(columns.T)
    ours = {
        "interpolate": lambda: interpolate(values, MAX_GAP),
        "rolling": lambda: rolling(filled, WINDOW),
        "denoise": lambda: denoise(filled),
    }
    theirs = {
        "interpolate": lambda: gappy.select(pl.all().interpolate()),
        "rolling": lambda: peer_rolling(complete),
        "denoise": lambda: peer_denoise(columns),
    }
    differences = agreement(rows[: min(chosen.rows, 50_000)], complete)
    for work in ours.values():
        work()

    runs: dict[str, dict[str, list[tuple[float, float, float]]]] = {"floor": {"copy": []}}
    for number in range(chosen.rounds):
        runs["floor"]["copy"].append(timed(values.copy))
        for who, works in (("ours", ours), ("peers", theirs)):
            for step, work in works.items():
                runs.setdefault(who, {}).setdefault(step, []).append(timed(work))
        spent = {who: sum(runs[who][step][-1][0] for step in STEPS) for who in ("ours", "peers")}
        print(f"round {number + 1}: ours {spent['ours']:.2f} s, peers {spent['peers']:.2f} s")

    seconds = {who: {step: [own for own, _, _ in all_] for step, all_ in parts.items()} for who, parts in runs.items()}
    median = {who: {step: statistics.median(all_) for step, all_ in parts.items()} for who, parts in seconds.items()}
    totals = {
        who: [sum(seconds[who][step][k] for step in STEPS) for k in range(chosen.rounds)] for who in ("ours", "peers")
    }
    rate = {who: chosen.rows / statistics.median(all_) for who, all_ in totals.items()}
    floor = median["floor"]["copy"]
    for step in STEPS:
        own, other = (chosen.rows / median[who][step] for who in ("ours", "peers"))
        print(f"{step:12s} ours {own / 1e3:8.0f} k rows/s, peer {other / 1e3:6.0f} k, {own / other:5.1f} times")
    print(f"{'in series':12s} ours {rate['ours'] / 1e3:8.0f} k rows/s, peers {rate['peers'] / 1e3:5.0f} k")
    write_record(
        "speed-features",
        data=f"{chosen.rows} rows x {CHANNELS} channels float32, random walk and noise, {MISSING:.0%} missing",
        seed=SEED,
        settings={"max_gap": MAX_GAP, "window": WINDOW, "wavelet": "db4", "level": 4, "cores": 1},
        rows_per_s={who: round(value) for who, value in rate.items()},
        rows_per_s_without_system_time={  # the kernel's clearing of fresh memory varies tenfold on a shared host
            who: round(chosen.rows / sum(statistics.median(user for _, user, _ in runs[who][step]) for step in STEPS))
            for who in ("ours", "peers")
        },
        rows_per_s_best={who: round(chosen.rows / min(all_)) for who, all_ in totals.items()},
        rows_per_s_by_step={
            who: {step: round(chosen.rows / median[who][step]) for step in STEPS} for who in ("ours", "peers")
        },
        ratio=round(rate["ours"] / rate["peers"], 2),
        times_the_copy_floor={who: round(statistics.median(all_) / floor, 1) for who, all_ in totals.items()},
        copy_s=round(floor, 4),
        processor_user_wall_s={
            who: {step: [tuple(round(s, 4) for s in spent) for spent in all_] for step, all_ in parts.items()}
            for who, parts in runs.items()
        },
        largest_difference_from_peers=differences,
        target_rows_per_s=TARGET,
        target_met=rate["ours"] >= TARGET,
    )


def agreement(rows: np.ndarray, complete: pl.DataFrame) -> dict[str, float]:
    """Largest absolute differences on the first rows, so that both are known to do the same work."""
    n = len(rows)
    peer = peer_rolling(complete.head(n)).to_numpy()
    mean, deviation = rolling(rows, WINDOW)
    denoised = peer_denoise(np.ascontiguousarray(rows.T)).T
    return {
        "mean": float(np.abs(mean - peer[:, :CHANNELS]).max()),
        "deviation": float(np.abs(deviation - peer[:, CHANNELS:]).max()),
        "denoise": float(np.abs(denoise(rows) - denoised).max()),
    }


if __name__ == "__main__":
    main()
