"""``redshank bench``: detectors beside plain anchors on data sets, on the boards of all data, and the NAB score."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from redshank.cli import inputs
from redshank.cli.board import DETECTORS_BOARD, bench_detectors, names_in
from redshank.cli.console import BAD_INPUT, notices, print_json, print_notes, working
from redshank.cli.nab import NAB, bench_nab
from redshank.cli.papers import PAPERS, bench_papers
from redshank.cli.results import (
    Baselines,
    By,
    Form,
    FormOption,
    Measures,
    Protocol,
    RecordFile,
    check_apart,
    check_labelled,
    check_measures,
    check_protocol,
    check_record,
    judged,
    keeper,
    own_seeds,
    print_results,
    setting_values,
    trivial,
)
from redshank.core import Detector, InputError, RedshankError, SettingError
from redshank.data import names
from redshank.detectors.specs import detector_of, read_spec
from redshank.evaluate.records import Record

OF_NAB = ("data", "detector", "results", "threshold", "record", "form", "data_root", "as_json")
"""Arguments that the NAB score heeds; it has its own way to divide rows, and its own table."""
OF_BOARD = ("data", "quick", "only", "families", "jobs", "record", "form", "data_root", "as_json")
"""Arguments that a board heeds; the others have no say in it, and these no say elsewhere but for those of NAB."""
OF_PAPERS = ("data", "quick", "only", "record", "form", "data_root", "as_json")
"""Arguments that the papers' comparisons heed."""


def bench(
    context: typer.Context,
    data: Annotated[
        list[str],
        typer.Argument(
            metavar="DATA...",
            help="Files, data sets by name, or families of them such as skab or nab/realTraffic; "
            "'nab' alone is the NAB score, 'detectors' alone every detector on all public data, 'papers' alone the "
            "comparisons that papers print.",
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
    by: Annotated[By, typer.Option(help="What has rows of its own in the table.")] = By.DETECTOR,
    form: FormOption = Form.TEXT,
    label: inputs.Label = None,
    data_root: inputs.DataRoot = None,
    quick: Annotated[bool, typer.Option("--quick", help="With a board: whether all runs, in a few minutes.")] = False,
    only: Annotated[
        list[str] | None, typer.Option(metavar="NAMES", help="With a board: these rows of it, commas between.")
    ] = None,
    families: Annotated[
        list[str] | None, typer.Option("--data", metavar="NAMES", help="With a board: these data, commas between.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="With a board: worker processes.")] = 2,
    as_json: inputs.AsJson = False,
) -> None:
    """Measure detectors on DATA, beside trivial baselines and plain anchors.

    Each record is kept as soon as it is made (--record), so that an interrupted run loses nothing. A data set that
    cannot be used, by one detector or by all, is named, left out of the table, and makes the exit code 2.
    """
    if data == [DETECTORS_BOARD]:
        _check_heeded(context, OF_BOARD, "the board of detectors")
        check_record(record)
        bench_detectors(only, families, record, jobs, form, data_root, quick=quick, as_json=as_json)
        return
    if data == [PAPERS]:
        _check_heeded(context, OF_PAPERS, "the papers' comparisons")
        check_record(record)
        bench_papers(names_in(only), record, form, data_root, quick=quick, as_json=as_json)
        return
    if data == [NAB]:
        _check_nab(context, results, detector)
        check_record(record)
        bench_nab(results, detector or [inputs.DETECTOR], threshold, record, form, data_root, as_json=as_json)
        return
    if results is not None or threshold is not None:
        raise SettingError(f"--results and --threshold are for the NAB score; the data are {', '.join(data)}")
    _check_heeded(context, set(context.params) - (set(OF_BOARD) - set(OF_NAB)), "single data sets")
    check_protocol(protocol)
    check_measures(measure)
    check_record(record)
    check_apart([record], data)
    chosen = _detectors(detector or [inputs.DETECTOR], vary, seeds)
    inputs.pipeline_of(inputs.DETECTOR, calibrator, budget)
    wanted = list(dict.fromkeys(name for one in data for name in _members(one, data_root)))
    judge = partial(
        judged,
        detectors=[*chosen, *trivial(range(seeds), wanted=baselines)],
        protocol=protocol,
        splits=None,
        calibrator=calibrator,
        budget=budget,
    )
    done = _Done()
    with working("judging", quiet=as_json) as advance:
        for place, name in enumerate(wanted):
            own: list[Record] = []
            try:
                start = time.perf_counter()
                dataset = inputs.open_data(name, label=label if Path(name).exists() else None, data_root=data_root)
                if name not in data and dataset.y is None and not dataset.labels:
                    done.unlabelled.append(name)  # it came in with its family: nothing to measure, and no mistake
                    continue
                check_labelled(dataset, name)
                judge(
                    replace(dataset, name=_title(dataset.name, name, wanted)),
                    read_s=time.perf_counter() - start,
                    keep=keeper(own, record),
                    advance=partial(_within, advance, place, len(wanted)),
                )
            except (InputError, SettingError) as error:  # a setting may ask for more channels than these data have
                done.failed.append(_naming(name, error))
            else:
                done.records += own
    done.show(form, measure, by, as_json=as_json)


@dataclass(slots=True)
class _Done:
    """What came of a bench: records, sentences on data sets that could not be used, data sets without anomalies."""

    records: list[Record] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    unlabelled: list[str] = field(default_factory=list)

    def show(self, form: Form, measure: list[str] | None, by: By, *, as_json: bool) -> None:
        """Print it; leave with the code for bad input where a data set could not be used."""
        if not self.records:
            none = f"{', '.join(self.unlabelled)}: no anomalies are known there"
            raise InputError("; ".join(self.failed) or none)
        if as_json:
            print_json({"records": self.records, "left_out": self.failed, "unlabelled": self.unlabelled})
        else:
            print_results(self.records, form, measure, by)
            print_notes([f"{name} holds no known anomalies: not measured" for name in self.unlabelled])
            for sentence in self.failed:
                notices.print(f"left out: {sentence}", soft_wrap=True)
        if self.failed:
            raise typer.Exit(BAD_INPUT)


def _check_nab(context: typer.Context, results: Path | None, detector: list[str] | None) -> None:
    """Refuse options that would change nothing."""
    _check_heeded(context, OF_NAB, "the NAB score")
    if results is not None and detector is not None:
        raise SettingError("--results and --detector are both given; choose one")


def _check_heeded(context: typer.Context, heeded: Collection[str], what: str) -> None:
    """Refuse options that would change nothing."""
    spelled = {one.name: one.opts[0] for one in context.command.params}
    for name in context.params:
        source = context.get_parameter_source(name)
        if name not in heeded and source is not None and source.name == "COMMANDLINE":
            raise SettingError(f"{spelled[name]} has no effect on {what}; leave it out")


def _within(advance: Any, place: int, total: int, part: float | None) -> None:
    advance(None if part is None else (place + part) / total)


def _members(name: str, data_root: Path | None) -> list[str]:
    """A file or data set by itself; a family, or a part of one, as all its data sets."""
    if Path(name).exists():
        return [name]
    known = names(data_root)
    return [name] if name in known else [one for one in known if one.startswith(f"{name}/")] or [name]


def _title(own: str, name: str, wanted: Sequence[str]) -> str:
    """What records call a data set: its own name, but of files that are called alike the end of the path."""
    alike = [one for one in wanted if Path(one).exists() and _stem(one) == _stem(name)]
    return "/".join(Path(name).parts[-2:]) if len(alike) > 1 and name in alike else own


def _naming(name: str, error: RedshankError) -> str:
    """The sentence of an error, with the data set before it where it does not name it itself."""
    text = str(error)
    return text if text.startswith((f"{name}:", f"{_stem(name)}:")) else f"{name}: {text}"


def _stem(name: str) -> str:
    return Path(name).name.partition(".")[0]


def _detectors(chosen: list[str], vary: str | None, seeds: int) -> list[tuple[Detector | str, int]]:
    """Each detector with each seed and each value of the setting that is varied."""
    setting, values = (None, [None]) if vary is None else setting_values(vary)
    found: list[tuple[Detector | str, int]] = []
    for name in chosen:
        detector = detector_of(name)
        if "seed" in read_spec(name)[1]:
            raise SettingError(f"{name}: the seed is drawn from --seeds; leave it out of the text")
        make = partial(type(detector), **detector.settings())
        if setting is not None and setting not in make().settings():
            raise SettingError(f"--vary: {name} has no setting {setting!r}; it has {', '.join(make().settings())}")
        for value in values:
            _check_kind(name, setting, make().settings().get(setting or ""), value)
        for seed in own_seeds(make(), range(seeds)):
            drawn = {"seed": seed} if "seed" in make().settings() else {}
            found += [(make(**drawn, **({} if setting is None else {setting: value})), seed) for value in values]
    return found


def _check_kind(detector: str, setting: str | None, usual: object, value: object) -> None:
    """Refuse a word where a number is usual, and the like; what a setting may be beyond that the detector says."""
    alike = isinstance(value, str) == isinstance(usual, str)
    if usual is not None and value is not None and not alike:
        raise SettingError(f"--vary: {detector} has {setting} = {usual!r} by default; {value!r} is of another kind")
