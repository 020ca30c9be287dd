"""Operating regimes: a semi-Markov chain under a work schedule."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from redshank.simulate.channels import DeviceType, Floats

LEVELS = np.array([0.0, 0.3, 0.65, 1.0], np.float32)
"""Load of the regimes off, idle, run and high, as a share of full load."""

OFF, IDLE, RUN, HIGH = range(4)

REST_MIN = (300.0, 20.0)
"""Mean minutes that a resting device stays off, and wakes to idle."""

_SHAPE = 4.0
"""Shape of the gamma law of dwell times: relative deviation 1/2."""


def chain(
    rng: np.random.Generator, states: npt.NDArray[np.int8], dwell_s: npt.NDArray[np.float64], steps: int, step_s: float
) -> npt.NDArray[np.int8]:
    """State at each step of a semi-Markov chain with gamma dwell times; shape (steps,).

    The chain never stays put: from each state it goes to one of the others with equal chance. What share of the
    time it spends in a state is set by ``dwell_s``, the mean dwell of each entry of ``states``.
    """
    count = len(states)
    runs: list[npt.NDArray[np.int8]] = []
    at, elapsed, boundary = int(rng.integers(count)), 0.0, 0
    while boundary < steps:
        segments = int(1.3 * (steps - boundary) * step_s / dwell_s.mean()) + 8
        places = (at + np.cumsum(rng.integers(1, count, segments))) % count
        ends = elapsed + np.cumsum(dwell_s[places] * rng.gamma(_SHAPE, 1.0 / _SHAPE, segments))
        bounds = np.ceil(ends / step_s).astype(np.int64)
        runs.append(np.repeat(states[places], np.diff(bounds, prepend=boundary)))
        at, elapsed, boundary = int(places[-1]), float(ends[-1]), int(bounds[-1])
    return np.concatenate(runs)[:steps]


def loads(rng: np.random.Generator, kind: DeviceType, working: npt.NDArray[np.bool_], step_s: float) -> Floats:
    """Wanted load of one device at each step, before any lag; float32 of shape (steps,).

    In work the device moves between idle, run and high; at rest it is off and seldom idle. ``working`` is the
    schedule of the site; a device that is always on does not heed it.
    """
    steps = len(working)
    busy = chain(rng, np.array([IDLE, RUN, HIGH], np.int8), 60.0 * np.array(kind.dwell_min), steps, step_s)
    quiet = chain(rng, np.array([OFF, IDLE], np.int8), 60.0 * np.array(REST_MIN), steps, step_s)
    return LEVELS[busy if kind.always_on else np.where(working, busy, quiet)]
