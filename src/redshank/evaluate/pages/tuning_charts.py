"""The figure of a search: scores of all trials against one setting, and the course of their median."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from redshank.core.learned import Setting
from redshank.evaluate.pages._canvas import COLOURS, house_style, short, svg, value_axis
from redshank.evaluate.pages._plots import axis_names, key, square
from redshank.evaluate.tuning.log import Settings, Trial
from redshank.evaluate.tuning.sensitivity import Group, Sensitivity, is_number
from redshank.evaluate.tuning.space import key_of
from redshank.incidents import number

LONG = 10
"""Ratio of the largest value to the smallest from which on their axis is even in ratios."""
DOT: dict[str, Any] = {"ls": "", "marker": "o", "ms": 4.2, "mew": 0, "alpha": 0.55, "color": COLOURS["seen"]}
COURSE: dict[str, Any] = {"ls": "-", "lw": 1.6, "marker": "", "color": COLOURS["band"]}
USUAL: dict[str, Any] = {"ls": "", "marker": "D", "ms": 6.0, "mew": 1.3, "mfc": "none", "color": COLOURS["ink"]}
BEST: dict[str, Any] = {"ls": "", "marker": "o", "ms": 7.0, "mew": 0, "color": COLOURS["accent"]}


def setting_chart(found: Sensitivity, measure: str, default: Settings, best: Trial) -> str:
    """Score of every trial against the value of one setting, as SVG text.

    Parameters
    ----------
    found : Sensitivity
        Trials by value of the setting; the line is through the median of each group.
    measure : str
        What the score is of.
    default : dict
        All settings before the search: where one setting has its default, the value is marked on its axis.
    best : Trial
        Marked too.

    Returns
    -------
    str
        An ``svg`` element.
    """
    groups = found.groups
    numeric = all(is_number(value) for group in groups for value in group.values)
    places = [_places(group, k, numeric=numeric) for k, group in enumerate(groups)]
    labels = ["a trial", "median", "default value", "best trial"]
    with house_style(f"tuning {found.name} {measure}"):
        figure, axes = square(labels)
        x = [place for own in places for place in own]
        scores = [score for group in groups for score in group.scores]
        axes.plot(x, scores, **DOT, zorder=2)
        axes.plot([float(np.median(own)) for own in places], [group.median for group in groups], **COURSE, zorder=3)
        value_axis(axes, 5)
        if not numeric:
            axes.set_xticks(range(len(groups)), [_name(group) for group in groups])
            axes.set_xlim(-0.5, len(groups) - 0.5)
        else:
            if min(x) > 0 and max(x) >= LONG * min(x):
                axes.set_xscale("log")
                axes.xaxis.set_minor_locator(NullLocator())
                axes.set_xticks(_ticks(sorted(set(x))))
            axes.xaxis.set_major_formatter(lambda value, _: number(value))
        usual = _place_of(found, default[found.name], places)
        if usual is not None:
            axes.plot([usual], [axes.get_ylim()[0]], **USUAL, clip_on=False, zorder=5)
        top = _place_of(found, best.settings[found.name], places)
        if top is not None:
            axes.plot([top], [best.score], **BEST, zorder=4)
        axis_names(axes, short(found.name), short(measure))
        styles = (DOT, COURSE, USUAL, BEST)
        key(figure, [Line2D([], [], **style, label=label) for style, label in zip(styles, labels, strict=True)])
        medians = ", ".join(f"{number(group.median)} at {_name(group)}" for group in groups)
        return svg(figure, f"{measure} against {found.name}", f"Median {measure} by {found.name}: {medians}.")


def _places(group: Group, k: int, *, numeric: bool) -> list[float]:
    """Where the trials of a group stand on the axis."""
    return [float(str(value)) for value in group.values] if numeric else [float(k)] * len(group.values)


def _place_of(found: Sensitivity, value: Setting, places: Sequence[Sequence[float]]) -> float | None:
    """Where a value stands; None if no trial had it."""
    for group, own in zip(found.groups, places, strict=True):
        for one, place in zip(group.values, own, strict=True):
            if key_of(one) == key_of(value):
                return place
    return None


def _ticks(values: Sequence[float]) -> list[float]:
    """At most seven of the values, far enough from each other on an axis of ratios."""
    least = np.log(values[-1] / values[0]) / 7
    chosen = [values[0]]
    for value in values[1:]:
        if np.log(value / chosen[-1]) >= least:
            chosen.append(value)
    return chosen


def _name(group: Group) -> str:
    first, last = group.values[0], group.values[-1]
    if key_of(first) == key_of(last):
        return number(float(str(first))) if is_number(first) else short(str(first))
    return f"{number(float(str(first)))} to {number(float(str(last)))}"
