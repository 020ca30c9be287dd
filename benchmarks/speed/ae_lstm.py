"""Train and score the hybrid AE-LSTM beside a plain per-window LSTM forecaster and PCA, on one SMD machine.

Each run is a process of its own, on one core, so that seconds and peak memory are its own. The plain LSTM is what is
usually published: the same layers, every overlapping window of 100 rows a sample, the row after it the target, from an
empty state each time. It is trained for ``--plain-epochs`` epochs only and its figures are of just those: nothing is
extrapolated. ``peak_mib`` is of the whole process, ``before_mib`` its peak before ``fit``, libraries and data read.
``fit_s`` and ``score_s`` are on the clock, ``*_cpu_s`` processor time, which a busy machine disturbs less.

    python benchmarks/speed/ae_lstm.py [--machine machine-1-6] [--seeds 0 1 2] [--device cuda]
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

PLAIN_WINDOW = 100
HIDDEN = 64


def peak_mib() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def robust(machine: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Train rows, test rows and test labels; scaled by median and quartiles of the train rows."""
    from redshank.data import load
    from redshank.features.scale import Scaler

    data = load(f"smd/{machine}")
    values, train = data.frame.values.astype(np.float64), data.train
    scaler = Scaler(method="robust", clip=20.0).fit(values[train])
    return scaler.transform(values[train]), scaler.transform(values[~train]), data.y[~train]


def hybrid(train: np.ndarray, test: np.ndarray, options: argparse.Namespace) -> dict[str, object]:
    from redshank.detectors.neural.ae_lstm import AELSTMDetector

    losses: list[float] = []
    detector = AELSTMDetector(seed=options.seed, device=options.device, hidden=HIDDEN)
    detector.progress = lambda _done, _most, loss: losses.append(loss)
    return timed(lambda: detector.fit(train), lambda: detector.score_samples(test)) | {"epochs": len(losses)}


def pca(train: np.ndarray, test: np.ndarray, options: argparse.Namespace) -> dict[str, object]:  # noqa: ARG001
    from redshank.detectors.classical.pca import PCADetector

    detector = PCADetector()
    return timed(lambda: detector.fit(train), lambda: detector.score_samples(test))


def plain(train: np.ndarray, test: np.ndarray, options: argparse.Namespace) -> dict[str, object]:
    import torch
    from torch import nn

    torch.manual_seed(options.seed)
    device = torch.device("cuda" if options.device != "cpu" and torch.cuda.is_available() else "cpu")
    channels = train.shape[1]
    lstm = nn.LSTM(channels, HIDDEN, 2, batch_first=True).to(device)
    head = nn.Linear(HIDDEN, channels).to(device)
    parameters = [*lstm.parameters(), *head.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=0.001)

    def windows(rows: np.ndarray) -> torch.Tensor:
        near = torch.from_numpy(np.clip(rows, -10, 10).astype(np.float32))
        return near.unfold(0, PLAIN_WINDOW + 1, 1).transpose(1, 2)  # (windows, PLAIN_WINDOW + 1, channels), a view

    def missed(batch: torch.Tensor) -> torch.Tensor:
        memory, _ = lstm(batch[:, :-1])
        return (head(memory[:, -1]) - batch[:, -1]).square().mean(dim=1)

    def fit() -> None:
        every = windows(train)
        for _ in range(options.plain_epochs):
            for which in torch.split(torch.randperm(len(every)), 64):
                optimiser.zero_grad()
                missed(every[which].to(device)).mean().backward()
                nn.utils.clip_grad_norm_(parameters, 1.0)
                optimiser.step()

    def score() -> np.ndarray:
        every = windows(test)
        with torch.inference_mode():
            parts = [
                missed(every[i : i + 256].to(device)).cpu().numpy().astype(np.float64)
                for i in range(0, len(every), 256)
            ]
        found = np.concatenate(parts)
        return np.concatenate([np.full(PLAIN_WINDOW, found.min()), found])

    return timed(fit, score) | {"epochs": options.plain_epochs}


def timed(fit, score) -> dict[str, object]:
    marks = [(time.perf_counter(), time.process_time())]
    fit()
    marks.append((time.perf_counter(), time.process_time()))
    scores = score()
    marks.append((time.perf_counter(), time.process_time()))
    (fit_s, fit_cpu_s), (score_s, score_cpu_s) = np.diff(np.array(marks), axis=0).round(3).tolist()
    return {"fit_s": fit_s, "fit_cpu_s": fit_cpu_s, "score_s": score_s, "score_cpu_s": score_cpu_s, "scores": scores}


JOBS = {"ae_lstm": hybrid, "plain_lstm": plain, "pca": pca}


def run_job(options: argparse.Namespace) -> None:
    """One job in this process; its figures as one line of JSON."""
    if options.job != "pca":
        import torch

        torch.set_num_threads(1)
    train, test, y = robust(options.machine)
    before = peak_mib()
    found = JOBS[options.job](train, test, options)
    peak = peak_mib()
    from sklearn.metrics import average_precision_score, roc_auc_score

    scores = found.pop("scores")
    accuracy = {"roc_auc": roc_auc_score(y, scores), "average_precision": average_precision_score(y, scores)}
    figures = found | {key: round(float(value), 4) for key, value in accuracy.items()}
    print(json.dumps(figures | {"peak_mib": peak, "before_mib": before, "train": train.shape, "test": test.shape}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--machine", default="machine-1-6")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--plain-epochs", type=int, default=2)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--job", choices=JOBS, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        run_job(options)
        return
    from benchmarks.record import write_record

    core = {min(os.sched_getaffinity(0))}
    results: dict[str, list[object]] = {}
    for job in JOBS:
        for seed in options.seeds if job == "ae_lstm" else options.seeds[:1]:
            words = ["--job", job, "--machine", options.machine, "--seed", str(seed), "--device", options.device]
            done = subprocess.run(
                [sys.executable, __file__, *words, "--plain-epochs", str(options.plain_epochs)],
                check=True,
                capture_output=True,
                text=True,
                env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                preexec_fn=lambda: os.sched_setaffinity(0, core),
            )
            figures = {"seed": seed, **json.loads(done.stdout)}
            results.setdefault(job, []).append(figures)
            print(job, figures, flush=True)
    name = "ae_lstm" if options.device == "cpu" else f"ae_lstm_{options.device}"
    write_record(
        name,
        data=f"smd/{options.machine}",
        scaling="median and quartiles of the train rows, clipped at 20",
        device=options.device,
        load_average=os.getloadavg(),
        plain_lstm={"window": PLAIN_WINDOW, "hidden": HIDDEN, "layers": 2, "note": "figures of the epochs run"},
        results=results,
    )


if __name__ == "__main__":
    main()
