"""``redshank bench``: detectors beside trivial baselines on one data set or many, and the NAB score."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from redshank.cli import inputs
from redshank.cli.console import notices, print_json, working
from redshank.cli.nab import NAB, bench_nab
from redshank.cli.results import (
    Baselines,
    Form,
    FormOption,
    Measures,
    Protocol,
    RecordFile,
    check_protocol,
    check_record,
    judged,
    keeper,
    own_seeds,
    print_results,
    setting_values,
    trivial,
)
from redshank.core import Detector, InputError, SettingError
from redshank.data import names
from redshank.detectors import DETECTORS
from redshank.evaluate.records import Record


def bench(
    data: Annotated[
        list[str],
        typer.Argument(
            metavar="DATA...",
            help="Files, data sets by name, or families of them such as skab or nab/realTraffic; "
            "'nab' alone is the NAB score.",
        ),
    ],
    detector: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Detector by name; may be given again [default: ridge].")
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(metavar="DIR_OR_CSV", help="With nab: score these result files instead of running detectors."),
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(metavar="SCORE", help="With nab: alarm from this score on, in every file.")
    ] = None,
    protocol: Protocol = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds 0 to N-1, for what draws at random.")] = 1,
    vary: Annotated[
        str | None,
        typer.Option(metavar="NAME=VALUE,VALUE", help="A run for each value of a detector's setting."),
    ] = None,
    calibrator: inputs.Calibrator = "extreme",
    budget: inputs.BudgetText = inputs.BUDGET,
    baselines: Baselines = True,
    record: RecordFile = None,
    measure: Measures = None,
    by: Annotated[
        str, typer.Option(metavar="WHAT", help="Rows of the table: detector, data, protocol, left out, fold or seed.")
    ] = "detector",
    form: FormOption = Form.TEXT,
    label: inputs.Label = None,
    data_root: inputs.DataRoot = None,
    as_json: inputs.AsJson = False,
) -> None:
    """Measure detectors on DATA, beside trivial baselines.

    Each record is kept as soon as it is made (--record), so that an interrupted run loses nothing. A data set that
    cannot be used is named, left out, and makes the exit code 2.
    """
    if data == [NAB]:
        bench_nab(results, detector or [inputs.DETECTOR], threshold, form, data_root, as_json=as_json)
        return
    if results is not None or threshold is not None:
        raise SettingError(f"--results and --threshold are for the NAB score; the data are {', '.join(data)}")
    check_protocol(protocol)
    check_record(record)
    chosen = _detectors(detector or [inputs.DETECTOR], vary, seeds)
    inputs.pipeline_of(inputs.DETECTOR, calibrator, budget)
    wanted = [name for one in data for name in _members(one, data_root)]
    records: list[Record] = []
    failed: list[str] = []
    with working("judging", quiet=as_json) as advance:
        for place, name in enumerate(wanted):
            try:
                start = time.perf_counter()
                dataset = inputs.open_data(name, label=label if Path(name).exists() else None, data_root=data_root)
                if dataset.y is None and not dataset.labels:
                    raise InputError(f"{name}: holds no known anomalies; name their column with --label COLUMN")
                judged(
                    dataset,
                    [*chosen, *trivial(range(seeds), wanted=baselines)],
                    protocol=protocol,
                    splits=None,
                    calibrator=calibrator,
                    budget=budget,
                    read_s=time.perf_counter() - start,
                    keep=keeper(records, record),
                    advance=partial(_within, advance, place, len(wanted)),
                )
            except InputError as error:
                failed.append(str(error))
    if not records:
        raise InputError("; ".join(failed))
    if as_json:
        print_json({"records": records, "left_out": failed})
    else:
        print_results(records, form, measure, by)
        for sentence in failed:
            notices.print(f"left out: {sentence}", soft_wrap=True)
    if failed:
        raise typer.Exit(2)


def _within(advance: Any, place: int, total: int, part: float | None) -> None:
    advance(None if part is None else (place + part) / total)


def _members(name: str, data_root: Path | None) -> list[str]:
    """A file or data set by itself; a family, or a part of one, as all its data sets."""
    if Path(name).exists():
        return [name]
    known = names(data_root)
    return [name] if name in known else [one for one in known if one.startswith(f"{name}/")] or [name]


def _detectors(chosen: list[str], vary: str | None, seeds: int) -> list[tuple[Detector | str, int]]:
    """Each detector with each seed and each value of the setting that is varied."""
    setting, values = (None, [None]) if vary is None else setting_values(vary)
    found: list[tuple[Detector | str, int]] = []
    for name in chosen:
        make = DETECTORS.get(name)
        if setting is not None and setting not in make().settings():
            raise SettingError(f"--vary: {name} has no setting {setting!r}; it has {', '.join(make().settings())}")
        for seed in own_seeds(make(), range(seeds)):
            drawn = {"seed": seed} if "seed" in make().settings() else {}
            found += [(make(**drawn, **({} if setting is None else {setting: value})), seed) for value in values]
    return found
