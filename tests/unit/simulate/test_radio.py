"""The wireless channel against its textbook formulas."""

from __future__ import annotations

import numpy as np
import pytest

from redshank.simulate import Fate, Link, packet_error_rate, path_loss_db, simulate
from redshank.simulate.radio import bursts, device_clock_ns, transmit
from redshank.simulate.randomness import uniform_from


def send(link, devices=20, steps=4000, seed=0, interference_db=None):
    return transmit(link, range(devices), seed=seed, steps=steps, step_s=60.0, interference_db=interference_db)


def test_path_loss_is_log_distance():
    link = Link(exponent=3.1, reference_db=41.0)
    assert path_loss_db(link, 1.0) == pytest.approx(41.0)
    assert path_loss_db(link, 10.0) == pytest.approx(72.0)
    assert path_loss_db(link, 100.0) - path_loss_db(link, 10.0) == pytest.approx(31.0)


def test_mean_signal_follows_the_path_loss():
    link = Link(distance_m=(30.0, 30.0), shadow_db=0.0, weak_share=0.0, burst_db=0.0)
    air = send(link)
    power = 10.0 ** (air.rssi[air.attempts == 1] / 10.0)
    expected = link.transmit_dbm - path_loss_db(link, 30.0)
    assert 10.0 * np.log10(power.mean()) == pytest.approx(expected, abs=0.1)  # fading keeps the mean power
    np.testing.assert_allclose(air.snr, air.rssi - link.noise_dbm, atol=1e-4)


def test_rayleigh_fades_deeper_than_rician():
    depth = [
        np.quantile(send(Link(distance_m=(10.0, 10.0), shadow_db=0.0, weak_share=0.0, rice_k_db=k)).rssi, 0.01)
        for k in (12.0, 4.0, None)
    ]
    assert depth[0] > depth[1] > depth[2]
    # Rayleigh power is exponential: its 1 % quantile lies 10 log10(-ln 0.99) = -19.98 dB from the mean.
    mean = 10.0 - float(path_loss_db(Link(), 10.0))
    assert depth[2] - mean == pytest.approx(-19.98, abs=0.5)


def test_packet_errors_by_the_slow_formula():
    for snr_db, length in ((6.0, 12), (10.0, 64), (13.0, 200)):
        bit = 0.5 * np.exp(-(10.0 ** (snr_db / 10.0)) / 2.0)
        assert packet_error_rate(snr_db, length) == pytest.approx(1.0 - (1.0 - bit) ** (8 * length), rel=1e-9)


def test_measured_error_rate_follows_the_formula():
    link = Link(distance_m=(95.0, 95.0), shadow_db=0.0, weak_share=0.0, burst_db=0.0, attempts=1, rice_k_db=12.0)
    air = send(link, devices=40)
    failed = np.isin(air.fate, (Fate.LOST, Fate.CORRUPTED))
    assert failed.mean() > 0.001
    expected = packet_error_rate(air.snr, link.packet_bytes)
    assert failed.sum() == pytest.approx(expected.sum(), abs=5.0 * np.sqrt((expected * (1 - expected)).sum()))


def test_burst_length_and_share_against_theory():
    link = Link(burst_start=0.01, burst_end=0.25)
    states = np.concatenate([bursts(np.random.default_rng(seed), link, 50_000) for seed in range(20)])
    starts = np.flatnonzero(np.diff(states.astype(int)) == 1)
    ends = np.flatnonzero(np.diff(states.astype(int)) == -1)
    mean_length = states.sum() / max(len(starts), len(ends))
    assert mean_length == pytest.approx(1.0 / 0.25, rel=0.03)
    assert states.mean() == pytest.approx(0.01 / (0.01 + 0.25), rel=0.05)


def test_interference_costs_attempts_and_readings():
    link = Link()
    calm = send(link)
    loud = send(link, interference_db=np.full((20, 4000), 12.0, np.float32))
    assert np.array_equal(
        calm.rssi[(calm.attempts == 1) & (loud.attempts == 1)], loud.rssi[(calm.attempts == 1) & (loud.attempts == 1)]
    )
    assert loud.attempts.mean() > calm.attempts.mean()
    assert (loud.delay_s == np.inf).sum() > (calm.delay_s == np.inf).sum()


def test_more_attempts_lose_less_and_one_attempt_makes_no_copies():
    losses = []
    for attempts in (1, 2, 4):
        air = send(Link(attempts=attempts))
        losses.append(int((air.delay_s == np.inf).sum()))
        assert air.attempts.max() <= attempts
        assert (len(air.copies.reading) == 0) == (attempts == 1)
    assert losses[0] > losses[1] > losses[2] > 0


def test_a_perfect_radio_delivers_all_at_the_first_attempt():
    link = Link(distance_m=(2.0, 3.0), burst_db=0.0, weak_share=0.0, rice_k_db=30.0, late_share=0.0)
    air = send(link)
    assert (air.fate == Fate.DELIVERED).all()
    assert (air.attempts == 1).all()
    assert air.delay_s.min() >= link.delay_s


def test_late_share_and_delay():
    link = Link(late_share=0.05, late_s=100.0, distance_m=(2.0, 3.0), burst_db=0.0, weak_share=0.0)
    delay = send(link).delay_s
    late = delay > 1.0
    assert late.mean() == pytest.approx(0.05 * np.exp(-0.01), rel=0.05)
    assert delay[late].mean() == pytest.approx(101.0, rel=0.05)


def test_shadowing_is_slow_and_has_its_deviation():
    link = Link(distance_m=(10.0, 10.0), weak_share=0.0, rice_k_db=40.0, burst_db=0.0, shadow_db=4.0)
    rssi = send(link, devices=60).rssi
    assert rssi.std() == pytest.approx(4.0, rel=0.2)
    moving = rssi - rssi.mean(axis=1, keepdims=True)
    neighbour = (moving[:, 1:] * moving[:, :-1]).mean() / (moving**2).mean()
    assert neighbour == pytest.approx(np.exp(-60.0 / link.shadow_s), abs=0.02)


def test_clocks_drift_between_synchronisations_and_never_go_back():
    link = Link(clock_s=0.5, drift_ppm=200.0, sync_s=600.0)
    true, event = device_clock_ns(link, range(30), seed=1, steps=5000, step_s=1.0, start_ns=0)
    assert (np.diff(event, axis=1) > 0).all()
    error_s = (event - true) / 1e9
    assert 0.3 < error_s.std() < 0.8
    right = Link(clock_s=0.0, drift_ppm=0.0)
    true, event = device_clock_ns(right, range(3), seed=1, steps=50, step_s=60.0, start_ns=0)
    assert np.array_equal(true, event)


def test_keyed_numbers_are_uniform_and_differ_by_salt():
    keys = np.arange(50_000, dtype=np.uint64)
    for salt in (0, 7):
        numbers = uniform_from(keys, salt)
        assert numbers.min() > 0.0
        assert numbers.max() < 1.0
        counts = np.histogram(numbers, 20, (0.0, 1.0))[0]
        assert np.abs(counts - 2500).max() < 5 * np.sqrt(2500)
    assert abs(np.corrcoef(uniform_from(keys, 0), uniform_from(keys, 7))[0, 1]) < 0.02


def test_weak_devices_lose_more():
    results = [simulate(20, 48.0, seed=2, anomalies_per_device_week=0.0, link=Link(weak_share=w)) for w in (0.0, 1.0)]
    lost = [sum(r.fates()[name] for name in ("lost", "corrupted")) for r in results]
    assert lost[1] > lost[0]
