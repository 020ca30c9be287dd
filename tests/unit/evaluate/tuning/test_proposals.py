"""What is tried next: never twice, the same from the same past, and in the end better than at random."""

from __future__ import annotations

import math
import sys

import pytest

from redshank.core import MissingExtraError, SettingError
from redshank.evaluate.tuning.log import Trial
from redshank.evaluate.tuning.proposals import proposer
from redshank.evaluate.tuning.space import Choice, Span

FIRST = {"window": 10, "lr": 0.01, "robust": False, "name": "x", "seed": 0}
SPACE = {
    "window": Span(2, 60, log=True, whole=True),
    "lr": Span(1e-4, 1e-1, log=True),
    "robust": Choice((False, True)),
    "name": Choice(("x", "y")),
}


def told(propose, count: int, score, past: list[Trial] | None = None) -> list[Trial]:
    trials = list(past or [])
    while len(trials) < count:
        asked = propose(trials)
        if asked is None:
            break
        settings = {**FIRST, **asked}
        found = score(settings)
        trials.append(Trial(len(trials), settings, found, (), 1.0, reason="" if math.isfinite(found) else "refused"))
    return trials


def hill(settings) -> float:
    """Best at window 30 and lr 0.003; what is not robust is refused now and then."""
    if settings["window"] > 55:
        return math.nan
    return -abs(math.log(settings["window"] / 30)) - abs(math.log(settings["lr"] / 0.003)) + 0.1 * settings["robust"]


POINTS = {"window": Choice((5, 10, 20)), "robust": Choice((False, True))}


class TestGrid:
    def test_default_first_then_every_point_once(self):
        propose, most = proposer("grid", POINTS, FIRST, hints=[], seed=0)
        trials = told(propose, 100, hill)
        assert len(trials) == most == 6
        assert trials[0].settings == FIRST
        assert len({one.key for one in trials}) == 6
        assert propose(trials) is None

    def test_a_default_off_the_grid_is_one_more(self):
        propose, most = proposer("grid", {"window": Choice((5, 20))}, FIRST, hints=[], seed=0)
        assert len(told(propose, 100, hill)) == most == 3

    def test_done_points_are_skipped_whatever_their_order(self):
        propose, _ = proposer("grid", POINTS, FIRST, hints=[], seed=0)
        trials = told(propose, 100, hill)
        assert propose(trials[::-2]) is not None
        assert {one.key for one in told(propose, 100, hill, trials[::-2])} == {one.key for one in trials}

    def test_another_seed_another_order(self):
        orders = [
            [one.key for one in told(proposer("grid", POINTS, FIRST, hints=[], seed=seed)[0], 9, hill)]
            for seed in (0, 1, 0)
        ]
        assert orders[0] == orders[2] != orders[1]


class TestOptuna:
    def test_default_and_hints_first_then_never_the_same_twice(self):
        propose, most = proposer("optuna", SPACE, FIRST, hints=[{"window": 25}], seed=0)
        trials = told(propose, 25, hill)
        assert most is None
        assert trials[0].settings == FIRST
        assert trials[1].settings == {**FIRST, "window": 25}
        assert len({one.key for one in trials}) == 25
        assert all(domain.holds(one.settings[name]) for one in trials for name, domain in SPACE.items())
        assert all(type(one.settings["window"]) is int for one in trials)

    def test_a_resumed_search_goes_on_as_if_undisturbed(self):
        def make():
            return proposer("optuna", SPACE, FIRST, hints=[], seed=3)[0]

        whole = told(make(), 20, hill)
        for stopped in (1, 7, 15):
            assert told(make(), 20, hill, whole[:stopped]) == whole

    def test_it_learns(self):
        late, early = [], []
        for seed in range(3):
            scores = [one.score for one in told(proposer("optuna", SPACE, FIRST, hints=[], seed=seed)[0], 40, hill)]
            early += [one for one in scores[1:11] if math.isfinite(one)]
            late += [one for one in scores[-10:] if math.isfinite(one)]
        assert sum(late) / len(late) > sum(early) / len(early) + 0.5

    def test_a_small_space_is_used_up_and_then_ends(self):
        trials = told(proposer("optuna", POINTS, FIRST, hints=[], seed=0)[0], 100, hill)
        assert len(trials) == 6

    def test_trials_outside_the_space_are_no_hindrance(self):
        elsewhere = Trial(0, {**FIRST, "window": 1000}, 0.1, (), 1.0)
        other = Trial(1, {**FIRST, "seed": 7}, 0.1, (), 1.0)
        assert len(told(proposer("optuna", SPACE, FIRST, hints=[], seed=0)[0], 8, hill, [elsewhere, other])) == 8

    def test_without_optuna_the_extra_is_named(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "optuna", None)
        with pytest.raises(MissingExtraError, match=r"redshank\[train\]"):
            proposer("optuna", SPACE, FIRST, hints=[], seed=0)


def test_another_search_is_refused():
    with pytest.raises(SettingError, match="grid or optuna"):
        proposer("random", SPACE, FIRST, hints=[], seed=0)
