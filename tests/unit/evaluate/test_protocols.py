"""Protocols: parts never overlap, each goes by what it says, and leaks are marked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redshank.core import Frame, InputError, Kind, Label, Schema, SettingError, label_rows
from redshank.data import Dataset
from redshank.evaluate.protocols import (
    PROTOCOLS,
    PURGE_ROWS,
    Split,
    blocked,
    captures,
    hold_out,
    leave_one_attack_out,
    leave_one_capture_out,
    leave_one_device_out,
    protocol_of,
    published,
    random_folds,
    rolling_origin,
    splits_of,
)

MINUTE = 60_000_000_000
CAUSES = ("leak", "stuck")


def plant(rows: tuple[int, ...] = (900, 700), *, slow: bool = True, seed: int = 0) -> Dataset:
    """Readings a minute in mixed order; a leak and a stuck sensor late on each device, a flood early on the first."""
    rng = np.random.default_rng(seed)
    device = np.repeat(np.arange(len(rows)), rows)
    time_ns = np.concatenate([np.arange(n) for n in rows]) * MINUTE
    noise = rng.normal(size=(len(device), 2))
    values = np.cumsum(noise, axis=0) if slow else noise
    order = rng.permutation(len(device))
    names = tuple(f"pump-{k}" for k in range(len(rows)))
    frame = Frame(Schema.of(("a", "b"), 60.0), names, device[order], time_ns[order], values[order])
    labels = [Label("pump-0", 20 * MINUTE, 29 * MINUTE, Kind.NETWORK_ATTACK, "flood")]
    for k, n in enumerate(rows):
        for j, cause in enumerate(CAUSES):
            start = n * (7 + j) // 10
            labels.append(Label(names[k], start * MINUTE, (start + 19) * MINUTE, Kind.COLLECTIVE, cause))
    return Dataset("plant", frame, label_rows(labels, frame), None, tuple(labels))


def with_train(dataset: Dataset) -> Dataset:
    return replace(dataset, train=np.arange(len(dataset)) % 3 == 0)


def ages(dataset: Dataset) -> np.ndarray:
    """Place of each row among those of its device, oldest 0."""
    age = np.empty(len(dataset), int)
    for rows in dataset.frame.series():
        age[rows] = np.arange(len(rows))
    return age


@pytest.mark.parametrize("name", list(PROTOCOLS))
def test_what_all_of_them_promise(name):
    dataset = with_train(plant())
    splits, again = PROTOCOLS[name](dataset), PROTOCOLS[name](dataset)
    assert [one.fold for one in splits] == list(range(len(splits)))
    for one, same in zip(splits, again, strict=True):
        assert one.protocol == name
        assert one.folds == len(splits)
        assert not (one.train & one.test).any()
        assert one.purged == len(dataset) - one.train.sum() - one.test.sum()
        assert one.train.any()
        assert one.test.any()
        np.testing.assert_array_equal(one.train, same.train)
        np.testing.assert_array_equal(one.test, same.test)


@pytest.mark.parametrize("name", ["blocked k-fold", "leave one device out", "leave one capture out", "random k-fold"])
def test_every_row_is_judged_once(name):
    judged = np.sum([one.test for one in PROTOCOLS[name](plant())], axis=0)
    assert (judged == 1).all()


def test_labels_do_not_matter_to_any_but_the_attacks():
    dataset = with_train(plant())
    blind = replace(dataset, y=None, labels=())
    for name, make in PROTOCOLS.items():
        if name == "leave one attack out":
            continue
        for one, other in zip(make(dataset), make(blind), strict=True):
            np.testing.assert_array_equal(one.train, other.train)
            np.testing.assert_array_equal(one.test, other.test)


def test_published():
    dataset = with_train(plant())
    (one,) = published(dataset)
    np.testing.assert_array_equal(one.train, dataset.train)
    np.testing.assert_array_equal(one.test, ~dataset.train)
    assert dataset.y[one.train].sum() > 0, "anomalous training rows stay, as published"
    with pytest.raises(InputError, match="published"):
        published(plant())


def test_hold_out():
    dataset = plant()
    (one,) = hold_out(dataset, share=0.4)
    for rows in dataset.frame.series():
        np.testing.assert_array_equal(one.train[rows], np.arange(len(rows)) < 0.4 * len(rows))
    with pytest.raises(SettingError):
        hold_out(dataset, share=1.0)


@settings(max_examples=30)
@given(rows=st.integers(30, 400), folds=st.integers(1, 8), first=st.floats(0.1, 0.7))
def test_rolling_origin_learns_from_the_past_only(rows, folds, first):
    dataset = plant((rows, rows + 13))
    age = ages(dataset)
    splits = rolling_origin(dataset, folds=folds, first=first)
    learned = np.zeros(len(dataset), bool)
    for one in splits:
        for device in (0, 1):
            own = dataset.frame.device == device
            assert age[own & one.train].max() + 1 == age[own & one.test].min(), "the test block follows at once"
            assert own[one.train].sum() == age[own & one.train].max() + 1, "and nothing of the past is missing"
        assert (learned <= one.train).all(), "the window grows"
        learned = one.train
    assert (splits[-1].train | splits[-1].test).all()


@settings(max_examples=30)
@given(rows=st.integers(60, 500), folds=st.integers(2, 6), purge=st.integers(0, 8))
def test_blocked_keeps_its_distance(rows, folds, purge):
    dataset = plant((rows, rows + 7))
    age = ages(dataset)
    for one in blocked(dataset, folds=folds, purge_rows=purge):
        for device in (0, 1):
            own = dataset.frame.device == device
            tested, trained = age[own & one.test], age[own & one.train]
            assert tested.max() - tested.min() + 1 == len(tested), "a block without holes"
            apart = np.abs(trained[:, None] - tested[None, :]).min(axis=1)
            assert apart.min(initial=purge + 1) > purge
            dropped = own & ~one.train & ~one.test
            near = np.abs(age[dropped][:, None] - tested[None, :]).min(axis=1, initial=purge + 1)
            assert (near <= purge).all(), "nothing more than that is dropped"


@pytest.mark.parametrize("wrong", [2.5, "3", None])
@pytest.mark.parametrize(
    ("make", "name"),
    [
        (blocked, "folds"),
        (blocked, "purge_rows"),
        (rolling_origin, "folds"),
        (random_folds, "folds"),
        (random_folds, "seed"),
    ],
)
def test_counts_are_whole_numbers(make, name, wrong):
    with pytest.raises(SettingError, match=f"{make.__name__}: {name} is .*; wanted a whole number"):
        make(plant((300,)), **{name: wrong})


def test_counts_may_be_of_numpy_and_seeds_not_negative():
    assert len(blocked(plant(), folds=np.int32(3), purge_rows=np.int64(5))) == 3
    with pytest.raises(SettingError, match="seed is -1"):
        random_folds(plant((300,)), seed=-1)


def test_blocked_drops_both_sides():
    one = blocked(plant((2000,)))[2]
    assert one.purged == 2 * PURGE_ROWS


def test_blocked_without_enough_rows():
    with pytest.raises(InputError, match="no row to learn from"):
        blocked(plant((90, 80)))
    with pytest.raises(SettingError):
        blocked(plant(), folds=1)
    with pytest.raises(SettingError):
        blocked(plant(), purge_rows=-1)


def test_leave_one_device_out():
    dataset = plant((300, 200, 100))
    splits = leave_one_device_out(dataset)
    assert [one.left_out for one in splits] == ["pump-0", "pump-1", "pump-2"]
    for k, one in enumerate(splits):
        np.testing.assert_array_equal(one.test, dataset.frame.device == k)
        np.testing.assert_array_equal(one.train, dataset.frame.device != k)
    with pytest.raises(InputError, match="one device only"):
        leave_one_device_out(plant((300,)))


def test_captures_by_gap():
    dataset = plant((300, 200))
    late = (dataset.frame.device == 0) & (ages(dataset) >= 120)
    frame = replace(dataset.frame, time_ns=dataset.frame.time_ns + np.where(late, 3600 * MINUTE, 0))
    named = captures(frame)
    assert set(named) == {"pump-0 #1", "pump-0 #2", "pump-1"}
    np.testing.assert_array_equal(named == "pump-0 #2", late)
    splits = leave_one_capture_out(replace(dataset, frame=frame))
    assert [one.left_out for one in splits] == ["pump-0 #1", "pump-0 #2", "pump-1"]


def test_captures_given():
    dataset = plant((300, 200))
    files = np.where(np.arange(500) < 250, "monday.csv", "tuesday.csv")
    splits = leave_one_capture_out(dataset, groups=files)
    assert [one.left_out for one in splits] == ["monday.csv", "tuesday.csv"]
    np.testing.assert_array_equal(splits[0].test, files == "monday.csv")
    with pytest.raises(InputError, match="groups have shape"):
        leave_one_capture_out(dataset, groups=files[:10])
    with pytest.raises(InputError, match="one recording only"):
        leave_one_capture_out(plant((300,)))


def test_too_many_captures():
    dataset = plant((8000,))
    times = dataset.frame.time_ns + dataset.frame.time_ns // (120 * MINUTE) * 5000 * MINUTE
    with pytest.raises(InputError, match="recordings, more than 50"):
        leave_one_capture_out(replace(dataset, frame=replace(dataset.frame, time_ns=times)))


def test_leave_one_attack_out_of_the_normal():
    dataset = plant()
    first = hold_out(dataset)[0].train
    splits = leave_one_attack_out(dataset)
    assert [one.left_out for one in splits] == ["leak", "stuck"], "the flood lies in the part that is learned from"
    for one in splits:
        cause = label_rows([label for label in dataset.labels if label.cause == one.left_out], dataset.frame) == 1
        np.testing.assert_array_equal(one.train, first & (dataset.y == 0))
        np.testing.assert_array_equal(one.test, ~first & (cause | (dataset.y == 0)))
        assert one.purged == (dataset.y == 1).sum() - cause.sum()


def test_leave_one_attack_out_goes_by_the_published_part():
    dataset = with_train(plant())
    for one in leave_one_attack_out(dataset):
        assert not (one.train & ~dataset.train).any()
        assert not (one.test & dataset.train).any()
        assert not dataset.y[one.train].any()


def test_leave_one_attack_out_needs_attacks():
    with pytest.raises(InputError, match="needs labels"):
        leave_one_attack_out(replace(plant(), y=None, labels=()))


def test_random_folds_leak_on_time_series_and_say_so():
    for one in random_folds(plant(seed=1), folds=4):
        assert one.leaks.startswith("leaks neighbours: ")
    unrelated = replace(plant(slow=False), y=None)
    assert all(one.leaks == "" for one in random_folds(unrelated))
    stretches = replace(unrelated, y=(np.arange(len(unrelated)) % 100 < 50).astype(np.int8))
    stretches = replace(stretches, frame=stretches.frame.take(np.argsort(stretches.frame.time_ns, kind="stable")))
    assert all(one.leaks for one in random_folds(stretches)), "an event on both sides leaks too"


def test_random_folds_by_seed():
    dataset = plant()
    one, two = random_folds(dataset, seed=0)[0], random_folds(dataset, seed=1)[0]
    assert (one.test != two.test).any()
    sizes = {int(fold.test.sum()) for fold in random_folds(dataset)}
    assert max(sizes) - min(sizes) <= 1
    with pytest.raises(SettingError):
        random_folds(dataset, folds=1)


def test_only_random_folds_are_said_to_leak():
    for name, make in PROTOCOLS.items():
        assert any(one.leaks for one in make(with_train(plant()))) == (name == "random k-fold")


@pytest.mark.parametrize("name", ["Leave-One-Device-Out", "leave_one_device_out", "leave one device out"])
def test_names_as_they_are_typed(name):
    assert protocol_of(name) is leave_one_device_out
    assert protocol_of("blocked-k-fold") is blocked


def test_unknown_names():
    with pytest.raises(SettingError, match="did you mean 'rolling origin'"):
        protocol_of("roling-origin")
    with pytest.raises(SettingError, match="there are: published"):
        protocol_of("xyzzy")


def test_what_is_taken_when_nothing_is_said():
    assert splits_of(plant())[0].protocol == "chronological hold-out"
    assert splits_of(with_train(plant()))[0].protocol == "published"
    assert splits_of(plant(), "rolling-origin")[0].protocol == "rolling origin"


def test_a_split_cannot_overlap():
    row = np.array([True, False])
    with pytest.raises(InputError, match="both learned from and judged"):
        Split("mine", 0, 1, row, row, 0)
    with pytest.raises(InputError, match="no row to judge"):
        Split("mine", 0, 1, row, np.zeros(2, bool), 1)
    assert str(Split("mine", 1, 3, row, ~row, 0, "pump-1")) == "mine, fold 2 of 3 (pump-1)"
