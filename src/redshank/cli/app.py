"""The command line: one thin file a command, errors as one sentence, exit codes that scripts can use."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import redshank
from redshank.cli.audit import audit
from redshank.cli.console import fail
from redshank.cli.demo import demo
from redshank.cli.detectors import detectors
from redshank.cli.evaluate import evaluate
from redshank.cli.scan import scan
from redshank.cli.score import score
from redshank.cli.simulate import simulate
from redshank.cli.train import train
from redshank.core import RedshankError

INTERRUPTED = 130  # 128 + SIGINT, as shells count

app = typer.Typer(
    name="redshank",
    help="Anomaly detection for fleets of IoT devices: readings in, few explained alarms out.",
    epilog="Exit codes: 0 done; 1 audit found a leak; 2 input, setting or model cannot be used; 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (demo, scan, train, score, evaluate, audit, simulate, detectors):
    app.command()(command)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(redshank.__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; never shows a traceback for what a user can mend."""
    try:
        app()
    except RedshankError as error:
        fail(str(error))
    except KeyboardInterrupt:
        typer.echo("interrupted; nothing half-written was left behind", err=True)
        sys.exit(INTERRUPTED)
