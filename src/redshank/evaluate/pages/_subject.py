"""What a report is about: one detector's run in the records, its folds taken together, whole or for a period."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from redshank.core import InputError, Kind
from redshank.evaluate.intervals import Interval, garwood, wilson
from redshank.evaluate.pages._plots import Record, instant, value
from redshank.evaluate.significance import Paired, paired
from redshank.incidents import moment

WEEK_NS = 604_800 * 10**9
FAULTS = (Kind.SENSOR_FAULT, Kind.SILENCE)
"""Kinds that the quality checks report."""
HEADLINES = ("VUS-PR", "PR-AUC", "VUS-ROC", "ROC-AUC", "macro F1", "F1")
"""Measures by which detectors are compared, the first that is there."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A run as the report wants it.

    Parameters
    ----------
    record : mapping
        The run; several folds are joined to one.
    runs : tuple of mapping
        The records that were joined, and those of other seeds.
    rivals : tuple of mapping
        Other detectors and baselines on the same data, folds joined.
    compared : tuple of mapping
        All records of the same data, as they came.
    incidents, traces : tuple of mapping
        Those of the period, incidents worst first.
    period : tuple of int or None
        First moment and the one after the last, UTC nanoseconds; None for the whole run.
    judged : tuple of int or None
        The same of all that was judged; None where the record does not say.
    device_weeks : float
        Time judged in the period, all devices together.
    """

    record: Record
    runs: tuple[Record, ...]
    rivals: tuple[Record, ...]
    compared: tuple[Record, ...]
    incidents: tuple[Record, ...]
    traces: tuple[Record, ...]
    period: tuple[int, int] | None
    judged: tuple[int, int] | None
    device_weeks: float

    @property
    def labelled(self) -> bool:
        """Whether it is known what really happened."""
        events = self.record["events"]
        return bool(events["known"]) or events["false"] is not None

    @property
    def false(self) -> int | None:
        """False incidents of the period; None where that is not known."""
        if not self.labelled:
            return None
        if self.period is None:
            return int(self.record["events"]["false"])
        return sum(one["true"] is False for one in self.incidents)

    @property
    def false_rate(self) -> Interval | None:
        """False incidents per device-week of the period, with the exact 95 % interval."""
        return garwood(self.false, self.device_weeks) if self.false is not None and self.device_weeks else None

    @property
    def recall(self) -> Interval | None:
        """Found share of the known anomalies of the whole run."""
        events = self.record["events"]
        return wilson(events["found"], events["known"]) if events["known"] else None

    @property
    def asked(self) -> float:
        """False alarms asked for, per device-week; NaN where none were."""
        return value(self.record["calibration"], "asked_per_device_week")

    @property
    def causes(self) -> dict[str, int]:
        """False incidents of the period by cause, the most frequent first."""
        if self.period is None:
            counts = Counter(self.record["events"]["false_by_cause"])
        else:
            counts = Counter(cause_of(one) for one in self.incidents if one["true"] is False)
        return dict(counts.most_common())

    @property
    def headline(self) -> str | None:
        """The measure by which the run is compared with others, where it has one."""
        return next((name for name in HEADLINES if math.isfinite(value(self.record["measures"], name))), None)

    def best_baseline(self) -> Record | None:
        """The trivial baseline that is best by :attr:`headline`."""
        name = self.headline
        if name is None:
            return None
        found = [r for r in self.rivals if r["baseline"] and math.isfinite(value(r["measures"], name))]
        return max(found, key=lambda r: value(r["measures"], name), default=None)

    def against_best(self) -> Paired | None:
        """The run and its best trivial baseline, series by series; None for fewer than two series in common."""
        best, name = self.best_baseline(), self.headline
        if best is None or name is None:
            return None
        own, other = (
            {one["name"]: value(one["measures"], name) for one in r["series"] if name in one["measures"]}
            for r in (self.record, best)
        )
        if sum(math.isfinite(own[series]) and math.isfinite(other[series]) for series in own.keys() & other.keys()) < 2:
            return None
        return paired(own, other, names=(self.record["detector"], best["detector"]))


def subject_of(records: Sequence[Record], *, since: str | None = None, until: str | None = None) -> Subject:
    """The first detector that is not a baseline, on its data and with its seed.

    Raises
    ------
    InputError
        If there is no such record, or the period is empty or lies outside what was judged.
    """
    first = next((r for r in records if not r["baseline"]), None)
    if first is None:
        raise InputError(
            f"run report: {len(records)} records, and none of a detector that is not a baseline; nothing to report on"
        )
    same_data = [r for r in records if r["data"]["fingerprint"] == first["data"]["fingerprint"]]
    groups: dict[tuple[str, int], list[Record]] = {}
    for r in same_data:
        groups.setdefault((r["detector"], r["seed"]), []).append(r)
    own = joined(groups.pop((first["detector"], first["seed"])))
    rivals = tuple(joined(folds) for (name, _), folds in groups.items() if name != first["detector"])
    runs = tuple(r for r in same_data if r["detector"] == first["detector"])
    weeks = value(own["events"], "device_weeks")
    judged = _judged(own, weeks)
    ordered = tuple(sorted(own["incidents"], key=lambda one: -one["severity"]))
    if since is None and until is None:
        return Subject(own, runs, rivals, tuple(same_data), ordered, tuple(own["traces"]), None, judged, weeks)
    if judged is None:
        raise InputError("run report: the record does not say when it judged, so no period of it can be shown")
    last = max([judged[1], *(instant(one["detected"]) for one in ordered)])  # silence is seen after the last reading
    span = (instant(since) if since is not None else judged[0], instant(until) if until is not None else last + 1)
    if span[0] >= span[1]:
        raise InputError(
            f"run report: the period ends ({moment(span[1])}) before it begins ({moment(span[0])}); exchange them"
        )
    inside = max(min(span[1], judged[1]) - max(span[0], judged[0]), 0)
    if not inside:
        raise InputError(
            f"run report: nothing was judged from {moment(span[0])} to {moment(span[1])}; "
            f"the run judged {moment(judged[0])} to {moment(judged[1])} UTC"
        )
    seen = tuple(one for one in ordered if span[0] <= instant(one["detected"]) < span[1])
    traces = tuple(cut for cut in (_cut(trace, span) for trace in own["traces"]) if cut["time"])
    return Subject(
        own, runs, rivals, tuple(same_data), seen, traces, span, judged, weeks * inside / max(judged[1] - judged[0], 1)
    )


def cause_of(incident: Record) -> str:
    """The word under which a false incident is counted: what the quality checks say, or its kind."""
    return f"quality: {incident['cause']}" if incident["kind"] in FAULTS else str(incident["kind"])


def joined(folds: Sequence[Record]) -> Record:
    """Folds of one detector as one run: counts are added, measures averaged, lists put together."""
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
            "fold": None,
            "left_out": ", ".join(_distinct(r["split"]["left_out"] for r in folds if r["split"]["left_out"])),
        },
        "audit": _distinct(finding for r in folds for finding in r["audit"]),
        "model": {
            "fingerprint": ", ".join(_distinct(r["model"]["fingerprint"] for r in folds)),
            "rate_held_back": _mean(value(r["model"], "rate_held_back") for r in folds),
        },
        "measures": _means([r["measures"] for r in folds]),
        "oracle": _means([r["oracle"] for r in folds]),
        "series": [one for r in folds for one in r["series"]],
        "confusion": _confusion([r["confusion"] for r in folds]),
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
        },
        "load": _load([r["load"] for r in folds]),
        "traces": [trace for r in folds for trace in r["traces"]],
        "drift": _worst([r["drift"] for r in folds]),
        "seconds": {name: math.fsum(value(r["seconds"], name) for r in folds) for name in first["seconds"]},
        "peak_mib": max(value(r, "peak_mib") for r in folds),
    }


def _cut(trace: Record, span: tuple[int, int]) -> Record:
    inside = [k for k, text in enumerate(trace["time"]) if span[0] <= instant(text) < span[1]]
    return {
        **trace,
        **{name: [trace[name][k] for k in inside] for name in ("time", "score", "alarm")},
        "values": {name: [values[k] for k in inside] for name, values in trace["values"].items()},
        "labels": [[a, b] for a, b in trace["labels"] if instant(a) < span[1] and instant(b) >= span[0]],
    }


def _judged(record: Record, weeks: float) -> tuple[int, int] | None:
    """First and last moment judged: those of the traces, else the device-weeks back from the end of the data."""
    times = [instant(text) for trace in record["traces"] for text in (trace["time"][:1] + trace["time"][-1:])]
    if times:
        return min(times), max(times)
    if not math.isfinite(weeks) or not record["data"]["end"]:
        return None
    end = instant(record["data"]["end"])
    return end - round(weeks * WEEK_NS / max(len(record["data"]["devices"]), 1)), end


def _mean(values: Iterable[float], weights: Sequence[float] | None = None) -> float:
    """Mean of the numbers that are known; NaN where none is."""
    array = np.array(list(values), np.float64)
    weight = np.ones(len(array)) if weights is None else np.asarray(weights, np.float64)
    known = np.isfinite(array) & np.isfinite(weight)
    return float(np.average(array[known], weights=weight[known])) if weight[known].sum() > 0 else math.nan


def _means(folds: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    return {
        name: _mean(value(fold, name) for fold in folds) for name in dict.fromkeys(n for fold in folds for n in fold)
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
