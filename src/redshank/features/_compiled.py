"""The one place where Numba is used: plain loops become machine code when it is installed and when it pays.

Every fast routine of this room is written twice with one signature: as loops, for Numba, and as array operations, for
an install without it. Both give the same numbers to rounding; those that promise to be causal give the same bits, so
that a result never depends on how many rows came with it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

WORTH_COMPILING = 1 << 20
"""Number of values from which compiled loops pay: loading Numba takes about half a second, compiling a few."""


def choose(loops: Callable[P, R], arrays: Callable[P, R], size: int) -> Callable[P, R]:
    """``loops`` compiled, where Numba is installed and ``size`` values are worth it, else ``arrays``."""
    if size < WORTH_COMPILING:
        return arrays
    return _compile(loops) or arrays


@functools.cache
def _compile(loops: Callable[P, R]) -> Callable[P, R] | None:
    try:
        import numba  # noqa: PLC0415 - only when it is wanted: it belongs to an extra and is slow to load
    except ModuleNotFoundError:
        return None
    # Division follows IEEE (no ZeroDivisionError), without which the loops would not become vector code.
    jit = numba.njit(error_model="numpy", nogil=True)
    cached = numba.njit(error_model="numpy", nogil=True, cache=True)
    try:
        compiled: Callable[P, R] = cached(loops)
    except RuntimeError:  # no folder to keep the machine code in: neither beside the source nor of the user
        compiled = jit(loops)
    return compiled
