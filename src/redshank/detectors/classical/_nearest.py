"""Nearest neighbours among a bounded set of reference points, without a tree: exact, and in NumPy alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from redshank.core.contracts import Array

CELLS = 2**22
"""Distances that are in memory at once: 32 MiB."""

Places = npt.NDArray[np.intp]


def nearest(points: Array, reference: Array, k: int, *, skip_own: bool = False) -> tuple[Array, Places]:
    """Distances (n, k), rising, of points (n, d) to their k nearest of reference (m, d), and the places of those.

    Candidates are found by ``|a|^2 - 2ab + |b|^2``, one matrix product; their distances are then taken anew from the
    differences, so that a point equal to its neighbour has a distance of exactly 0. With ``skip_own``, point i is not
    compared with reference i.
    """
    distances, places = np.empty((len(points), k)), np.empty((len(points), k), np.intp)
    for rows, squares in _squares(points, reference):
        if skip_own:
            squares[np.arange(len(squares)), np.arange(rows.start, rows.start + len(squares))] = np.inf
        distances[rows], places[rows] = closest(points[rows], reference, squares, k)
    return distances, places


def closest(points: Array, reference: Array, squares: Array, k: int) -> tuple[Array, Places]:
    """The k nearest by approximate ``squares`` (n, m), with exact distances, nearest first."""
    if k == 1:
        found = squares.argmin(axis=1)[:, None]
    else:
        found = np.argpartition(squares, k - 1, axis=1)[:, :k] if k < len(reference) else _all(squares)
    exact = np.sqrt(np.square(points[:, None] - reference[found]).sum(axis=2))  # (n, k, d) summed over d
    order = np.argsort(exact, axis=1, kind="stable")
    return np.take_along_axis(exact, order, axis=1), np.take_along_axis(found, order, axis=1)


def within(points: Array, reference: Array, radius: float) -> Places:
    """How many of the reference points lie within ``radius`` of each point, shape (n,)."""
    counts = [(squares <= radius * radius).sum(axis=1) for _, squares in _squares(points, reference)]
    return np.concatenate([np.empty(0, np.intp), *counts])


def by_channel(points: Array, reference: Array, distances: Array, places: Places, channels: int) -> Array:
    """What each channel adds to the mean distance to the neighbours, (n, channels), summing to that mean.

    A distance falls to the channels as its square does. Points are rows, or windows flattened row after row. Where a
    distance is 0 the channels share alike, in nothing.
    """
    parts = np.zeros((len(points), channels))
    step = max(1, CELLS // max(1, points.shape[1]))
    for start in range(0, len(points), step):
        rows = slice(start, start + step)
        for neighbour in range(places.shape[1]):
            squares = np.square(points[rows] - reference[places[rows, neighbour]])
            squares = squares.reshape(len(squares), -1, channels).sum(axis=1)
            far = distances[rows, neighbour, None]
            parts[rows] += np.divide(squares, far, out=np.zeros_like(squares), where=far > 0)
    parts /= places.shape[1]
    return parts


def _squares(points: Array, reference: Array) -> Iterator[tuple[slice, Array]]:
    """Squared distances, to rounding, of blocks of points."""
    sizes = np.einsum("ij,ij->i", reference, reference)
    step = max(1, CELLS // max(len(reference), 1))
    for start in range(0, len(points), step):
        block = points[start : start + step]
        yield slice(start, start + len(block)), squares_of(block, reference, sizes)


def squares_of(block: Array, reference: Array, sizes: Array) -> Array:
    """Squared distances (n, m), to rounding; ``sizes`` are the squared lengths of the reference points."""
    squares: Array = block @ reference.T
    squares *= -2.0
    squares += sizes
    squares += np.einsum("ij,ij->i", block, block)[:, None]
    return np.maximum(squares, 0.0, out=squares)


def _all(squares: Array) -> Places:
    return np.broadcast_to(np.arange(squares.shape[1]), squares.shape)
