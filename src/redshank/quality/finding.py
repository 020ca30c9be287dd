"""What a quality check found, and how findings of several channels become one."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass

from redshank.core import Kind


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault of a device, a sensor or the way between.

    ``device``, ``start_ns``, ``detected_ns``, ``kind`` and ``cause`` are fixed at the moment of detection; end,
    channels, severity, what was seen and the detail may still grow while the fault lasts.

    Parameters
    ----------
    device : str
        Name in the device table.
    start_ns, end_ns : int
        First and last moment of the fault, UTC nanoseconds of event time.
    detected_ns : int
        Event time at which it could first be known; never before ``start_ns``.
    kind : Kind
        ``SILENCE``, ``SENSOR_FAULT``, or ``NETWORK_ATTACK`` for a replay.
    cause : str
        ``"silence"``, ``"cadence"``, ``"clock"``, ``"stuck"``, ``"spike"``, ``"noise"``, ``"clipped"``, ``"unit"`` or
        ``"replay"``.
    channels : tuple of str
        Channels concerned; empty for faults of the whole device.
    severity : float
        50 (just past the limit) to 100.
    seen, expected : float
        The quantity that was judged and its usual or largest normal value: seconds for silence, cadence and clock,
        readings for stuck, clipped and replay, units of the channel for spike, noise and unit.
    detail : str
        Short phrase for the sentence that a person reads.
    """

    device: str
    start_ns: int
    end_ns: int
    detected_ns: int
    kind: Kind
    cause: str
    channels: tuple[str, ...]
    severity: float
    seen: float
    expected: float
    detail: str


def severity(ratio: float) -> float:
    """0 to 100 from how often the limit fits into what was seen: 50 at the limit, 75 at twice, 95 at ten times it."""
    return 100.0 * (1.0 - 0.5 / max(ratio, 1.0))


def fold(findings: Iterable[tuple[Finding, float]]) -> list[Finding]:
    """Findings of one device and cause that overlap in time become one, in order of detection.

    Each comes with the time in ns up to which it counts as the same fault when it comes again. The first detected
    gives start and detection; end and channels are those of all, what was seen is of the worst.
    """
    folded: list[Finding] = []
    latest: dict[tuple[str, str], tuple[int, float]] = {}
    for finding, hold in sorted(findings, key=lambda pair: _order(pair[0])):
        place, held = latest.get((finding.device, finding.cause), (-1, -math.inf))
        if finding.start_ns > held:
            latest[finding.device, finding.cause] = len(folded), hold
            folded.append(finding)
            continue
        latest[finding.device, finding.cause] = place, max(held, hold)
        first = folded[place]
        worst = max(first, finding, key=lambda found: found.severity)
        folded[place] = dataclasses.replace(
            first,
            end_ns=max(first.end_ns, finding.end_ns),
            channels=first.channels + tuple(name for name in finding.channels if name not in first.channels),
            severity=worst.severity,
            seen=worst.seen,
            expected=worst.expected,
            detail=worst.detail,
        )
    return folded


def _order(finding: Finding) -> tuple[int, str, str, int, tuple[str, ...]]:
    return finding.detected_ns, finding.device, finding.cause, finding.start_ns, finding.channels


def duration(seconds: float) -> str:
    """A length of time as people say it: ``"2 h 10 min"``."""
    if seconds < 1.0:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 100.0:
        return f"{seconds:.3g} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"
