"""Splits by time: what a detector learns from always lies before what it is judged on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from redshank.core import Frame, SettingError

Mask = npt.NDArray[np.bool_]


def split_time(frame: Frame, share: float) -> tuple[Mask, Mask]:
    """The first ``share`` of the rows of each device in time order, and the rest.

    Parameters
    ----------
    frame : Frame
        Rows in any order.
    share : float
        Between 0 and 1, both excluded; every device keeps at least one row on each side where it has two.

    Returns
    -------
    train, rest : bool ndarray of shape (n,)
        Masks over the rows; each row is in exactly one.

    Raises
    ------
    SettingError
        If ``share`` is out of range.
    """
    if not 0 < share < 1:
        raise SettingError(f"share is {share:g}; it must lie between 0 and 1")
    train = np.zeros(len(frame), bool)
    for rows in frame.series():
        count = min(max(1, round(share * len(rows))), max(1, len(rows) - 1))
        train[rows[:count]] = True
    return train, ~train
