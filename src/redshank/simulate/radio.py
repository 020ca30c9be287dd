"""The wireless channel: from transmitted power to what arrives, how often and how late."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from redshank.simulate.channels import Floats
from redshank.simulate.randomness import Purpose, stream, uniform_from
from redshank.simulate.recursion import coloured, decay_of
from redshank.simulate.settings import Link

Doubles = npt.NDArray[np.float64]


class Fate(IntEnum):
    """What became of a transmitted reading, or of an extra copy of one."""

    DELIVERED = 0
    RETRANSMITTED = 1
    REORDERED = 2
    CORRUPTED = 3
    LOST = 4
    DUPLICATE = 5


class Copies(NamedTuple):
    """Second arrivals: readings (flat index in the block) that came again because an acknowledgement was lost."""

    reading: npt.NDArray[np.int64]
    delay_s: Doubles
    rssi: Floats
    snr: Floats
    attempt: npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class Air:
    """What the channel did to a block of readings; arrays of shape (devices, steps).

    ``attempts`` counts all transmissions of the reading, ``delay_s`` is that of its first arrival (infinite where
    none came), ``fate`` is DELIVERED, RETRANSMITTED, CORRUPTED or LOST; signal values are those of the first
    transmission that arrived, else of the last that failed.
    """

    rssi: Floats
    snr: Floats
    attempts: npt.NDArray[np.int8]
    fate: npt.NDArray[np.int8]
    delay_s: Doubles
    copies: Copies


def path_loss_db(link: Link, distance_m: npt.ArrayLike) -> Doubles:
    """Log-distance path loss in dB: ``reference_db + 10 exponent log10(d)``, d in metres."""
    return link.reference_db + 10.0 * link.exponent * np.log10(np.asarray(distance_m, np.float64))


def packet_error_rate(snr_db: npt.ArrayLike, packet_bytes: int) -> Doubles:
    """Chance that a packet fails, 0 to 1: non-coherent binary keying, independent bits.

    Bit error rate ``exp(-snr / 2) / 2`` (Proakis, Digital Communications, 5th ed., eq. 4.5-43), packet error rate
    ``1 - (1 - ber)^bits``.
    """
    rate: Doubles = -np.expm1(-_bit_hazard(np.asarray(snr_db, np.float64)) * (8 * packet_bytes))
    return rate


def _bit_hazard(snr_db: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """``-log(1 - ber)``: a packet of n bits comes through when an exponential number exceeds n times this."""
    ratio = np.exp(snr_db * snr_db.dtype.type(math.log(10.0) / 10.0))
    return -np.log1p(-0.5 * np.exp(-0.5 * ratio))


def bursts(rng: np.random.Generator, link: Link, steps: int) -> npt.NDArray[np.bool_]:
    """Gilbert-Elliott chain from its stationary law: True where interference is on; shape (steps,)."""
    state = rng.random() < link.burst_start / (link.burst_start + link.burst_end)
    runs: list[npt.NDArray[np.bool_]] = []
    filled = 0
    while filled < steps:
        pairs = int(1.3 * (steps - filled) / (1.0 / link.burst_start + 1.0 / link.burst_end)) + 4
        lengths = np.empty(2 * pairs, np.int64)
        lengths[0::2] = rng.geometric(link.burst_end if state else link.burst_start, pairs)
        lengths[1::2] = rng.geometric(link.burst_start if state else link.burst_end, pairs)
        runs.append(np.repeat(np.arange(2 * pairs) % 2 == (0 if state else 1), lengths))
        filled += int(lengths.sum())
    return np.concatenate(runs)[:steps]


def transmit(
    link: Link, members: range, *, seed: int, steps: int, step_s: float, interference_db: Floats | None
) -> Air:
    """Send every reading of some devices, with repetitions until acknowledged.

    Parameters
    ----------
    members : range
        Devices of the block.
    interference_db : float32 ndarray of shape (devices, steps) or None
        What an attacker takes off the signal-to-noise ratio.
    """
    rows = len(members)
    draws = _Draws(
        mean=np.empty((rows, steps), np.float32),
        noise_db=np.full((rows, steps), link.noise_dbm, np.float32),
        fading=np.empty((rows, 2, steps), np.float32),
        luck=np.empty((rows, 2, steps), np.float32),
        jitter=np.empty((rows, steps), np.float32),
        keys=np.empty((rows, steps), np.uint64),
    )
    for b, i in enumerate(members):
        draws.fill(b, link, stream(seed, Purpose.AIR, i), step_s)
    if interference_db is not None:
        draws.noise_db[...] += interference_db
    return _deliver(link, draws)


class _Draws(NamedTuple):
    """All chance of a block that does not depend on what happens on air; arrays of shape (devices, steps)."""

    mean: Floats  # received power without fading, dBm
    noise_db: Floats  # noise and interference, dBm
    fading: Floats  # (devices, 2, steps), standard normal
    luck: Floats  # (devices, 2, steps), standard exponential: first packet, its acknowledgement
    jitter: Floats  # standard exponential
    keys: npt.NDArray[np.uint64]  # for repetitions, which few readings need

    def fill(self, b: int, link: Link, rng: np.random.Generator, step_s: float) -> None:
        """Draw everything for one device."""
        near, far = link.distance_m
        distance = near * (far / near) ** rng.random()
        weak = link.weak_db if rng.random() < link.weak_share else 0.0
        shadow = link.shadow_db * math.sqrt(0.5)
        placed = shadow * float(np.clip(rng.standard_normal(), -2.0, 2.0))
        mean = self.mean[b]
        rng.standard_normal(dtype=np.float32, out=mean)
        coloured(mean, decay_of(link.shadow_s, step_s))
        mean *= np.float32(shadow)
        mean += np.float32(link.transmit_dbm - float(path_loss_db(link, distance)) - weak + placed)
        self.noise_db[b, bursts(rng, link, len(mean))] += np.float32(link.burst_db)
        rng.standard_normal(dtype=np.float32, out=self.fading[b])
        rng.standard_exponential(dtype=np.float32, out=self.luck[b])
        rng.standard_exponential(dtype=np.float32, out=self.jitter[b])
        self.keys[b] = rng.integers(0, 2**64, len(mean), np.uint64)


def _deliver(link: Link, draws: _Draws) -> Air:
    """First transmission of every reading, then repetitions of those that were not confirmed."""
    rssi = _fade_db(link, draws.fading[:, 0], draws.fading[:, 1])
    rssi += draws.mean
    snr = rssi - draws.noise_db
    bit = _bit_hazard(snr)
    failed = draws.luck[:, 0] < bit * np.float32(8 * link.packet_bytes)
    unheard = draws.luck[:, 1] < bit * np.float32(8 * link.ack_bytes)
    delay_s = link.delay_s + link.jitter_s * draws.jitter.astype(np.float64)
    keys = draws.keys.reshape(-1)
    late = np.flatnonzero(_low_bits(keys) < link.late_share)
    delay_s.reshape(-1)[late] -= np.log(uniform_from(keys[late], 1)) * link.late_s
    attempts = np.ones(snr.shape, np.int8)
    fate = np.where(failed, np.int8(Fate.LOST), np.int8(Fate.DELIVERED))
    air = Air(rssi, snr, attempts, fate, delay_s, _NO_COPIES)
    copies = _repeat(link, draws, air, np.flatnonzero(failed | unheard))
    lost = fate == Fate.LOST
    delay_s[lost] = np.inf
    fate[lost & (snr > link.detect_db)] = Fate.CORRUPTED
    return dataclasses.replace(air, copies=copies)


def _repeat(link: Link, draws: _Draws, air: Air, again: npt.NDArray[np.int64]) -> Copies:
    """Transmit the readings ``again`` until confirmed or given up; changes ``air``, returns the extra copies.

    All chance comes from the reading's own key, so one reading's repetitions leave those of others alone.
    """
    mean, noise_db, keys = draws.mean.reshape(-1), draws.noise_db.reshape(-1), draws.keys.reshape(-1)
    rssi, snr, delay_s = air.rssi.reshape(-1), air.snr.reshape(-1), air.delay_s.reshape(-1)
    attempts, fate = air.attempts.reshape(-1), air.fate.reshape(-1)
    waited_s = np.zeros(len(again))
    copies: list[Copies] = []
    for attempt in range(2, link.attempts + 1):
        key, salt = keys[again], 16 * attempt
        waited_s += link.backoff_s * (0.5 + uniform_from(key, salt))
        radius = np.sqrt(-2.0 * np.log(uniform_from(key, salt + 1)))  # Box and Muller, 1958
        angle = 2.0 * np.pi * uniform_from(key, salt + 2)
        fading = (radius * np.cos(angle)).astype(np.float32), (radius * np.sin(angle)).astype(np.float32)
        power = mean[again] + _fade_db(link, *fading)
        ratio = power - noise_db[again]
        bit = _bit_hazard(ratio)
        through = -np.log(uniform_from(key, salt + 3)) >= bit * (8 * link.packet_bytes)
        confirmed = through & (-np.log(uniform_from(key, salt + 4)) >= bit * (8 * link.ack_bytes))
        attempts[again] = attempt
        fresh = fate[again] == Fate.LOST
        rssi[again[fresh]], snr[again[fresh]] = power[fresh], ratio[fresh]
        first = fresh & through
        fate[again[first]] = Fate.RETRANSMITTED
        delay_s[again[first]] += waited_s[first]
        twice = through & ~fresh
        extra_s = link.delay_s + waited_s[twice] - link.jitter_s * np.log(uniform_from(key[twice], salt + 5))
        number = np.full(len(extra_s), attempt, np.int8)
        copies.append(Copies(again[twice], extra_s, power[twice], ratio[twice], number))
        again, waited_s = again[~confirmed], waited_s[~confirmed]
    return Copies(*map(np.concatenate, zip(*copies, strict=True))) if copies else _NO_COPIES


_NO_COPIES = Copies(
    np.empty(0, np.int64), np.empty(0), np.empty(0, np.float32), np.empty(0, np.float32), np.empty(0, np.int8)
)


def _low_bits(keys: npt.NDArray[np.uint64]) -> Floats:
    """Numbers in [0, 1) from the low 24 bits of each key."""
    return (keys & np.uint64(0xFFFFFF)).astype(np.float32) * np.float32(2.0**-24)


def _fade_db(link: Link, first: Floats, second: Floats) -> Floats:
    """Rician fading in dB around the mean power; both inputs are standard normal and are overwritten."""
    if link.rice_k_db is None:
        direct, scattered = 0.0, math.sqrt(0.5)
    else:
        k = 10.0 ** (link.rice_k_db / 10.0)
        direct, scattered = math.sqrt(k / (k + 1.0)), math.sqrt(0.5 / (k + 1.0))
    first *= np.float32(scattered)
    first += np.float32(direct)
    np.square(first, out=first)
    second *= np.float32(scattered)
    np.square(second, out=second)
    fade: Floats = first + second
    np.maximum(fade, np.float32(1e-12), out=fade)
    np.log10(fade, out=fade)
    fade *= np.float32(10.0)
    return fade


def device_clock_ns(
    link: Link, members: range, *, seed: int, steps: int, step_s: float, start_ns: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """True moment of each reading and the time that the device's clock gives it, whole milliseconds.

    Devices sample at their own phase of the interval. Their clocks are off by a new offset at each
    synchronisation and drift until the next; a clock is slowed, never set back, so its time always rises.

    Returns
    -------
    true_ns, event_ns : int64 ndarrays of shape (devices, steps)
    """
    elapsed_s = np.arange(steps) * step_s
    period = (elapsed_s // link.sync_s).astype(np.int64)
    since_sync_s = elapsed_s - period * link.sync_s
    step_ms = np.rint(elapsed_s * 1e3).astype(np.int64) + start_ns // 1_000_000
    true = np.empty((len(members), steps), np.int64)
    event = np.empty((len(members), steps), np.int64)
    for b, i in enumerate(members):
        rng = stream(seed, Purpose.CLOCK, i)
        true[b] = step_ms + int(rng.random() * step_s * 1e3)
        drift = link.drift_ppm * 1e-6 * rng.standard_normal()
        offset_s = link.clock_s * rng.standard_normal(int(period[-1]) + 1)
        error_ms = np.rint((offset_s[period] + drift * since_sync_s) * 1e3).astype(np.int64)
        event[b] = true[b] + error_ms
    if link.clock_s or link.drift_ppm:
        rank = np.arange(steps)
        event = np.maximum.accumulate(event - rank, axis=1) + rank
    return true * 1_000_000, event * 1_000_000
