"""Detectors on the NAB corpus: learned on the probation, judged row by row, and what needs no data beside them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from redshank.core import InputError
from redshank.data import load
from redshank.detectors import DETECTORS
from redshank.evaluate import nab_run
from redshank.evaluate.metrics import nab_floor
from redshank.evaluate.nab_run import nab_files, nab_scores, nab_trivial
from redshank.pipeline import Pipeline

ROWS = {"real/a.csv": 600, "real/b.csv": 400, "other/c.csv": 500}
ODD = 350
"""First row of the anomaly of every file, ten rows long."""


def values(rows: int, seed: int) -> np.ndarray:
    found = 10 + np.random.default_rng(seed).normal(0, 1, rows)
    found[ODD : ODD + 10] += 40
    return found


def small_corpus(folder: Path) -> Path:
    """A folder of data sets that holds the benchmark's layout with three files of a reading every five minutes."""
    windows = {}
    for seed, (file, rows) in enumerate(ROWS.items()):
        path = folder / "nab" / "data" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, values(rows, seed))
        moments = times(rows)
        windows[file] = [[f"{moments[ODD - 10]}.000000", f"{moments[ODD + 20]}.000000"]]
    labels = folder / "nab" / "labels" / "combined_windows.json"
    labels.parent.mkdir()
    labels.write_text(json.dumps(windows))
    return folder


def times(rows: int) -> list[str]:
    moments = np.datetime64("2014-04-01T00:00:00") + 300 * np.arange(rows).astype("m8[s]")
    return [str(one).replace("T", " ") for one in moments]


def write(path: Path, numbers: np.ndarray) -> None:
    cells = [f"{moment},{number:.6f}" for moment, number in zip(times(len(numbers)), numbers, strict=True)]
    path.write_text("\n".join(["timestamp,value", *cells]) + "\n")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return small_corpus(tmp_path)


def test_files_are_named_as_in_the_benchmark(root: Path) -> None:
    assert set(nab_files(root)) == set(ROWS)


def test_every_incident_has_a_score_and_the_probation_none(root: Path) -> None:
    found = nab_scores("ridge", data_root=root)
    assert {file: len(scores) for file, scores in found.items()} == ROWS
    for file, scores in found.items():
        probation = min(int(0.15 * ROWS[file]), 750)
        assert scores.dtype == np.float64
        assert np.isfinite(scores).all()
        assert (scores >= 0).all()
        assert (scores[:probation] == 0).all()
        assert 0 < (scores > 0).sum() < 10, "one row an incident"
    assert found["real/a.csv"][ODD] > 0
    assert found["other/c.csv"][ODD] > 0


def test_it_is_the_pipeline_that_users_have(root: Path) -> None:
    frame = load("nab/real/a", root).frame
    normal = frame.take(np.arange(600) < 90)
    rest = frame.take(np.arange(600) >= 90)
    analysis = Pipeline("ridge").fit(normal).analyse(rest, history=normal)
    scores = nab_scores("ridge", files=["real/a.csv"], data_root=root)["real/a.csv"]
    raised = {int(np.flatnonzero(frame.time_ns >= one.detected_ns)[0]) for one in analysis.incidents}
    assert set(np.flatnonzero(scores)) == raised
    for row in raised:
        p = max(analysis.scores.p[row - 90], 1e-300)
        assert scores[row] == pytest.approx(max(-np.log10(p), nab_run.RAISED))


def test_a_score_depends_on_no_later_row(root: Path) -> None:
    before = nab_scores("ridge", files=["real/a.csv"], data_root=root)["real/a.csv"]
    changed = values(600, 0)
    changed[300:] = 500.0
    write(root / "nab" / "data" / "real" / "a.csv", changed)
    after = nab_scores("ridge", files=["real/a.csv"], data_root=root)["real/a.csv"]
    np.testing.assert_allclose(after[:300], before[:300], rtol=1e-9)
    assert not np.array_equal(after[300:], before[300:])


def test_a_detector_is_made_anew_for_every_file(root: Path) -> None:
    made = []

    def make() -> object:
        made.append(DETECTORS.get("ridge")())
        return made[-1]

    together = nab_scores(make, data_root=root)  # type: ignore[arg-type]
    assert len(made) == len(ROWS)
    alone = nab_scores("ridge", files=["other/c.csv"], data_root=root)
    assert list(alone) == ["other/c.csv"]
    np.testing.assert_array_equal(alone["other/c.csv"], together["other/c.csv"])


def test_progress_is_the_share_of_files_done(root: Path) -> None:
    seen: list[float] = []
    nab_scores("ridge", data_root=root, progress=seen.append)
    assert seen == pytest.approx([1 / 3, 2 / 3, 1])


def test_a_tail_of_zero_has_a_finite_score(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    analyse = Pipeline.analyse

    def certain(self, frame, history=None):
        found = analyse(self, frame, history=history)
        found.scores.p[:] = 0.0
        return found

    monkeypatch.setattr(Pipeline, "analyse", certain)
    scores = nab_scores("ridge", files=["real/b.csv"], data_root=root)["real/b.csv"]
    assert scores.max() == 300.0
    assert nab_run.SMALLEST_P == 1e-300


def test_a_file_that_is_not_there_is_named(root: Path) -> None:
    with pytest.raises(InputError, match="nab/real/z"):
        nab_scores("ridge", files=["real/z.csv"], data_root=root)


def test_what_needs_no_data() -> None:
    found = nab_trivial(ROWS)
    assert list(found) == ["never", "random", "half probation"]
    assert all({file: len(own) for file, own in one.items()} == ROWS for one in found.values())
    assert not any(own.any() for own in found["never"].values())
    drawn = np.concatenate(list(found["random"].values()))
    assert len(set(drawn)) == sum(ROWS.values())
    assert 0 <= drawn.min() < drawn.max() < 1
    for file, own in nab_floor(ROWS).items():
        np.testing.assert_array_equal(found["half probation"][file], own)
    for seed, same in ((0, True), (1, False)):
        again = np.concatenate(list(nab_trivial(ROWS, seed=seed)["random"].values()))
        assert np.array_equal(drawn, again) is same
