"""The papers' comparisons: who learns from what, what is printed beside what, and that nothing is made twice."""

from __future__ import annotations

import numpy as np
import pytest

from redshank.core import Classifier, Detector, Tags
from redshank.core.classifier import NORMAL
from redshank.detectors.classical.pca import PCADetector
from redshank.evaluate.papers import run, tables
from redshank.evaluate.papers.cases import Case
from redshank.evaluate.papers.comparisons import COMPARISONS, Comparison, Entrant
from redshank.evaluate.papers.run import OURS, SHARE, STATED, papers_run

ROWS, RECORDINGS = 200, 8


def recordings() -> Case:
    """Recordings whose first channel is the number of the row, the second odd in the second half."""
    series, kinds = [], []
    for k in range(RECORDINGS):
        number = np.arange(ROWS) + k * ROWS
        odd = (np.arange(ROWS) >= 100) & (np.arange(ROWS) % 40 < 20)
        noise = np.random.default_rng(k).normal(0.0, 0.1, ROWS)
        series.append(np.column_stack([number.astype(float), 5.0 * odd + noise]))
        kinds.append(np.where(odd, "anomaly", NORMAL))
    groups = tuple(np.full(ROWS, f"recording {k}") for k in range(RECORDINGS))
    return Case("made up", tuple(series), tuple(kinds), groups, (80,) * RECORDINGS, ordered=True)


class Spy(Detector):
    """Scores by the second channel and keeps the numbers of the rows it learned from and judged."""

    tags = Tags()
    learned: list[set[int]] = []  # noqa: RUF012 - shared on purpose: each turn makes a new detector
    judged: list[set[int]] = []  # noqa: RUF012

    def _fit(self, series, y):
        type(self).learned.append({int(n) for one in series for n in one[:, 0]})

    def _score(self, X):
        return np.abs(X[:, 1])


class SpyClassifier(Spy, Classifier):
    tags = Tags(needs_labels=True)
    learned: list[set[int]] = []  # noqa: RUF012

    def _probabilities(self, X):
        odd = np.clip(X[:, 1] / 5.0, 0.0, 1.0)
        return np.column_stack([1.0 - odd, odd])


class SpyWindows(SpyClassifier):
    tags = Tags(needs_labels=True, sequence=True)
    learned: list[set[int]] = []  # noqa: RUF012


@pytest.fixture(autouse=True)
def _fresh():
    for spy in (Spy, SpyClassifier, SpyWindows):
        spy.learned.clear()


def judged(spy, protocol):
    found, _ = run._judge(recordings(), spy(), protocol, several=False, seed=0)
    return found


def test_our_protocol_never_learns_from_a_recording_that_it_judges():
    judged(SpyClassifier, OURS)
    assert len(SpyClassifier.learned) == run.TURNS
    for numbers in SpyClassifier.learned:
        whole = [sum(k * ROWS <= n < (k + 1) * ROWS for n in numbers) for k in range(RECORDINGS)]
        assert sorted(set(whole)) == [0, ROWS]


def test_each_row_is_judged_once_under_our_protocol():
    assert len(judged(SpyClassifier, OURS).scores) == (ROWS - 80) * RECORDINGS


@pytest.mark.parametrize("spy", [Spy, SpyClassifier, SpyWindows])
@pytest.mark.parametrize("protocol", [STATED, OURS])
def test_nobody_judges_the_time_known_to_be_normal(spy, protocol):
    found = judged(spy, protocol)
    case = recordings()
    share = np.mean(np.concatenate([own[80:] for own in case.kinds]) != NORMAL)
    assert (found.kinds != NORMAL).mean() == pytest.approx(
        share, abs=0.2 if spy is SpyWindows else 0.05
    )  # few stretches
    if protocol == OURS:
        assert len(found.scores) == (ROWS - 80) * RECORDINGS


def test_the_stated_protocol_deals_rows_kind_by_kind():
    judged(SpyClassifier, STATED)
    (numbers,) = SpyClassifier.learned
    case = recordings()
    for k in range(RECORDINGS):
        for kind in np.unique(case.kinds[k]):
            own = {k * ROWS + n for n in np.flatnonzero(case.kinds[k] == kind)}
            assert len(numbers & own) == pytest.approx(SHARE * len(own), abs=1)


def test_models_that_look_at_the_order_are_dealt_stretches():
    judged(SpyWindows, STATED)
    (numbers,) = SpyWindows.learned
    edges = sum((n in numbers) != (n + 1 in numbers) for n in range(ROWS * RECORDINGS - 1) if (n + 1) % ROWS)
    assert edges <= 2 * RECORDINGS * (ROWS // run.STRETCH)


@pytest.mark.parametrize("protocol", [STATED, OURS])
def test_without_labels_only_the_first_part_of_the_normal_time_is_learned_from(protocol):
    judged(Spy, protocol)
    (numbers,) = Spy.learned
    border = round((1.0 - run.HELD_BACK) * 80)
    assert numbers == {k * ROWS + n for k in range(RECORDINGS) for n in range(border)}


def test_the_stated_threshold_is_the_best_on_the_judged_rows_and_ours_is_not():
    stated, ours = judged(Spy, STATED), judged(Spy, OURS)
    assert (stated.scores == ours.scores).all()
    odd = stated.kinds != NORMAL

    def f1(one):
        alarm = one.predicted != NORMAL
        return 2 * (alarm & odd).sum() / (alarm.sum() + odd.sum())

    assert f1(stated) == 1.0
    normal = ours.scores[~odd]
    assert 0 < (ours.predicted[~odd] != NORMAL).mean() < 0.1  # some of them pass it, as some held back did
    assert normal[ours.predicted[~odd] != NORMAL].min() > np.quantile(normal, 0.8)


def test_a_grid_is_searched_on_the_judged_rows_as_stated_and_on_held_back_ones_in_ours(monkeypatch):
    seen = []

    def judge(case, detector, protocol, *, several, seed):
        worth = {2: 0.9, 1: 0.5}[detector.latent] if protocol == STATED else {2: -3.0, 1: -1.0}[detector.latent]
        seen.append((protocol, detector.latent))
        return made, {"fit": float(detector.latent), "score": 0.0, "worth": worth}

    made = judged(Spy, OURS)
    monkeypatch.setattr(run, "_judge", judge)
    entrant = Entrant("grid", ("pca(latent=1)", "pca(latent=2)"))
    comparison = Comparison("t", "t", "s", (), (entrant,))
    for protocol, chosen in ((STATED, 2.0), (OURS, 1.0)):
        record = run._record(comparison, recordings(), entrant, protocol, quick=False, seed=0)
        assert record["seconds"]["fit"] == chosen


@pytest.fixture
def small(monkeypatch):
    entrants = (Entrant("PCA", ("pca",), "accuracy 0.123"), Entrant("PCA again", ("pca(latent=1)",)))
    monkeypatch.setitem(COMPARISONS, "t", Comparison("t", "A title", "a source", ("made up",), entrants, note="a note"))
    monkeypatch.setitem(run.CASES, "made up", lambda root, quick: recordings())
    return [*papers_run(("t",))]


def test_every_model_has_a_row_for_each_protocol_and_anchors_stand_below(small):
    rows = [(record["model"], record["protocol"]) for record in small]
    assert rows[:4] == [("PCA", STATED), ("PCA", OURS), ("PCA again", STATED), ("PCA again", OURS)]
    assert len(rows) == 4 + 2 * len(run.ANCHORS)


def test_what_is_printed_stands_beside_and_never_in_our_columns(small):
    (table,) = tables.papers_tables(small)
    first = dict(zip(table.columns, table.rows[0], strict=True))
    assert first["printed"] == "accuracy 0.123"
    assert first["accuracy"] == small[0]["accuracy"] != 0.123
    assert dict(zip(table.columns, table.rows[2], strict=True))["printed"] == "not to hand"
    without = [record | {"printed": ""} for record in small]
    assert [row[:-1] for row in tables.papers_tables(without)[0].rows] == [row[:-1] for row in table.rows]
    assert any("leak" in note or "both sides" in note for note in table.notes)


def test_confusion_matrices_count_every_judged_row(small):
    for record, table in zip(small, tables.confusion_tables(small, "t"), strict=True):
        assert sum(sum(row[1:]) for row in table.rows) == record["rows"]


def test_what_a_record_file_holds_is_not_made_again(small):
    assert not [*papers_run(("t",), done=small)]
    assert len([*papers_run(("t",), done=small[:3])]) == len(small) - 3


def test_every_entrant_names_a_detector_that_can_be_made():
    for comparison in COMPARISONS.values():
        for entrant in comparison.entrants:
            for text in entrant.detectors:
                assert run._made(text, quick=True, seed=3).settings().get("seed", 3) == 3


def test_what_is_printed_is_what_was_looked_up():
    """A second copy, so that a figure cannot change by accident; sources stand in the comparisons."""
    printed = {(key, one.model): one.printed for key, c in COMPARISONS.items() for one in c.entrants if one.printed}
    assert printed == {
        ("a", "AE-LSTM, trained jointly"): "accuracy 0.975, precision 0.958, recall 0.962; 75 ms a batch of 64",
        ("a", "SVM"): "200 ms a batch of 64",
        ("a", "RF"): "120 ms a batch of 64",
        ("b", "IoT-AnomalyNet"): "accuracy 0.9573; attacks: precision 0.9624, recall 0.9785; normal: 0.955, 0.975",
        ("f", "DeepDetect"): "accuracy 0.991 to 0.993",
        ("f-kinds", "DeepDetect"): "accuracy 0.991 to 0.993",
    }


def test_pca_is_as_anywhere():
    case = recordings()
    detector = PCADetector().fit([one[:56] for one in case.series])
    scores = np.concatenate([detector.score_samples(one)[80:] for one in case.series])
    found, _ = run._judge(case, PCADetector(), OURS, several=False, seed=0)
    np.testing.assert_array_equal(found.scores, scores)
