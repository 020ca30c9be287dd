"""Row by row measures against scikit-learn and slow loops, ties and all."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from redshank.core import InputError, SettingError
from redshank.evaluate.metrics import (
    Curve,
    class_auc,
    class_report,
    confusion,
    oracle_f1,
    pr_auc,
    pr_curve,
    roc_auc,
    roc_curve,
)

ROWS = st.lists(
    st.tuples(
        st.sampled_from([-2.5, -0.0, 0.0, 1e-9, 1.0, 7.0, math.inf, -math.inf])
        | st.floats(-1e308, 1e308)
        | st.integers(-3, 3).map(float),
        st.booleans(),
        st.booleans(),
    ),
    min_size=2,
    max_size=60,
).filter(lambda rows: len({anomaly for _, anomaly, _ in rows}) == 2)
LAW = settings(deadline=None, derandomize=True)


def columns(rows):
    scores, labels, alarm = (np.array(part) for part in zip(*rows, strict=True))
    return scores.astype(float), labels.astype(np.int8), alarm


def ranked(scores):
    """Ranks, not the scores themselves: scikit-learn takes differences, which overflow at 1e308 and infinity."""
    return np.unique(scores, return_inverse=True)[1]


@LAW
@given(ROWS)
def test_confusion_as_scikit_learn(rows):
    _, labels, alarm = columns(rows)
    got = confusion(alarm, labels)
    assert [[got.tn, got.fp], [got.fn, got.tp]] == sk.confusion_matrix(labels, alarm, labels=[0, 1]).tolist()
    assert got.accuracy == pytest.approx(sk.accuracy_score(labels, alarm))
    assert got.recall == got.detection_rate == pytest.approx(sk.recall_score(labels, alarm))
    assert got.f1 == pytest.approx(sk.f1_score(labels, alarm, zero_division=0.0))
    assert got.specificity == pytest.approx(sk.recall_score(1 - labels, ~alarm))
    assert got.false_positive_rate == pytest.approx(1.0 - got.specificity)
    assert got.balanced_accuracy == pytest.approx(sk.balanced_accuracy_score(labels, alarm))
    if alarm.any():
        assert got.precision == pytest.approx(sk.precision_score(labels, alarm))
    else:
        assert math.isnan(got.precision)
    if len(set(alarm)) == 2:
        assert got.mcc == pytest.approx(sk.matthews_corrcoef(labels, alarm))
    else:
        assert math.isnan(got.mcc)


@LAW
@given(ROWS)
def test_areas_as_scikit_learn(rows):
    scores, labels, _ = columns(rows)
    assert roc_auc(scores, labels) == pytest.approx(sk.roc_auc_score(labels, ranked(scores)), abs=1e-12)
    assert pr_auc(scores, labels) == pytest.approx(sk.average_precision_score(labels, ranked(scores)), abs=1e-12)


@LAW
@given(ROWS)
def test_roc_auc_counts_the_pairs_won(rows):
    scores, labels, _ = columns(rows)
    high, low = scores[labels == 1, None], scores[None, labels == 0]
    assert roc_auc(scores, labels) == ((high > low).sum() + (high == low).sum() / 2) / (high.size * low.size)


@LAW
@given(ROWS)
def test_each_point_of_a_curve_is_the_confusion_at_its_threshold(rows):
    scores, labels, _ = columns(rows)
    roc, pr = roc_curve(scores, labels), pr_curve(scores, labels)
    assert (roc.x[0], roc.y[0], roc.thresholds[0]) == (0.0, 0.0, math.inf)
    assert pr.thresholds.tolist() == sorted(set(scores), reverse=True) == roc.thresholds[1:].tolist()
    f1 = []
    for place, threshold in enumerate(pr.thresholds):
        rows_there = confusion(scores >= threshold, labels)
        assert roc.x[place + 1] == rows_there.false_positive_rate
        assert roc.y[place + 1] == pr.x[place] == rows_there.recall
        assert pr.y[place] == rows_there.precision
        f1.append(rows_there.f1)
    best = oracle_f1(scores, labels)
    assert best.value == max(f1)
    assert best.threshold == pr.thresholds[f1.index(max(f1))]
    assert np.trapezoid(roc.y, roc.x) == pytest.approx(roc_auc(scores, labels), abs=1e-12)
    assert (np.diff(pr.x, prepend=0.0) * pr.y).sum() == pytest.approx(pr_auc(scores, labels), abs=1e-12)


@LAW
@given(ROWS, st.integers(2, 70))
def test_a_thinned_curve_keeps_its_ends_and_its_shape(rows, points):
    for curve in (of(*columns(rows)[:2]) for of in (roc_curve, pr_curve)):
        thin = curve.thinned(points)
        assert len(thin.x) <= points
        kept = [int(np.flatnonzero(curve.thresholds[1:] == t)[-1]) + 1 for t in thin.thresholds[1:]]
        for part, whole in ((thin.x, curve.x), (thin.y, curve.y)):
            assert (part[0], part[-1]) == (whole[0], whole[-1])
            assert part[1:].tolist() == whole[kept].tolist()
        apart = np.abs(curve.x[:, None] - thin.x) + np.abs(curve.y[:, None] - thin.y)
        length = (np.abs(np.diff(curve.x)) + np.abs(np.diff(curve.y))).sum()
        assert apart.min(axis=1).max() <= length / (points - 1) + 1e-12


def test_a_thinned_curve_keeps_a_steep_rise_of_few_rows():
    labels = np.arange(100_000) < 100
    scores = -np.arange(100_000.0)
    thin = roc_curve(scores, labels).thinned(21)
    assert len(thin.x) == 21
    assert (thin.y < 1.0).sum() >= 9  # half of the length is the rise, though it holds one row in a thousand


def test_thinning_wants_two_points_and_leaves_short_curves_alone():
    curve = roc_curve([1.0, 2.0, 3.0], [0, 1, 0])
    assert curve.thinned(4) is curve
    with pytest.raises(SettingError, match=r"Curve\.thinned: points is 1; wanted at least 2"):
        curve.thinned(1)


def test_a_curve_of_one_class_is_nan_on_its_side_and_can_be_thinned():
    curve = roc_curve(np.arange(9.0), np.zeros(9))
    assert np.isnan(curve.y).all()
    assert not np.isnan(curve.x).any()
    assert curve.thinned(3).x.tolist() == [0.0, 5 / 9, 1.0]
    assert np.isnan(pr_curve(np.arange(9.0), np.zeros(9)).x).all()
    assert pr_curve(np.arange(9.0), np.zeros(9)).thinned(3).thresholds.tolist() == [
        8.0,
        0.0,
    ]  # no length, yet both ends
    assert isinstance(pr_curve([], []).thinned(2), Curve)


def test_a_worked_example():
    labels, scores = [1, 0, 1, 0, 0], [5.0, 4.0, 4.0, 2.0, 1.0]
    assert roc_auc(scores, labels) == 5.5 / 6.0
    assert pr_auc(scores, labels) == 0.5 * 1.0 + 0.5 * 2.0 / 3.0
    best = oracle_f1(scores, labels)
    assert (best.value, best.threshold) == (0.8, 4.0)
    assert oracle_f1([3.0, 2.0, 2.0, 1.0], [1, 0, 0, 1]).threshold == 3.0  # 2/3 at 3 and, again, at 1


def test_a_perfect_an_inverted_and_a_constant_score():
    labels = np.array([0, 0, 1, 1], np.int8)
    assert (roc_auc(labels, labels), pr_auc(labels, labels), oracle_f1(labels, labels).value) == (1.0, 1.0, 1.0)
    assert roc_auc(-labels, labels) == 0.0
    assert (roc_auc(np.zeros(4), labels), pr_auc(np.zeros(4), labels)) == (0.5, 0.5)
    assert confusion(labels, labels).mcc == 1.0
    assert confusion(1 - labels, labels).mcc == -1.0


def test_what_is_not_defined_is_nan():
    for labels in ([], [0, 0], [1, 1]):
        assert math.isnan(roc_auc(np.arange(float(len(labels))), labels))
    for labels in ([], [0, 0]):
        scores = np.arange(float(len(labels)))
        assert math.isnan(pr_auc(scores, labels))
        assert math.isnan(oracle_f1(scores, labels).value)
        assert math.isnan(oracle_f1(scores, labels).threshold)
        got = confusion(scores > 9, labels)
        assert all(map(math.isnan, (got.precision, got.recall, got.f1, got.mcc, got.balanced_accuracy)))
    assert math.isnan(confusion([], []).accuracy)
    assert math.isnan(confusion([1, 0], [1, 1]).false_positive_rate)
    assert math.isnan(confusion([1, 0], [1, 1]).specificity)
    assert confusion([0, 0], [1, 0]).f1 == 0.0


def test_many_rows_overflow_nothing():
    labels = (np.arange(200_000) % 2).astype(np.int8)
    scores = np.arange(200_000.0)
    assert pr_auc(scores, labels) == pytest.approx(sk.average_precision_score(labels, scores))
    assert roc_auc(scores, labels) == 0.5 + 0.5 / 100_000
    assert confusion(labels, labels).mcc == 1.0


@pytest.mark.parametrize("of", [roc_auc, pr_auc, roc_curve, pr_curve, oracle_f1])
def test_bad_rows_are_refused_by_name(of):
    with pytest.raises(InputError, match=f"{of.__name__}: the score of row 1 is NaN"):
        of([0.0, math.nan], [0, 1])
    with pytest.raises(InputError, match=rf"{of.__name__}: scores of shape \(3,\) and labels of shape \(2,\)"):
        of(np.zeros(3), np.zeros(2))
    with pytest.raises(InputError, match="2 in row 1"):
        of([0.0, 1.0], [0, 2])


def test_alarms_must_match():
    with pytest.raises(InputError, match=r"confusion: alarms of shape \(1,\)"):
        confusion([1], [0, 1])


CLASSES = ["benign", "ddos", "mirai", "scan"]


@LAW
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=50).filter(
        lambda pairs: len({place for pair in pairs for place in pair}) > 1  # of one class scikit-learn warns
    ),
    st.sampled_from(["text", "number", "object", "list"]),
)
def test_class_report_as_scikit_learn(pairs, form):
    true, guessed = (np.array(part) for part in zip(*pairs, strict=True))
    if form != "number":
        true, guessed = (np.array(CLASSES, object if form == "object" else None)[part] for part in (true, guessed))
    if form == "list":
        true, guessed = true.tolist(), guessed.tolist()
    got = class_report(guessed, true)
    assert list(got.classes) == np.unique(np.concatenate([true, guessed])).tolist()
    np.testing.assert_array_equal(got.matrix, sk.confusion_matrix(true, guessed))
    precision, recall, f1, support = sk.precision_recall_fscore_support(true, guessed, zero_division=math.nan)
    for ours, theirs in ((got.precision, precision), (got.recall, recall), (got.f1, f1), (got.support, support)):
        np.testing.assert_allclose(ours, theirs)
    assert got.accuracy == pytest.approx(sk.accuracy_score(true, guessed))
    assert got.balanced_accuracy == pytest.approx(recall[support > 0].mean())
    assert got.macro_f1 == pytest.approx(sk.f1_score(true, guessed, average="macro", zero_division=0.0))
    assert got.weighted_f1 == pytest.approx(sk.f1_score(true, guessed, average="weighted", zero_division=0.0))
    np.testing.assert_allclose(got.macro_precision, precision.mean())  # NaN if one is
    np.testing.assert_allclose(got.macro_recall, recall.mean())


def test_class_report_keeps_the_order_asked_for_and_knows_classes_without_rows():
    got = class_report(["b", "b", "a"], ["b", "a", "a"], classes=["c", "b", "a"])
    assert got.classes == ("c", "b", "a")
    assert got.matrix.tolist() == [[0, 0, 0], [0, 1, 0], [0, 1, 1]]
    assert math.isnan(got.f1[0])
    assert got.macro_f1 == pytest.approx(2 / 3)
    assert got.macro_precision == 0.75
    assert got.weighted_f1 == pytest.approx(2 / 3)
    with pytest.raises(InputError, match="class 'a' is not among the classes"):
        class_report(["b"], ["a"], classes=["b"])
    with pytest.raises(InputError, match="holds one class twice"):
        class_report(["b"], ["b"], classes=["b", "b"])


def test_class_report_of_any_hashable():
    mixed = np.empty(3, object)
    mixed[:] = [("udp", 53), None, 7]
    got = class_report(mixed, mixed)
    assert set(got.classes) == {("udp", 53), None, 7}
    assert got.accuracy == got.macro_f1 == 1.0
    empty = class_report([], [])
    assert empty.classes == ()
    assert all(map(math.isnan, (empty.accuracy, empty.balanced_accuracy, empty.macro_f1, empty.weighted_f1)))


def test_classes_that_cannot_be_used():
    with pytest.raises(InputError, match="1 predicted and 2 true"):
        class_report(["a"], ["a", "b"])
    with pytest.raises(InputError, match=r"y has shape \(1, 2\)"):
        class_report(["a"], [["a", "b"]])
    with pytest.raises(InputError, match="a class is NaN"):
        class_report([1.0, 2.0], [1.0, math.nan])


@LAW
@given(st.integers(0, 9), st.integers(8, 40), st.integers(2, 4))
def test_class_auc_as_scikit_learn(seed, rows, k):
    draw = np.random.default_rng(seed)
    scores = draw.integers(0, 4, (rows, k)) / 4.0
    places = np.append(np.arange(k), draw.integers(0, k, rows - k))
    each = [sk.roc_auc_score(places == place, scores[:, place]) for place in range(k)]
    assert class_auc(scores, np.array(CLASSES)[places]) == pytest.approx(np.mean(each))
    back = class_auc(scores[:, ::-1], np.array(CLASSES)[places], classes=CLASSES[:k][::-1])
    assert back == pytest.approx(np.mean(each))


def test_class_auc_leaves_out_what_does_not_occur():
    scores = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.4, 0.3, 0.3]])
    assert class_auc(scores, ["a", "b", "a"], classes=["a", "b", "c"]) == 1.0
    assert math.isnan(class_auc(scores[:, :1], ["a", "a", "a"]))
    with pytest.raises(InputError, match=r"scores have shape \(3, 3\); wanted \(3, 2\)"):
        class_auc(scores, ["a", "b", "a"])
    with pytest.raises(InputError, match="class 'z' is not among"):
        class_auc(scores, ["a", "b", "z"], classes=["a", "b", "c"])
