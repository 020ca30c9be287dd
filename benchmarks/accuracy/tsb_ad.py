"""Our measures beside those of the pip package TSB-AD 1.5, on 20 random, 20 real and a few awkward series.

    python benchmarks/accuracy/tsb_ad.py [--python PATH] [--rows 8000] [--only PART OF A NAME]

Without ``--python`` an environment for TSB-AD is made beside ours, once. Scores of real series come from a detector
fitted on the published training rows (else the first 30 %), and alarms from a threshold that no label was used for: the
0.995 quantile of the training scores. Long series are cut to rows that hold many anomalous ones.

Each measure is compared in up to two ways: with those alarms, and by the best of TSB-AD's own 100 thresholds, which it
picks with the labels. A difference above 1e-6 must be one of the known ones, each shown to be the reason:

- ends: TSB-AD loses the last row of an anomaly that ends the series (event F1), does not adjust row 0
  (point-adjusted F1), and finds no range in a column of ones (range F1). One normal, silent row more at either end
  changes nothing by definition, and with it TSB-AD gives our value.
- silent: without alarms its affiliation precision and F1 are NaN. Ours has F1 0, as there is something to be found.
- epsilon: its oracle F1 adds 0.00001 to precision + recall. Ours agrees where the same is added; both values are kept.

All else that differs makes the script fail.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.record import write_record
from benchmarks.tsb_ad_peer import call, environment

from redshank.data import load
from redshank.detectors import DETECTORS
from redshank.evaluate.metrics.affiliation import affiliation
from redshank.evaluate.metrics.events import event_f1, point_adjusted_f1
from redshank.evaluate.metrics.points import confusion, oracle_f1, pr_auc, pr_curve, roc_auc
from redshank.evaluate.metrics.ranges import range_f1
from redshank.evaluate.metrics.volume import vus

DATA = Path(os.environ.get("REDSHANK_DATA", ROOT.parent / "shared" / "data"))
SEED, TOLERANCE, EPSILON, SWEEP = 0, 1e-6, 1e-5, 100
TRAIN_SHARE, QUANTILE, WINDOW = 0.3, 0.995, 100
UNIVARIATE = (
    "nab/realKnownCause/machine_temperature_system_failure",
    "nab/realKnownCause/nyc_taxi",
    "nab/realKnownCause/ambient_temperature_system_failure",
    "nab/realAWSCloudwatch/ec2_cpu_utilization_24ae8d",
    "nab/realTweets/Twitter_volume_AAPL",
    "nab/realTraffic/speed_7578",
    "ucr/119",
    "ucr/176",
)
MULTIVARIATE = (
    "skab/valve1/0",
    "skab/valve1/3",
    "smd/machine-1-6",
    "smd/machine-2-1",
    "asd/omi-1",
    "asd/omi-5",
    "smap_msl/SMAP/P-3",
    "smap_msl/SMAP/E-3",
    "smap_msl/MSL/M-1",
    "smap_msl/MSL/C-1",
    "smap_msl/MSL/T-12",
    "batadal",
)


@dataclass(frozen=True, eq=False)
class Series:
    """One series as both sides get it."""

    kind: str
    name: str
    scores: np.ndarray
    labels: np.ndarray
    alarm: np.ndarray
    window: int = WINDOW


def random_series(number: int) -> Series:
    """Anomalies of many lengths, some at the ends; scores with and without ties, that find them or do not."""
    rng = np.random.default_rng([SEED, number])
    n = int(rng.integers(150, 3000))
    labels = np.zeros(n, dtype=int)
    for _ in range(rng.integers(1, 15)):
        first = int(rng.integers(n - 1))
        labels[first : first + int(rng.integers(1, rng.choice([2, 20, 120])))] = 1
    if number % 5 == 1:
        labels[: 1 + number] = 1
    if number % 5 == 2:
        labels[-1 - number :] = 1
    scores = rng.normal(size=n) + rng.choice([0.0, 0.7, 2.0]) * labels
    if number % 3 == 1:  # a smooth score, in long runs
        scores = np.convolve(scores, np.ones(9) / 9, mode="same")
    if number % 4 == 3:
        scores = np.round(scores, 1)
    return Series(
        "random",
        f"random {number}",
        scores,
        labels,
        as_alarm(scores, np.quantile(scores, 0.95)),
        int(rng.integers(121)),
    )


def awkward_series() -> list[Series]:
    """No alarm, alarms throughout, alarms in nothing but the first and the last row."""
    rng = np.random.default_rng([SEED, 1000])
    labels = np.zeros(400, dtype=int)
    labels[:5] = labels[200:260] = labels[-5:] = 1
    scores = rng.normal(size=400) + labels
    ends = np.zeros(400, dtype=int)
    ends[[0, -1]] = 1
    both = {
        "no alarm": np.zeros(400, dtype=int),
        "alarm throughout": np.ones(400, dtype=int),
        "first and last row": ends,
    }
    return [Series("awkward", name, scores, labels, alarm) for name, alarm in both.items()]


def real_series(name: str, detector: str, rows: int) -> Series:
    """Scores of a detector on a public recording."""
    data = load(name, DATA)
    values, labels = data.frame.values.astype(np.float64), data.y.astype(int)
    train = np.arange(len(values)) < TRAIN_SHARE * len(values) if data.train is None else data.train
    centre, spread = values[train].mean(axis=0), values[train].std(axis=0)
    values = (values - centre) / np.where(spread > 0, spread, 1.0)
    learned = DETECTORS.get(detector)().fit(values[train])
    threshold = np.quantile(learned.score_samples(values[train]), QUANTILE)
    scores, labels = learned.score_samples(values[~train]), labels[~train]
    held = np.concatenate([[0], np.cumsum(labels)])
    first = int(np.minimum(held[rows:] - held[:-rows], rows // 2).argmax()) if len(scores) > rows else 0
    kept = slice(first, first + rows)
    return Series("real", f"{name}, {detector}", scores[kept], labels[kept], as_alarm(scores[kept], threshold))


def as_alarm(scores: np.ndarray, threshold: float) -> np.ndarray:
    return (scores > threshold).astype(int)


def ours(series: Series) -> dict[str, dict[str, float]]:
    """The measures by our code, under the names that the other side uses."""
    scores, labels, alarm = series.scores, series.labels, series.alarm
    volume = vus(scores, labels, window=series.window)
    exact = vus(scores, labels, window=series.window, thresholds=None)
    near = affiliation(alarm, labels)
    at: dict[str, Callable[[np.ndarray], float]] = {
        "affiliation F1": lambda alarm: affiliation(alarm, labels).f1,
        "point-adjusted F1": lambda alarm: point_adjusted_f1(alarm, labels, draws=1).value,
        "event F1": lambda alarm: event_f1(alarm, labels),
        "range F1": lambda alarm: range_f1(alarm, labels),
    }
    sweep = [as_alarm(scores, threshold) for threshold in np.linspace(scores.min(), scores.max(), SWEEP)]
    curve = pr_curve(scores, labels)
    return {
        "free": {
            "VUS-PR": volume.pr,
            "VUS-ROC": volume.roc,
            "AUC-ROC": roc_auc(scores, labels),
            "AUC-PR": pr_auc(scores, labels),
        },
        "fixed": {
            "F1": confusion(alarm, labels).f1,
            "affiliation precision": near.precision,
            "affiliation recall": near.recall,
            **{name: of(alarm) for name, of in at.items()},
        },
        "oracle": {
            "F1": oracle_f1(scores, labels).value,
            **{name: max(of(alarm) for alarm in sweep) for name, of in at.items()},
        },
        "beside": {
            "F1 with epsilon": float(np.max(2 * curve.x * curve.y / (curve.x + curve.y + EPSILON))),
            "VUS-PR at every score": exact.pr,
            "VUS-ROC at every score": exact.roc,
        },
    }


def compared(series: Series, own: dict, other: dict) -> list[dict[str, object]]:
    """One line a measure: both values, their difference, and the known reason where they differ."""
    lines = []
    for way in ("free", "fixed", "oracle"):
        for measure, value in own[way].items():
            theirs = float("nan") if other[way][measure] is None else other[way][measure]
            line = {"measure": measure, "way": way, "ours": value, "theirs": theirs, "reason": None}
            if apart(value, theirs) > TOLERANCE:
                line["reason"] = reason(series, way, measure, own, other)
            lines.append(line | {"difference": apart(value, theirs)})
    return lines


def reason(series: Series, way: str, measure: str, own: dict, other: dict) -> str | None:
    """Which of the known differences it is; None where it is none of them."""
    if (way, measure) == ("oracle", "F1"):
        return "epsilon" if apart(own["beside"]["F1 with epsilon"], other[way][measure]) <= TOLERANCE else None
    if measure.startswith("affiliation"):
        return None if way == "oracle" or series.alarm.any() else "silent"
    padded = other["padded"].get(way, {}).get(measure)
    return "ends" if padded is not None and apart(own[way][measure], padded) <= TOLERANCE else None


def apart(a: float, b: float) -> float:
    """Absolute difference; 0 where both are NaN, infinite where one is."""
    if math.isnan(a) or math.isnan(b):
        return 0.0 if math.isnan(a) and math.isnan(b) else math.inf
    return abs(a - b)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", help="a Python that has TSB-AD 1.5")
    parser.add_argument("--rows", type=int, default=8000, help="longest real series; TSB-AD needs 10 s for 10,000 rows")
    parser.add_argument("--only", default="", help="compare series whose name holds this, and write no record")
    chosen = parser.parse_args()
    python = environment(chosen.python)
    wanted: dict[str, Callable[[], Series]] = {f"random {k}": lambda k=k: random_series(k) for k in range(20)}
    wanted |= {name: lambda name=name: real_series(name, "ridge", chosen.rows) for name in UNIVARIATE}
    wanted |= {
        name: lambda name=name, k=k: real_series(name, ("pca", "ridge")[k % 2], chosen.rows)
        for k, name in enumerate(MULTIVARIATE)
    }
    wanted |= {series.name: lambda series=series: series for series in awkward_series()}

    records = []
    with tempfile.TemporaryDirectory() as folder:
        versions = call(python, "versions", Path(folder))
        for name, make in wanted.items():
            if chosen.only in name:
                records.append(judged(make(), python, Path(folder)))
    lines = [(record, line) for record in records for line in record["measures"]]
    known = [entry(record, line) for record, line in lines if line["reason"]]
    unknown = [
        entry(record, line) for record, line in lines if line["difference"] > TOLERANCE and line["reason"] is None
    ]
    largest: dict[str, float] = {}
    for _, line in lines:
        if line["reason"] is None:
            key = f"{line['measure']}, {line['way']}"
            largest[key] = max(largest.get(key, 0.0), line["difference"])
    show(largest, known, unknown)
    if not chosen.only:
        write_record(
            "tsb_ad",
            seed=SEED,
            peer=versions,
            settings={"tolerance": TOLERANCE, "quantile": QUANTILE, "rows": chosen.rows, "sweep": SWEEP},
            equal=not unknown,
            largest_difference=largest,
            known_differences=known,
            unknown_differences=unknown,
            series=[tidy(record) for record in records],
        )
    sys.exit(1 if unknown else 0)


def show(largest: dict[str, float], known: list[dict], unknown: list[dict]) -> None:
    """What a person wants to see: agreement by measure, known differences, the others."""
    for key, difference in largest.items():
        print(f"{key:32} largest difference {difference:.1e}")
    for name in ("epsilon", "ends", "silent"):
        of_it = [one for one in known if one["reason"] == name]
        most = max((one["difference"] for one in of_it if one["difference"] is not None), default=0.0)
        print(f"known difference {name!r}: {len(of_it)} times, at most {most:.2g}")
    for one in known:
        if one["reason"] != "epsilon":
            print(f"  {one['reason']:8} {one['series']:20} {one['measure']}: {one['ours']} against {one['theirs']}")
    for one in unknown:
        print(f"UNKNOWN          {one['series']:20} {one['measure']}: {one['ours']} against {one['theirs']}")


def judged(series: Series, python: str, folder: Path) -> dict[str, object]:
    """Both sides on one series."""
    path = folder / "series.npz"
    np.savez(path, scores=series.scores, labels=series.labels, alarm=series.alarm, window=series.window)
    start = time.perf_counter()
    own = ours(series)
    middle = time.perf_counter()
    other = call(python, "values", path)
    spent = [round(middle - start, 2), round(time.perf_counter() - middle, 2)]
    lines = compared(series, own, other)
    agreed = max((line["difference"] for line in lines if line["reason"] is None), default=0.0)
    print(f"{series.name:55} {len(series.labels):6} rows, {agreed:.1e}, {spent[0]} s and {spent[1]} s", flush=True)
    return {
        "series": series.name,
        "kind": series.kind,
        "rows": len(series.labels),
        "anomalous_rows": int(series.labels.sum()),
        "alarmed_rows": int(series.alarm.sum()),
        "window": series.window,
        "seconds": dict(zip(("ours", "theirs"), spent, strict=True)),
        "measures": lines,
        "beside": own["beside"],
    }


def entry(record: dict, line: dict) -> dict[str, object]:
    return {
        "series": record["series"],
        "measure": f"{line['measure']}, {line['way']}",
        "reason": line["reason"],
        **{key: number(line[key]) for key in ("ours", "theirs", "difference")},
    }


def tidy(record: dict) -> dict[str, object]:
    """The record with our values alone: theirs are equal, or stand among the differences."""
    own = {f"{line['measure']}, {line['way']}": number(line["ours"]) for line in record["measures"]}
    return record | {"measures": own}


def number(value: float) -> float | None:
    """JSON has no NaN and no infinity."""
    return value if math.isfinite(value) else None


if __name__ == "__main__":
    main()
