"""A page to PDF by the browser that is already on the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from redshank.core import InputError, MissingExtraError
from redshank.evaluate.pages._page import write_at_once

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
)
"""Programs that print a page from the command line, in the order in which they are looked for."""
TIMEOUT_S = 120.0
"""Longest wait for the browser; a report takes a few seconds."""


def print_pdf(html_path: Path | str, pdf_path: Path | str, *, timeout_s: float = TIMEOUT_S) -> Path:
    """Print a report to PDF, as the browser's own print would, with page numbers in the foot.

    The page may load nothing from outside. The file is put in place in one step.

    Parameters
    ----------
    html_path, pdf_path : Path or str
        The report, and where to write; the folder must exist.
    timeout_s : float, default=120.0
        Seconds that the browser gets.

    Returns
    -------
    Path
        ``pdf_path``.

    Raises
    ------
    MissingExtraError
        If there is no Chromium, Chrome or Edge on the search path.
    InputError
        If the report is not there, or the browser makes no PDF of it in time.
    OSError
        If the file cannot be written.
    """
    page, target = Path(html_path).resolve(), Path(pdf_path)
    if not page.is_file():
        raise InputError(f"print: there is no report {html_path}; write it first")
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise MissingExtraError(
            "print: no Chromium, Chrome or Edge was found on the search path; install one (on Debian: apt-get install "
            "chromium), or open the report in any browser and print it to a file from there"
        )
    with tempfile.TemporaryDirectory(prefix="redshank-print-", ignore_cleanup_errors=True) as folder:
        made = Path(folder) / "report.pdf"
        command = [
            browser,
            "--headless",
            "--disable-gpu",
            "--disable-dev-shm-usage",  # containers give it too little
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-extensions",
            "--disable-sync",
            f"--user-data-dir={folder}/profile",
            "--no-pdf-header-footer",
            f"--print-to-pdf={made}",
            page.as_uri(),
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.insert(1, "--no-sandbox")  # root has no sandbox to go into; the page is ours and runs no script
        try:
            done = subprocess.run(command, capture_output=True, timeout=timeout_s, check=False)  # noqa: S603 - our words
        except subprocess.TimeoutExpired as error:
            raise InputError(
                f"print: {Path(browser).name} had made no PDF of {html_path} after {timeout_s:g} s; give it more "
                "time, or "
                "open the report in a browser and print it from there"
            ) from error
        content = made.read_bytes() if made.is_file() else b""
    if done.returncode or not content.startswith(b"%PDF-"):
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise InputError(
            f"print: {Path(browser).name} made no PDF of {html_path} (exit status {done.returncode}"
            f"{': ' + said[-1] if said else ''}); open the report in a browser and print it from there"
        )
    return write_at_once(target, content)
