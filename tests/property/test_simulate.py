"""Laws of the simulator for any settings."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from redshank.simulate import NEVER_NS, Fate, Link, packet_error_rate, path_loss_db, simulate

LINKS = st.one_of(
    st.none(),
    st.builds(
        Link,
        exponent=st.floats(2.0, 3.5),
        burst_start=st.floats(0.001, 0.2),
        burst_end=st.floats(0.05, 1.0),
        attempts=st.integers(1, 6),
        rice_k_db=st.one_of(st.none(), st.floats(0.0, 15.0)),
        late_share=st.floats(0.0, 0.3),
        clock_s=st.floats(0.0, 5.0),
    ),
)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**40),
    devices=st.integers(1, 6),
    hours=st.floats(1.0, 60.0),
    interval_s=st.sampled_from([20.0, 60.0, 300.0]),
    rate=st.floats(0.0, 40.0),
    outages=st.integers(0, 3),
    clean=st.floats(0.0, 1.0),
    link=LINKS,
)
def test_nothing_is_lost_from_the_books(*, seed, devices, hours, interval_s, rate, outages, clean, link):
    result = simulate(
        devices,
        hours,
        seed=seed,
        interval_s=interval_s,
        link=link,
        anomalies_per_device_week=rate,
        site_outages=outages,
        clean_hours=clean * hours,
    )
    fates, sent, frame = result.fates(), result.sent, result.frame
    copies = sent.fate == Fate.DUPLICATE
    first = np.stack([sent.device[~copies], sent.sequence[~copies]])
    assert sum(fates.values()) == len(sent)
    assert np.unique(first, axis=1).shape == first.shape
    assert len(frame) == fates["delivered"] + fates["retransmitted"] + fates["reordered"]
    assert len(frame) == (sent.arrival_ns[~copies] < NEVER_NS).sum()
    assert len(result.received) == len(frame) + fates["duplicate"]
    for rows in frame.series():
        assert (np.diff(frame.time_ns[rows]) > 0).all()
    for j, channel in enumerate(frame.schema.channels):
        assert (frame.values[:, j] >= channel.low).all()
        assert (frame.values[:, j] <= channel.high).all()
    for label in (*result.labels, *result.unseen):
        assert label.start_ns <= label.end_ns
        assert label.device in frame.devices
        assert 0.0 <= label.severity <= 100.0


@given(
    snr=st.lists(st.floats(-20.0, 40.0), min_size=2, max_size=20),
    lengths=st.tuples(st.integers(1, 2000), st.integers(1, 2000)),
)
def test_packet_errors_fall_with_signal_and_grow_with_length(snr, lengths):
    short, long = sorted(lengths)
    rates = packet_error_rate(np.sort(snr), long)
    assert ((rates >= 0.0) & (rates <= 1.0)).all()
    assert (np.diff(rates) <= 1e-15).all()
    assert (packet_error_rate(np.sort(snr), short) <= rates).all()


@given(st.floats(1.0, 1e4), st.floats(1.0, 1e4))
def test_path_loss_grows_with_distance(one, other):
    near, far = sorted((one, other))
    assert path_loss_db(Link(), near) <= path_loss_db(Link(), far)
