"""What a board learns from never overlaps what it judges, and is the same for every detector."""

from __future__ import annotations

import numpy as np
import pytest

from redshank.core import Frame, InputError, SettingError
from redshank.data import Dataset
from redshank.evaluate.board import series as board
from redshank.evaluate.board.detectors import BOARD, NO_LABELS, QUICK_BOARD, UNORDERED, detector_jobs, judge_detector
from redshank.evaluate.board.series import BLOCKS, LEAVE_OUT, RANDOM_ROWS, SERIES, parts_of

ROWS = 1000


def dataset(name, rows=ROWS, anomalies=((600, 650), (900, 910))):
    """Channel 0 counts the rows, so that one can see which ones came."""
    y = np.zeros(rows, np.int8)
    for first, behind in anomalies:
        y[first:behind] = 1
    values = np.column_stack([np.arange(rows), np.random.default_rng(0).standard_normal(rows)])
    return Dataset(name, Frame.of(values, names=["place", "noise"], interval_s=60.0), y)


@pytest.fixture
def loaded(monkeypatch):
    made = {}
    monkeypatch.setattr(board, "load", lambda name: made.setdefault(name, dataset(name)))
    names = ["skab/valve1/0", "skab/valve1/1", "skab/valve1/2", board.NSL_KDD, "ucr/1", "nab/a", *board.SMD_MACHINES]
    monkeypatch.setattr(board, "names", lambda root=None: names)
    parts_of.cache_clear()
    yield made
    parts_of.cache_clear()


def places(scaled, parts_rows):
    """Rows behind scaled values: they are spread as the learned rows are."""
    return np.round(scaled[:, 0] * parts_rows[1] + parts_rows[0]).astype(int)


def scale_of(first, behind):
    own = np.arange(first, behind)
    return np.median(own), (np.quantile(own, 0.75) - np.quantile(own, 0.25)) / 1.3489795003921634


def test_a_series_is_learned_then_levelled_then_judged(loaded):
    parts = parts_of("nab/a", SERIES, None, None)
    scale = scale_of(0, 210)
    assert places(parts.learned[0], scale).tolist() == list(range(210)), "70 % of the first 30 %"
    assert places(parts.held, scale)[parts.held_before :].tolist() == list(range(210, 300))
    assert places(parts.judged, scale)[parts.judged_before :].tolist() == list(range(300, 1000))
    assert parts.held_before == 210
    assert parts.judged_before == 300
    assert parts.y.sum() == 60
    assert parts.lessons is None


def test_limits_keep_the_last_training_rows_and_an_anomaly(loaded):
    parts = parts_of("ucr/1", SERIES, 100, 200)
    scale = scale_of(200, 270)
    assert places(parts.learned[0], scale).tolist() == list(range(200, 270))
    judged = places(parts.judged, scale)[parts.judged_before :]
    assert len(judged) == 200
    assert (np.diff(judged) == 1).all()
    assert judged[0] >= 300
    assert parts.y.any()
    assert places(parts.judged, scale)[: parts.judged_before].tolist() == list(range(judged[0]))
    assert parts.interval_s == board.ASSUMED_S
    parts_of.cache_clear()
    again = parts_of("ucr/1", SERIES, 100, 200)
    assert np.array_equal(again.judged, parts.judged)


@pytest.mark.parametrize("seed", range(30))
def test_a_stretch_holds_a_whole_anomaly_where_it_fits(seed):
    y = np.zeros(500, np.int8)
    y[[0, 499]] = 1
    y[200:260] = 1
    begin, end = board._stretch(y, 100, np.random.default_rng(seed))
    assert end - begin == 100
    assert begin >= 0
    assert end <= 500
    found = y[begin:end]
    assert found[0] == 1 or found[-1] == 1 or found.sum() == 60
    begin, end = board._stretch(y, 20, np.random.default_rng(seed))
    assert y[begin:end].any()
    assert board._stretch(y, 500, np.random.default_rng(seed)) == (0, 500)
    assert np.diff(board._stretch(np.zeros(50, np.int8), 20, np.random.default_rng(seed))) == 20


def test_with_labels_the_other_recordings_teach_and_the_same_rows_are_judged(loaded):
    plain, taught = (parts_of("skab/valve1/1", protocol, None, None) for protocol in (SERIES, LEAVE_OUT))
    assert [len(one) for one in taught.learned] == [ROWS, ROWS]
    assert sum(int(one.sum()) for one in taught.lessons) == 120
    assert np.array_equal(plain.y, taught.y)
    assert len(taught.judged) == len(plain.judged)


@pytest.mark.parametrize("protocol", [RANDOM_ROWS, BLOCKS])
def test_records_without_order(loaded, protocol):
    loaded[board.NSL_KDD] = dataset(board.NSL_KDD, anomalies=((0, 400),))
    parts = parts_of(board.NSL_KDD, protocol, None, None)
    assert len(parts.learned[0]) == 490
    assert len(parts.y) == 300
    assert 0 < parts.lessons[0].sum() < 490
    noise = [set(one[:, 1].tolist()) for one in (parts.learned[0], parts.held, parts.judged)]
    assert not noise[0] & noise[1]
    assert not noise[0] & noise[2]
    assert not noise[1] & noise[2]
    assert not parts.ordered
    assert len(parts_of(board.NSL_KDD, protocol, 100, 50).y) == 50


def test_judging(loaded):
    given = {"series": "skab/valve1/0", "protocol": SERIES, "budget_s": 1.0, "train_rows": None, "test_rows": None}
    found = judge_detector(detector="pca", **given)
    assert found["rows"] == {"learned": 210, "held back": 90, "judged": 700, "anomalous": 60}
    assert set(found["measures"]) == {"VUS-PR", "event recall", "false alarms per day", "ROC-AUC", "F1"}
    always = judge_detector(detector="always", **given)["measures"]
    assert (always["event recall"], always["F1"]) == (1.0, pytest.approx(2 * 60 / 760))
    assert judge_detector(detector="svm", **given | {"protocol": NO_LABELS})["left_out"] == NO_LABELS


@pytest.mark.parametrize("detector", ["autoencoder", "denoising_autoencoder", "vae", "gan"])
@pytest.mark.parametrize("channels", [2, 122])
def test_who_looks_at_an_order_is_told_by_the_window_in_use(loaded, detector, channels):
    """From 32 channels up these take each row by itself, which is known only once the channels are."""
    made = dataset(board.NSL_KDD, anomalies=((0, 400),))
    values = np.random.default_rng(0).standard_normal((ROWS, channels)).astype(np.float32)
    loaded[board.NSL_KDD] = Dataset(made.name, Frame.of(values, interval_s=60.0), made.y)
    given = {"series": board.NSL_KDD, "protocol": BLOCKS, "budget_s": 0.0, "train_rows": 300, "test_rows": 100}
    assert judge_detector(detector=detector, **given)["remarks"] == ([UNORDERED] if channels == 2 else [])


def test_a_perfect_and_a_blind_detector(loaded):
    """Rows of the noise channel stand out where the label says so: every measure must see it."""
    loaded["nab/a"] = made = dataset("nab/a")
    made.frame.values[made.y == 1, 1] += 40.0
    made.frame.values[:, 0] = 0.0
    given = {"series": "nab/a", "protocol": SERIES, "budget_s": 1.0, "train_rows": None, "test_rows": None}
    good = judge_detector(detector="robust_z", **given)["measures"]
    assert good["ROC-AUC"] == pytest.approx(1.0)
    assert good["event recall"] == 1.0
    assert good["VUS-PR"] > 0.6
    blind = judge_detector(detector="never", **given)["measures"]
    assert (blind["ROC-AUC"], blind["event recall"], blind["false alarms per day"]) == (0.5, 0.0, 0.0)


def test_jobs(loaded):
    jobs = detector_jobs(only=["pca", "anchor:ar10"])
    assert {job.board for job in jobs} == {BOARD}
    assert len(jobs) == 2 * (3 + 2 + 1 + 1 + 3), "NSL-KDD is divided in two ways"
    assert [job.arguments["series"].partition("/")[0] for job in jobs][::2] == [
        *["smd"] * 3,
        *["nsl_kdd"] * 2,
        "nab",
        "ucr",
        *["skab"] * 3,
    ]
    assert len({job.name for job in jobs}) == len(jobs)
    quick = detector_jobs(quick=True, only=["pca"], families=["skab"])
    assert [(job.board, job.arguments["series"]) for job in quick] == [(QUICK_BOARD, "skab/valve1/1")]
    with pytest.raises(InputError, match="no data of the boards"):
        detector_jobs(families=["smap"])
    with pytest.raises(SettingError, match="did you mean 'pca'"):
        detector_jobs(only=["pcaa"])
