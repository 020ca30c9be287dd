"""Figures as SVG text: the lanes of a fleet, and a device's channels with expected band, score and incidents.

Arrays in, text out; pyplot is not used. Colours are CSS variables with a mid-tone to fall back on: a figure alone is
legible on light and dark ground, and inside a page it follows the page.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import NullLocator

from redshank.core import Incident, InputError, Label
from redshank.core.detector import Array
from redshank.evaluate.pages._canvas import (
    COLOURS,
    LEFT,
    MARKS,
    RIGHT,
    WIDTH,
    headline,
    house_style,
    legend,
    short,
    stack,
    svg,
    time_axis,
    value_axis,
)
from redshank.pipeline import Analysis

Rows = npt.NDArray[np.intp]
Span = tuple[int, int]

POINTS = 400
"""Stretches into which a longer series is cut; the smallest and the largest value of each are drawn."""
CONTEXT_ROWS = 100
"""Fewest usual intervals shown on either side of an incident."""
GAP_INTERVALS = 10
"""A line is broken at a gap of more than this many usual intervals."""
MOST_BARS = 1000
"""Incidents drawn in the lanes, the most severe first."""
DOTS = 60
"""Stretches of the time in view that alarms are thinned to."""
MOST_DECADES = 12
"""Smallest tail probability drawn, in powers of ten."""
LEGEND = ("seen", "expected", "band", "alarm", "incident", "detected", "known")
"""Order of the words above a figure."""


def lanes_figure(analysis: Analysis, devices: Sequence[str], *, labels: Sequence[Label] = ()) -> str:
    """One lane for each of ``devices``: where it reported, its incidents by kind, and known labels beneath.

    Parameters
    ----------
    analysis : Analysis
        At least one row.
    devices : sequence of str
        Lanes from top to bottom, at least one.
    labels : sequence of Label, default=()
        Drawn as thin marks under the lane of their device.
    """
    start, end = _period(analysis)
    lanes = {name: -float(row) for row, name in enumerate(devices)}
    shown = sorted(analysis.incidents, key=lambda i: -i.severity)[:MOST_BARS]
    bars = [(i, lanes[name]) for i in shown for name in i.devices if name in lanes]
    kinds = [kind for kind in MARKS if any(i.kind is kind for i, _ in bars)]
    pitch = 26.0 if len(devices) <= 12 else 18.0
    marks = [label for label in labels if label.device in lanes]
    left = 24.0 + 5.3 * max(len(short(name)) for name in devices)
    with house_style(f"lanes {devices!r} {start}"):
        figure, (axes,) = stack([pitch * len(devices)], left=left, above=26.0 if kinds or marks else 14.0)
        for name, height in lanes.items():
            runs = _presence(analysis, name, (start, end))
            axes.hlines(np.full(len(runs), height), runs[:, 0], runs[:, 1], color=COLOURS["rule"], lw=0.8, alpha=0.8)
        for kind in kinds:
            mark, own = MARKS[kind], [(i, height) for i, height in bars if i.kind is kind]
            heights = [height for _, height in own]
            onset = [(i.start_ns - start) / 1e9 for i, _ in own]
            finish = [(i.end_ns - start) / 1e9 for i, _ in own]
            colour = COLOURS[mark.role]
            axes.hlines(heights, onset, finish, color=colour, lw=0.32 * pitch, alpha=0.45)
            axes.scatter(onset, heights, s=30, marker=mark.marker, color=colour, linewidths=0, zorder=3)
        if marks:
            beneath = [lanes[label.device] - 0.33 for label in marks]
            axes.hlines(
                beneath,
                [(label.start_ns - start) / 1e9 for label in marks],
                [max(label.end_ns - start, label.start_ns - start + (end - start) // 300) / 1e9 for label in marks],
                color=COLOURS["known"],
                lw=2.4,
            )
        axes.set_ylim(-len(devices) + 0.4, 0.6)
        axes.set_yticks(list(lanes.values()), [short(name) for name in devices])
        axes.tick_params(axis="y", length=0, labelsize=9, labelcolor=COLOURS["ink"])
        axes.spines["left"].set_visible(False)
        time_axis(axes, start, end)
        handles = [
            Line2D([], [], ls="", marker=m.marker, color=COLOURS[m.role], label=kind, ms=5.5, mew=0)
            for kind, m in MARKS.items()
            if kind in kinds
        ]
        if marks:
            handles.append(Line2D([], [], color=COLOURS["known"], lw=2.4, label="known label"))
        legend(figure, handles, left)
        return svg(figure, f"Timeline of {len(devices)} devices with {len(shown)} incidents")


def series_figure(
    analysis: Analysis,
    device: str,
    *,
    span: Span | None = None,
    channels: int | Sequence[str] = 3,
    labels: Sequence[Label] = (),
) -> str:
    """The channels of one device over time with expected band, incidents and score.

    Parameters
    ----------
    analysis : Analysis
        Where the rows and incidents are taken from.
    device : str
        Name in the device table.
    span : tuple of int or None, default=None
        First and last moment shown, UTC nanoseconds; None shows the whole period.
    channels : int or sequence of str, default=3
        How many, those that carry most of the incidents in view first; or their names.
    labels : sequence of Label, default=()
        Known anomalies, marked along the lower edge.

    Returns
    -------
    str
        An ``svg`` element. Long series keep the extremes of :data:`POINTS` stretches.

    Raises
    ------
    InputError
        If the device or a channel is not in the frame, or the frame is empty.
    """
    view = span if span is not None else _period(analysis)
    names = _top_channels(analysis, device, view, channels) if isinstance(channels, int) else channels
    return _draw(
        analysis, [(device, name) for name in names], view, labels=labels, title=f"Readings and score of {device}"
    )


def incident_figure(analysis: Analysis, incident: Incident, *, labels: Sequence[Label] = ()) -> str:
    """An incident with as much time again before and behind it: its first three channels, or three of its devices."""
    length = incident.end_ns - incident.start_ns
    pad = max(length, round(CONTEXT_ROWS * analysis.frame.interval_s() * 1e9))
    start, end = _period(analysis)
    view = (max(start, incident.start_ns - pad), min(max(end, incident.end_ns), incident.end_ns + pad))
    names = [reading.channel for reading in incident.readings[:3]] or [analysis.frame.schema.names[0]]
    if len(incident.devices) > 1:
        panels = [(device, names[0]) for device in incident.devices[:3]]
    else:
        panels = [(incident.device, name) for name in names]
    return _draw(analysis, panels, view, labels=labels, title=incident.sentence, detected_ns=incident.detected_ns)


def thin(x: Array, y: Array, stretches: int = POINTS) -> Rows:
    """Indices, in order, of the smallest and the largest finite ``y`` in each of ``stretches`` equal parts of ``x``.

    All indices where there are no more than two for each stretch; ``x`` rises.
    """
    if len(x) <= 2 * stretches:
        return np.arange(len(x))
    place = np.minimum((x - x[0]) * (stretches / (x[-1] - x[0])), stretches - 1).astype(np.intp)
    known = np.flatnonzero(np.isfinite(y))
    order = known[np.lexsort((y[known], place[known]))]
    change = np.flatnonzero(np.diff(place[order])) + 1
    first = np.concatenate([[0], change])[: len(order)]
    last = np.concatenate([change, [len(order)]])[: len(order)] - 1
    return np.unique(np.concatenate([order[first], order[last]]))


def _draw(
    analysis: Analysis,
    panels: Sequence[tuple[str, str]],
    view: Span,
    *,
    labels: Sequence[Label],
    title: str,
    detected_ns: int | None = None,
) -> str:
    several = len({device for device, _ in panels}) > 1
    device = panels[0][0]
    with house_style(f"{panels!r} {view}"):
        figure, axes = stack([84.0] * len(panels) + ([] if several else [60.0]))
        handles: dict[str, Line2D | Patch] = {}
        for one, (name, channel) in zip(axes, panels, strict=False):
            handles |= _draw_channel(one, analysis, name, channel, view)
            headline(
                one, f"{short(name)} · {_name_unit(analysis, channel)}" if several else _name_unit(analysis, channel)
            )
        if not several:
            handles |= _draw_surprise(axes[-1], analysis, device, view)
            headline(axes[-1], "surprise, -log10 p")
        for one, name in zip(axes, [name for name, _ in panels] + [device], strict=False):
            handles |= _draw_events(one, analysis, name, view, labels)
            if detected_ns is not None:
                one.axvline((detected_ns - view[0]) / 1e9, color=COLOURS["accent"], lw=1.0, ls=(0, (4, 2)))
                handles["detected"] = Line2D([], [], color=COLOURS["accent"], lw=1.0, ls=(0, (4, 2)), label="detected")
        _number_incidents(axes[0], analysis, device, view)
        for one in axes[:-1]:
            one.set_xlim(0, (view[1] - view[0]) / 1e9)
            one.xaxis.set_major_locator(NullLocator())
            one.spines["bottom"].set_visible(False)
        time_axis(axes[-1], *view)
        legend(figure, [handles[name] for name in LEGEND if name in handles], LEFT)
        return svg(figure, title)


def _draw_channel(axes: Axes, analysis: Analysis, device: str, channel: str, view: Span) -> dict[str, Line2D | Patch]:
    column = _column(analysis, channel)
    rows = _rows_of(analysis, device, view)
    x = (analysis.frame.time_ns[rows] - view[0]) / 1e9
    y = analysis.frame.values[rows, column].astype(np.float64)
    low, high = (part[rows, column].astype(np.float64) for part in (analysis.low, analysis.high))
    handles: dict[str, Line2D | Patch] = {}
    known = y[np.isfinite(y)]
    if not len(known):
        axes.text(0.5, 0.5, "no readings", transform=axes.transAxes, ha="center", va="center", color=COLOURS["muted"])
        axes.set_yticks([])
        return handles
    longest = _longest_gap(analysis, view)
    if np.isfinite(low).any():
        bx, below, above = _broken(longest, *_envelope(x, low, high))
        axes.fill_between(bx, below, above, color=COLOURS["band"], alpha=0.22, lw=0)
        handles["band"] = Patch(color=COLOURS["band"], alpha=0.3, lw=0, label="expected band")
        if len(rows) <= 2 * POINTS:
            middle = analysis.expected[rows, column].astype(np.float64)
            axes.plot(*_broken(longest, x, middle), color=COLOURS["band"], lw=0.9)
            handles["expected"] = Line2D([], [], color=COLOURS["band"], lw=0.9, label="expected")
    kept = thin(x, y)
    axes.plot(*_broken(longest, x[kept], y[kept]), color=COLOURS["seen"], lw=1.1)
    handles["seen"] = Line2D([], [], color=COLOURS["seen"], lw=1.1, label="seen")
    reach = float(np.ptp(known)) or 1.0
    floor = np.nanmin(np.append(np.clip(low, known.min() - reach, None), known.min()))  # a wide band may not flatten y
    top = np.nanmax(np.append(np.clip(high, None, known.max() + reach), known.max()))
    axes.set_ylim(floor - 0.06 * (top - floor), top + 0.06 * (top - floor) if top > floor else top + 1.0)
    value_axis(axes, 4)
    return handles


def _draw_surprise(axes: Axes, analysis: Analysis, device: str, view: Span) -> dict[str, Line2D | Patch]:
    """How improbable each reading is for normal data, ``-log10 p``, with the readings that alarmed as dots."""
    rows = _rows_of(analysis, device, view)
    x = (analysis.frame.time_ns[rows] - view[0]) / 1e9
    scores = analysis.scores
    surprise = np.where(scores.ready[rows], -np.log10(np.maximum(scores.p[rows], 10.0**-MOST_DECADES)), np.nan)
    handles: dict[str, Line2D | Patch] = {}
    if not np.isfinite(surprise).any():
        axes.text(0.5, 0.5, "no score", transform=axes.transAxes, ha="center", va="center", color=COLOURS["muted"])
        axes.set_yticks([])
        return handles
    kept = thin(x, surprise)
    axes.plot(*_broken(_longest_gap(analysis, view), x[kept], surprise[kept]), color=COLOURS["seen"], lw=0.8)
    alarm = np.flatnonzero(scores.alarm[rows])
    if len(alarm):
        dots = alarm[thin(x[alarm], surprise[alarm], DOTS)]
        axes.plot(x[dots], surprise[dots], ls="", marker="o", ms=2.2, color=COLOURS["accent"])
        handles["alarm"] = Line2D([], [], ls="", marker="o", ms=2.2, color=COLOURS["accent"], label="alarm")
    axes.set_ylim(0.0, 1.05 * max(3.0, float(np.nanmax(surprise))))
    value_axis(axes, 3)
    return handles


def _draw_events(
    axes: Axes, analysis: Analysis, device: str, view: Span, labels: Sequence[Label]
) -> dict[str, Line2D | Patch]:
    handles: dict[str, Line2D | Patch] = {}
    least = (view[1] - view[0]) / 1e9 / 400  # an event of one reading is still a visible stroke
    for incident in _in_view(analysis, device, view):
        start, end = (incident.start_ns - view[0]) / 1e9, (incident.end_ns - view[0]) / 1e9
        axes.axvspan(start, max(end, start + least), color=COLOURS["accent"], alpha=0.16, lw=0)
        handles["incident"] = Patch(color=COLOURS["accent"], alpha=0.2, lw=0, label="incident")
    for label in labels:
        if label.device == device and label.start_ns <= view[1] and label.end_ns >= view[0]:
            start, end = (label.start_ns - view[0]) / 1e9, (label.end_ns - view[0]) / 1e9
            axes.axvspan(start, max(end, start + least), ymax=0.045, color=COLOURS["known"], lw=0)
            handles["known"] = Patch(color=COLOURS["known"], lw=0, label="known label")
    return handles


def _number_incidents(axes: Axes, analysis: Analysis, device: str, view: Span) -> None:
    """Write the numbers of the incidents above the first panel, behind its title, the most severe first."""
    number = {incident.key: position for position, incident in enumerate(analysis.incidents, 1)}
    titled = 5.6 * len(axes.texts[0].get_text()) / (WIDTH - LEFT - RIGHT)
    taken: list[float] = []
    for incident in sorted(_in_view(analysis, device, view), key=lambda i: -i.severity):
        place = (max(incident.start_ns, view[0]) - view[0]) / (view[1] - view[0])
        if all(abs(place - other) > 0.04 for other in taken):
            taken.append(place)
            text = f"#{number[incident.key]}"
            height, hang = (0.985, "top") if place < titled else (1.02, "bottom")
            axes.text(place, height, text, transform=axes.transAxes, va=hang, size=8, color=COLOURS["accent"])


def _in_view(analysis: Analysis, device: str, view: Span) -> list[Incident]:
    return [i for i in analysis.incidents if device in i.devices and i.start_ns <= view[1] and i.end_ns >= view[0]]


def _top_channels(analysis: Analysis, device: str, view: Span, most: int) -> list[str]:
    weight = dict.fromkeys(analysis.frame.schema.names, 0.0)
    for incident in _in_view(analysis, device, view):
        for reading in incident.readings:
            weight[reading.channel] += reading.share * (1.0 + incident.severity)
    return sorted(weight, key=lambda name: -weight[name])[: max(most, 1)]


def _period(analysis: Analysis) -> Span:
    time_ns = analysis.frame.time_ns
    if not len(time_ns):
        raise InputError("figure: the frame has no rows, so there is nothing to draw")
    start, end = int(time_ns.min()), int(time_ns.max())
    return start, max(end, start + 1_000_000_000)


def _column(analysis: Analysis, channel: str) -> int:
    names = analysis.frame.schema.names
    if channel not in names:
        raise InputError(f"figure: there is no channel {channel!r}; the channels are {', '.join(names)}")
    return names.index(channel)


def _rows_of(analysis: Analysis, device: str, view: Span) -> Rows:
    """Rows of a device in view, oldest first; of readings with the same time the one that was judged."""
    frame = analysis.frame
    if device not in frame.devices:
        raise InputError(f"figure: there is no device {device!r} in the frame; check the name")
    own = frame.device == frame.devices.index(device)
    rows = np.flatnonzero(own & (frame.time_ns >= view[0]) & (frame.time_ns <= view[1]))
    rows = rows[np.lexsort((~analysis.scores.ready[rows], frame.time_ns[rows]))]
    return rows[np.flatnonzero(np.diff(frame.time_ns[rows], prepend=view[0] - 1))]


def _longest_gap(analysis: Analysis, view: Span) -> float:
    stretch = (view[1] - view[0]) / 1e9 / POINTS
    return max(GAP_INTERVALS * analysis.frame.interval_s(), 2.5 * stretch)


def _presence(analysis: Analysis, device: str, view: Span) -> Array:
    """Start and end of each run of readings of a device in seconds since the start of the view, shape (runs, 2)."""
    x = (analysis.frame.time_ns[_rows_of(analysis, device, view)] - view[0]) / 1e9
    breaks = np.flatnonzero(np.diff(x) > _longest_gap(analysis, view)) + 1
    return np.array([(run[0], run[-1]) for run in np.split(x, breaks) if len(run)]).reshape(-1, 2)


def _envelope(x: Array, low: Array, high: Array) -> tuple[Array, Array, Array]:
    if len(x) <= 2 * POINTS:
        return x, low, high
    place = np.minimum((x - x[0]) * (POINTS / (x[-1] - x[0])), POINTS - 1).astype(np.intp)
    first = np.flatnonzero(np.diff(place, prepend=-1))
    return x[first], np.fmin.reduceat(low, first), np.fmax.reduceat(high, first)  # NaN only where all are


def _broken(longest: float, x: Array, *ys: Array) -> list[Array]:
    """The same lines with NaN put in wherever ``x`` leaps by more than ``longest``."""
    leaps = np.flatnonzero(np.diff(x) > longest) + 1
    return [np.insert(line, leaps, np.nan) for line in (x, *ys)]


def _name_unit(analysis: Analysis, channel: str) -> str:
    unit = analysis.frame.schema.channels[_column(analysis, channel)].unit
    return f"{short(channel)} ({short(unit)})" if unit else short(channel)
