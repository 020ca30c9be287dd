"""Tables of the papers' comparisons, made from records and nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence

from redshank.evaluate.anchors import ANCHORS
from redshank.evaluate.papers.comparisons import COMPARISONS
from redshank.evaluate.papers.run import KIND, OURS, STATED
from redshank.evaluate.records import Record
from redshank.evaluate.tables import Table, Value

MEASURES = ("accuracy", "precision", "recall", "f1", "roc_auc")
NOTES = {
    STATED: "as stated: rows (stretches of 30 for models that look at the order) are dealt at random, 70 % to learn "
    "from, so that neighbours and copies of one event or attack stand on both sides; a model without labels has the "
    "threshold that is best on the judged rows",
    OURS: "ours: a recording, or a name of an attack, is either learned from or judged, in four turns; a model without "
    "labels has the threshold that 0.5 % of held-back normal rows pass",
}
"""What the two protocols do, and what the first of them leaks."""

TIMED = (
    "no row of the time known to be normal is judged, by anyone; a model without labels learns from that time alone, "
    "under both protocols"
)


def papers_tables(records: Sequence[Record]) -> list[Table]:
    """One table for each comparison and data set: each model twice, what its paper prints beside it."""
    tables = []
    for key, comparison in COMPARISONS.items():
        own = [record for record in records if record["kind"] == KIND and record["comparison"] == key]
        for data in dict.fromkeys(record["data"] for record in own):
            rows = [record for record in own if record["data"] == data]
            measured = [_row(record) for record in rows]
            breaks = tuple(k for k in range(1, len(rows)) if rows[k]["model"] != rows[k - 1]["model"])
            shares = [record["anomalous"] / record["rows"] for record in rows]
            always = (
                f"of the judged rows {min(shares):.0%} to {max(shares):.0%} are anomalous; fit s: processor seconds"
            )
            macro = "precision, recall and F1 are means over the kinds" if comparison.several else ""
            budgets = sorted({record["budget_s"] for record in rows} - {None})
            learned = f"a network learns for {budgets[0]:g} s a turn at most" if budgets else ""
            quick = "a quick run on a part of the data" if rows[0]["quick"] else ""
            first = TIMED if any(record["ordered"] for record in rows) else ""
            notes = (comparison.note, *NOTES.values(), first, macro, always, learned, quick)
            tables.append(
                Table(
                    (
                        "model",
                        "protocol",
                        *(name.replace("roc_auc", "ROC-AUC") for name in MEASURES),
                        "judged",
                        "fit s",
                        "printed",
                    ),
                    tuple(measured),
                    f"({key}) {comparison.title}, on {data}. After {comparison.source}",
                    tuple(note for note in notes if note),
                    breaks,
                )
            )
    return tables


def confusion_tables(records: Sequence[Record], key: str) -> list[Table]:
    """The confusion matrix of each model of a comparison: true kinds down, predicted ones across."""
    return [
        Table(
            ("true", *record["classes"]),
            tuple((str(name), *row) for name, row in zip(record["classes"], record["confusion"], strict=True)),
            f"({key}) {record['model']} on {record['data']}, {record['protocol']}: true kind down, said kind across",
        )
        for record in records
        if record["kind"] == KIND and record["comparison"] == key
    ]


def _row(record: Record) -> tuple[Value, ...]:
    printed = record["printed"] or "not to hand"
    values = [math.nan if record[name] is None else float(record[name]) for name in MEASURES]
    shown = printed if record["protocol"] == STATED else ""
    return (
        record["model"],
        record["protocol"],
        *values,
        record["rows"],
        float(record["seconds"]["fit"]),
        "" if record["model"] in ANCHORS else shown,
    )
