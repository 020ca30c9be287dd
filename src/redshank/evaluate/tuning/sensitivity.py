"""How much each setting mattered: scores of trials put together by its value."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from redshank.core.learned import Setting
from redshank.evaluate.tuning.log import Trial
from redshank.evaluate.tuning.space import key_of

MOST_GROUPS = 8
"""Values up to which each is a group of its own; more are put together by fifths of them."""
FIFTHS = 5


@dataclass(frozen=True, slots=True)
class Group:
    """Trials with the same value of a setting, or with near ones: scores and where to draw them."""

    values: tuple[Setting, ...]
    scores: tuple[float, ...]

    @property
    def median(self) -> float:
        """Median score."""
        return float(np.median(self.scores))


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """How the score goes with one setting.

    Parameters
    ----------
    name : str
        The setting.
    groups : tuple of Group
        Numbers in rising order, before them what is none, in the order in which it was tried.
    share : float
        Part of the variance of the scores that lies between the groups, less what chance would give (epsilon squared,
        Kelley 1935), 0 to 1; NaN where there are no more trials than groups. Other settings varied at the same time:
        shares need not add up to 1.
    """

    name: str
    groups: tuple[Group, ...]
    share: float


def sensitivity_of(name: str, trials: Sequence[Trial]) -> Sensitivity:
    """How the scores of finished trials go with a setting."""
    groups = _groups([(one.settings[name], one.score) for one in trials])
    n, b = len(trials), len(groups)
    scores = np.array([one.score for one in trials])
    total = float(np.square(scores - scores.mean()).sum())
    if n <= b or b < 2:
        return Sensitivity(name, groups, math.nan)
    within = sum(float(np.square(np.array(g.scores) - np.mean(g.scores)).sum()) for g in groups)
    share = 1.0 - (within / (n - b)) / (total / (n - 1)) if total > 0 else 0.0
    return Sensitivity(name, groups, min(max(share, 0.0), 1.0))


def _groups(pairs: Sequence[tuple[Setting, float]]) -> tuple[Group, ...]:
    """Pairs of value and score by value; many numbers by fifths of the trials; what is no number comes first."""
    numbers = sorted((pair for pair in pairs if is_number(pair[0])), key=lambda pair: float(str(pair[0])))
    others = [pair for pair in pairs if not is_number(pair[0])]
    own = _by_value(numbers)
    if len(own) > MOST_GROUPS:
        bounds = np.linspace(0, len(own), FIFTHS + 1).astype(int)
        own = [[pair for group in own[a:b] for pair in group] for a, b in itertools.pairwise(bounds)]
    return tuple(
        Group(tuple(value for value, _ in group), tuple(score for _, score in group))
        for group in _by_value(others) + own
    )


def _by_value(pairs: Sequence[tuple[Setting, float]]) -> list[list[tuple[Setting, float]]]:
    found: dict[str, list[tuple[Setting, float]]] = {}
    for pair in pairs:
        found.setdefault(key_of(pair[0]), []).append(pair)
    return list(found.values())


def is_number(value: Setting) -> bool:
    """Whether a setting is a number, and not true or false."""
    return isinstance(value, int | float) and not isinstance(value, bool)
