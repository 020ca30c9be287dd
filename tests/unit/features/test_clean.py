"""Impossible values, checksums, duplicates."""

from __future__ import annotations

import math
import zlib

import numpy as np
import pytest

from redshank.core import Channel, Frame, InputError, Schema, SettingError
from redshank.features import checksum, crc_ok, drop_duplicates, within_limits

CHECK = np.frombuffer(b"123456789", np.uint8)[None, :]
"""The message whose checksum every CRC standard states as its check value."""


def test_limits_are_themselves_possible():
    schema = Schema((Channel("t", low=-40.0, high=85.0), Channel("h", low=0.1), Channel("free")))
    values = np.array([[-40.0, 0.1, 1e30], [85.1, 0.05, -1e30], [np.nan, np.inf, np.inf]], np.float32)
    cleaned, impossible = within_limits(values, schema)
    np.testing.assert_array_equal(impossible, [[False, False, False], [True, True, False], [False, True, True]])
    np.testing.assert_array_equal(np.isnan(cleaned), impossible | np.isnan(values))
    assert cleaned.dtype == np.float32
    assert np.isinf(values[2, 1])  # the input is left alone


def test_limits_beyond_float32_and_wrong_width():
    schema = Schema((Channel("x", high=1e300),))
    assert not within_limits(np.array([[3e38]], np.float32), schema)[1].any()
    with pytest.raises(InputError, match="values have 2 columns; the schema has 1"):
        within_limits(np.ones((1, 2)), schema)


def test_check_values_of_the_standards():
    assert checksum(CHECK, "crc16")[0] == 0x29B1
    assert checksum(CHECK, "crc32")[0] == 0xCBF43926


def test_crc32_equals_zlib():
    payloads = np.random.default_rng(0).integers(0, 256, (50, 37), dtype=np.uint8)
    np.testing.assert_array_equal(checksum(payloads, "crc32"), [zlib.crc32(row.tobytes()) for row in payloads])


@pytest.mark.parametrize("code", ["crc16", "crc32"])
def test_every_single_bit_error_is_found(code):
    values = np.array([[20.5, 1.0]], np.float32)
    payload = values.view(np.uint8)
    crc = checksum(payload, code)
    assert crc_ok(payload, crc, code).all()
    broken = payload.repeat(64, axis=0)
    for bit in range(64):
        broken[bit, bit // 8] ^= 1 << (bit % 8)
    assert not crc_ok(broken, crc.repeat(64), code).any()


def test_checksum_of_nothing():
    assert checksum(np.empty((0, 4), np.uint8), "crc16").shape == (0,)
    assert checksum(np.empty((2, 0), np.uint8), "crc32").tolist() == [0, 0]


def test_bad_checksums_are_named():
    with pytest.raises(SettingError, match="no code is called 'md5'"):
        checksum(CHECK, "md5")
    with pytest.raises(InputError, match="wanted uint8"):
        checksum(CHECK.astype(np.int64), "crc16")
    with pytest.raises(InputError, match="for each of 1 rows"):
        crc_ok(CHECK, [1, 2])
    with pytest.raises(InputError, match="wanted one whole number"):
        crc_ok(CHECK, [0.5])


def test_duplicates_keep_the_first_to_come():
    frame = Frame(
        Schema.of(["x"]),
        ("a", "b"),
        np.array([1, 0, 1, 0, 0, 1]),
        np.array([5, 7, 5, 3, 7, 4]),
        np.arange(6.0)[:, None],
    )
    cleaned, kept = drop_duplicates(frame)
    assert kept.tolist() == [3, 1, 5, 0]
    assert cleaned.values.ravel().tolist() == [3, 1, 5, 0]
    assert cleaned.time_ns.tolist() == [3, 7, 4, 5]
    again, all_of_them = drop_duplicates(cleaned)
    assert all_of_them.tolist() == [0, 1, 2, 3]
    assert math.isclose(again.values.sum(), cleaned.values.sum())


def test_duplicates_of_no_rows():
    cleaned, kept = drop_duplicates(Frame.of(np.empty((0, 2))))
    assert len(cleaned) == len(kept) == 0
