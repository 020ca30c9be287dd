"""Distance from the training median in median absolute deviations."""

from __future__ import annotations

import numpy as np

from redshank.core import Tags
from redshank.core.contracts import Array
from redshank.detectors.statistical._residual import ResidualDetector


class RobustZDetector(ResidualDetector):
    """Score each channel by its distance from its training median, in robust standard deviations.

    Attributes
    ----------
    scale_, spread_ : ndarray of shape (n_features,)
        Usual distance from the training median, in the units of ``X``, and the same in units of ``scale_``.
    band_ : ndarray of shape (2, n_features)
        Range that held 99 % of the training rows, in units of ``scale_``.

    Notes
    -----
    ``score = sum_j ((x_j - median_j) / s_j)^2``: the modified z of [1]_, squared and summed. Where [1]_ has
    ``s = MAD / 0.6745``, ours is the larger of that and the 99 % quantile of ``|x - median|`` over 2.576, the same for
    normal numbers: a channel that rests most of the time has a MAD of 0. Median and spread are those of the training
    rows: a trailing median would learn an anomaly that lasts (``ewma`` and ``moving_average`` follow a drift).
    Time O(n_features) a row.

    References
    ----------
    .. [1] B. Iglewicz, D. C. Hoaglin, "How to detect and handle outliers", ASQC Quality Press, 1993.
    """

    tags = Tags(
        streams=True,
        cheap=True,
        good_for="a reading out of its usual range, each channel by itself; a few odd training rows do no harm",
        cost="O(channels)",
        source="Iglewicz and Hoaglin 1993",
    )

    def _ahead(self, rows: Array) -> Array:
        return np.zeros_like(rows)
