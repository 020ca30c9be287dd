"""Labels (what is known to have happened), incidents (what was found) and their vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from redshank.core.frame import Frame


class Kind(StrEnum):
    """What sort of departure from normal."""

    POINT = "point"
    CONTEXTUAL = "contextual"
    COLLECTIVE = "collective"
    CONTINUOUS = "continuous"
    SILENCE = "silence"
    SENSOR_FAULT = "sensor fault"
    NETWORK_ATTACK = "network attack"
    VISUAL = "visual"


class State(StrEnum):
    """Where an incident stands in its life."""

    PROVISIONAL = "provisional"
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Label:
    """One known anomaly: an interval of one device, both ends inside.

    Parameters
    ----------
    device : str
        Name in the device table.
    start_ns, end_ns : int
        First and last moment, UTC nanoseconds.
    kind : Kind
        Sort of anomaly.
    cause : str, default=""
        What brought it about: ``"stuck"``, ``"flood"``, ...
    severity : float, default=0.0
        0 to 100.
    channels : tuple of str, default=()
        Channels concerned; empty means all.
    """

    device: str
    start_ns: int
    end_ns: int
    kind: Kind
    cause: str = ""
    severity: float = 0.0
    channels: tuple[str, ...] = ()


def label_rows(labels: Sequence[Label], frame: Frame) -> npt.NDArray[np.int8]:
    """1 for each row of ``frame`` inside a label of its device, else 0; shape (n,)."""
    marked = np.zeros(len(frame), np.int8)
    rows = dict(zip(frame.devices, frame.series(), strict=True))
    for label in labels:
        if label.device not in rows:
            continue
        own = rows[label.device]
        times = frame.time_ns[own]
        first = np.searchsorted(times, label.start_ns, side="left")
        last = np.searchsorted(times, label.end_ns, side="right")
        marked[own[first:last]] = 1
    return marked


@dataclass(frozen=True, slots=True)
class Reading:
    """One channel of an incident: what was expected and what was seen, at its worst moment.

    Parameters
    ----------
    channel, unit : str
        Name and unit of the channel.
    share : float
        Part of the anomaly score that the channel carries, 0 to 1.
    seen : float
        Value at the worst moment, in ``unit``; NaN where nothing came.
    expected, low, high : float
        Expected value and the band of usual values around it, in ``unit``.
    """

    channel: str
    unit: str
    share: float
    seen: float
    expected: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Incident:
    """Anomalous readings of one or more devices grouped under one stable key.

    Parameters
    ----------
    key : str
        Stable: the same data and settings give the same key.
    devices : tuple of str
        Devices concerned, at least one.
    start_ns, end_ns : int
        First and last anomalous moment, UTC nanoseconds.
    detected_ns : int
        Event time of the reading at which the alarm was given; never before ``start_ns``.
    kind : Kind
        Sort of anomaly.
    cause : str
        Finer word where one is known (``"stuck"``, ``"clock"``), else empty.
    severity : float
        0 to 100.
    readings : tuple of Reading
        Channels by contribution, largest first.
    sentence : str
        The whole thing in one plain sentence.
    state : State, default=State.OPEN
        Where the incident stands.
    """

    key: str
    devices: tuple[str, ...]
    start_ns: int
    end_ns: int
    detected_ns: int
    kind: Kind
    cause: str
    severity: float
    readings: tuple[Reading, ...]
    sentence: str
    state: State = State.OPEN

    @property
    def device(self) -> str:
        """The device, or the first of them."""
        return self.devices[0]
