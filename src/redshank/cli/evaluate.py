"""``redshank evaluate``: how a saved model, or one learned on the spot, does against known anomalies."""

from __future__ import annotations

import time as clock
from pathlib import Path
from typing import Annotated

import typer

from redshank.bundle import load
from redshank.cli import inputs
from redshank.cli.console import print_json, print_notes, working
from redshank.cli.outputs import check_place
from redshank.cli.results import (
    Baselines,
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
    page_at,
    print_results,
    trivial,
)
from redshank.core import SettingError
from redshank.evaluate.protocols import hold_out
from redshank.evaluate.records import Record
from redshank.evaluate.run import evaluate_model

LEARNING = ("detector", "calibrator", "budget", "learn", "protocol", "seed")
"""Options that a saved model has settled."""


def evaluate(
    context: typer.Context,
    file: inputs.File,
    model: Annotated[
        str | None, typer.Option(metavar="FILE", help="A saved model; else one is learned from the first part.")
    ] = None,
    label: inputs.Label = None,
    learn: inputs.Learn = None,
    protocol: Protocol = None,
    detector: inputs.Detector = inputs.DETECTOR,
    seed: Annotated[int, typer.Option(min=0, help="For what draws at random.")] = 0,
    calibrator: inputs.Calibrator = "extreme",
    budget: inputs.BudgetText = inputs.BUDGET,
    baselines: Baselines = True,
    record: RecordFile = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write a page to hand over; `redshank report` has more.")
    ] = None,
    measure: Measures = None,
    form: FormOption = Form.TEXT,
    ignore: inputs.Ignore = None,
    time: inputs.Time = None,
    device: inputs.Device = None,
    zone: inputs.Zone = None,
    sort: inputs.Sort = False,
    data_root: inputs.DataRoot = None,
    as_json: inputs.AsJson = False,
) -> None:
    """Compare with the known anomalies of FILE, beside trivial baselines.

    FILE is a table with `--label COLUMN`, or a data set by name. Labels are only compared with, but for detectors that
    need them: those learn from the labels of the rows that they learn from, and from no others.
    """
    for option in LEARNING:
        source = context.get_parameter_source(option)
        if model is not None and source is not None and source.name == "COMMANDLINE":
            raise SettingError(f"--{option} is for learning, and {model} is learned already; leave one of them out")
    if learn is not None and protocol is not None:
        raise SettingError("--learn and --protocol are both given; choose one")
    inputs.pipeline_of(detector, calibrator, budget)
    check_protocol(protocol)
    check_measures(measure)
    check_record(record)
    check_apart([record, report], [file, model])
    write_page = None if report is None else page_at(check_place(report))
    pipeline = None if model is None else load(model)
    start = clock.perf_counter()
    with working("reading", quiet=as_json):
        data = inputs.open_data(
            file, label=label, ignore=ignore, time=time, device=device, zone=zone, sort=sort, data_root=data_root
        )
    check_labelled(data, file)
    read_s = clock.perf_counter() - start
    records: list[Record] = []
    keep = keeper(records, record)
    with working("judging", quiet=as_json) as advance:
        if pipeline is None:
            judged(
                data,
                [(detector, seed), *trivial([seed], wanted=baselines)],
                protocol=protocol,
                splits=None if learn is None else hold_out(data, share=learn),
                calibrator=calibrator,
                budget=budget,
                read_s=read_s,
                keep=keep,
                advance=advance,
            )
        else:
            inputs.check_channels(data, file, pipeline.schema_.names, f"the model {model}")
            keep(evaluate_model(data, pipeline, read_s=read_s))
    if write_page is not None:
        with working("writing the report", quiet=as_json):
            write_page(records)
    if as_json:
        print_json({"file": file, "records": records})
        return
    print_results(records, form, measure)
    print_notes(data.notes)
