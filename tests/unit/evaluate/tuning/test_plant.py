"""Planted anomalies: only where they may stand, labelled exactly, the same from the same seed."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fixtures.tuned import data

from redshank.core import Channel, Frame, Schema
from redshank.data import Dataset
from redshank.evaluate.tuning.plant import EFFECTS, LEAST_ROWS, planted


@settings(max_examples=30, deadline=None)
@given(st.integers(100, 1200), st.floats(0.1, 1.0), st.integers(0, 10_000))
def test_only_marked_rows_change_and_all_of_them_lie_in_the_judged_part(rows, share, seed):
    whole = data(rows, anomalies=False)
    judged = np.zeros(rows, np.bool_)
    judged[rows - max(int(share * rows), LEAST_ROWS) :] = True
    found = planted(whole, judged, seed)
    changed = (found.frame.values != whole.frame.values).any(axis=1)
    assert found.y is not None
    assert not (changed & (found.y == 0)).any()
    assert not ((found.y == 1) & ~judged).any()
    assert 0 < found.y.sum() < 0.35 * judged.sum()
    again = planted(whole, judged, seed)
    np.testing.assert_array_equal(again.frame.values, found.frame.values)


def test_another_seed_plants_others():
    whole, judged = data(900, anomalies=False), np.ones(900, np.bool_)
    assert (planted(whole, judged, 0).y != planted(whole, judged, 1).y).any()


def test_labels_that_were_known_are_put_aside():
    whole = data(900)
    found = planted(whole, np.ones(900, np.bool_), 0)
    assert found.labels == ()
    assert found.kinds is None
    assert (found.y != whole.y).any()


def test_physical_limits_missing_values_and_still_channels_are_kept():
    rng = np.random.default_rng(0)
    values = np.column_stack([rng.uniform(0, 1, 3000), np.full(3000, 7.0), rng.normal(size=3000)]).astype(np.float32)
    values[::7, 2] = np.nan
    schema = Schema((Channel("level", low=0, high=1), Channel("still"), Channel("gappy")), 60.0)
    whole = Dataset("tank", Frame(schema, ("tank",), np.zeros(3000, np.int32), np.arange(3000) * 60 * 10**9, values))
    found = planted(whole, np.ones(3000, np.bool_), 0).frame.values
    assert found[:, 0].min() >= 0
    assert found[:, 0].max() <= 1
    assert (found[:, 1] == 7).all()
    changed = found[:, 2] != values[:, 2]
    assert np.isfinite(found[changed & np.isfinite(values[:, 2]), 2]).any()


def test_a_device_with_few_judged_rows_is_left_alone():
    whole = data(900, anomalies=False)
    judged = np.arange(900) >= 900 - LEAST_ROWS + 1
    assert planted(whole, judged, 0).y.sum() == 0


def test_every_effect_changes_what_it_is_given():
    rng = np.random.default_rng(0)
    whole = rng.normal(size=200)
    for name, effect in EFFECTS.items():
        own = whole[50:70].copy()
        changed = effect(own, 3.0, whole, rng)
        assert changed.shape == own.shape, name
        assert (changed != own).any(), name
        np.testing.assert_array_equal(own, whole[50:70], err_msg=name)
