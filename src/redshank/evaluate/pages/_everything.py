"""All data sets of the records beside each other: what one detector did on each, and how the others compare."""

from __future__ import annotations

import math
from collections.abc import Sequence

from redshank.core import InputError
from redshank.evaluate.pages._groups import Group
from redshank.evaluate.pages._page import ABSENT
from redshank.evaluate.pages._parts import grid, notes_of
from redshank.evaluate.pages._plots import Record
from redshank.evaluate.pages._subject import LEAST_TESTED, Subject
from redshank.evaluate.pages._wording import first_up
from redshank.evaluate.significance import paired
from redshank.evaluate.tables import BASELINE, HIGHER_IS_BETTER, by_series, results_table

MOST_SETS = 60
"""Data sets in the table, the first ones."""


def everything(subject: Subject) -> dict[str, object] | None:
    """A table of means over all data, and one with a row for each data set; None where there is but one."""
    if len(subject.datasets) < 2:
        return None
    groups = [one for one in subject.everywhere if _like(one, subject.group)]
    records = [r for one in groups for r in one.folds]
    detector = str(subject.record["detector"])
    found: dict[str, object] = {"sets": len(subject.datasets), "refused": "", "overall": None, "notes": [], "told": ""}
    names: list[str] = []
    cells: dict[str, list[str]] = {}
    if subject.headline is not None:
        try:
            overall = results_table(records)
            names, cells = _by_data(records, subject.headline, detector)
        except InputError as error:
            found["refused"] = first_up(str(error))
        else:
            told = _against_best(groups, records, subject.headline, detector)
            found |= {"overall": grid(overall), "notes": notes_of(overall), "told": told}
    own = {one.data[0]: one for one in groups if one.first["detector"] == detector}
    rows = [
        [name, *_counts(own.get(name)), *cells.get(name, [ABSENT] * len(names))]
        for name in subject.datasets[:MOST_SETS]
    ]
    return found | {
        "columns": ["data", "found", "false", *names],
        "rows": rows,
        "hidden": len(subject.datasets) - len(rows),
        "measure": subject.headline,
        "detector": detector,
    }


def _like(group: Group, own: Group) -> bool:
    """Whether a run is of another detector, or is the one that the page is about on other data."""
    same = group.first["detector"] == own.first["detector"]
    return not same or (group.settings == own.settings and group.first["seed"] == own.first["seed"])


def _against_best(groups: Sequence[Group], records: Sequence[Record], measure: str, detector: str) -> str:
    """The detector beside the best trivial rule over all series: a test where they are enough."""
    values = by_series(records, measure)
    means = {name: [one for one in own.values() if math.isfinite(one)] for name, own in values.items()}
    rules = {one.first["detector"] for one in groups if one.first["baseline"]}
    known = [name for name, own in means.items() if name in rules and own]
    best = max(known, key=lambda name: math.fsum(means[name]) / len(means[name]), default=None)
    if best is None or not values.get(detector, {}).keys() & values[best].keys():
        return ""
    test = paired(
        values[detector],
        values[best],
        higher_is_better=HIGHER_IS_BETTER.get(measure, True),
        names=(detector, f"the best trivial rule, {best},"),
    )
    return f"By {measure}: {test.sentence}" if test.series >= LEAST_TESTED else ""


def _by_data(records: Sequence[Record], measure: str, first: str) -> tuple[list[str], dict[str, list[str]]]:
    """Names of the detectors, ``first`` in front, and by data set what each has of the measure."""
    table = results_table(records, (measure,), by="data", interval=False)
    cells = {(row[0], row[1]): entry[2] for row, entry in zip(table.rows, table.parts(), strict=True)}
    names = list(dict.fromkeys(str(row[1]) for row in table.rows))
    names.sort(key=lambda name: (name.endswith(BASELINE), name != first))
    data = dict.fromkeys(str(row[0]) for row in table.rows)
    absent = (ABSENT, "")
    return [name.removesuffix(BASELINE) for name in names], {
        one: [cells.get((one, name), absent)[0] for name in names] for one in data
    }


def _counts(group: Group | None) -> tuple[str, str]:
    """Known anomalies found, and false incidents of all."""
    if group is None:
        return ABSENT, ABSENT
    events = group.record["events"]
    found = f"{events['found']} of {events['known']}" if events["known"] else ABSENT
    return found, ABSENT if events["false"] is None else f"{events['false']} of {events['incidents']}"
