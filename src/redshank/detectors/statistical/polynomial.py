"""Distance from the trend of the last rows, carried one row on."""

from __future__ import annotations

from types import MappingProxyType

from redshank.core import Tags, check_whole
from redshank.core.contracts import Array
from redshank.detectors.statistical._residual import FIRST_ROWS, ResidualDetector
from redshank.detectors.statistical._trend import ROWS_A_TERM, trend_ahead


class PolynomialDetector(ResidualDetector):
    """Score each channel by its distance from where the polynomial through its own last rows leads.

    Parameters
    ----------
    window : int, default=40
        Rows that the polynomial is fitted to, at least 8 for each power; the row that is judged is not among them.
    degree : int, default=2
        Degree of the polynomial, 1 to 4.

    Attributes
    ----------
    scale_, spread_ : ndarray of shape (n_features,)
        Usual distance from the training median, in the units of ``X``, and from the trend, in units of ``scale_``.
    band_ : ndarray of shape (2, n_features)
        Range that held 99 % of the training residuals, in units of ``scale_``.

    Notes
    -----
    Least squares through ``window`` rows and its value one row on are one fixed weighted sum of those rows, so a row
    costs O(window n_features). ``score = sum_j ((x_tj - sum_k w_k c_{t-k,j}) / spread_j)^2`` with ``c`` the readings,
    clipped to 4 spreads from what was expected of them; the limit doubles with every ``window`` odd readings in a row.
    The first rows of a series, fewer than ``window``, carry a polynomial of a lower degree.

    The idea of POLY of [1]_, which fits a polynomial to a long window and judges the rows after it by a windowed
    variance; ours is refitted at every row and judged by the spread of training.

    References
    ----------
    .. [1] Z. Li, H. Ma, Y. Mei, "A unifying method for outlier and change detection from data streams based on local
       polynomial fitting", PAKDD 2007.
    """

    tags = Tags(
        sequence=True,
        streams=True,
        cheap=True,
        good_for="a reading that leaves a smooth course: charging, heating, tank levels",
        cost="O(window channels)",
        source="Li, Ma and Mei 2007",
    )
    most = MappingProxyType({"degree": 4})

    def __init__(self, *, window: int = 40, degree: int = 2) -> None:
        self.window = window
        self.degree = degree

    @property
    def warmup(self) -> int:
        """Rows of a series that must come before the first real score."""
        return FIRST_ROWS

    def _learn(self, series: list[Array]) -> None:  # noqa: ARG002 - only the settings are looked at
        check_whole(self._name, "degree", self.degree, low=1, high=self.most["degree"])
        check_whole(self._name, "window", self.window, low=ROWS_A_TERM * self.degree)

    def _ahead(self, rows: Array) -> Array:
        return self._follow(rows, self.window, trend_ahead(self.window, self.degree))
