"""What a report is about: one detector's run in the records, its folds taken together, whole or for a period."""

from __future__ import annotations

import difflib
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from redshank.core import InputError, Kind
from redshank.evaluate.intervals import Interval, garwood, wilson
from redshank.evaluate.pages._groups import Group, groups_of
from redshank.evaluate.pages._plots import Record, instant, settings_text, value
from redshank.evaluate.pages._wording import Clock, counted
from redshank.evaluate.protocols import LEARNED_EARLIER
from redshank.evaluate.significance import Paired, paired
from redshank.evaluate.tables import HIGHER_IS_BETTER, by_series
from redshank.incidents import moment

WEEK_NS = 604_800 * 10**9
FAULTS = (Kind.SENSOR_FAULT, Kind.SILENCE)
"""Kinds that the quality checks report."""
HEADLINES = ("VUS-PR", "PR-AUC", "VUS-ROC", "ROC-AUC", "macro F1", "F1")
"""Measures by which detectors are compared, the first that is there."""
CHECKED = ("F1", *HEADLINES[:-1], "event F1", "range F1")
"""Measures by which a trivial rule may be ahead, the first that it is named."""
LEAST_TESTED = 6
"""Series below which no signed-rank test can tell two detectors apart at the 5 % level."""
MOST_OTHERS = 6
"""Other runs that a sentence names; of more it gives the number."""


@dataclass(frozen=True)
class Subject:
    """A run as the report wants it.

    Parameters
    ----------
    record : mapping
        The run; several folds are joined to one.
    group : Group
        The folds that it was joined from.
    variants : tuple of Group
        The same detector on the same rows with other seeds, settings or budgets.
    rivals : tuple of Group
        Other detectors and baselines on the same rows, at the same budget.
    compared : tuple of mapping
        The records of all runs on the same rows.
    everywhere : tuple of Group
        The runs by the same protocol and at the same budget on all data of the records.
    others : str
        A sentence on what else the records hold; empty where there is nothing.
    incidents, traces : tuple of mapping
        Those of the period, incidents worst first.
    period : tuple of int or None
        First moment and the one after the last, UTC nanoseconds; None for the whole run.
    judged : tuple of int or None
        The same of all that was judged; None where the record does not say.
    device_weeks : float
        Time judged in the period, all devices together.
    """

    record: Record
    group: Group
    variants: tuple[Group, ...]
    rivals: tuple[Group, ...]
    compared: tuple[Record, ...]
    everywhere: tuple[Group, ...]
    others: str
    incidents: tuple[Record, ...]
    traces: tuple[Record, ...]
    period: tuple[int, int] | None
    judged: tuple[int, int] | None
    device_weeks: float

    @property
    def labelled(self) -> bool:
        """Whether it is known what really happened."""
        events = self.record["events"]
        return bool(events["known"]) or events["false"] is not None

    @property
    def false(self) -> int | None:
        """False incidents of the period; None where that is not known."""
        if not self.labelled:
            return None
        if self.period is None:
            return int(self.record["events"]["false"])
        return sum(one["true"] is False for one in self.incidents)

    @property
    def false_rate(self) -> Interval | None:
        """False incidents per device-week of the period, with the exact 95 % interval where no rows leak."""
        known = self.false is not None and self.device_weeks
        return self._bounded(garwood(self.false or 0, self.device_weeks)) if known else None

    @property
    def recall(self) -> Interval | None:
        """Found share of the known anomalies of the whole run."""
        events = self.record["events"]
        return self._bounded(wilson(events["found"], events["known"])) if events["known"] else None

    def _bounded(self, found: Interval) -> Interval:
        """Without bounds where anomalies and incidents are torn between folds, and so are no independent events."""
        return Interval(found.estimate, math.nan, math.nan) if self.record["split"]["leaks"] else found

    @property
    def leaks(self) -> list[Record]:
        """Findings of the audit that give the label away."""
        return [finding for finding in self.record["audit"] if finding["severity"] == "leak"]

    @property
    def leaking(self) -> list[str]:
        """The columns that do so."""
        return list(dict.fromkeys(finding["column"] for finding in self.leaks if finding["column"]))

    @property
    def clock(self) -> Clock:
        return Clock(self.record["data"])

    @property
    def datasets(self) -> tuple[str, ...]:
        """Names of all data that ran by the same protocol."""
        return tuple(dict.fromkeys(group.data[0] for group in self.everywhere))

    @property
    def unseen(self) -> bool:
        """Whether it is sure that the rows judged were not learned from."""
        return self.record["split"]["protocol"] != LEARNED_EARLIER and not self.record["split"]["leaks"]

    @property
    def asked(self) -> float:
        """False alarms asked for, per device-week; NaN where none were."""
        return value(self.record["calibration"], "asked_per_device_week")

    @property
    def causes(self) -> dict[str, int]:
        """False incidents of the period by cause, the most frequent first."""
        if self.period is None:
            counts = Counter(self.record["events"]["false_by_cause"])
        else:
            counts = Counter(cause_of(one) for one in self.incidents if one["true"] is False)
        return dict(counts.most_common())

    @property
    def headline(self) -> str | None:
        """The measure by which the run is compared with others, where it has one."""
        return next((name for name in HEADLINES if math.isfinite(value(self.record["measures"], name))), None)

    @cached_property
    def best_baseline(self) -> Group | None:
        """The trivial baseline that is best by :attr:`headline`."""
        return self._ahead(self.headline) if self.headline is not None else None

    @cached_property
    def against_best(self) -> Paired | None:
        """The run and its best trivial baseline, series by series; None where no series has a value of both."""
        best, name = self.best_baseline, self.headline
        if best is None or name is None:
            return None
        table = by_series([*self.group.folds, *best.folds], name)
        own, other = table[self.record["detector"]], table[best.record["detector"]]
        if not any(math.isfinite(own[series]) and math.isfinite(other[series]) for series in own.keys() & other.keys()):
            return None
        higher = HIGHER_IS_BETTER.get(name, True)
        return paired(own, other, higher_is_better=higher, names=(self.record["detector"], best.record["detector"]))

    @cached_property
    def overtaken(self) -> tuple[str, Group] | None:
        """A measure by which a trivial baseline is ahead, and that baseline; not the headline."""
        for name in CHECKED:
            best = self._ahead(name) if name != self.headline else None
            if best is not None and value(best.record["measures"], name) > value(self.record["measures"], name):
                return name, best
        return None

    def _ahead(self, name: str) -> Group | None:
        found = [one for one in self.rivals if one.first["baseline"] and math.isfinite(self._of(one, name))]
        return max(found, key=lambda one: self._of(one, name), default=None)

    @staticmethod
    def _of(group: Group, name: str) -> float:
        return value(group.record["measures"], name)


def subject_of(
    records: Sequence[Record], *, data: str | None = None, since: str | None = None, until: str | None = None
) -> Subject:
    """The first detector that is not a baseline, on the data called ``data`` or else the first, by itself.

    Raises
    ------
    InputError
        If there is no such record, or the period is empty or lies outside what was judged.
    """
    groups, again = groups_of(records)
    names = list(dict.fromkeys(one.data[0] for one in groups))
    if data is not None and data not in names:
        near = difflib.get_close_matches(data, names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names[:MOST_OTHERS])}"
        raise InputError(f"run report: no record is of data called {data!r}; {hint}")
    group = next((one for one in groups if not one.first["baseline"] and data in {None, one.data[0]}), None)
    if group is None:
        raise InputError(
            f"run report: {len(records)} records, and none of a detector that is not a baseline; nothing to report on"
        )
    own, detector = group.record, group.first["detector"]
    alike = [one for one in groups if one.where == group.where and one is not group]
    budget = group.settings["budget"]
    weeks = value(own["events"], "device_weeks")
    judged = _judged(own, weeks)
    ordered = tuple(sorted(own["incidents"], key=lambda one: -one["severity"]))
    whole = Subject(
        record=own,
        group=group,
        variants=tuple(one for one in alike if one.first["detector"] == detector),
        rivals=tuple(one for one in alike if one.first["detector"] != detector and one.settings["budget"] == budget),
        compared=tuple(r for one in groups if one.where == group.where for r in one.folds),
        everywhere=tuple(
            one
            for one in groups
            if one.first["split"]["protocol"] == own["split"]["protocol"] and one.settings["budget"] == budget
        ),
        others=_others(group, groups, again),
        incidents=ordered,
        traces=tuple(own["traces"]),
        period=None,
        judged=judged,
        device_weeks=weeks,
    )
    if since is None and until is None:
        return whole
    if Clock(own["data"]).assumed:
        raise InputError("run report: the data have no times of their own, so no period can be named; leave it out")
    if judged is None:
        raise InputError("run report: the record does not say when it judged, so no period of it can be shown")
    last = max([judged[1], *(instant(one["detected"]) for one in ordered)])  # silence is seen after the last reading
    span = (instant(since) if since is not None else judged[0], instant(until) if until is not None else last + 1)
    if span[0] >= span[1] and (since is None or until is None):
        raise InputError(
            f"run report: nothing was judged in the period; the run is from {moment(judged[0])} to {moment(judged[1])}"
        )
    if span[0] >= span[1]:
        raise InputError(
            f"run report: the period ends ({moment(span[1])}) before it begins ({moment(span[0])}); exchange them"
        )
    inside = max(min(span[1], judged[1]) - max(span[0], judged[0]), 0)
    if not inside:
        raise InputError(
            f"run report: nothing was judged from {moment(span[0])} to {moment(span[1])}; "
            f"the run judged {moment(judged[0])} to {moment(judged[1])} UTC"
        )
    seen = tuple(one for one in ordered if span[0] <= instant(one["detected"]) < span[1])
    traces = tuple(cut for cut in (_cut(trace, span) for trace in own["traces"]) if cut["time"])
    return replace(
        whole,
        incidents=seen,
        traces=traces,
        period=span,
        device_weeks=weeks * inside / max(judged[1] - judged[0], 1),
    )


def _others(own: Group, groups: Sequence[Group], again: int) -> str:
    """What else the records hold that is mixed into none of the numbers of the run."""
    found: list[str] = []
    for one in groups:
        first, split = one.first, one.first["split"]
        if one is own or one.data != own.data or first["baseline"]:
            continue
        parts = []
        if one.where != own.where:
            parts.append(
                f"by {split['protocol']}" if split["protocol"] != own.first["split"]["protocol"] else "on other rows"
            )
            parts += [f"which {split['leaks'].partition(':')[0]}"] if split["leaks"] else []
        if first["detector"] == own.first["detector"]:
            names = [
                name for name in {**own.settings, **one.settings} if own.settings.get(name) != one.settings.get(name)
            ]
            told = settings_text(first, (name for name in names if name in first["settings"]))
            parts += [f"with {told}"] if told else [f"at {one.settings['budget']}"] if names else []
            parts += [f"with seed {first['seed']}"] if first["seed"] != own.first["seed"] else []
        elif one.settings["budget"] != own.settings["budget"]:
            parts.append(f"at {one.settings['budget']}")
        if parts:
            found.append(f"{first['detector']} {', '.join(parts)}")
    found = list(dict.fromkeys(found))
    if len(found) > MOST_OTHERS:
        found = [*found[: MOST_OTHERS - 1], f"{len(found) - MOST_OTHERS + 1} more runs"]
    protocol = own.first["split"]["protocol"]
    sets = len(
        {one.data for one in groups} - {one.data for one in groups if one.first["split"]["protocol"] == protocol}
    )
    found += [f"{counted(sets, 'other data set')}"] if sets else []
    told = f"Not mixed in, though the records hold it: {'; '.join(found)}." if found else ""
    repeats = f"{counted(again, 'record')} came again later; only the last of each counts." if again else ""
    missing = (
        f"{own.missing} of {own.first['split']['folds']} folds are missing from the records." if own.missing else ""
    )
    return " ".join(filter(None, (told, repeats, missing)))


def cause_of(incident: Record) -> str:
    """The word under which a false incident is counted: what the quality checks say, or its kind."""
    return f"quality: {incident['cause']}" if incident["kind"] in FAULTS else str(incident["kind"])


def _cut(trace: Record, span: tuple[int, int]) -> Record:
    inside = [k for k, text in enumerate(trace["time"]) if span[0] <= instant(text) < span[1]]
    return {
        **trace,
        **{name: [trace[name][k] for k in inside] for name in ("time", "score", "alarm")},
        "values": {name: [values[k] for k in inside] for name, values in trace["values"].items()},
        "labels": [[a, b] for a, b in trace["labels"] if instant(a) < span[1] and instant(b) >= span[0]],
    }


def _judged(record: Record, weeks: float) -> tuple[int, int] | None:
    """First and last moment judged: those of the traces, else the device-weeks back from the end of the data."""
    times = [instant(text) for trace in record["traces"] for text in (trace["time"][:1] + trace["time"][-1:])]
    if times:
        return min(times), max(times)
    if not math.isfinite(weeks) or not record["data"]["end"]:
        return None
    end = instant(record["data"]["end"])
    return end - round(weeks * WEEK_NS / max(len(record["data"]["devices"]), 1)), end
