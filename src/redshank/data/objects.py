"""Parquet, pandas and polars objects to a table of typed columns. Needs polars."""

from __future__ import annotations

import io

import polars as pl

from redshank.core import InputError
from redshank.data.table import READ_ERRORS, Table, typed_table


def parquet(data: bytes, source: str) -> Table:
    """All columns of a Parquet file.

    Raises
    ------
    InputError
        If the file is broken.
    """
    try:
        columns = pl.read_parquet(io.BytesIO(data))
    except (*READ_ERRORS, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"{source}: is no readable Parquet file ({reason}); was it cut short?") from error
    return typed_table(columns, source)


def table_of(obj: object, source: str) -> Table:
    """Columns of a polars or pandas frame or series.

    Raises
    ------
    InputError
        If the object is of another sort.
    """
    if isinstance(obj, pl.LazyFrame):
        obj = obj.collect()
    if isinstance(obj, pl.Series):
        obj = obj.to_frame()
    if isinstance(obj, pl.DataFrame):
        return typed_table(obj, source)
    if type(obj).__module__.split(".")[0] == "pandas":
        return typed_table(_from_pandas(obj, source), source)
    raise InputError(f"{source}: cannot read a {type(obj).__name__}; give a pandas or polars object or a NumPy array")


def _from_pandas(obj: object, source: str) -> pl.DataFrame:
    import pandas as pd  # noqa: PLC0415  the object in hand is pandas', so it is installed

    frame = obj.to_frame() if isinstance(obj, pd.Series) else obj
    if not isinstance(frame, pd.DataFrame):
        raise InputError(f"{source}: cannot read a pandas {type(obj).__name__}; give a frame or a series")
    if isinstance(frame.columns, pd.MultiIndex):
        raise InputError(f"{source}: the columns have {frame.columns.nlevels} levels; give them one name each")
    if not isinstance(frame.index, pd.RangeIndex):
        temporal = isinstance(frame.index, pd.DatetimeIndex) and frame.index.name is None
        frame = frame.reset_index(names="time" if temporal and "time" not in frame.columns else None)
    frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise InputError(f"{source}: two columns are called {twice!r}; give every column its own name")
    try:
        return pl.from_pandas(frame)
    except (*READ_ERRORS, TypeError, ValueError) as error:
        # Columns of mixed Python objects: their text is as good as that of a file.
        mixed = {name: frame[name].map(str) for name in frame.columns if frame[name].dtype == object}
        if not mixed:
            raise InputError(f"{source}: cannot read this pandas frame ({error})") from error
        return pl.from_pandas(frame.assign(**mixed))
