"""What is no number, no whole number or no array is refused in a sentence, by every metric."""

import numpy as np
import pytest

from redshank.core import InputError, SettingError
from redshank.evaluate.metrics._inputs import numbers, whole
from redshank.evaluate.metrics.affiliation import affiliation
from redshank.evaluate.metrics.calibration import reliability
from redshank.evaluate.metrics.classes import class_auc
from redshank.evaluate.metrics.events import detection_delays, event_recall, point_adjusted_f1
from redshank.evaluate.metrics.load import alarm_load
from redshank.evaluate.metrics.nab import nab_score
from redshank.evaluate.metrics.points import confusion, oracle_f1, pr_auc, pr_curve, roc_auc, roc_curve
from redshank.evaluate.metrics.ranges import range_f1
from redshank.evaluate.metrics.summary import measure
from redshank.evaluate.metrics.volume import range_auc, vus

LABELS = [0, 1, 1, 0]
SCORES = [0.1, 0.9, 0.8, 0.2]
NO_NUMBERS = (
    ["a", "b", "c", "d"],
    ["0.1", "0.9", "0.8", "0.2"],
    [1.0, "high", None, 2.0],
    [1.0, [2.0, 3.0], 4.0, 5.0],
    [1j, 2j, 3j, 4j],
    np.arange(4).astype("datetime64[s]"),
)


@pytest.mark.parametrize("scores", NO_NUMBERS, ids=str)
@pytest.mark.parametrize(
    "of",
    [
        roc_auc,
        pr_auc,
        roc_curve,
        pr_curve,
        oracle_f1,
        vus,
        measure,
        lambda scores, labels: range_auc(scores, labels, window=2),
        lambda scores, labels: nab_score({"f": scores}, {}),
        reliability,
        lambda scores, labels: class_auc([scores, scores, scores, scores], labels),
    ],
)
def test_scores_that_are_no_numbers(of, scores):
    with pytest.raises(InputError, match=r"scores|p "):
        of(scores, LABELS)


@pytest.mark.parametrize("alarm", [[0, [1, 0], 1, 0], ["a", "b", "c", "d"]], ids=str)
@pytest.mark.parametrize("of", [confusion, event_recall, affiliation, range_f1, point_adjusted_f1, detection_delays])
def test_alarms_that_are_none(of, alarm):
    with pytest.raises(InputError, match="alarm"):
        of(alarm, LABELS)


def test_times_that_are_no_array():
    with pytest.raises(InputError, match="time_ns"):
        detection_delays([0, 1, 1, 0], LABELS, [0, [1, 2], 3, 4])
    with pytest.raises(InputError, match="onset_ns"):
        alarm_load([0, [1, 2]], start_ns=0, end_ns=9)
    with pytest.raises(InputError, match="source"):
        alarm_load([0, 1], start_ns=0, end_ns=9, source=["a", ["b", "c"]])


@pytest.mark.parametrize("wrong", [2.5, 3.0, "3", np.nan])
@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("window", lambda value: vus(SCORES, LABELS, window=value)),
        ("thresholds", lambda value: vus(SCORES, LABELS, thresholds=value)),
        ("window", lambda value: range_auc(SCORES, LABELS, window=value)),
        ("window", lambda value: measure(SCORES, LABELS, window=value)),
        ("draws", lambda value: point_adjusted_f1(LABELS, LABELS, draws=value)),
        ("seed", lambda value: point_adjusted_f1(LABELS, LABELS, seed=value)),
        ("points", lambda value: roc_curve(SCORES, LABELS).thinned(value)),
    ],
)
def test_settings_that_count(name, of, wrong):
    with pytest.raises(SettingError, match=f"{name} is .*; wanted a whole number"):
        of(wrong)


def test_a_negative_seed():
    with pytest.raises(SettingError, match="seed is -1; wanted at least 0"):
        point_adjusted_f1(LABELS, LABELS, seed=-1)


def test_what_is_good_stays_as_it_is():
    assert whole("who", "name", np.int16(4), low=4) == 4
    values = np.array(SCORES)
    assert numbers("who", "scores", values) is values
    for form in (np.array(SCORES, dtype=object), SCORES, values.astype(np.float32)):
        found = numbers("who", "scores", form)
        assert found.dtype == np.float64
        assert found == pytest.approx(values, rel=1e-6)
    assert numbers("who", "scores", [True, False]).tolist() == [1.0, 0.0]
    assert numbers("who", "scores", []).shape == (0,)
