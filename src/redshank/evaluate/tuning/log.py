"""The log of a search: one JSON line a trial, written as soon as it is done, and all that a resumed search needs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from redshank.core import InputError
from redshank.core.learned import Setting
from redshank.evaluate.records import SCHEMA, Record, append, environment, plain, read
from redshank.evaluate.tuning.space import key_of

STUDY, TRIAL, JUDGED = "study", "trial", "judged in the end"
"""Kinds of a line: what is searched (the first), a trial, a judgement on rows that the search never saw."""

Settings = dict[str, Setting]


@dataclass(frozen=True, slots=True)
class Value:
    """The measure on one fold of one data set; NaN where it is not defined. ``seconds`` are those of learning."""

    data: str
    fold: int
    left_out: str
    value: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Trial:
    """One combination of settings and what came of it.

    Parameters
    ----------
    number : int
        From 0, in the order in which they were done.
    settings : dict
        All settings of the detector.
    score : float
        Mean over data sets of the mean over folds; NaN where the detector refused the settings.
    values : tuple of Value
        One for each fold that was judged.
    seconds : float
        Wall time.
    cut_short : bool, default=False
        The time limit may have ended the training of a fold: without it the score might be higher.
    reason : str, default=""
        Why the detector refused the settings.
    """

    number: int
    settings: Settings
    score: float
    values: tuple[Value, ...]
    seconds: float
    cut_short: bool = False
    reason: str = ""

    @property
    def done(self) -> bool:
        """Whether it has a score."""
        return math.isfinite(self.score)

    @property
    def key(self) -> str:
        """The same for the same settings, whatever their order."""
        return key_of(plain(self.settings))


class Log:
    """Trials and final judgements of one search, in memory and, where a file is named, on disk.

    Parameters
    ----------
    study : mapping
        What is searched: detector, data, protocol, measure and so on. A file that holds another study is refused.
    path : Path or None
        The file; None keeps everything in memory.
    command : str or None
        As for :func:`~redshank.evaluate.records.environment`.

    Attributes
    ----------
    trials : list of Trial
        In the order of their numbers.
    judged : list of Trial
        Judgements on unseen rows.
    found : int
        Trials that the file held already.

    Raises
    ------
    InputError
        If the file cannot be read, is no log of a search, or is that of another one; the first difference is named.
    """

    def __init__(self, study: Mapping[str, object], path: Path | None = None, command: str | None = None) -> None:
        self._path, self._command = path, command
        self.trials: list[Trial] = []
        self.judged: list[Trial] = []
        head = plain(study)
        if path is not None and path.exists():
            _close(path)
            lines = read(path)
            if lines:
                _same(path, lines[0], head if isinstance(head, Mapping) else {})
                self._take(path, lines[1:])
            else:
                self._write({"kind": STUDY, "study": head})
        else:
            self._write({"kind": STUDY, "study": head})
        self.found = len(self.trials)

    def add(self, trial: Trial) -> None:
        """Keep a trial; it is on disk when this returns."""
        self.trials.append(trial)
        self._write({"kind": TRIAL, **asdict(trial)})

    def judge(self, trial: Trial) -> None:
        """Keep a judgement on rows that the search never saw."""
        self.judged.append(trial)
        self._write({"kind": JUDGED, **asdict(trial)})

    def known(self, settings: Mapping[str, Setting], trials: Sequence[Trial]) -> Trial | None:
        """The one of ``trials`` that has these settings, if there is one."""
        wanted = key_of(plain(settings))
        return next((one for one in trials if one.key == wanted), None)

    def _write(self, line: Record) -> None:
        if self._path is not None:
            append(self._path, {"schema": SCHEMA, **line, **environment(self._command)})

    def _take(self, path: Path, lines: Sequence[Record]) -> None:
        for number, line in enumerate(lines, 2):
            if line.get("kind") not in {TRIAL, JUDGED}:
                raise InputError(
                    f"{path}: record {number} is of kind {line.get('kind')!r}, not of a search; name another file"
                )
            try:
                one = Trial(
                    number=int(line["number"]),
                    settings={name: _setting(value) for name, value in line["settings"].items()},
                    score=_number(line["score"]),
                    values=tuple(Value(**{**value, "value": _number(value["value"])}) for value in line["values"]),
                    seconds=float(line["seconds"]),
                    cut_short=bool(line["cut_short"]),
                    reason=str(line["reason"]),
                )
            except (KeyError, TypeError, AttributeError) as error:
                raise InputError(f"{path}: record {number} is no whole trial ({error}); remove the line") from error
            (self.trials if line["kind"] == TRIAL else self.judged).append(one)


def best_of(trials: Sequence[Trial]) -> Trial:
    """The highest score; of equal ones the first, so that the default has to be beaten."""
    return max((one for one in trials if one.done), key=lambda one: one.score)


def mean_over_data(values: Sequence[Value]) -> float:
    """Mean over data sets of the mean over folds: a data set with many folds weighs no more."""
    by_data: dict[str, list[float]] = {}
    for one in values:
        by_data.setdefault(one.data, []).append(one.value)
    return float(np.mean([np.mean(own) for own in by_data.values()]))


def _close(path: Path) -> None:
    """Cut off a last line without an end: the process was killed while it wrote, and that trial is lost."""
    try:
        content = path.read_bytes()
        if content and not content.endswith(b"\n"):
            whole = content.rfind(b"\n") + 1
            if not content[whole:].startswith(b"{"):
                raise InputError(f"{path}: is no log of a search; name another file with --record")
            with path.open("r+b") as stream:
                stream.truncate(whole)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error


def _same(path: Path, head: Record, study: Mapping[str, object]) -> None:
    if head.get("kind") != STUDY:
        raise InputError(
            f"{path}: holds records of kind {head.get('kind')!r}, not a search; name another file with --record"
        )
    other = head.get("study")
    for name, value in study.items():
        before = other.get(name) if isinstance(other, Mapping) else None
        if before != value:
            raise InputError(
                f"{path}: is the log of another search: its {name} is {_short(before)}, here it is {_short(value)}; "
                "name another file with --record"
            )


def _short(value: object) -> str:
    if isinstance(value, list):  # data: the names tell enough, save where these are equal
        return ", ".join(f"{one['name']} ({one['role']}, {one['fingerprint']})" for one in value)
    return json.dumps(value)


def _setting(value: Setting | list[int]) -> Setting:
    return tuple(value) if isinstance(value, list) else value


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
