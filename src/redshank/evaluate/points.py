"""Row by row: how well scores and alarms agree with labels. Never point-adjusted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from redshank.core import InputError
from redshank.core.detector import Array


def point_measures(scores: Array, y: npt.NDArray[np.int8], alarm: npt.NDArray[np.bool_]) -> dict[str, float]:
    """Threshold-free and alarm-level measures of rows against labels.

    Parameters
    ----------
    scores : float64 ndarray of shape (n,)
        Higher = more anomalous.
    y : int8 ndarray of shape (n,)
        1 anomaly, 0 normal.
    alarm : bool ndarray of shape (n,)
        Alarms at a level chosen without labels.

    Returns
    -------
    dict of str to float
        ROC-AUC (Mann-Whitney, ties count half), average precision, the share of anomalous rows, and precision,
        recall, F1 and false-positive rate of the alarms. NaN where a measure is not defined.

    Raises
    ------
    InputError
        If the three differ in length.
    """
    if not len(scores) == len(y) == len(alarm):
        raise InputError(
            f"point_measures: {len(scores)} scores, {len(y)} labels and {len(alarm)} alarms differ in number"
        )
    positive, negative = int((y == 1).sum()), int((y == 0).sum())
    caught, false = int((alarm & (y == 1)).sum()), int((alarm & (y == 0)).sum())
    precision = caught / (caught + false) if caught + false else float("nan")
    recall = caught / positive if positive else float("nan")
    both = 2 * caught + false + (positive - caught)
    return {
        "ROC-AUC": _roc_auc(scores, y, positive, negative),
        "average precision": _average_precision(scores, y, positive),
        "anomalous share": positive / len(y) if len(y) else float("nan"),
        "precision": precision,
        "recall": recall,
        "F1": 2 * caught / both if both else float("nan"),
        "false-positive rate": false / negative if negative else float("nan"),
    }


def _roc_auc(scores: Array, y: npt.NDArray[np.int8], positive: int, negative: int) -> float:
    if not positive or not negative:
        return float("nan")
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(count) - (count - 1) / 2.0  # mean rank of equal scores
    return float((ranks[place][y == 1].sum() - positive * (positive + 1) / 2.0) / (positive * negative))


def _average_precision(scores: Array, y: npt.NDArray[np.int8], positive: int) -> float:
    if not positive:
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), len(y) - 1)  # last row of each group of equal scores
    caught = np.cumsum(y[order] == 1)[last]
    precision = caught / (last + 1)
    return float((np.diff(caught, prepend=0) * precision).sum() / positive)
