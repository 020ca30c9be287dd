"""The tables of the README and of docs/detectors.md, made from the records in ``benchmarks/results`` and nothing else.

python benchmarks/table.py [detectors]
"""

from __future__ import annotations

import csv
import json
import math
import statistics
import sys
from pathlib import Path
from typing import Any

from redshank.evaluate.papers import confusion_tables, papers_tables
from redshank.evaluate.tables import Measured, Table

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


def public() -> list[str]:
    """Detectors beside trivial baselines on families of public data."""
    found = record("evaluate")
    lines = [
        f"**Public data beside trivial baselines**, shipped defaults (`{found['command']}`).",
        "Mean over the series of a family; in brackets 95 % bootstrap interval by series, of the last column Poisson:",
        "",
        "| data (series) | detector | VUS-PR | ROC-AUC | F1 | false-positive rate | incident recall | false/week |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    wanted = ("VUS-PR", "ROC-AUC", "F1", "false-positive rate", "incident recall", "false incidents per device-week")
    for family, table in found["tables"].items():
        for row in table["rows"]:
            cells = dict(zip(table["columns"], row, strict=True))
            name = cells["detector"].removesuffix(" (baseline)")
            if name in ("ridge", "pca", "training_mean", "random", "always"):
                shown = name if name != cells["detector"] else f"`{name}`"
                values = " | ".join(measured(cells[column]) for column in wanted)
                lines.append(f"| {family} ({cells['series']}) | {shown} | {values} |")
    return lines


def measured(cell: dict[str, Any]) -> str:
    """A value with its interval, to the digits that the interval supports."""
    return str(Measured(*(float("nan") if cell[key] is None else cell[key] for key in ("value", "low", "high"))))


def nab() -> list[str]:
    """Our scorer against published scores, and the detectors of the registry."""
    published, own = record("nab_published"), record("nab_detectors")
    lines = [
        f"**NAB score** of published result files by our scorer (`{published['command']}`) and of our",
        f"detectors, learned on the probation of each file (`{own['command']}`); standard / low FP / low FN:",
        "",
        "| detector | ours | published | threshold from the other half of the files | as raised, at the budget |",
        "| --- | --- | --- | --- | --- |",
    ]
    for run in published["runs"]:
        official = profiles(run["published"]) if "published" in run else "-"
        lines.append(f"| {run['detector']} | {profiles(run['ours'])} | {official} | {profiles(run['halves'])} | - |")
    for name, kinds in own["scores"].items():
        if "fixed" in kinds:
            scores = {kind: profiles({key: one["score"] for key, one in kinds[kind].items()}) for kind in kinds}
            lines.append(f"| `{name}` | {scores['oracle']} | - | {scores['halves']} | {scores['fixed']} |")
    return lines


def profiles(scores: dict[str, float]) -> str:
    """The three profiles in NAB's order."""
    return " / ".join(f"{score:.1f}" for score in scores.values())


def metrics() -> list[str]:
    """Seconds of the metrics beside those of TSB-AD."""
    found = record("speed-metrics")
    lines = [
        f"**Metrics**, one core, 2 % anomalous, window 100 (`{found['command']}`), beside TSB-AD",
        f"{found['peer']['TSB-AD']} in the same run; equal to it within 1e-6 on 20 random and 20 real series",
        "(`python benchmarks/accuracy/tsb_ad.py`):",
        "",
        "| | ours: 10k rows | 100k | 1M | peak at 1M | TSB-AD: 10k | 100k | 1M |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, cells in found["ours"].items():
        sizes = sorted(cells, key=int)
        own = " | ".join(f"{cells[size]['cpu_s']:.2g} s" for size in sizes)
        peer = " | ".join(theirs(found, name, size) for size in sizes)
        lines.append(f"| {name} | {own} | {cells[sizes[-1]]['peak_mib']:.0f} MiB | {peer} |")
    return lines


def theirs(found: dict[str, Any], name: str, size: str) -> str:
    """Seconds of the peer, or the limit at which it was stopped."""
    cell = found["theirs"].get(name, {}).get(size)
    if isinstance(cell, dict):
        return f"{cell['cpu_s']:.3g} s"
    return cell or "-"


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
    return "\n".join([head, "", *demo(), "", *scan(), "", *public(), "", *nab(), "", *speed(), "", *metrics()])


def board() -> list[str]:
    """Every detector: means over the families of data, and VUS-PR by family."""
    found = record("board")
    rows = list(csv.DictReader(found["table"]))
    families = list(dict.fromkeys(row["data"] for row in rows if row["data"] != "all"))
    by_family = {(row["data"], row["detector"]): number(row["VUS-PR"]) for row in rows}
    names = ("event recall", "false alarms per day", "ROC-AUC", "F1")
    body = []
    for row in rows:
        if row["data"] != "all":
            continue
        mean = Measured(*(number(row.get(f"VUS-PR{end}", "")) for end in ("", " low", " high")))
        by = [by_family.get((family, row["detector"]), math.nan) for family in families]
        cost = [float(f"{number(row[name]):.3g}") for name in ("fit s", "rows per s")]
        body.append((row["detector"], mean, *by, *(number(row[name]) for name in names), *cost, row["beats anchors"]))
    columns = ("detector", "VUS-PR, mean", *families, *names, "fit s", "rows per s", "beats anchors on")
    made = f"{found['work_s'] / 60:.0f} minutes of work on {found['workers']} workers (`{found['command']}`)"
    notes = ("columns by name of the data: VUS-PR there", *found["notes"], made)
    table = Table(columns, tuple(body), found["caption"], notes)
    return ["### Every detector", "", table.markdown().rstrip()]


def papers() -> list[str]:
    """Each paper's comparison, under its protocol and under ours."""
    found = record("papers")
    records = found["comparisons"]
    intro = (
        f"`{found['command']}`. Each model stands twice: under the protocol that papers use, and under one that gives "
        "nothing away. What a paper prints stands beside and enters no column of ours."
    )
    lines = ["### What papers compare, made again", "", intro]
    for table in [*papers_tables(records), *confusion_tables(records, "c")]:
        lines += ["", table.markdown().rstrip()]
    return lines


def number(text: str) -> float:
    """A number of a table in CSV form, where an empty cell is no number."""
    return float(text) if text else math.nan


def detectors() -> str:
    """The tables of docs/detectors.md as Markdown."""
    return "\n".join([*board(), "", *papers()])


if __name__ == "__main__":
    print(detectors() if sys.argv[1:] == ["detectors"] else tables())
