"""The report in a real browser: no console message, no sideways scrolling on a phone, every incident on the page."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests.conftest import absent
from tests.fixtures.reported import judged_fleet, known_labels

from redshank.evaluate.pages.report import write_report

PHONE = 390
LONG = "a_very_long_channel_name_without_any_place_to_break_it_" * 3

PROBE = """<!doctype html><meta charset="utf-8"><title>probe</title>
<iframe id="page" src="{source}" style="width:{width}px;height:3000px;border:0"></iframe>
<script>
document.getElementById("page").addEventListener("load", (event) => {{
  const page = event.target.contentDocument;
  const wide = [...page.querySelectorAll("body *")].filter((one) =>
    !one.closest(".scroll, .skip, thead") && one.getBoundingClientRect().right > {width} + 1);
  document.body.dataset.wide = wide.map((one) => one.tagName + "." + one.className).join(" ");
  document.body.dataset.scroll = page.documentElement.scrollWidth;
  document.body.dataset.scheme = page.defaultView.matchMedia("(prefers-color-scheme: dark)").matches;
  document.body.dataset.ground = page.defaultView.getComputedStyle(page.body).backgroundColor;
}});
</script>"""


@pytest.fixture(scope="session")
def chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    absent("no Chromium on this machine")
    raise AssertionError("absent does not return")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    analysis = judged_fleet(rows=1500)
    return write_report(
        tmp_path_factory.mktemp("report") / "report.html",
        analysis,
        title="Pumping station north",
        source=f"{LONG}.csv",
        budget="1 per device per week",
        held_back_rate=0.8,
        notes=["Clock of valve-7 jumped once by 1 h."],
        ledger={LONG: 1234567},
        settings={LONG: LONG, "detector": "pca"},
        seconds={"fit": 1.25},
        labels=known_labels(analysis),
        measures={LONG: LONG, "recall": 0.875},
    )


def dump(chromium: str, page: Path, profile: Path, *flags: str) -> tuple[str, list[str]]:
    """The document after loading, and every message of its console."""
    command = [
        chromium,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--allow-file-access-from-files",
        f"--user-data-dir={profile}",
        "--enable-logging=stderr",
        "--v=0",
        "--virtual-time-budget=10000",
        *flags,
        "--dump-dom",
        page.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def measured(chromium: str, report: Path, folder: Path, *flags: str) -> dict[str, str]:
    probe = folder / "probe.html"
    probe.write_text(PROBE.format(source=report.as_uri(), width=PHONE), "utf-8")
    document, _ = dump(chromium, probe, folder / "profile", *flags)
    return dict(re.findall(r' data-(\w+)="([^"]*)"', document[document.index("<body") :]))


def test_opens_without_a_word_on_the_console_and_shows_every_incident(
    chromium: str, report: Path, tmp_path: Path
) -> None:
    document, console = dump(chromium, report, tmp_path / "profile")
    assert console == []
    assert re.search(r'<body data-incidents="(\d+)"', document)[1] == "7"  # type: ignore[index]
    assert document.count('class="incident"') == document.count('<article id="incident-') == 7
    assert document.count("<svg") == 1 + 7 + 3
    assert document.rstrip().endswith("</html>")


def test_the_console_is_really_read(chromium: str, report: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.html"
    text = report.read_text("utf-8")
    broken.write_text(text.replace("</main>", "<script>alert(1)</script></main>"), "utf-8")
    _, console = dump(chromium, broken, tmp_path / "profile")
    assert any("Content Security Policy" in line for line in console)


def test_a_phone_never_scrolls_sideways(chromium: str, report: Path, tmp_path: Path) -> None:
    seen = measured(chromium, report, tmp_path)
    assert seen["wide"] == ""
    assert int(seen["scroll"]) == PHONE


def test_a_quiet_report_fits_a_phone_as_well(chromium: str, tmp_path: Path) -> None:
    analysis = replace(judged_fleet(rows=600), incidents=())
    quiet = write_report(
        tmp_path / "quiet.html", analysis, title=LONG, source="x", budget="1 per device per week", held_back_rate=0.0
    )
    assert int(measured(chromium, quiet, tmp_path)["scroll"]) == PHONE


def test_ground_follows_the_colour_scheme(chromium: str, report: Path, tmp_path: Path) -> None:
    light = measured(chromium, report, tmp_path, "--blink-settings=preferredColorScheme=1")
    dark = measured(chromium, report, tmp_path, "--blink-settings=preferredColorScheme=0")
    assert (light["scheme"], dark["scheme"]) == ("false", "true")
    assert (light["ground"], dark["ground"]) == ("rgb(251, 250, 248)", "rgb(18, 21, 24)")
