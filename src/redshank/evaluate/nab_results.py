"""Result files of detectors on the Numenta Anomaly Benchmark, and the corpus that they are scored against."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from redshank.core import InputError
from redshank.data import load, names
from redshank.data.content import content, text
from redshank.data.table import READ_ERRORS

Scores = dict[str, npt.NDArray[np.float64]]

SCORE = "anomaly_score"
TABLE = ("file", "row", SCORE)
"""Columns of the form that holds a whole corpus in one file."""

LISTED = 5
"""At most this many files are named in a message."""


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """Windows and times of each file, in the form that ``nab_score`` takes; files as ``realTweets/...AAPL.csv``.

    Parameters
    ----------
    windows : mapping of file to sequence of (first, last)
        Moments of the first and the last row of each anomaly window, nanoseconds since 1970.
    time_ns : mapping of file to int64 array of shape (n,)
        Time of each row, as written, nanoseconds since 1970.
    """

    windows: Mapping[str, tuple[tuple[int, int], ...]]
    time_ns: Mapping[str, npt.NDArray[np.int64]]

    @property
    def rows(self) -> dict[str, int]:
        """Rows of each file."""
        return {file: len(times) for file, times in self.time_ns.items()}

    def check(self, detector: str, scores: Mapping[str, npt.NDArray[np.float64]]) -> None:
        """Raise InputError unless there is one score for every row of every file, and nothing else."""
        lacking, unknown = sorted(set(self.rows) - set(scores)), sorted(set(scores) - set(self.rows))
        if lacking:
            raise InputError(
                f"results of {detector!r}: no scores for {_listed(lacking)}; all files count, run them too"
            )
        if unknown:
            raise InputError(f"results of {detector!r}: the corpus has no {_listed(unknown)}; check the names")
        wrong = [
            f"{file} ({len(scores[file])} scores, {rows} rows)"
            for file, rows in self.rows.items()
            if len(scores[file]) != rows
        ]
        if wrong:
            raise InputError(f"results of {detector!r}: not one score a row in {_listed(wrong)}; score every row")


def corpus(data_root: Path | None = None) -> Corpus:
    """The benchmark's files under ``data_root`` (see ``redshank.data.load``).

    Raises
    ------
    InputError
        If it is not there or a file cannot be read.
    """
    parts = [name for name in names(data_root) if name.startswith("nab/")]
    windows, time_ns = {}, {}
    for name in parts or ["nab"]:  # where there is none, load says where it is published
        dataset = load(name, data_root)
        file = f"{name.removeprefix('nab/')}.csv"
        windows[file] = tuple((label.start_ns, label.end_ns) for label in dataset.labels)
        time_ns[file] = dataset.frame.time_ns
    return Corpus(windows, time_ns)


def read_results(path: Path, against: Corpus | None = None) -> dict[str, Scores]:
    """Scores by detector and file.

    Parameters
    ----------
    path : Path
        One of

        - a CSV file, also gzip, with the columns ``file``, ``row`` (from 0) and ``anomaly_score``: one detector, named
          as the file;
        - a folder of such files, and of folders in the benchmark's own layout,
          ``DETECTOR/CATEGORY/DETECTOR_FILE.csv`` with a column ``anomaly_score``; or one such ``DETECTOR`` folder.
    against : Corpus, optional
        Each detector must have one score for every row of its files.

    Raises
    ------
    InputError
        If there are no results, a column is missing, a score is not a finite number, a row is missing or comes twice,
        or a detector does not fit ``against``.
    """
    if path.is_dir():
        own = _layout(path)
        tables = [] if own else sorted([*path.glob("*.csv"), *path.glob("*.csv.gz")])
        folders = (
            {path.name: own} if own else {one.name: _layout(one) for one in sorted(path.iterdir()) if one.is_dir()}
        )
    else:
        tables, folders = [path], {}
    found = {name: {file: _column(part) for file, part in files.items()} for name, files in folders.items() if files}
    for table in tables:
        name = table.name.removesuffix(".gz").removesuffix(".csv")
        if name in found:
            raise InputError(f"{path}: two results are called {name!r}; rename or remove one")
        found[name] = _table(table)
    if not found:
        raise InputError(
            f"{path}: no results; wanted CSV files with the columns {', '.join(TABLE)}, or folders as "
            "DETECTOR/CATEGORY/DETECTOR_FILE.csv"
        )
    if against is not None:
        for detector, scores in found.items():
            against.check(detector, scores)
    return found


def _layout(folder: Path) -> dict[str, Path]:
    """Result files below a detector's folder, by the file of the corpus that they belong to."""
    prefix = f"{folder.name}_"
    parts = [part for part in sorted(folder.glob("*/*.csv")) if part.name.startswith(prefix)]
    return {f"{part.parent.name}/{part.name.removeprefix(prefix)}": part for part in parts}


def _column(path: Path) -> npt.NDArray[np.float64]:
    cells = _cells(path, (SCORE,))
    return _numbers(cells[SCORE], lambda at: f"{path}: row {at}")


def _table(path: Path) -> Scores:
    cells = _cells(path, TABLE)
    row = cells["row"].cast(pl.Int64, strict=False)
    unnamed = cells["file"].is_null() | row.is_null()
    if unnamed.any():
        line = int(unnamed.arg_max() or 0) + 2  # the header is line 1
        raise InputError(f"{path}: line {line} lacks a file or the number of a row; wanted {', '.join(TABLE)}")
    score = _numbers(cells[SCORE], lambda at: f"{path}: {cells['file'][at]}, row {row[at]}")
    table = pl.DataFrame({"file": cells["file"], "row": row, "score": score})
    parts = table.partition_by("file", as_dict=True, include_key=False)
    return {str(file): _in_order(f"{path}: {file}", part) for (file,), part in parts.items()}


def _in_order(where: str, part: pl.DataFrame) -> npt.NDArray[np.float64]:
    part = part.sort("row")
    row = part["row"].to_numpy()
    odd = row != np.arange(len(row))
    if odd.any():
        at = int(odd.argmax())
        fault = f"row {at} is missing" if row[at] > at else f"row {row[at]} comes twice or is below 0"
        raise InputError(f"{where}: {fault}; rows count from 0 and each has one score")
    return part["score"].to_numpy()


def _numbers(cells: pl.Series, where: Callable[[int], str]) -> npt.NDArray[np.float64]:
    """Cells as finite numbers; ``where`` says where a cell stands."""
    numbers = cells.cast(pl.Float64, strict=False)
    odd = ~numbers.is_finite().fill_null(value=False)
    if odd.any():
        at = int(odd.arg_max() or 0)
        raise InputError(f"{where(at)}: the score is {cells[at] or ''!r}; wanted a finite number")
    return numbers.to_numpy()


def _cells(path: Path, columns: tuple[str, ...]) -> pl.DataFrame:
    try:
        cells = pl.read_csv(text(content(path), str(path)), infer_schema=False)
    except READ_ERRORS as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"{path}: cannot be read as a table ({reason}); check how it was written") from error
    lacking = [column for column in columns if column not in cells.columns]
    if lacking:
        raise InputError(f"{path}: no column {', '.join(lacking)}, only {', '.join(cells.columns)}; check the header")
    return cells.select(columns)


def _listed(files: Sequence[str]) -> str:
    more = f" and {len(files) - LISTED} more" if len(files) > LISTED else ""
    return ", ".join(files[:LISTED]) + more
