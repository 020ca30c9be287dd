"""Row by row measures against scikit-learn, ties and all."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score, roc_auc_score

from redshank.core import InputError
from redshank.evaluate import point_measures


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([-2.5, 0.0, 1e-9, 1.0, 7.0]) | st.floats(-1e308, 1e308), st.booleans(), st.booleans()
        ),
        min_size=2,
        max_size=60,
    ).filter(lambda rows: len({anomaly for _, anomaly, _ in rows}) == 2)
)
def test_as_scikit_learn(rows):
    scores, y, alarm = (np.array(part) for part in zip(*rows, strict=True))
    scores, y = scores.astype(float), y.astype(np.int8)
    got = point_measures(scores, y, alarm)
    # Ranks, not the scores themselves: scikit-learn takes differences, which overflow at 1e308.
    ranks = np.unique(scores, return_inverse=True)[1]
    assert got["ROC-AUC"] == pytest.approx(roc_auc_score(y, ranks), abs=1e-12)
    assert got["average precision"] == pytest.approx(average_precision_score(y, ranks), abs=1e-12)
    assert got["recall"] == pytest.approx(recall_score(y, alarm))
    if alarm.any():
        assert got["precision"] == pytest.approx(precision_score(y, alarm))
    else:
        assert math.isnan(got["precision"])
    assert got["F1"] == pytest.approx(f1_score(y, alarm, zero_division=0.0))
    assert got["false-positive rate"] == pytest.approx((alarm & (y == 0)).sum() / (y == 0).sum())
    assert got["anomalous share"] == y.mean()


def test_a_perfect_and_a_constant_score():
    y = np.array([0, 0, 1, 1], np.int8)
    perfect = point_measures(y.astype(float), y, y == 1)
    assert all(perfect[name] == 1.0 for name in ("ROC-AUC", "average precision", "precision", "recall", "F1"))
    assert perfect["false-positive rate"] == 0.0
    flat = point_measures(np.zeros(4), y, np.zeros(4, np.bool_))
    assert (flat["ROC-AUC"], flat["average precision"], flat["recall"], flat["F1"]) == (0.5, 0.5, 0.0, 0.0)


def test_what_is_not_defined_is_nan():
    def undefined(y, alarm):
        got = point_measures(np.arange(float(len(y))), np.array(y, np.int8), np.array(alarm, np.bool_))
        return {name for name, value in got.items() if math.isnan(value)}

    assert undefined([], []) == {
        "ROC-AUC",
        "average precision",
        "anomalous share",
        "precision",
        "recall",
        "F1",
        "false-positive rate",
    }
    assert undefined([0, 0], [0, 0]) == {"ROC-AUC", "average precision", "precision", "recall", "F1"}
    assert undefined([1, 1], [1, 0]) == {"ROC-AUC", "false-positive rate"}


def test_many_rows_do_not_overflow_the_labels_type():
    y = (np.arange(100_000) % 2).astype(np.int8)
    got = point_measures(np.arange(100_000.0), y, y == 1)
    assert got["average precision"] == pytest.approx(average_precision_score(y, np.arange(100_000.0)))


def test_lengths_must_agree():
    with pytest.raises(InputError, match="3 scores, 2 labels and 3 alarms"):
        point_measures(np.zeros(3), np.zeros(2, np.int8), np.zeros(3, np.bool_))
