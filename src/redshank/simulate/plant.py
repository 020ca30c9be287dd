"""The physics of the plant: what the channels of a device read while nothing is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from redshank.simulate.channels import (
    FLOW,
    HUMIDITY,
    LATENCY,
    LIGHT,
    MOTION,
    POWER,
    PRESSURE,
    SENSORS,
    SOUND,
    TEMPERATURE,
    TYPES,
    VIBRATION,
    Floats,
)
from redshank.simulate.randomness import Purpose, stream
from redshank.simulate.recursion import coloured, decay_of, lagged
from redshank.simulate.regimes import loads
from redshank.simulate.settings import Plant

LOAD_LAG_S = 150.0
"""Time constant with which a machine follows its wanted load."""

HEAT_LAG_S = 2400.0
"""Time constant of the temperature of a machine."""

_WANDER, _WANDER_S = 0.03, 2400.0  # deviation and memory of the load around its regime's level
_LAMPS_LUX, _DAYLIGHT_LUX, _NIGHT_LUX = 380.0, 20_000.0, 2.0
_HALL_DB, _SHIFT_DB = 42.0, 6.0  # sound of the hall at night, and what people at work add
_BASE_LATENCY_MS, _LATENCY_MS = 18.0, 2.0  # round trip without repetitions, and deviation of its noise


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """What all devices share, one entry a step, shape (steps,): weather, daylight, people."""

    step_s: float
    working: npt.NDArray[np.bool_]
    people: Floats
    ambient: Floats
    moisture: Floats
    daylight: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Fleet:
    """The devices and their own levels.

    Parameters
    ----------
    names, types : tuple of str
        ``"pump-01"``, ... and the type of each.
    level : dict of str to float32 ndarray of shape (devices, 1)
        The fields of :class:`DeviceType` for each device, with its own spread.
    deviation : float32 ndarray of shape (devices, channels)
        Standard deviation of each channel's noise at full load, in the unit of the channel: the measure in which
        sizes of anomalies are given.
    """

    names: tuple[str, ...]
    types: tuple[str, ...]
    level: dict[str, Floats]
    deviation: Floats


def make_site(plant: Plant, *, seed: int, steps: int, step_s: float, start_ns: int) -> Site:
    """Weather, daylight and schedule of ``steps`` moments from ``start_ns`` on."""
    rng = stream(seed, Purpose.SITE)
    moment = start_ns * 1e-9 + np.arange(steps) * step_s
    hour = moment / 3600.0 % 24.0
    weekday = (np.floor(moment / 86400.0) + 3) % 7  # 1970 began on a Thursday; 0 is Monday
    first, last = plant.shift_h
    workday = weekday < plant.workdays
    working = workday & (hour >= first) & (hour < last)
    # People come and go within half an hour of the bell and are half gone in the middle of the shift.
    presence = np.clip(np.minimum(hour - first, last - hour) * 2.0 + 0.5, 0.0, 1.0) * workday
    presence *= 1.0 - 0.5 * np.exp(-(((hour - 0.5 * (first + last)) * 2.0) ** 2))
    slow = rng.standard_normal((3, steps), dtype=np.float32)
    for row, memory_s in zip(slow, (72_000.0, 36_000.0, 3600.0), strict=True):
        coloured(row, decay_of(memory_s, step_s))
    weather, moist, cloud = slow
    ambient = plant.ambient_c + plant.swing_c * np.cos((hour - 15.0) * (np.pi / 12.0)) + 1.2 * weather
    sun = np.maximum(np.sin((hour - 6.0) * (np.pi / 12.0)), 0.0)
    return Site(
        step_s=step_s,
        working=working,
        people=presence.astype(np.float32),
        ambient=ambient.astype(np.float32),
        moisture=(50.0 - 1.6 * (ambient - plant.ambient_c) + 3.0 * moist).astype(np.float32),
        daylight=(_DAYLIGHT_LUX * sun * (0.65 + 0.3 * np.tanh(cloud))).astype(np.float32),
    )


def make_fleet(plant: Plant, *, seed: int, devices: int) -> Fleet:
    """Names, levels and noise of ``devices`` devices."""
    types = tuple(plant.types[i % len(plant.types)] for i in range(devices))
    width = max(2, len(str(devices)))
    spreads = np.stack([stream(seed, Purpose.DEVICE, i).standard_normal(len(_SPREAD)) for i in range(devices)])
    spreads = np.exp(plant.spread * np.clip(spreads, -2.5, 2.5))
    level = {
        field: (np.array([[getattr(TYPES[kind], field)] for kind in types]) * spreads[:, [j]]).astype(np.float32)
        for j, field in enumerate(_SPREAD)
    }
    deviation = np.empty((devices, len(SENSORS)), np.float32)
    for column, (base, share, field) in _NOISE.items():
        deviation[:, [column]] = plant.noise * (base + share * level[field])
    deviation[:, [MOTION]] = 0.5 + np.sqrt(level["motion"] / 60.0)
    return Fleet(tuple(f"{kind}-{i + 1:0{width}d}" for i, kind in enumerate(types)), types, level, deviation)


_SPREAD = (
    "power_w",
    "standby_w",
    "flow",
    "pressure",
    "rise",
    "vibration",
    "loudness",
    "heat",
    "window",
    "motion",
)

# Deviation of the noise at full load: constant part, part that grows with a level, and which level.
_NOISE = {
    TEMPERATURE: (0.25, 0.0, "heat"),
    HUMIDITY: (0.7, 0.0, "heat"),
    PRESSURE: (0.01, 0.02, "rise"),
    VIBRATION: (0.01, 0.06, "vibration"),
    LIGHT: (0.03 * _LAMPS_LUX, 0.0, "window"),
    SOUND: (0.7, 0.0, "loudness"),
    FLOW: (0.0, 0.02, "flow"),
    POWER: (2.0, 0.02, "power_w"),
    LATENCY: (_LATENCY_MS, 0.0, "window"),
}


def grow(
    plant: Plant,
    site: Site,
    fleet: Fleet,
    members: range,
    *,
    seed: int,
    forced: Mapping[int, Sequence[tuple[int, Floats]]],
) -> Floats:
    """Readings of some devices, unrounded; float32 of shape (devices, channels, steps).

    ``latency`` lacks what the radio adds. ``forced`` replaces the wanted load of a device from a step on: whoever
    has the controls sets it, and every channel follows by the physics.
    """
    steps, step_s = len(site.ambient), site.step_s
    noise = np.empty((len(members), len(SENSORS) + 1, steps), np.float32)
    load = np.empty((len(members), steps), np.float32)
    for b, i in enumerate(members):
        rng = stream(seed, Purpose.DEVICE, i)
        rng.standard_normal(len(_SPREAD))  # the device's levels, drawn by make_fleet
        wanted = loads(rng, TYPES[fleet.types[i]], site.working, step_s)
        for start, levels in forced.get(i, ()):
            wanted[start : start + len(levels)] = levels
        load[b] = wanted
        rng.standard_normal(dtype=np.float32, out=noise[b])
    for column, sensor in enumerate(SENSORS):
        coloured(noise[:, column], decay_of(sensor.memory_s, step_s))
        if column != MOTION:
            noise[:, column] *= fleet.deviation[members.start : members.stop, [column]]
    wander = noise[:, len(SENSORS)]
    coloured(wander, decay_of(_WANDER_S, step_s))
    wander *= np.float32(_WANDER * plant.noise)
    wander += np.float32(1.0)
    load *= wander
    lagged(load, decay_of(LOAD_LAG_S, step_s))
    np.maximum(load, 0.0, out=load)
    level = {field: values[members.start : members.stop] for field, values in fleet.level.items()}
    return _respond(site, level, load, noise[:, : len(SENSORS)])


def _respond(site: Site, level: dict[str, Floats], load: Floats, noise: Floats) -> Floats:
    """Add to each channel's noise what the load and the site make of it; ``noise`` becomes the readings."""
    one, part = np.float32(1.0), np.float32(0.2)
    busy = load * np.float32(0.8)
    busy += part  # noise of moving parts grows with the load
    squared = np.square(load)

    noise[:, POWER] *= busy
    noise[:, POWER] += level["standby_w"] + level["power_w"] * (np.float32(0.4) * load + np.float32(0.6) * squared)
    noise[:, FLOW] *= np.minimum(load, one)
    noise[:, FLOW] += level["flow"] * load
    noise[:, PRESSURE] *= np.float32(0.5) + np.float32(0.5) * load
    noise[:, PRESSURE] += level["pressure"] + level["rise"] * (np.float32(0.5) * (load + squared))
    noise[:, VIBRATION] *= busy
    noise[:, VIBRATION] += np.float32(0.12) + level["vibration"] * load * (np.float32(0.75) + np.float32(0.25) * load)
    noise[:, SOUND] += level["loudness"] * np.sqrt(load) + (np.float32(_HALL_DB) + np.float32(_SHIFT_DB) * site.people)

    excess = np.multiply(level["heat"], np.float32(0.6) * load + np.float32(0.4) * squared, dtype=np.float32)
    lagged(excess, decay_of(HEAT_LAG_S, site.step_s))
    noise[:, TEMPERATURE] += excess
    noise[:, TEMPERATURE] += site.ambient
    excess *= np.float32(-0.5)  # warm air holds the same water at a lower relative humidity
    noise[:, HUMIDITY] += excess
    noise[:, HUMIDITY] += site.moisture

    bright = level["window"] * site.daylight + np.float32(_LAMPS_LUX) * np.sqrt(site.people) + np.float32(_NIGHT_LUX)
    noise[:, LIGHT] *= bright / np.float32(_LAMPS_LUX)
    noise[:, LIGHT] += bright

    # Counts: the square of a normal number around the root of the mean is close to Poisson (Anscombe, 1948).
    mean = level["motion"] * np.float32(site.step_s / 3600.0) * (site.people + np.float32(0.01))
    noise[:, MOTION] *= np.float32(0.5)
    noise[:, MOTION] += np.sqrt(mean)
    np.maximum(noise[:, MOTION], 0.0, out=noise[:, MOTION])
    np.square(noise[:, MOTION], out=noise[:, MOTION])

    noise[:, LATENCY] += np.float32(_BASE_LATENCY_MS)
    return noise
