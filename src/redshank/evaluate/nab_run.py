"""Scores of a detector for the whole NAB corpus, by its rules: learn on the probation, look only back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from redshank.core import Detector
from redshank.data import load, names
from redshank.evaluate.metrics.nab import nab_floor, probation_rows
from redshank.pipeline import Pipeline

SMALLEST_P = 1e-300
"""Tail probabilities below this are taken for it."""
RAISED = 0.01
"""Least score of a row in which an incident was raised: at this threshold every incident counts."""


def nab_files(data_root: Path | None = None) -> tuple[str, ...]:
    """Names of the files of the corpus, as ``realTweets/Twitter_volume_AAPL.csv``."""
    return tuple(f"{name.removeprefix('nab/')}.csv" for name in names(data_root) if name.startswith("nab/"))


def nab_scores(
    detector: str | Callable[[], Detector],
    *,
    files: Sequence[str] | None = None,
    data_root: Path | None = None,
    progress: Callable[[float], None] | None = None,
) -> dict[str, npt.NDArray[np.float64]]:
    """``-log10`` of the tail probability of the rows in which an incident was raised; all others have 0.

    A fresh pipeline learns from each file's probation, ``min(floor(0.15 n), 750)`` rows, and judges the others at its
    usual budget. NAB counts every row of an alarm that lies outside a window, so what is scored is what a person would
    have been told: one row an incident, the one in which it was detected. A tail probability means the same in every
    file, so one threshold can serve them all; at :data:`RAISED` every incident counts, and no label has been seen.

    Parameters
    ----------
    detector : str or callable
        A registered name, or what makes an unfitted detector.
    files : sequence of str, optional
        Part of the corpus, in the form of :func:`nab_files`.
    data_root : Path, optional
        Folder of the named data sets.
    progress : callable, optional
        Called with the share of files done.
    """
    wanted = nab_files(data_root) if files is None else tuple(files)
    found = {}
    for done, file in enumerate(wanted):
        frame = load(f"nab/{file.removesuffix('.csv')}", data_root).frame
        learned = np.arange(len(frame)) < probation_rows(len(frame))
        pipeline = Pipeline(detector if isinstance(detector, str) else detector())
        normal = frame.take(learned)
        rest = frame.take(~learned)
        analysis = pipeline.fit(normal).analyse(rest, history=normal)
        surprise = -np.log10(np.maximum(analysis.scores.p, SMALLEST_P))
        scores = np.zeros(len(frame))
        for incident in analysis.incidents:
            row = int(np.argmax(rest.time_ns >= incident.detected_ns))
            place = len(frame) - len(rest) + row
            scores[place] = max(scores[place], surprise[row], RAISED)
        found[file] = scores
        if progress is not None:
            progress((done + 1) / len(wanted))
    return found


def nab_trivial(rows: Mapping[str, int], *, seed: int = 0) -> dict[str, dict[str, npt.NDArray[np.float64]]]:
    """What needs no data, under its name: never an alarm, random scores, and an alarm every half probation."""
    generator = np.random.default_rng(seed)
    return {
        "never": {file: np.zeros(count) for file, count in rows.items()},
        "random": {file: generator.random(count) for file, count in rows.items()},
        "half probation": nab_floor(rows),
    }
