"""``redshank audit``: whether the file gives its labels away."""

from __future__ import annotations

from typing import Annotated

import typer

from redshank.cli import inputs
from redshank.cli.console import count, output, print_json, print_notes, working
from redshank.data import audit as audit_data

LEAK = 1


def audit(
    file: inputs.File,
    label: inputs.Label = None,
    learn: Annotated[
        float, typer.Option(metavar="PART", callback=inputs.check_share, help="Part of the rows before the split.")
    ] = 0.5,
    ignore: inputs.Ignore = None,
    time: inputs.Time = None,
    device: inputs.Device = None,
    zone: inputs.Zone = None,
    sort: inputs.Sort = False,
    data_root: inputs.DataRoot = None,
    as_json: inputs.AsJson = False,
) -> None:
    """Look for leaks that give the labels of FILE away.

    A leak is a way to guess the labels without detecting anything: from the time alone, from one column, from rows
    that repeat. Leaves with code 1 if there is one.
    """
    with working("reading", quiet=as_json):
        data = inputs.open_data(
            file, label=label, ignore=ignore, time=time, device=device, zone=zone, sort=sort, data_root=data_root
        )
    with working("auditing", quiet=as_json):
        findings = audit_data(data, split=learn)
    leaks = [finding for finding in findings if finding.severity == "leak"]
    if as_json:
        fields = ("check", "column", "severity", "figure", "sentence")
        found = [{name: getattr(finding, name) for name in fields} for finding in findings]
        print_json({"file": file, "rows": len(data), "leaks": len(leaks), "findings": found, "notes": list(data.notes)})
    else:
        print_notes(data.notes)
        for finding in findings:
            output.print(f"{finding.severity}: {finding.sentence}", soft_wrap=True)
        output.print(f"{count(len(leaks), 'leak')} found in {count(len(data), 'row')}")
    if leaks:
        raise typer.Exit(LEAK)
