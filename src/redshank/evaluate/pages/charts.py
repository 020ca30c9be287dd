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
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import NullLocator

from redshank.core import InputError
from redshank.core.detector import Array
from redshank.evaluate.intervals import bootstrap_interval
from redshank.evaluate.pages._canvas import (
    COLOURS,
    LEFT,
    RIGHT,
    headline,
    house_style,
    legend,
    short,
    stack,
    svg,
    time_axis,
    value_axis,
)
from redshank.evaluate.pages._plots import (
    MOST_LINES,
    SQUARE,
    Record,
    axis_names,
    instant,
    key,
    names_of,
    numeric,
    square,
    stroke,
    value,
)
from redshank.evaluate.pages._rates import calibration_chart, critical_difference_chart, rate_chart
from redshank.evaluate.pages.figures import MOST_DECADES
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

LEAST_SERIES = 5
"""Series from which a bootstrap over them is worth drawing."""


def roc_chart(records: Sequence[Record]) -> str:
    """Found share of the anomalous rows against falsely marked share of the normal ones, for every detector.

    Parameters
    ----------
    records : sequence of mapping
        Runs; those without ``curves`` are passed over. Trivial baselines are thin and grey.

    Returns
    -------
    str
        An ``svg`` element.

    Raises
    ------
    InputError
        If none of the records has the curve.
    """
    return _curves(records, "roc", "ROC-AUC", "false-positive rate", "recall")


def pr_chart(records: Sequence[Record]) -> str:
    """Precision against recall for every detector; takes and raises what :func:`roc_chart` does."""
    return _curves(records, "pr", "PR-AUC", "recall", "precision")


def _curves(records: Sequence[Record], name: str, area: str, x_name: str, y_name: str) -> str:
    drawn = [(r, r["curves"][name]) for r in records if (r.get("curves") or {}).get(name)]
    if not drawn:
        raise InputError(f"{name}_chart: none of the {len(records)} records has this curve; it needs labels")
    names = dict(zip((id(r) for r, _ in drawn), names_of([r for r, _ in drawn]), strict=True))
    own = [(r, curve) for r, curve in drawn if not r["baseline"]][:MOST_LINES]
    trivial = [(r, curve) for r, curve in drawn if r["baseline"]]
    chance = 0.5 if name == "roc" else _prevalence([r for r, _ in drawn])
    words = {id(r): _with(names[id(r)], value(r["measures"], area)) for r, _ in drawn}
    with house_style(f"{name} {list(words.values())!r}"):
        handles = []
        figure, axes = square(rows=(len(own) + 1) // 2 + 1)
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
            handles.append(Line2D([], [], color=COLOURS["muted"], lw=0.7, label="trivial baselines"))
        _unit_axes(axes, x_name, y_name)
        key(figure, handles)
        title = f"{'ROC' if name == 'roc' else 'Precision-recall'} curves"
        about = f"{y_name} against {x_name}; area under the curve: {', '.join(words.values())}."
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
        return svg(figure, "Confusion matrix", f"Rows of the data counted by truth and verdict. {words}.")


def score_chart(trace: Record, *, channels: int = 2) -> str:
    """The score of one device over time as surprise, with known anomalies shaded and alarms marked.

    Parameters
    ----------
    trace : mapping
        One of a record's ``traces``: ``device``, ``time`` (ISO), ``score`` (-log10 p), ``alarm`` (0 or 1),
        ``values`` by channel and ``labels`` (start and end, ISO).
    channels : int, default=2
        Channels drawn above the score, the first ones.

    Raises
    ------
    InputError
        If the trace has no moments.
    """
    device, time_ns = trace["device"], np.array([instant(text) for text in trace["time"]], np.int64)
    if not len(time_ns):
        raise InputError(f"score_chart: the trace of {device!r} has no moments; nothing to draw")
    start, end = int(time_ns[0]), max(int(time_ns[-1]), int(time_ns[0]) + 10**9)
    x = (time_ns - start) / 1e9
    gap = 2.5 * float(np.median(np.diff(x))) if len(x) > 1 else math.inf
    score, alarm = numeric(trace["score"]), np.asarray(trace["alarm"], bool)
    shown = list(trace["values"].items())[: max(channels, 0)]
    labels = [((instant(a) - start) / 1e9, (instant(b) - start) / 1e9) for a, b in trace["labels"]]
    labels = [(a, b) for a, b in labels if b >= 0 and a <= x[-1]]
    handles: dict[str, Line2D | Patch] = {"score": Line2D([], [], color=COLOURS["seen"], lw=1.0, label="score")}
    least = (end - start) / 1e9 / 400  # a label of one reading is still a visible stroke
    with house_style(f"score {device} {trace['time']!r} {trace['score']!r}"):
        figure, panels = stack([58.0] * len(shown) + [96.0])
        for axes, (channel, values) in zip(panels, shown, strict=False):
            axes.plot(*_broken(x, numeric(values), gap), color=COLOURS["seen"], lw=0.8)
            headline(axes, short(channel))
            value_axis(axes, 3)
        last = panels[-1]
        drawn = np.minimum(score, MOST_DECADES)
        last.plot(*_broken(x, drawn, gap), color=COLOURS["seen"], lw=0.9)
        last.set_ylim(0, max(1.0, 1.08 * float(np.nanmax(drawn, initial=0.0))))
        headline(last, "surprise, -log10 p")
        value_axis(last, 4)
        if alarm.any():
            last.scatter(x[alarm], drawn[alarm], s=14, marker="v", color=COLOURS["accent"], linewidths=0, zorder=3)
            handles["alarm"] = Line2D([], [], ls="", marker="v", ms=4.5, mew=0, color=COLOURS["accent"], label="alarm")
        for axes in panels:
            for a, b in labels:
                axes.axvspan(a, max(b, a + least), color=COLOURS["known"], alpha=0.2, lw=0)
                axes.axvspan(a, max(b, a + least), ymax=0.04, color=COLOURS["known"], lw=0)
        if labels:
            handles["label"] = Patch(color=COLOURS["known"], alpha=0.4, lw=0, label="known anomaly")
        for axes in panels[:-1]:
            axes.set_xlim(0, (end - start) / 1e9)
            axes.xaxis.set_major_locator(NullLocator())
            axes.spines["bottom"].set_visible(False)
        time_axis(last, start, end)
        legend(figure, list(handles.values()), LEFT)
        about = (
            f"Score over {len(x)} stretches of time: {int(alarm.sum())} with an alarm, {len(labels)} known anomalies; "
            f"the largest surprise is {number(float(np.nanmax(score, initial=0.0)))}."
        )
        return svg(figure, f"Score of {device}", about)


def sensitivity_chart(records: Sequence[Record], setting: str, measure: str) -> str:
    """A measure against a numeric setting, a line for each detector, with an interval at each value.

    Parameters
    ----------
    records : sequence of mapping
        Runs that differ in ``setting``; runs of one detector with the same value (other seeds or folds) are averaged.
    setting : str
        Name in ``settings``, a number in at least one record.
    measure : str
        Name in ``measures``. The interval is the 95 % bootstrap over series where at least :data:`LEAST_SERIES` of
        them have the measure, and otherwise the range over the runs.

    Raises
    ------
    InputError
        If no record has both.
    """
    found: dict[str, dict[float, list[Record]]] = {}
    for r in records:
        at = r["settings"].get(setting)
        if isinstance(at, int | float) and not isinstance(at, bool) and math.isfinite(value(r["measures"], measure)):
            found.setdefault(r["detector"], {}).setdefault(float(at), []).append(r)
    if not found:
        raise InputError(
            f"sensitivity_chart: no record has a number for setting {setting!r} and measure "
            f"{measure!r}; check the names"
        )
    with house_style(f"sensitivity {setting} {measure}"):
        figure, axes = square(rows=(len(found) + 1) // 2)
        handles, said, places = [], [], []
        for place, (name, runs) in enumerate(list(found.items())[:MOST_LINES]):
            style = stroke(place)
            x = sorted(runs)
            mean = np.array([np.mean([r["measures"][measure] for r in runs[at]]) for at in x])
            ends = np.array([_spread(runs[at], measure) for at in x])
            axes.plot(x, mean, **style)
            axes.fill_between(x, ends[:, 0], ends[:, 1], color=style["color"], alpha=0.12, lw=0)
            axes.vlines(x, ends[:, 0], ends[:, 1], color=style["color"], lw=1.2)
            handles.append(Line2D([], [], **style, label=short(name)))
            said.append(
                f"{name}: "
                + ", ".join(
                    f"{number(float(m))} ({number(float(low))} to {number(float(high))}) at {number(at)}"
                    for at, m, (low, high) in zip(x, mean, ends, strict=True)
                )
            )
            places += x
        if min(places) > 0 and max(places) >= 10 * min(places):
            axes.set_xscale("log")
            axes.xaxis.set_minor_locator(NullLocator())
            axes.set_xticks(sorted(set(places)))
        axes.xaxis.set_major_formatter(lambda value, _: number(value))
        value_axis(axes, 5)
        axis_names(axes, short(setting), short(measure))
        key(figure, handles)
        return svg(figure, f"{measure} against {setting}", f"{'; '.join(said)}.")


def _spread(runs: Sequence[Record], measure: str) -> tuple[float, float]:
    """Both ends of the interval of a measure over series, or over runs where the series are too few."""
    by_series: dict[str, list[float]] = {}
    for r in runs:
        for one in r["series"]:
            if math.isfinite(value(one["measures"], measure)):
                by_series.setdefault(one["name"], []).append(one["measures"][measure])
    if len(by_series) >= LEAST_SERIES:
        interval = bootstrap_interval([float(np.mean(values)) for values in by_series.values()])
        if math.isfinite(interval.low):
            return interval.low, interval.high
    values = [r["measures"][measure] for r in runs]
    return min(values), max(values)


def _broken(x: Array, y: Array, gap: float) -> tuple[Array, Array]:
    leaps = np.flatnonzero(np.diff(x) > gap) + 1
    return np.insert(x, leaps, np.nan), np.insert(y, leaps, np.nan)


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
