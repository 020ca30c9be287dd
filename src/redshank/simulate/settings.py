"""Settings of the plant and of the radio link."""

from __future__ import annotations

from dataclasses import dataclass, fields

from redshank.core import SettingError, check_range
from redshank.simulate.channels import TYPES


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """The site and its machines.

    Parameters
    ----------
    types : tuple of str
        Device types, dealt in turn: device ``i`` is of type ``types[i % len(types)]``.
    spread : float, default=0.1
        Relative spread (log-normal deviation) of levels between devices of a type.
    noise : float, default=1.0
        Factor on the noise of every channel.
    shift_h : tuple of float, default=(6.0, 18.0)
        Hours of the day, UTC, between which people work.
    workdays : int, default=5
        Working days of a week, from Monday on.
    ambient_c : float, default=19.0
        Mean temperature of the hall.
    swing_c : float, default=4.0
        Half the daily swing of that temperature.
    """

    types: tuple[str, ...] = tuple(TYPES)
    spread: float = 0.1
    noise: float = 1.0
    shift_h: tuple[float, float] = (6.0, 18.0)
    workdays: int = 5
    ambient_c: float = 19.0
    swing_c: float = 4.0

    def __post_init__(self) -> None:
        unknown = [name for name in self.types if name not in TYPES]
        if unknown or not self.types:
            raise SettingError(f"Plant: types are {self.types}; choose at least one of {', '.join(TYPES)}")
        check_range("Plant", "spread", self.spread, 0.0, 0.5)
        check_range("Plant", "noise", self.noise, 0.0, 10.0)
        check_range("Plant", "workdays", self.workdays, 0, 7)
        check_range("Plant", "ambient_c", self.ambient_c, -20.0, 60.0)
        check_range("Plant", "swing_c", self.swing_c, 0.0, 20.0)
        start, end = self.shift_h
        if not 0.0 <= start < end <= 24.0:
            raise SettingError(f"Plant: shift_h is {self.shift_h}; wanted two rising hours between 0 and 24")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The wireless channel between devices and gateway, and the clocks of the devices.

    Defaults resemble a 2.4 GHz low-power radio in a hall. Between readings nothing is sent.

    Parameters
    ----------
    distance_m : tuple of float, default=(8.0, 70.0)
        Nearest and farthest device; distances are log-uniform between them.
    exponent, reference_db : float, default=2.8, 40.0
        Log-distance path loss: ``reference_db + 10 exponent log10(distance / 1 m)``.
    transmit_dbm, noise_dbm : float, default=10.0, -100.0
        Transmitted power and noise power at the receiver.
    shadow_db, shadow_s : float, default=3.0, 1800.0
        Deviation and time constant of log-normal shadowing; half of the variance stays with the device for good.
    rice_k_db : float or None, default=8.0
        Power of the direct path over that of the scattered ones; None for Rayleigh fading (no direct path).
    burst_start, burst_end : float, default=0.004, 0.3
        Gilbert-Elliott chain, stepped once a reading: chances that a burst of interference begins and ends.
    burst_db : float, default=24.0
        What a burst takes off the signal-to-noise ratio.
    weak_share, weak_db : float, default=0.08, 6.0
        Share of badly placed devices, and their extra path loss.
    packet_bytes, ack_bytes : int, default=64, 12
        Lengths of a reading and of its acknowledgement on air.
    attempts : int, default=4
        Transmissions of one reading at most.
    detect_db : float, default=4.0
        A failed packet below this signal-to-noise ratio is not heard at all; above it the checksum tells.
    delay_s, jitter_s, backoff_s : float, default=0.02, 0.01, 0.05
        Fixed delay, mean of its exponential part, and mean wait before each repetition.
    late_share, late_s : float, default=0.004, 90.0
        Share of readings that a relay holds back, and for how long in the mean: these arrive out of order.
    clock_s, drift_ppm, sync_s : float, default=0.02, 20.0, 21600.0
        Deviation of a device's clock right after a synchronisation, of its rate, and time between synchronisations.
    """

    distance_m: tuple[float, float] = (8.0, 70.0)
    exponent: float = 2.8
    reference_db: float = 40.0
    transmit_dbm: float = 10.0
    noise_dbm: float = -100.0
    shadow_db: float = 3.0
    shadow_s: float = 1800.0
    rice_k_db: float | None = 8.0
    burst_start: float = 0.004
    burst_end: float = 0.3
    burst_db: float = 24.0
    weak_share: float = 0.08
    weak_db: float = 6.0
    packet_bytes: int = 64
    ack_bytes: int = 12
    attempts: int = 4
    detect_db: float = 4.0
    delay_s: float = 0.02
    jitter_s: float = 0.01
    backoff_s: float = 0.05
    late_share: float = 0.004
    late_s: float = 90.0
    clock_s: float = 0.02
    drift_ppm: float = 20.0
    sync_s: float = 21600.0

    def __post_init__(self) -> None:
        near, far = self.distance_m
        if not 1.0 <= near <= far:
            raise SettingError(f"Link: distance_m is {self.distance_m}; wanted two rising distances from 1 m on")
        for name in ("burst_start", "burst_end"):
            check_range("Link", name, getattr(self, name), 1e-6, 1.0)
        for name in ("weak_share", "late_share"):
            check_range("Link", name, getattr(self, name), 0.0, 1.0)
        check_range("Link", "packet_bytes", self.packet_bytes, 1, 65_535)
        check_range("Link", "ack_bytes", self.ack_bytes, 1, self.packet_bytes)
        check_range("Link", "attempts", self.attempts, 1, 16)
        check_range("Link", "shadow_s", self.shadow_s, 1.0)
        check_range("Link", "sync_s", self.sync_s, 60.0)
        check_range("Link", "clock_s", self.clock_s, 0.0, 60.0)
        check_range("Link", "drift_ppm", self.drift_ppm, 0.0, 1000.0)
        for field in fields(self):
            if field.name in _NOT_NEGATIVE:
                check_range("Link", field.name, getattr(self, field.name), 0.0)


_NOT_NEGATIVE = ("exponent", "shadow_db", "burst_db", "weak_db", "delay_s", "jitter_s", "backoff_s", "late_s")
