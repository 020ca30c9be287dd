"""What tables take from records: runs, gathered into rows that can be compared."""

from __future__ import annotations

import difflib
import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from redshank.core import InputError

Record = Mapping[str, Any]
Unit = tuple[str, int, str]
"""Data, fold and series: what a measure is taken on."""

RATE = "false incidents per device-week"
RECALL = "incident recall"
DELAY = "median incident delay, s"
POINT_ADJUSTED = "point-adjusted F1 (misleading)"
POINT_ADJUSTED_RANDOM = "point-adjusted F1 of as many random alarms"
"""What as many alarms at random would get: without it beside, the former says nothing."""
WINDOW = "window"
"""The setting that is of the measuring, not of the detector."""
SEEDS = frozenset({"seed", "detector.seed"})
"""Settings that say what the seed of the run says."""
MOST_LISTED = 6
"""Names in a caption or note; of more only the first and the last stand there, and all of them in the records."""
SETTLED = frozenset({"always", "never"})
"""Baselines that reach the best recall, or the fewest false alarms, by saying nothing: they compete for no bold."""
BASELINE = " (baseline)"
"""Ends the name of every row of a trivial baseline."""
ORACLE = " (oracle)"
"""Ends the name of every measure whose threshold was chosen with the labels in hand."""
DEFAULT_MEASURES = ("VUS-PR", "ROC-AUC", "F1", "false-positive rate", RECALL, RATE, DELAY)
"""F1 never without the false-positive rate: where anomalies are common, what always alarms has a fine F1. What counts
events is of incidents throughout; "event recall" and "median delay, s" are of row alarms."""
COUNTS = frozenset({"known events", "found", "false events"})
"""Measures that are added up over series and folds instead of averaged."""
_HIGHER = "VUS-PR,VUS-ROC,range-PR-AUC,range-ROC-AUC,PR-AUC,ROC-AUC,accuracy,precision,recall,F1,affiliation precision,"
_HIGHER += (
    "affiliation recall,affiliation F1,range precision,range recall,range F1,event recall,event precision,event F1,"
)
_HIGHER += f"{RECALL},accuracy of kinds,balanced accuracy of kinds,macro F1 of kinds,weighted F1 of kinds"
_LOWER = ("false-positive rate", "false events per device-week", RATE, DELAY, "median delay, s", "median delay, rows")
HIGHER_IS_BETTER: Mapping[str, bool] = MappingProxyType(
    dict.fromkeys(_HIGHER.split(","), True) | dict.fromkeys(_LOWER, False)
)
"""Which way each measure is better; of any other measure no value is called the best."""


@dataclass(frozen=True, slots=True)
class Run:
    """What tables take from one record."""

    record: Record
    detector: str
    baseline: bool
    data: str
    fingerprint: str
    protocol: str
    fold: int
    left_out: str
    leaks: str
    seed: str
    variant: Mapping[str, str]
    measures: Mapping[str, float]
    series: Mapping[str, Mapping[str, float]]
    clean: frozenset[str]
    """Series of which no judged row is a known anomaly."""

    @property
    def place(self) -> tuple[str, str, int, str]:
        """Runs that share it were judged on the same rows."""
        return self.data, self.protocol, self.fold, self.seed

    @property
    def judged(self) -> tuple[object, ...]:
        """What must be the same in all runs of one place: test rows, folds, what is left out."""
        return self.record["split"].get("test_rows"), self.record["split"].get("folds"), self.left_out

    @property
    def leak_mark(self) -> str:
        """The first words of the sentence on a leak."""
        return self.leaks.partition(":")[0]

    @property
    def variants(self) -> frozenset[tuple[str, str]]:
        return frozenset(self.variant.items())


SECTIONS: Mapping[str, Callable[[Run], str]] = MappingProxyType(
    {
        "detector": lambda _: "",
        "data": lambda run: run.data,
        "protocol": lambda run: run.protocol,
        "left out": lambda run: run.left_out,
        "fold": lambda run: str(run.fold),
        "seed": lambda run: run.seed,
    }
)


@dataclass(frozen=True, slots=True)
class Row:
    """The runs behind one row of a table."""

    section: str
    label: str
    runs: list[Run]

    @property
    def baseline(self) -> bool:
        return self.runs[0].baseline

    @property
    def shown(self) -> str:
        return f"{self.label}{BASELINE}" if self.baseline else self.label

    @property
    def leaks(self) -> str:
        """Short marks of what leaks; the notes hold the sentences."""
        return "; ".join(sorted({run.leak_mark for run in self.runs if run.leaks}))

    def units(self, measure: str) -> dict[Unit, float]:
        """Mean over seeds of each series of each fold that has the measure; NaN where it is never defined."""
        every: defaultdict[Unit, list[float]] = defaultdict(list)
        for run in self.runs:
            for name, values in run.series.items():
                if measure in values:
                    every[run.data, run.fold, name].append(values[measure])
        return {unit: mean(values) for unit, values in every.items()}

    @property
    def clean(self) -> set[Unit]:
        """Series of folds of which no judged row is a known anomaly."""
        return {(run.data, run.fold, name) for run in self.runs for name in run.clean}


def read_runs(records: Sequence[Record]) -> tuple[list[Run], list[str]]:
    read = [_run(record, place) for place, record in enumerate(records) if record.get("kind") == "run"]
    if not read:
        raise InputError(f"tables: none of {len(records)} records is of a run; give the file that evaluate wrote")
    latest = {(run.detector, run.variants, run.fingerprint, run.place, run.judged): run for run in read}
    again = len(read) - len(latest)
    notes = [f"Left out, since the same run came again later: {again} of {len(read)} records."] if again else []
    if not any(run.baseline for run in read):
        notes.append("No trivial baseline was run beside these: what the values are worth cannot be told.")
    return list(latest.values()), notes


def _run(record: Record, place: int) -> Run:
    try:
        data, split = record["data"], record["split"]
        budget = (record.get("calibration") or {}).get("budget")
        settings = {name: json.dumps(one) for name, one in record["settings"].items() if name not in SEEDS | {WINDOW}}
        measures = _values(record)
        known, weeks = event(record, "known"), event(record, "device_weeks")
        delays = [one for one in (record.get("events") or {}).get("delays_s") or () if one is not None] or [math.nan]
        of_events = {
            RATE: event(record, "false") / weeks if weeks else math.nan,
            RECALL: event(record, "found") / known if known else math.nan,
            "known events": known,
            "found": event(record, "found"),
            DELAY: float(np.median(delays)),
        }
        return Run(
            record=record,
            detector=str(record["detector"]),
            baseline=bool(record["baseline"]),
            data=str(data["name"]),
            fingerprint=str(data["fingerprint"]),
            protocol=str(split["protocol"]),
            fold=int(split["fold"]),
            left_out=str(split.get("left_out") or ""),
            leaks=str(split.get("leaks") or ""),
            seed=str(record["seed"]),
            variant=settings | ({"budget": str(budget)} if budget else {}),
            measures=of_events | measures,
            series={str(one["name"]): _values(one) for one in record.get("series") or ()},
            clean=frozenset(str(one["name"]) for one in record.get("series") or () if one.get("anomalous_rows") == 0),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"tables: record {place} is not that of a run ({error!r}); read it with records.read"
        ) from error


def _values(part: Record) -> dict[str, float]:
    """Measures, and oracles under names that say so."""
    own = {name: number(value) for name, value in part["measures"].items()}
    return own | {f"{name}{ORACLE}": number(value) for name, value in (part.get("oracle") or {}).items()}


def group(runs: list[Run], by: str) -> tuple[list[Row], list[str]]:
    """Runs by section and label, once it is sure that those of a section can be compared; and notes."""
    _check_comparable(runs, by)
    competing = _competing(runs)
    groups: defaultdict[tuple[str, str], list[Run]] = defaultdict(list)
    for run in runs:
        parts = [f"{key}={run.variant.get(key, 'default')}" for key in competing.get(run.detector, ())]
        groups[SECTIONS[by](run), f"{run.detector} ({', '.join(parts)})" if parts else run.detector].append(run)
    notes = [
        f"{name}: the rows differ in {', '.join(keys)}; choosing the best of these rows here would be tuning on the "
        "judged rows."
        for name, keys in competing.items()
    ]
    rows = [Row(section, label, own) for (section, label), own in groups.items()]
    for row in rows:
        wanted = {
            (*run.place[:3], name)
            for one in rows
            if one.section == row.section
            for run in one.runs
            for name in run.series
        }
        had = {(*run.place[:3], name) for run in row.runs for name in run.series}
        if had != wanted:
            notes.append(f"{row.shown}: judged on {len(had)} of {len(wanted)} series and folds of this table.")
        if keys := _differing(row.runs):
            notes.append(f"{row.shown}: runs differ in {', '.join(keys)}; one row holds them all.")
    return rows, list(dict.fromkeys(notes))


def _check_comparable(runs: list[Run], by: str) -> None:
    data: dict[str, str] = {}
    tested: dict[tuple[str, str, int], tuple[object, ...]] = {}
    protocols: dict[str, str] = {}
    for run in runs:
        if data.setdefault(run.data, run.fingerprint) != run.fingerprint:
            raise InputError(
                f"tables: {run.data} has fingerprints {data[run.data]} and {run.fingerprint}: two data sets under "
                "one name; give the records of one of them"
            )
        if protocols.setdefault(SECTIONS[by](run), run.protocol) != run.protocol:
            raise InputError(
                f"tables: some runs are by {protocols[SECTIONS[by](run)]} and some by {run.protocol}; "
                "give the records of one protocol, or by='protocol'"
            )
        if tested.setdefault(run.place[:3], run.judged) != run.judged:
            raise InputError(
                f"tables: fold {run.fold} of {run.data} ({run.protocol}) is not the same rows in every run (test rows, "
                f"folds, left out: {tested[run.place[:3]]} and {run.judged}); give the records of one split"
            )


def _competing(runs: list[Run]) -> dict[str, list[str]]:
    """Of each detector that ran more than once on the same rows, the settings in which these runs differ."""
    found = {}
    for name in dict.fromkeys(run.detector for run in runs):
        own = [run for run in runs if run.detector == name]
        if len({run.place for run in own}) < len(own):
            found[name] = _differing(own)
    return found


def _differing(runs: list[Run]) -> list[str]:
    """Settings in which runs differ."""
    keys = sorted({key for run in runs for key in run.variant})
    return [key for key in keys if len({run.variant.get(key) for run in runs}) > 1]


def check_measures(runs: list[Run], measures: Sequence[str]) -> None:
    known = set(HIGHER_IS_BETTER) | COUNTS
    for run in runs:
        known.update(run.measures, *run.series.values())
    for measure in measures:
        if measure not in known:
            raise InputError(f"tables: no record has a measure {measure!r}; {nearest(measure, known)}")


def nearest(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names)}"


def listed(names: Iterable[str], noun: str = "") -> str:
    """Each name once; of many only the ends, and how many."""
    every = list(dict.fromkeys(names))
    if len(every) > MOST_LISTED:
        return f"{len(every)} {noun} from {every[0]} to {every[-1]}"
    return ", ".join(every)


def event(record: Record, name: str) -> float:
    return number((record.get("events") or {}).get(name))


def number(value: Any) -> float:
    return math.nan if value is None else float(value)


def mean(values: Iterable[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return math.fsum(known) / len(known) if known else math.nan
