"""Budgets are kept: the realised rate of false events on new normal rows, near the asked one."""

import numpy as np
import pytest

from redshank.calibrate import CALIBRATORS, Budget

DEVICES, HELD, NEW, WEEK = 10, 10_080, 30_240, 10_080
"""Rows of a minute: one week held back, three judged, ten devices."""


def realised(name, budget, make_scores, events, seed, **how):
    rng = np.random.default_rng(seed)
    size = rng.uniform(0.1, 50.0, DEVICES)
    held = {f"d{k}": size[k] * make_scores(rng, HELD, **how) for k in range(DEVICES)}
    calibrator = CALIBRATORS.get(name)(budget=budget).fit(held, 60.0)
    ready = np.ones(NEW, np.bool_)
    found = [events(calibrator.apply(f"d{k}", size[k] * make_scores(rng, NEW, **how), ready).alarm) for k in range(10)]
    return sum(found) / (DEVICES * NEW / WEEK)


@pytest.mark.parametrize("name", list(CALIBRATORS))
@pytest.mark.parametrize("dependent", [False, True])
@pytest.mark.parametrize("heavy", [False, True])
def test_one_per_device_per_week(name, dependent, heavy, make_scores, events):
    rate = realised(name, "1 per device per week", make_scores, events, 7, dependent=dependent, heavy=heavy)
    assert 1 / 3 <= rate <= 3, f"{rate:.2f} events a device and week"


@pytest.mark.parametrize("name", list(CALIBRATORS))
@pytest.mark.parametrize("budget", ["1 per device per day", "10 per day"])
def test_other_budgets(name, budget, make_scores, events):
    wanted = Budget.parse(budget).per_device_second(DEVICES) * 604800.0
    rate = realised(name, budget, make_scores, events, 8, dependent=True)
    assert wanted / 3 <= rate <= wanted * 3, f"{rate:.2f} events a device and week, asked {wanted:.2f}"
