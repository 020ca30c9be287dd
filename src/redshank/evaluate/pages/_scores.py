"""The figure of one device's score over time, with known anomalies shaded and alarms marked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, NullLocator

from redshank.core import InputError
from redshank.core.detector import Array
from redshank.evaluate.pages._canvas import (
    COLOURS,
    LEFT,
    headline,
    house_style,
    legend,
    short,
    stack,
    svg,
    time_axis,
    value_axis,
)
from redshank.evaluate.pages._plots import Record, instant, numeric, titled
from redshank.evaluate.pages._wording import Clock, counted
from redshank.evaluate.pages.figures import MOST_DECADES
from redshank.incidents import number

ALARM = "alarm, by the score or by one channel's part of it"
"""What the key calls an alarm: it may stand where the surprise of all together is low."""


def score_chart(trace: Record, *, channels: int = 2, data: Mapping[str, Any] | None = None) -> str:
    """The score of one device over time as surprise, with known anomalies shaded and alarms marked.

    Parameters
    ----------
    trace : mapping
        One of a record's ``traces``: ``device``, ``time`` (ISO), ``score`` (-log10 p), ``alarm`` (0 or 1),
        ``values`` by channel and ``labels`` (start and end, ISO).
    channels : int, default=2
        Channels drawn above the score, the first ones.
    data : mapping or None, default=None
        The record's ``data``: its name stands in the title, and where its times are assumed the axis counts rows.

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
            handles["alarm"] = Line2D([], [], ls="", marker="v", ms=4.5, mew=0, color=COLOURS["accent"], label=ALARM)
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
        clock = Clock(data or {})
        if clock.assumed:
            _row_axis(last, start, end, clock)
        else:
            time_axis(last, start, end)
        legend(figure, list(handles.values()), LEFT)
        about = (
            f"Score over {len(x)} stretches of time: {int(alarm.sum())} with an alarm, "
            f"{counted(len(labels), 'known anomaly')}; "
            f"the largest surprise is {number(float(np.nanmax(score, initial=0.0)))}."
        )
        return svg(figure, titled(f"Score of device {device}", [{"data": data}]), about)


def _row_axis(axes: Axes, start: int, end: int, clock: Clock) -> None:
    """Row numbers, for times that were only assumed."""
    length, first, last = (end - start) / 1e9, clock.row(start), clock.row(end)
    rows = [int(row) for row in MaxNLocator(7, integer=True).tick_values(first, last) if first <= row <= last]
    axes.set_xlim(0, length)
    axes.set_xticks([(row - first) * clock.interval_s for row in rows], [f"{row:,}" for row in rows])
    axes.text(1.0, 1.02, "row", transform=axes.transAxes, ha="right", va="bottom", size=7.5, color=COLOURS["muted"])


def _broken(x: Array, y: Array, gap: float) -> tuple[Array, Array]:
    leaps = np.flatnonzero(np.diff(x) > gap) + 1
    return np.insert(x, leaps, np.nan), np.insert(y, leaps, np.nan)
