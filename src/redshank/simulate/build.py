"""One call from settings to labelled readings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from redshank.core import Frame, Kind, Label, Schema, check_range
from redshank.simulate import inject
from redshank.simulate.channels import LATENCY, SENSORS, TYPES, Floats, as_reported, schema
from redshank.simulate.plan import CAUSES, OUTAGE, Event, make_plan
from redshank.simulate.plant import Fleet, Site, grow, make_fleet, make_site
from redshank.simulate.radio import Copies, Fate, device_clock_ns, transmit
from redshank.simulate.randomness import Purpose, stream
from redshank.simulate.settings import Link, Plant
from redshank.simulate.simulation import NEVER_NS, Settings, Simulation, Transmissions

MONDAY_NS: Final = 1_704_067_200_000_000_000
"""2024-01-01 00:00 UTC, a Monday."""

_BLOCK_ROWS = 24_576  # readings made at a time: a block's arrays stay in a processor's second-level cache
_NEAR = 10_080  # steps on each side of an event that it may look at: what it costs does not grow with the record
_REPEAT_MS = 6.0  # what each repetition on air adds to the round trip
_WORST_H = 6.0  # hours of silence or wrong clock from which severity is 100


def simulate(
    devices: int = 10,
    hours: float = 168.0,
    *,
    seed: int = 0,
    interval_s: float = 60.0,
    start_ns: int = MONDAY_NS,
    plant: Plant = Plant(),  # noqa: B008  (frozen)
    link: Link | None = Link(),  # noqa: B008  (frozen)
    anomalies_per_device_week: float = 3.0,
    clean_hours: float = 0.0,
    site_outages: int = 0,
) -> Simulation:
    """Simulate a plant of devices, the radio link to its gateway, and labelled anomalies.

    The same arguments give the same bytes. Each purpose and device draws from a stream of its own, so anomalies
    leave all readings outside their labels as they are, with one exception: after malicious control the machine
    follows its schedule again by the physics, which takes the load some minutes and the temperature some hours (a day
    to the last digit).

    Parameters
    ----------
    devices : int, default=10
        1 to 100,000.
    hours : float, default=168.0
        Length of the record.
    seed : int, default=0
    interval_s : float, default=60.0
        Time between two readings of a device, 1 to 3,600 s.
    start_ns : int, default=2024-01-01, a Monday
        Begin of the record, UTC nanoseconds, whole milliseconds.
    plant : Plant, default=Plant()
    link : Link or None, default=Link()
        None for a perfect channel: every reading arrives at once, clocks are right, and there is no ``rssi``.
    anomalies_per_device_week : float, default=3.0
        Mean number of anomalies a device and week after the clean part. What does not fit is left out.
    clean_hours : float, default=0.0
        No anomaly touches the first so many hours.
    site_outages : int, default=0
        Silences of the whole site at once.

    Raises
    ------
    SettingError
        If a setting is out of range.
    """
    for name, value, low, high in (
        ("devices", devices, 1, 100_000),
        ("interval_s", interval_s, 1.0, 3600.0),
        ("hours", hours, 2.0 * interval_s / 3600.0, 1e6),
        ("seed", seed, 0, 2**63),
        ("anomalies_per_device_week", anomalies_per_device_week, 0.0, 1000.0),
        ("clean_hours", clean_hours, 0.0, hours),
        ("site_outages", site_outages, 0, 1000),
    ):
        check_range("simulate", name, value, low, high)
    settings = Settings(
        devices=devices,
        hours=hours,
        seed=seed,
        interval_s=interval_s,
        start_ns=start_ns - start_ns % 1_000_000,
        plant=plant,
        link=link,
        anomalies_per_device_week=anomalies_per_device_week,
        clean_hours=clean_hours,
        site_outages=site_outages,
    )
    return _run(settings)


def _run(settings: Settings) -> Simulation:
    seed, step_s = settings.seed, settings.interval_s
    steps = max(2, round(settings.hours * 3600.0 / step_s))
    site = make_site(settings.plant, seed=seed, steps=steps, step_s=step_s, start_ns=settings.start_ns)
    fleet = make_fleet(settings.plant, seed=seed, devices=settings.devices)
    events = make_plan(
        seed=seed,
        devices=settings.devices,
        steps=steps,
        step_s=step_s,
        clean_steps=min(steps, round(settings.clean_hours * 3600.0 / step_s)),
        per_device_week=settings.anomalies_per_device_week,
        site_outages=settings.site_outages,
        working=site.working,
        always_on=[TYPES[kind].always_on for kind in fleet.types],
    )
    record = _Record(settings, site, fleet, events)
    size = max(1, _BLOCK_ROWS // steps)
    for first in range(0, settings.devices, size):
        record.make(range(first, min(first + size, settings.devices)))
    return record.finish()


class _Record:
    """The arrays of one run, filled block by block."""

    def __init__(self, settings: Settings, site: Site, fleet: Fleet, events: Sequence[Event]) -> None:
        devices, steps = settings.devices, len(site.ambient)
        self.settings, self.site, self.fleet, self.events, self.steps = settings, site, fleet, events, steps
        self.schema: Schema = schema(settings.interval_s, radio=settings.link is not None)
        self.values = np.empty((devices, steps, len(self.schema)), np.float32)
        self.event_ns = np.empty((devices, steps), np.int64)
        self.arrival_ns = np.empty((devices, steps), np.int64)
        self.snr = np.full((devices, steps), np.nan, np.float32)
        self.attempts = np.ones((devices, steps), np.int8)
        self.fate = np.full((devices, steps), Fate.DELIVERED, np.int8)
        self.silent = np.zeros((devices, steps), np.bool_)
        self.copies: list[_Extra] = []
        self.labels: list[tuple[Label, Event]] = []
        self.of_device: dict[int, list[Event]] = {}
        for event in events:
            self.of_device.setdefault(event.device, []).append(event)

    def make(self, members: range) -> None:
        """Physics, radio and anomalies of some devices."""
        settings, rows = self.settings, slice(members.start, members.stop)
        step_s = settings.interval_s
        here = [event for i in members for event in self.of_device.get(i, ())]
        forced = {
            event.device: [
                (one.start, inject.forced_load(one, self._rng(one), step_s))
                for one in self.of_device[event.device]
                if one.cause == "control"
            ]
            for event in here
            if event.cause == "control"
        }
        grown = grow(settings.plant, self.site, self.fleet, members, seed=settings.seed, forced=forced)
        if settings.link is None:
            elapsed_ms = np.rint(np.arange(self.steps) * (step_s * 1e3)).astype(np.int64)
            self.event_ns[rows] = settings.start_ns + elapsed_ms * 1_000_000
            self.arrival_ns[rows] = self.event_ns[rows]
        else:
            self._send(settings.link, members, grown, here)
        for column in range(len(SENSORS)):
            as_reported(grown[:, column], column)
        self.values[rows, :, : len(SENSORS)] = np.moveaxis(grown, 1, 2)
        self._strike(here)

    def _send(self, link: Link, members: range, grown: Floats, here: Sequence[Event]) -> None:
        rows = slice(members.start, members.stop)
        interference: Floats | None = None
        floods = [event for event in here if event.cause == "flood"]
        if floods:
            interference = np.zeros((len(members), self.steps), np.float32)
            for event in floods:
                interference[event.device - members.start, event.start : event.stop] = inject.flood_interference_db(
                    event
                )
        seed, step_s = self.settings.seed, self.settings.interval_s
        air = transmit(link, members, seed=seed, steps=self.steps, step_s=step_s, interference_db=interference)
        true_ns, self.event_ns[rows] = device_clock_ns(
            link, members, seed=seed, steps=self.steps, step_s=step_s, start_ns=self.settings.start_ns
        )
        grown[:, LATENCY] += np.float32(_REPEAT_MS) * (air.attempts - np.int8(1))
        for rssi in (air.rssi, air.copies.rssi):
            as_reported(rssi, len(SENSORS))
        self.values[rows, :, len(SENSORS)] = air.rssi
        self.snr[rows], self.attempts[rows], self.fate[rows] = air.snr, air.attempts, air.fate
        came = np.isfinite(air.delay_s)
        delay_ns = np.where(came, air.delay_s * 1e9, 0.0).astype(np.int64)
        self.arrival_ns[rows] = np.where(came, true_ns + delay_ns, NEVER_NS)
        again = true_ns.reshape(-1)[air.copies.reading] + (air.copies.delay_s * 1e9).astype(np.int64)
        self.copies.append(_Extra(air.copies.reading + members.start * self.steps, again, air.copies))

    def _strike(self, here: Sequence[Event]) -> None:
        """Apply anomalies to finished readings, device by device in order of time, and label them."""
        taken = np.zeros(self.steps, np.bool_)
        for number, event in enumerate(here):
            i, inside = event.device, slice(event.start, event.stop)
            if number == 0 or here[number - 1].device != i:
                taken[:] = False
                for other in self.of_device[i]:
                    taken[other.start : other.stop] = True
            reach = max(_NEAR, 3 * (event.stop - event.start))
            first = max(0, event.start - reach)
            near = slice(first, min(self.steps, event.stop + reach))
            window = inject.Window(
                self.values[i, near],
                event.start - first,
                event.stop - first,
                self.fleet.deviation[i],
                event.size,
                taken[near],
                self._rng(event),
            )
            columns, size = inject.apply(event, window)
            times = self.event_ns[i, inside]
            start, end = int(times[0]), int(times[-1])
            if event.cause in {OUTAGE, "silence"}:
                self.silent[i, inside] = True
            if event.cause == "clock":
                shift = round(event.shift_steps * self.settings.interval_s * 1e3) * 1_000_000
                times += shift
                while len(np.unique(self.event_ns[i, near])) < near.stop - near.start:
                    times += 1_000_000  # no two readings of a device share a millisecond
                    shift += 1_000_000
                start, end = min(start, start + shift), max(end, end + shift)
            if size == 0.0 and columns:
                size = inject.LARGEST * (end - start) / (_WORST_H * 3.6e12)
            kind = Kind.SILENCE if event.cause == OUTAGE else CAUSES[event.cause].kind
            named = () if len(columns) == len(SENSORS) else tuple(SENSORS[c].channel.name for c in columns)
            label = Label(self.fleet.names[i], start, end, kind, event.cause, inject.severity(size), named)
            self.labels.append((label, event))

    def _rng(self, event: Event) -> np.random.Generator:
        return stream(self.settings.seed, Purpose.ANOMALY, ((event.device + 1) << 32) + event.number)

    def finish(self) -> Simulation:
        """Put the gateway's view together."""
        steps, devices = self.steps, self.settings.devices
        readings = self.values.reshape(devices * steps, -1)
        extra = self._copies()
        arrived = (self.arrival_ns < NEVER_NS) & ~self.silent
        latest = np.maximum.accumulate(np.where(arrived, self.arrival_ns, 0), axis=1)
        self.fate[arrived & (latest > self.arrival_ns)] = Fate.REORDERED

        sent = np.flatnonzero(~self.silent.reshape(-1))
        entries = np.concatenate([sent, extra.reading])
        radio = self.settings.link is not None
        rssi = readings[sent, len(SENSORS)] if radio else np.full(len(sent), np.nan, np.float32)
        copied = np.full(len(extra.reading), Fate.DUPLICATE, np.int8)
        transmissions = Transmissions(
            device=(entries // steps).astype(np.int32),
            sequence=entries % steps,
            event_ns=self.event_ns.reshape(-1)[entries],
            arrival_ns=np.concatenate([self.arrival_ns.reshape(-1)[sent], extra.arrival_ns]),
            rssi_dbm=np.concatenate([rssi, extra.signal.rssi]),
            snr_db=np.concatenate([self.snr.reshape(-1)[sent], extra.signal.snr]),
            attempts=np.concatenate([self.attempts.reshape(-1)[sent], extra.signal.attempt]),
            fate=np.concatenate([self.fate.reshape(-1)[sent], copied]),
        )
        kept = self._in_order(arrived)
        frame = Frame(
            self.schema,
            self.fleet.names,
            (kept // steps).astype(np.int32),
            self.event_ns.reshape(-1)[kept],
            np.take(readings, kept, axis=0),
        )
        labels: list[Label] = []
        unseen: list[Label] = []
        for label, event in sorted(self.labels, key=lambda pair: (pair[0].start_ns, pair[0].device)):
            trace = label.kind is Kind.SILENCE or arrived[event.device, event.start : event.stop].any()
            (labels if trace else unseen).append(label)
        order = (np.cumsum(~self.silent, dtype=np.int64) - 1)[kept]
        return Simulation(
            self.settings,
            frame,
            tuple(labels),
            tuple(unseen),
            transmissions,
            order,
            readings,
            self.fleet.deviation,
        )

    def _copies(self) -> _Extra:
        """Extra copies of all readings; where a copy overtook its original, the two change places."""
        if not self.copies:
            none = np.empty(0, np.int64)
            empty = np.empty(0, np.float32)
            return _Extra(none, none, Copies(none, np.empty(0), empty, empty, np.empty(0, np.int8)))
        reading = np.concatenate([extra.reading for extra in self.copies])
        arrival = np.concatenate([extra.arrival_ns for extra in self.copies])
        signal = Copies(*map(np.concatenate, zip(*(extra.signal for extra in self.copies), strict=True)))
        first = self.arrival_ns.reshape(-1)
        pairs = (
            (first, arrival),
            (self.values.reshape(len(first), -1)[:, len(SENSORS)], signal.rssi),
            (self.snr.reshape(-1), signal.snr),
        )
        for attempt in np.unique(signal.attempt):
            ahead = np.flatnonzero((signal.attempt == attempt) & (arrival < first[reading]))
            own = reading[ahead]  # no reading comes twice by the same attempt
            for original, copy in pairs:
                original[own], copy[ahead] = copy[ahead], original[own]
            self.fate.reshape(-1)[own] = Fate.RETRANSMITTED
        loud = ~self.silent.reshape(-1)[reading]
        kept = Copies(*(part[loud] for part in signal))
        return _Extra(reading[loud], arrival[loud], kept)

    def _in_order(self, arrived: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Flat index of the readings that arrived, by (event time, device).

        Laid out step by step with devices in order of their phase the times are nearly sorted, which a merge sort
        makes use of. Times are whole milliseconds, so the device number fits into the nanoseconds of the key.
        """
        phase = np.argsort(self.event_ns[:, 0], kind="stable")
        mask = arrived[phase].T
        keys = (self.event_ns + np.arange(len(phase))[:, None])[phase].T[mask]
        flat = (phase[None, :] * self.steps + np.arange(self.steps)[:, None])[mask]
        return flat[np.argsort(keys, kind="stable")]


class _Extra(NamedTuple):
    """Extra copies: flat index of the reading, arrival at the gateway, and how they came."""

    reading: npt.NDArray[np.int64]
    arrival_ns: npt.NDArray[np.int64]
    signal: Copies
