"""Tables and figures as files: everything that the records have something for, and nothing that would mislead."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.fixtures.records import DEVICES, Record, run_record, run_records, unlabelled

from redshank.core import InputError
from redshank.evaluate.pages.folder import write_folder

TABLES = {f"{name}.{ending}" for name in ("results", "runs") for ending in ("md", "csv", "tex")}
SCORES = {f"scores-{number}.svg" for number in range(1, len(DEVICES) + 1)}


def names(written: list[Path]) -> set[str]:
    return {path.name for path in written}


def varied(name: str, values: list[object], **more: object) -> list[Record]:
    """Runs of one detector that differ in a setting, and in what came of it."""
    runs = [small(skill=2.0 + place, **more) for place in range(len(values))]
    return [run | {"settings": run["settings"] | {name: one}} for run, one in zip(runs, values, strict=True)]


def small(**more: object) -> Record:
    """A run of one device for a week, without traces: what takes little time to draw."""
    return run_record(devices=DEVICES[:1], days=7, **more) | {"traces": []}  # type: ignore[arg-type]


def said(path: Path) -> str:
    found = ET.parse(path).getroot().findtext("{http://www.w3.org/2000/svg}desc")  # noqa: S314 - our own figure
    assert found
    return found


def rows(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text("utf-8"))))


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return run_records()


def test_everything_that_there_is_something_for(tmp_path: Path, records: list[Record]) -> None:
    written = write_folder(tmp_path / "deep" / "er", records)
    figures = {"roc", "pr", "confusion", "calibration", "rates", "critical-difference"}
    assert names(written) == TABLES | SCORES | {f"{name}.svg" for name in figures}
    assert set(written) == set((tmp_path / "deep" / "er").iterdir())
    for path in written:
        content = path.read_text("utf-8")
        if path.suffix == ".svg":
            assert said(path)
        else:
            assert "ridge" in content, path
            assert "never" in content, "baselines are in every table"


def test_files_of_last_time_are_replaced_and_others_stay(tmp_path: Path, records: list[Record]) -> None:
    (tmp_path / "results.md").write_text("of last time")
    (tmp_path / "mine.txt").write_text("mine")
    first = {path.name: path.read_bytes() for path in write_folder(tmp_path, records)}
    assert b"of last time" not in first["results.md"]
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert {path.name: path.read_bytes() for path in write_folder(tmp_path, records)} == first


def test_without_labels_there_is_nothing_to_tell_apart(tmp_path: Path) -> None:
    written = names(write_folder(tmp_path, [unlabelled(run_record())]))
    assert written >= TABLES | SCORES
    assert not written & {"roc.svg", "pr.svg", "confusion.svg", "critical-difference.svg"}


def test_curves_are_of_the_same_rows(tmp_path: Path) -> None:
    own, other = small(), small(detector="elsewhere")
    moved = other | {"data": other["data"] | {"name": "mine", "fingerprint": "0" * 16}}
    write_folder(tmp_path, [own, moved])
    assert "ridge" in said(tmp_path / "roc.svg")
    assert "elsewhere" not in said(tmp_path / "roc.svg")
    assert "elsewhere" in (tmp_path / "results.md").read_text()


def test_figures_are_of_the_detector_not_of_a_baseline_before_it(tmp_path: Path) -> None:
    baseline, own = small(detector="never", baseline=True, skill=0.0), small()
    write_folder(tmp_path, [baseline, own])
    assert f"anomalous: alarm {own['confusion']['tp']:,}" in said(tmp_path / "confusion.svg")


def test_baselines_alone_are_shown_as_well(tmp_path: Path) -> None:
    written = write_folder(tmp_path, [small(detector="random", baseline=True, skill=0.0)])
    assert names(written) >= TABLES | {"roc.svg", "confusion.svg"}


def test_other_kinds_of_records_are_passed_over(tmp_path: Path) -> None:
    written = write_folder(tmp_path, [{"schema": 1, "kind": "note"}, small()])
    assert "confusion.svg" in names(written)


def test_several_protocols_have_rows_of_their_own(tmp_path: Path) -> None:
    first = small()
    other = first | {"split": first["split"] | {"protocol": "rolling origin"}}
    write_folder(tmp_path, [first, other])
    header, *body = rows(tmp_path / "results.csv")
    assert header[:2] == ["protocol", "detector"]
    assert {row[0] for row in body} == {"chronological hold-out", "rolling origin"}


@pytest.mark.parametrize(
    ("values", "drawn"),
    [([1, 2, 4], True), ([0.5, 2], True), ([2, 2], False), (["low", "high"], False), ([True, False], False)],
)
def test_sensitivity_needs_numbers_that_differ(tmp_path: Path, values: list[object], drawn: bool) -> None:
    written = names(write_folder(tmp_path, varied("detector.latent", values)))
    assert ("sensitivity-detector.latent.svg" in written) is drawn


def test_sensitivity_gives_every_value(tmp_path: Path) -> None:
    write_folder(tmp_path, varied("detector.latent", [1, 2, 4]))
    text = said(tmp_path / "sensitivity-detector.latent.svg")
    for value in (1, 2, 4):
        assert f" at {value}" in text


def test_two_detectors_with_other_defaults_are_no_sensitivity(tmp_path: Path) -> None:
    runs = varied("detector.latent", [2]) + varied("detector.latent", [8], detector="ae")
    assert not any(name.startswith("sensitivity") for name in names(write_folder(tmp_path, runs)))


def test_seeds_are_no_setting_to_be_sensitive_to(tmp_path: Path) -> None:
    runs = [small(seed=seed) for seed in (0, 1)]
    runs = [run | {"settings": run["settings"] | {"detector.seed": run["seed"]}} for run in runs]
    assert not any(name.startswith("sensitivity") for name in names(write_folder(tmp_path, runs)))


def test_what_cannot_be_compared_leaves_nothing(tmp_path: Path) -> None:
    own, other = small(), small(detector="pca")
    other = other | {"data": other["data"] | {"fingerprint": "0" * 16}}
    with pytest.raises(InputError, match="two data sets under one name"):
        write_folder(tmp_path / "new", [own, other])
    with pytest.raises(InputError, match="none of 0 records"):
        write_folder(tmp_path / "new", [])
    assert list(tmp_path.iterdir()) == []


def test_names_are_no_markup_and_no_formula(tmp_path: Path) -> None:
    evil = "=HYPERLINK(1)|<b>&\\input{x}"
    run = run_record(detector=evil, devices=(evil,), channels=(evil, "flow"))
    write_folder(tmp_path, [run | {"data": run["data"] | {"name": evil}}])
    _, body = rows(tmp_path / "runs.csv")
    assert body[0] == f"'{evil}"
    assert "<b>" not in (tmp_path / "results.md").read_text()
    assert r"\input" not in (tmp_path / "results.tex").read_text()
    for path in tmp_path.glob("*.svg"):
        assert "<b>" not in path.read_text("utf-8")


def test_figures_are_of_one_run_that_they_name(tmp_path: Path) -> None:
    own = small()
    again = own | {"confusion": own["confusion"] | {"tp": 77}}
    other = own | {"data": own["data"] | {"name": "dam", "fingerprint": "1" * 16}}
    torn = own | {"split": own["split"] | {"protocol": "random k-fold", "folds": 2}}
    write_folder(tmp_path, [own, other, torn, again])
    assert "anomalous: alarm 77" in said(tmp_path / "confusion.svg")
    assert "<title>Confusion matrix: plant</title>" in (tmp_path / "confusion.svg").read_text()
    assert said(tmp_path / "roc.svg").count("ridge") == 1
    assert "2 data sets</title>" in (tmp_path / "rates.svg").read_text()
