"""Laws of all metrics: what they must not notice, what they must, their level for chance, and 1 for perfection.

Levels for chance are exact wherever all cases can be enumerated. Where they are sampled, the tolerance is four
standard errors of the sample, with a fixed seed.
"""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redshank.evaluate.metrics import (
    class_auc,
    class_report,
    confusion,
    oracle_f1,
    pr_auc,
    pr_curve,
    roc_auc,
    roc_curve,
)
from redshank.evaluate.metrics.affiliation import affiliation
from redshank.evaluate.metrics.calibration import reliability
from redshank.evaluate.metrics.events import (
    detection_delays,
    event_f1,
    event_precision,
    event_recall,
    false_events,
    point_adjusted_f1,
)
from redshank.evaluate.metrics.load import alarm_load
from redshank.evaluate.metrics.nab import nab_score, probation_rows
from redshank.evaluate.metrics.ranges import range_f1, range_precision, range_recall
from redshank.evaluate.metrics.volume import range_auc, vus

LAW = settings(deadline=None, derandomize=True, max_examples=60)


def runs(labels):
    """First row and row behind the last of each anomaly."""
    edges = np.flatnonzero(np.diff(np.r_[0, np.asarray(labels, int), 0]))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def nab_profiles(scores, labels, threshold=None):
    """The three NAB scores of a corpus of one file, whose windows are its anomalies."""
    windows = [(first, behind - 1) for first, behind in runs(labels)]
    score = nab_score({"file": scores}, {"file": windows}, threshold=threshold)
    return [profile.score for profile in score.by_profile().values()]


POINTWISE = {
    "ROC-AUC": roc_auc,
    "PR-AUC": pr_auc,
    "best F1": lambda scores, labels: oracle_f1(scores, labels).value,
    "ROC curve": lambda scores, labels: [roc_curve(scores, labels).x, roc_curve(scores, labels).y],
    "PR curve": lambda scores, labels: [pr_curve(scores, labels).x, pr_curve(scores, labels).y],
}
ORDERED = {  # these know which rows are neighbours
    "VUS": lambda scores, labels: both(vus(scores, labels, window=9)),
    "VUS, all thresholds": lambda scores, labels: both(vus(scores, labels, window=9, thresholds=None)),
    "range AUC": lambda scores, labels: both(range_auc(scores, labels, window=6)),
    "NAB": nab_profiles,
}
ALARMED = {
    "affiliation": lambda alarm, labels: near(affiliation(alarm, labels)),
    "range precision": range_precision,
    "range recall": range_recall,
    "range F1": range_f1,
    "event recall": event_recall,
    "event precision": event_precision,
    "event F1": event_f1,
    "point-adjusted F1": lambda alarm, labels: point_adjusted_f1(alarm, labels, draws=1).value,
}
INCREASING = {  # all exact on small whole numbers, so that results must agree to the last bit
    "ranks": lambda scores: np.unique(scores, return_inverse=True)[1].astype(float),
    "line": lambda scores: 2.0 * scores + 3.0,
    "cube": lambda scores: scores**3,
    "power of two": lambda scores: 2.0**scores,
    "far away": lambda scores: scores * 2.0**900,
}


def both(area):
    return [area.pr, area.roc]


def near(found):
    return [found.precision, found.recall, found.f1]


@st.composite
def series(draw, highest=40):
    """Whole scores with ties, and labels in runs; both classes occur, and NAB's probation is free of anomalies."""
    lengths = draw(st.lists(st.integers(1, 14), min_size=2, max_size=16))
    marks = np.repeat(np.arange(len(lengths)) % 2, lengths)
    labels = np.r_[np.zeros(len(marks) // 4 + 1, int), marks]
    draws = np.random.default_rng(draw(st.integers(0, 999)))
    scores = draws.integers(-highest, highest + 1, len(labels)) + labels * draw(st.integers(-9, 20))
    return scores.astype(float), labels


def spread(values):
    """Four standard errors of the mean."""
    return 4.0 * np.std(values, ddof=1) / math.sqrt(len(values))


@pytest.mark.parametrize("name", INCREASING)
@LAW
@given(series())
def test_only_the_order_of_scores_counts(name, rows):
    scores, labels = rows
    mapped = INCREASING[name](scores)
    for measure, of in (POINTWISE | ORDERED).items():
        np.testing.assert_array_equal(of(mapped, labels), of(scores, labels), err_msg=measure)


@LAW
@given(series())
def test_many_thresholds_are_thinned_by_rank_and_not_by_score(rows):
    scores, labels = np.tile(rows[0], 20), np.tile(rows[1], 20)
    scores += np.arange(len(scores)) / 2.0**14  # distinct, and more than the 250 thresholds
    assert both(vus(2.0 * scores, labels, window=5)) == both(vus(scores, labels, window=5))
    assert both(vus(INCREASING["ranks"](scores), labels, window=5)) == both(vus(scores, labels, window=5))


def test_the_reverse_order_counts_for_all():
    """Else a metric that never looks at the scores would pass as unchanged."""
    draw = np.random.default_rng(3)
    labels = np.r_[np.zeros(60, int), np.repeat([1, 0, 1, 0], [12, 40, 3, 85])]
    scores = draw.normal(size=200) + labels
    for measure, of in (POINTWISE | ORDERED).items():
        assert not np.allclose(of(-scores, labels), of(scores, labels)), measure
    assert roc_auc(-scores, labels) == pytest.approx(1.0 - roc_auc(scores, labels))


@LAW
@given(series(), st.randoms(use_true_random=False))
def test_points_do_not_know_their_neighbours(rows, random):
    scores, labels = rows
    order = np.array(random.sample(range(len(labels)), len(labels)))
    for measure, of in POINTWISE.items():
        np.testing.assert_array_equal(of(scores[order], labels[order]), of(scores, labels), err_msg=measure)
    assert confusion(scores[order] > 9, labels[order]) == confusion(scores > 9, labels)
    kinds, guess = scores.astype(int) % 3, scores.astype(int) % 4
    report, moved = class_report(guess, kinds), class_report(guess[order], kinds[order])
    np.testing.assert_array_equal(moved.matrix, report.matrix)
    columns = np.stack([scores, -scores, scores % 5], axis=1)
    areas = [class_auc(c, k, classes=[0, 1, 2]) for c, k in ((columns, kinds), (columns[order], kinds[order]))]
    np.testing.assert_array_equal(*areas)  # both NaN where all rows are of one class
    p = np.abs(scores) / 80.0
    np.testing.assert_array_equal(reliability(p[order], labels[order]).share, reliability(p, labels).share)


def test_ranges_and_events_know_their_neighbours():
    draw = np.random.default_rng(11)
    labels = np.r_[np.zeros(60, int), np.repeat([1, 0, 1, 0], [30, 60, 20, 130])]
    scores = draw.normal(size=300) + labels
    order = draw.permutation(300)
    for measure, of in ORDERED.items():
        assert not np.allclose(of(scores[order], labels[order]), of(scores, labels)), measure
    for measure, of in ALARMED.items():
        assert not np.allclose(of(scores[order] > 1, labels[order]), of(scores > 1, labels)), measure


@LAW
@given(series())
def test_time_may_run_backwards_for_what_does_not_prefer_early_alarms(rows):
    scores, labels = rows
    for measure, of in {name: of for name, of in ORDERED.items() if name != "NAB"}.items():
        np.testing.assert_allclose(of(scores[::-1], labels[::-1]), of(scores, labels), atol=1e-12, err_msg=measure)
    alarm = scores > 9
    for measure, of in ALARMED.items():
        np.testing.assert_allclose(of(alarm[::-1], labels[::-1]), of(alarm, labels), atol=1e-12, err_msg=measure)
    assert range_recall(alarm[::-1], labels[::-1], bias="back") == pytest.approx(
        range_recall(alarm, labels, bias="front")
    )
    assert false_events(alarm[::-1], labels[::-1]) == false_events(alarm, labels)


def test_time_may_not_run_backwards_for_what_prefers_early_alarms():
    labels = np.r_[np.zeros(60, int), np.ones(40, int), np.zeros(60, int)]
    early = np.zeros(160)
    early[65] = 1.0
    assert nab_profiles(early[::-1], labels[::-1])[0] < nab_profiles(early, labels)[0] - 10.0
    assert detection_delays(early > 0, labels).tolist() == [5.0]
    assert detection_delays(early[::-1] > 0, labels[::-1]).tolist() == [34.0]
    assert range_recall(early > 0, labels, bias="front") > range_recall(early > 0, labels, bias="back")


@LAW
@given(series(), st.integers(0, 30), st.sampled_from([None, 250]))
def test_labels_as_scores_are_perfect(rows, window, thresholds):
    labels = rows[1]
    assert (roc_auc(labels, labels), pr_auc(labels, labels), oracle_f1(labels, labels).value) == (1.0, 1.0, 1.0)
    for of in (vus, range_auc):
        assert both(of(labels, labels, window=window, thresholds=thresholds)) == pytest.approx([1.0, 1.0], abs=1e-12)
    assert nab_profiles(labels.astype(float), labels) == pytest.approx([100.0] * 3)
    assert nab_profiles(labels.astype(float), labels, threshold=1.0) == pytest.approx([100.0] * 3)
    for measure, of in ALARMED.items():
        np.testing.assert_allclose(of(labels, labels), 1.0, atol=1e-12, err_msg=measure)
    assert (detection_delays(labels, labels) == 0.0).all()
    assert false_events(labels, labels) == 0
    rows_there = confusion(labels, labels)
    assert (rows_there.precision, rows_there.recall, rows_there.f1, rows_there.mcc) == pytest.approx((1.0,) * 4)
    assert (rows_there.false_positive_rate, rows_there.accuracy, rows_there.balanced_accuracy) == (0.0, 1.0, 1.0)
    report = class_report(labels, labels)
    assert (report.macro_f1, report.weighted_f1, report.macro_precision, report.macro_recall) == (1.0,) * 4
    assert class_auc(np.stack([1 - labels, labels], axis=1), labels) == 1.0


@LAW
@given(series(), st.integers(0, 30))
def test_a_perfect_ranking_is_perfect_where_every_score_is_a_threshold(rows, window):
    scores, labels = rows
    scores = scores + 200.0 * labels + np.arange(len(labels)) / 2.0**14  # distinct; anomalous rows above all others
    assert (roc_auc(scores, labels), pr_auc(scores, labels), oracle_f1(scores, labels).value) == (1.0, 1.0, 1.0)
    every = both(vus(scores, labels, window=window, thresholds=None))
    assert every == pytest.approx([1.0, 1.0], abs=1e-12)
    # Up to 250 rows, 250 thresholds at equal steps of rank are all of them.
    assert both(vus(scores, labels, window=window)) == pytest.approx(every, abs=1e-12)


def test_a_perfect_ranking_of_many_rows_loses_a_little_to_the_grid_of_thresholds():
    """250 ranks of 10,000 rows miss the one that parts anomalous rows from normal ones."""
    labels = np.zeros(10_000, int)
    labels[4000:4110] = 1
    scores = labels * 1e6 + np.random.default_rng(0).permutation(10_000)
    grid = vus(scores, labels, window=20)
    assert 0.9 < grid.pr < 1.0
    assert 0.99 < grid.roc <= 1.0
    assert both(vus(scores, labels, window=20, thresholds=None)) == pytest.approx([1.0, 1.0], abs=1e-12)


@LAW
@given(series())
def test_the_inverse_of_perfect_is_worst(rows):
    labels = rows[1]
    assert roc_auc(-labels, labels) == 0.0
    assert pr_auc(-labels, labels) == pytest.approx(labels.mean())  # all that is left is to alarm on everything
    assert range_auc(-labels, labels, window=0).roc == 0.0
    assert max(nab_profiles(-labels.astype(float), labels, threshold=0.0)) < 0.0
    wrong = confusion(1 - labels, labels)
    assert (wrong.f1, wrong.balanced_accuracy, wrong.mcc) == pytest.approx((0.0, 0.0, -1.0))
    for of in (range_precision, range_recall, range_f1, event_recall, event_precision, event_f1):
        assert of(1 - labels, labels) == 0.0
    assert affiliation(1 - labels, labels).precision < 0.5


def test_chance_by_every_order_of_the_rows():
    """All 210 ways to place 4 anomalous rows among 10 ranks."""
    n, anomalous = 10, 4
    scores = np.arange(float(n))
    places = list(itertools.combinations(range(n), anomalous))
    labels = np.zeros((len(places), n), int)
    np.put_along_axis(labels, np.array(places), 1, axis=1)
    assert np.mean([roc_auc(scores, row) for row in labels]) == pytest.approx(0.5, abs=1e-12)
    assert np.mean([roc_auc(scores // 3, row) for row in labels]) == pytest.approx(0.5, abs=1e-12)  # ties too
    # Rank i (1 = highest) is anomalous with chance P/n; then the others are, each, with chance (P-1)/(n-1).
    ranks = np.arange(1, n + 1)
    expected = np.mean((1 + (ranks - 1) * (anomalous - 1) / (n - 1)) / ranks)
    assert np.mean([pr_auc(scores, row) for row in labels]) == pytest.approx(expected, abs=1e-12)
    alarm = scores >= 7
    assert np.mean([confusion(alarm, row).f1 for row in labels]) == pytest.approx(2 * 3 * 4 / (10 * (3 + 4)))
    assert np.mean([confusion(alarm, row).precision for row in labels]) == pytest.approx(anomalous / n)
    assert np.mean([confusion(alarm, row).mcc for row in labels]) == pytest.approx(0.0, abs=1e-12)
    assert np.mean([confusion(alarm, row).balanced_accuracy for row in labels]) == pytest.approx(0.5)


def test_chance_by_every_set_of_alarms():
    """All 4096 alarms of 12 rows: each row alarms with chance 1/2, on its own."""
    labels = np.array([0, 1, 1, 1, 0, 0, 1, 0, 1, 1, 0, 0])
    lengths = np.array([3, 1, 2])
    alarms = np.array(list(itertools.product([False, True], repeat=12)))
    found = 1.0 - 0.5**lengths
    assert np.mean([event_recall(alarm, labels) for alarm in alarms]) == pytest.approx(found.mean())
    for alpha in (0.0, 0.2, 1.0):
        recalls = [range_recall(alarm, labels, alpha=alpha, cardinality="one") for alarm in alarms]
        assert np.mean(recalls) == pytest.approx((alpha * found + (1.0 - alpha) * 0.5).mean())
    delays = np.array([detection_delays(alarm, labels) for alarm in alarms])
    assert np.isnan(delays).mean(axis=0) == pytest.approx(0.5**lengths)
    assert [(delays[:, 0] == rows).mean() for rows in range(3)] == [0.5, 0.25, 0.125]
    for bias in ("flat", "front", "back", "middle"):  # a lone row has no parts: its precision is its label
        lone = [range_precision(np.arange(12) == row, labels, bias=bias) for row in range(12)]
        assert lone == labels.tolist()


def test_point_adjustment_pays_for_chance_and_says_how_much():
    labels = np.array([0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    values = []
    for rows in itertools.combinations(range(12), 3):
        alarm = np.isin(np.arange(12), rows)
        value = point_adjusted_f1(alarm, labels, draws=1).value
        assert value >= confusion(alarm, labels).f1
        values.append(value)
    stated = point_adjusted_f1(labels & (np.arange(12) < 4), labels, draws=4000).random
    assert stated == pytest.approx(np.mean(values), abs=4.0 * np.std(values) / math.sqrt(4000))
    assert stated > 1.5 * 2 * 3 * 5 / (12 * (3 + 5))  # chance by the unadjusted F1


@pytest.mark.parametrize(("before", "length", "after"), [(30, 10, 60), (0, 25, 75), (49, 1, 50), (10, 80, 10)])
def test_affiliation_of_one_alarm_anywhere(before, length, after):
    """A point of the zone beats another one half the time, and always ties inside the anomaly: (1 + share^2) / 2."""
    labels = np.repeat([0, 1, 0], [before, length, after])
    n = len(labels)
    lone = [affiliation(np.arange(n) == row, labels) for row in range(n)]
    chance = (1.0 + (length / n) ** 2) / 2.0
    assert np.mean([found.precision for found in lone]) == pytest.approx(chance, abs=1e-12)
    assert affiliation(np.ones(n), labels).precision == pytest.approx(chance, abs=1e-12)
    assert np.mean([found.recall for found in lone]) == pytest.approx(0.5, abs=1.5 / n)  # a row is not a point


def test_random_scores_of_many_rows():
    draw = np.random.default_rng(21)
    labels = (np.arange(40_000) % 50 == 0).astype(int)
    scores = draw.random(40_000)
    anomalous, normal = labels.sum(), (1 - labels).sum()
    error = math.sqrt((anomalous + normal + 1) / (12 * anomalous * normal))  # Mann-Whitney
    assert roc_auc(scores, labels) == pytest.approx(0.5, abs=4 * error)
    assert pr_auc(scores, labels) == pytest.approx(0.02, abs=0.004)
    assert oracle_f1(scores, labels).value == pytest.approx(2 * 0.02 / 1.02, abs=0.01)
    assert class_auc(draw.random((40_000, 3)), np.arange(40_000) % 3) == pytest.approx(0.5, abs=4 * 0.0031)
    report = class_report(draw.integers(0, 4, 40_000), np.arange(40_000) % 4)
    assert report.balanced_accuracy == pytest.approx(0.25, abs=4 * math.sqrt(0.25 * 0.75 / 40_000))


@LAW
@given(series())
def test_no_oracle_is_below_alarming_always(rows):
    scores, labels = rows
    assert oracle_f1(scores, labels).value >= confusion(np.ones(len(labels)), labels).f1


def test_shuffled_labels_bring_a_good_detector_to_chance():
    draw = np.random.default_rng(31)
    labels = np.repeat([0, 1, 0, 1, 0], [300, 40, 400, 60, 200])
    scores = draw.normal(size=1000) + 2.0 * labels
    assert roc_auc(scores, labels) > 0.85
    assert pr_auc(scores, labels) > 0.5
    shuffled = [roc_auc(scores, draw.permutation(labels)) for _ in range(200)]
    assert np.mean(shuffled) == pytest.approx(0.5, abs=spread(shuffled))
    areas = [pr_auc(scores, draw.permutation(labels)) for _ in range(200)]
    ranks = np.arange(1, 1001)
    assert np.mean(areas) == pytest.approx(np.mean((1 + (ranks - 1) * 99 / 999) / ranks), abs=spread(areas))


def soft_border(labels, width):
    """Soft label of every normal row, straight from the definition."""
    first, behind = np.array(runs(labels)).T
    rows = np.flatnonzero(labels == 0)[:, None]
    gaps = np.maximum(first - rows, rows - behind + 1)
    credit = np.where(gaps <= width // 2, np.sqrt(1.0 - np.minimum(gaps, width // 2) / max(width, 1)), 0.0)
    return np.minimum(credit.sum(axis=1), 1.0)


LONG = np.repeat([0, 1, 0, 1, 0], [900, 150, 1400, 250, 1300])
SHORT = np.tile(np.repeat([0, 1], [46, 4]), 80)


@pytest.mark.parametrize(("labels", "window"), [(LONG, 30), (SHORT, 10)])
def test_vus_of_random_scores(labels, window):
    """Derived: where every row alarms with chance q, A = q P, B = q S (S: the whole border) and N = q n in the mean.

    Precision is then (P + S) / n at every q, and so is the area under PR. Under ROC, q is run from 0 to 1. Counts vary
    around their means, and ratios of them have not quite the ratio of the means: 0.002 is left for that.
    """
    n, anomalous = len(labels), int(labels.sum())
    lengths = np.array([behind - first for first, behind in runs(labels)])
    pr, roc = [], []
    q = np.linspace(0.0, 1.0, 2001)
    for width in range(window + 1):
        border = soft_border(labels, width).sum()
        found = 1.0 - ((1.0 - q) ** (lengths[:, None] + 2 * (width // 2))).mean(axis=0)
        recall = np.minimum((anomalous + border) * q / (anomalous + q * border / 2.0), 1.0) * found
        false = q * (n - anomalous - border) / (n - anomalous - q * border / 2.0)
        pr.append((anomalous + border) / n)
        roc.append(np.trapezoid(recall, false) + 1.0 - false[-1])
    draw = np.random.default_rng(41)
    areas = np.array([both(vus(draw.random(n), labels, window=window)) for _ in range(60)])
    assert areas[:, 0].mean() == pytest.approx(np.mean(pr), abs=spread(areas[:, 0]) + 0.002)
    assert areas[:, 1].mean() == pytest.approx(np.mean(roc), abs=spread(areas[:, 1]) + 0.002)


def test_nab_of_random_alarms():
    """Derived: rows alarm with chance q; a window has the credit of its earliest alarm, a false row its own."""
    n, q, windows = 400, 0.03, [(120, 159), (260, 279)]

    def sigmoid(y):
        return 2.0 / (1.0 + math.exp(5.0 * y)) - 1.0 if y <= 3.0 else -1.0

    false = 0.0
    for row in range(probation_rows(n), n):
        before = [(first, end) for first, end in windows if first <= row]
        if before and row <= before[-1][1]:
            continue
        false += q * (sigmoid((row - before[-1][1]) / (before[-1][1] - before[-1][0])) if before else -1.0)
    gain = missed = 0.0
    labels = np.zeros(n, int)
    for first, end in windows:
        rows = end - first + 1
        gain += sum(q * (1.0 - q) ** k * sigmoid(-(rows - k) / rows) / sigmoid(-1.0) for k in range(rows))
        missed += (1.0 - q) ** rows
        labels[first : end + 1] = 1
    expected = [
        100.0 * (gain + fp * false - fn * missed + 2.0 * fn) / (2.0 + 2.0 * fn)
        for fp, fn in ((0.11, 1.0), (0.22, 1.0), (0.11, 2.0))
    ]
    draw = np.random.default_rng(51)
    scores = np.array([nab_profiles(draw.random(n), labels, threshold=1.0 - q) for _ in range(2000)])
    for profile, chance in enumerate(expected):
        assert scores[:, profile].mean() == pytest.approx(chance, abs=spread(scores[:, profile]))
    assert nab_profiles(np.zeros(n), labels, threshold=1.0) == [0.0, 0.0, 0.0]


@LAW
@given(series())
def test_no_best_nab_score_is_below_silence_or_above_perfection(rows):
    assert all(0.0 <= score <= 100.0 + 1e-9 for score in nab_profiles(*rows))


@LAW
@given(st.lists(st.integers(0, 7200), max_size=80), st.integers(-(2**60), 2**60))
def test_alarm_load_does_not_know_the_date(seconds, shift):
    onsets = np.array(seconds, np.int64) * 10**9
    source = np.array(seconds, np.int64) % 3
    here = alarm_load(onsets, start_ns=0, end_ns=7200 * 10**9, source=source)
    there = alarm_load(onsets[::-1] + shift, start_ns=shift, end_ns=shift + 7200 * 10**9, source=source[::-1])
    assert there == here
    twice = alarm_load(np.repeat(onsets, 2), start_ns=0, end_ns=7200 * 10**9, source=np.repeat(source, 2))
    assert twice.worst_ten_minutes == 2 * here.worst_ten_minutes
    assert twice.flood_share >= here.flood_share
