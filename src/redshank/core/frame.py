"""A columnar micro-batch of readings: the only form in which data travel between rooms."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from redshank.core.errors import InputError
from redshank.core.schema import Schema

LARGEST = float(np.finfo(np.float32).max)
"""Largest magnitude a reading may have: values are kept as float32."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Readings of one or more devices, checked once, here.

    Parameters
    ----------
    schema : Schema
        Meaning of the columns of ``values``.
    devices : tuple of str
        Device table; ``device`` holds indices into it.
    device : int32 ndarray of shape (n,)
        Device of each row.
    time_ns : int64 ndarray of shape (n,)
        Event time, nanoseconds since 1970 in UTC. Any order; :meth:`series` gives time order.
    values : float32 ndarray of shape (n, channels)
        Readings in the units of ``schema``; NaN where missing, never infinite.

    Raises
    ------
    InputError
        If shapes disagree, a device name comes twice, a device index is unknown, indices or times are not whole
        numbers, or a value is infinite.
    """

    schema: Schema
    devices: tuple[str, ...]
    device: npt.NDArray[np.int32]
    time_ns: npt.NDArray[np.int64]
    values: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        if len(set(self.devices)) != len(self.devices):
            raise InputError(f"frame: a device name comes twice in the table of {len(self.devices)}; names must differ")
        for name, dtype in (("device", np.int32), ("time_ns", np.int64)):
            object.__setattr__(self, name, _as_integers(getattr(self, name), name, dtype))
        object.__setattr__(self, "values", _as_float32(self.values, self.schema))
        rows = len(self.values)
        if self.device.shape != (rows,) or self.time_ns.shape != (rows,):
            raise InputError(
                f"frame: {rows} rows of values, but device has shape {self.device.shape} "
                f"and time_ns {self.time_ns.shape}; all three need one entry a row"
            )
        if rows and not (self.device.min() >= 0 and self.device.max() < len(self.devices)):
            raise InputError(f"frame: device index outside the table of {len(self.devices)} devices")

    @classmethod
    def of(
        cls,
        values: npt.ArrayLike,
        *,
        names: Sequence[str] | None = None,
        time_ns: npt.ArrayLike | None = None,
        interval_s: float | None = None,
        device: str = "device",
    ) -> Frame:
        """One device's rows from a plain array of shape (n,) or (n, channels), oldest first.

        Without ``time_ns`` the rows stand ``interval_s`` (default one second) apart, from 1970 on.
        """
        array = np.asarray(values)
        if array.ndim == 1:
            array = array[:, None]
        if array.ndim != 2:
            raise InputError(f"frame: values have {array.ndim} dimensions; wanted (rows, channels)")
        rows, width = array.shape
        named = tuple(names) if names is not None else tuple(f"channel_{i}" for i in range(width))
        schema = Schema.of(named, 1.0 if interval_s is None and time_ns is None else interval_s)
        times = np.arange(rows) * round((schema.interval_s or 1.0) * 1e9) if time_ns is None else np.asarray(time_ns)
        return cls(schema, (device,), np.zeros(rows, np.int32), times, array)

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_] | slice) -> Frame:
        """The rows picked by an index, mask or slice, with the same schema and device table."""
        return Frame(self.schema, self.devices, self.device[rows], self.time_ns[rows], self.values[rows])

    def series(self) -> list[npt.NDArray[np.intp]]:
        """Row numbers of each device of the table, oldest reading first; equal times keep their order."""
        order = np.lexsort((self.time_ns, self.device))
        bounds = np.searchsorted(self.device[order], np.arange(len(self.devices) + 1))
        return [order[start:end] for start, end in itertools.pairwise(bounds)]

    def interval_s(self) -> float:
        """Usual time between two readings of a device: the schema's, else the median step; 1.0 if unknown."""
        if self.schema.interval_s is not None:
            return self.schema.interval_s
        steps = np.concatenate([np.diff(self.time_ns[rows]) for rows in self.series()] or [np.empty(0, np.int64)])
        steps = steps[steps > 0]
        return float(np.median(steps)) / 1e9 if len(steps) else 1.0


def concatenate(frames: Sequence[Frame]) -> Frame:
    """Frames of one schema, one after the other, with a common device table.

    Raises
    ------
    InputError
        If there is no frame, or channel names differ.
    """
    if not frames:
        raise InputError("frame: nothing to put together")
    first = frames[0]
    for frame in frames[1:]:
        if frame.schema.names != first.schema.names:
            raise InputError(f"frame: channels {frame.schema.names} do not match {first.schema.names}")
    table: dict[str, int] = {}
    for frame in frames:
        for name in frame.devices:
            table.setdefault(name, len(table))
    device = [np.array([table[name] for name in frame.devices], np.int32)[frame.device] for frame in frames]
    return Frame(
        first.schema,
        tuple(table),
        np.concatenate(device),
        np.concatenate([frame.time_ns for frame in frames]),
        np.concatenate([frame.values for frame in frames]),
    )


def _as_integers(values: npt.ArrayLike, name: str, dtype: type[np.signedinteger]) -> npt.NDArray[np.signedinteger]:
    array = np.asarray(values)
    if array.size and array.dtype.kind not in "iu":
        raise InputError(f"frame: {name} is of type {array.dtype}; wanted whole numbers ({np.dtype(dtype)})")
    if array.size and not (np.iinfo(dtype).min <= array.min() and array.max() <= np.iinfo(dtype).max):
        raise InputError(f"frame: {name} holds numbers that do not fit into {np.dtype(dtype)}")
    return np.ascontiguousarray(array, dtype=dtype)


def _as_float32(values: npt.ArrayLike, schema: Schema) -> npt.NDArray[np.float32]:
    array = np.asarray(values)
    if array.ndim != 2 or array.shape[1] != len(schema):
        raise InputError(f"frame: values have shape {array.shape}; the schema wants (rows, {len(schema)})")
    if array.dtype.kind in "cmM":
        raise InputError(f"frame: values are of type {array.dtype}; wanted plain numbers")
    try:
        if array.dtype != np.float32:
            array = array.astype(np.float64)
        bad = np.abs(array) > LARGEST
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"frame: values are not numbers ({error})") from error
    if bad.any():
        row, column = (int(i) for i in np.argwhere(bad)[0])
        raise InputError(
            f"frame: row {row}, channel {schema.names[column]!r} holds {float(array[row, column]):g}; "
            f"a reading must be finite and below {LARGEST:.3g} (write NaN for missing)"
        )
    return np.ascontiguousarray(array, dtype=np.float32)
