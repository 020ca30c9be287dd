"""Bytes of a file, checked at the door: it exists, is whole, and is of a kind that can be read."""

from __future__ import annotations

import gzip
import re
import zlib
from enum import StrEnum
from pathlib import Path

from redshank.core import InputError

_GZIP, _PARQUET, _NPY, _ZIP = b"\x1f\x8b", b"PAR1", b"\x93NUMPY", b"PK\x03\x04"
_BOM = b"\xef\xbb\xbf"
_WRITTEN = re.compile(rb"\S")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class Form(StrEnum):
    """How a file holds its table."""

    DELIMITED = "delimited"
    JSON_LINES = "json lines"
    PARQUET = "parquet"
    NPY = "npy"
    NPZ = "npz"


def content(path: Path) -> bytes:
    """All bytes of a file, unpacked where they are gzip.

    Raises
    ------
    InputError
        If the file is missing, a directory, empty, unreadable or a broken gzip.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file; check the name")
    if path.is_dir():
        raise InputError(f"{path}: is a directory; name one file in it")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    if data[:2] == _GZIP:
        try:
            data = gzip.decompress(data)
        except EOFError as error:
            raise InputError(f"{path}: the gzip data end too early; the file was cut short, copy it again") from error
        except (zlib.error, gzip.BadGzipFile) as error:
            raise InputError(f"{path}: the gzip data are damaged ({error}); copy the file again") from error
    if not _WRITTEN.search(data, len(_BOM) if data.startswith(_BOM) else 0):
        raise InputError(f"{path}: the file is empty; a table with at least two rows is needed")
    return data


def form(data: bytes, path: Path) -> Form:
    """What sort of table the bytes hold, judged by the bytes themselves, then by the file's name."""
    for magic, kind in ((_PARQUET, Form.PARQUET), (_NPY, Form.NPY), (_ZIP, Form.NPZ)):
        if data.startswith(magic):
            return kind
    suffixes = {suffix.lower() for suffix in path.suffixes}
    for names, kind in (({".parquet", ".pq"}, Form.PARQUET), ({".npy"}, Form.NPY), ({".npz"}, Form.NPZ)):
        if names & suffixes:
            raise InputError(f"{path}: is not a {kind} file, though its name says so; check how it was written")
    if {".jsonl", ".ndjson"} & suffixes or data.lstrip()[:1] == b"{":
        return Form.JSON_LINES
    if ".json" in suffixes:
        raise InputError(f"{path}: is not JSON lines; write one object a line, such as {{'time': ..., 'value': ...}}")
    return Form.DELIMITED


def text(data: bytes, source: str) -> bytes:
    """UTF-8 text with plain line ends and no byte-order mark.

    Raises
    ------
    InputError
        If the bytes are not text.
    """
    if data.startswith(_UTF16):
        raise InputError(f"{source}: is UTF-16 text; save it as UTF-8")
    nul = data.find(b"\0")
    if nul >= 0:
        raise InputError(
            f"{source}: is a binary file (NUL at byte {nul + 1}); a text table, Parquet or NumPy is wanted"
        )
    try:
        if not data.isascii():
            data.decode()
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{source}: row {row} is not UTF-8 text (byte {data[error.start]:#04x}); save the file as UTF-8"
        ) from error
    data = data.removeprefix(_BOM)
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return data
