"""Distance from the usual course of a day, a week, or whatever period the training rows have."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from redshank.core import SettingError, Tags, check_whole
from redshank.core.contracts import Array
from redshank.detectors.statistical._residual import SPREAD_FLOOR, ResidualDetector, usual_size
from redshank.features.windows import period

SHORTEST = 4
"""Shortest period looked for, in rows."""

CYCLES = 3
"""Periods that the longest training series must hold for one to be found: of fewer the median is one of them."""

REACH = 4.0
"""A channel of a row counts for no more than this many noises when the place in the period is sought."""

MEMORY = 2.0
"""Time constant, in periods, of the search: an odd hour does not shift the day, a clock that was set does."""


class SeasonalDetector(ResidualDetector):
    """Score each channel by its distance from the usual value at this place of its period.

    Parameters
    ----------
    period : int, default=None
        Rows in a period, 2 to half the longest training series: 288 for a day of 5 minutes, 2016 for its week. None
        takes the highest peak of the autocorrelation of the longest training series; where there is none, the
        profile is the training median alone.

    Attributes
    ----------
    profile_ : ndarray of shape (period, n_features)
        Median of the training rows at each place of the period, in units of ``scale_`` from the training median.
    noise_ : ndarray of shape (n_features,)
        Usual distance of the longest training series from its own profile, in units of ``scale_``.
    scale_, spread_ : ndarray of shape (n_features,)
        Usual distance from the training median, in the units of ``X``, and from the profile, in units of ``scale_``.
    band_ : ndarray of shape (2, n_features)
        Range that held 99 % of the training residuals, in units of ``scale_``.

    Notes
    -----
    ``score = sum_j ((x_tj - profile_{(t + shift) mod period, j}) / spread_j)^2``. Rows carry no time, so where in the
    period a series begins is learned from its own earlier rows: ``shift`` is the one at which they lie closest to the
    profile, in squares clipped at 4 noises and forgotten over two periods; a clock that was set or rows that were lost
    are followed. Scores begin after half a period. The median profile is that of seasonal adjustment [1]_ without its
    trend. Rows that a profile of m periods was made from lie closer to it than others do: spread and band are those of
    training times ``sqrt((m + 1) / (m - 1))``, as for a mean of m normal numbers. Time O(period n_features) a row.

    References
    ----------
    .. [1] R. B. Cleveland, W. S. Cleveland, J. E. McRae, I. Terpenning, "STL: a seasonal-trend decomposition procedure
       based on loess", Journal of Official Statistics 6(1), 1990.
    """

    tags = Tags(
        sequence=True,
        streams=True,
        cheap=True,
        good_for="a reading that is usual by itself but not at this hour: rooms, traffic, energy, shifts of work",
        cost="O(period channels)",
        source="Cleveland et al. 1990",
    )

    profile_: Array
    noise_: Array

    def __init__(self, *, period: int | None = None) -> None:
        self.period = period

    @property
    def warmup(self) -> int:
        """Rows of a series that must come before the first real score: half a period, 0 before ``fit``."""
        return len(self.profile_) // 2 if hasattr(self, "profile_") else 0

    def _fit(self, series: list[Array], y: npt.NDArray[np.intp] | None) -> None:
        super()._fit(series, y)
        cycles = max(sum(map(len, series)) / len(self.profile_), 2.0)
        wider = np.sqrt((cycles + 1.0) / (cycles - 1.0))
        self.spread_ *= wider
        self.band_ *= wider

    def _learn(self, series: list[Array]) -> None:
        longest = max(series, key=len)
        rows = self._period_of(longest)
        self.profile_ = _profile([longest], [0], rows)
        places = np.arange(len(longest)) % rows
        self.noise_ = np.maximum(usual_size(longest - self.profile_[places]), SPREAD_FLOOR)
        if rows > 1 and len(series) > 1:
            shifts = [0 if one is longest else int(self._track(one)[1]) for one in series]
            self.profile_ = _profile(series, shifts, rows)

    def _period_of(self, longest: Array) -> int:
        if self.period is None:
            high = len(longest) // CYCLES
            return (period(longest, SHORTEST, high) or 1) if high >= SHORTEST else 1
        check_whole(self._name, "period", self.period, low=2)
        if 2 * self.period > len(longest):
            raise SettingError(
                f"{self._name}: period is {self.period} rows and the longest training series has {len(longest)}; "
                "two periods are needed"
            )
        return self.period

    def _ahead(self, rows: Array) -> Array:
        return self._track(rows)[0]

    def _track(self, rows: Array) -> tuple[Array, int]:
        """Expected rows, each from the best shift of the rows before it, and the shift after the last."""
        length = len(self.profile_)
        if length == 1:
            return np.broadcast_to(self.profile_, rows.shape), 0
        twice = np.concatenate([self.profile_, self.profile_])
        twice_noises, noises = twice / self.noise_, rows / self.noise_
        kept = 1.0 - 1.0 / (MEMORY * length)
        expected = np.empty_like(rows)
        misfit = np.zeros(length)  # by shift
        shift = 0
        for t, row in enumerate(noises):
            place = t % length
            expected[t] = twice[place + shift]
            apart = np.minimum(np.abs(twice_noises[place : place + length] - row), REACH)
            misfit *= kept
            misfit += np.einsum("ij,ij->i", apart, apart)
            shift = int(misfit.argmin())
        return expected, shift


def _profile(series: list[Array], shifts: list[int], length: int) -> Array:
    """Median of all rows at each place of the period; series ``k`` begins at place ``shifts[k]``."""
    rows = np.concatenate(series)
    places = np.concatenate([(np.arange(len(one)) + shift) % length for one, shift in zip(series, shifts, strict=True)])
    return np.stack([np.median(rows[places == place], axis=0) for place in range(length)])
