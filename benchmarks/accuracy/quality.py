"""False findings of the quality checks on normal readings: simulated weeks, and the normal halves of SMD."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.record import write_record

from redshank.core import Frame
from redshank.data import load
from redshank.pipeline import device_weeks
from redshank.quality import QualityChecks
from redshank.simulate import simulate

BUDGET = 0.2
WEEK_H = 168.0


def main() -> None:
    """Fit on the first half of each recording, check the second."""
    runs = [simulated(seed) for seed in range(5)]
    runs += [recorded(f"smd/machine-{name}") for name in ("1-6", "1-7", "2-1", "2-2", "2-7")]
    for one in runs:
        print(one)
    write_record("quality", budget_per_device_week=BUDGET, runs=runs)


def simulated(seed: int) -> dict[str, object]:
    """Twenty devices, two weeks without anomalies."""
    return halves(f"simulated plant, seed {seed}", simulate(20, 2 * WEEK_H, seed=seed, clean_hours=2 * WEEK_H).frame)


def recorded(name: str) -> dict[str, object]:
    """The published training part of one machine."""
    data = load(name)
    return halves(name, data.frame.take(data.train if data.train is not None else slice(None)))


def halves(name: str, frame: Frame) -> dict[str, object]:
    """Findings in the second half of the time after learning the first."""
    middle = (int(frame.time_ns.min()) + int(frame.time_ns.max())) // 2
    first, second = frame.take(frame.time_ns < middle), frame.take(frame.time_ns >= middle)
    findings = QualityChecks(budget_per_week=BUDGET).fit(first).check(second)
    causes, counts = np.unique([finding.cause for finding in findings], return_counts=True)
    return {
        "recording": name,
        "device_weeks": round(device_weeks(second), 2),
        "findings": len(findings),
        "causes": dict(zip(causes.tolist(), counts.tolist(), strict=True)),
    }


if __name__ == "__main__":
    main()
