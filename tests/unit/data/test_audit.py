"""The audit shouts where a label can be had without the anomaly, and is silent where it cannot."""

import numpy as np
import polars as pl
import pytest

from redshank.core import Frame, Kind, Label, Schema
from redshank.data import Dataset, audit, read
from redshank.data.rules import class_rule, interval_rule, threshold_rule

DAY = 86_400
ROWS = 2_000


def honest(seed: int = 0, *, rows: int = ROWS) -> tuple[np.ndarray, np.ndarray]:
    """Three noisy channels and a label in ten runs that shifts one of them by two deviations."""
    rng = np.random.default_rng(seed)
    y = np.zeros(rows, np.int8)
    for start in np.linspace(50, rows - 60, 10).astype(int):
        y[start : start + 30] = 1
    values = rng.normal(size=(rows, 3))
    values[:, 0] += 2 * y
    return values, y


def dataset(values: np.ndarray, y: np.ndarray | None, seconds: np.ndarray | None = None, train=None) -> Dataset:
    seconds = np.arange(len(values)) * 60 + 7 if seconds is None else seconds
    schema = Schema.of(f"c{i}" for i in range(values.shape[1]))
    device = np.zeros(len(values), np.int32)
    return Dataset("made", Frame(schema, ("device",), device, seconds * 10**9, values), y, train)


def leaks(found):
    return {(one.check, one.column) for one in found if one.severity == "leak"}


@pytest.mark.parametrize("seed", range(5))
def test_an_honest_set_has_nothing(seed):
    assert audit(dataset(*honest(seed))) == []


def test_the_label_follows_the_date(tmp_path):
    """Normal rows in March, attacks in late April."""
    rng = np.random.default_rng(0)
    march = np.datetime64("2019-03-31") + np.sort(rng.choice(3 * DAY, 900, replace=False)).astype("timedelta64[s]")
    april = np.datetime64("2019-04-23") + np.sort(rng.choice(6 * DAY, 600, replace=False)).astype("timedelta64[s]")
    frame = pl.DataFrame(
        {
            "time": np.concatenate([march, april]).astype("datetime64[us]"),
            "temp": rng.normal(size=1500),
            "label": np.repeat([0, 1], [900, 600]),
        }
    )
    frame.write_csv(tmp_path / "a.csv")
    found = audit(read(tmp_path / "a.csv", label="label"))
    assert leaks(found) == {("time", "")}
    assert "follows the date" in found[0].sentence


def test_days_of_attack_between_days_of_peace():
    values, _ = honest()
    seconds = np.arange(ROWS) * 300
    y = (seconds // DAY % 2 == 1).astype(np.int8)
    found = audit(dataset(values, y, seconds))
    assert leaks(found) == {("time", "")}
    assert "recording" in found[0].sentence


def test_recordings_of_one_class_each():
    values, _ = honest()
    block = np.arange(ROWS) // 250
    found = audit(dataset(values, (block % 3 == 1).astype(np.int8), np.arange(ROWS) * 2 + block * 3_000))
    assert leaks(found) == {("time", "")}


def test_the_same_hour_every_day():
    values, _ = honest()
    seconds = np.arange(ROWS) * 900
    found = audit(dataset(values, (seconds % DAY // 3600 == 2).astype(np.int8), seconds))
    assert leaks(found) == {("time", "")}
    assert "time of day" in found[0].sentence


def test_events_that_fall_on_no_border_are_no_leak():
    values, y = honest()
    assert audit(dataset(values, y, np.arange(ROWS) * 900)) == []


@pytest.mark.parametrize("make", [lambda y: y * 3.0 + 1, lambda y: 1 - y, lambda y: np.where(y == 1, np.nan, 0.5)])
def test_a_column_made_from_the_label(make):
    values, y = honest()
    values[:, 2] = make(y.astype(float))
    found = [one for one in audit(dataset(values, y)) if one.check == "column"]
    assert [(one.column, one.severity) for one in found] == [("c2", "leak")]
    assert found[0].figure >= 0.99


def test_a_column_between_two_limits():
    values, y = honest()
    rng = np.random.default_rng(1)
    values[:, 2] = np.where(y == 1, rng.uniform(4, 5, ROWS), rng.choice([-1, 1], ROWS) * rng.uniform(0, 3, ROWS) + 4.5)
    values[:, 2] += np.where((y == 0) & (np.abs(values[:, 2] - 4.5) < 0.6), 5.0, 0.0)
    assert ("column", "c2") in leaks(audit(dataset(values, y)))


def test_one_strong_event_is_a_warning_only():
    values, _ = honest()
    y = np.zeros(ROWS, np.int8)
    y[700:900] = 1
    values[:, 2] += 50 * y
    found = audit(dataset(values, y))
    assert leaks(found) == set()
    assert [(one.check, one.column) for one in found] == [("column", "c2")]


def written(tmp_path, cell):
    values, y = honest()
    lines = [f"{cell(bool(y[i]), values[i, 1])},{values[i, 0]:.4f},{y[i]}" for i in range(ROWS)]
    times = [f"2024-01-{1 + i // 1000:02d} {i // 60 % 16:02d}:{i % 60:02d}:30" for i in range(ROWS)]
    path = tmp_path / "a.csv"
    path.write_text("time,door,c1,label\n" + "".join(f"{t},{line}\n" for t, line in zip(times, lines, strict=True)))
    return audit(read(path, label="label", sort=True))


@pytest.mark.parametrize(
    "cell",
    [
        lambda odd, x: str(int(x > 0)) if odd else str(x > 0).lower(),
        lambda odd, x: f"{x:.3f}" if odd else f"{x:.4f}",
        lambda odd, x: f"{x:.3e}" if odd else f"{x:.3f}",
        lambda odd, x: f" {x:.3f}" if odd else f"{x:.3f}",
        lambda odd, x: "on" if odd == (x > 9) else "ON",
    ],
)
def test_cells_that_are_written_differently(tmp_path, cell):
    assert ("form", "door") in leaks(written(tmp_path, cell))


def test_cells_that_are_written_alike(tmp_path):
    far = written(tmp_path, lambda odd, x: f"{x + 99 * odd:.3f}")
    assert leaks(far) == {("column", "door")}  # told by its value, which is another matter
    assert leaks(written(tmp_path, lambda odd, x: f"{x:.3f}")) == set()


def test_rows_copied_from_training():
    values, y = honest()
    rng = np.random.default_rng(2)
    copied = rng.choice(ROWS // 2, 200, replace=False)
    into = ROWS // 2 + rng.choice(ROWS // 2, 200, replace=False)
    values[into], y[into] = values[copied], y[copied]
    found = audit(dataset(values, y))
    assert leaks(found) == {("duplicates", "")}
    assert found[0].figure == pytest.approx(0.2)
    unlabelled = audit(dataset(values, None))
    assert {(one.check, one.severity) for one in unlabelled} == {("duplicates", "warning"), ("label", "warning")}


def test_coarse_data_have_twins_without_copying():
    rng = np.random.default_rng(3)
    _, y = honest()
    values = np.stack([rng.integers(0, 4, ROWS), rng.integers(0, 12, ROWS), rng.integers(0, 10, ROWS)], axis=1)
    assert audit(dataset(values.astype(float), y)) == []


def test_constant_columns_are_warnings():
    values, y = honest()
    values[:, 1], values[:, 2] = 7.0, np.nan
    found = audit(dataset(values, y))
    assert {(one.check, one.column, one.severity) for one in found} == {
        ("constant", "c1", "warning"),
        ("constant", "c2", "warning"),
    }


def test_published_training_rows_are_normal_by_design():
    values, y = honest()
    y[: ROWS // 2] = 0
    assert leaks(audit(dataset(values, y, train=np.arange(ROWS) < ROWS // 2))) == set()


def test_too_few_labels_are_said():
    values, y = honest()
    y[60:] = 0
    assert [one.check for one in audit(dataset(values, y))] == ["label"]


def test_rules_against_slow_ones():
    rng = np.random.default_rng(4)
    for _ in range(20):
        y = rng.integers(0, 2, 60).astype(np.int8)
        y[:2] = 0, 1
        column = rng.integers(0, 9, 60) + 2.0 * y
        slow = max(
            abs((column[y == 1] <= cut).mean() - (column[y == 0] <= cut).mean()) / 2 + 0.5 for cut in np.unique(column)
        )
        assert threshold_rule(column, y) == pytest.approx(slow)
    assert class_rule(np.zeros(60, np.intp), y) == 0.5
    assert interval_rule(np.full(60, np.nan), y) == 0.5


def test_rules_see_no_pattern_in_noise():
    rng = np.random.default_rng(5)
    y = (rng.random(5_000) < 0.1).astype(np.int8)
    assert abs(interval_rule(rng.normal(size=5_000), y) - 0.5) < 0.06
    assert abs(class_rule(rng.integers(0, 50, 5_000), y) - 0.5) < 0.06


def test_labels_without_row_labels_are_audited_too():
    frame = Frame.of(np.random.default_rng(0).normal(size=(400, 2)), time_ns=np.arange(400) * 10**9)
    labels = (Label("device", 300 * 10**9, 360 * 10**9, Kind.COLLECTIVE),)
    found = audit(Dataset("a", frame, labels=labels))
    assert not any("no labels are known" in one.sentence for one in found)
