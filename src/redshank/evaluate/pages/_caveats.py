"""What the numbers of a run do not show: sentences that follow from what its records hold, and no others."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from redshank.evaluate.intervals import wilson
from redshank.evaluate.pages._plots import value
from redshank.evaluate.pages._subject import LEAST_TESTED, Subject
from redshank.evaluate.pages._wording import counted, exposure, two_digits, was
from redshank.evaluate.protocols import LEARNED_EARLIER
from redshank.evaluate.significance import ALPHA
from redshank.incidents import duration, number
from redshank.incidents.sentence import some

DISPUTED = {
    "nab": "The windows of NAB are known to be wide, and some to be misplaced or missing (R. Wu and E. Keogh, IEEE "
    "TKDE 35(3), 2023): a part of what counts as false or missed here may be the labels' fault."
}
"""Families of data sets of which the labels are disputed, by the first part of their names, and why."""
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
    if split["protocol"] == LEARNED_EARLIER:
        yield Caveat(
            "Whether these rows were learned from",
            "The model was learned earlier, and the record does not say from what. If these rows are among them, all "
            "numbers here are better than those on others will be, and that the budget is kept says nothing.",
        )
    if split["leaks"]:
        yield Caveat(
            "Test rows have neighbours in training",
            f"The split was {split['protocol']} ({split['leaks']}): rows next to those judged were learned from. "
            "On new data the numbers will be worse; by how much cannot be read from this run.",
        )
    leaks = subject.leaks
    if leaks:
        where = f" in {some(subject.leaking)}" if subject.leaking else ""
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
    family = record["data"]["name"].partition("/")[0]
    if family in DISPUTED:
        yield Caveat("The labels are open to doubt", DISPUTED[family])
    unknown = sum(one["true"] is None for one in subject.incidents)
    if unknown:
        yield Caveat(
            "Incidents that nobody judged",
            f"For {unknown} of {counted(len(subject.incidents), 'incident')} it is not known whether they are true.",
        )
    recall = subject.recall
    if recall is not None and events["known"] < FEW_EVENTS:
        rare = [kind for kind, (_, known) in events["by_kind"].items() if known < 5]
        kinds = f" Of {some(rare)} there are fewer than five each: their share says next to nothing." if rare else ""
        leave = "leaves" if events["known"] == 1 else "leave"
        bounds = wilson(events["found"], events["known"])
        yield Caveat(
            "Few anomalies",
            f"{counted(events['known'], 'known anomaly')} {leave} the true share found anywhere from "
            f"{100 * bounds.low:.0f} to {100 * bounds.high:.0f} % (95 %).{kinds}",
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
            f"{exposure(subject.device_weeks)} of readings cannot tell: the true rate may lie anywhere from "
            f"{two_digits(rate.low)} to {two_digits(rate.high)} per device-week (95 %); asked for: "
            f"{number(subject.asked)}.",
        )
    seeds = {record["seed"], *(one.first["seed"] for one in subject.variants)}
    if len(seeds) == 1 and any(name == "seed" or name.endswith(("_seed", ".seed")) for name in record["settings"]):
        yield Caveat(
            "Luck of the draw",
            f"The detector draws random numbers and was run with one seed ({record['seed']}); another may differ.",
        )
    if len(record["data"]["devices"]) == 1:
        yield Caveat("Other devices", "One device was judged; how the numbers differ between devices is not known.")
    if subject.clock.assumed:
        yield Caveat(
            "Row times are assumed",
            f"The data have no times: a row is taken to be {duration(subject.clock.interval_s)} after the one before. "
            "Rates per week, delays and the load on a person all rest on that.",
        )
    if subject.period is not None:
        yield Caveat(
            "Other periods",
            "Incidents, false alarms and scores are those of the period. Recall, curves, calibration, load and drift "
            "are of the whole run, and the device-weeks of the period are its part of the run's.",
        )


def _lead(subject: Subject) -> Iterator[Caveat]:
    test, best, name = subject.against_best, subject.best_baseline, subject.headline
    if test is None or best is None or test.p_value < ALPHA:
        return
    many = f"On {test.series} series" if test.series > 1 else "On one series"
    told = f"(Wilcoxon, p = {number(test.p_value)})" if test.series >= LEAST_TESTED else "and too few for any test"
    yield Caveat(
        "Better than a trivial rule, or lucky",
        f"{many} the difference in {name} from {best.first['detector']} may be luck {told}; more series or a longer "
        "time would tell.",
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
            f"{counted(int(learned), 'row')} known to be anomalous {was(int(learned))} learned from as if normal; "
            "what is like that may have been missed.",
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
    if record["split"]["protocol"] == "leave one device out":
        yield Caveat(
            "A device that was not learned from",
            "Each device was judged by what was learned from the others; with its own history it may do better.",
        )


def _measures(subject: Subject) -> Iterator[Caveat]:
    record = subject.record
    if not any(one.first["baseline"] for one in subject.rivals):
        yield Caveat(
            "What is easy",
            "The records hold no trivial baseline, so how much of this any rule would find is not known.",
        )
    if any(math.isfinite(value(record["oracle"], name)) for name in record["oracle"]):
        yield Caveat(
            "The oracle column",
            "Its thresholds on the score alone were chosen with the labels in hand. Nobody has these in use: they "
            "serve comparison with published tables and no promise. Alarms look at single channels too and may do "
            "better.",
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
