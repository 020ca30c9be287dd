"""The report of a run in a real browser: quiet console, no sideways scrolling on a phone, a PDF to read."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.conftest import absent
from tests.fixtures.records import quiet, run_record, run_records
from tests.integration.test_report_browser import PHONE, chromium, dump, measured

from redshank.evaluate.pages.run_report import print_pdf, write_run_report

__all__ = ["chromium"]
LONG = "a_very_long_channel_name_without_any_place_to_break_it_" * 3


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run_report(tmp_path_factory.mktemp("run") / "run.html", run_records(), title="Pumping station north")


def test_opens_without_a_word_on_the_console(chromium: str, report: Path, tmp_path: Path) -> None:
    document, console = dump(chromium, report, tmp_path / "profile")
    assert console == []
    assert document.count('class="incident"') == len(run_records()[0]["incidents"])
    assert document.count("<svg") == 3 + 4 + 1
    assert document.rstrip().endswith("</html>")


def test_a_phone_never_scrolls_sideways(chromium: str, report: Path, tmp_path: Path) -> None:
    seen = measured(chromium, report, tmp_path)
    assert seen["wide"] == ""
    assert int(seen["scroll"]) == PHONE


def test_long_names_and_a_quiet_run_fit_a_phone_as_well(chromium: str, tmp_path: Path) -> None:
    record = quiet(run_record(detector=LONG, devices=(LONG,), channels=(LONG, "flow"), days=14))
    long = record | {"settings": {LONG: LONG}, "command": LONG, "data": record["data"] | {"ledger": {LONG: 1}}}
    page = write_run_report(tmp_path / "quiet.html", [long], title=LONG)
    assert int(measured(chromium, page, tmp_path)["scroll"]) == PHONE


def test_ground_follows_the_colour_scheme(chromium: str, report: Path, tmp_path: Path) -> None:
    light = measured(chromium, report, tmp_path, "--blink-settings=preferredColorScheme=1")
    dark = measured(chromium, report, tmp_path, "--blink-settings=preferredColorScheme=0")
    assert (light["ground"], dark["ground"]) == ("rgb(251, 250, 248)", "rgb(18, 21, 24)")


@pytest.fixture(scope="module")
def printed(chromium: str, report: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return print_pdf(report, tmp_path_factory.mktemp("pdf") / "run.pdf")


def test_the_pdf_is_whole_and_has_a4_pages(printed: Path) -> None:
    content = printed.read_bytes()
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")
    boxes = {tuple(map(float, box.split())) for box in re.findall(rb"/MediaBox \[([^\]]*)\]", content)}
    assert 5 <= content.count(b"/Type /Page\n") + content.count(b"/Type /Page ") <= 15
    assert all(abs(width - 595.3) < 1 and abs(height - 841.9) < 1 for _, _, width, height in boxes)
    assert [one.name for one in printed.parent.iterdir()] == ["run.pdf"]


def test_the_pdf_holds_the_text_with_page_numbers(printed: Path) -> None:
    if shutil.which("pdftotext") is None:
        absent("no pdftotext on this machine")
    done = subprocess.run(
        ["pdftotext", "-layout", str(printed), "-"], capture_output=True, text=True, timeout=60, check=True
    )
    pages = done.stdout.split("\f")[:-1]
    assert len(pages) >= 5
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in page
        assert "file:" not in page
    whole = done.stdout
    for said in ("Pumping station north", "were found", "What these numbers do not show", "9f2c11d07be3a541", "✓ true"):
        assert said in whole
