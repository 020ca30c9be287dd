"""Published worked examples, SciPy, counting by hand; and whether 95 % intervals hold what they promise."""

import itertools
import math
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from redshank.core import InputError, MissingExtraError, SettingError
from redshank.evaluate._digits import texts
from redshank.evaluate.intervals import bootstrap_interval, garwood, wilson
from redshank.evaluate.significance import holm, paired, ranks

# Demsar 2006, tables 2 and 6: AUC of four variants of C4.5 on 14 data sets. The paper ranks the two 0.975 of the
# 13th set as 2 and 3: it had more digits than it printed, of which the last here are ours.
NAMES = ("C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf")
DEMSAR = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.9751, 0.9749],
        [0.957, 0.978, 0.946, 0.970],
    ]
)


def table_of(values, names):
    return {name: {f"set {row}": float(one) for row, one in enumerate(own)} for name, own in zip(names, values.T)}  # noqa: B905


def series_of(values):
    return {f"series {place}": float(value) for place, value in enumerate(values)}


# --- intervals


@pytest.mark.parametrize("n", [10, 30])
@pytest.mark.parametrize(
    ("draw", "mean"),
    [
        (lambda rng, n: rng.normal(0.5, 0.1, n), 0.5),
        (lambda rng, n: rng.beta(2, 5, n), 2 / 7),
        (lambda rng, n: rng.beta(5, 0.7, n), 5 / 5.7),
    ],
    ids=["normal", "beta(2, 5)", "beta(5, 0.7)"],
)
def test_a_95_percent_interval_holds_the_mean_as_often_as_it_says(draw, mean, n):
    """600 experiments: a plain percentile interval of 10 series (86 to 90 %) fails here, as does one too wide."""
    rng = np.random.default_rng(7)
    held = 0
    for trial in range(600):
        found = bootstrap_interval(draw(rng, n), seed=trial)
        held += found.low <= mean <= found.high
    assert 0.915 <= held / 600 <= 0.98


def test_intervals_of_other_levels_are_wider_or_narrower():
    values = np.random.default_rng(0).normal(size=12)
    widths = [one.high - one.low for one in (bootstrap_interval(values, level=level) for level in (0.5, 0.9, 0.98))]
    assert widths == sorted(widths)
    assert widths[0] < 0.6 * widths[2]


def test_other_statistics_and_their_interval():
    values = np.random.default_rng(1).exponential(size=41)
    found = bootstrap_interval(values, statistic=np.median)
    assert found.estimate == np.median(values)
    # Distribution-free interval of a median: order statistics by the binomial.
    low, high = (int(place) for place in stats.binom.ppf((0.025, 0.975), 41, 0.5))
    ordered = np.sort(values)
    assert ordered[low - 3] <= found.low <= found.estimate <= found.high <= ordered[high + 3]


def test_undefined_series_are_left_out_and_counted():
    values = [0.2, math.nan, 0.4, 0.5, 0.1, 0.9, math.inf]
    found = bootstrap_interval(values)
    assert (found.count, found.dropped) == (5, 2)
    assert found.estimate == pytest.approx(0.42)
    assert bootstrap_interval([0.2, 0.4, 0.5, 0.1, 0.9]) == type(found)(
        found.estimate, found.low, found.high, count=5, dropped=0
    )


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_too_few_series_give_no_bounds_instead_of_narrow_ones(n):
    found = bootstrap_interval(np.arange(float(n)))
    assert found.estimate == (n - 1) / 2
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_no_series_equal_series_and_the_range():
    assert math.isnan(bootstrap_interval([math.nan]).estimate)
    equal = bootstrap_interval([0.3] * 8)
    assert (equal.estimate, equal.low, equal.high) == (0.3, 0.3, 0.3)
    found = bootstrap_interval([0, 0, 0, 0, 0, 0, 1000.0])
    assert 0 <= found.low <= found.estimate <= found.high <= 1000


def test_the_same_seed_gives_the_same_interval():
    values = np.random.default_rng(3).normal(size=9)
    assert bootstrap_interval(values, seed=4) == bootstrap_interval(values, seed=4)
    assert bootstrap_interval(values, seed=4) != bootstrap_interval(values, seed=5)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(-100, 100), min_size=5, max_size=15), st.floats(0.1, 50), st.floats(-50, 50))
def test_the_interval_moves_with_the_units(values, factor, shift):
    plain = bootstrap_interval(values, draws=200)
    moved = bootstrap_interval(np.array(values) * factor + shift, draws=200)
    for part in ("estimate", "low", "high"):
        assert getattr(moved, part) == pytest.approx(getattr(plain, part) * factor + shift, rel=1e-6, abs=1e-6)


def test_wilson_as_published():
    """Newcombe 1998, table I, method 3."""
    for found, known, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]:
        interval = wilson(found, known)
        assert interval.estimate == found / known
        assert (interval.low, interval.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))
    assert wilson(20, 20).high == 1.0
    assert math.isnan(wilson(0, 0).high)


@given(st.integers(0, 60), st.integers(1, 60), st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_as_scipy(found, more, level):
    interval = wilson(found, found + more, level=level)
    known = stats.binomtest(found, found + more).proportion_ci(level, method="wilson")
    assert (interval.low, interval.high) == (pytest.approx(known.low, abs=1e-12), pytest.approx(known.high))


def test_garwood_as_published():
    """The usual table of exact Poisson limits, 95 %."""
    for events, low, high in [(0, 0.0, 3.689), (1, 0.0253, 5.572), (5, 1.623, 11.668), (10, 4.795, 18.390)]:
        interval = garwood(events, 1.0)
        assert (interval.low, interval.high) == (pytest.approx(low, abs=5e-4), pytest.approx(high, abs=5e-4))
        halved = garwood(events, 2.0)
        assert (halved.estimate, halved.high) == (events / 2, interval.high / 2)
    assert math.isnan(garwood(0, 0.0).high)


@given(st.integers(1, 200), st.sampled_from([0.8, 0.95, 0.99]))
def test_garwood_bounds_have_the_stated_tails(events, level):
    interval = garwood(events, 1.0, level=level)
    assert stats.poisson.sf(events - 1, interval.low) == pytest.approx((1 - level) / 2)
    assert stats.poisson.cdf(events, interval.high) == pytest.approx((1 - level) / 2)


def test_bad_settings_and_input():
    with pytest.raises(SettingError, match=r"level is 95; .* such as 0\.95"):
        bootstrap_interval([1.0], level=95)
    with pytest.raises(SettingError, match="draws is 5"):
        bootstrap_interval([1.0], draws=5)
    with pytest.raises(InputError, match=r"shape \(1, 2\)"):
        bootstrap_interval([[1.0, 2.0]])
    with pytest.raises(InputError, match="5 found of 3 known"):
        wilson(5, 3)
    with pytest.raises(InputError, match="-1 events"):
        garwood(-1, 3)
    with pytest.raises(SettingError, match="level is 0"):
        wilson(1, 3, level=0)
    with pytest.raises(InputError, match="p-values from 0 to 1"):
        holm([0.1, 1.2])


def test_without_scipy_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    with pytest.raises(MissingExtraError, match=r"redshank\[train\]"):
        garwood(1, 1.0)


# --- two detectors


def test_demsars_wilcoxon_example():
    """Section 3.1.3: wins 10, losses 2, ties 2, R- = 12, and the null hypothesis falls at 0.05."""
    plain, tuned = (series_of(DEMSAR[:, place]) for place in (0, 1))
    found = paired(tuned, plain)
    assert (found.wins, found.ties, found.losses, found.series) == (10, 2, 2, 14)
    assert found.mean_difference == pytest.approx((DEMSAR[:, 1] - DEMSAR[:, 0]).mean())
    assert found.low < found.mean_difference < found.high
    # T = 12 with the ranks of the zeros split, so 12 - 1.5 = 10.5 without: counted over all signs of the other ranks.
    others = [3.5, 7, 9, 12, 5, 3.5, 6, 14, 11, 13, 8, 10]
    sums = np.array([np.dot(signs, others) for signs in itertools.product((0, 1), repeat=12)])
    assert found.p_value == pytest.approx(2 * (sums <= 10.5).mean())
    assert 0.005 < found.p_value < 0.05


@settings(deadline=None)
@given(st.lists(st.integers(-4, 4), min_size=1, max_size=10))
def test_p_is_the_share_of_all_signs_ties_and_zeros_included(differences):
    d = np.array(differences, dtype=float)
    order = stats.rankdata(np.abs(d))[d != 0]
    seen = abs((order * np.sign(d[d != 0])).sum())
    sums = [abs(np.dot(signs, order)) for signs in itertools.product((-1, 1), repeat=len(order))]
    expected = np.mean([one >= seen - 1e-9 for one in sums])
    assert paired(series_of(d), series_of(np.zeros(len(d)))).p_value == pytest.approx(expected)


@settings(deadline=None, max_examples=30)
@given(st.integers(6, 45), st.integers(0, 10_000), st.floats(-1, 1))
def test_p_as_scipy_where_scipy_is_exact(n, seed, shift):
    a, b = np.random.default_rng(seed).normal([[shift], [0.0]], 1.0, (2, n))
    expected = stats.wilcoxon(a, b, method="exact").pvalue
    assert paired(series_of(a), series_of(b)).p_value == pytest.approx(expected)


def test_many_series_take_the_normal_distribution_and_agree():
    a, b = np.round(np.random.default_rng(5).normal([[1], [0]], 10, (2, 300)))
    expected = stats.wilcoxon(a, b, zero_method="pratt", method="asymptotic").pvalue
    assert paired(series_of(a), series_of(b)).p_value == pytest.approx(expected, rel=1e-9)
    near = paired(series_of(a[:190]), series_of(b[:190])).p_value
    assert near == pytest.approx(
        stats.wilcoxon(a[:190], b[:190], zero_method="pratt", method="asymptotic").pvalue, rel=0.02
    )


def test_equal_detectors_are_falsely_told_apart_no_more_often_than_promised():
    rng = np.random.default_rng(11)
    false = sum(
        paired(series_of(own[0]), series_of(own[1])).p_value < 0.05
        for own in (rng.beta(2, 5, (2, 12)) for _ in range(400))
    )
    assert 0.02 <= false / 400 <= 0.075


def test_rounding_makes_no_winner():
    found = paired(series_of([0.1 + 0.2, 0.5]), series_of([0.3, 0.5]))
    assert (found.wins, found.ties, found.losses, found.p_value) == (0, 2, 0, 1.0)


def test_lower_may_be_better_and_the_difference_stays():
    fast, slow = series_of(np.arange(8.0)), series_of(np.arange(8.0) + 2)
    found = paired(fast, slow, higher_is_better=False, names=("fast", "slow"))
    assert (found.wins, found.losses, found.mean_difference) == (8, 0, -2.0)
    assert found.sentence == (
        "fast is better than slow on 8 of 8 series, equal on 0 and worse on 0; mean difference -2.00 [-2.00, -2.00], "
        "p = 0.0078 (Wilcoxon): told apart at the 5% level."
    )
    assert paired(fast, slow).losses == 8


def test_the_sentence_has_the_digits_of_the_tables():
    found = paired(series_of([0.71, 0.8, 0.65, 0.9, 0.72, 0.6]), series_of([0.5, 0.55, 0.62, 0.6, 0.51, 0.58]))
    number, low, high = texts(found.mean_difference, found.low, found.high)
    assert f"mean difference +{number} [+{low}, +{high}], p" in found.sentence


def test_only_common_series_count():
    a = {"x": 1.0, "y": 2.0, "z": math.nan, "only a": 3.0}
    b = {"x": 0.5, "y": 2.5, "z": 1.0, "only b": 3.0}
    found = paired(a, b)
    assert (found.series, found.left_out) == (2, 3)
    assert "not told apart" in found.sentence
    with pytest.raises(InputError, match="no series in common"):
        paired({"x": 1.0}, {"y": 1.0})
    nothing = paired({"x": math.nan}, {"x": 1.0})
    assert math.isnan(nothing.p_value)
    assert "nothing can be said" in nothing.sentence


# --- many detectors


def test_demsars_friedman_and_nemenyi_example():
    """Table 6 and section 3.2.4: mean ranks, chi-square 9.28, F 3.69, critical difference 1.25."""
    found = ranks(table_of(DEMSAR, NAMES))
    assert found.names == ("C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5")
    assert [round(rank, 3) for rank in found.mean_ranks] == [1.964, 2.0, 2.893, 3.143]
    assert found.critical_difference == pytest.approx(1.25, abs=0.005)
    assert found.groups == (("C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5"),)  # the paper: 3.143 - 1.964 < 1.25
    chi = 12 * 14 / 20 * (sum(rank**2 for rank in found.mean_ranks) - 25)
    assert chi == pytest.approx(9.28, abs=0.005)
    assert 13 * chi / (14 * 3 - chi) == pytest.approx(3.69, abs=0.005)
    assert found.friedman_p < stats.f.sf(3.69, 3, 39)  # ties accounted for: a little smaller than the paper's


@pytest.mark.parametrize(
    ("detectors", "q"), [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (6, 2.850), (8, 3.031), (10, 3.164)]
)
def test_nemenyi_quantiles_as_published(detectors, q):
    """Demsar 2006, table 5a."""
    values = np.random.default_rng(0).random((10, detectors))
    found = ranks(table_of(values, [f"d{place}" for place in range(detectors)]))
    q_found = found.critical_difference / math.sqrt(detectors * (detectors + 1) / 60)
    assert q_found == pytest.approx(q, abs=0.0011)


@settings(deadline=None, max_examples=30)
@given(st.integers(3, 6), st.integers(3, 20), st.integers(0, 10_000), st.booleans())
def test_friedman_as_scipy(detectors, series, seed, coarse):
    values = np.random.default_rng(seed).random((series, detectors))
    if coarse:
        values = np.round(values * 4)
    found = ranks(table_of(values, [f"d{place}" for place in range(detectors)]))
    chi = stats.friedmanchisquare(*values.T).statistic
    if np.isfinite(chi) and chi < series * (detectors - 1) - 1e-9:
        f = (series - 1) * chi / (series * (detectors - 1) - chi)
        assert found.friedman_p == pytest.approx(stats.f.sf(f, detectors - 1, (detectors - 1) * (series - 1)), rel=1e-6)
    placed = [stats.rankdata(-row) for row in values]
    assert sorted(np.mean(placed, axis=0)) == pytest.approx(found.mean_ranks)


def test_one_order_everywhere_has_the_chance_of_just_that():
    values = np.tile([3.0, 2.0, 1.0], (5, 1))
    assert ranks(table_of(values, "abc")).friedman_p == pytest.approx(6.0**-4)
    assert ranks(table_of(np.ones((5, 3)), "abc")).friedman_p == 1.0


def test_groups_are_the_largest_sets_not_told_apart():
    # Ranks 1, 2, 3, 4 on each of 8 series: the critical difference of 4 on 8 is 1.66, so neighbours hold together.
    found = ranks(table_of(np.tile([4.0, 3.0, 2.0, 1.0], (8, 1)), "abcd"))
    assert found.groups == (("a", "b"), ("b", "c"), ("c", "d"))
    far = ranks(table_of(np.tile([4.0, 3.0, 2.0, 1.0], (40, 1)), "abcd"))
    assert far.groups == ()
    lower = ranks(table_of(np.tile([4.0, 3.0, 2.0, 1.0], (8, 1)), "abcd"), higher_is_better=False)
    assert lower.names == ("d", "c", "b", "a")


def test_series_that_lack_a_detector_are_left_out():
    table = table_of(np.random.default_rng(2).random((6, 3)), "abc")
    table["a"]["set 0"] = math.nan
    del table["b"]["set 3"]
    found = ranks(table)
    assert (found.series, found.dropped) == (4, 2)
    with pytest.raises(InputError, match="1 detectors"):
        ranks({"a": {"x": 1.0, "y": 2.0}})
    with pytest.raises(InputError, match="on 0 of 2 series"):
        ranks({"a": {"x": 1.0}, "b": {"y": 2.0}})
    with pytest.raises(InputError, match="on 0 of 0 series"):
        ranks({"a": {}, "b": {}})


def test_holm_as_published():
    """Demsar 2006, section 3.2.2: 0.016 and 0.019 fall at 0.05 among three, 0.607 stands."""
    np.testing.assert_allclose(holm([0.607, 0.016, 0.019]), [0.607, 0.048, 0.048])
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0, 1) | st.just(math.nan), max_size=12))
def test_holm_step_by_step(p_values):
    adjusted = holm(p_values)
    left = sorted((p, place) for place, p in enumerate(p_values) if not math.isnan(p))
    highest = 0.0
    for step, (p, place) in enumerate(left):
        highest = max(highest, min(1.0, p * (len(left) - step)))
        assert adjusted[place] == highest
    assert np.isnan(adjusted).sum() == len(p_values) - len(left)
