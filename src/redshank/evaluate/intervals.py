"""Intervals around estimates: by series (bootstrap), of a share (Wilson), of a rate (Garwood).

The unit is the series (a device, a file, a capture): rows of one series are not independent of each other, so nothing
here counts rows. SciPy (``train`` extra) gives the quantiles of the distributions.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from redshank.core import InputError, MissingExtraError, SettingError, check_range

Floats = npt.NDArray[np.float64]
Statistic = Callable[..., Any]

DIGITS = 12
"""Digits, relative to the largest value, to which two values count as equal: rounding must not break ties."""

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the interval around it, all in one unit; NaN where nothing can be said.

    ``count`` is what stands behind it (series, trials or events) and ``dropped`` the series left out as undefined.
    """

    estimate: float
    low: float
    high: float
    count: float = 0
    dropped: int = 0


def bootstrap_interval(
    values: npt.ArrayLike,
    *,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
    statistic: Statistic = np.mean,
) -> Interval:
    """Bootstrap interval of a statistic over series: series are drawn, not rows.

    Bias-corrected and accelerated [1]_, at the widened level of [2]_ that makes up for the narrowness of small samples.

    Parameters
    ----------
    values : array of shape (series,)
        One value a series; those that are not finite are left out and counted in ``dropped``.
    level : float, default=0.95
        Coverage asked for, between 0 and 1.
    draws : int, default=2000
        Resamples, at least 100.
    seed : int, default=0
        Of the draws.
    statistic : callable, default=numpy.mean
        Called as ``statistic(values, axis=-1)``.

    Returns
    -------
    Interval
        In units of ``values``. The bounds are NaN where the series are too few: a resample never leaves the range of
        the values, which holds the centre of a symmetric distribution with probability ``1 - 2**(1 - n)``. Where this
        misses more than twice as often as ``level`` allows (below 5 series at 0.95) no bounds are given. Equal values
        give an interval without width: they say nothing of their spread.

    Raises
    ------
    InputError, SettingError
        If ``values`` is not one-dimensional; if a setting is out of range.

    Notes
    -----
    Measured at 95 % with 10 series: normal, beta(2, 5), beta(5, 0.7) 94 %, log-normal 88 % (the plain percentile
    interval: 90, 89, 86 and 79 %; BCa without the wider level: 90, 90, 88 and 82 %); with 5 series: 91, 90, 88, 82 %.

    References
    ----------
    .. [1] B. Efron, Better bootstrap confidence intervals, JASA 82(397), 1987.
    .. [2] T. C. Hesterberg, What teachers should know about the bootstrap, The American Statistician 69(4), 2015.
    """
    _check_level("bootstrap_interval", level)
    check_range("bootstrap_interval", "draws", draws, low=100)
    given = np.asarray(values, dtype=np.float64)
    if given.ndim != 1:
        raise InputError(f"bootstrap_interval: values have shape {given.shape}; wanted one value for each series")
    known = given[np.isfinite(given)]
    n, dropped = len(known), len(given) - len(known)
    if not n:
        return Interval(math.nan, math.nan, math.nan, 0, dropped)
    estimate = float(statistic(known, axis=-1))
    if 2.0 ** (1 - n) > 2 * (1 - level):
        return Interval(estimate, math.nan, math.nan, n, dropped)
    if (known == known[0]).all():
        return Interval(estimate, estimate, estimate, n, dropped)
    chosen = np.random.default_rng(seed).integers(n, size=(draws, n))
    drawn: Floats = np.asarray(statistic(known[chosen], axis=-1), dtype=np.float64)
    student = float(scipy_part("special").stdtrit(n - 1, (1 + level) / 2))
    tail = _NORMAL.cdf(-student * math.sqrt(n / (n - 1)))
    low, high = np.quantile(drawn, _accelerated((tail, 1 - tail), known, drawn, estimate, statistic))
    return Interval(estimate, float(low), float(high), n, dropped)


def wilson(found: float, known: float, *, level: float = 0.95) -> Interval:
    """Wilson's score interval of a share: ``found`` of ``known`` events.

    Counts with ``0 <= found <= known`` (else InputError) in, shares from 0 to 1 out; NaN where nothing was there to be
    found. Holds for independent events. ``level`` is the coverage, between 0 and 1.

    References
    ----------
    .. [1] E. B. Wilson, JASA 22(158), 1927; as method 3 in R. G. Newcombe, Statistics in Medicine 17, 1998.
    """
    _check_level("wilson", level)
    if not 0 <= found <= known < math.inf:
        raise InputError(f"wilson: {found:g} found of {known:g} known; wanted 0 <= found <= known")
    if known == 0:
        return Interval(math.nan, math.nan, math.nan)
    z, share = _NORMAL.inv_cdf((1 + level) / 2), found / known
    centre = share + z * z / (2 * known)
    half = z * math.sqrt(share * (1 - share) / known + (z / (2 * known)) ** 2)
    low, high = ((centre + sign * half) / (1 + z * z / known) for sign in (-1, 1))
    return Interval(share, 0.0 if found == 0 else low, 1.0 if found == known else high, known)


def garwood(events: float, exposure: float, *, level: float = 0.95) -> Interval:
    """Exact interval of a Poisson rate: ``events`` in ``exposure``, such as false alarms in device-weeks.

    Neither may be negative (InputError); ``events`` may be fractional (a mean over seeds). The result is in events per
    unit of exposure, NaN where nothing was watched. Events that come independently are covered at least as often as
    ``level`` says.

    References
    ----------
    .. [1] F. Garwood, Fiducial limits for the Poisson distribution, Biometrika 28, 1936.
    """
    _check_level("garwood", level)
    if not (0 <= events < math.inf and 0 <= exposure < math.inf):
        raise InputError(f"garwood: {events:g} events in {exposure:g}; wanted two numbers that are not negative")
    if exposure == 0:
        return Interval(math.nan, math.nan, math.nan, events)
    inverse = scipy_part("special").gammaincinv
    low = float(inverse(events, (1 - level) / 2)) if events else 0.0
    return Interval(events / exposure, low / exposure, float(inverse(events + 1, (1 + level) / 2)) / exposure, events)


def scipy_part(part: str) -> Any:
    """A module of SciPy, by its last name.

    Raises
    ------
    MissingExtraError
        If SciPy is not installed.
    """
    try:
        return importlib.import_module(f"scipy.{part}")
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "intervals and tests need scipy, which is not installed; install it with: pip install 'redshank[train]'"
        ) from error


def _accelerated(
    levels: tuple[float, float], known: Floats, drawn: Floats, estimate: float, statistic: Statistic
) -> tuple[float, ...]:
    """Levels of the resamples' quantiles, corrected for bias and skew (Efron 1987, equations 2.3 and 6.6)."""
    n, draws = len(known), len(drawn)
    side = np.sign(np.round((drawn - estimate) / np.abs(known).max(), DIGITS))
    below = float(1 - side.mean()) / 2  # ties count half
    bias = _NORMAL.inv_cdf(min(max(below, 0.5 / draws), 1 - 0.5 / draws))
    others = np.array([np.delete(known, place) for place in range(n)])
    without = np.asarray(statistic(others, axis=-1), dtype=np.float64)
    pull = without.mean() - without
    spread = float(np.square(pull).sum()) ** 1.5
    skew = float((pull**3).sum()) / (6 * spread) if spread > 0 else 0.0
    corrected = []
    for level in levels:
        shifted = bias + _NORMAL.inv_cdf(max(level, 1e-15) if level < 0.5 else min(level, 1 - 1e-15))
        room = 1 - skew * shifted
        # Past the pole of the correction the bound is the outermost resample.
        corrected.append(_NORMAL.cdf(bias + shifted / room) if room > 0 else float(shifted > 0))
    return tuple(corrected)


def _check_level(who: str, level: float) -> None:
    if not 0 < level < 1:
        raise SettingError(f"{who}: level is {level:g}; wanted more than 0 and less than 1, such as 0.95")
