"""Incidents against known anomalies, event by event: what was found, how soon, and what was false."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from redshank.core import Incident, Label


@dataclass(frozen=True, slots=True)
class EventReport:
    """How a list of incidents compares with the truth.

    Parameters
    ----------
    events, found : int
        Known anomalies, and those that an incident of the same device overlaps.
    incidents, false : int
        Incidents, and those that overlap no known anomaly of any of their devices.
    device_weeks : float
        Time judged, all devices together.
    alarm_share : float
        Part of the judged time that lies inside incidents: what always alarms finds everything, and has 1 here.
    delays_s : tuple of float
        Seconds from the start of each found anomaly to its first alarm, not below 0.
    found_by_kind : dict of str to tuple of int
        ``(found, events)`` for each kind, with the cause behind a slash where it is known.
    """

    events: int
    found: int
    incidents: int
    false: int
    device_weeks: float
    alarm_share: float
    delays_s: tuple[float, ...]
    found_by_kind: dict[str, tuple[int, int]]

    @property
    def recall(self) -> float:
        """Share of the known anomalies that were found; NaN where there are none."""
        return self.found / self.events if self.events else float("nan")

    @property
    def precision(self) -> float:
        """Share of the incidents that are true; NaN where there are none."""
        return 1.0 - self.false / self.incidents if self.incidents else float("nan")

    @property
    def false_per_device_week(self) -> float:
        """False incidents per device and week."""
        return self.false / self.device_weeks if self.device_weeks else float("nan")

    @property
    def median_delay_s(self) -> float:
        """Median seconds from start to first alarm; NaN where nothing was found."""
        return float(np.median(self.delays_s)) if self.delays_s else float("nan")


def compare(
    incidents: Sequence[Incident], labels: Sequence[Label], *, device_weeks: float, tolerance_s: float = 0.0
) -> EventReport:
    """Match incidents with known anomalies by device and time.

    An anomaly counts as found if an incident of its device had been detected and was running between its start and its
    end plus ``tolerance_s``: a smoothed alarm, or silence, is only seen a little later. An incident counts as false
    if it lies outside all anomalies of its devices, each widened behind by the same tolerance. Nothing is adjusted.

    Parameters
    ----------
    incidents : sequence of Incident
        What was reported, in any order.
    labels : sequence of Label
        What is known to have happened.
    device_weeks : float
        Time judged, all devices together.
    tolerance_s : float, default=0.0
        Seconds after the end of an anomaly in which an alarm still counts for it.
    """
    tolerance = round(tolerance_s * 1e9)
    by_device: dict[str, list[tuple[int, Incident]]] = defaultdict(list)
    for place, incident in enumerate(incidents):
        for device in incident.devices:
            by_device[device].append((place, incident))
    delays: list[float] = []
    kinds: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    true: set[int] = set()
    for label in labels:
        until = label.end_ns + tolerance
        near = [
            (place, incident)
            for place, incident in by_device[label.device]
            if incident.start_ns <= until and incident.end_ns >= label.start_ns
        ]
        true.update(place for place, _ in near)
        hits = [incident for _, incident in near if incident.detected_ns <= until]
        count = kinds[f"{label.kind}/{label.cause}" if label.cause else str(label.kind)]
        count[1] += 1
        if hits:
            count[0] += 1
            delays.append(max(0, min(incident.detected_ns for incident in hits) - label.start_ns) / 1e9)
    inside_s = sum((incident.end_ns - incident.start_ns) / 1e9 * len(incident.devices) for incident in incidents)
    return EventReport(
        events=len(labels),
        found=len(delays),
        incidents=len(incidents),
        false=len(incidents) - len(true),
        device_weeks=device_weeks,
        alarm_share=min(inside_s / (device_weeks * 604800.0), 1.0) if device_weeks else float("nan"),
        delays_s=tuple(delays),
        found_by_kind={kind: (found, events) for kind, (found, events) in sorted(kinds.items())},
    )
