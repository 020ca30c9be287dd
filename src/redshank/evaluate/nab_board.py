"""The NAB score as records, and the board made from them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from redshank.evaluate.metrics import PROFILES, NabScore, nab_score, nab_score_halves
from redshank.evaluate.nab_run import RAISED
from redshank.evaluate.records import SCHEMA, Record, environment, plain
from redshank.evaluate.tables import BASELINE, ORACLE, Measured, Table, Value

KIND = "nab"
SHORT = dict(zip(PROFILES, ("standard", "low FP", "low FN"), strict=True))
Scores = Mapping[str, npt.NDArray[np.float64]]


def nab_record(
    name: str,
    scores: Scores,
    windows: Mapping[str, Sequence[tuple[int, int]]],
    time_ns: Mapping[str, npt.NDArray[np.int64]],
    *,
    baseline: bool = False,
    threshold: float | None = None,
    command: str | None = None,
) -> Record:
    """One detector's NAB score on the whole corpus.

    ``scores["oracle"]`` has the thresholds that are best on these very labels, as the published board;
    ``scores["halves"]`` those of the other half of the files; ``scores["fixed"]``, where one is given, ``threshold``.
    Other parameters as for :func:`redshank.evaluate.metrics.nab_score`.
    """
    found: dict[str, NabScore] = {
        "oracle": nab_score(scores, windows, time_ns=time_ns),
        "halves": nab_score_halves(scores, windows, time_ns=time_ns),
    }
    if threshold is not None:
        found["fixed"] = nab_score(scores, windows, time_ns=time_ns, threshold=threshold)
    by_kind = {kind: {key: asdict(one) for key, one in score.by_profile().items()} for kind, score in found.items()}
    return {
        "schema": SCHEMA,
        "kind": KIND,
        "detector": name,
        "baseline": baseline,
        "threshold": threshold,
        "scores": plain(by_kind),
        **environment(command),
    }


def nab_table(records: Sequence[Mapping[str, Any]]) -> Table:
    """The board: detectors as given, then what does not look at the data. Of two records of a name the later counts."""
    latest = {(one["baseline"], one["detector"]): one for one in records if one.get("kind") == KIND}
    rows = [latest[key] for key in sorted(latest, key=lambda key: key[0])]
    thresholds = {one["threshold"] for one in rows} - {None}
    heads = {"oracle": ORACLE, "halves": ", halves", "fixed": ", as raised"}
    if thresholds - {RAISED}:
        heads["fixed"] = f", at {' or '.join(f'{one:g}' for one in sorted(thresholds))}"
    kinds = [kind for kind in heads if any(kind in one["scores"] for one in rows)]
    body: list[tuple[Value, ...]] = []
    for one in rows:
        best = one["scores"]["oracle"]["standard"]
        cells = [Measured(_score(one, kind, profile)) for kind in kinds for profile in PROFILES]
        name = f"{one['detector']}{BASELINE if one['baseline'] else ''}"
        body.append((name, *cells, f"{best['windows_hit']}/{best['windows']}", best["false_rows"]))
    columns = [f"{SHORT[profile]}{heads[kind]}" for kind in kinds for profile in PROFILES]
    return Table(
        ("detector", *columns, f"windows hit{ORACLE}", f"false rows{ORACLE}"),
        tuple(body),
        "NAB score, version 1.1",
        _notes(thresholds),
        (sum(not one["baseline"] for one in rows),),
    )


def _score(record: Mapping[str, Any], kind: str, profile: str) -> float:
    value = record["scores"].get(kind, {}).get(profile, {}).get("score")
    return math.nan if value is None else float(value)


def _notes(thresholds: set[float]) -> tuple[str, ...]:
    notes = [
        "(oracle): threshold chosen on the labels it is scored on, as on the published board; hits are the standard's.",
        "halves: the threshold of each half of the files is the one that is best for the other half.",
    ]
    if RAISED in thresholds:
        notes.append("as raised: every incident at the usual budget counts; no label was seen. One row an incident.")
    notes.append("The rows at the end do not look at the data: read every score from there, not from 0.")
    return tuple(notes)
