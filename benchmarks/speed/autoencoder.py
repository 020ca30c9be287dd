"""Train and score the deep autoencoder on 100,000 rows of 115 channels, beside a plain loop of the same network.

Each run is a process of its own, on one core, so that seconds and peak memory are its own. Seconds are processor time.
``floor_*`` is what the network's matrix products alone would take at the speed of one fp32 matrix product, of the
shape of its first layer, measured in the same process just before: three times the forward pass for each training row,
once for each scored row. ``peak_mib`` is of the whole process, ``before_mib`` its peak before ``fit``, libraries and
rows read. Rows are float32: twelve hidden causes, mixed, bent by tanh, with noise; in 5 % of the test rows half of the
channels are taken from another row, so that only what hangs together tells them.

    python benchmarks/speed/autoencoder.py [--seeds 0 1 2] [--epochs 10]
"""

# ruff: noqa: PLC0415 - each run imports only what it needs, so that its memory is its own
from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

ROWS, CHANNELS, CAUSES = 100_000, 115, 12
WIDTHS = (115, 64, 16, 64, 115)
BATCH, LR = 1024, 0.003
ODD = 0.05


def peak_mib() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def rows_of(seed: int, part: int) -> np.ndarray:
    mixing = np.random.default_rng(seed).standard_normal((CAUSES, CHANNELS), dtype=np.float32)
    rng = np.random.default_rng([seed, part])
    X = np.empty((ROWS, CHANNELS), np.float32)
    for i in range(0, ROWS, 1000):  # in blocks: making the rows must not be the peak
        causes, noise = (rng.standard_normal((1000, width), dtype=np.float32) for width in (CAUSES, CHANNELS))
        X[i : i + 1000] = np.tanh(causes @ mixing) + 0.1 * noise
    return X


def planted(X: np.ndarray, seed: int) -> np.ndarray:
    """Labels of the rows whose second half is now that of another row."""
    rng = np.random.default_rng([seed, 2])
    odd = np.sort(rng.choice(ROWS, int(ODD * ROWS), replace=False))
    X[odd, CHANNELS // 2 :] = X[rng.permutation(odd), CHANNELS // 2 :]
    return np.isin(np.arange(ROWS), odd)


def ours(options: argparse.Namespace):
    from redshank.detectors.neural.autoencoder import AutoencoderDetector

    epochs: list[float] = []
    detector = AutoencoderDetector(epochs=options.epochs, patience=options.epochs, seed=options.seed, device="cpu")
    detector.progress = lambda _done, _most, loss: epochs.append(loss)
    return detector.fit, detector.score_samples, epochs


def plain(options: argparse.Namespace):
    import torch
    from torch import nn

    torch.manual_seed(options.seed)
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(WIDTHS):
        layers += [nn.Linear(before, after), nn.ReLU()]
    network = nn.Sequential(*layers[:-1])
    moments: list[torch.Tensor] = []
    epochs: list[float] = []

    def fit(X: np.ndarray) -> None:
        rows = torch.from_numpy(X)
        moments.extend((rows.mean(dim=0), rows.std(dim=0)))
        near = (rows - moments[0]) / moments[1]
        optimiser = torch.optim.Adam(network.parameters(), lr=LR)
        for _ in range(options.epochs):
            for which in torch.split(torch.randperm(len(near)), BATCH):
                batch = near[which]
                loss = nn.functional.mse_loss(network(batch), batch)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
            epochs.append(float(loss))

    def score(X: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            near = (torch.from_numpy(X) - moments[0]) / moments[1]
            return (network(near) - near).square().mean(dim=1).numpy()

    return fit, score, epochs


JOBS = {"autoencoder": ours, "plain_torch": plain}


def gflops() -> float:
    """Speed of one fp32 matrix product, best of several, in 10^9 operations a second."""
    import torch

    left, right = torch.randn(BATCH, WIDTHS[0]), torch.randn(WIDTHS[0], WIDTHS[1])
    best = np.inf
    for _ in range(20):
        start = time.process_time()
        for _ in range(50):
            left @ right
        best = min(best, time.process_time() - start)
    return 50 * 2e-9 * BATCH * WIDTHS[0] * WIDTHS[1] / best


def run_job(options: argparse.Namespace) -> None:
    """One job in this process; its figures as one line of JSON."""
    import torch

    torch.set_num_threads(1)
    speed = gflops()
    work = 2e-9 * sum(before * after for before, after in itertools.pairwise(WIDTHS))
    training = rows_of(options.seed, 0)
    fit, score, epochs = JOBS[options.job](options)
    before = peak_mib()
    marks = [time.process_time()]
    fit(training)
    marks.append(time.process_time())
    peak = peak_mib()
    marks.append(time.process_time())
    score(training)
    marks.append(time.process_time())
    del training
    test = rows_of(options.seed, 1)
    y = planted(test, options.seed)
    scores = score(test)
    peak_both = peak_mib()
    from sklearn.metrics import roc_auc_score

    figures = {
        "fit_cpu_s": round(marks[1] - marks[0], 3),
        "score_rows_per_s": round(ROWS / (marks[3] - marks[2])),
        "peak_mib": peak_both,
        "fit_peak_mib": peak,
        "before_mib": before,
        "gflops": round(speed, 1),
        "floor_fit_s": round(3 * work * ROWS * options.epochs / speed, 3),
        "floor_rows_per_s": round(speed / work),
        "epochs": len(epochs),
        "roc_auc": round(float(roc_auc_score(y, scores)), 4),
    }
    print(json.dumps(figures))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--job", choices=JOBS, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        run_job(options)
        return
    from benchmarks.record import write_record

    core = {min(os.sched_getaffinity(0))}
    results: dict[str, list[dict[str, float]]] = {}
    for seed in options.seeds:
        for job in JOBS:
            words = ["--job", job, "--seed", str(seed), "--epochs", str(options.epochs)]
            done = subprocess.run(
                [sys.executable, __file__, *words],
                check=True,
                capture_output=True,
                text=True,
                env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                preexec_fn=lambda: os.sched_setaffinity(0, core),
            )
            figures = {"seed": seed, **json.loads(done.stdout)}
            results.setdefault(job, []).append(figures)
            print(job, figures, flush=True)
    medians = {
        job: {key: statistics.median(run[key] for run in runs) for key in runs[0] if key != "seed"}
        for job, runs in results.items()
    }
    write_record(
        "speed-autoencoder",
        rows=ROWS,
        channels=CHANNELS,
        widths=WIDTHS,
        held_back="a fifth of the rows; the plain loop learns from all",
        load_average=os.getloadavg(),
        medians=medians,
        results=results,
    )


if __name__ == "__main__":
    main()
