"""NumPy arrays and files of them to readings. Needs NumPy only."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import numpy.typing as npt

from redshank.core import LARGEST, Frame, InputError
from redshank.data.dataset import Dataset, labels_of
from redshank.data.sniff import MAX_COLUMNS

_PARTS = frozenset({"train", "test"})


def load_npy(data: bytes, source: str) -> npt.NDArray[np.generic]:
    """The array of a ``.npy`` file; never unpickles.

    Raises
    ------
    InputError
        If the file is broken or holds objects.
    """
    try:
        array: npt.NDArray[np.generic] = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise InputError(f"{source}: is no readable array of numbers ({_reason(error)}); write it again") from error
    return array


def load_npz(data: bytes, source: str) -> dict[str, npt.NDArray[np.generic]]:
    """All arrays of a ``.npz`` file by name; never unpickles.

    Raises
    ------
    InputError
        If the file is broken or holds objects.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, KeyError) as error:
        raise InputError(f"{source}: is no readable archive of arrays ({_reason(error)}); write it again") from error


def from_array(array: npt.NDArray[np.generic], name: str, source: str, interval_s: float = 1.0) -> Dataset:
    """Rows of one device, ``interval_s`` apart from 1970 on, from an array of shape (n,) or (n, channels)."""
    values = _matrix(array, source)
    frame = Frame.of(values, interval_s=interval_s)
    return Dataset(name, frame, notes=(_apart(interval_s),), ledger=_ledger(frame))


def from_arrays(
    arrays: dict[str, npt.NDArray[np.generic]],
    name: str,
    source: str,
    *,
    interval_s: float = 1.0,
    names: tuple[str, ...] | None = None,
) -> Dataset:
    """Rows of arrays ``train`` and ``test`` (and ``test_label``), one behind the other; or of a lone array.

    Raises
    ------
    InputError
        If the arrays have other names, or their shapes do not fit.
    """
    if len(arrays) == 1:
        return from_array(next(iter(arrays.values())), name, source, interval_s)
    if not set(arrays) >= _PARTS:
        raise InputError(
            f"{source}: holds arrays {', '.join(map(repr, arrays))}; "
            "one array, or 'train' and 'test' (and 'test_label'), are wanted"
        )
    train, test = (_matrix(arrays[part], f"{source}, array {part!r}") for part in ("train", "test"))
    if train.shape[1] != test.shape[1]:
        raise InputError(f"{source}: 'train' has {train.shape[1]} channels, 'test' {test.shape[1]}; they must agree")
    values = np.concatenate([train, test])
    frame = Frame.of(values, names=names, interval_s=interval_s)
    y = None
    if "test_label" in arrays:
        marked = np.asarray(arrays["test_label"]).ravel()
        if marked.shape != (len(test),) or not np.isin(marked, (0, 1)).all():
            raise InputError(f"{source}: 'test_label' must hold 0 or 1 for each of the {len(test)} test rows")
        y = np.concatenate([np.zeros(len(train), np.int8), marked.astype(np.int8)])
    return Dataset(
        name,
        frame,
        y,
        np.arange(len(values)) < len(train),
        labels_of(frame, y) if y is not None else (),
        (_apart(interval_s), "test rows follow the training rows"),
        _ledger(frame),
    )


def _matrix(array: npt.NDArray[np.generic], source: str) -> npt.NDArray[np.generic]:
    matrix = array[:, None] if array.ndim == 1 else array
    if matrix.ndim != 2 or matrix.dtype.kind not in "biuf":
        raise InputError(f"{source}: is an array of shape {array.shape} and type {array.dtype}; wanted rows x channels")
    if matrix.shape[1] > MAX_COLUMNS:
        raise InputError(f"{source}: has {matrix.shape[1]:,} columns, more than the {MAX_COLUMNS:,} that are read")
    if len(matrix) < 2 or matrix.shape[1] < 1:
        raise InputError(f"{source}: has shape {array.shape}; at least two rows and one column are needed")
    numbers = matrix.astype(np.float32) if matrix.dtype.kind in "bf" and matrix.dtype.itemsize <= 4 else matrix
    beyond = np.abs(numbers.astype(np.float64, copy=False)) > LARGEST
    if beyond.any():
        row, column = (int(i) for i in np.argwhere(beyond)[0])
        raise InputError(
            f"{source}: row {row + 1}, column {column + 1} holds {matrix[row, column]}; "
            f"readings must be finite and below {LARGEST:.3g} (NaN for missing)"
        )
    return numbers


def _apart(interval_s: float) -> str:
    if interval_s == 1:
        return "no time column: rows are taken to be one second apart"
    return f"no time column: rows are {interval_s:g} seconds apart"


def _ledger(frame: Frame) -> dict[str, int]:
    return {"rows read": len(frame), "rows kept": len(frame), "missing cells": int(np.isnan(frame.values).sum())}


def _reason(error: Exception) -> str:
    return str(error).partition("\n")[0].partition(";")[0]
