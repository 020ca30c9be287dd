"""The tables of the README, made from the records in ``benchmarks/results`` and from nothing else."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"


def record(name: str) -> dict[str, Any]:
    """One record by name."""
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def demo() -> list[str]:
    """Event recall and false incidents on the simulated plant, by detector."""
    found = record("demo")
    lines = [
        "**The demo's plant**, ten devices, five seeds, budget 1 per device per week; lowest and highest seed in",
        f"brackets (`{found['command']}`):",
        "",
        "| detector | event recall | false incidents per device-week | median delay | whole run |",
        "| --- | --- | --- | --- | --- |",
    ]
    for detector, total in found["summary"].items():
        runs = [run for run in found["runs"] if run["detector"] == detector]
        recall, false = ([run[key] for run in runs] for key in ("event recall", "false incidents per device-week"))
        delay = statistics.median(run["median delay, s"] for run in runs) / 60.0
        lines.append(
            f"| `{detector}` | {total['event recall']:.2f} ({min(recall):.2f} to {max(recall):.2f}) "
            f"| {total['false incidents per device-week']:.2f} ({min(false):.2f} to {max(false):.2f}) "
            f"| {delay:.0f} min | {total['median wall_s']:.0f} s |"
        )
    return lines


def scan() -> list[str]:
    """What ``scan`` finds in real recordings at the shipped defaults."""
    found = record("scan")
    lines = [
        f"**Real recordings**, shipped defaults, nothing tuned to them (`{found['command']}`):",
        "",
        "| recording | detector | known found | incidents (false) | time in incidents | held-back per week | s |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {run['recording']} | `{run['detector']}` | {run['found']} of {run['known events']} "
        f"| {run['incidents']} ({run['false incidents']}) | {run['share of time in incidents']:.0%} "
        f"| {run['held_back_rate']:.1f} | {run['wall_s']:.0f} |"
        for run in found["runs"]
    ]
    return lines


def speed() -> list[str]:
    """Seconds and rows a second."""
    trained, features, simulated = record("ae_lstm"), record("speed-features"), record("speed-simulate")
    hybrid, plain, pca = (trained["results"][name] for name in ("ae_lstm", "plain_lstm", "pca"))
    rows = features["rows_per_s"]
    plant = simulated["results"]["plant, radio link, 3 anomalies a device and week; 100 devices, 168 h"]
    lines = [
        "**Speed**, one core:",
        "",
        "| what | measured | command |",
        "| --- | --- | --- |",
    ]
    for name, runs in (("hybrid AE-LSTM", hybrid), ("plain LSTM over every window of 100", plain), ("PCA", pca)):
        epochs = f", {runs[0]['epochs']} epochs" if "epochs" in runs[0] else ""
        lines.append(
            f"| {name}, SMD machine-1-6: learn 23,688 x 38, score 23,689{epochs} "
            f"| {statistics.median(run['fit_s'] for run in runs):.2g} s, "
            f"{statistics.median(run['score_s'] for run in runs):.2g} s, "
            f"peak {statistics.median(run['peak_mib'] for run in runs):.0f} MiB, "
            f"ROC-AUC {statistics.mean(run['roc_auc'] for run in runs):.3f} | `{trained['command']}` |"
        )
    denoised = f"{rows['ours'] / 1e6:.2f} M rows/s (best public libraries, same run: {rows['peers'] / 1e6:.2f} M)"
    made = f"{plant['readings_per_s_median'] / 1e6:.2f} M readings/s"
    chain = "interpolation, rolling mean and deviation, wavelet denoising of 50 sensors, in series"
    lines.append(f"| {chain} | {denoised} | `{features['command']}` |")
    lines.append(f"| simulator with radio link and anomalies, 11 channels | {made} | `{simulated['command']}` |")
    return lines


def tables() -> str:
    """All of them as Markdown, with the machine they were measured on."""
    machine, versions = record("demo")["machine"], record("demo")["versions"]
    head = (
        f"Measured on {machine['cores']} cores of an {machine['cpu']} with {machine['memory_gib']:.0f} GiB, Python "
        f"{versions['python']}, NumPy {versions['numpy']}, PyTorch {versions['torch']}; the tables are made by\n"
        "`python benchmarks/table.py` from the records in `benchmarks/results/`."
    )
    return "\n".join([head, "", *demo(), "", *scan(), "", *speed()])


if __name__ == "__main__":
    print(tables())
