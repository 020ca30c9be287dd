"""What the commands share: which rows are learned from, which channels fit, where may be written."""

from __future__ import annotations

import numpy as np
import pytest

from redshank.cli import inputs
from redshank.cli.outputs import check_place, report_at
from redshank.core import Frame, InputError, SettingError
from redshank.data import Dataset


def dataset(names=("a", "b"), rows: int = 10, train: slice | None = None) -> Dataset:
    frame = Frame.of(np.arange(rows * len(names), dtype=float).reshape(rows, -1), names=names)
    mask = None
    if train is not None:
        mask = np.zeros(rows, bool)
        mask[train] = True
    return Dataset("set", frame, train=mask)


def test_the_first_part_is_learned_from():
    for learn, wanted in ((None, 3), (0.5, 5)):
        normal, rest, judged, choice = inputs.training_part(dataset(), "f.csv", learn)
        assert (len(normal), len(rest)) == (wanted, 10 - wanted)
        np.testing.assert_array_equal(np.flatnonzero(~judged), np.arange(wanted))
        assert f"{wanted * 10}%" in choice


def test_published_training_rows_win_unless_a_part_is_asked_for():
    data = dataset(train=slice(0, 6))
    assert len(inputs.training_part(data, "f", None)[0]) == 6
    assert len(inputs.training_part(data, "f", 0.5)[0]) == 5


def test_another_file_is_learned_from_whole():
    normal, rest, judged, choice = inputs.training_part(dataset(), "f", None, dataset(rows=7))
    assert (len(normal), len(rest), judged.all()) == (7, 10, True)
    assert choice == "learned from set"
    with pytest.raises(SettingError, match="choose one"):
        inputs.training_part(dataset(), "f", 0.5, dataset())


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("a",), "has no channel 'b'"),
        (("x", "y"), "has no channel 'a' and 1 more"),
        (("a", "b", "c"), "the channel 'c' more"),
        (("b", "a"), "another order, from 'b' on"),
    ],
)
def test_channels(names, said):
    with pytest.raises(InputError, match=rf"^f\.csv: .*{said}.*model m"):
        inputs.check_channels(dataset(names), "f.csv", ("a", "b"), "the model m")


def test_channels_that_fit():
    inputs.check_channels(dataset(), "f.csv", ("a", "b"), "the model m")


@pytest.mark.parametrize("learn", [0.0, 1.0, -0.5, 2.0, float("nan"), float("inf")])
def test_share(learn):
    with pytest.raises(SettingError, match="--learn is"):
        inputs.check_share(learn)


def test_places(tmp_path):
    assert check_place(tmp_path / "new") == tmp_path / "new"
    (tmp_path / "old").write_text("x")
    assert check_place(tmp_path / "old").read_text() == "x"
    for wrong in (tmp_path, tmp_path / "none" / "a", tmp_path / "old" / "a"):
        with pytest.raises(InputError, match=str(wrong)):
            check_place(wrong)
        with pytest.raises(InputError, match=str(wrong)):
            report_at(wrong)
