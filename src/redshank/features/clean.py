"""First cleaning of readings: impossible values, broken checksums, duplicates."""

from __future__ import annotations

import functools
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from redshank.core import Frame, InputError, Schema, SettingError
from redshank.features._rows import Mask, Rows, rows

Crc = Literal["crc16", "crc32"]


class _Code(NamedTuple):
    """A cyclic redundancy check of ``width`` bits; a reflected one takes the lowest bit first."""

    width: int
    polynomial: int
    start: int
    reflected: bool
    final: int


_CODES: dict[str, _Code] = {
    # CRC-16/IBM-3740, better known as CRC-16/CCITT-FALSE, and CRC-32/ISO-HDLC (zip, Ethernet, zlib.crc32)
    "crc16": _Code(16, 0x1021, 0xFFFF, False, 0x0000),
    "crc32": _Code(32, 0xEDB88320, 0xFFFFFFFF, True, 0xFFFFFFFF),
}


def within_limits(values: npt.ArrayLike, schema: Schema) -> tuple[Rows, Mask]:
    """Set values to missing that cannot be true.

    Parameters
    ----------
    values : array of shape (n, channels)
        Readings in the units of ``schema``.
    schema : Schema
        Its channels' ``low`` and ``high`` are the limits; both are themselves possible.

    Returns
    -------
    values : ndarray of shape (n, channels)
        A copy of the same dtype with NaN where a value was outside its limits or infinite.
    impossible : bool ndarray of shape (n, channels)
        Where that was so; False where a value was missing already.

    Raises
    ------
    InputError
        If the number of columns is not that of the schema.
    """
    array = rows("within_limits", values)
    if array.shape[1] != len(schema):
        raise InputError(f"within_limits: values have {array.shape[1]} columns; the schema has {len(schema)} channels")
    with np.errstate(over="ignore"):  # a limit beyond float32 is none
        # The limits are rounded as the readings were: a float32 0.1 is inside a limit of 0.1.
        low = np.array([channel.low for channel in schema.channels]).astype(array.dtype)
        high = np.array([channel.high for channel in schema.channels]).astype(array.dtype)
    impossible: Mask = (array < low) | (array > high) | np.isinf(array)
    return np.where(impossible, array.dtype.type(np.nan), array), impossible


def checksum(payloads: npt.NDArray[np.uint8], code: Crc) -> npt.NDArray[np.uint32]:
    """Cyclic redundancy check of each row of bytes.

    Parameters
    ----------
    payloads : uint8 ndarray of shape (n, length)
        The bytes of each reading in the order in which they were sent.
    code : {"crc16", "crc32"}
        CRC-16/CCITT-FALSE, or the CRC-32 of ``zlib.crc32``.

    Returns
    -------
    uint32 ndarray of shape (n,)

    Raises
    ------
    InputError, SettingError
        If ``payloads`` is not such an array; if there is no such code.
    """
    if code not in _CODES:
        raise SettingError(f"checksum: no code is called {code!r}; there are: {', '.join(_CODES)}")
    payloads = np.asarray(payloads)
    if payloads.ndim != 2 or payloads.dtype != np.uint8:
        raise InputError(
            f"checksum: payloads are {payloads.dtype} of shape {payloads.shape}; wanted uint8 of shape (n, length)"
        )
    width, _, start, reflected, final = _CODES[code]
    table, mask = _table(code), np.uint32((1 << width) - 1)
    crc = np.full(len(payloads), start, np.uint32)
    for byte in payloads.T:
        if reflected:
            crc = (crc >> np.uint32(8)) ^ table[(crc ^ byte) & np.uint32(0xFF)]
        else:
            crc = ((crc << np.uint32(8)) ^ table[(crc >> np.uint32(width - 8)) ^ byte]) & mask
    return crc ^ np.uint32(final)


def crc_ok(payloads: npt.NDArray[np.uint8], crcs: npt.ArrayLike, code: Crc = "crc16") -> Mask:
    """True for each reading whose checksum holds; ``frame.take(crc_ok(...))`` drops the others.

    Parameters
    ----------
    payloads : uint8 ndarray of shape (n, length)
        The bytes of each reading, without its checksum.
    crcs : int array of shape (n,)
        The checksums that came with them.
    code : {"crc16", "crc32"}, default="crc16"
        See :func:`checksum`.

    Raises
    ------
    InputError, SettingError
        If the arrays do not fit; if there is no such code.
    """
    own = checksum(payloads, code)
    came = np.asarray(crcs)
    if came.shape != own.shape or came.dtype.kind not in "iu":
        raise InputError(
            f"crc_ok: crcs are {came.dtype} of shape {came.shape}; wanted one whole number for each of {len(own)} rows"
        )
    ok: Mask = own == came
    return ok


def drop_duplicates(frame: Frame) -> tuple[Frame, npt.NDArray[np.intp]]:
    """Order rows by device and time and keep the first to come of each (device, time).

    Returns
    -------
    frame : Frame
        The rows kept, devices in the order of the table, oldest first.
    kept : intp ndarray
        Where they stood in the frame given.
    """
    order = np.lexsort((frame.time_ns, frame.device))
    device, time_ns = frame.device[order], frame.time_ns[order]
    new = np.ones(len(order), np.bool_)
    new[1:] = (device[1:] != device[:-1]) | (time_ns[1:] != time_ns[:-1])
    kept = order[new]
    return frame.take(kept), kept


@functools.cache
def _table(code: str) -> npt.NDArray[np.uint32]:
    """The check of each single byte."""
    width, polynomial, _, reflected, _ = _CODES[code]
    entries = []
    for byte in range(256):
        crc = byte if reflected else byte << (width - 8)
        for _ in range(8):
            if reflected:
                crc = (crc >> 1) ^ (polynomial if crc & 1 else 0)
            else:
                crc = (crc << 1) ^ (polynomial if crc >> (width - 1) & 1 else 0)
        entries.append(crc & ((1 << width) - 1))
    table = np.array(entries, np.uint32)
    table.setflags(write=False)
    return table
