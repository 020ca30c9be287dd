"""The leakage audit: is the label told by something that has nothing to do with the anomaly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from redshank.core import label_rows
from redshank.core.classifier import NORMAL
from redshank.data.dataset import Dataset, runs
from redshank.data.options import pick
from redshank.data.reading import text_table
from redshank.data.rules import class_rule, interval_rule, threshold_rule
from redshank.data.split import split_time

Mask = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int8]

NEAR_PERFECT = 0.99
"""Balanced accuracy from which on one thing alone tells the label: honest channels stay below."""
MIN_ROWS = 20
"""Rows of each class that a judgement needs."""
GAP_STEPS = 10
"""Usual intervals without a row that make a break between two recordings."""
COPIED_SHARE = 0.01
"""Share of test rows with a twin in training, beyond what the data's own coarseness explains, that is too much."""
COARSE = 0.5
"""Share of rows with a twin inside one part from which on equal rows say nothing."""

_DAY_NS = 86_400_000_000_000
_QUARTERS = 96


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the audit found.

    Parameters
    ----------
    check : {"time", "column", "form", "duplicates", "constant", "label"}
        What was looked at.
    column : str
        The column concerned; empty where it is the whole table.
    severity : {"leak", "warning"}
        A leak makes every score on this data worthless until it is mended; a warning is to be known.
    figure : float
        Balanced accuracy (0.5 is chance), or the share of rows concerned.
    sentence : str
        The finding, for a person.
    """

    check: str
    column: str
    severity: Literal["leak", "warning"]
    figure: float
    sentence: str


def audit(dataset: Dataset, *, split: float = 0.5) -> list[Finding]:
    """Look for ways to know the label without knowing the anomaly.

    Parameters
    ----------
    dataset : Dataset
        Label checks need ``y`` or ``labels``; the form of cells is judged where the data set came from a text file.
    split : float, default=0.5
        Share of each device's rows, in time order, that count as training rows where none are published.

    Returns
    -------
    list of Finding
        Leaks first. Empty where there is nothing to say.
    """
    if dataset.y is None and dataset.labels:
        dataset = replace(dataset, y=label_rows(dataset.labels, dataset.frame))
    train = dataset.train if dataset.train is not None else split_time(dataset.frame, split)[0]
    found = [*_duplicates(dataset, train), *_constant(dataset)]
    if dataset.y is None:
        sentence = "no labels are known: name the label column to have label checks made"
        found.append(Finding("label", "", "warning", 0.0, sentence))
    else:
        # Published training rows are normal by design: that their labels follow the time says nothing.
        judged = ~train if dataset.train is not None else np.ones(len(train), bool)
        if min(np.bincount(dataset.y[judged], minlength=2)) >= MIN_ROWS:
            found += [*_time(dataset, judged), *_columns(dataset, judged), *_forms(dataset)]
        else:
            sentence = f"fewer than {MIN_ROWS} rows of one class: label checks are not made"
            found.append(Finding("label", "", "warning", 0.0, sentence))
    return sorted(found, key=lambda one: one.severity != "leak")


def _time(dataset: Dataset, judged: Mask) -> Iterator[Finding]:
    assert dataset.y is not None  # noqa: S101  audit has looked
    time_ns, y, device = dataset.frame.time_ns[judged], dataset.y[judged], dataset.frame.device[judged]
    figure = threshold_rule(time_ns.astype(np.float64), y)
    if figure >= NEAR_PERFECT:
        sentence = f"the label follows the date: one moment splits normal from anomalous rows ({figure:.1%} right)"
        # One event late in a published test part is how some honest sets are made.
        honest = dataset.train is not None and len(runs(y[np.argsort(time_ns, kind="stable")])) == 1
        yield Finding("time", "", "warning" if honest else "leak", figure, sentence)
        return
    share = _recordings(time_ns, y, device, dataset.frame.interval_s())
    if share >= NEAR_PERFECT:
        sentence = f"the label follows the recording: {share:.1%} of its changes fall on midnight or on a gap in time"
        yield Finding("time", "", "leak", share, sentence)
        return
    days = np.unique(time_ns[y == 1] // _DAY_NS)
    if len(days) >= 4:
        order = np.argsort(time_ns, kind="stable")
        quarter = (time_ns % _DAY_NS * _QUARTERS // _DAY_NS)[order]
        figure = class_rule(quarter.astype(np.intp), y[order])
        if figure >= NEAR_PERFECT:
            sentence = f"the label follows the time of day ({figure:.1%} of rows right)"
            yield Finding("time", "", "leak", figure, sentence)


def _recordings(time_ns: npt.NDArray[np.int64], y: Labels, device: npt.NDArray[np.int32], interval_s: float) -> float:
    """Share of the label's changes that coincide with a border between recordings; 0 if there are too few to tell."""
    order = np.lexsort((time_ns, device))
    same = np.diff(device[order]) == 0
    changed = (np.diff(y[order]) != 0) & same
    step = np.diff(time_ns[order])
    border = step > GAP_STEPS * interval_s * 1e9
    if interval_s <= 3600:
        border |= np.diff(time_ns[order] // _DAY_NS) != 0
    if changed.sum() < 2 or border[same].mean() > 0.5:
        return 0.0
    return float(border[changed].mean())


def _columns(dataset: Dataset, judged: Mask) -> Iterator[Finding]:
    assert dataset.y is not None  # noqa: S101  audit has looked
    rows = np.flatnonzero(judged)
    rows = rows[np.argsort(dataset.frame.time_ns[rows], kind="stable")]
    y = dataset.y[rows]
    events = len(runs(y))
    for name, values in zip(dataset.frame.schema.names, dataset.frame.values.T, strict=True):
        column = values[rows].astype(np.float64)
        figure = interval_rule(column, y)
        if figure < NEAR_PERFECT:
            continue
        flag = len(np.unique(column[~np.isnan(column)])) <= 2
        told = f"column {name!r} alone tells the label ({figure:.1%} of held-back rows right)"
        if events > 1 or flag:
            yield Finding("column", name, "leak", figure, f"{told}: a copy of the label, or made from it?")
        else:
            yield Finding("column", name, "warning", figure, f"{told}, but there is one event only: a strong sign?")


def _forms(dataset: Dataset) -> Iterator[Finding]:
    """How cells are written, apart from the value they stand for: words or figures, digits behind the point, blanks."""
    source = dataset.source
    if source is None or source.options.label is None:
        return
    table = text_table(source)
    if table is None:
        return
    from redshank.data.assemble import label_kinds  # noqa: PLC0415  needs polars, which is there: the file was read
    from redshank.data.forms import written  # noqa: PLC0415
    from redshank.data.roles import assign  # noqa: PLC0415

    roles = assign(table, source.options)
    label = pick(source.options.label, table.columns.columns, "label", table.source)
    y = (label_kinds(table, label)[0] != NORMAL).astype(np.int8)
    names = [name for name in (*roles.rest, roles.value, roles.time) if name is not None]
    for name in dict.fromkeys(names):
        figure = class_rule(written(table.columns[name]), y)
        if figure >= NEAR_PERFECT:
            sentence = f"column {name!r} is written differently in normal and anomalous rows ({figure:.1%} told by it)"
            yield Finding("form", name, "leak", figure, sentence)


def _duplicates(dataset: Dataset, train: Mask) -> Iterator[Finding]:
    """Test rows that are copies of training rows, beyond the twins that coarse data have anyway."""
    hashed = _row_hashes(dataset.frame.values)
    if hashed is None or train.all() or not train.any():
        return
    first, second = hashed[train], hashed[~train]
    # Coarse data have twins everywhere. How many is measured inside each part, half against half; so that the
    # comparison is fair, test rows are held against half of the training rows too.
    within = max(_twins(first), _twins(second))
    halves = np.array_split(first, 2)
    across = float(np.mean([np.isin(second, half).mean() for half in halves]))
    if across - within < COPIED_SHARE or within > COARSE:
        return
    share = float(np.isin(second, first).mean())
    sentence = f"{share:.1%} of the test rows are copies of training rows (within each part: {within:.1%})"
    y = dataset.y
    if y is not None and _memorisable(hashed, y, train):
        yield Finding("duplicates", "", "leak", share, f"{sentence}, with their labels: they can be learned by heart")
    else:
        yield Finding("duplicates", "", "warning", share, sentence)


def _row_hashes(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint64] | None:
    """One number a row, equal for equal rows; constant columns left out, None if none is left."""
    varying = values[:, [j for j in range(values.shape[1]) if not _is_constant(values[:, j])]]
    if not varying.shape[1]:
        return None
    same = np.where(np.isnan(varying), np.float32(np.nan), varying + np.float32(0.0))  # one NaN, one zero
    bits = np.ascontiguousarray(same, np.float32).view(np.uint32).astype(np.uint64)
    hashed = np.zeros(len(bits), np.uint64)
    for column in bits.T:  # multiply by the golden ratio of 64 bits and fold, so that every bit reaches every other
        hashed = (hashed ^ column) * np.uint64(0x9E3779B97F4A7C15)
        hashed ^= hashed >> np.uint64(29)
    return hashed


def _twins(hashed: npt.NDArray[np.uint64]) -> float:
    """Share of rows of the second half that came in the first half."""
    middle = len(hashed) // 2
    return float(np.isin(hashed[middle:], hashed[:middle]).mean()) if middle else 0.0


def _memorisable(hashed: npt.NDArray[np.uint64], y: Labels, train: Mask) -> bool:
    """Whether twins agree on the label and some of them are anomalous."""
    odd = np.unique(hashed[train & (y == 1)])
    plain = np.setdiff1d(hashed[train & (y == 0)], odd)
    told_odd, told_plain = np.isin(hashed[~train], odd), np.isin(hashed[~train], plain)
    later = y[~train]
    right = int((later[told_odd] == 1).sum() + (later[told_plain] == 0).sum())
    both = int(told_odd.sum() + told_plain.sum())
    return bool(told_odd.any()) and right >= NEAR_PERFECT * both


def _is_constant(column: npt.NDArray[np.float32]) -> bool:
    known = column[~np.isnan(column)]
    return not len(known) or bool((known == known[0]).all())


def _constant(dataset: Dataset) -> Iterator[Finding]:
    for name, column in zip(dataset.frame.schema.names, dataset.frame.values.T, strict=True):
        if _is_constant(column):
            known = column[~np.isnan(column)]
            sentence = f"column {name!r} is {f'always {known[0]:g}' if len(known) else 'empty'}: it can tell nothing"
            yield Finding("constant", name, "warning", 1.0, sentence)
