"""Synthetic scores: light and heavy tails, independent and strongly dependent rows."""

import numpy as np
import pytest
from scipy.signal import lfilter


def scores(rng, rows, *, dependent=False, heavy=False):
    """Scores of a healthy device; ``dependent`` makes them an AR(1) of 0.9."""
    noise = rng.standard_normal(rows)
    if dependent:
        noise = lfilter([np.sqrt(1.0 - 0.9**2)], [1.0, -0.9], noise)
    return np.exp(noise) if heavy else noise**2


def event_count(alarm, rest=60):
    """Alarms not more than ``rest`` rows apart are one event."""
    rows = np.flatnonzero(alarm)
    return int((np.diff(rows) > rest).sum()) + 1 if len(rows) else 0


@pytest.fixture
def make_scores():
    return scores


@pytest.fixture
def events():
    return event_count
