"""Learning and judging with one combination of settings, within the time there is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from redshank.core import ContractError, Detector, InputError, SettingError
from redshank.evaluate.records import plain
from redshank.evaluate.run import evaluate_run
from redshank.evaluate.tuning.exam import Exam, Exams
from redshank.evaluate.tuning.log import Log, Settings, Trial, Value, best_of, mean_over_data
from redshank.evaluate.tuning.space import key_of

LEAST_TRIALS = 5
"""Trials, the judgement in the end counted as one, that there must be time for: no fit gets more than its share."""
NEARLY = 0.95
"""Part of its time limit from which on a training counts as ended by it."""

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """What does not change from trial to trial.

    Parameters
    ----------
    fresh : Detector
        Its class is taken.
    exams : Exams
        What settings are judged by.
    measure, calibrator, budget : str
        As for :func:`~redshank.evaluate.tuning.search.tune`.
    whole_s : float
        Seconds that there are for everything; may be infinite.
    begun : float
        Reading of ``clock`` from which they count.
    clock : callable
        Seconds on a clock that only goes forward.
    """

    fresh: Detector
    exams: Exams
    measure: str
    calibrator: str
    budget: str
    whole_s: float
    begun: float
    clock: Callable[[], float]

    def left(self) -> float:
        """Seconds left; infinite without a limit."""
        return self.begun + self.whole_s - self.clock()

    @property
    def fit_s(self) -> float:
        """Seconds that one fit may take, in the search and in the end alike; infinite without a limit."""
        return self.whole_s / LEAST_TRIALS / len(self.exams.searched)

    def run(
        self,
        number: int,
        settings: Settings,
        exams: Sequence[Exam],
        progress: Progress | None = None,
        *,
        last: bool = False,
    ) -> Trial | None:
        """Learn and judge on each exam; None if time was up before the end, unless it is to be brought to an end."""
        start, values, limits = self.clock(), [], []
        for k, exam in enumerate(exams):
            left = self.left()
            if left <= 0 and not last:
                return None
            limit = self.fit_s if last else min(self.fit_s, left / (len(exams) - k))
            try:
                values.append(self._value(exam, settings, limit))
            except (SettingError, InputError, ContractError) as error:  # the last: a training that left the numbers
                return Trial(number, settings, math.nan, (), self.clock() - start, reason=str(error))
            limits.append(limit)
            if progress is not None:
                progress((k + 1) / len(exams))
        cut = "budget_s" in settings and any(
            one.seconds >= NEARLY * limit for one, limit in zip(values, limits, strict=True)
        )
        return Trial(number, settings, mean_over_data(values), tuple(values), self.clock() - start, cut)

    def _value(self, exam: Exam, settings: Settings, limit: float) -> Value:
        given = dict(settings)
        if "budget_s" in given and math.isfinite(limit):
            own = given["budget_s"]
            given["budget_s"] = min(limit, float(own)) if isinstance(own, int | float) else limit
        data = exam.data()
        (found,) = evaluate_run(
            data,
            type(self.fresh)(**given),
            splits=[exam.split],
            calibrator=self.calibrator,
            budget=self.budget,
            findings=(),
            command="",
        )
        value = found["measures"][self.measure]
        # Rows of both kinds are judged, so what is not defined is the measure of a detector that said nothing.
        return Value(
            data.name,
            exam.split.fold,
            exam.split.left_out,
            value if math.isfinite(value) else 0.0,
            found["seconds"]["learn"],
        )

    def judge(self, log: Log, first: Settings) -> tuple[Trial, ...]:
        """The default and the best settings on unseen rows, each once; from the log where they were judged before."""
        if not self.exams.unseen:
            return ()
        best = best_of(log.trials).settings
        distinct = {key_of(plain(one)): one for one in (first, best)}
        return tuple(self._judged(log, one) for one in distinct.values())

    def _judged(self, log: Log, settings: Settings) -> Trial:
        before = log.known(settings, log.judged)
        if before is not None:
            return before
        trial = log.known(settings, log.trials)
        found = self.run(-1 if trial is None else trial.number, settings, self.exams.unseen, last=True)
        if found is None:
            raise ContractError("tune: a judgement that is brought to its end came to none")
        log.judge(found)
        return found
