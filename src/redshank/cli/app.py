"""The command line: one thin file a command, errors as one sentence, exit codes that scripts can use."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import redshank
from redshank.cli.audit import audit
from redshank.cli.bench import bench
from redshank.cli.console import fail
from redshank.cli.demo import demo
from redshank.cli.detectors import detectors
from redshank.cli.evaluate import evaluate
from redshank.cli.report import report
from redshank.cli.scan import scan
from redshank.cli.score import score
from redshank.cli.simulate import simulate
from redshank.cli.train import train
from redshank.cli.tune import tune
from redshank.core import RedshankError

INTERRUPTED = 130  # 128 + SIGINT, as shells count

EPILOG = """\b
First steps:
  redshank demo                  a simulated plant, from learning to alarms
  redshank scan readings.csv     your own readings: incidents, and report.html
  redshank COMMAND --help        options of a command

\b
Exit codes:
  0    done
  1    audit found a leak
  2    input, setting or model cannot be used; one sentence says why
  130  interrupted
"""

app = typer.Typer(
    name="redshank",
    help="Anomaly detection for fleets of IoT devices: readings in, few explained alarms out.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (demo, scan, train, score, evaluate, bench, tune, report, audit, simulate, detectors):
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
    except OSError as error:  # a full disk, a folder taken away meanwhile
        fail(f"{error.filename or 'output'}: {error.strerror or error}")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
