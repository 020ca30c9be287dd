"""The form of text cells, apart from the value they stand for. Needs polars."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl


def written(cells: pl.Series) -> npt.NDArray[np.intp]:
    """A code for how each cell is written: letters and their case, digits behind the point, signs, outer blanks.

    Digits before the point fall together: how many there are is a matter of the value.
    """
    form = (
        cells.cast(pl.String)
        .fill_null("")
        .str.replace_all(r"[0-9]", "9")
        .str.replace_all(r"(^|[^.,9])9+", "${1}9")
        .str.replace_all(r"[a-z]+", "a")
        .str.replace_all(r"[A-Z]+", "A")
    )
    return form.rank("dense").to_numpy().astype(np.intp)
