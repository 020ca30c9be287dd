"""What the numbers of a run do not show: sentences that follow from what its records hold, and no others."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from redshank.evaluate.pages._plots import value
from redshank.evaluate.pages._subject import Subject
from redshank.evaluate.significance import ALPHA
from redshank.incidents import number
from redshank.incidents.sentence import some

FEW_EVENTS = 30
"""Fewer known anomalies than these leave recall so wide open that it is said."""
DRIFTED = 0.25
"""Population stability index above which a change is held to be large (N. Siddiqi, Credit Risk Scorecards, 2006)."""
COMMON = 0.05
"""Anomalous share of the rows above which precision will be lower in use than here."""
LOST = 0.01
"""Share of the rows that were not judged from which it is said."""


@dataclass(frozen=True, slots=True)
class Caveat:
    """A limit of the numbers: what it is in a few words, and the sentence that explains it."""

    head: str
    text: str


def caveats(subject: Subject) -> list[Caveat]:
    """Limits that apply to this run, the gravest first; each follows from what the records hold."""
    return [
        *_protocol(subject),
        *_truth(subject),
        *_chance(subject),
        *_lead(subject),
        *_data(subject),
        *_measures(subject),
    ]


def _protocol(subject: Subject) -> Iterator[Caveat]:
    split = subject.record["split"]
    if split["leaks"]:
        yield Caveat(
            "Test rows have neighbours in training",
            f"The split was {split['protocol']} ({split['leaks']}): rows next to those judged were learned from. "
            "On new data the numbers will be worse; by how much cannot be read from this run.",
        )
    leaks = [finding for finding in subject.record["audit"] if finding["severity"] == "leak"]
    if leaks:
        columns = list(dict.fromkeys(finding["column"] for finding in leaks if finding["column"]))
        where = f" in {some(columns)}" if columns else ""
        yield Caveat(
            "The label can be known without the anomaly",
            f"The audit found {len(leaks)} leak{'' if len(leaks) == 1 else 's'}{where}; until that is mended no score "
            "on these data is worth anything. The findings stand under the quality of the data.",
        )


def _truth(subject: Subject) -> Iterator[Caveat]:
    record, events = subject.record, subject.record["events"]
    if not subject.labelled:
        yield Caveat(
            "Which incidents are true",
            "The data have no labels. Nothing here says how many incidents are true, or what was missed; the "
            "false-alarm "
            "rate is that of held-back data taken to be normal.",
        )
        return
    disputed = [note for note in record["data"]["notes"] if "label" in note.lower() or "disput" in note.lower()]
    if disputed:
        yield Caveat("The labels are open to doubt", " ".join(disputed))
    unknown = sum(one["true"] is None for one in subject.incidents)
    if unknown:
        yield Caveat(
            "Incidents that nobody judged",
            f"For {unknown} of {len(subject.incidents)} incidents it is not known whether they are true.",
        )
    recall = subject.recall
    if recall is not None and events["known"] < FEW_EVENTS:
        rare = [kind for kind, (_, known) in events["by_kind"].items() if known < 5]
        kinds = f" Of {some(rare)} there are fewer than five each: their share says next to nothing." if rare else ""
        yield Caveat(
            "Few anomalies",
            f"{events['known']} known anomalies leave the true share found anywhere from {100 * recall.low:.0f} to "
            f"{100 * recall.high:.0f} % (95 %).{kinds}",
        )
    rows = sum(one["rows"] for one in record["series"])
    share = sum(one["anomalous_rows"] for one in record["series"]) / max(rows, 1)
    if share > COMMON:
        yield Caveat(
            "Anomalies are common here",
            f"{100 * share:.0f} % of the rows judged are anomalous. Where they are rarer, as in most plants, more of "
            "the alarms will be false than precision suggests.",
        )


def _chance(subject: Subject) -> Iterator[Caveat]:
    record, rate = subject.record, subject.false_rate
    if rate is not None and rate.low <= subject.asked < rate.high:
        yield Caveat(
            "Whether the budget is kept",
            f"{number(subject.device_weeks)} device-weeks are too few to tell: the true rate may lie anywhere from "
            f"{number(rate.low)} to {number(rate.high)} per device-week (95 %); asked for: {number(subject.asked)}.",
        )
    seeds = sorted({r["seed"] for r in subject.runs})
    if len(seeds) == 1 and any(name == "seed" or name.endswith(("_seed", ".seed")) for name in record["settings"]):
        yield Caveat(
            "Luck of the draw",
            f"The detector draws random numbers and was run with one seed ({seeds[0]}); another may differ.",
        )
    if len(record["data"]["devices"]) == 1:
        yield Caveat("Other devices", "One device was judged; how the numbers differ between devices is not known.")
    if subject.period is not None:
        yield Caveat(
            "Other periods",
            "Incidents, false alarms and scores are those of the period. Recall, curves, calibration, load and drift "
            "are of the whole run, and the device-weeks of the period are its part of the run's.",
        )


def _lead(subject: Subject) -> Iterator[Caveat]:
    test, best, name = subject.against_best(), subject.best_baseline(), subject.headline
    if test is None or best is None or not test.p_value >= ALPHA:
        return
    yield Caveat(
        "Better than a trivial rule, or lucky",
        f"By {name} on {test.series} devices the difference from {best['detector']} is within what luck would bring "
        f"(Wilcoxon, p = {number(test.p_value)}); more devices or a longer time would tell.",
    )


def _data(subject: Subject) -> Iterator[Caveat]:
    record = subject.record
    drifted = [one["channel"] for one in record["drift"] if value(one, "psi") > DRIFTED]
    if drifted:
        yield Caveat(
            "The data have changed since training",
            f"{some(drifted)} {'is' if len(drifted) == 1 else 'are'} distributed otherwise than in the training rows. "
            "Scores there may mean a new way of working as well as a fault, and the false-alarm rate may go on rising.",
        )
    learned = value(record["split"], "train_anomalous_rows")
    if learned > 0:
        yield Caveat(
            "Anomalies in the training rows",
            f"{learned:,.0f} rows that are known to be anomalous were learned from as if they were normal; "
            "what is like them may have been missed.",
        )
    ledger = record["data"]["ledger"]
    read = value(ledger, "rows read")
    lost = read - value(ledger, "rows kept")
    if lost > LOST * read:
        yield Caveat(
            "Rows that were not judged",
            f"{lost:,.0f} of the {read:,.0f} rows that were read could not be used; what happened in them is in none "
            "of the numbers.",
        )
    if record["split"]["left_out"]:
        yield Caveat(
            "A device that was not learned from",
            "Each device was judged by what was learned from the others; with its own history it may do better.",
        )


def _measures(subject: Subject) -> Iterator[Caveat]:
    record = subject.record
    if not any(r["baseline"] for r in subject.rivals):
        yield Caveat(
            "What is easy",
            "The records hold no trivial baseline, so how much of this any rule would find is not known.",
        )
    if any(math.isfinite(value(record["oracle"], name)) for name in record["oracle"]):
        yield Caveat(
            "The oracle column",
            "Its thresholds were chosen with the labels in hand. Nobody has these in use: they serve comparison "
            "with published tables and no promise.",
        )
    if any("point-adjusted" in name and "random" not in name for name in record["measures"]):
        yield Caveat(
            "Point-adjusted F1",
            "It counts a whole anomaly as found for a single alarm in it, so that random alarms reach high "
            "values; read "
            "it only beside the value of as many random alarms.",
        )
    if record["events"]["delays_s"]:
        yield Caveat(
            "Delay on the way",
            "The delays are in the time of the readings; what transport and computing add in use is not in them.",
        )
