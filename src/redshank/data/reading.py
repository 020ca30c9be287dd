"""The door for data: files and tables in, checked readings out."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from redshank.core import InputError, MissingExtraError
from redshank.data import arrays
from redshank.data.content import Form, content, form, text
from redshank.data.dataset import Dataset, Source
from redshank.data.options import Options, Order
from redshank.data.sniff import sniff

if TYPE_CHECKING:
    from redshank.data.table import Table


class Columns(Protocol):
    """A pandas or polars object: a frame, or one series."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows, and columns where there are any."""
        ...


def read(
    path: str | Path,
    *,
    time: str | None = None,
    device: str | None = None,
    metric: str | None = None,
    value: str | None = None,
    label: str | None = None,
    ignore: Iterable[str] = (),
    delimiter: str | None = None,
    decimal: str | None = None,
    header: bool | None = None,
    time_unit: str | None = None,
    zone: str | None = None,
    sort: bool = False,
) -> Dataset:
    """Readings of a file: delimited text, JSON lines (both also gzipped), Parquet, ``.npy`` or ``.npz``.

    What is not said is found out, and :attr:`Dataset.notes` says what was assumed.

    Parameters
    ----------
    path : str or Path
        The file. Its kind is told by its bytes, then by its name.
    time, device : str, optional
        Columns of event time and of device names. Without a time column rows are one second apart.
    metric, value : str, optional
        In long form, the columns that name what was measured and hold the number.
    label : str, optional
        Column of known anomalies: 0 (or ``normal``, ``benign``, ...) is normal, anything else anomalous.
        Columns that look like labels are left out in any case.
    ignore : iterable of str, default=()
        Columns to leave out.
    delimiter, decimal : str, optional
        Character between cells (``" "``: any run of blanks); decimal point ``"."`` or comma ``","``.
    header : bool, optional
        Whether the first row holds names.
    time_unit : {"s", "ms", "us", "ns"}, optional
        What a numeric time column counts, from 1970 on.
    zone : str, optional
        Zone of times without one, such as ``"Europe/Berlin"``; they are read as UTC otherwise.
    sort : bool, default=False
        Sort rows by time and keep the first of equal times of a device, instead of refusing them.

    Raises
    ------
    InputError
        If the file cannot be used as it came; the text names file, row and column, and says what to do.
    SettingError
        If an option is out of range.
    MissingExtraError
        If polars is not installed and the file holds no NumPy array.
    """
    options = Options(
        time,
        device,
        metric,
        value,
        label,
        tuple([ignore] if isinstance(ignore, str) else ignore),
        delimiter,
        decimal,
        header,
        time_unit,
        zone,
        Order.SORT if sort else Order.CHECK,
    )
    return read_as(Path(path).expanduser(), options)


def read_as(path: Path, options: Options, name: str | None = None) -> Dataset:
    """As :func:`read`, with the options in one object."""
    source, name = str(path), name or path.name.split(".")[0]
    data = content(path)
    kind = form(data, path)
    if kind in (Form.NPY, Form.NPZ):
        _refuse_names(options, source)
        if kind is Form.NPY:
            dataset = arrays.from_array(arrays.load_npy(data, source), name, source)
        else:
            dataset = arrays.from_arrays(arrays.load_npz(data, source), name, source)
        return dataset
    table = _table(data, kind, options, source)
    from redshank.data.assemble import assemble  # noqa: PLC0415  needs polars, an extra

    return replace(assemble(table, options, name), source=Source(path, options))


def text_table(source: Source) -> Table | None:
    """The cells of a file as they were written; None where the file has types instead of text."""
    data = content(source.path)
    kind = form(data, source.path)
    if kind is not Form.DELIMITED:
        return None
    return _table(data, kind, source.options, str(source.path))


def from_table(
    table: Columns | np.ndarray,
    *,
    name: str = "table",
    time: str | None = None,
    device: str | None = None,
    metric: str | None = None,
    value: str | None = None,
    label: str | None = None,
    ignore: Iterable[str] = (),
    decimal: str | None = None,
    time_unit: str | None = None,
    zone: str | None = None,
    sort: bool = False,
) -> Dataset:
    """Readings of a pandas or polars object or of an array of shape (n,) or (n, channels).

    Options are those of :func:`read`. A named or temporal index of a pandas object is read as columns.

    Raises
    ------
    InputError
        If the object is no table of readings; rows in the text count from 1.
    """
    ignored = tuple([ignore] if isinstance(ignore, str) else ignore)
    order = Order.SORT if sort else Order.CHECK
    options = Options(time, device, metric, value, label, ignored, None, decimal, None, time_unit, zone, order)
    if isinstance(table, np.ndarray):
        _refuse_names(options, name)
        return arrays.from_array(table, name, name)
    _require_polars()
    from redshank.data import objects  # noqa: PLC0415  needs polars, an extra
    from redshank.data.assemble import assemble  # noqa: PLC0415

    return assemble(objects.table_of(table, name), options, name)


def _table(data: bytes, kind: Form, options: Options, source: str) -> Table:
    _require_polars()
    from redshank.data import delimited, objects  # noqa: PLC0415  need polars, an extra

    if kind is Form.PARQUET:
        return objects.parquet(data, source)
    plain = text(data, source)
    if kind is Form.JSON_LINES:
        return delimited.json_lines(plain, source)
    return delimited.delimited(plain, sniff(plain, options, source), source)


def _require_polars() -> None:
    if importlib.util.find_spec("polars") is None:
        raise MissingExtraError("reading files needs polars, which is not installed; pip install 'redshank[train]'")


def _refuse_names(options: Options, source: str) -> None:
    """Arrays have no names for options to pick from."""
    for option in ("time", "device", "metric", "value", "label"):
        if getattr(options, option) is not None:
            raise InputError(f"{source}: an array has no column called {getattr(options, option)!r} ({option})")
    if options.ignore:
        raise InputError(f"{source}: an array has no column called {options.ignore[0]!r} (ignore)")
