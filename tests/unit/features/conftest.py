"""Both ways of every fast routine."""

from __future__ import annotations

import pytest

from redshank.features import _compiled


@pytest.fixture(params=["arrays", "loops"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a test with the array form and with the compiled loops, whatever the size."""
    if request.param == "loops":
        pytest.importorskip("numba", reason="compiled loops need the train extra")
    monkeypatch.setattr(_compiled, "WORTH_COMPILING", 0 if request.param == "loops" else 1 << 62)
    return str(request.param)
