"""``redshank simulate``: a labelled plant on a wireless channel, as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from redshank.cli import inputs
from redshank.cli.console import count, output, print_json, working
from redshank.cli.outputs import check_place
from redshank.simulate import simulate as simulate_plant
from redshank.simulate import write


def simulate(
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="File to write: .csv, .csv.gz or .parquet; a manifest goes beside it.")
    ],
    devices: Annotated[int, typer.Option(min=1, help="Number of devices.")] = 10,
    hours: Annotated[float, typer.Option(min=0.1, help="Hours of readings.")] = 168.0,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same file.")] = 0,
    interval: Annotated[float, typer.Option(min=0.001, help="Seconds between two readings of a device.")] = 60.0,
    clean_hours: Annotated[float, typer.Option(min=0.0, help="Hours before the first anomaly.")] = 0.0,
    anomalies: Annotated[float, typer.Option(min=0.0, help="Anomalies per device and week.")] = 3.0,
    every: Annotated[bool, typer.Option("--every", help="Write every transmission with its fate.")] = False,
    as_json: inputs.AsJson = False,
) -> None:
    """Write a simulated plant with labelled anomalies of every kind."""
    check_place(out)
    with working("simulating", quiet=as_json):
        simulation = simulate_plant(
            devices,
            hours,
            seed=seed,
            interval_s=interval,
            clean_hours=clean_hours,
            anomalies_per_device_week=anomalies,
        )
    with working("writing", quiet=as_json):
        write(simulation, out, every=every)
    fates = simulation.fates()
    if as_json:
        anomalies_found = len(simulation.labels)
        print_json({"file": str(out), "rows": len(simulation.frame), "anomalies": anomalies_found, "fates": fates})
        return
    counts = ", ".join(f"{times:,} {fate}" for fate, times in fates.items())
    readings, labels = count(len(simulation.frame), "reading"), len(simulation.labels)
    output.print(f"{readings}, {labels} anomal{'y' if labels == 1 else 'ies'}: {out}", soft_wrap=True)
    output.print(f"transmissions: {counts}", soft_wrap=True)
