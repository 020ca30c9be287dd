"""What the simulated devices measure and which types of device there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from redshank.core import Channel, Schema

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sensor:
    """One channel: its physical limits, the step in which it reports and the memory of its noise.

    Parameters
    ----------
    channel : Channel
        Name, unit and physical limits.
    resolution : float
        Readings are whole multiples of this, in the unit of the channel; a whole number of steps makes one unit.
    memory_s : float
        Time constant of the channel's noise, in seconds; 0 for noise without memory.
    """

    channel: Channel
    resolution: float
    memory_s: float


SENSORS: Final = (
    Sensor(Channel("temperature", "C", -40.0, 150.0), 0.05, 600.0),
    Sensor(Channel("humidity", "%", 0.0, 100.0), 0.1, 900.0),
    Sensor(Channel("pressure", "bar", 0.0, 25.0), 0.005, 120.0),
    Sensor(Channel("vibration", "mm/s", 0.0, 50.0), 0.01, 90.0),
    Sensor(Channel("light", "lux", 0.0, 100_000.0), 1.0, 300.0),
    Sensor(Channel("sound", "dB", 20.0, 140.0), 0.1, 90.0),
    Sensor(Channel("motion", "events", 0.0, 10_000.0), 1.0, 0.0),
    Sensor(Channel("flow", "l/min", 0.0, 2_000.0), 0.1, 120.0),
    Sensor(Channel("power", "W", 0.0, 50_000.0), 1.0, 120.0),
    Sensor(Channel("latency", "ms", 0.0, 60_000.0), 0.1, 0.0),
)
"""What a device measures itself, in column order."""

RSSI: Final = Sensor(Channel("rssi", "dBm", -130.0, 20.0), 0.5, 0.0)
"""Signal strength, measured by the gateway for each reading that it hears."""

TEMPERATURE, HUMIDITY, PRESSURE, VIBRATION, LIGHT, SOUND, MOTION, FLOW, POWER, LATENCY = range(len(SENSORS))


def schema(interval_s: float, *, radio: bool) -> Schema:
    """The channels of a simulated frame; ``rssi`` comes last and only where there is a radio link."""
    sensors = (*SENSORS, RSSI) if radio else SENSORS
    return Schema(tuple(sensor.channel for sensor in sensors), interval_s)


def as_reported(values: Floats, column: int) -> None:
    """Bring one channel, in place, to what its sensor can report: inside its limits, in whole steps."""
    sensor = (*SENSORS, RSSI)[column]
    steps = np.float32(round(1.0 / sensor.resolution))
    np.multiply(values, steps, out=values)
    np.rint(values, out=values)
    np.divide(values, steps, out=values)  # not a product: this gives the float32 next to the decimal number
    np.clip(values, np.float32(sensor.channel.low), np.float32(sensor.channel.high), out=values)


@dataclass(frozen=True, slots=True)
class DeviceType:
    """Levels of one type of device at full load; single devices spread around them.

    Parameters
    ----------
    power_w, standby_w : float
        Electric power at full load on top of standby, and in standby.
    flow : float
        Flow at full load, l/min.
    pressure, rise : float
        Pressure at rest, and what full flow adds to it, bar.
    vibration : float
        Vibration velocity at full load, mm/s.
    loudness : float
        Sound at full load above that of the quiet hall, dB.
    heat : float
        Temperature above ambient after long full load, K.
    window : float
        Share of the daylight that reaches the device, 0 to 1.
    motion : float
        Movements near the device in an hour of full work.
    dwell_min : tuple of float
        Mean minutes that the device stays idle, running and at high load while it works.
    always_on : bool, default=False
        Works round the clock instead of in shifts.
    """

    power_w: float
    standby_w: float
    flow: float
    pressure: float
    rise: float
    vibration: float
    loudness: float
    heat: float
    window: float
    motion: float
    dwell_min: tuple[float, float, float]
    always_on: bool = False


TYPES: Final = {
    "pump": DeviceType(1800.0, 45.0, 240.0, 1.6, 3.2, 3.0, 24.0, 24.0, 0.05, 260.0, (12.0, 80.0, 35.0)),
    "fan": DeviceType(950.0, 30.0, 420.0, 1.0, 0.5, 2.2, 27.0, 12.0, 0.10, 160.0, (10.0, 120.0, 45.0)),
    "tank": DeviceType(420.0, 25.0, 90.0, 2.4, 1.1, 0.9, 10.0, 9.0, 0.02, 70.0, (45.0, 90.0, 25.0), True),
    "mixer": DeviceType(2600.0, 60.0, 130.0, 1.2, 1.8, 4.1, 29.0, 30.0, 0.06, 420.0, (20.0, 45.0, 40.0)),
    "chiller": DeviceType(1400.0, 80.0, 180.0, 2.0, 2.1, 1.7, 19.0, 16.0, 0.03, 50.0, (25.0, 60.0, 30.0), True),
}
"""Device types by name. Orders of magnitude of small plant machines, chosen by hand, fitted to no data set."""
