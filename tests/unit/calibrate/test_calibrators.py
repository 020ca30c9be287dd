"""What every registered calibrator promises."""

import numpy as np
import pytest

from redshank.calibrate import CALIBRATORS
from redshank.core import InputError, NotFittedError, SettingError

NAMES = list(CALIBRATORS)
EVERY = pytest.mark.parametrize("name", NAMES)
TAILED = pytest.mark.parametrize("name", ["extreme", "likelihood"])
RARE = "1 per device per week"


def make(name, held, *, interval_s=60.0, budget=RARE, **settings):
    return CALIBRATORS.get(name)(budget=budget, **settings).fit(held, interval_s)


def judge(calibrator, device, scores, ready=None):
    return calibrator.apply(device, scores, np.ones(len(scores), np.bool_) if ready is None else ready)


@pytest.fixture(scope="module")
def held():
    rng = np.random.default_rng(0)
    return {"small": rng.normal(size=2000) ** 2, "large": 1e4 + 500.0 * rng.normal(size=2000) ** 2}


@pytest.fixture(scope="module")
def odd():
    """Normal rows with a spike, a lasting small rise and a lasting large one, across borders of 256 rows."""
    scores = np.random.default_rng(1).normal(size=1400) ** 2
    scores[300] = 80.0
    scores[500:620] += 4.0
    scores[900:1100] += 60.0
    return scores


def same(one, other, rows=slice(None)):
    for part in ("p", "alarm", "level"):
        np.testing.assert_array_equal(getattr(one, part)[rows], getattr(other, part)[rows], err_msg=part)


@EVERY
def test_form_of_the_answer(name, held, odd):
    got = judge(make(name, held), "small", odd)
    assert got.p.shape == got.alarm.shape == got.level.shape == odd.shape
    assert (got.p.dtype, got.alarm.dtype, got.level.dtype) == (np.float64, np.bool_, np.float64)
    assert ((got.p >= 0) & (got.p <= 1)).all()
    assert not np.isnan(got.level).any()
    assert got.alarm[950]
    assert got.alarm[300] == (name != "likelihood")  # which looks at means of ten rows and lets a single one pass
    assert not got.alarm[:300].any()
    assert got.p[got.alarm].max() < 0.01


@EVERY
@pytest.mark.parametrize("budget", [RARE, "1 per device per hour", "1 per device per minute"])
def test_alarm_is_score_above_level(name, held, odd, budget):
    """Also in the first rows of a series, where the trailing means have few rows, and with large budgets."""
    calibrator = make(name, held, budget=budget)
    for scores in (odd, odd[500:], odd[905:], odd[300:], -odd):
        got = judge(calibrator, "small", scores)
        clear = np.abs(scores - got.level) > 1e-9 * np.maximum(np.abs(scores), 1.0)
        np.testing.assert_array_equal(got.alarm[clear], (scores > got.level)[clear])
        assert clear.mean() > 0.99


@EVERY
def test_level_is_where_this_row_would_have_alarmed(name, held, odd):
    """Put one row's score a little above and a little below its level: it alarms, and it does not."""
    calibrator = make(name, held)
    got = judge(calibrator, "small", odd)
    for row in (0, 1, 5, 30, 59, 60, 61, 255, 256, 301, 510, 700, 1399):
        for factor, wanted in ((1.0 + 1e-6, True), (1.0 - 1e-6, False)):
            changed = odd[: row + 1].copy()
            changed[row] = got.level[row] * factor if got.level[row] > 0 else got.level[row] / factor
            assert judge(calibrator, "small", changed).alarm[row] == wanted, (row, got.level[row])


@EVERY
def test_p_does_not_rise_with_the_score(name, held, odd):
    calibrator = make(name, held)
    for row in (0, 3, 70, 300, 520):
        p = []
        for value in np.r_[-1e300, -5.0, np.linspace(0.0, 40.0, 60), 1e3, 1e300]:
            changed = odd[: row + 1].copy()
            changed[row] = value
            p.append(judge(calibrator, "small", changed).p[row])
        assert (np.diff(p) <= 1e-12).all()
        assert p[-1] < 0.01
        assert p[0] > 0.05


@EVERY
@pytest.mark.parametrize("cut", [1, 7, 255, 256, 257, 400, 512, 950, 1399])
def test_causal(name, held, odd, cut):
    calibrator = make(name, held)
    whole = judge(calibrator, "small", odd)
    same(judge(calibrator, "small", odd[:cut]), whole, slice(cut))
    other = np.r_[odd[:cut], np.full(200, 1e6)]
    got = judge(calibrator, "small", other)
    np.testing.assert_array_equal(got.p[:cut], whole.p[:cut])


@EVERY
@pytest.mark.parametrize("budget", [RARE, "1 per device per minute"])
def test_rows_that_are_not_ready(name, held, odd, budget):
    calibrator = make(name, held, budget=budget)
    ready = np.ones(len(odd), np.bool_)
    ready[:40] = ready[600:660] = False
    got = judge(calibrator, "small", odd, ready)
    assert (got.p[~ready] == 1.0).all()
    assert not got.alarm[~ready].any()
    assert (got.level[~ready] == np.inf).all()
    same(got, judge(calibrator, "small", np.where(ready, odd, 1e9), ready))  # whatever stands there
    alone = judge(calibrator, "small", odd[ready])
    np.testing.assert_array_equal(got.p[ready], alone.p)
    nothing = judge(calibrator, "small", odd, np.zeros(len(odd), np.bool_))
    assert (nothing.p == 1.0).all()
    assert not nothing.alarm.any()


@EVERY
def test_no_rows(name, held):
    got = judge(make(name, held), "small", np.empty(0))
    assert got.p.shape == got.alarm.shape == got.level.shape == (0,)


@EVERY
def test_each_device_has_its_own_scale_and_an_unknown_one_the_fleets(name, held, odd):
    calibrator = make(name, held)
    small, large = judge(calibrator, "small", odd), judge(calibrator, "large", 1e4 + 500.0 * odd)
    assert (small.alarm == large.alarm).mean() > 0.97
    unknown = judge(calibrator, "never seen", odd)
    assert ((unknown.p >= 0) & (unknown.p <= 1)).all()
    assert np.isfinite(unknown.level).all()
    assert judge(calibrator, "never seen", np.full(5, 1e9)).alarm.all()


@EVERY
def test_a_device_with_few_rows_borrows_the_fleets_scale(name, held):
    calibrator = make(name, held | {"new": np.array([3.0, 3.0]), "none": np.empty(0)})
    probe = np.linspace(0.0, 1e5, 50)
    same(judge(calibrator, "new", probe), judge(calibrator, "never seen", probe))
    same(judge(calibrator, "none", probe), judge(calibrator, "never seen", probe))


@EVERY
def test_state_and_settings_make_an_equal_calibrator(name, held, odd):
    settings = {"extreme": {"windows": (1, 5)}, "likelihood": {"short": 4, "history": 300}, "conformal": {}}[name]
    calibrator = make(name, held, **settings)
    assert calibrator.settings() == {"budget": RARE} | settings
    state = {key: np.array(value) for key, value in calibrator.state().items()}
    assert state
    assert all(value.dtype.kind in "iufbU" for value in state.values())
    again = type(calibrator)(**calibrator.settings()).restore(state)
    for device in ("small", "large", "never seen"):
        same(judge(again, device, odd), judge(calibrator, device, odd))
    assert again.state().keys() == state.keys()


@EVERY
def test_pure(name, held, odd):
    calibrator = make(name, {device: own.copy() for device, own in held.items()})
    before = {key: np.array(value) for key, value in calibrator.state().items()}
    scores, ready = odd.copy(), np.ones(len(odd), np.bool_)
    first = calibrator.apply("small", scores, ready)
    first.p[:] = first.level[:] = -1.0
    np.testing.assert_array_equal(scores, odd)
    assert ready.all()
    again = judge(calibrator, "small", odd)
    assert again.p.min() >= 0
    for key, value in calibrator.state().items():
        np.testing.assert_array_equal(value, before[key])


@EVERY
def test_refit_forgets(name, held, odd):
    calibrator = make(name, {"other": 1e6 * np.arange(500.0)})
    calibrator.fit(held, 60.0)
    same(judge(calibrator, "small", odd), judge(make(name, held), "small", odd))


@EVERY
@pytest.mark.parametrize("value", [0.0, 7.5, -3.0])
def test_constant_scores(name, value):
    calibrator = make(name, {"a": np.full(500, value), "b": np.full(500, value)})
    got = judge(calibrator, "a", np.full(300, value))
    assert not got.alarm.any()
    assert (got.p > 0.05).all()
    assert judge(calibrator, "a", np.r_[np.full(50, value), value + 1e3]).alarm[-1]


@EVERY
def test_tiny_held_back_sets(name):
    twenty = np.arange(20.0)
    for held in ({"a": twenty}, {"a": twenty[:10], "b": twenty[10:]}):
        got = judge(make(name, held), "a", np.r_[twenty, 1e12])
        assert ((got.p >= 0) & (got.p <= 1)).all()
        assert not got.alarm[:-1].any()
        assert got.alarm[-1]
    for held in ({}, {"a": np.empty(0)}, {"a": twenty[:19]}):
        with pytest.raises(InputError, match="at least 20"):
            make(name, held)


@EVERY
def test_huge_scores(name, held):
    """A score of 1e300 must neither overflow nor leave anything behind in a running sum."""
    scores = np.random.default_rng(3).normal(size=700) ** 2
    scores[100], scores[200] = 1e300, -1e300
    got = judge(make(name, held), "small", scores)
    assert got.alarm[100]
    assert not np.isnan(got.p).any()
    assert not np.isnan(got.level).any()
    scores[600] = 1e300
    assert judge(make(name, held), "small", scores).alarm[600]
    spread = make(name, {"a": np.random.default_rng(4).normal(size=200) * 1e300})
    assert not np.isnan(judge(spread, "a", np.array([1e300, 1e-300, 0.0])).p).any()
    narrow = make(name, {"a": np.random.default_rng(4).normal(size=200) * 1e-300})
    assert judge(narrow, "a", np.array([0.0, 1e300])).alarm[1]


@EVERY
def test_unfitted_and_wrong_settings(name, held):
    with pytest.raises(NotFittedError, match="call fit first"):
        judge(CALIBRATORS.get(name)(), "a", np.zeros(3))
    with pytest.raises(SettingError, match="not understood"):
        make(name, held, budget="often")
    for interval_s in (0.0, -1.0, float("nan")):
        with pytest.raises(SettingError, match="interval_s"):
            make(name, held, interval_s=interval_s)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("extreme", {"windows": ()}),
        ("extreme", {"windows": (1, 0)}),
        ("extreme", {"windows": (-3,)}),
        ("likelihood", {"short": 0}),
        ("likelihood", {"history": 0}),
    ],
)
def test_settings_out_of_range(name, settings, held):
    with pytest.raises(SettingError, match="wanted at least"):
        make(name, held, **settings)


@EVERY
def test_a_larger_budget_alarms_no_less(name, held, odd):
    counts = [
        int(judge(make(name, held, budget=budget), "small", odd).alarm.sum())
        for budget in ("1 per device per year", RARE, "1 per device per day", "1 per device per hour")
    ]
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]


def test_conformal_p_is_a_rank():
    held = np.array([0.0, 0.0, 1.0, 2.0] * 25)
    calibrator = make("conformal", {"a": held})
    asked = np.array([-1.0, 0.0, 0.5, 1.0, 2.0, 3.0])
    wanted = [(1 + (held >= one).sum()) / 101 for one in asked]
    np.testing.assert_allclose(judge(calibrator, "a", asked).p, wanted)
    assert calibrator.finest_ == pytest.approx(1 / 101)
    assert calibrator.alpha_ >= calibrator.finest_


def test_conformal_guarantee_on_exchangeable_rows():
    """The guarantee is one of the mean over calibration sets: a single set may be lucky."""
    rng = np.random.default_rng(0)
    p = []
    for _ in range(100):
        calibrator = make("conformal", {"a": rng.normal(size=999)}, budget="1 per device per hour")
        new = judge(calibrator, "a", rng.normal(size=2000))
        np.testing.assert_array_equal(new.alarm, new.p <= calibrator.alpha_ + 1e-12)
        p.append(new.p)
    for alpha, slack in ((0.001, 1.5), (0.01, 1.2), (0.1, 1.05), (0.5, 1.02)):
        assert alpha / slack <= np.mean(np.array(p) <= alpha) <= alpha * slack


def test_a_lasting_fault_does_not_become_normal():
    """Neither a large one nor one that stays just below the level, over a hundred blocks of learning."""
    rng = np.random.default_rng(5)
    calibrator = make("extreme", {"a": rng.normal(size=20_000) ** 2})
    fault = rng.normal(size=30_000) ** 2
    fault[2000:] += 200.0
    got = judge(calibrator, "a", fault)
    assert got.alarm[2000:].all()
    creeping = np.minimum(np.linspace(0.0, 400.0, 60_000), 400.0) + rng.normal(size=60_000) ** 2
    assert judge(calibrator, "a", creeping).alarm[-20_000:].all()


def test_likelihood_follows_a_wandering_level_where_extreme_does_not():
    rng = np.random.default_rng(6)
    held = {"a": rng.normal(size=20_000)}
    wandering = rng.normal(size=20_000) + np.minimum(np.arange(20_000) / 2000.0, 5.0)
    slow = judge(make("likelihood", held), "a", wandering)
    assert slow.alarm[-5000:].mean() < 0.01
    assert judge(make("extreme", held), "a", wandering).alarm[-5000:].mean() > 0.9
