"""``redshank bench nab``: the NAB score of result files, or of detectors run here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from redshank.cli.console import print_json, working
from redshank.cli.outputs import needs_train
from redshank.cli.results import Form, keeper, print_table
from redshank.detectors.specs import detector_of
from redshank.evaluate.nab_board import nab_record, nab_table
from redshank.evaluate.nab_run import RAISED, nab_scores, nab_trivial
from redshank.evaluate.records import Record

NAB = "nab"


def bench_nab(
    results: Path | None,
    detectors: list[str],
    threshold: float | None,
    record: Path | None,
    form: Form,
    data_root: Path | None,
    *,
    as_json: bool,
) -> None:
    """Score result files, or where there are none the detectors, on the whole corpus."""
    for name in detectors:
        detector_of(name)
    with needs_train("reading the corpus"), working("reading", quiet=as_json):
        from redshank.evaluate.nab_results import corpus, read_results  # noqa: PLC0415  reads with Polars

        board = corpus(data_root)
        found = read_results(results, board) if results is not None else {}
    records: list[Record] = []
    keep = keeper(records, record)
    scored = partial(nab_record, windows=board.windows, time_ns=board.time_ns)
    for name, scores in found.items():
        keep(scored(name, scores, threshold=threshold))
    if results is None:
        with working("judging the corpus", quiet=as_json) as advance:
            for place, name in enumerate(detectors):
                on = partial(_advance, advance, place, len(detectors))
                scores = nab_scores(name, data_root=data_root, progress=on)
                keep(scored(name, scores, threshold=RAISED if threshold is None else threshold))
    for name, scores in nab_trivial(board.rows).items():
        keep(scored(name, scores, baseline=True))
    if as_json:
        print_json({"records": records})
        return
    print_table(nab_table(records), form)


def _advance(advance: Callable[[float], None], place: int, total: int, part: float) -> None:
    advance((place + part) / total)
