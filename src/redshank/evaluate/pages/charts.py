"""Figures of evaluation, made from records alone: curves, confusion, score over time, sensitivity, ranks, rates.

Records in, SVG text out, in the manner of :mod:`redshank.evaluate.pages.figures`. Lines differ by colour and by shape,
so that a grey print tells them apart, and each figure says in words what it shows to whoever does not see it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullLocator

from redshank.core import InputError
from redshank.evaluate.intervals import Interval, bootstrap_interval
from redshank.evaluate.pages._canvas import (
    COLOURS,
    RIGHT,
    house_style,
    short,
    stack,
    svg,
    value_axis,
)
from redshank.evaluate.pages._plots import (
    MOST_LINES,
    SQUARE,
    Record,
    axis_names,
    key,
    names_of,
    numeric,
    square,
    stroke,
    titled,
    value,
)
from redshank.evaluate.pages._rates import BASELINES, calibration_chart, critical_difference_chart, rate_chart
from redshank.evaluate.pages._scores import score_chart
from redshank.incidents import number

__all__ = [
    "calibration_chart",
    "confusion_chart",
    "critical_difference_chart",
    "pr_chart",
    "rate_chart",
    "roc_chart",
    "score_chart",
    "sensitivity_chart",
]

RANKED_BY = {"score": "raw score", "surprise": "surprise, all devices together"}
"""What a record's curves rank rows by, in words."""
LEAST_SERIES = 5
"""Series from which a bootstrap over them is worth drawing."""
ENDS = ("estimate", "low", "high")


def roc_chart(records: Sequence[Record]) -> str:
    """Found share of the anomalous rows against falsely marked share of the normal ones, for every detector.

    Parameters
    ----------
    records : sequence of mapping
        Runs; those without ``curves`` are passed over. Trivial baselines are thin and grey. The number beside a name is
        the area under the line drawn, where the record has it.

    Returns
    -------
    str
        An ``svg`` element.

    Raises
    ------
    InputError
        If none of the records has the curve.
    """
    return _curves(records, "roc", "false-positive rate", "recall")


def pr_chart(records: Sequence[Record]) -> str:
    """Precision against recall for every detector; takes and raises what :func:`roc_chart` does."""
    return _curves(records, "pr", "recall", "precision")


def _curves(records: Sequence[Record], name: str, x_name: str, y_name: str) -> str:
    drawn = [(r, r["curves"][name]) for r in records if (r.get("curves") or {}).get(name)]
    # With rows of one class only, one of the axes is not defined.
    drawn = [(r, own) for r, own in drawn if np.isfinite(numeric(own["x"]) + numeric(own["y"])).any()]
    if not drawn:
        raise InputError(
            f"{name}_chart: none of the {len(records)} records has this curve; it needs normal and anomalous rows"
        )
    names = dict(zip((id(r) for r, _ in drawn), names_of([r for r, _ in drawn]), strict=True))
    own = [(r, curve) for r, curve in drawn if not r["baseline"]][:MOST_LINES]
    trivial = [(r, curve) for r, curve in drawn if r["baseline"]]
    chance = 0.5 if name == "roc" else _prevalence([r for r, _ in drawn])
    words = {id(r): _with(names[id(r)], value(curve, "area")) for r, curve in drawn}
    ranked = {str(curve["of"]) for r, curve in own if curve.get("of")}
    by = f"by {RANKED_BY.get(ranked.pop(), 'score')}" if len(ranked) == 1 else ""
    entries = [
        *(words[id(r)] for r, _ in own),
        *(["chance 0.50"] if math.isfinite(chance) else []),
        *([BASELINES] if trivial else []),
    ]
    with house_style(f"{name} {list(words.values())!r}"):
        handles = []
        figure, axes = square(entries, above=18.0)
        for _, curve in trivial:
            axes.plot(numeric(curve["x"]), numeric(curve["y"]), color=COLOURS["muted"], lw=0.7, alpha=0.75)
        for place, (r, curve) in enumerate(own):
            style = stroke(place)
            axes.plot(
                numeric(curve["x"]), numeric(curve["y"]), **style, markevery=(0.05 + 0.02 * place, 0.23), zorder=3
            )
            handles.append(Line2D([], [], **style, label=words[id(r)]))
        if math.isfinite(chance):
            ends = ([0, 1], [0, 1]) if name == "roc" else ([0, 1], [chance, chance])
            axes.plot(*ends, color=COLOURS["rule"], lw=0.9, ls=(0, (2, 2)))
            handles.append(Line2D([], [], color=COLOURS["rule"], lw=0.9, ls=(0, (2, 2)), label=_with("chance", chance)))
        if trivial:
            handles.append(Line2D([], [], color=COLOURS["muted"], lw=0.7, label=BASELINES))
        _unit_axes(axes, x_name, y_name)
        key(figure, handles)
        told = f"rows ranked {by}" if by else ""
        axes.text(1.0, 1.02, told, transform=axes.transAxes, ha="right", va="bottom", size=7.5, color=COLOURS["muted"])
        title = titled(f"{'ROC' if name == 'roc' else 'Precision-recall'} curves", [r for r, _ in drawn])
        areas = f"; {told}" if told else ""
        about = f"{y_name} against {x_name}, and the area under each line{areas}: {', '.join(words.values())}."
        return svg(figure, title, about)


def confusion_chart(record: Record) -> str:
    """Rows counted by what they were and what was said of them; shade and percentage are of the row of the table.

    Parameters
    ----------
    record : mapping
        A run whose ``confusion`` holds ``tp``, ``fp``, ``fn`` and ``tn``, or ``classes`` (names) and ``matrix``
        (counts; a row for each true class, a column for each predicted one).

    Raises
    ------
    InputError
        If the record has no confusion matrix, or one of another form.
    """
    found = record.get("confusion")
    if not found:
        raise InputError("confusion_chart: the record has no confusion matrix; it needs labels")
    if "matrix" in found:
        matrix = np.asarray(found["matrix"], np.int64)
        truth = said = [short(str(name)) for name in found["classes"]]
        if matrix.shape != (len(truth), len(truth)) or not truth:
            raise InputError(
                f"confusion_chart: the matrix has shape {matrix.shape} for {len(truth)} classes; wanted a square one"
            )
    else:
        matrix = np.array([[found["tp"], found["fn"]], [found["fp"], found["tn"]]], np.int64)
        truth, said = ["anomalous", "normal"], ["alarm", "no alarm"]
    k = len(matrix)
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    left = 30.0 + 5.3 * max(len(name) for name in truth)
    cell = max(46.0 if k <= 10 else 34.0, min(96.0, (SQUARE - left - RIGHT) / k))
    upright = k <= 3
    above = 42.0 if upright else 30.0 + 5.0 * max(len(name) for name in said)
    width = max(SQUARE, left + cell * k + RIGHT) if k > 2 else left + cell * k + RIGHT
    with house_style(f"confusion {matrix.tolist()!r}"):
        figure, (axes,) = stack([0.72 * cell * k], left, above, width=width, beneath=8.0)
        for i in range(k):
            for j in range(k):
                colour = COLOURS["band" if i == j else "accent"]
                axes.add_patch(Rectangle((j, i), 1, 1, color=colour, alpha=0.04 + 0.3 * float(share[i, j]), lw=0))
                count = f"{matrix[i, j]:,}"
                if not (k > 2 and i != j and not matrix[i, j]):
                    axes.text(
                        j + 0.5,
                        i + 0.47,
                        count,
                        ha="center",
                        va="bottom",
                        size=10 if k <= 5 else 8,
                        weight="bold" if i == j else "normal",
                        color=COLOURS["ink"],
                    )
                    axes.text(
                        j + 0.5,
                        i + 0.53,
                        _percent(float(share[i, j])),
                        ha="center",
                        va="top",
                        size=7.5,
                        color=COLOURS["muted"],
                    )
        axes.set(xlim=(0, k), ylim=(k, 0))
        axes.set_xticks(np.arange(k) + 0.5, said, rotation=0 if upright else 90)
        axes.set_yticks(np.arange(k) + 0.5, truth)
        axes.xaxis.tick_top()
        axes.tick_params(length=0, labelsize=8.5, labelcolor=COLOURS["ink"])
        axes.spines[["left", "bottom"]].set_visible(False)
        words = "; ".join(
            f"{t}: {', '.join(f'{c} {n:,}' for c, n in zip(said, row, strict=True))}"
            for t, row in zip(truth, matrix, strict=True)
        )
        return svg(
            figure, titled("Confusion matrix", [record]), f"Rows of the data counted by truth and verdict. {words}."
        )


def sensitivity_chart(records: Sequence[Record], setting: str, measure: str) -> str:
    """A measure against a numeric setting, a line for each detector, with an interval at each value.

    Parameters
    ----------
    records : sequence of mapping
        Runs that differ in ``setting``, a line for each detector and protocol; those with the same value (other data,
        devices, seeds or folds) are averaged.
    setting : str
        Name in ``settings``, a number in at least one record.
    measure : str
        Name in ``measures``. Where at least :data:`LEAST_SERIES` series (devices of data sets) have it, their mean and
        its 95 % bootstrap interval are drawn, and otherwise mean and range of the runs; the key says which.

    Raises
    ------
    InputError
        If no record has both.
    """
    found: dict[tuple[str, str], dict[float, list[Record]]] = {}
    for r in records:
        at = r["settings"].get(setting)
        if isinstance(at, int | float) and not isinstance(at, bool) and math.isfinite(value(r["measures"], measure)):
            found.setdefault((r["detector"], r["split"]["protocol"]), {}).setdefault(float(at), []).append(r)
    if not found:
        raise InputError(
            f"sensitivity_chart: no record has a number for setting {setting!r} and measure "
            f"{measure!r}; check the names"
        )
    found = dict(list(found.items())[:MOST_LINES])
    several = len({protocol for _, protocol in found}) > 1
    names = [short(f"{detector}, {protocol}" if several else detector) for detector, protocol in found]
    estimates = [{at: _estimate(runs[at], measure) for at in sorted(runs)} for runs in found.values()]
    whiskers = _whiskers([one for line in estimates for one in line.values()])
    used = [r for runs in found.values() for own in runs.values() for r in own]
    with house_style(f"sensitivity {setting} {measure}"):
        figure, axes = square([*names, *whiskers])
        handles, said, places = [], [], []
        for place, (name, line) in enumerate(zip(names, estimates, strict=True)):
            style = stroke(place)
            x = list(line)
            mean, low, high = (np.array([getattr(one, end) for one in line.values()]) for end in ENDS)
            axes.plot(x, mean, **style)
            axes.fill_between(x, low, high, color=style["color"], alpha=0.12, lw=0)
            axes.vlines(x, low, high, color=style["color"], lw=1.2)
            handles.append(Line2D([], [], **style, label=name))
            said.append(
                f"{name}: "
                + ", ".join(
                    number(one.estimate)
                    + (f" ({number(one.low)} to {number(one.high)})" if one.high > one.low else "")
                    + f" at {number(at)}"
                    for at, one in line.items()
                )
            )
            places += x
        handles += [Line2D([], [], color=COLOURS["muted"], lw=1.2, label=text) for text in whiskers]
        if min(places) > 0 and max(places) >= 10 * min(places):
            axes.set_xscale("log")
            axes.xaxis.set_minor_locator(NullLocator())
            axes.set_xticks(sorted(set(places)))
        axes.xaxis.set_major_formatter(lambda value, _: number(value))
        value_axis(axes, 5)
        axis_names(axes, short(setting), short(measure))
        key(figure, handles)
        told = f" {'; '.join(whiskers)}." if whiskers else ""
        return svg(figure, titled(f"{measure} against {setting}", used), f"{'; '.join(said)}.{told}")


def _estimate(runs: Sequence[Record], measure: str) -> Interval:
    """Mean over series with its interval; of too few series that over runs with their range, and a count of 0."""
    by_series: dict[tuple[str, str], list[float]] = {}
    for r in runs:
        for one in r["series"]:
            if math.isfinite(value(one["measures"], measure)):
                by_series.setdefault((r["data"]["name"], one["name"]), []).append(one["measures"][measure])
    if len(by_series) >= LEAST_SERIES:
        return bootstrap_interval([float(np.mean(values)) for values in by_series.values()])
    values = [r["measures"][measure] for r in runs]
    return Interval(float(np.mean(values)), min(values), max(values))


def _whiskers(estimates: Sequence[Interval]) -> list[str]:
    """What the bars are, of those that are drawn."""
    counts = sorted({int(one.count) for one in estimates if one.count and one.high > one.low})
    many = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}" if counts else ""
    told = [f"bars: 95 % bootstrap over {many} series"] if counts else []
    return told + ["bars: lowest to highest run"] * any(not one.count and one.high > one.low for one in estimates)


def _prevalence(records: Sequence[Record]) -> float:
    """Anomalous share of the rows, NaN where the records differ: then there is no one chance line."""
    shares = {
        sum(s["anomalous_rows"] for s in r["series"]) / max(sum(s["rows"] for s in r["series"]), 1) for r in records
    }
    return shares.pop() if len(shares) == 1 else math.nan


def _unit_axes(axes: Axes, x_name: str, y_name: str) -> None:
    axes.set(xlim=(-0.005, 1), ylim=(0, 1.005))
    ticks = np.linspace(0, 1, 6)
    axes.set_xticks(ticks, [f"{tick:.1f}" for tick in ticks])
    axes.set_yticks(ticks, [f"{tick:.1f}" for tick in ticks])
    axis_names(axes, x_name, y_name)


def _with(name: str, area: float) -> str:
    return f"{name} {area:.2f}" if math.isfinite(area) else name


def _percent(share: float) -> str:
    if 0.0 < share < 1e-4:
        return "under 0.01 %"
    if 0.9995 < share < 1.0:
        return "over 99.9 %"
    return f"{100 * share:.{2 if share < 0.995 else 3}g} %"
