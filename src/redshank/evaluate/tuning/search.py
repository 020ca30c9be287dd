"""The search itself: trials one after the other, each kept as it is done, and in the end a judgement on unseen rows."""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from redshank.core import Detector, InputError, SettingError
from redshank.core.learned import Setting
from redshank.data import Dataset
from redshank.detectors import DETECTORS
from redshank.detectors.specs import read_spec, text_of
from redshank.evaluate.records import Record
from redshank.evaluate.tuning.defaults import space_of
from redshank.evaluate.tuning.exam import PLANTED, exams_of, measure_of
from redshank.evaluate.tuning.job import Job
from redshank.evaluate.tuning.log import Log, Settings, Trial, best_of
from redshank.evaluate.tuning.proposals import proposer
from redshank.evaluate.tuning.result import Tuning
from redshank.evaluate.tuning.space import Choice, Domain, in_words

TRIALS = 40
"""Trials of a search with Optuna where neither trials nor minutes are said: a quarter of an hour at 20 s a trial."""
GIVE_UP = 10
"""Trials after which a search ends in which the detector has refused every one of them."""

Progress = Callable[[float], None]


def tune(
    datasets: Dataset | Sequence[Dataset],
    detector: Detector | str = "ridge",
    space: Mapping[str, Domain | Sequence[Setting]] | None = None,
    *,
    search: str | None = None,
    protocol: str = "blocked k-fold",
    measure: str = "VUS-PR",
    label_free: bool = False,
    unseen: float | None = None,
    judge_on: Sequence[Dataset] = (),
    trials: int | None = None,
    minutes: float | None = None,
    calibrator: str = "extreme",
    budget: str = "1 per device per week",
    seed: int = 0,
    record: Path | str | None = None,
    command: str | None = None,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Tuning:
    """Search for better settings of a detector, and judge what was found on rows that the search never saw.

    Every trial learns and is judged on each fold of the searched rows; its score is the mean over data sets of the mean
    over folds. The default settings are the first trial. What is found does best on the very rows that it was chosen
    by, so its score there is too good; the figure to believe is that of the rows kept from the search.

    Parameters
    ----------
    datasets : Dataset or sequence of Dataset
        Their rows published for testing, or else the last 30 % of each device, are kept from the search.
    detector : Detector or str, default="ridge"
        Text of a detector such as ``"lstm(layers=1)"``, or an unfitted one: its settings are the default to start from.
    space : mapping of str to Choice, Span or a sequence of values, optional
        What may be tried; else :func:`~redshank.evaluate.tuning.defaults.default_space`.
    search : {"grid", "optuna"}, optional
        Every combination, or Optuna's tree-structured Parzen estimator; where nothing is said the first if ``space``
        holds values only.
    protocol : str, default="blocked k-fold"
        How searched rows are divided: a name of :data:`~redshank.evaluate.protocols.PROTOCOLS`.
    measure : str, default="VUS-PR"
        What to tune for, one of :data:`~redshank.evaluate.tuning.exam.OBJECTIVES`.
    label_free : bool, default=False
        Look at no label: judge by anomalies planted into held-back rows. That is also done, and said, where the
        search sees no known anomaly.
    unseen : float, optional
        Last part of each device to keep from the search, whatever division was published.
    judge_on : sequence of Dataset, optional
        Other data for the end; then all rows of ``datasets`` are searched.
    trials : int, optional
        Most trials, those of an earlier run among them; else the whole grid, or 40 with Optuna if no time is given.
    minutes : float, optional
        Wall time to keep to. Detectors that train by the clock are given a share of it, the same for every fit, so that
        there is time for some trials; of others no fit is begun that would end too late.
    calibrator, budget
        As for :func:`~redshank.evaluate.run.evaluate_run`; they matter to measures of alarms.
    seed : int, default=0
        Of the search, the detector and what is planted.
    record : Path or str, optional
        Log of trials, one JSON line each. Where the file exists already the search goes on from it.
    command : str, optional
        As for :func:`~redshank.evaluate.records.environment`.
    progress : callable, optional
        Called with the part done, 0 to 1.
    clock : callable, optional
        Seconds on a clock that only goes forward.

    Returns
    -------
    Tuning
        Best settings, all trials, figures.

    Raises
    ------
    SettingError
        If a name, a setting or the space is not understood.
    InputError
        If the data cannot be divided or judged, the log is of another search, or no trial could be done.
    MissingExtraError
        If Optuna is wanted and not installed.
    """
    sets = [datasets] if isinstance(datasets, Dataset) else list(datasets)
    _check_names(sets)
    for name, limit in (("trials", trials), ("minutes", minutes)):
        if limit is not None and limit <= 0:
            raise SettingError(f"tune: {name} is {limit:g}; it must be above 0")
    begun = clock()
    name, fresh = _detector(detector, seed)
    wanted = measure_of(measure)
    exams = exams_of(sets, judge_on, protocol=protocol, unseen=unseen, label_free=label_free, seed=seed)
    if fresh.tags.needs_labels and exams.searched_by == PLANTED:
        raise InputError(f"tune: {name} learns from labels, and the search sees no known anomaly; give data with some")
    found, notes, hints = space_of(name, fresh, space, exams.rows)
    first = fresh.settings()
    grid = search == "grid" or (search is None and all(isinstance(one, Choice) for one in found.values()))
    propose, most = proposer("grid" if grid else search or "optuna", found, first, hints=hints, seed=seed)
    enough = trials if trials is not None or most is not None or minutes is not None else TRIALS
    study: Record = {
        "detector": name,
        "data": exams.record(),
        "protocol": exams.searched[0].split.protocol,
        "measure": wanted,
        "searched by": exams.searched_by,
        "calibrator": calibrator,
        "budget": budget,
        "seed": seed,
    }
    log = Log(study, None if record is None else Path(record), command)
    job = Job(fresh, exams, wanted, calibrator, budget, math.inf if minutes is None else 60.0 * minutes, begun, clock)
    ended = _search(job, log, lambda past: _completed(first, propose(past)), enough, _Bar(progress, enough or most))
    judged = job.judge(log, first)
    return Tuning(
        detector=name,
        spec=_spec(type(fresh)(**best_of(log.trials).settings)),
        study=study,
        searched_with="grid" if grid else "optuna",
        space={one: in_words(domain) for one, domain in found.items()},
        default=first,
        trials=tuple(log.trials),
        judged=judged,
        judged_by=exams.unseen_by if exams.unseen else "",
        looks=len({one.key for one in log.judged}),
        resumed=log.found,
        ended=ended,
        notes=(*notes, *exams.notes),
    )


@dataclass(frozen=True, slots=True)
class _Bar:
    """Where progress goes, and how many trials are the whole of it, None where only the time says."""

    on: Progress | None
    whole: int | None

    def show(self, trials: float, spent: float) -> None:
        """Trials done, with the begun part of the next, and share of the time that is spent."""
        if self.on is not None:
            self.on(min(max(trials / self.whole if self.whole else 0.0, spent), 1.0))


def _search(
    job: Job, log: Log, propose: Callable[[Sequence[Trial]], Settings | None], enough: int | None, bar: _Bar
) -> str:
    """Trials until there are enough, time is up or nothing is left; why it ended."""

    def part(own: float) -> None:
        bar.show(len(log.trials) + own, 1.0 - job.left() / job.whole_s if math.isfinite(job.whole_s) else 0.0)

    ended = ""
    while not ended:
        times = [one.seconds for one in log.trials if one.done]
        # A trial costs one fit a fold, the end two a data set: time for both must be there, or none is begun.
        usual = float(np.median(times)) if times else 0.0
        end = 2.0 * usual * len(job.exams.unseen) / len(job.exams.searched)
        hopeless = len(log.trials) >= GIVE_UP and not times
        if hopeless or (enough is not None and len(log.trials) >= enough):
            ended = "all trials were done"
        elif times and job.left() < usual + end:
            ended = "time is up"
        elif (asked := propose(log.trials)) is None:
            ended = "every combination was tried"
        elif (trial := job.run(len(log.trials), asked, job.exams.searched, part)) is None:
            ended = "time is up"
        else:
            log.add(trial)
    if not any(one.done for one in log.trials):
        if not log.trials:
            raise InputError(
                "tune: time was up before one trial was done; give more minutes, fewer rows or fewer folds"
            )
        raise InputError(f"tune: none of {len(log.trials)} trials could be done; of the first: {log.trials[0].reason}")
    return ended


def _check_names(sets: Sequence[Dataset]) -> None:
    names = [one.name for one in sets]
    if not names:
        raise InputError("tune: no data sets; give at least one")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"tune: two data sets are called {twice!r}; give each a name of its own")


def _spec(detector: Detector) -> str:
    """The text of a detector; of one of the caller's own its class and all its settings."""
    try:
        return text_of(detector)
    except SettingError:
        words = (f"{name}={value!r}" for name, value in detector.settings().items())
        return f"{type(detector).__name__}({', '.join(words)})"


def _completed(first: Settings, asked: Settings | None) -> Settings | None:
    """All settings: those asked for, and the default elsewhere."""
    return None if asked is None else {**first, **asked}


def _detector(detector: Detector | str, seed: int) -> tuple[str, Detector]:
    """Name and unfitted detector with the seed."""
    if isinstance(detector, str):
        make, given = read_spec(detector)
        seeded = {"seed": seed} if "seed" in inspect.signature(make).parameters else {}
        return DETECTORS.name_of(make), make(**seeded | given)
    try:
        return DETECTORS.name_of(type(detector)), detector
    except SettingError:
        return type(detector).__name__, detector
