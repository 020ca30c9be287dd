"""What a simulation gives: readings, their fates and the truth."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from redshank.core import Frame, Label
from redshank.simulate.channels import SENSORS, Floats
from redshank.simulate.radio import Fate
from redshank.simulate.settings import Link, Plant

NEVER_NS: Final = int(np.iinfo(np.int64).max)
"""Arrival time of a transmission that never arrived."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The arguments of ``simulate``, as given."""

    devices: int
    hours: float
    seed: int
    interval_s: float
    start_ns: int
    plant: Plant
    link: Link | None
    anomalies_per_device_week: float
    clean_hours: float
    site_outages: int


@dataclass(frozen=True, slots=True, eq=False)
class Transmissions:
    """Every transmitted reading, device by device, oldest first; after them the extra copies that arrived.

    Parameters
    ----------
    device : int32 ndarray of shape (n,)
        Index into the device table.
    sequence : int64 ndarray of shape (n,)
        Number that the device gave the reading; it goes on counting while the device is silent.
    event_ns, arrival_ns : int64 ndarrays of shape (n,)
        Time by the device's clock, and by the gateway's at arrival (``NEVER_NS`` where none came).
    rssi_dbm, snr_db : float32 ndarrays of shape (n,)
        Signal at the gateway; NaN without a radio link.
    attempts : int8 ndarray of shape (n,)
        Transmissions made of the reading; for a copy, the number of the one that it came by.
    fate : int8 ndarray of shape (n,)
        Codes of :class:`Fate`.
    """

    device: npt.NDArray[np.int32]
    sequence: npt.NDArray[np.int64]
    event_ns: npt.NDArray[np.int64]
    arrival_ns: npt.NDArray[np.int64]
    rssi_dbm: Floats
    snr_db: Floats
    attempts: npt.NDArray[np.int8]
    fate: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.fate)


@dataclass(frozen=True, eq=False)
class Simulation:
    """What happened, what was seen of it, and what was wrong.

    Parameters
    ----------
    settings : Settings
        What made it; the same settings make the same simulation.
    frame : Frame
        What the gateway holds after checksum, repetition and removal of duplicates, by (time, device). Event time
        rises strictly within each device.
    labels : tuple of Label
        The truth, by start: every anomaly that left a trace in ``frame``, be it missing rows.
    unseen : tuple of Label
        Anomalies none of whose readings arrived.
    sent : Transmissions
        Every transmission with its fate.
    order : int64 ndarray of shape (rows of frame,)
        Entry of ``sent`` behind each row of ``frame``.
    readings : float32 ndarray of shape (devices * steps, channels)
        All readings as measured, device by device, sent or not.
    deviation : float32 ndarray of shape (devices, channels measured by the device)
        Residual deviation of each channel, in its unit.
    """

    settings: Settings
    frame: Frame
    labels: tuple[Label, ...]
    unseen: tuple[Label, ...]
    sent: Transmissions
    order: npt.NDArray[np.int64]
    readings: Floats = field(repr=False)
    deviation: Floats = field(repr=False)

    @functools.cached_property
    def received(self) -> Frame:
        """Raw arrivals in order of arrival, with duplicates and late readings still among them."""
        came = np.flatnonzero(self.sent.arrival_ns < NEVER_NS)
        came = came[np.argsort(self.sent.arrival_ns[came], kind="stable")]
        return Frame(
            self.frame.schema,
            self.frame.devices,
            self.sent.device[came],
            self.sent.event_ns[came],
            self.values_of(came),
        )

    def values_of(self, entries: npt.NDArray[np.int64]) -> Floats:
        """Values of some entries of ``sent``, shape (entries, channels); a copy carries its own signal strength."""
        steps = len(self.readings) // len(self.frame.devices)
        values = np.take(
            self.readings, self.sent.device[entries].astype(np.int64) * steps + self.sent.sequence[entries], axis=0
        )
        if self.settings.link is not None:
            values[:, len(SENSORS)] = self.sent.rssi_dbm[entries]
        return values

    def fates(self) -> dict[str, int]:
        """How many transmissions met each fate; the counts sum to ``len(sent)``."""
        counts = np.bincount(self.sent.fate, minlength=len(Fate))
        return {fate.name.lower(): int(counts[fate]) for fate in Fate}
