"""Train and score the recurrent forecasters on 30,000 rows of 38 channels, each in a process of its own on one core.

A pass is one epoch, all training rows through the network and back and the held-back rows through it once; the record
holds every pass, and the median. ``first_s`` is the first pass with all that stands before it in ``fit``,
``rest_s`` what stands behind the last. Scoring is of 64 series of 2,000 rows in one call. All times are processor
seconds. The machine's fp32 matrix product is measured before and after, in the same process: other work on the machine
slows both alike. ``peak_mib`` is the peak of the whole process, data included; ``before_mib`` its peak before ``fit``.

    python benchmarks/speed/recurrent.py [--names lstm gru cnn cnn_lstm transformer] [--passes 8]
"""

# ruff: noqa: PLC0415 - each run imports only what it needs, so that its memory is its own
from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

NAMES = ("lstm", "gru", "cnn", "cnn_lstm", "transformer")
ROWS, CHANNELS = 30_000, 38
SERIES, LENGTH = 64, 2_000
REPEATS = 5
SIZE = 1024
"""Rows of the square matrices whose product is the machine's measure."""


def peak_mib() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def signal(seed: int) -> np.ndarray:
    """A cycle of its own for each channel, and noise."""
    rng = np.random.default_rng(seed)
    periods = rng.integers(10, 1440, CHANNELS)
    return np.sin(2 * np.pi * np.arange(ROWS)[:, None] / periods) + 0.3 * rng.standard_normal((ROWS, CHANNELS))


def gflops() -> float:
    """The fp32 matrix product, best of five, in 1e9 operations a second."""
    rng = np.random.default_rng(0)
    square = rng.standard_normal((SIZE, SIZE)).astype(np.float32)
    seconds = []
    for _ in range(5):
        start = time.process_time()
        square @ square
        seconds.append(time.process_time() - start)
    return round(2 * SIZE**3 / 1e9 / min(seconds), 1)


def run_job(name: str, passes: int, seed: int) -> dict[str, object]:
    from redshank.detectors import DETECTORS

    rows, machine = signal(seed), [gflops()]
    make = DETECTORS.get(name)
    before = peak_mib()
    marks = [time.process_time()]
    detector = make(epochs=passes + 1, patience=passes + 1, seed=seed, device="cpu")
    detector.progress = lambda *_: marks.append(time.process_time())
    detector.fit(rows)
    marks.append(time.process_time())
    first, *each, rest = np.diff(marks)
    fit_mib = peak_mib()
    series = [rows[k * 400 : k * 400 + LENGTH] for k in range(SERIES)]
    speeds = []
    for _ in range(REPEATS):
        start = time.process_time()
        detector.score_samples(series)
        speeds.append(SERIES * LENGTH / (time.process_time() - start))
    peak = peak_mib()
    machine.append(gflops())
    return {
        "pass_s": round(float(np.median(each)), 3),
        "passes_s": np.round(each, 3).tolist(),
        "first_s": round(float(first), 3),
        "rest_s": round(float(rest), 3),
        "score_rows_per_s": round(float(np.median(speeds))),
        "before_mib": before,
        "fit_mib": fit_mib,
        "peak_mib": peak,
        "gemm_gflops": machine,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--names", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--passes", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--job", choices=NAMES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        print(json.dumps(run_job(options.job, options.passes, options.seed)))
        return
    from benchmarks.record import write_record

    results = {}
    for name in options.names:
        done = subprocess.run(
            [sys.executable, __file__, "--job", name, "--passes", str(options.passes), "--seed", str(options.seed)],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        results[name] = json.loads(done.stdout)
        print(name, results[name], flush=True)
    write_record(
        "recurrent",
        seed=options.seed,
        train=[ROWS, CHANNELS],
        scored=[SERIES, LENGTH, CHANNELS],
        load_average=os.getloadavg(),
        goal={"pass_s": 0.6, "score_rows_per_s": 200_000, "peak_mib": 400},
        results=results,
    )


if __name__ == "__main__":
    main()
