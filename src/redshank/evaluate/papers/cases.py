"""Labelled data in the form that every comparison takes: series, the kind of each row, and what belongs together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from redshank.core import label_rows
from redshank.core.classifier import ANOMALY, NORMAL
from redshank.data import load, names
from redshank.features import interpolate

Array = npt.NDArray[np.float64]
Names = npt.NDArray[np.str_]

LEARNED = 0.3
"""First part of a series that is taken as the time to learn from, where none is published."""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """Labelled rows of one family of data.

    Parameters
    ----------
    name : str
        For tables.
    series : tuple of float64 ndarray of shape (rows, channels)
        Recordings, oldest row first; a single one of rows without order where ``ordered`` is False.
    kinds : tuple of str ndarray of shape (rows,)
        ``"normal"``, or the kind of anomaly.
    groups : tuple of str ndarray of shape (rows,)
        What must not be on both sides of an honest split: the recording, the name of the attack, the block of
        normal rows.
    begin : tuple of int
        Rows of each series that come before those to judge: the time that is known to be normal.
    ordered : bool
        Whether rows follow each other in time.
    """

    name: str
    series: tuple[Array, ...]
    kinds: tuple[Names, ...]
    groups: tuple[Names, ...]
    begin: tuple[int, ...]
    ordered: bool


def skab(root: Path | None, *, quick: bool) -> Case:
    """Valve 1 of SKAB: sixteen recordings of a pump, eight channels, the published learning part of each."""
    return _recordings("SKAB valve1", _chosen("skab/valve1/", root, 4 if quick else None), root)


def nab(root: Path | None, *, quick: bool) -> Case:
    """The seven NAB files with known causes, each in units of its own first part: they measure different things."""
    return _recordings(
        "NAB known causes", _chosen("nab/realKnownCause/", root, 3 if quick else None), root, own_units=True
    )


def nsl_kdd(root: Path | None, *, quick: bool) -> Case:
    """Connection records with named attacks, no order in time; kinds are families of attack, groups their names."""
    dataset = load("nsl_kdd/KDDTrain+_20Percent", root)
    name = np.array(dataset.kinds)
    family = np.array([kind.partition("(")[2].rstrip(")") or NORMAL for kind in name])
    rows = np.asarray(dataset.frame.values, dtype=np.float64)
    kept = np.arange(len(rows))
    if quick:
        kept = np.sort(np.random.default_rng(0).permutation(len(rows))[:4000])
    family, name = family[kept], name[kept]
    block = np.char.add("normal block ", (np.arange(len(kept)) * 20 // len(kept)).astype(str))
    groups = np.where(family == NORMAL, block, name)
    return Case("NSL-KDD (20 % of KDDTrain+)", (rows[kept],), (family,), (groups,), (0,), ordered=False)


CASES: Mapping[str, Callable[..., Case]] = {"skab": skab, "nab": nab, "nsl_kdd": nsl_kdd}
"""Every case by its name."""


def _chosen(prefix: str, root: Path | None, most: int | None) -> list[str]:
    return [name for name in names(root) if name.startswith(prefix)][:most]


def _recordings(name: str, parts: list[str], root: Path | None, *, own_units: bool = False) -> Case:
    series, kinds, groups, begins = [], [], [], []
    for part in parts:
        dataset = load(part, root)
        rows = interpolate(dataset.frame.values, len(dataset)).astype(np.float64)
        begin = int(dataset.train.sum()) if dataset.train is not None else int(LEARNED * len(rows))
        if own_units:
            middle = np.median(rows[:begin], axis=0)
            spread = np.subtract(*np.quantile(rows[:begin], (0.75, 0.25), axis=0))
            rows = (rows - middle) / np.where(spread > 0, spread, 1.0)
        series.append(np.nan_to_num(rows))
        marks = dataset.y if dataset.y is not None else label_rows(dataset.labels, dataset.frame)
        kinds.append(np.where(marks == 1, ANOMALY, NORMAL))
        groups.append(np.full(len(rows), part))
        begins.append(begin)
    return Case(name, tuple(series), tuple(kinds), tuple(groups), tuple(begins), ordered=True)
