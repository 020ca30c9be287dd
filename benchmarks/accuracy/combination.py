"""What fusing and lifting detectors is worth: VUS-PR of members, ensembles and PAI on four public data sets.

Rows published for training are learned from; of NAB files the first quarter, up to the first anomalous row at most.
Channels in training standard deviations. The rows after are scored, in one pass, and compared with the labels; the
window of VUS-PR is the period of the training rows, or 100. No setting differs from the usual ones.

    python benchmarks/accuracy/combination.py [--data FOLDER]
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.record import write_record

from redshank.data import load, names
from redshank.detectors.combination.ensemble import HOW, EnsembleDetector
from redshank.detectors.combination.pai import PAIDetector
from redshank.detectors.specs import detector_of, text_of
from redshank.evaluate.metrics import vus_pr
from redshank.features import hold
from redshank.features.windows import period

DATA = ROOT.parent / "shared" / "data"
BASES = ("sub_pca", "matrix_profile", "pca", "knn")
"""What PAI is put around."""
NAB_SHARE = 0.25
"""Part of a NAB file that is learned from."""
UCR_FILES = 10
"""The first so many series of the archive, by name: what the time allows."""
WINDOW = 100
"""Window of VUS-PR where no period is found."""
SWAPPED = {"point": 0.2, "local": 0.667}
"""PAI with its two weights exchanged."""


def sets(root: Path) -> dict[str, list[str]]:
    every = names(root)
    return {
        "smd": ["smd/machine-1-6", "smd/machine-1-7", "smd/machine-2-1"],
        "skab/valve1": [name for name in every if name.startswith("skab/valve1")],
        "nab": [name for name in every if name.startswith("nab/")],
        "ucr": [name for name in every if name.startswith("ucr/")][:UCR_FILES],
    }


def series_of(name: str, root: Path) -> tuple[np.ndarray, np.ndarray, int]:
    """Standardised rows, labels, and how many rows are learned from."""
    data = load(name, root)
    values, labels = data.frame.values.astype(np.float64), data.y.astype(int)
    if name.startswith("nab/"):
        learned = int(NAB_SHARE * len(values))
        learned = min([learned, *np.flatnonzero(labels)[:1]])
    else:
        learned = int(data.train.sum())
        if not data.train[:learned].all():
            raise SystemExit(f"{name}: the training rows do not come first")
    values = np.nan_to_num(hold(values, len(values)))
    mean, spread = values[:learned].mean(axis=0), values[:learned].std(axis=0)
    return (values - mean) / np.where(spread > 0, spread, 1.0), labels, learned


def measured(name: str, root: Path) -> dict[str, float] | None:
    """VUS-PR by detector; None where no row to be scored is anomalous."""
    values, labels, learned = series_of(name, root)
    if not labels[learned:].any():
        return None
    window = period(values[:learned], 4, 300) or WINDOW

    def score(detector):
        return vus_pr(detector.score_samples(values)[learned:], labels[learned:], window=window)

    found = {}
    fitted = EnsembleDetector().fit(values[:learned])
    for base in dict.fromkeys((*fitted.members, *BASES)):
        found[base] = score(detector_of(base).fit(values[:learned]))
    for base in BASES:
        lifted = PAIDetector(base=base).fit(values[:learned])
        found[text_of(lifted)] = score(lifted)
        swapped = PAIDetector(base=base, **SWAPPED).restore(
            lifted.state()
        )  # the weights change nothing that is learned
        found[text_of(swapped)] = score(swapped)
    for how in HOW:
        fused = EnsembleDetector(how=how).restore(fitted.state())
        found[text_of(fused)] = score(fused)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    root = parser.parse_args().data
    begun = time.perf_counter()
    table: dict[str, dict[str, float]] = {}
    series: dict[str, dict[str, dict[str, float]]] = {}
    for group, members in sets(root).items():
        rows = {}
        for name in members:
            found = measured(name, root)
            if found is not None:
                rows[name] = {key: round(value, 6) for key, value in found.items()}
        series[group] = rows
        table[group] = {key: float(np.mean([row[key] for row in rows.values()])) for key in next(iter(rows.values()))}
        print(f"{group} ({len(rows)} series), {time.perf_counter() - begun:.0f} s")
        for key, value in table[group].items():
            print(f"  {value:.3f}  {key}")
    write_record(
        "combination",
        measure="VUS-PR, mean over series",
        members=EnsembleDetector().members,
        table=table,
        series=series,
        seconds=round(time.perf_counter() - begun, 1),
    )


if __name__ == "__main__":
    main()
