"""What must be read beside a table: where its numbers come from, and what makes them hard to compare."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from redshank.evaluate._cells import Column
from redshank.evaluate._runs import (
    HIGHER_IS_BETTER,
    ORACLE,
    WINDOW,
    Run,
    listed,
)
from redshank.evaluate._table import MARK
from redshank.evaluate.protocols import LEARNED_EARLIER
from redshank.evaluate.significance import ALPHA

OF_WINDOW = ("VUS-", "range-")
"""How the measures begin that depend on a buffer around each anomaly."""


def provenance(runs: list[Run], measures: Sequence[str]) -> list[str]:
    """Data, protocol, rows, leaks, findings of the audit, what was assumed, seeds and command."""
    folds = {int(run.record["split"].get("folds") or 1) for run in runs}
    findings: dict[tuple[str, str], list[str]] = defaultdict(list)
    for run in runs:
        for one in run.record.get("audit") or ():
            findings[one["severity"], one["sentence"]].append(run.data)
    return [
        f"Data: {listed((f'{run.data} (fingerprint {run.fingerprint})' for run in runs), 'sets')}.",
        f"Protocol: {listed(run.protocol for run in runs)}; folds: {listed(map(str, sorted(folds)))}.",
        *_rows_note(runs),
        *(f"Leak: {leak.rstrip('.')}." for leak in sorted({run.leaks for run in runs if run.leaks})),
        *(
            f"Audit, {severity}, {listed(names, 'sets')}: {sentence.rstrip('.')}{'' if sentence.endswith('?') else '.'}"
            for (severity, sentence), names in sorted(findings.items())
        ),
        *_clock_note(runs),
        *_window_note(runs, measures),
        f"Seeds: {listed((run.seed for run in runs), 'seeds')}.",
        f"Command: {listed((str(run.record.get('command') or 'not recorded') for run in runs), 'commands')}",
    ]


def reading(columns: Sequence[Column], runs: list[Run], *, interval: bool) -> list[str]:
    """How to read the cells."""
    measures = list(dict.fromkeys(one.measure for one in columns))
    notes = []
    lower = [name for name in measures if HIGHER_IS_BETTER.get(name) is False]
    if lower:
        notes.append(f"Lower is better: {'; '.join(lower)}.")
    if interval:
        notes.append(
            "Brackets: 95 % bootstrap interval by series, from 5 series on; exact Poisson or Wilson where totals are "
            "counted."
        )
        if any(run.leaks for run in runs):
            notes.append(
                "Where rows leak, known anomalies and incidents are torn between folds: no Poisson or Wilson interval "
                "is given for their counts."
            )
    notes.append(f"Bold: told from every other row by the Wilcoxon signed-rank test by series at {ALPHA}, uncorrected.")
    unit = _unit(runs)
    clean: defaultdict[tuple[int, int], list[str]] = defaultdict(list)
    for one in columns:
        if one.clean:
            clean[one.clean, one.units].append(one.measure)
    notes += [
        f"{'; '.join(dict.fromkeys(names))}: {left} of {units} {unit} hold no known anomaly; left out of every row."
        for (left, units), names in clean.items()
    ]
    return notes + _undefined_note(columns, unit) + oracle_note(measures)


def oracle_note(measures: Sequence[str]) -> list[str]:
    """What an oracle is, where one is shown."""
    named = [measure for measure in measures if measure.endswith(ORACLE)]
    if not named:
        return []
    text = (
        "(oracle): at the best threshold on the score alone, chosen with the labels in hand; nobody who runs a plant "
        "has it. Alarms look at single channels as well and may do better."
    )
    gridded = any(measure != f"F1{ORACLE}" for measure in named)
    return [f"{text} All but F1: the best of 100 ranks of the score." if gridded else text]


def _rows_note(runs: list[Run]) -> list[str]:
    """Rows learned from, known anomalies among them, and rows judged."""
    notes = []
    earlier = [run for run in runs if run.protocol == LEARNED_EARLIER]
    others = [run for run in runs if run.protocol != LEARNED_EARLIER]
    if earlier:
        notes.append(
            f"Learned earlier: whether {listed(run.detector for run in earlier)} has seen these rows is not known "
            "here; if so, the values are better than they will be on others."
        )
    learned = [run.record["split"].get("train_rows") for run in others]
    judged = [run.record["split"].get("test_rows") for run in others]
    marked = [run.record["split"].get("train_anomalous_rows") for run in others]
    if others and None not in learned and None not in judged:
        known = "" if None in marked else f", {_span(marked) if any(marked) else 'none'} of them known anomalies"
        each = " each time" if len({run.place[:3] for run in others}) > 1 else ""
        notes.append(f"Learned from {_span(learned)} rows{each}{known}; judged on {_span(judged)}.")
    return notes


def _clock_note(runs: list[Run]) -> list[str]:
    assumed = [run.data for run in runs if run.record["data"].get("clock") == "assumed"]
    if not assumed:
        return []
    text = "the steps between readings are assumed, and weekly rates, delays and dates rest on that"
    return [f"Clock assumed, since there is no time column: {listed(assumed, 'sets')}; {text}."]


def _window_note(runs: list[Run], measures: Sequence[str]) -> list[str]:
    if not any(measure.startswith(OF_WINDOW) for measure in measures):
        return []
    windows: list[int] = []
    for run in runs:
        own = run.record["settings"].get(WINDOW)
        windows += own.values() if isinstance(own, dict) else [] if own is None else [own]
    series = len({(run.data, name) for run in runs for name in run.series})
    over = f" by series, over {series} series" if len(set(windows)) > 1 else ""
    return [f"VUS: largest buffer {_span(windows)} rows{over}."] if windows else []


def _undefined_note(columns: Sequence[Column], unit: str) -> list[str]:
    """One note for all cells that stand on fewer series or folds than others, or than there are."""
    every: defaultdict[str, list[tuple[str, tuple[int, int]]]] = defaultdict(list)
    for one in columns:
        every[one.measure] += [(name, counts) for name, counts in one.undefined.items()]
    told = []
    for measure, found in every.items():
        parts: list[str] = []
        last = 0
        for name, (lacking, units) in found:
            parts.append(f"{lacking} of {units} {unit} for {name}" if units != last else f"{lacking} for {name}")
            last = units
        if parts:
            told.append(f"{measure}: not defined on {', '.join(parts)}")
    marked = any(cell.partial for one in columns for cell in one.cells)
    mark = [f"{MARK}: mean over fewer {unit} than in other rows of the column."] if marked else []
    return ([f"{'; '.join(told)}; mean of the others."] if told else []) + mark


def _unit(runs: list[Run]) -> str:
    """What values are of: series, folds, or both."""
    folds = len({run.place[:3] for run in runs}) > len({run.data for run in runs})
    several = len({(run.data, name) for run in runs for name in run.series}) > 1
    return "series and folds" if folds and several else "folds" if folds else "series"


def _span(numbers: Iterable[int]) -> str:
    least, *_, most = [*(ordered := sorted(numbers)), ordered[-1]]
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"
