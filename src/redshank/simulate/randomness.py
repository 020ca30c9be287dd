"""Independent streams of random numbers, one for each purpose and device."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

_GOLDEN = 0x9E3779B97F4A7C15  # 2**64 / golden ratio: the increment of splitmix64


class Purpose(IntEnum):
    """What a stream is for; a stream drawn from more or less leaves all others as they are."""

    SITE = 0
    DEVICE = 1
    AIR = 2
    PLAN = 3
    ANOMALY = 4
    CLOCK = 5


def stream(seed: int, purpose: Purpose, number: int = 0) -> np.random.Generator:
    """The generator of one purpose and one device (or event) number."""
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence((seed, int(purpose), number))))


def uniform_from(keys: npt.NDArray[np.uint64], salt: int) -> npt.NDArray[np.float64]:
    """Numbers in (0, 1), each a function of its key and ``salt`` alone (splitmix64, Steele et al., OOPSLA 2014).

    A rare event draws from its own key, so it takes nothing from the stream of the others.
    """
    mixed = keys + np.uint64((salt + 1) * _GOLDEN % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return ((mixed >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
