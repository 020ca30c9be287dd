"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def absent(what: str) -> None:
    """Skip with a reason; fail instead where everything is required (continuous integration)."""
    if os.environ.get("REDSHANK_REQUIRE_ALL") == "1":
        pytest.fail(f"{what}, and REDSHANK_REQUIRE_ALL=1 forbids to skip")
    pytest.skip(what)


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of public data sets; a test that asks for it skips where there is none."""
    root = Path(os.environ.get("REDSHANK_DATA", ROOT.parent / "shared" / "data"))
    if not (root / "nab").is_dir():
        absent(f"public data sets not found under {root}")
    return root
