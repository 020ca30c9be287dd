"""The report and its figures: what they say, what they must not do, and how small they stay."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.reported import judged_fleet, known_labels

from redshank.core import Channel, InputError, Kind, SettingError
from redshank.evaluate.pages._canvas import COLOURS, MARKS, house_style, short_path, stack, svg, time_axis
from redshank.evaluate.pages.figures import incident_figure, lanes_figure, series_figure, thin
from redshank.evaluate.pages.report import MOST_CARDS, MOST_ROWS, verdict, write_report
from redshank.pipeline import Analysis

BUDGET = "1 per device per week"
EVIL = "<script>alert(1)</script>"


def written(folder: Path, analysis: Analysis, **more: object) -> str:
    settings: dict[str, object] = {
        "title": "Pumps",
        "source": "pumps.csv",
        "budget": BUDGET,
        "held_back_rate": 0.8,
    } | more
    return write_report(folder / "report.html", analysis, **settings).read_text("utf-8")  # type: ignore[arg-type]


def parsed(figure: str) -> ET.Element:
    return ET.fromstring(figure)  # noqa: S314 - our own figure


@pytest.fixture(scope="module")
def fleet() -> Analysis:
    return judged_fleet(rows=600)


@pytest.fixture(scope="module")
def plain(fleet: Analysis, tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(tmp_path_factory.mktemp("plain"), fleet)


class Page(HTMLParser):
    """Tags, attributes and headings of a page; complains about tags that are not closed in order."""

    VOID = frozenset({"meta", "link", "br", "use", "path"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.headings: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)

    def values(self, name: str) -> list[str]:
        return [value for _, own, value in self.attributes if own == name]


def test_verdict_says_what_was_found_asked_and_measured(fleet: Analysis) -> None:
    analysis = fleet
    assert verdict(analysis, BUDGET, 0.8) == (
        "7 incidents on 3 devices in 2 days; asked for at most 1 false alarm per device per week, "
        "held-back normal data gave 0.8."
    )
    assert verdict(replace(analysis, incidents=()), "3 per day", 0.25) == (
        "No incident in 2 days; asked for at most 3 false alarms per day, "
        "held-back normal data gave 0.25 per device per week."
    )
    assert verdict(analysis, BUDGET, float("nan")).endswith("held-back normal data gave no answer.")
    with pytest.raises(SettingError, match="not understood"):
        verdict(analysis, "few", 0.0)


def test_sections_come_in_order_and_the_page_is_sound(tmp_path: Path, fleet: Analysis) -> None:
    analysis = fleet
    text = written(
        tmp_path,
        analysis,
        labels=known_labels(analysis),
        measures={"recall": 0.875, "median delay": "12 min"},
        ledger={"rows read": 12345},
        notes=["Clock of valve-7 jumped once."],
        settings={"detector": "pca"},
        seconds={"fit": 1.25},
    )
    page = Page(text)
    assert page.open == []
    assert page.headings == [
        "Timeline",
        "Incidents",
        "Closer look",
        "Whole period",
        "Compared with known labels",
        "Data and settings",
        "How to read this",
    ]
    for said in ("not used for learning", "0.875", "12 min", "12,345", "Clock of valve-7 jumped once.", "1.25 s"):
        assert said in text
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    links = [value for tag, name, value in page.attributes if (tag, name) == ("a", "href")]
    assert links
    assert {link.removeprefix("#") for link in links} <= set(ids)
    used = set(re.findall(r"url\(#([^)]*)\)", text)) | {value.removeprefix("#") for value in page.values("xlink:href")}
    assert used <= set(ids)
    assert page.tags["th"] == len(page.values("scope"))
    figures = [name for tag, name, _ in page.attributes if tag == "svg"]
    assert figures.count("aria-label") == page.tags["svg"] == 1 + 7 + 3


def test_the_page_counts_and_shows_every_incident(fleet: Analysis, plain: str) -> None:
    assert 'data-incidents="7"' in plain
    assert plain.count('class="incident"') == plain.count("<article id=") == 7
    for incident in fleet.incidents:
        assert plain.count(incident.sentence) >= 2  # in the table and on its card
    assert "Compared with known labels" not in plain


def test_nothing_is_loaded_and_nothing_runs(plain: str) -> None:
    page = Page(plain)
    assert page.tags["script"] == page.tags["img"] == page.tags["iframe"] == 0
    assert "src" not in {name for _, name, _ in page.attributes}
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    outside = [value for name in ("href", "xlink:href") for value in page.values(name) if not value.startswith("#")]
    assert outside == ["data:,"]
    assert "@import" not in plain
    assert not re.search(r"url\((?!#)", plain)
    without_namespaces = re.sub(r'xmlns(:xlink)?="[^"]*"', "", plain)
    assert "http://" not in without_namespaces
    assert "https://" not in without_namespaces
    assert "default-src 'none'; style-src 'unsafe-inline'" in plain


def test_names_are_text_and_never_markup_nor_formula(tmp_path: Path) -> None:
    price = 'price $x_1$ & "y" id="p1"'
    devices = (f"pump {EVIL}", "a'b\"--><marquee>", "温度計 $\\frac$")
    channels = (Channel(price, "<marquee>"), Channel(EVIL, "$/h"), Channel("t"))
    analysis = judged_fleet(rows=300, devices=devices, channels=channels)
    text = written(
        tmp_path,
        analysis,
        title=EVIL,
        source=EVIL,
        notes=[EVIL],
        ledger={EVIL: 1},
        settings={EVIL: EVIL},
        seconds={EVIL: 1.0},
        labels=known_labels(analysis),
        measures={EVIL: EVIL},
    )
    page = Page(text)
    assert page.open == []
    assert page.tags["script"] == page.tags["marquee"] == 0
    assert "<script" not in text.lower()
    assert len(page.values("id")) == len(set(page.values("id")))
    figure = series_figure(analysis, devices[0])
    drawn = ["".join(element.itertext()) for element in parsed(figure).iter() if "text" in element.tag]
    assert f"{price} (<marquee>)" in drawn


def test_figures_are_svg_that_stands_alone(fleet: Analysis) -> None:
    analysis = fleet
    labels = known_labels(analysis)
    figures = [
        lanes_figure(analysis, analysis.frame.devices, labels=labels),
        series_figure(analysis, "pump-01", labels=labels),
        *(incident_figure(analysis, incident, labels=labels) for incident in analysis.incidents),
    ]
    for figure in figures:
        root = parsed(figure)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root.attrib["viewBox"].startswith("0 0 720 ")
        colours = set(re.findall(r"#[0-9a-f]{6}\b(?!\")", re.sub(r"url\(#\w+\)|href=\"#\w+\"", "", figure)))
        assert colours <= set(COLOURS.values())
        assert figure.count("var(--") >= 5
        assert not re.search(r'id="(figure|axes|patch|text|line2d)_', figure)


def test_a_figure_shows_incident_detection_alarms_and_labels(fleet: Analysis) -> None:
    analysis = fleet
    drift = next(i for i in analysis.incidents if i.kind is Kind.CONTINUOUS)
    figure = incident_figure(analysis, drift, labels=known_labels(analysis))
    for word in ("seen", "expected", "expected band", "alarm", "incident", "detected", "known label"):
        assert f">{word}<" in figure
    assert ">surprise, -log10 p<" in figure
    for reading in drift.readings[:3]:
        assert f">{reading.channel} (" in figure
    assert f">{drift.readings[3].channel} (" not in figure
    outage = incident_figure(analysis, next(i for i in analysis.incidents if len(i.devices) == 3))
    for device in analysis.frame.devices:
        assert f">{device} · flow (m³/h)<" in outage


def test_lanes_draw_only_the_kinds_that_occur(fleet: Analysis) -> None:
    analysis = fleet
    figure = lanes_figure(analysis, ["pump-01"])
    assert ">continuous<" in figure
    assert ">silence<" in figure
    assert ">network attack<" not in figure  # on another device
    assert ">known label<" not in figure
    assert set(MARKS) == set(Kind)
    assert len({mark.marker for mark in MARKS.values()}) == len({mark.glyph for mark in MARKS.values()}) == len(Kind)


def test_same_data_same_file(tmp_path: Path, plain: str) -> None:
    assert written(tmp_path, judged_fleet(rows=600)) == plain


def test_order_of_rows_and_repeated_readings_do_not_matter() -> None:
    analysis = judged_fleet(rows=300)
    order = np.random.default_rng(0).permutation(len(analysis.frame))
    order = np.concatenate([order, order[:50]])
    ready = analysis.scores.ready[order].copy()
    ready[len(analysis.frame) :] = False  # a repeated reading is not judged
    shuffled = replace(
        analysis,
        frame=analysis.frame.take(order),
        scores=replace(
            analysis.scores,
            **{name: getattr(analysis.scores, name)[order] for name in ("score", "p", "alarm")},
            ready=ready,
        ),
        **{name: getattr(analysis, name)[order] for name in ("contributions", "expected", "low", "high")},
    )
    assert series_figure(shuffled, "pump-02") == series_figure(analysis, "pump-02")


def test_a_quiet_period_has_a_friendly_page(tmp_path: Path, fleet: Analysis) -> None:
    analysis = replace(fleet, incidents=())
    text = written(tmp_path, analysis)
    assert "Nothing stood out." in text
    assert 'data-incidents="0"' in text
    assert Page(text).headings == ["Timeline", "Data and settings", "How to read this"]
    assert text.count("<svg") == 1


def test_an_empty_frame_is_still_a_report(tmp_path: Path, fleet: Analysis) -> None:
    full = fleet
    none = slice(0, 0)
    analysis = Analysis(
        full.frame.take(none),
        replace(full.scores, **{name: getattr(full.scores, name)[none] for name in ("score", "ready", "p", "alarm")}),
        full.contributions[none],
        full.expected[none],
        full.low[none],
        full.high[none],
        (),
    )
    assert "There were no readings in this period." in written(tmp_path, analysis)
    with pytest.raises(InputError, match="no rows"):
        lanes_figure(analysis, ["pump-01"])


def test_devices_without_band_score_or_values_are_drawn() -> None:
    analysis = judged_fleet(rows=300)
    nothing = np.full_like(analysis.expected, np.nan)
    bare = replace(
        analysis,
        frame=replace(analysis.frame, values=nothing),
        scores=replace(analysis.scores, ready=np.zeros(len(nothing), bool)),
        contributions=nothing,
        expected=nothing,
        low=nothing,
        high=nothing,
    )
    figure = series_figure(bare, "pump-01")
    assert figure.count(">no readings<") == 3
    assert ">no score<" in figure
    assert ">expected band<" not in figure


def test_alarms_are_dots_at_the_surprise_of_their_readings() -> None:
    analysis = judged_fleet(rows=300)
    quiet = replace(analysis, scores=replace(analysis.scores, alarm=np.zeros(len(analysis.frame), bool)))
    assert ">alarm<" in series_figure(analysis, "pump-01")
    assert ">alarm<" not in series_figure(quiet, "pump-01")
    certain = replace(analysis, scores=replace(analysis.scores, p=np.zeros(len(analysis.frame))))
    assert ">10<" in series_figure(certain, "pump-01")  # p = 0 is drawn at the smallest probability shown


def test_unknown_names_are_refused() -> None:
    analysis = judged_fleet(rows=300)
    with pytest.raises(InputError, match="no device 'pump-99'"):
        series_figure(analysis, "pump-99")
    with pytest.raises(InputError, match="no channel 'speed'"):
        series_figure(analysis, "pump-01", channels=["speed"])


def test_many_incidents_and_devices_are_folded_and_it_says_so(tmp_path: Path) -> None:
    devices = tuple(f"d{k:03}" for k in range(80))
    analysis = judged_fleet(rows=240, devices=devices)
    pattern = analysis.incidents[0]
    many = [
        replace(
            pattern,
            key=f"k{k}",
            devices=(devices[k % 70],),
            severity=float(k % 100),
            start_ns=pattern.start_ns + k * 10**9,
            end_ns=pattern.end_ns + k * 10**9,
        )
        for k in range(MOST_ROWS + 20)
    ]
    text = written(tmp_path, replace(analysis, incidents=tuple(many)))
    assert f"These are the {MOST_ROWS} most severe; 20 less severe ones are not listed." in text
    assert f"The {MOST_CARDS} most severe of {MOST_ROWS + 20} incidents" in text
    assert "50 more are not shown" in text
    assert "64 more with incidents are not drawn" in text
    assert text.count('class="incident"') == MOST_ROWS
    assert text.count("<article id=") == MOST_CARDS
    assert f'data-incidents="{MOST_ROWS + 20}"' in text


def test_a_million_rows_make_a_small_file(tmp_path: Path) -> None:
    analysis = judged_fleet(rows=125_000, devices=tuple(f"d{k}" for k in range(8)), interval_s=60.0)
    assert len(analysis.frame) > 990_000
    assert len(written(tmp_path, analysis, labels=known_labels(analysis))) < 1_500_000
    assert len(series_figure(analysis, "d0")) < 60_000


def test_failure_leaves_the_old_report_and_no_rest(tmp_path: Path, fleet: Analysis) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    quiet = replace(fleet, incidents=())
    with pytest.raises(SettingError):
        written(tmp_path, quiet, budget="few")
    with pytest.raises(UnicodeEncodeError):
        written(tmp_path, quiet, title="\ud800")
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]


@given(st.lists(st.floats(-1e6, 1e6) | st.just(np.nan), min_size=1, max_size=300), st.integers(1, 20))
def test_thinning_keeps_order_and_the_extremes_of_every_stretch(values: list[float], stretches: int) -> None:
    y, x = np.array(values), np.arange(float(len(values)))
    kept = thin(x, y, stretches)
    assert (np.diff(kept) > 0).all()
    assert len(kept) <= max(2 * stretches, 0)
    if len(x) <= 2 * stretches:
        assert len(kept) == len(x)
        return
    place = np.minimum((x * stretches / x[-1]).astype(int), stretches - 1)
    for stretch in range(stretches):
        own = y[place == stretch]
        if np.isfinite(own).any():
            drawn = y[kept][place[kept] == stretch]
            assert (np.nanmin(own), np.nanmax(own)) == (drawn.min(), drawn.max())


@given(
    st.lists(
        st.lists(st.tuples(st.integers(-9999, 9999), st.integers(-9999, 9999)), min_size=2, max_size=5),
        min_size=1,
        max_size=3,
    ),
    st.booleans(),
)
def test_short_paths_lead_to_the_same_places(lines: list[list[tuple[int, int]]], closed: bool) -> None:
    long = " ".join(
        "M " + " L ".join(f"{x / 10:.6f} {y / 10:.6f}" for x, y in line) + (" z" if closed else "") for line in lines
    )
    text, places, here, begun = short_path(long), [], (0, 0), (0, 0)
    for command, rest in re.findall(r"([mlz])([^mlz]*)", text):
        if command == "z":
            here = begun
            continue
        dx, dy = (round(float(n) * 10) for n in re.findall(r"-?\d*\.?\d+", rest))
        here = here[0] + dx, here[1] + dy
        begun = here if command == "m" else begun
        places.append(here)
    assert places == [place for line in lines for place in line]
    assert text.count("z") == (len(lines) if closed else 0)


@pytest.mark.parametrize(
    ("seconds", "first", "dated"),
    [(0.01, "00:00:00.000", True), (30, "00:00:00", True), (7200, "00:00", True), (86400 * 40, "2026-03-05", False)],
)
def test_time_ticks_are_iso_and_few(seconds: float, first: str, dated: bool) -> None:
    start = 1_772_323_200_000_000_000
    with house_style("ticks"):
        _, (axes,) = stack([50.0])
        time_axis(axes, start, start + round(seconds * 1e9))
        texts = [label.get_text() for label in axes.get_xticklabels()]
    assert texts[0] == (f"{first}\n2026-03-01" if dated else first)
    assert 2 <= len(texts) <= 8
    assert sum("\n" in text for text in texts) == int(dated)


def test_svg_keeps_text_that_looks_like_markup() -> None:
    with house_style("text"):
        figure, (axes,) = stack([50.0])
        axes.text(0.5, 0.5, ' id="x" d="1.23456" #4d7f9e font-family: a; $a_1$')
        text = svg(figure, "a & <b>")
    root = parsed(text)
    assert root.attrib["aria-label"] == "a & <b>"
    assert 'id="x" d="1.23456" #4d7f9e font-family: a; $a_1$' in "".join(root.itertext())
