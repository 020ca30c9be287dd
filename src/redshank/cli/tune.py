"""``redshank tune``: better settings for a detector, and what they are worth on rows that the search never saw."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from redshank.cli import inputs
from redshank.cli.bench import _members, _title
from redshank.cli.console import notices, output, print_json, print_notes, working
from redshank.cli.outputs import check_place, needs_train
from redshank.cli.results import check_apart, check_record
from redshank.core import InputError, SettingError
from redshank.data import Dataset
from redshank.detectors.specs import detector_of, read_spec
from redshank.evaluate.protocols import PROTOCOLS, protocol_of
from redshank.evaluate.tuning import Tuning
from redshank.evaluate.tuning import tune as search_for
from redshank.evaluate.tuning.exam import OBJECTIVES, UNSEEN, measure_of
from redshank.evaluate.tuning.search import TRIALS
from redshank.evaluate.tuning.space import Domain, parsed

SHOWN = 8
"""Trials on the screen, the best; all of them stand in the report, the log and the JSON."""


class Search(StrEnum):
    """How settings are chosen."""

    GRID = "grid"
    OPTUNA = "optuna"


def tune(
    data: Annotated[
        list[str],
        typer.Argument(metavar="DATA...", help="Files, data sets by name, or families of them such as skab."),
    ],
    detector: inputs.Detector = inputs.DETECTOR,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUES",
            help="What to try: hidden=16,32,64 or window=10..50 or 'lr=0.0001..0.1 log'; may be given again "
            "[default: each number from a quarter to four times its default].",
        ),
    ] = None,
    search: Annotated[
        Search | None,
        typer.Option(help="All combinations, or what looks promising [default: grid if --set has values only]."),
    ] = None,
    protocol: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help=f"How searched rows are divided: {', '.join(name.replace(' ', '-') for name in PROTOCOLS)}.",
        ),
    ] = "blocked-k-fold",
    measure: Annotated[
        str, typer.Option(metavar="NAME", help=f"What to tune for: {', '.join(OBJECTIVES)}.")
    ] = "VUS-PR",
    label_free: Annotated[
        bool, typer.Option("--label-free", help="Look at no label: tune by anomalies planted into held-back rows.")
    ] = False,
    unseen: Annotated[
        float | None,
        typer.Option(
            metavar="PART",
            help=f"Last part of each device that the search never sees [default: as published, else {UNSEEN:g}].",
        ),
    ] = None,
    judge_on: Annotated[
        list[str] | None,
        typer.Option(metavar="DATA", help="Other data to judge on in the end, instead of a part; may be given again."),
    ] = None,
    trials: Annotated[
        int | None, typer.Option(min=1, help=f"Most trials [default: the grid; with optuna {TRIALS} if no --minutes].")
    ] = None,
    minutes: Annotated[float | None, typer.Option(metavar="M", help="Wall time to keep to.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="For the search and what draws at random.")] = 0,
    calibrator: inputs.Calibrator = "extreme",
    budget: inputs.BudgetText = inputs.BUDGET,
    record: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Log of trials, JSON lines; where it exists the search goes on from it."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write a page: score against each setting, all trials.")
    ] = None,
    label: inputs.Label = None,
    data_root: inputs.DataRoot = None,
    as_json: inputs.AsJson = False,
) -> None:
    """Search for better settings of a detector on DATA.

    The figure of the search is too good, as the settings were chosen by it. Rows that the search never saw are judged
    once in the end, with the best settings and with the default ones: that figure is to be believed.
    """
    inputs.pipeline_of(detector, calibrator, budget)
    fresh = detector_of(detector)
    if "seed" in read_spec(detector)[1]:
        raise SettingError(f"{detector}: the seed is that of --seed; leave it out of the text")
    if "seed" in fresh.settings():
        fresh = type(fresh)(**{**fresh.settings(), "seed": seed})
    protocol_of(protocol)
    measure_of(measure)
    space = _space(settings or [])
    check_record(record)
    check_apart([record, report], [*data, *(judge_on or [])])
    if report is not None:
        check_place(report)
        with needs_train("the report"):
            import redshank.evaluate.pages.tuning_report  # noqa: F401, PLC0415  draws with libraries of an extra
    with working("reading", quiet=as_json):
        searched = _open(data, label, data_root)
        others = _open(judge_on or [], label, data_root)
    with working("tuning", quiet=as_json) as advance:
        found = search_for(
            searched,
            fresh,
            space or None,
            search=search,
            protocol=protocol,
            measure=measure,
            label_free=label_free,
            unseen=unseen,
            judge_on=others,
            trials=trials,
            minutes=minutes,
            calibrator=calibrator,
            budget=budget,
            seed=seed,
            record=record,
            progress=advance,
        )
    if report is not None:
        from redshank.evaluate.pages.tuning_report import write_tuning_report  # noqa: PLC0415

        with working("writing the report", quiet=as_json):
            write_tuning_report(report, found)
    if as_json:
        print_json(found.record())
        return
    _print(found)
    if report is not None:
        notices.print(f"report: {report}", soft_wrap=True)


def _space(texts: list[str]) -> dict[str, Domain]:
    space: dict[str, Domain] = {}
    for text in texts:
        name, domain = parsed(text)
        if name in space:
            raise SettingError(f"--set: {name} is named twice; give all its values at once")
        space[name] = domain
    return space


def _open(wanted: list[str], label: str | None, data_root: Path | None) -> list[Dataset]:
    """Files and data sets, families as all their members, each under a name of its own."""
    names = list(dict.fromkeys(name for one in wanted for name in _members(one, data_root)))
    found = []
    for name in names:
        dataset = inputs.open_data(name, label=label if Path(name).exists() else None, data_root=data_root)
        found.append(replace(dataset, name=_title(dataset.name, name, names)))
    widths = {one.frame.schema.names for one in found}
    if len(widths) > 1:
        raise InputError(f"{', '.join(wanted)}: the data have different channels; tune on one kind of data at a time")
    return found


def _print(found: Tuning) -> None:
    for sentence in found.sentences():
        output.print(sentence, soft_wrap=True)
    output.print(f"--detector '{found.spec}'", style="bold", soft_wrap=True)
    varied = found.sensitivity()
    table = Table(box=None, header_style="bold", pad_edge=False, title_justify="left")
    for name in ("trial", *(one.name for one in varied)):
        table.add_column(name, justify="right")
    table.add_column(found.measure, justify="right")
    table.add_column("seconds", justify="right")
    for one in sorted(found.done, key=lambda one: -one.score)[:SHOWN]:
        cells = [_shown(one.settings[own.name]) for own in varied]
        table.add_row(str(one.number), *cells, f"{one.score:.3f}", f"{one.seconds:.1f}")
    output.print()
    output.print(table)
    shares = [f"{one.name} {one.share:.0%}" for one in varied if one.share == one.share]
    if shares:
        output.print()
        output.print(f"Share of the variance of the scores between values: {', '.join(shares)}.", soft_wrap=True)
    print_notes(found.warnings())


def _shown(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
