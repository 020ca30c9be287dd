"""The door of every detector, with detectors small enough to see through."""

import numpy as np
import pytest

from redshank.core import (
    LARGEST,
    LAST_SEED,
    ContractError,
    Detector,
    InputError,
    ModelError,
    NotFittedError,
    SettingError,
    Tags,
    check_range,
    check_whole,
)

RNG = np.random.default_rng(1)
ROWS = RNG.normal(size=(50, 3))


class Distance(Detector):
    """Squared distance from the training mean: a row detector with contributions that must add up."""

    tags = Tags()

    def __init__(self, *, weight=1.0):
        self.weight = weight

    def _fit(self, series, y):
        self.mean_ = np.concatenate(series).mean(axis=0)
        self.seen_ = y if y is not None else np.zeros(0, np.int8)
        self.lengths_ = np.array([len(one) for one in series])

    def _score(self, X):
        return self.weight * np.square(X - self.mean_).sum(axis=1)


class Memory(Distance):
    """Needs three rows of history; its scores may be negative."""

    tags = Tags(sequence=True)

    @property
    def warmup(self):
        return 3

    def _score(self, X):
        return X[:, 0] - 100.0


class Patient(Distance):
    tags = Tags(missing=True)

    def _score(self, X):
        return np.nansum(np.square(X - self.center_), axis=1)


class Taught(Distance):
    tags = Tags(needs_labels=True)


class Plain(Detector):
    """No settings and no constructor."""

    tags = Tags()

    def _fit(self, series, y):
        self.zero_ = np.zeros(1)

    def _score(self, X):
        return np.broadcast_to(self.zero_, len(X))


class Broken(Distance):
    how = "good"

    def _score(self, X):
        scores = super()._score(X)
        return {"good": scores, "short": scores[1:], "wide": scores[:, None], "nan": scores * np.nan}[self.how]


def test_one_series_a_list_and_a_nested_list_are_the_same():
    detector = Distance().fit(ROWS)
    whole = detector.score_samples(ROWS)
    assert whole.dtype == np.float64
    for X in ([ROWS[:20], ROWS[20:]], (ROWS[:20], ROWS[20:]), ROWS.tolist(), [ROWS.tolist()], ROWS.astype(object)):
        np.testing.assert_array_equal(detector.score_samples(X), whole)
        assert detector.contributions(X).shape == ROWS.shape
        assert detector.expected(X).low.shape == ROWS.shape


def test_empty_input():
    detector = Memory().fit([ROWS, np.empty((0, 3))])
    np.testing.assert_array_equal(detector.lengths_, [50])  # an empty series teaches nothing and reaches no detector
    for X in (np.empty((0, 3)), [np.empty((0, 3))]):
        assert detector.score_samples(X).shape == (0,)
        assert detector.ready(X).shape == (0,)
        assert detector.contributions(X).shape == (0, 3)
        assert detector.expected(X).value.shape == (0, 3)
    assert detector.score_samples([ROWS, np.empty((0, 3)), ROWS]).shape == (100,)


@pytest.mark.parametrize(
    ("X", "says"),
    [
        ([], "empty list"),
        (np.zeros(3), r"shape \(3,\)"),
        (5.0, r"shape \(\)"),
        (np.zeros((2, 2, 2)), r"shape \(2, 2, 2\)"),
        (np.zeros((5, 2)), "2 features, wanted 3"),
        (np.zeros((5, 0)), "0 features"),
        ([ROWS, np.zeros((5, 2))], "2 features, wanted 3"),
        ([[1.0, 2.0, 3.0], [1.0]], "not an array of numbers"),
        ([[[1.0, 2.0, 3.0], [1.0]]], "not an array of numbers"),
        (np.array([["a", "b", "c"]]), "not an array of numbers"),
        (np.array([[10**400, 0, 0]], object), "not an array of numbers"),
        (np.array([[1.0, np.inf, 0.0]]), "infinite"),
        (np.array([[1.0, -2 * LARGEST, 0.0]]), "infinite"),
        (np.array([[1.0, np.nan, 0.0]]), "missing values"),
    ],
)
def test_refuses(X, says):
    detector = Distance().fit(ROWS)
    for act in (detector.score_samples, detector.ready, detector.contributions, detector.expected):
        with pytest.raises(InputError, match=f"Distance: .*{says}"):
            act(X)


def test_too_few_rows_to_fit():
    for X in (np.empty((0, 3)), ROWS[:1], [ROWS[:1], ROWS[:0]]):
        with pytest.raises(InputError, match="at least 2"):
            Distance().fit(X)
    with pytest.raises(InputError, match="features"):
        Distance().fit([ROWS, ROWS[:, :2]])


def test_unfitted():
    detector = Distance()
    for act in (detector.score_samples, detector.ready, detector.contributions, detector.expected):
        with pytest.raises(NotFittedError, match="Distance: not fitted"):
            act(ROWS)
    with pytest.raises(NotFittedError):
        detector.state()


def test_missing_values_where_the_tags_allow_them():
    X = ROWS.copy()
    X[::4, 0] = np.nan
    X[:, 2] = np.nan
    detector = Patient().fit(X)
    assert np.isfinite(detector.score_samples(X)).all()
    assert detector.center_[2] == 0.0
    np.testing.assert_allclose(detector.center_[:2], np.nanmedian(X[:, :2], axis=0))
    np.testing.assert_allclose(detector.usual_[:, 0], np.nanquantile(X[:, 0], (0.005, 0.995)))
    everything = Patient().fit(np.full((5, 3), np.nan))
    assert np.isfinite(everything.expected(ROWS).value).all()


def test_contributions_add_up_to_the_score_and_point_at_the_channel():
    detector = Distance().fit(ROWS)
    odd = ROWS.copy()
    odd[:, 1] += 50.0
    parts = detector.contributions(odd)
    assert (parts >= 0).all()
    np.testing.assert_allclose(parts.sum(axis=1), detector.score_samples(odd), rtol=1e-12)
    assert (parts.argmax(axis=1) == 1).all()
    centre = np.tile(detector.center_, (2, 1))  # nothing falls: shared evenly
    np.testing.assert_allclose(
        detector.contributions(centre), detector.score_samples(centre)[:, None] / 3 * [[1, 1, 1]]
    )


def test_warmup_rows_have_the_lowest_training_score_in_each_series():
    detector = Memory().fit([ROWS, ROWS[:2]])
    assert detector.floor_ == (ROWS[3:, 0] - 100.0).min()
    scores = detector.score_samples([ROWS[:5], ROWS[5:7], ROWS[7:12]])
    ready = detector.ready([ROWS[:5], ROWS[5:7], ROWS[7:12]])
    np.testing.assert_array_equal(np.flatnonzero(ready), [3, 4, 10, 11])
    assert (scores[~ready] == detector.floor_).all()
    np.testing.assert_allclose(scores[ready], ROWS[[3, 4, 10, 11], 0] - 100.0)
    assert (detector.contributions(ROWS[:5]) >= 0).all()  # though floor and scores are negative
    assert Memory().fit(ROWS[:3]).floor_ == 0.0  # never ready


def test_expected_is_median_and_the_range_of_nearly_all():
    detector = Distance().fit(ROWS)
    band = detector.expected(ROWS[:4])
    np.testing.assert_allclose(band.value, np.tile(np.median(ROWS, axis=0), (4, 1)))
    np.testing.assert_allclose(band.low[0], np.quantile(ROWS, 0.005, axis=0))
    np.testing.assert_allclose(band.high[0], np.quantile(ROWS, 0.995, axis=0))


def test_refit_forgets():
    detector = Distance().fit(ROWS)
    detector.leftover_ = np.ones(3)
    detector.fit(ROWS[:, :2] + 5.0)
    assert not hasattr(detector, "leftover_")
    fresh = Distance().fit(ROWS[:, :2] + 5.0)
    assert detector.state().keys() == fresh.state().keys()
    np.testing.assert_array_equal(detector.score_samples(ROWS[:, :2]), fresh.score_samples(ROWS[:, :2]))


def test_a_refused_fit_leaves_the_last_one():
    detector = Distance().fit(ROWS)
    before = detector.score_samples(ROWS)
    for X, y in ((ROWS * np.nan, None), (ROWS, np.zeros(3)), (ROWS[:1], None)):
        with pytest.raises(InputError):
            detector.fit(X, y)
    np.testing.assert_array_equal(detector.score_samples(ROWS), before)


def test_labels():
    y = (np.arange(50) % 2).astype(np.int8)
    for labels in (
        y,
        y.tolist(),
        y.astype(bool),
        y.astype(float),
        [y[:20], y[20:]],
        [y[:20].tolist(), y[20:].tolist()],
    ):
        np.testing.assert_array_equal(Taught().fit([ROWS[:20], ROWS[20:]], labels).seen_, y)
    for labels, says in ((y[1:], "49 labels for 50 rows"), (y * 2, "0 .normal. or 1"), (y * np.nan, "0 .normal. or 1")):
        with pytest.raises(InputError, match=says):
            Taught().fit(ROWS, labels)
    with pytest.raises(InputError, match="learns from labels"):
        Taught().fit(ROWS)


def test_scoring_leaves_input_and_state_alone():
    X = ROWS.copy()
    detector = Memory().fit(X)
    before = {name: value.copy() for name, value in detector.state().items()}
    detector.score_samples(X)
    detector.contributions(X)
    np.testing.assert_array_equal(X, ROWS)
    for name, value in detector.state().items():
        np.testing.assert_array_equal(value, before[name])
    np.testing.assert_array_equal(Plain().fit(ROWS).score_samples(ROWS), np.zeros(50))  # a read-only result is fine


def test_settings_and_state_make_an_equal_detector():
    detector = Distance(weight=3.0).fit(ROWS)
    assert detector.settings() == {"weight": 3.0}
    assert Plain().settings() == {}
    state = {name: value.copy() for name, value in detector.state().items()}
    assert all(value.dtype.kind in "iufb" for value in state.values())
    again = Distance(**detector.settings()).restore(state)
    np.testing.assert_array_equal(again.score_samples(ROWS), detector.score_samples(ROWS))
    np.testing.assert_array_equal(again.contributions(ROWS), detector.contributions(ROWS))
    assert isinstance(again.n_features_, int)
    assert isinstance(again.floor_, float)


def test_restore_refuses_a_foreign_state():
    state = Distance().fit(ROWS).state()
    for name in ("_score", "warmup", "score_samples", "_inner_"):
        with pytest.raises(ModelError, match=name):
            Distance().restore(state | {name: np.zeros(1)})
    with pytest.raises(NotFittedError):
        Distance().restore({"mean_": np.zeros(3)})


@pytest.mark.parametrize(("how", "says"), [("short", r"shapes \[\(49,\)\]"), ("wide", r"\(50, 1\)"), ("nan", "finite")])
def test_a_broken_detector_is_told_from_bad_data(how, says):
    detector = Broken()
    detector.how = how
    with pytest.raises(ContractError, match=says):
        detector.fit(ROWS)
    fitted = Broken().fit(ROWS)
    fitted.how = how
    with pytest.raises(ContractError, match=says):
        fitted.score_samples(ROWS)


def test_contributions_must_be_finite():
    detector = Broken().fit(ROWS)
    detector.how = "nan"
    with pytest.raises(ContractError, match="contributions are not finite at row 0"):
        detector.contributions(ROWS)


def test_check_range():
    with pytest.raises(SettingError, match="'x'; wanted a number"):
        check_range("X", "n", "x", 1)
    check_range("X", "n", 1, 1)
    check_range("X", "n", 2.0, 1, 2)
    for value, bounds, says in (
        (0, (1,), "X: n is 0; wanted at least 1"),
        (3, (1, 2), "from 1 to 2"),
        (float("nan"), (1,), "nan"),
    ):
        with pytest.raises(SettingError, match=says):
            check_range("X", "n", value, *bounds)
    with pytest.raises(SettingError, match="X: n is True; wanted a number"):
        check_range("X", "n", True, 0)


@pytest.mark.parametrize("value", [2.0, 2.5, float("nan"), "many", None, True, np.True_, np.float64(2.0), [2], 2j])
def test_what_is_no_whole_number_is_refused(value):
    with pytest.raises(SettingError, match=r"X: n is .*; wanted a whole number, from 1 to 4$"):
        check_whole("X", "n", value, low=1, high=4)
    with pytest.raises(SettingError, match=r"; wanted a whole number, at least 1$"):
        check_whole("X", "n", value, low=1)


def test_whole_numbers_in_their_range_are_taken():
    for value in (1, 4, np.int64(2), np.uint8(3)):
        check_whole("X", "n", value, low=1, high=4)
    check_whole("X", "n", 10**400, low=1)
    check_whole("X", "seed", LAST_SEED, low=0, high=LAST_SEED)
    for value, says in ((0, "n is 0; wanted from 1 to 4"), (np.int64(5), "n is 5; wanted"), (10**400, "wanted from")):
        with pytest.raises(SettingError, match=says):
            check_whole("X", "n", value, low=1, high=4)
    with pytest.raises(SettingError, match="X: seed is 4294967296; wanted from 0 to 4294967295"):
        check_whole("X", "seed", 2**32, low=0, high=LAST_SEED)


def test_usual_range_is_that_of_all_rows_without_the_missing():
    gaps = [ROWS.copy(), ROWS[:7] + 1.0]
    gaps[0][::5, 1] = np.nan
    for one in gaps:
        one[:, 2] = np.nan
    detector = Patient().fit(gaps)
    together = np.concatenate(gaps)[:, :2]
    np.testing.assert_allclose(detector.center_[:2], np.nanmedian(together, axis=0), rtol=1e-12)
    np.testing.assert_allclose(detector.usual_[:, :2], np.nanquantile(together, (0.005, 0.995), axis=0), rtol=1e-12)
    assert detector.center_[2] == detector.usual_[0, 2] == detector.usual_[1, 2] == 0.0


@pytest.mark.parametrize("kind", [Distance, Patient])
@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e308, -1e308])
def test_an_infinite_value_beside_missing_ones_is_refused(kind, value):
    rows = ROWS.copy()
    rows[3, 1], rows[7, 2] = np.nan, value
    with pytest.raises(InputError, match="infinite values"):
        kind().fit(rows)
