"""The ground that figures are drawn on: panels, axes, colours by role, and the way to short SVG text."""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, NullLocator

from redshank.core import Kind

WIDTH, LEFT, RIGHT = 720.0, 58.0, 10.0
"""Width of every figure and its margins, in points."""
LONGEST_NAME = 26
"""Characters of a device or channel name that a figure shows."""


COLOURS: Mapping[str, str] = {
    "ink": "#727c87",
    "muted": "#7f8994",
    "rule": "#8e97a1",
    "seen": "#667684",
    "band": "#3d8fd1",
    "accent": "#d9573a",
    "known": "#8d6fb8",
    "point": "#d5652a",
    "contextual": "#2f83c0",
    "collective": "#b9679a",
    "continuous": "#159b76",
    "silence": "#848d97",
    "fault": "#b3861b",
    "attack": "#7d6bd0",
    "visual": "#1f95a8",
}
"""Role of a colour (the CSS variable) and its mid-tone; kinds after Okabe and Ito, told apart by shape as well."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How a kind of incident looks: colour role, Matplotlib marker, and the same shape as a character."""

    role: str
    marker: str
    glyph: str


MARKS: Mapping[Kind, Mark] = {
    Kind.POINT: Mark("point", "o", "●"),
    Kind.CONTEXTUAL: Mark("contextual", "D", "◆"),
    Kind.COLLECTIVE: Mark("collective", "s", "■"),
    Kind.CONTINUOUS: Mark("continuous", "^", "▲"),
    Kind.SILENCE: Mark("silence", "X", "✕"),
    Kind.SENSOR_FAULT: Mark("fault", "v", "▼"),
    Kind.NETWORK_ATTACK: Mark("attack", "*", "★"),
    Kind.VISUAL: Mark("visual", "P", "✚"),
}

STEPS_S = (
    *(10.0**decade * step for decade in range(-6, 0) for step in (1, 2, 5)),
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200),
    *(86400.0 * days for days in (1, 2, 5, 7, 14, 28, 56, 91, 182, 365, 730, 1826, 3652)),
)
"""Distances between time ticks that read well, in seconds."""


def short(name: str) -> str:
    text = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…"


def time_axis(axes: Axes, start: int, end: int) -> None:
    """ISO dates in UTC; below a day the time, and the date where it changes."""
    length = (end - start) / 1e9
    step = next((step for step in STEPS_S if length / step <= 7), STEPS_S[-1])
    step_ns = max(1, round(step * 1e9))
    moments = [k * step_ns for k in range(-(-start // step_ns), end // step_ns + 1)]
    form = "%Y-%m-%d" if step >= 86400 else "%H:%M" if step >= 60 else "%H:%M:%S"
    digits = 0 if step >= 1 else 3 if step >= 1e-3 else 6
    texts, day = [], ""
    for time_ns in moments:
        when = datetime.fromtimestamp(time_ns // 1_000_000_000, tz=UTC)
        fraction = f".{time_ns // 1000 % 1_000_000:06d}"[: digits + 1] if digits else ""
        today = "" if step >= 86400 else f"\n{when:%Y-%m-%d}"
        texts.append(f"{when.strftime(form)}{fraction}{today if today != day else ''}")
        day = today
    axes.set_xlim(0, length)
    axes.set_xticks([(time_ns - start) / 1e9 for time_ns in moments], texts)
    axes.text(1.0, 1.02, "UTC", transform=axes.transAxes, ha="right", va="bottom", size=7.5, color=COLOURS["muted"])


def value_axis(axes: Axes, ticks: int, *, log: bool = False) -> None:
    """About ``ticks`` round numbers, written out in full."""
    if log:
        axes.set_yscale("log")
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        axes.yaxis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.7g}".replace("-", "\N{MINUS SIGN}"))


def headline(axes: Axes, text: str) -> None:
    axes.text(0.0, 1.02, text, transform=axes.transAxes, va="bottom", size=9, weight="bold", color=COLOURS["ink"])


def legend(figure: Figure, handles: Sequence[Line2D | Patch], left: float) -> None:
    if handles:
        figure.legend(
            handles=handles,
            loc="upper left",
            bbox_to_anchor=(left / WIDTH, 1.0),
            ncols=len(handles),
            frameon=False,
            fontsize=8,
            labelcolor=COLOURS["ink"],
            borderpad=0.1,
            borderaxespad=0.0,
            handlelength=1.4,
            handletextpad=0.5,
            columnspacing=1.4,
        )


def stack(
    heights: Sequence[float], left: float = LEFT, above: float = 34.0, *, width: float = WIDTH, beneath: float = 30.0
) -> tuple[Figure, list[Axes]]:
    """A figure with panels of these heights (points) one under the other; ``above`` is room for legend and title."""
    between = 20.0
    total = above + beneath + sum(heights) + between * (len(heights) - 1)
    figure = Figure(figsize=(width / 72, total / 72))
    FigureCanvasSVG(figure)
    panels, top = [], total - above
    for height in heights:
        box = (left / width, (top - height) / total, (width - left - RIGHT) / width, height / total)
        axes = figure.add_axes(box)
        axes.patch.set_visible(False)
        axes.spines[["top", "right"]].set_visible(False)
        for side in ("left", "bottom"):
            axes.spines[side].set(color=COLOURS["rule"], linewidth=0.6)
        axes.tick_params(color=COLOURS["rule"], labelcolor=COLOURS["muted"], labelsize=8, width=0.6, length=3)
        panels.append(axes)
        top -= height + between
    figure.patch.set_visible(False)
    return figure, panels


@contextmanager
def house_style(salt: str) -> Iterator[None]:
    """Text stays text, names are never read as formulas, and the same data give the same file."""
    with (
        mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": salt, "text.parse_math": False, "text.usetex": False}),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # the browser has the fonts, not Matplotlib
        yield


DECIMALS = re.compile(r"-?\d+\.\d{2,}")
ROLES = {colour: role for role, colour in COLOURS.items()}
FONT = "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def svg(figure: Figure, title: str, about: str = "") -> str:
    """The figure as one ``svg`` element that can stand alone and inside a page.

    ``title`` names it and ``about`` says in words what it shows, for whoever does not see it.
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->|<defs>\s*</defs>", "", text, flags=re.DOTALL)
    text = text[text.index("<svg") :]
    used = set(re.findall(r"[\"(]#([\w.-]+)[\")]", text))
    text = re.sub(r"<[a-z][^>]*>", lambda tag: _plain_tag(tag[0], used), text)
    text = re.sub(r"(?<=>)\s+(?=<)", "", text)
    width, height = (round(float(size) * 72) for size in figure.get_size_inches())
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}" role="img" aria-label="{html.escape(title)}" '
        f'font-family="{FONT}" stroke-linejoin="round" stroke-linecap="butt">'
    )
    said = f"<title>{html.escape(title)}</title><desc>{html.escape(about)}</desc>" if about else ""
    return head + said + text[text.index(">") + 1 :].strip()


def _plain_tag(tag: str, used: set[str]) -> str:
    """A tag without ids that nothing refers to, with short paths, the page's font and colours by role."""
    tag = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in used else "", tag)
    tag = re.sub(r' transform="rotate\(-?0 [^"]*"', "", tag)
    tag = re.sub(r' d="([^"]*)"', lambda found: f' d="{short_path(found[1])}"', tag)
    tag = re.sub(r' (?:x|y|transform)="[^"]*"', lambda place: DECIMALS.sub(_one_decimal, place[0]), tag)
    tag = re.sub(r" font-family: [^;\"]*;", "", tag)
    tag = re.sub(r"#[0-9a-f]{6}\b", lambda found: _by_role(found[0]), tag)
    return re.sub(r"\s*\n\s*", " ", tag)


def _by_role(colour: str) -> str:
    return f"var(--{ROLES[colour]}, {colour})" if colour in ROLES else colour


def _one_decimal(found: re.Match[str]) -> str:
    return f"{float(found[0]):.1f}".removesuffix(".0")


def short_path(path: str) -> str:
    """The same path in relative steps of a tenth of a point: a third of the text; curves are left as they are."""
    if not set(re.findall(r"[A-Za-z]", path)) <= {"M", "L", "z"}:
        return DECIMALS.sub(_one_decimal, path)
    parts, here, begun = [], (0, 0), (0, 0)
    for command, x, y in re.findall(r"([MLz]) ?(-?[\d.]+)? ?(-?[\d.]+)?", path):
        if command == "z":
            parts.append("z")
            here = begun  # closing a path leads back to where it began
            continue
        place = round(float(x) * 10), round(float(y) * 10)
        step = f"{(place[0] - here[0]) / 10:g}", f"{(place[1] - here[1]) / 10:g}"
        parts.append(f"{'l' if command == 'L' else 'm'}{step[0]} {step[1]}")
        here, begun = place, begun if command == "L" else place
    return re.sub(r"(?<!\d)0\.", ".", "".join(parts).replace(" -", "-"))
