"""Our LSTM, CNN, autoencoder, PCA, k-means and kNN against those of TSB-AD and PyOD, in accuracy and in speed.

    python benchmarks/accuracy/peers.py [--quick] [--only PART OF A NAME] [--jobs 2] [--python PATH]

Accuracy: VUS-PR on SMD 1-6, 1-7, 2-1 and the NAB files with known anomalies. All learn from the same rows (those
published for training, else the first 30 %), without labels, and are judged on the rest by one scorer. Settings are
those shipped, and for TSB-AD those of its own lists for series of one and of several channels. On one channel TSB-AD's
PCA, k-means and kNN look at windows of the series, so ours there are those that do as well. ``--quick`` takes every
tenth NAB file and SMD 1-6, the last 3,000 training rows, 5,000 judged rows, and at most 3 passes of a peer's network.

Speed: CPU seconds on one core and peak memory of one process each, on made data of the sizes stated (``--quick``: a
tenth of the rows, though an epoch of ours sees 32,000 at least).

What is done is kept in ``.cache/peers.jsonl``, or ``peers-quick.jsonl``, so a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from functools import lru_cache
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.peer_detectors import environment, score
from benchmarks.record import write_record

from redshank.core import Detector
from redshank.data import load, names
from redshank.detectors import DETECTORS
from redshank.evaluate.board import Job, run_jobs
from redshank.evaluate.board.jobs import DONE, ROW
from redshank.evaluate.board.series import SMD_MACHINES
from redshank.evaluate.intervals import bootstrap_interval
from redshank.evaluate.metrics import vus_pr
from redshank.evaluate.protocols import splits_of
from redshank.features import hold, period

CACHE = ROOT / ".cache"
SEED, ALLOWED = 0, -0.01
"""No mean VUS-PR may lie lower than this below a peer's."""
WINDOWS, WINDOW = (3, 300), 100
QUICK_TRAIN, QUICK_TEST, QUICK_EPOCHS, QUICK_EVERY = 3_000, 5_000, 3, 10
LIMIT_S = 3_600.0
RIVALS = {
    "lstm": {"TSB-AD": "LSTMAD", "PyOD": "LSTMAD"},
    "cnn": {"TSB-AD": "CNN"},
    "autoencoder": {"TSB-AD": "AutoEncoder", "PyOD": "AutoEncoder"},
    "pca": {"TSB-AD": "PCA", "PyOD": "PCA"},
    "sub_kmeans": {"TSB-AD": "KMeansAD"},
    "knn": {"TSB-AD": "KNN", "PyOD": "KNN"},
}
WINDOWED = {"pca": "sub_pca", "knn": "knn_patches"}
"""What ours are on one channel, where a row by itself says little."""
NETWORKS = ("LSTMAD", "CNN", "AutoEncoder")
CAPS = {"PyOD LSTMAD on smd": 3, "PyOD LSTMAD on nab": 10}
"""Passes of a peer that would take hours with those that it ships: 50 of 40 CPU seconds each on SMD."""

AE_ROWS, AE_CHANNELS, AE_EPOCHS = 100_000, 115, 10
RNN_ROWS, RNN_CHANNELS, RNN_PASSES, RNN_SERIES = 30_000, 38, 4, 64


@lru_cache(maxsize=2)
def parts(series: str, quick: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Training rows, judged rows, their labels, and the window of VUS-PR."""
    dataset = load(series)
    (split,) = splits_of(dataset)
    values = hold(dataset.frame.values, len(dataset))
    train, test, y = values[split.train], values[split.test], dataset.y[split.test]
    window = period(np.where((dataset.y == 1)[:, None], np.float32(np.nan), values), *WINDOWS) or WINDOW
    if quick:
        first = max(int(y.argmax()) - QUICK_TEST // 2, 0)
        kept = slice(first, first + QUICK_TEST)
        train, test, y = train[-QUICK_TRAIN:], test[kept], y[kept]
    return train, test, y, window


def make(name: str, **more: object) -> Detector:
    kind = DETECTORS.get(name)
    known = kind().settings()
    own = {"seed": SEED, "device": "cpu"} | more
    return kind(**{setting: value for setting, value in own.items() if setting in known})


def ours(detector: str, series: str, quick: bool) -> dict:
    train, test, y, window = parts(series, quick)
    name = WINDOWED.get(detector, detector) if train.shape[1] == 1 else detector
    one = make(name)
    start = time.process_time()
    one.fit(train)
    fitted = time.process_time()
    found = one.score_samples(test)
    return {
        "measures": {"VUS-PR": vus_pr(found, y, window=window)},
        "name": name,
        "cpu_s": {"fit": fitted - start, "score": time.process_time() - fitted},
        "rows": [len(train), len(test)],
    }


def theirs(*, python: str, package: str, detector: str, series: str, quick: bool, epochs: int | None) -> dict:
    train, test, y, window = parts(series, quick)
    found, cost = score(python, package, detector, train, test, epochs=epochs)
    return {
        "measures": {"VUS-PR": vus_pr(np.nan_to_num(found), y, window=window)},
        "name": detector,
        "undefined_scores": int((~np.isfinite(found)).sum()),
        "cpu_s": {"fit": cost["fit"]["cpu_s"], "score": cost["score"]["cpu_s"]},
        "peer_peak_mib": cost["peak_mib"],
        "settings": cost["settings"],
        "versions": cost["versions"],
        "rows": [len(train), len(test)],
    }


def wide_rows(rows: int) -> np.ndarray:
    """Rows of 115 channels that ten hidden ones mix into, with some noise; what they hold is of no account."""
    rng = np.random.default_rng(SEED)
    hidden = np.tanh(rng.standard_normal((rows, 10)))
    mixed = hidden @ rng.standard_normal((10, AE_CHANNELS))
    return (mixed + 0.1 * rng.standard_normal(mixed.shape)).astype(np.float32)


def long_rows(rows: int) -> np.ndarray:
    """One series of 38 channels of sines, each with a period of its own, with some noise."""
    rng = np.random.default_rng(SEED)
    periods = rng.uniform(20, 200, RNN_CHANNELS)
    waves = np.sin(2 * np.pi * np.arange(rows)[:, None] / periods + rng.uniform(0, 6, RNN_CHANNELS))
    return (waves + 0.1 * rng.standard_normal(waves.shape)).astype(np.float32)


def our_speed(task: str, quick: bool) -> dict:
    """Seconds of our own network, in this process."""
    share = 10 if quick else 1
    if task == "autoencoder":
        rows = wide_rows(AE_ROWS // share)
        one = make("autoencoder", epochs=AE_EPOCHS, patience=AE_EPOCHS)
        start = time.process_time()
        one.fit(rows)
        fit = time.process_time() - start
        start = time.process_time()
        one.score_samples(rows)
        return {"fit_cpu_s": fit, "rows_per_cpu_s": len(rows) / (time.process_time() - start)}
    rows = long_rows(RNN_ROWS // share)
    one = make("lstm", epochs=RNN_PASSES, patience=RNN_PASSES)
    ends = [time.process_time()]
    one.progress = lambda *_: ends.append(time.process_time())
    one.fit(rows)
    one.progress = None
    several = [rows[: len(rows) // 8]] * RNN_SERIES
    start = time.process_time()
    one.score_samples(several)
    spent = time.process_time() - start
    start = time.process_time()
    one.score_samples(rows)
    return {
        "pass_cpu_s": statistics.median(np.diff(ends[1:])),
        "rows_per_cpu_s": sum(map(len, several)) / spent,
        "rows_per_cpu_s_one_series": len(rows) / (time.process_time() - start),
    }


def their_speed(python: str, package: str, task: str, quick: bool) -> dict:
    """Seconds of a peer's network. A pass is half of what three take more than one does."""
    share = 10 if quick else 1
    if task == "autoencoder":
        rows = wide_rows(AE_ROWS // share)
        _, cost = score(python, package, "AutoEncoder", rows, rows, epochs=AE_EPOCHS)
        found = {"fit_cpu_s": cost["fit"]["cpu_s"]}
    else:
        rows = long_rows(RNN_ROWS // share)
        _, cost = score(python, package, "LSTMAD", rows, rows, epochs=1)
        _, thrice = score(python, package, "LSTMAD", rows, rows, epochs=3)
        found = {"pass_cpu_s": (thrice["fit"]["cpu_s"] - cost["fit"]["cpu_s"]) / 2}
    speed = len(rows) / cost["score"]["cpu_s"]
    return found | {"rows_per_cpu_s": speed, "peer_peak_mib": cost["peak_mib"], "settings": cost["settings"]}


def accuracy_jobs(python: str, only: str, *, quick: bool) -> list[Job]:
    """One job a detector, ours or a peer's, and series: the longest first."""
    nab = [name for name in names() if name.startswith("nab/") and load(name).y.any()]
    chosen = [*SMD_MACHINES[: 1 if quick else None], *nab[:: QUICK_EVERY if quick else 1]]
    jobs = []
    for series in chosen:
        share = {"series": series, "quick": quick}
        cost_s = 30.0 if series.startswith("smd") else 3.0
        for own, rivals in RIVALS.items():
            jobs.append(_job(f"ours {own} on {series}", "ours", {"detector": own} | share, cost_s, quick))
            for package, rival in rivals.items():
                shipped = CAPS.get(f"{package} {rival} on {series.partition('/')[0]}")
                epochs = QUICK_EPOCHS if quick and rival in NETWORKS else shipped
                given = {"python": python, "package": package, "detector": rival, "epochs": epochs} | share
                jobs.append(_job(f"{package} {rival} on {series}", "theirs", given, cost_s, quick))
    return [job for job in jobs if only in job.name]


def speed_jobs(python: str, only: str, *, quick: bool) -> list[Job]:
    """One job a network and package."""
    jobs = []
    for task in ("autoencoder", "recurrent"):
        share = {"task": task, "quick": quick}
        jobs.append(_job(f"speed, ours {task}", "our_speed", share, 10.0, quick))
        for package in ("TSB-AD", "PyOD"):
            given = {"python": python, "package": package} | share
            jobs.append(_job(f"speed, {package} {task}", "their_speed", given, 60.0, quick))
    return [job for job in jobs if only in job.name]


def _job(name: str, work: str, arguments: dict, cost_s: float, quick: bool) -> Job:
    board = "peers, quick" if quick else "peers"
    return Job(board, name, f"benchmarks.accuracy.peers:{work}", arguments, LIMIT_S, cost_s)


def compared(rows: list[dict]) -> list[dict]:
    """Ours beside each peer on the series that both have: VUS-PR by series, means, and the mean difference."""
    by_name = {row["job"]: row for row in rows if row["status"] == DONE}
    found = []
    for own, rivals in RIVALS.items():
        for package, rival in rivals.items():
            series = [name for name in _series(rows) if f"ours {own} on {name}" in by_name]
            series = [name for name in series if f"{package} {rival} on {name}" in by_name]
            if not series:
                continue
            pairs = [(by_name[f"ours {own} on {name}"], by_name[f"{package} {rival} on {name}"]) for name in series]
            values = np.array([[one["measures"]["VUS-PR"] for one in pair] for pair in pairs])
            difference = bootstrap_interval(values[:, 0] - values[:, 1])
            families = {name.partition("/")[0]: [] for name in series}
            for name, pair in zip(series, values, strict=True):
                families[name.partition("/")[0]].append(pair)
            found.append(
                {
                    "ours": own,
                    "package": package,
                    "theirs": rival,
                    "series": len(series),
                    "mean": dict(zip(("ours", "theirs"), values.mean(axis=0), strict=True)),
                    "difference": [difference.estimate, difference.low, difference.high],
                    "holds": bool(difference.estimate >= ALLOWED),
                    "by family": {name: np.mean(own, axis=0) for name, own in families.items()},
                    "median cpu_s, fit": [statistics.median(pair[k]["cpu_s"]["fit"] for pair in pairs) for k in (0, 1)],
                    "VUS-PR": {
                        name: {"ours": float(pair[0]), "theirs": float(pair[1]), "our detector": rows_of[0]["name"]}
                        for name, pair, rows_of in zip(series, values, pairs, strict=True)
                    },
                }
            )
    return found


def _series(rows: list[dict]) -> list[str]:
    return list(dict.fromkeys(row["arguments"]["series"] for row in rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="some series, some rows, few passes: minutes")
    parser.add_argument("--only", default="", help="jobs whose name holds this, such as 'PyOD' or 'speed'")
    parser.add_argument("--jobs", type=int, default=2, help="worker processes; speed is measured in one")
    parser.add_argument("--python", help="the Python that has TSB-AD and PyOD; else an environment is made, once")
    given = parser.parse_args()
    os.environ.setdefault("REDSHANK_DATA", str(ROOT.parent / "shared" / "data"))
    python = environment(given.python)
    CACHE.mkdir(exist_ok=True)
    kept = CACHE / ("peers-quick.jsonl" if given.quick else "peers.jsonl")
    start = time.monotonic()

    def show(part: float) -> None:
        print(f"\r{part:6.1%} after {time.monotonic() - start:5.0f} s", end="", file=sys.stderr, flush=True)

    speed = run_jobs(speed_jobs(python, given.only, quick=given.quick), record=kept, workers=1, progress=show)
    jobs = accuracy_jobs(python, given.only, quick=given.quick)
    accuracy = run_jobs(jobs, record=kept, workers=given.jobs, progress=show)
    rows, timed = ([one for one in found if one["kind"] == ROW] for found in (accuracy, speed))
    table = compared(rows)
    print(file=sys.stderr)
    for one in table:
        low, high = one["difference"][1:]
        print(
            f"{one['ours']:12s} {one['package']:7s}{one['theirs']:12s} {one['series']:3d} series "
            f"{one['mean']['ours']:.3f} against {one['mean']['theirs']:.3f}: {one['difference'][0]:+.3f} "
            f"[{low:+.3f}, {high:+.3f}] {'holds' if one['holds'] else 'FALLS SHORT'}"
        )
    seconds = {
        one["job"].removeprefix("speed, "): {
            name: one[name]
            for name in ("fit_cpu_s", "pass_cpu_s", "rows_per_cpu_s", "rows_per_cpu_s_one_series", "peer_peak_mib")
            if name in one
        }
        | {"peak_mib": one.get("peer_peak_mib", one["peak_mib"])}
        for one in timed
        if one["status"] == DONE
    }
    for name, own in seconds.items():
        print(name, {key: float(f"{value:.3g}") for key, value in own.items()})
    missed = [f"{one['job']}: {one['status']}: {one['reason']}" for one in [*rows, *timed] if one["status"] != DONE]
    for sentence in missed:
        print(sentence)
    if given.only:
        return  # a part of the comparison is no record of it
    versions = next((one["versions"] for one in rows if "peer_peak_mib" in one and one["status"] == DONE), {})
    write_record(
        "peers-quick" if given.quick else "peers",
        seed=SEED,
        quick=given.quick,
        peer=versions,
        allowed=ALLOWED,
        accuracy=table,
        speed=seconds,
        sizes={
            "autoencoder": [AE_ROWS, AE_CHANNELS, f"{AE_EPOCHS} epochs"],
            "recurrent": [RNN_ROWS, RNN_CHANNELS, f"scored in {RNN_SERIES} series at once"],
            "divided by": 10 if given.quick else 1,
        },
        missed=missed,
        capped={"every network of a peer": QUICK_EPOCHS} if given.quick else CAPS,
    )


if __name__ == "__main__":
    main()
