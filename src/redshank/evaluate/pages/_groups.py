"""Runs in records sorted by what they are: repeats dropped, folds taken together, unlike runs kept apart."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from redshank.evaluate.pages._plots import Record, seedless, value
from redshank.evaluate.tables import ORACLE, Measured, results_table


@dataclass(frozen=True)
class Group:
    """Folds of one run: one detector with its settings and seed, on one data set, by one protocol.

    Parameters
    ----------
    folds : tuple of mapping
        Their records, by fold; of a fold that came twice the later one.
    """

    folds: tuple[Record, ...]

    @property
    def first(self) -> Record:
        return self.folds[0]

    @cached_property
    def record(self) -> Record:
        """All folds as one."""
        return joined(self.folds)

    @property
    def data(self) -> tuple[str, str]:
        return _data(self.first)

    @property
    def where(self) -> tuple[object, ...]:
        """Runs that share it learned from and judged the same rows, fold by fold."""
        rows = tuple((r["split"]["fold"], *_rows(r)) for r in self.folds)
        return self.data, self.first["split"]["protocol"], rows

    @property
    def settings(self) -> dict[str, str]:
        """Settings and budget as text; without the seed and what is of the measuring."""
        return _settings(self.first)

    @property
    def missing(self) -> int:
        """Folds of the protocol that the records do not hold."""
        return max(int(self.first["split"]["folds"]) - len(self.folds), 0)


def groups_of(records: Sequence[Record]) -> tuple[list[Group], int]:
    """Groups in the order in which they begin, and how many records came again later and do not count.

    A fold that comes again with other rows is of another division, and begins a group of its own.
    """
    every: dict[tuple[object, ...], list[dict[int, Record]]] = {}
    again = 0
    for r in records:
        split = r["split"]
        settings = tuple(sorted(_settings(r).items()))
        key = (r["detector"], r["baseline"], r["seed"], settings, _data(r), split["protocol"], split["folds"])
        runs, fold = every.setdefault(key, []), int(split["fold"])
        own = next((run for run in reversed(runs) if fold not in run or _rows(run[fold]) == _rows(r)), None)
        if own is None:
            runs.append({fold: r})
        else:
            again += fold in own
            own[fold] = r
    groups = [run for runs in every.values() for run in runs]
    return [Group(tuple(run[fold] for fold in sorted(run))) for run in groups], again


def _data(record: Record) -> tuple[str, str]:
    return str(record["data"]["name"]), str(record["data"]["fingerprint"])


def _rows(record: Record) -> tuple[int, int, str]:
    split = record["split"]
    return int(split["train_rows"]), int(split["test_rows"]), str(split["left_out"])


def _settings(record: Record) -> dict[str, str]:
    texts = {name: json.dumps(one, sort_keys=True) for name, one in seedless(record["settings"]).items()}
    return texts | {"budget": str((record["calibration"] or {}).get("budget"))}


def joined(folds: Sequence[Record]) -> Record:
    """Folds of one detector as one run: counts are added, lists put together, measures as the table has them."""
    if len(folds) == 1:
        return folds[0]
    events, first = [r["events"] for r in folds], folds[0]
    weeks = [value(one, "device_weeks") for one in events]
    total = math.fsum(weeks)
    known_false = all(one["false"] is not None for one in events)
    false = sum(one["false"] for one in events) if known_false else None
    kinds: dict[str, list[int]] = {}
    for one in events:
        for kind, (found, known) in one["by_kind"].items():
            so_far = kinds.setdefault(kind, [0, 0])
            kinds[kind] = [so_far[0] + found, so_far[1] + known]
    return {
        **first,
        "split": first["split"]
        | {
            "test_rows": sum(r["split"]["test_rows"] for r in folds),
            "train_rows": max(r["split"]["train_rows"] for r in folds),
            "purged_rows": max(r["split"]["purged_rows"] for r in folds),
            "train_anomalous_rows": max(value(r["split"], "train_anomalous_rows") for r in folds),
            "fold": None,
            "left_out": ", ".join(_distinct(r["split"]["left_out"] for r in folds if r["split"]["left_out"])),
        },
        "audit": _distinct(finding for r in folds for finding in r["audit"]),
        "model": {
            "fingerprint": ", ".join(_distinct(r["model"]["fingerprint"] for r in folds)),
            "rate_held_back": _mean(value(r["model"], "rate_held_back") for r in folds),
        },
        **_pooled(folds),
        "series": [one for r in folds for one in r["series"]],
        "confusion": _confusion([r["confusion"] for r in folds]),
        "curves": {},  # each fold has its own
        "events": {
            **{name: sum(one[name] for one in events) for name in ("known", "found", "incidents")},
            "false": false,
            "device_weeks": total,
            "alarm_share": _mean((value(one, "alarm_share") for one in events), weeks),
            "delays_s": [delay for one in events for delay in one["delays_s"]],
            "by_kind": kinds,
            "false_by_cause": dict(sum((Counter(one["false_by_cause"]) for one in events), Counter())),
        },
        "incidents": [one for r in folds for one in r["incidents"]],
        "calibration": first["calibration"]
        | {
            "realised_per_device_week": false / total if false is not None and total else None,
            "held_back": _mean(value(r["calibration"], "held_back") for r in folds),
            "reliability": None,  # each fold has its own
        },
        "load": _load([r["load"] for r in folds]),
        "traces": [trace for r in folds for trace in r["traces"]],
        "drift": _worst([r["drift"] for r in folds]),
        "seconds": {name: math.fsum(value(r["seconds"], name) for r in folds) for name in first["seconds"]},
        "peak_mib": max(value(r, "peak_mib") for r in folds),
    }


def _mean(values: Iterable[float], weights: Sequence[float] | None = None) -> float:
    """Mean of the numbers that are known; NaN where none is."""
    array = np.array(list(values), np.float64)
    weight = np.ones(len(array)) if weights is None else np.asarray(weights, np.float64)
    known = np.isfinite(array) & np.isfinite(weight)
    return float(np.average(array[known], weights=weight[known])) if weight[known].sum() > 0 else math.nan


def _pooled(folds: Sequence[Record]) -> dict[str, dict[str, float]]:
    """Measures and oracles of all folds, as the table of results gives them."""
    own = list(dict.fromkeys(name for r in folds for name in r["measures"]))
    oracle = list(dict.fromkeys(f"{name}{ORACLE}" for r in folds for name in r["oracle"]))
    table = results_table(folds, [*own, *oracle], interval=False)
    found = {
        name: cell.value if isinstance(cell, Measured) else float(cell)
        for name, cell in zip(table.columns, table.rows[0], strict=True)
        if name in {*own, *oracle}
    }
    return {
        "measures": {name: found[name] for name in own},
        "oracle": {name.removesuffix(ORACLE): found[name] for name in oracle},
    }


def _confusion(folds: Sequence[Mapping[str, Any] | None]) -> Mapping[str, Any] | None:
    known = [fold for fold in folds if fold]
    if len(known) < len(folds):
        return None
    if "matrix" not in known[0]:
        return {name: sum(int(fold[name]) for fold in known) for name in ("tp", "fp", "fn", "tn")}
    if any(fold["classes"] != known[0]["classes"] for fold in known):
        return None
    return {**known[0], "matrix": np.sum([fold["matrix"] for fold in known], axis=0).tolist()}


def _load(folds: Sequence[Mapping[str, Any] | None]) -> Mapping[str, Any] | None:
    """Load of folds one after the other: averages by their hours, the worst of the worst, counts added."""
    known = [fold for fold in folds if fold]
    if not known:
        return None
    hours = [value(fold, "hours") for fold in known]
    rules: dict[str, Callable[[list[float]], float]] = {
        "alarms": math.fsum,
        "hours": math.fsum,
        "chattering": math.fsum,
        "worst_ten_minutes": max,
    }
    return {
        name: rules[name]([value(fold, name) for fold in known])
        if name in rules
        else _mean((value(fold, name) for fold in known), hours)
        for name in known[0]
    }


def _worst(folds: Sequence[Sequence[Record]]) -> list[Record]:
    """For each channel the fold in which it had drifted most."""
    worst: dict[str, Record] = {}
    for one in (one for fold in folds for one in fold):
        if one["channel"] not in worst or not value(one, "psi") <= value(worst[one["channel"]], "psi"):
            worst[one["channel"]] = one
    return list(worst.values())


def _distinct(things: Iterable[Any]) -> list[Any]:
    kept: list[Any] = []
    for thing in things:
        if thing not in kept:
            kept.append(thing)
    return kept
