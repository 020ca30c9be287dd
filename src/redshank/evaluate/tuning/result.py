"""What a search found: the best settings, how much each setting mattered, and what a person should be told."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from redshank.evaluate.records import Record, plain
from redshank.evaluate.tuning.log import Settings, Trial, best_of
from redshank.evaluate.tuning.sensitivity import Sensitivity, sensitivity_of
from redshank.evaluate.tuning.space import key_of


@dataclass(frozen=True, slots=True, eq=False)
class Tuning:
    """What came of a search.

    Parameters
    ----------
    detector : str
        Registered name.
    spec : str
        The best settings as one would type them behind ``--detector``.
    study : mapping
        Data, protocol, measure and so on, as the log has them.
    searched_with : {"grid", "optuna"}
        How.
    space : dict of str to str
        What could be tried, as one would type it.
    default : dict
        All settings before the search.
    trials : tuple of Trial
        In order; the first has the default settings.
    judged : tuple of Trial
        On rows that the search never saw: the default, then the best if it is another; empty if there were none.
    judged_by : str
        What unseen rows were judged by: known or planted anomalies; empty if there were none.
    looks : int
        Different settings that unseen rows have been judged with, over all runs of this search: with each more the
        figure is a little less honest.
    resumed : int
        Trials that were there already.
    ended : str
        Why the search ended.
    notes : tuple of str
        What was assumed or left out.
    """

    detector: str
    spec: str
    study: Mapping[str, object]
    searched_with: str
    space: Mapping[str, str]
    default: Settings
    trials: tuple[Trial, ...]
    judged: tuple[Trial, ...]
    judged_by: str
    looks: int
    resumed: int
    ended: str
    notes: tuple[str, ...]

    @property
    def done(self) -> list[Trial]:
        """Trials with a score."""
        return [one for one in self.trials if one.done]

    @property
    def best(self) -> Trial:
        """The highest score; of equal ones the first."""
        return best_of(self.trials)

    @property
    def first(self) -> Trial | None:
        """The trial of the default settings; None where it was refused or not come to."""
        wanted = key_of(plain(self.default))
        return next((one for one in self.done if one.key == wanted), None)

    @property
    def changes(self) -> Settings:
        """Settings of the best that are not the default."""
        return {
            name: value for name, value in self.best.settings.items() if key_of(value) != key_of(self.default.get(name))
        }

    @property
    def measure(self) -> str:
        """What was tuned for."""
        return str(self.study["measure"])

    @property
    def figures(self) -> dict[str, str]:
        """An SVG by setting: score against its value; needs the ``train`` extra."""
        from redshank.evaluate.pages.tuning_charts import setting_chart  # noqa: PLC0415  draws with an extra

        return {one.name: setting_chart(one, self.measure, self.default, self.best) for one in self.sensitivity()}

    def sensitivity(self) -> list[Sensitivity]:
        """Each setting that had several values, the one that mattered most first."""
        found = [sensitivity_of(name, self.done) for name in self.best.settings]
        several = [one for one in found if len(one.groups) > 1]
        return sorted(several, key=lambda one: -one.share if math.isfinite(one.share) else 1.0)

    def sentences(self) -> list[str]:
        """What was found, for a person: the optimistic figure, the honest one, and what stands against it."""
        best, first, count = self.best, self.first, len(self.done)
        told = [f"Best of {count} trial{'' if count == 1 else 's'}: {self.measure} {best.score:.3f} in the search"]
        if first is None:
            told[0] += "; of the default settings there is no score."
        elif count == 1:
            told[0] = f"One trial, of the default settings: {self.measure} {best.score:.3f}."
        elif best is first:
            told[0] = (
                f"None of {count} trials beats the default settings: {self.measure} {best.score:.3f} in the search."
            )
        else:
            ahead = sum(a.value > b.value for a, b in zip(best.values, first.values, strict=True))
            told[0] += f", default {first.score:.3f}; ahead on {ahead} of {len(best.values)} folds."
        if not self.judged:
            return [
                *told,
                "No row kept from the search could be judged: the figure is too good, and by how much is not known.",
            ]
        by = f"rows never searched, by {self.judged_by}"
        if not all(one.done for one in self.judged):
            reason = next(one.reason for one in self.judged if not one.done)
            return [*told, f"On {by}: not judged ({reason})."]
        if len(self.judged) == 1:
            return [*told, f"On {by}: {self.judged[0].score:.3f}."]
        default, own = self.judged
        pairs = list(zip(own.values, default.values, strict=True))
        ahead = sum(a.value > b.value for a, b in pairs)
        worth = (
            f"ahead on {ahead} of {len(pairs)}" if own.score > default.score else "no gain is left, keep the default"
        )
        told.append(f"On {by}: {own.score:.3f}, default {default.score:.3f}; {worth}.")
        return told

    def warnings(self) -> list[str]:
        """Notes, and what the numbers themselves warn of."""
        found = list(self.notes)
        refused = [one for one in self.trials if not one.done]
        if refused:
            found.append(
                f"The detector refused {len(refused)} of {len(self.trials)} trials, such as: {refused[0].reason}"
            )
        cut = sum(one.cut_short for one in self.trials)
        if cut:
            found.append(
                f"The time limit cut a training in {cut} of {len(self.trials)} trials; they might score higher without."
            )
        if self.looks > 2:
            found.append(
                f"The rows kept from the search were judged with {self.looks} settings by now: choose no more by them."
            )
        return found

    def record(self) -> Record:
        """Everything as plain values, for JSON."""
        return {
            "detector": self.detector,
            "spec": self.spec,
            "best": asdict(self.best),
            "changes": self.changes,
            "study": dict(self.study),
            "search": self.searched_with,
            "space": dict(self.space),
            "ended": self.ended,
            "resumed": self.resumed,
            "trials": [asdict(one) for one in self.trials],
            "judged": [asdict(one) for one in self.judged],
            "judged_by": self.judged_by,
            "looks": self.looks,
            "sensitivity": {one.name: one.share for one in self.sensitivity()},
            "sentences": self.sentences(),
            "notes": self.warnings(),
        }
