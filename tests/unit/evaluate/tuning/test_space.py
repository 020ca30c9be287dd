"""Spaces: what may be tried, how it is written, and what follows where nobody says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.tuned import Noisy

from redshank.core import SettingError
from redshank.detectors import DETECTORS
from redshank.evaluate.tuning.defaults import KEPT, default_space
from redshank.evaluate.tuning.space import Choice, Span, checked, grid, in_words, parsed
from redshank.testing import normal_series

numbers = st.floats(1e-3, 1e3).map(lambda one: float(f"{one:.4g}"))


class TestParsed:
    @pytest.mark.parametrize(
        ("text", "name", "domain"),
        [
            ("hidden=16,32,64", "hidden", Choice((16, 32, 64))),
            ("robust=True,false", "robust", Choice((True, False))),
            ("window=None,10", "window", Choice((None, 10))),
            ("kernel=rbf, linear", "kernel", Choice(("rbf", "linear"))),
            ("window=10..50", "window", Span(10, 50, whole=True)),
            ("lr=0.0001..0.1 log", "lr", Span(1e-4, 0.1, log=True)),
            ("lr=1e-4..1e-1 log", "lr", Span(1e-4, 0.1, log=True)),
            ("shift=-5..5", "shift", Span(-5, 5, whole=True)),
            ("a=.5..2", "a", Span(0.5, 2)),
        ],
    )
    def test_forms(self, text, name, domain):
        assert parsed(text) == (name, domain)

    @pytest.mark.parametrize(
        "text", ["window", "=3", "window=", "window=a..b", "window=5..5", "window=0..5 log", "w=,"]
    )
    def test_refused(self, text):
        with pytest.raises(SettingError, match="space"):
            parsed(text)

    @given(numbers, numbers, st.booleans())
    def test_a_span_reads_as_it_is_written(self, low, high, log):
        if low < high:
            span = Span(low, high, log=log, whole=low.is_integer() and high.is_integer())
            assert parsed(f"x={in_words(span)}")[1] == span


class TestPoints:
    @given(st.integers(1, 500), st.integers(1, 500), st.booleans(), st.booleans())
    def test_points_lie_in_the_span_with_both_ends(self, low, more, log, whole):
        span = Span(low, low + more, log=log, whole=whole)
        points = span.points()
        assert all(map(span.holds, points))
        assert points[0] == low
        assert points[-1] == pytest.approx(low + more)
        assert len(set(points)) == len(points) <= 5

    def test_a_default_span_is_a_quarter_to_four_times(self):
        assert Span(5, 80, log=True, whole=True).points() == (5, 10, 20, 40, 80)

    def test_true_is_not_one(self):
        assert not Span(0, 2, whole=True).holds(True)
        assert not Choice((1,)).holds(True)


class TestGrid:
    def test_every_combination_once(self):
        points = list(grid({"a": Choice((1, 2)), "b": Choice(("x", "y", "x")), "c": Span(1, 3, whole=True)}))
        assert len(points) == 2 * 2 * 3
        assert {tuple(one.values()) for one in points} == {(a, b, c) for a in (1, 2) for b in "xy" for c in (1, 2, 3)}

    def test_a_grid_that_is_too_large_says_how_large(self):
        space = {name: Span(1, 100, log=True) for name in "abcd"}
        with pytest.raises(SettingError, match=r"5 a x 5 b x 5 c x 5 d are 625 points, more than 500"):
            grid(space)


class TestChecked:
    def test_a_setting_that_is_none_is_named_with_the_nearest(self):
        with pytest.raises(SettingError, match=r"no setting 'nose'; did you mean 'noise'"):
            checked("noisy", Noisy(), {"nose": [1.0]})

    @pytest.mark.parametrize(
        "space", [{"noise": ["loud"]}, {"sign": Span(0, 2)}, {"noise": [True]}, {"seed": Span(0.5, 3)}]
    )
    def test_another_kind_of_value_is_refused(self, space):
        with pytest.raises(SettingError, match="of another kind"):
            checked("noisy", Noisy(), space)

    def test_a_list_is_a_choice_and_whole_numbers_of_a_fraction_are_fractions(self):
        assert checked("noisy", Noisy(), {"noise": [1, 2.5]}) == {"noise": Choice((1.0, 2.5))}


class TestDefaultSpace:
    def test_numbers_around_their_default_and_both_truths(self):
        space, aside = default_space(Noisy(), channels=2, period=None)
        assert space == {"noise": Span(1.0, 16.0, log=True), "sign": Choice((False, True))}
        assert aside == []

    def test_window_around_the_period_and_code_up_to_the_channels(self):
        space, _ = default_space(DETECTORS.get("sub_pca")(), channels=5, period=24)
        assert space["window"] == Span(6, 96, log=True, whole=True)
        assert space["explained"] == Span(0.225, 0.99, log=True)
        assert default_space(DETECTORS.get("sub_pca")(), channels=5, period=None)[1] == ["window"]
        assert default_space(DETECTORS.get("pca")(), channels=8, period=None)[0] == {
            "latent": Span(1, 7, log=True, whole=True)
        }

    def test_a_window_with_a_default_reaches_a_long_period(self):
        space, _ = default_space(DETECTORS.get("moving_average")(), channels=1, period=288)
        assert space["window"] == Span(15, 288, log=True, whole=True)

    @pytest.mark.parametrize(
        ("name", "setting", "high"),
        [
            ("half_space_trees", "depth", 16),
            ("polynomial", "degree", 4),
            ("cnn", "blocks", 12),
            ("cnn_lstm", "blocks", 8),
            ("sub_pca", "explained", 0.99),
        ],
    )
    def test_nothing_that_is_always_refused(self, name, setting, high):
        fresh = DETECTORS.get(name)()
        domain = default_space(fresh, channels=3, period=20)[0][setting]
        assert domain.high == domain.points()[-1] == high
        beyond = 1.0 if setting == "explained" else fresh.most[setting] + 1
        with pytest.raises(SettingError, match=f"{setting} is {beyond:g}; wanted from"):
            type(fresh)(**{setting: beyond}).fit(normal_series())

    @pytest.mark.parametrize(
        "given", [{}, {"hidden": 96, "heads": 6}, {"hidden": 12, "heads": 4}, {"hidden": 7, "heads": 1}]
    )
    def test_every_width_is_shared_out_evenly_over_every_number_of_heads(self, given):
        fresh = DETECTORS.get("transformer")(**given)
        space, _ = default_space(fresh, channels=3, period=20)
        assert space["hidden"].holds(fresh.hidden)
        assert space["heads"].holds(fresh.heads)
        assert not any(hidden % heads for hidden in space["hidden"].values for heads in space["heads"].values)
        if not given:
            assert space["hidden"] == Choice((16, 32, 64, 128, 256))
            assert space["heads"] == Choice((1, 2, 4, 8, 16))

    def test_a_default_that_is_already_the_most_leaves_what_lies_below(self):
        space, _ = default_space(DETECTORS.get("polynomial")(degree=4), channels=1, period=None)
        assert space["degree"] == Span(1, 4, log=True, whole=True)

    @pytest.mark.parametrize("name", [name for name in DETECTORS if not DETECTORS.extra_of(name)])
    def test_every_detector_has_one_that_holds_its_defaults(self, name):
        detector = DETECTORS.get(name)()
        space, aside = default_space(detector, channels=6, period=20)
        settings = detector.settings()
        assert set(space) | set(aside) | (KEPT & set(settings)) == set(settings)
        assert all(domain.holds(settings[one]) for one, domain in space.items() if settings[one] is not None)
