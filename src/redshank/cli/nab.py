"""``redshank bench nab``: the NAB score of result files, or of detectors run here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from redshank.cli.console import print_json, working
from redshank.cli.outputs import needs_train
from redshank.cli.results import Form, print_table
from redshank.detectors import DETECTORS
from redshank.evaluate.metrics import NabScore, nab_score, nab_score_halves
from redshank.evaluate.nab_run import nab_scores, nab_trivial
from redshank.evaluate.records import environment
from redshank.evaluate.tables import Table, Value

NAB = "nab"
NOTES = (
    "standard, low FP, low FN: NAB 1.1, threshold chosen on these very labels as on the published board: an oracle.",
    "halves: the threshold of each half of the files is the one that is best for the other half.",
    "The last three rows do not look at the data: read every score from there, not from 0.",
)
Scores = dict[str, npt.NDArray[np.float64]]


def bench_nab(
    results: Path | None,
    detectors: list[str],
    threshold: float | None,
    form: Form,
    data_root: Path | None,
    *,
    as_json: bool,
) -> None:
    """Score result files, or where there are none the detectors, on the whole corpus."""
    for name in detectors:
        DETECTORS.extra_of(name)
    with needs_train("reading the corpus"), working("reading", quiet=as_json):
        from redshank.evaluate.nab_results import corpus, read_results  # noqa: PLC0415  reads with Polars

        board = corpus(data_root)
        found = read_results(results, board) if results is not None else {}
    if results is None:
        with working("judging the corpus", quiet=as_json) as advance:
            for place, name in enumerate(detectors):
                on = partial(_advance, advance, place, len(detectors))
                found[name] = nab_scores(name, data_root=data_root, progress=on)
    trivial = nab_trivial({file: len(times) for file, times in board.time_ns.items()})
    rows = {
        name: _scored(scores, board.windows, board.time_ns, threshold)
        for name, scores in [*found.items(), *trivial.items()]
    }
    if as_json:
        plain = {
            name: {
                kind: {profile: asdict(one) for profile, one in score.by_profile().items()}
                for kind, score in own.items()
            }
            for name, own in rows.items()
        }
        print_json({"scores": plain, "trivial": list(trivial), "notes": list(NOTES), **environment()})
        return
    print_table(_table(rows, len(found), threshold), form)


def _advance(advance: Callable[[float], None], place: int, total: int, part: float) -> None:
    advance((place + part) / total)


def _scored(
    scores: Scores,
    windows: Mapping[str, Sequence[tuple[int, int]]],
    time_ns: Mapping[str, npt.NDArray[np.int64]],
    threshold: float | None,
) -> dict[str, NabScore]:
    found: dict[str, NabScore] = {
        "oracle": nab_score(scores, windows, time_ns=time_ns),
        "halves": nab_score_halves(scores, windows, time_ns=time_ns),
    }
    if threshold is not None:
        found["fixed"] = nab_score(scores, windows, time_ns=time_ns, threshold=threshold)
    return found


def _table(rows: Mapping[str, Mapping[str, NabScore]], real: int, threshold: float | None) -> Table:
    heads = {"oracle": "", "halves": "halves: ", "fixed": f"at {threshold}: "}
    kinds = [kind for kind in heads if all(kind in own for own in rows.values())]
    columns = [f"{heads[kind]}{profile}" for kind in kinds for profile in ("standard", "low FP", "low FN")]
    body: list[tuple[Value, ...]] = [
        (
            name,
            *(round(one.score, 2) for kind in kinds for one in own[kind].by_profile().values()),
            f"{own['oracle'].standard.windows_hit}/{own['oracle'].standard.windows}",
            own["oracle"].standard.false_rows,
        )
        for name, own in rows.items()
    ]
    return Table(("detector", *columns, "windows hit", "false rows"), tuple(body), "NAB score", NOTES, (real,))
