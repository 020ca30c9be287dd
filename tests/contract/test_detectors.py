"""Every registered detector keeps every clause of the contract."""

from __future__ import annotations

import pytest

from redshank.detectors import DETECTORS
from redshank.testing import CHECKS, skip_reason

QUICK = {"ae_lstm": {"epochs": 4, "window": 6, "hidden": 16, "lr": 0.01, "device": "cpu"}}
"""Settings that let a detector that trains be fitted dozens of times."""


@pytest.mark.parametrize("check", list(CHECKS))
@pytest.mark.parametrize("name", list(DETECTORS))
def test_contract(name: str, check: str) -> None:
    def make():
        return DETECTORS.get(name)(**QUICK.get(name, {}))

    reason = skip_reason(check, make())
    if reason is not None:
        pytest.skip(reason)
    CHECKS[check](make)
