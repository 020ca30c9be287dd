"""``redshank demo``: a simulated plant, learned, watched and measured against the truth."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.live import Live
from rich.text import Text

from redshank.cli import inputs
from redshank.cli.console import Stopwatch, notices, output, print_json, working
from redshank.cli.outputs import report_at
from redshank.cli.scan import labels_between, measures_of, settings_of
from redshank.core import Incident
from redshank.evaluate import EventReport, compare
from redshank.evaluate.records import incident_record
from redshank.incidents import moment
from redshank.pipeline import device_weeks
from redshank.simulate import simulate

LEARN_DAYS = 14.0
"""Two weekends: one to learn from and one to set alarm levels on."""
TOLERANCE_S = 1800.0
"""An alarm up to half an hour behind the end of an anomaly still counts for it."""
FRAMES_A_SECOND = 20


def demo(
    devices: Annotated[int, typer.Option(min=1, help="Number of simulated devices.")] = 10,
    days: Annotated[float, typer.Option(min=1.0, help="Days to watch, after two weeks of learning.")] = 7.0,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same plant, same result.")] = 0,
    detector: inputs.Detector = inputs.DETECTOR,
    budget: inputs.BudgetText = inputs.BUDGET,
    report: inputs.Report = Path("report.html"),
    replay_s: Annotated[float, typer.Option(min=0.0, help="Seconds that the replay takes.")] = 15.0,
    as_json: inputs.AsJson = False,
) -> None:
    """Simulate a plant, learn it, watch it, compare with the truth.

    Devices report over a simulated wireless channel that loses and repeats messages. Two normal weeks are learned;
    the days after them are replayed here, faster than real time, with each incident as it is found.
    """
    watch = Stopwatch()
    pipeline = inputs.pipeline_of(detector, "extreme", budget)
    write_report = report_at(report)
    with working("simulating a plant", quiet=as_json), watch.step("simulate"):
        learn_hours = LEARN_DAYS * 24.0
        plant = simulate(devices, learn_hours + days * 24.0, seed=seed, clean_hours=learn_hours)
        begin = int(plant.frame.time_ns.min()) + round(learn_hours * 3600e9)
        normal, watched = plant.frame.take(plant.frame.time_ns < begin), plant.frame.take(plant.frame.time_ns >= begin)
    with watch.step("learn"):
        inputs.learn_from(pipeline, normal, "the simulated plant", quiet=as_json)
    with working("judging", quiet=as_json), watch.step("judge"):
        analysis = pipeline.analyse(watched, history=normal)
    if not as_json:
        lost = plant.fates().get("lost", 0)
        output.print(
            f"{devices} devices, {len(plant.frame):,} readings over the air, {lost:,} lost on the way; "
            f"learned from {len(normal):,}, watching {len(watched):,} (seed {seed})",
            soft_wrap=True,
        )
        _replay(analysis.incidents, begin, int(watched.time_ns.max()), replay_s)
    labels = labels_between(plant.labels, watched)
    found = compare(analysis.incidents, labels, device_weeks=device_weeks(watched), tolerance_s=TOLERANCE_S)
    settings = settings_of(pipeline, {"seed": seed, "devices": devices, "days": days})
    with working("writing the report", quiet=as_json), watch.step("report"):
        write_report(
            analysis,
            title="Demo: a simulated plant on a wireless channel",
            source=f"redshank demo --seed {seed} --devices {devices} --days {days:g}",
            budget=budget,
            held_back_rate=pipeline.held_back_rate_,
            notes=("Simulated data; the truth is known and was not used for learning.",),
            ledger={f"transmissions {fate}": count for fate, count in plant.fates().items()},
            settings=settings,
            seconds=watch.seconds,
            labels=labels,
            measures=measures_of(found),
        )
    if as_json:
        record = {
            "rows": len(plant.frame),
            "devices": devices,
            "budget": budget,
            "realised_rate": analysis.rate(),
            "held_back_rate": pipeline.held_back_rate_,
            "settings": settings,
            "seconds": watch.seconds,
            "measures": measures_of(found),
            "found_by_kind": {kind: list(count) for kind, count in found.found_by_kind.items()},
            "incidents": [incident_record(incident) for incident in analysis.incidents],
            "report": str(report),
        }
        print_json(record)
        return
    _conclude(found, budget, report)


def _replay(incidents: Sequence[Incident], begin_ns: int, end_ns: int, seconds: float) -> None:
    """Let event time run and show each incident at the reading that raised its alarm.

    Scores, alarms and levels depend on earlier readings only, so this is the order in which a live run meets them.
    """
    waiting = sorted(incidents, key=lambda incident: incident.detected_ns)
    steps = max(int(seconds * FRAMES_A_SECOND), 1) if output.is_terminal else 1
    shown = 0
    with Live(console=output, refresh_per_second=FRAMES_A_SECOND, transient=True, auto_refresh=False) as live:
        for step in range(1, steps + 1):
            now = begin_ns + (end_ns - begin_ns) * step // steps
            while shown < len(waiting) and (waiting[shown].detected_ns <= now or step == steps):
                incident = waiting[shown]
                shown += 1
                line = Text(f"{moment(incident.detected_ns)}  ", style="dim")
                line.append(f"{incident.severity:3.0f}  ", style="bold red" if incident.severity >= 60 else "yellow")
                line.append(incident.sentence, style="default")
                output.print(line, soft_wrap=True)
            live.update(Text(f"{moment(now)}  watching; {shown} incidents so far", style="dim"), refresh=True)
            if steps > 1:
                time.sleep(seconds / steps)


def _conclude(found: EventReport, budget: str, report: Path) -> None:
    output.print(
        f"\nagainst the truth: {found.found} of {found.events} anomalies found (event recall {found.recall:.2f}), "
        f"median delay {found.median_delay_s / 60:.1f} min, {found.false} false incidents = "
        f"{found.false_per_device_week:.2f} per device-week (asked: {budget})",
        soft_wrap=True,
    )
    missed = {kind: count for kind, count in found.found_by_kind.items() if count[0] < count[1]}
    if missed:
        missing = ", ".join(f"{kind} {count[0]} of {count[1]}" for kind, count in missed.items())
        notices.print(f"not all found: {missing}", soft_wrap=True)
    output.print(f"report: {report}", soft_wrap=True)
