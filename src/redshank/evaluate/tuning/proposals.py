"""What to try next: a function of space, history and seed, so that a resumed search is as one undisturbed."""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from redshank.core import MissingExtraError, SettingError
from redshank.core.learned import Setting
from redshank.evaluate.tuning.log import Settings, Trial
from redshank.evaluate.tuning.space import Choice, Domain, Space, Span, grid, key_of

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

ATTEMPTS = 50
"""Proposals in a row that were tried already, after which the space counts as used up."""

Propose = Callable[[Sequence[Trial]], Settings | None]
"""What was tried to what is tried next, by name of the space; None where there is nothing left."""


def proposer(
    search: str, space: Space, first: Settings, *, hints: Sequence[Settings], seed: int
) -> tuple[Propose, int | None]:
    """What proposes settings, and how many there are to propose, None for no end.

    Parameters
    ----------
    search : {"grid", "optuna"}
        Every point of a grid in random order, or Optuna's tree-structured Parzen estimator.
    space : mapping of str to Choice or Span
        What may be tried.
    first : dict
        All settings of the detector by default: tried first, and held where the space names nothing.
    hints : sequence of dict
        Settings to try next, by name of the space.
    seed : int
        Same seed, same history, same proposal.

    Raises
    ------
    SettingError
        If there is no such search, or the grid is too large.
    MissingExtraError
        If Optuna is wanted and not installed.
    """
    if search == "grid":
        points = list(grid(space))
        random.Random(seed).shuffle(points)  # noqa: S311 - so that a search that is ended early has seen all corners
        queue = [{}, *points]
        distinct = {key_of({**first, **one}) for one in queue}
        return lambda trials: _next_of(queue, first, trials), len(distinct)
    if search != "optuna":
        raise SettingError(f"search: {search!r} is not known; choose grid or optuna")
    if importlib.util.find_spec("optuna") is None:
        raise MissingExtraError(
            "search 'optuna' needs optuna, which is not installed; install it with: pip install 'redshank[train]', or "
            "search a grid"
        )
    queue = [{}, *hints]

    def propose(trials: Sequence[Trial]) -> Settings | None:
        waiting = _next_of(queue, first, trials)
        return waiting if waiting is not None else _by_optuna(space, first, trials, seed)

    return propose, None


def _next_of(queue: Sequence[Settings], first: Settings, trials: Sequence[Trial]) -> Settings | None:
    tried = {one.key for one in trials}
    return next((one for one in queue if key_of({**first, **one}) not in tried), None)


def _by_optuna(space: Space, first: Settings, trials: Sequence[Trial], seed: int) -> Settings | None:
    """One proposal; the study is made anew from the log each time, as the log is the only memory that there is."""
    import optuna  # noqa: PLC0415  of an extra, and slow to import

    distributions = {name: _distribution(domain) for name, domain in space.items()}
    past = []
    for trial in trials:
        if not _within(space, first, trial.settings):
            continue
        # A refused trial is told as the worst there is: else the sampler would come back to it.
        state = optuna.trial.TrialState.COMPLETE if trial.done else optuna.trial.TrialState.PRUNED
        past.append(
            optuna.trial.create_trial(
                params={name: _inside(domain, trial.settings[name]) for name, domain in space.items()},
                distributions=distributions,
                value=trial.score if trial.done else None,
                state=state,
            )
        )
    tried = {one.key for one in trials}
    with _silent():
        for attempt in range(ATTEMPTS):
            own = random.Random(f"{seed} {len(trials)} {attempt}").getrandbits(32)  # noqa: S311 - no secret
            study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=own))
            if attempt < ATTEMPTS // 2:  # else at random: what is left may lie where the sampler sees no promise
                study.add_trials(past)
            asked = study.ask(distributions)
            found = {name: _outside(domain, asked.params[name]) for name, domain in space.items()}
            if key_of({**first, **found}) not in tried:
                return found
    return None


def _distribution(domain: Domain) -> BaseDistribution:
    from optuna.distributions import (  # noqa: PLC0415
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if isinstance(domain, Choice):
        count = len(domain.points())
        if count > 1 and _numeric(domain):
            return IntDistribution(0, count - 1)  # places in rising order, so that near numbers count as near
        return CategoricalDistribution(list(range(count)))
    if domain.whole:
        return IntDistribution(int(domain.low), int(domain.high), log=domain.log)
    return FloatDistribution(domain.low, domain.high, log=domain.log)


def _ranked(domain: Choice) -> list[Setting]:
    values = list(domain.points())
    return sorted(values, key=lambda one: float(str(one))) if _numeric(domain) else values


def _numeric(domain: Choice) -> bool:
    return all(isinstance(one, int | float) and not isinstance(one, bool) for one in domain.values)


def _inside(domain: Domain, value: Setting) -> Setting:
    """A setting as Optuna holds it: of a choice its place."""
    if isinstance(domain, Span):
        return value
    return list(map(key_of, _ranked(domain))).index(key_of(value))


def _outside(domain: Domain, value: Setting) -> Setting:
    if isinstance(domain, Span):
        if domain.whole:
            return int(str(value))
        return min(max(float(f"{float(str(value)):.6g}"), domain.low), domain.high)  # digits that one can type
    return _ranked(domain)[int(str(value))]


def _within(space: Space, first: Settings, settings: Mapping[str, Setting]) -> bool:
    """Whether a trial is a point of the space: inside it, and elsewhere as by default."""
    return all(
        space[name].holds(value) if name in space else key_of(value) == key_of(first.get(name))
        for name, value in settings.items()
    )


@contextmanager
def _silent() -> Iterator[None]:
    """Optuna says nothing of the studies that it is given."""
    import optuna  # noqa: PLC0415

    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(level)
