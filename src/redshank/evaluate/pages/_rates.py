"""Figures of rates and ranks: how far p can be believed, false alarms asked and realised, mean ranks of detectors."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullLocator

from redshank.core import InputError
from redshank.core.detector import Array
from redshank.evaluate.intervals import garwood
from redshank.evaluate.pages._canvas import COLOURS, house_style, short, stack, svg
from redshank.evaluate.pages._plots import (
    MOST_LINES,
    Record,
    axis_names,
    distinct,
    dotted,
    key,
    log_axes,
    names_of,
    numeric,
    power,
    square,
    stroke,
    titled,
)
from redshank.evaluate.significance import CriticalDifference
from redshank.incidents import number

BASELINES = "trivial baselines"
"""What keys call the rules that need no learning."""
MOST_TICKS = 6
"""Ticks of a scale of rates besides zero."""
WIDEST = 0.1
"""Where the axis of a reliability chart begins at the latest."""


def calibration_chart(records: Sequence[Record]) -> str:
    """How often normal rows had p of at most u, against u; on the diagonal p means what it says.

    Parameters
    ----------
    records : sequence of mapping
        Runs with ``calibration.reliability``; each device is a thin line, all devices together a bold one.

    Raises
    ------
    InputError
        If none of the records has a reliability curve.
    """
    drawn = [r for r in records if (r.get("calibration") or {}).get("reliability")][:MOST_LINES]
    if not drawn:
        raise InputError(
            f"calibration_chart: none of the {len(records)} records says how reliable p is; it needs labels"
        )
    every = [line for r in drawn for line in _reliable(r)]
    positive = np.concatenate([np.minimum(u, s)[(u > 0) & (s > 0)] for u, s in every])
    lowest = 10.0 ** math.floor(math.log10(float(positive.min()))) if len(positive) else 1e-3
    lowest = min(lowest, WIDEST)
    names = names_of(drawn)
    several = len(every) > len(drawn) and any(len(_reliable(r)) > 2 for r in drawn)
    entries = [*names, *(["one device"] if several else []), "exact"]
    with house_style(f"calibration {lowest} {len(every)}"):
        figure, axes = square(entries)
        handles, said = [], []
        axes.plot([lowest, 1], [lowest, 1], color=COLOURS["rule"], lw=0.9, ls=(0, (2, 2)))
        for place, (r, name) in enumerate(zip(drawn, names, strict=True)):
            style = stroke(place)
            pooled, *devices = _reliable(r)
            for u, share in devices if several else ():
                axes.plot(u, np.where(share > 0, share, np.nan), color=style["color"], lw=0.6, alpha=0.55)
            u, share = pooled
            axes.plot(u, np.where(share > 0, share, np.nan), **style | {"lw": 2.2})
            handles.append(Line2D([], [], **style | {"lw": 2.2}, label=name))
            said += [
                f"{name}: {number(100 * s)} % of normal rows at p of {number(100 * at)} %"
                for at, s in zip(u, share, strict=True)
                if 0 < at < 0.2
            ]
        if several:
            handles.append(Line2D([], [], color=COLOURS["muted"], lw=0.6, label="one device"))
        handles.append(Line2D([], [], color=COLOURS["rule"], lw=0.9, ls=(0, (2, 2)), label="exact"))
        log_axes(axes, (lowest, 1), (lowest, 1))
        axis_names(axes, "tail probability p", "share of normal rows at or below p")
        key(figure, handles)
        return svg(figure, titled("Reliability of the tail probability", drawn), f"{'; '.join(said)}.")


def rate_chart(records: Sequence[Record]) -> str:
    """False incidents per device-week that came, against those that were asked for, with exact 95 % intervals.

    Parameters
    ----------
    records : sequence of mapping
        Runs with ``calibration`` and ``events``; points in the shade kept their budget.

    Raises
    ------
    InputError
        If none of the records has an asked and a realised rate.
    """
    found = []
    for r, name in zip(records, names_of(records), strict=True):
        asked, events = (r.get("calibration") or {}).get("asked_per_device_week"), r.get("events") or {}
        if asked and events.get("false") is not None and events.get("device_weeks"):
            found.append((r, name, float(asked), garwood(events["false"], events["device_weeks"])))
    if not found:
        raise InputError(
            f"rate_chart: none of the {len(records)} records has asked and realised false alarms; it needs labels"
        )
    positive = [v for *_, got in found for v in (got.estimate, got.low, got.high) if v > 0] + [a for *_, a, _ in found]
    ticks = _ticks(min(positive), max(positive))
    first, last = min(a for *_, a, _ in found) / 2.5, max(a for *_, a, _ in found) * 2.5
    groups = list(dict.fromkeys(r["detector"] for r, *_ in found if not r["baseline"]))
    trivial = [BASELINES] if any(r["baseline"] for r, *_ in found) else []
    beside: dict[float, int] = {}
    with house_style(f"rate {ticks}"):
        figure, axes = square([*map(short, groups), *trivial, "as asked"])
        line = np.geomspace(first, last, 60)  # bent where the scale goes over to zero
        axes.fill_between(line, line, 0.0, color=COLOURS["continuous"], alpha=0.09, lw=0)
        axes.plot(line, line, color=COLOURS["rule"], lw=0.9, ls=(0, (2, 2)))
        for r, _, asked, got in found:
            dot = dotted(groups.index(r["detector"]) if not r["baseline"] else None)
            beside[asked] = turn = beside.get(asked, -1) + 1
            x = asked * (last / first) ** (0.018 * ((turn + 1) // 2) * (-1) ** turn)  # beside those already drawn
            axes.vlines(x, got.low, got.high, color=dot["color"], lw=1.2)
            axes.plot([x], [got.estimate], **dot, clip_on=False, zorder=3)
        handles = [Line2D([], [], **dotted(k), label=short(g)) for k, g in enumerate(groups)]
        handles += [Line2D([], [], **dotted(None), label=text) for text in trivial]
        handles.append(Line2D([], [], color=COLOURS["rule"], lw=0.9, ls=(0, (2, 2)), label="as asked"))
        log_axes(axes, (first, last), (ticks[1], ticks[-1]))
        axes.set_xticks(sorted({asked for _, _, asked, _ in found}))
        axes.set_yscale("symlog", linthresh=ticks[1], linscale=0.4)
        axes.set_yticks(ticks)
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(lambda value, _: power(value))
        axes.set_ylim(0.0, ticks[-1])
        axis_names(axes, "asked, per device-week", "false incidents per device-week")
        key(figure, handles)
        about = "; ".join(
            f"{name}: asked {number(asked)}, got {number(got.estimate)} ({number(got.low)} to {number(got.high)})"
            for _, name, asked, got in found
        )
        return svg(
            figure, titled("False alarms asked for and realised", [r for r, *_ in found]), f"Per device-week. {about}."
        )


def _ticks(least: float, most: float) -> list[float]:
    """Zero, and round numbers around what is drawn: about five, each a step of 1, 2 and 5 or of decades."""
    low, high = math.floor(math.log10(least)), math.ceil(math.log10(most))
    decades = range(low, max(high, low + 1) + 1)
    fine = [10.0**decade * step for decade in decades for step in (1, 2, 5)]
    above = next(k for k, one in enumerate(fine) if one >= most)
    below = max(k for k, one in enumerate(fine) if one <= least * (1 + 1e-9))
    kept = fine[below : above + 1]
    if len(kept) > MOST_TICKS:
        step = -(-len(decades) // MOST_TICKS)
        kept = [10.0**decade for decade in range(low, high + step, step)]
    return [0.0, *(kept if len(kept) > 1 else [*kept, 2 * kept[0]])]


def critical_difference_chart(cd: CriticalDifference, *, measure: str = "") -> str:
    """Mean ranks on a line, best on the left; a thick bar joins those whose ranks do not differ significantly.

    ``measure`` is what was ranked by; the figure names it.

    Notes
    -----
    The diagram of J. Demšar, "Statistical comparisons of classifiers over multiple data sets", JMLR 7, 2006.
    """
    order = sorted(range(len(cd.names)), key=lambda i: (cd.mean_ranks[i], cd.names[i]))
    shown = dict(zip(cd.names, distinct([name.replace("detector.", "") for name in cd.names]), strict=True))
    names, ranks = [cd.names[i] for i in order], [float(cd.mean_ranks[i]) for i in order]
    bars = [sorted(names.index(name) for name in group) for group in cd.groups if len(group) > 1]
    k, half = len(names), (len(names) + 1) // 2
    first_row = 0.9 + 0.45 * len(bars)
    depth = first_row + half
    by = f" by {measure}" if measure else ""
    with house_style(f"ranks {names!r} {measure}"):
        figure, (axes,) = stack([20.0 * depth], left=175.0, above=52.0, beneath=6.0)
        axes.set_position((175 / 720, 6 / (58 + 20 * depth), 375 / 720, 20 * depth / (58 + 20 * depth)))
        axes.set(xlim=(1, max(k, 2)), ylim=(depth, 0))
        axes.spines[["left", "bottom"]].set_visible(False)
        axes.spines["top"].set(visible=True, color=COLOURS["rule"], linewidth=0.8)
        axes.xaxis.tick_top()
        axes.xaxis.set_major_locator(MaxNLocator(10, integer=True))
        axes.set_yticks([])
        for place, (name, rank) in enumerate(zip(names, ranks, strict=True)):
            left = place < half
            row = first_row + (place if left else k - 1 - place) + 0.4
            edge, align, step = (-0.02, "right", -4) if left else (1.02, "left", 4)
            x_edge = 1 + edge * (max(k, 2) - 1)
            axes.plot([rank, rank, x_edge], [0, row, row], color=COLOURS["seen"], lw=0.8, clip_on=False)
            axes.plot([rank], [0], marker="o", ms=4, color=COLOURS["contextual"], clip_on=False, zorder=3)
            axes.annotate(
                f"{shown[name]}  {rank:.2f}" if left else f"{rank:.2f}  {shown[name]}",
                (x_edge, row),
                (step, 0),
                textcoords="offset points",
                ha=align,
                va="center",
                size=8.5,
                color=COLOURS["ink"],
                annotation_clip=False,
            )
        for level, members in enumerate(bars):
            ends = [ranks[members[0]] - 0.03, ranks[members[-1]] + 0.03]
            axes.plot(ends, [0.5 + 0.45 * level] * 2, color=COLOURS["ink"], lw=3.4, solid_capstyle="round", zorder=4)
        width = float(cd.critical_difference)
        if math.isfinite(width):
            tall = -30 / 20
            axes.plot([1, 1 + width], [tall] * 2, color=COLOURS["accent"], lw=1.6, marker="|", ms=7, clip_on=False)
            axes.text(
                1 + width / 2,
                tall - 0.25,
                f"critical difference {width:.2f}",
                ha="center",
                va="bottom",
                size=8,
                color=COLOURS["accent"],
            )
        axes.annotate(
            f"mean rank{by}",
            (0.0, 1.0),
            (-165, 30),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="left",
            va="bottom",
            size=8,
            color=COLOURS["muted"],
            annotation_clip=False,
        )
        told = f"Friedman p {number(cd.friedman_p)}, {cd.series} series" if math.isfinite(cd.friedman_p) else ""
        axes.annotate(
            told,
            (1.0, 1.0),
            (0, 30),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="right",
            va="bottom",
            size=8,
            color=COLOURS["muted"],
            annotation_clip=False,
        )
        about = f"Mean ranks{by}, best first: " + ", ".join(f"{n} {r:.2f}" for n, r in zip(names, ranks, strict=True))
        joined = "; ".join(", ".join(names[i] for i in members) for members in bars)
        return svg(figure, f"Critical-difference diagram{by}", f"{about}. Not told apart: {joined or 'none'}. {told}")


def _reliable(record: Record) -> list[tuple[Array, Array]]:
    """``u`` and share of all devices together, then of each device."""
    pooled = record["calibration"]["reliability"]
    return [(numeric(one["u"]), numeric(one["share"])) for one in (pooled, *(pooled.get("devices") or {}).values())]
