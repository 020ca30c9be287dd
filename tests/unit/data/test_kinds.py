"""The name of what is wrong with each row: from a column of words, from the causes of labels, from 0 and 1."""

import numpy as np
import pytest

from redshank.core import Frame, Kind, Label, label_rows
from redshank.data import Dataset, labels_of, read

WORDS = ["normal", "normal", "flood", "flood", "scan", "", "Flood", "normal"]


def file(folder, words, header="t,a,b,label"):
    rows = [f"2026-01-01T00:{i:02d}:00,{i * 0.7 % 1},{i},{word}" for i, word in enumerate(words)]
    (folder / "f.csv").write_text("\n".join([header, *rows]) + "\n")
    return folder / "f.csv"


def test_words_name_the_rows(tmp_path):
    dataset = read(file(tmp_path, WORDS), label="label")
    assert dataset.kinds.tolist() == ["normal", "normal", "flood", "flood", "scan", "normal", "Flood", "normal"]
    assert dataset.y.tolist() == [0, 0, 1, 1, 1, 0, 1, 0]
    assert [label.cause for label in dataset.labels] == ["flood", "scan", "Flood"]
    np.testing.assert_array_equal(label_rows(dataset.labels, dataset.frame), dataset.y)
    assert dataset.lessons() is dataset.kinds


@pytest.mark.parametrize("words", [["0", "1"] * 4, ["false", "true"] * 4, ["0.0", "1.0"] * 4])
def test_marks_name_nothing(tmp_path, words):
    dataset = read(file(tmp_path, words), label="label")
    assert dataset.kinds is None
    assert dataset.lessons().tolist() == [0, 1] * 4
    assert all(label.cause == "" for label in dataset.labels)


def test_names_follow_their_rows_when_sorted(tmp_path):
    path = file(tmp_path, WORDS)
    head, *rows = path.read_text().splitlines()
    path.write_text("\n".join([head, *reversed(rows)]) + "\n")
    dataset = read(path, label="label", sort=True)
    assert dataset.kinds.tolist() == ["normal", "normal", "flood", "flood", "scan", "normal", "Flood", "normal"]


def test_long_form(tmp_path):
    lines = ["time,metric,value,label"]
    for i, word in enumerate(WORDS):
        lines += [f"2026-01-01T00:{i:02d}:00,a,{i % 3},", f"2026-01-01T00:{i:02d}:00,b,{i % 5},{word}"]
    (tmp_path / "long.csv").write_text("\n".join(lines) + "\n")
    dataset = read(tmp_path / "long.csv", metric="metric", value="value", label="label")
    assert dataset.kinds.tolist() == ["normal", "normal", "flood", "flood", "scan", "normal", "Flood", "normal"]


def test_lessons_from_labels_with_causes():
    frame = Frame.of(np.arange(10.0), interval_s=1.0)
    second = 1_000_000_000
    labels = (
        Label("device", 2 * second, 4 * second, Kind.POINT, "stuck"),
        Label("device", 4 * second, 5 * second, Kind.POINT, "spike"),
        Label("other", 0, 9 * second, Kind.POINT, "gone"),
    )
    wanted = ["normal", "normal", "stuck", "stuck", "spike", "spike", *["normal"] * 4]
    assert Dataset("d", frame, labels=labels).lessons().tolist() == wanted
    y = np.array([0, 0, 1, 1, 1, 0, 0, 0, 0, 1], np.int8)
    told = Dataset("d", frame, y, labels=labels).lessons()
    assert told.tolist() == ["normal", "normal", "stuck", "stuck", "spike", "normal", *["normal"] * 3, "anomaly"]


def test_lessons_of_the_unnamed_and_of_nothing():
    frame = Frame.of(np.arange(4.0), interval_s=1.0)
    y = np.array([0, 1, 1, 0], np.int8)
    assert Dataset("d", frame).lessons() is None
    assert Dataset("d", frame, y, labels=labels_of(frame, y)).lessons() is y
    np.testing.assert_array_equal(Dataset("d", frame, labels=labels_of(frame, y)).lessons(), y)
