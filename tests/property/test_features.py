"""Laws of the features, for any rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from redshank.features import PCA, CausalDenoiser, Scaler, denoise, hold, interpolate, rolling, segments, windows

LARGEST32 = float(np.finfo(np.float32).max)
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40)
WILD = st.one_of(
    hnp.arrays(np.float32, SHAPES, elements=st.floats(width=32)), hnp.arrays(np.float64, SHAPES, elements=st.floats())
)
USUAL = hnp.arrays(np.float64, SHAPES, elements=st.one_of(st.just(np.nan), st.floats(-1e6, 1e6)))

causal = {
    "hold": lambda values: [hold(values, 3)],
    "rolling": lambda values: rolling(values, 5),
    "denoiser": lambda values: [
        CausalDenoiser(level=2).fit(np.eye(7, values.shape[1])).transform(values),
    ],
}


@given(
    hnp.arrays(np.int16, hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=30)),
    st.integers(1, 40),
    st.integers(1, 9),
)
def test_windows_are_slices(values, size, stride):
    starts = range(0, len(values) - size + 1, stride)
    view = windows(values, size, stride)
    assert len(view) == len(starts)
    for start, window in zip(starts, view, strict=True):
        np.testing.assert_array_equal(window, values[start : start + size])


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 40))
def test_segments_are_all_rows_and_no_long_step(steps, max_gap):
    times = np.cumsum(steps)
    parts = segments(times, max_gap)
    assert [i for part in parts for i in range(part.start, part.stop)] == list(range(len(times)))
    assert all((np.diff(times[part]) <= max_gap).all() for part in parts)
    assert all(times[part.start] - times[part.start - 1] > max_gap for part in parts[1:])


@given(WILD, st.integers(0, 50))
def test_filling_leaves_known_values_and_stays_between_them(values, max_gap):
    there = np.isfinite(values) & (np.abs(values) <= LARGEST32)
    for filled in (interpolate(values, max_gap), hold(values, max_gap)):
        np.testing.assert_array_equal(filled[there], values[there])
        for j in range(values.shape[1]):
            new = filled[~there[:, j] & ~np.isnan(filled[:, j]), j]
            ends = values[there[:, j], j]
            if len(new):  # to the last digit
                with np.errstate(over="ignore"):
                    low, high = np.nextafter(ends.min(), -np.inf), np.nextafter(ends.max(), np.inf)
                assert ((low <= new) & (new <= high)).all()


@given(USUAL, st.sampled_from(["minmax", "standard", "robust"]), st.integers(1, 3))
def test_scaling_comes_back(values, method, groups):
    index = np.arange(len(values)) % groups
    scaler = Scaler(method=method).fit(values, index)
    np.testing.assert_allclose(
        scaler.inverse(scaler.transform(values, index), index), values, rtol=1e-9, atol=1e-6 * scaler.scales_.max()
    )


@pytest.mark.parametrize("name", causal)
@given(WILD, st.data())
def test_causal_prefixes_are_equal(name, values, data):
    n = data.draw(st.integers(1, len(values)))
    for part, whole in zip(causal[name](values[:n]), causal[name](values), strict=True):
        np.testing.assert_array_equal(part, whole[:n])


@settings(deadline=None)
@given(WILD, st.sampled_from(["minmax", "standard", "robust"]))
def test_nothing_infinite_leaves_and_the_dtype_stays(values, method):
    results = [interpolate(values, 3), hold(values, 3), *rolling(values, 4), denoise(values, "haar", 2)]
    results.append(Scaler(method=method).fit(values).transform(values))
    if len(values) > 1:
        results.append(CausalDenoiser(level=3).fit(values).transform(values))
    complete = np.where(np.isfinite(values) & (np.abs(values) <= LARGEST32), values, 0)
    if len(values) > 1:
        results.append(PCA(components=1).fit(complete).transform(values))
    for result in results:
        assert not np.isinf(result).any()
        assert result.dtype == values.dtype
