"""The simulation as a whole: repeatable, conserved, plausible, and labelled truly."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from redshank.core import Kind, SettingError, label_rows
from redshank.simulate import CAUSES, GAP_H, MONDAY_NS, NEVER_NS, OUTAGE, Fate, Link, Plant, simulate
from redshank.simulate.channels import RSSI, SENSORS

WEEK_H = 168.0
HOUR_NS = 3_600_000_000_000
NAMES = [sensor.channel.name for sensor in SENSORS]


@pytest.fixture(scope="module")
def busy():
    return simulate(12, 2 * WEEK_H, seed=5, anomalies_per_device_week=6.0)


@pytest.fixture(scope="module")
def calm():
    return simulate(12, 2 * WEEK_H, seed=5, anomalies_per_device_week=0.0)


def same(a, b):
    return (
        np.array_equal(a.frame.values, b.frame.values)
        and np.array_equal(a.frame.time_ns, b.frame.time_ns)
        and np.array_equal(a.frame.device, b.frame.device)
        and np.array_equal(a.sent.arrival_ns, b.sent.arrival_ns)
        and a.labels == b.labels
    )


def series(simulation, device):
    """All readings of one device as measured, shape (steps, channels)."""
    steps = len(simulation.readings) // len(simulation.frame.devices)
    i = simulation.frame.devices.index(device)
    return simulation.readings[i * steps : (i + 1) * steps]


def inside(simulation, label):
    """Rows of the frame that a label covers, oldest first."""
    rows = simulation.frame.series()[simulation.frame.devices.index(label.device)]
    times = simulation.frame.time_ns[rows]
    return rows[(times >= label.start_ns) & (times <= label.end_ns)]


def of_cause(simulation, cause):
    found = [label for label in simulation.labels if label.cause == cause]
    assert found, f"no {cause} in this seed"
    return found


def aligned(label, busy, calm):
    """Values of the same readings with and without the anomaly, both of shape (rows, channels)."""
    rows = inside(busy, label)
    entries = busy.order[rows]
    keys = busy.sent.sequence[entries]
    return busy.frame.values[rows], series(calm, label.device)[keys]


def test_same_seed_same_bytes_other_seed_other_readings():
    first, second, other = (simulate(3, 48.0, seed=seed) for seed in (1, 1, 2))
    assert same(first, second)
    assert not np.array_equal(first.readings, other.readings)


def test_a_device_does_not_depend_on_how_many_there_are():
    few, many = (simulate(n, 30.0, seed=4, anomalies_per_device_week=0.0) for n in (2, 150))
    assert np.array_equal(few.readings, many.readings[: len(few.readings)])


@pytest.mark.parametrize("link", [Link(), None])
def test_every_transmission_has_one_fate(link):
    result = simulate(9, WEEK_H, seed=3, link=link, site_outages=2)
    fates, sent = result.fates(), result.sent
    silent = sum(len(times) for times in silenced(result))
    assert sum(fates.values()) == len(sent)
    assert len(sent) - fates["duplicate"] == 9 * 10_080 - silent
    assert fates["delivered"] + fates["retransmitted"] + fates["reordered"] == len(result.frame)
    assert len(result.received) == len(result.frame) + fates["duplicate"]
    never = sent.arrival_ns == NEVER_NS
    assert np.array_equal(never, np.isin(sent.fate, (Fate.CORRUPTED, Fate.LOST)))
    if link is None:
        assert fates["delivered"] == len(sent)
        assert "rssi" not in result.frame.schema.names
    else:
        assert all(fates.values())


def silenced(simulation):
    """Sequence numbers that each device never sent."""
    steps = len(simulation.readings) // len(simulation.frame.devices)
    for i in range(len(simulation.frame.devices)):
        yield np.setdiff1d(np.arange(steps), simulation.sent.sequence[simulation.sent.device == i])


def test_frame_is_ordered_and_time_rises_within_each_device(busy):
    frame = busy.frame
    assert np.array_equal(np.lexsort((frame.device, frame.time_ns)), np.arange(len(frame)))
    for rows in frame.series():
        assert (np.diff(frame.time_ns[rows]) > 0).all()
    assert np.array_equal(busy.sent.event_ns[busy.order], frame.time_ns)
    assert np.array_equal(busy.values_of(busy.order), frame.values)


def test_received_is_in_order_of_arrival_and_holds_the_frame(busy):
    raw = busy.received
    came = busy.sent.arrival_ns[busy.sent.arrival_ns < NEVER_NS]
    assert len(raw) == len(came)
    assert (np.diff(raw.time_ns) < 0).any()  # late readings
    rebuilt = {(d, t) for d, t in zip(raw.device.tolist(), raw.time_ns.tolist(), strict=True)}
    assert rebuilt == {(d, t) for d, t in zip(busy.frame.device.tolist(), busy.frame.time_ns.tolist(), strict=True)}


def test_a_copy_never_arrives_before_the_reading_that_is_kept(busy):
    sent = busy.sent
    kept = {
        (int(sent.device[i]), int(sent.sequence[i])): int(sent.arrival_ns[i])
        for i in np.flatnonzero(sent.fate != Fate.DUPLICATE)
    }
    for i in np.flatnonzero(sent.fate == Fate.DUPLICATE):
        assert kept[int(sent.device[i]), int(sent.sequence[i])] <= sent.arrival_ns[i] < NEVER_NS


def test_reordered_readings_are_those_overtaken(busy):
    sent = busy.sent
    came = np.flatnonzero((sent.fate != Fate.DUPLICATE) & (sent.arrival_ns < NEVER_NS) & (sent.device == 0))
    latest = 0
    for i in came:  # the slow, obvious version
        assert (sent.fate[i] == Fate.REORDERED) == (sent.arrival_ns[i] < latest)
        latest = max(latest, int(sent.arrival_ns[i]))


def test_readings_respect_limits_and_resolution(busy):
    for j, sensor in enumerate((*SENSORS, RSSI)):
        values = busy.readings[:, j].astype(np.float64)
        assert values.min() >= sensor.channel.low
        assert values.max() <= sensor.channel.high
        steps = values / sensor.resolution
        np.testing.assert_allclose(steps, np.rint(steps), atol=1e-2)


def test_loss_is_small_and_comes_in_bursts(calm):
    sent = calm.sent
    lost = np.isin(sent.fate, (Fate.CORRUPTED, Fate.LOST))
    share = lost.mean()
    assert 0.002 < share < 0.03
    after_a_loss = lost[1:][lost[:-1]].mean()
    assert after_a_loss > 10 * share


def test_days_and_weeks_show(calm):
    hour = np.arange(2 * 168 * 60) / 60.0
    workday, weekend = hour % 168 < 120, hour % 168 >= 120
    noon, night = np.abs(hour % 24 - 10) < 2, np.abs(hour % 24 - 1) < 1
    pump = series(calm, "pump-01")
    for name in ("power", "motion", "light", "sound", "temperature"):
        column = pump[:, NAMES.index(name)]
        assert column[noon & workday].mean() > 1.2 * column[night & workday].mean(), name
    for name in ("power", "motion", "sound"):
        column = pump[:, NAMES.index(name)]
        assert column[noon & workday].mean() > 1.2 * column[noon & weekend].mean(), name


@pytest.mark.parametrize(
    ("one", "other", "sign"),
    [
        ("power", "flow", 1),
        ("power", "vibration", 1),
        ("power", "sound", 1),
        ("flow", "pressure", 1),
        ("power", "temperature", 1),
        ("temperature", "humidity", -1),
    ],
)
def test_channels_belong_together(calm, one, other, sign):
    for device in ("pump-01", "fan-02", "mixer-04"):
        values = series(calm, device)
        assert sign * np.corrcoef(values[:, NAMES.index(one)], values[:, NAMES.index(other)])[0, 1] > 0.5


def test_every_cause_comes_up_with_its_kind(busy):
    found = {label.cause: label.kind for label in (*busy.labels, *busy.unseen)}
    assert found == {cause: known.kind for cause, known in CAUSES.items()}
    for label in busy.labels:
        assert 0.0 <= label.severity <= 100.0
        assert label.start_ns <= label.end_ns
        assert set(label.channels) <= set(NAMES)


def test_anomalies_of_a_device_keep_their_distance(busy):
    for device in busy.frame.devices:
        own = sorted((x.start_ns, x.end_ns) for x in (*busy.labels, *busy.unseen) if x.device == device)
        for (_, end), (start, _) in itertools.pairwise(own):
            assert start - end >= (GAP_H - 0.1) * HOUR_NS


def test_clean_part_stays_clean_and_the_rate_is_kept():
    result = simulate(20, 2 * WEEK_H, seed=8, clean_hours=WEEK_H, anomalies_per_device_week=3.0)
    assert all(label.start_ns >= MONDAY_NS + WEEK_H * HOUR_NS for label in result.labels)
    assert 0.85 * 60 <= len(result.labels) + len(result.unseen) <= 60


def test_nothing_changes_outside_the_labels(busy, calm):
    steps = len(busy.readings) // 12
    changed = (busy.readings != calm.readings).any(axis=1).reshape(12, steps)
    allowed = np.zeros((12, steps), np.bool_)
    normal_ns = calm.sent.event_ns[calm.sent.fate != Fate.DUPLICATE].reshape(12, steps)
    for label in (*busy.labels, *busy.unseen):
        i = busy.frame.devices.index(label.device)
        # Malicious control works on the machine itself, which then goes back to normal by the physics.
        tail = 24 * HOUR_NS if label.cause == "control" else 0
        allowed[i] |= (normal_ns[i] >= label.start_ns) & (normal_ns[i] <= label.end_ns + tail)
    assert changed.any()
    assert not (changed & ~allowed).any()
    arrivals = [x.sent.arrival_ns[(x.sent.device == 3) & (x.sent.fate != Fate.DUPLICATE)] for x in (busy, calm)]
    spoken = np.setdiff1d(np.arange(steps), list(silenced(busy))[3])
    kept = ~allowed[3][spoken]
    assert np.array_equal(arrivals[0][kept], arrivals[1][spoken][kept])


def test_silence_holds_no_row(busy):
    for label in of_cause(busy, "silence"):
        assert len(inside(busy, label)) == 0
        assert label.end_ns - label.start_ns >= 0.45 * HOUR_NS


def test_outage_silences_every_device_at_once():
    result = simulate(5, 96.0, seed=1, site_outages=1, anomalies_per_device_week=4.0)
    outages = of_cause(result, OUTAGE)
    assert {label.device for label in outages} == set(result.frame.devices)
    assert max(x.start_ns for x in outages) - min(x.start_ns for x in outages) < 60e9
    for label in outages:
        assert label.kind is Kind.SILENCE
        assert len(inside(result, label)) == 0


def test_stuck_is_constant_while_others_move(busy):
    for label in of_cause(busy, "stuck"):
        values = busy.frame.values[inside(busy, label)]
        (column,) = (NAMES.index(name) for name in label.channels)
        assert np.ptp(values[:, column]) == 0
        assert np.ptp(values[:, NAMES.index("sound" if column != NAMES.index("sound") else "temperature")]) > 0


def test_replay_repeats_an_earlier_stretch(busy):
    for label in of_cause(busy, "replay"):
        rows = inside(busy, label)
        numbers = busy.sent.sequence[busy.order[rows]]
        whole = series(busy, label.device)[:, : len(NAMES)]
        stretch = whole[numbers[0] : numbers[-1] + 1]
        windows = np.lib.stride_tricks.sliding_window_view(whole[:, -1], len(stretch))[: numbers[0]]
        starts = np.flatnonzero((windows == stretch[:, -1]).all(axis=1))
        assert any(np.array_equal(whole[s : s + len(stretch)], stretch) for s in starts)


def test_clock_fault_moves_event_time_but_not_arrival(busy):
    for label in of_cause(busy, "clock"):
        i = busy.frame.devices.index(label.device)
        of_device = (busy.sent.device == i) & (busy.sent.fate != Fate.DUPLICATE) & (busy.sent.arrival_ns < NEVER_NS)
        off = busy.sent.arrival_ns[of_device] - busy.sent.event_ns[of_device]
        event = busy.sent.event_ns[of_device]
        wrong = (np.abs(off) > 4 * 60e9) & (event >= label.start_ns) & (event <= label.end_ns)
        assert wrong.sum() >= 30
        shift = np.median(off[wrong])
        assert 4 * 60e9 < abs(shift) <= HOUR_NS


def test_point_is_one_reading(busy, calm):
    for label in of_cause(busy, "surge"):
        assert label.start_ns == label.end_ns
        with_it, without = aligned(label, busy, calm)
        column = NAMES.index(label.channels[0])
        deviation = busy.deviation[busy.frame.devices.index(label.device), column]
        assert len(with_it) == 1
        assert abs(with_it[0, column] - without[0, column]) / deviation > 0.95 * CAUSES["surge"].size[0]


@pytest.mark.parametrize(
    ("cause", "signs"),
    [
        ("bearing wear", {"vibration": 1, "sound": 1}),
        ("leak", {"pressure": -1, "flow": 1}),
        ("degradation", {"temperature": 1, "vibration": 1}),
        ("flood", {"latency": 1, "power": 1}),
        ("scan", {"latency": 1, "power": 1}),
    ],
)
def test_patterns_move_their_channels_the_right_way(busy, calm, cause, signs):
    for label in of_cause(busy, cause):
        assert set(label.channels) == set(signs)
        with_it, without = aligned(label, busy, calm)
        for name, sign in signs.items():
            j = NAMES.index(name)
            assert sign * (with_it[:, j] - without[:, j]).mean() > 0, name


def test_only_the_named_channels_change(busy, calm):
    for label in busy.labels:
        if not label.channels or label.cause == "control":
            continue
        with_it, without = aligned(label, busy, calm)
        changed = {NAMES[j] for j in range(len(NAMES)) if (with_it[:, j] != without[:, j]).any()}
        if label.cause == "flood":  # its repetitions are real
            changed -= {"latency"}
        assert changed <= set(label.channels), label
        assert changed or label.cause in {"clipped", "stuck"}, label


def test_noise_and_clipping_do_what_they_say(busy, calm):
    for label in of_cause(busy, "noise"):
        with_it, without = aligned(label, busy, calm)
        j = NAMES.index(label.channels[0])
        assert np.diff(with_it[:, j]).std() > 1.5 * np.diff(without[:, j]).std()
    for label in of_cause(busy, "clipped"):
        with_it, without = aligned(label, busy, calm)
        j = NAMES.index(label.channels[0])
        ceiling = with_it[:, j].max()
        np.testing.assert_array_equal(with_it[:, j], np.minimum(without[:, j], ceiling))
        assert without[:, j].max() > ceiling


def test_off_schedule_reads_normal_values_at_the_wrong_time(busy, calm):
    for label in of_cause(busy, "off schedule"):
        with_it, without = aligned(label, busy, calm)
        i, j = busy.frame.devices.index(label.device), NAMES.index(label.channels[0])
        normal = series(calm, label.device)[:, j]
        assert np.median(with_it[:, j]) <= normal.max()
        assert np.median(with_it[:, j]) >= normal.min()
        assert abs(np.median(with_it[:, j]) - np.median(without[:, j])) > 3 * busy.deviation[i, j]


def test_malicious_control_switches_the_whole_machine(busy, calm):
    for label in of_cause(busy, "control"):
        with_it, without = aligned(label, busy, calm)
        switching = {
            name: np.abs(np.diff(x[:, NAMES.index(name)])).mean() for name, x in (("power", with_it), ("flow", with_it))
        }
        for name, mean_step in switching.items():
            assert mean_step > 3 * np.abs(np.diff(without[:, NAMES.index(name)])).mean()
        assert np.corrcoef(with_it[:, NAMES.index("power")], with_it[:, NAMES.index("flow")])[0, 1] > 0.9


def test_flood_loses_more_and_leaves_signal_strength(busy, calm):
    strength, attempts = [], []
    for label in of_cause(busy, "flood"):
        i = busy.frame.devices.index(label.device)
        pair = []
        for result in (busy, calm):
            s = result.sent
            own = (s.device == i) & (s.event_ns >= label.start_ns) & (s.event_ns <= label.end_ns)
            own &= s.fate != Fate.DUPLICATE
            pair.append((s.rssi_dbm[own].mean(), s.attempts[own].sum()))
        strength.append(abs(pair[0][0] - pair[1][0]))
        attempts.append(pair[0][1] - pair[1][1])
    assert max(strength) < 1.5
    assert min(attempts) >= 0
    assert sum(attempts) > 0


def test_labels_mark_rows_of_the_frame(busy):
    marked = label_rows(busy.labels, busy.frame)
    assert 0.01 < marked.mean() < 0.35


@pytest.mark.parametrize(
    "wrong",
    [
        {"devices": 0},
        {"hours": 0.0},
        {"seed": -1},
        {"interval_s": 0.5},
        {"clean_hours": 200.0},
        {"anomalies_per_device_week": float("nan")},
        {"site_outages": -1},
    ],
)
def test_settings_out_of_range(wrong):
    with pytest.raises(SettingError, match=next(iter(wrong))):
        simulate(**({"hours": 24.0} | wrong))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Plant(types=("pump", "rocket")),
        lambda: Plant(types=()),
        lambda: Plant(shift_h=(18.0, 6.0)),
        lambda: Link(distance_m=(50.0, 10.0)),
        lambda: Link(attempts=0),
        lambda: Link(jitter_s=-1.0),
        lambda: Link(ack_bytes=100, packet_bytes=64),
    ],
)
def test_wrong_plants_and_links(make):
    with pytest.raises(SettingError):
        make()


@pytest.mark.parametrize(("hours", "interval_s"), [(0.1, 60.0), (2.0, 1.0), (500.0, 3600.0), (30.0, 7.3)])
def test_short_long_fast_and_slow_records(hours, interval_s):
    result = simulate(3, hours, seed=2, interval_s=interval_s, anomalies_per_device_week=20.0)
    steps = round(hours * 3600 / interval_s)
    assert len(result.readings) == 3 * steps
    for rows in result.frame.series():
        assert (np.diff(result.frame.time_ns[rows]) > 0).all()
    assert np.isfinite(result.frame.values).all()
