"""What settings are judged by: folds of the rows that the search may see, and rows that it never does."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from redshank.core import InputError, SettingError, label_rows
from redshank.data import Dataset
from redshank.evaluate._known import Known
from redshank.evaluate.protocols import Mask, Split, hold_out, protocol_of, published, splits_of
from redshank.evaluate.records import HEX_DIGITS, Record, fingerprint
from redshank.evaluate.tuning.plant import planted

UNSEEN = 0.3
"""Last part of each device's rows that the search never sees, where no division was published."""
FEW = 3
"""Judged folds below which a note says so."""
KNOWN, PLANTED = "known anomalies", "planted anomalies"
"""What a figure is measured on."""
OBJECTIVES = (
    "VUS-PR",
    "VUS-ROC",
    "range-PR-AUC",
    "range-ROC-AUC",
    "PR-AUC",
    "ROC-AUC",
    "F1",
    "affiliation F1",
    "range F1",
    "event F1",
)
"""Measures that can be tuned for: those that neither "always alarm" nor "never alarm" is the best answer to."""


@dataclass(frozen=True, slots=True, eq=False)
class Exam:
    """One fit and one judgement: learn from a part of ``dataset``, judge another part.

    Parameters
    ----------
    dataset : Dataset
        Holds the rows of both parts and none that may not be seen.
    split : Split
        The parts.
    planted_seed : int or None
        Of the anomalies planted in the judged rows; None to judge by the known ones.
    """

    dataset: Dataset
    split: Split
    planted_seed: int | None

    def data(self) -> Dataset:
        """The data as they are judged, with planted anomalies where these are what is asked for."""
        if self.planted_seed is None:
            return self.dataset
        return planted(self.dataset, self.split.test, self.planted_seed)


@dataclass(frozen=True, slots=True, eq=False)
class Exams:
    """All that a search is judged by.

    Parameters
    ----------
    searched : tuple of Exam
        Folds of the rows that the search sees.
    unseen : tuple of Exam
        Judged in the end, once: each learns from the rows of the search and judges rows that no fold held, or is of
        data that were left out altogether. Empty where nothing of it could be judged.
    rows : tuple of Dataset
        What the search sees, by data set.
    searched_by, unseen_by : str
        :data:`KNOWN` or :data:`PLANTED`.
    notes : tuple of str
        What was assumed or left out, in plain sentences.
    """

    searched: tuple[Exam, ...]
    unseen: tuple[Exam, ...]
    rows: tuple[Dataset, ...]
    searched_by: str
    unseen_by: str
    notes: tuple[str, ...]

    def record(self) -> list[Record]:
        """Name, rows and fingerprint of what the search sees and of what it does not; labels are part of the print."""
        return [_record(one, "searched") for one in self.rows] + [
            _record(only(exam.dataset, exam.split.test), "judged in the end") for exam in self.unseen
        ]


def measure_of(name: str) -> str:
    """The measure of that name; case, hyphens and underscores do not matter, so ``vus_pr`` will do.

    Raises
    ------
    SettingError
        If there is none, or it is none to tune for.
    """
    spelled = {_spelled(one): one for one in OBJECTIVES}
    if _spelled(name) not in spelled:
        raise SettingError(
            f"measure: {name!r} cannot be tuned for; choose one that neither silence nor constant alarm is best at: "
            f"{', '.join(OBJECTIVES)}"
        )
    return spelled[_spelled(name)]


def exams_of(
    datasets: Sequence[Dataset],
    left_out: Sequence[Dataset],
    *,
    protocol: str,
    unseen: float | None,
    label_free: bool,
    seed: int,
) -> Exams:
    """Folds to search by and rows to judge in the end.

    Where data are left out for the end, all rows of ``datasets`` are searched, and the others are divided as published
    or else by time. Otherwise the rows published for testing are kept for the end, or the last part of each device.
    Where no row that the search sees is known to be anomalous, or ``label_free`` asks for it, anomalies are planted.

    Raises
    ------
    InputError
        If the protocol cannot divide these rows, or no fold can be judged.
    SettingError
        If ``unseen`` is no share between 0 and 1, or given together with data left out.
    """
    if unseen is not None and left_out:
        raise SettingError(
            "unseen: a part of the rows and whole data sets are both to be kept from the search; choose one"
        )
    if unseen is not None and not 0 < unseen < 1:
        raise SettingError(f"unseen: {unseen:g} is no share; it must lie between 0 and 1, such as {UNSEEN:g}")
    wholes = [Known(one, 0).dataset for one in datasets]
    others = [Known(one, 0).dataset for one in left_out]
    _check_apart(wholes, others)
    ends = [None if left_out else _end(one, unseen) for one in wholes]
    rows = [one if end is None else only(one, end.train) for one, end in zip(wholes, ends, strict=True)]
    labelled = not label_free and any(_mixed(one) for one in rows)
    searched, notes = _folds(rows, protocol, labelled=labelled, label_free=label_free, seed=seed)
    finals = [Exam(one, end, None) for one, end in zip(wholes, ends, strict=True) if end is not None]
    finals += [Exam(one, splits_of(one)[0], None) for one in others]
    unseen_exams, by = _judged(finals), KNOWN
    if not unseen_exams and not labelled:  # there is nothing better, and it is the same question on other rows
        unseen_exams, by = _judged([replace(exam, planted_seed=seed + 1) for exam in finals]), PLANTED
    there = {id(exam.dataset) for exam in unseen_exams}
    notes += [
        f"{exam.dataset.name}: the rows kept from the search have no known anomaly, or nothing else: not judged."
        for exam in finals
        if id(exam.dataset) not in there
    ]
    return Exams(tuple(searched), tuple(unseen_exams), tuple(rows), KNOWN if labelled else PLANTED, by, tuple(notes))


def _folds(
    rows: Sequence[Dataset], protocol: str, *, labelled: bool, label_free: bool, seed: int
) -> tuple[list[Exam], list[str]]:
    """What the search is judged by, and what to say of it."""
    notes: list[str] = []
    if not labelled:
        why = "as asked" if label_free else "no row that the search sees is known to be anomalous"
        notes.append(
            f"Tuned by {PLANTED}, not by known ones ({why}): spikes, steps, slopes, stuck values, noise and values of "
            "another time, put into held-back rows. Settings that find these need not be those that find yours."
        )
    folds: list[Exam] = []
    for one in rows:
        splits = protocol_of(protocol)(replace(one, y=None, labels=(), kinds=None) if label_free else one)
        folds += [Exam(one, split, None if labelled else seed) for split in splits]
        notes += [f"{one.name}: {split.leaks}." for split in splits[:1] if split.leaks]
    searched = _judged(folds)
    count, out = len(searched), len(folds) - len(searched)
    if not searched:
        raise InputError(f"tune: no fold of {protocol!r} has normal and anomalous rows to judge; give more rows")
    if out:
        notes.append(f"{out} of {len(folds)} folds have no anomalous or no normal row to judge and are left out.")
    if count < FEW:
        notes.append(
            f"The search is judged on {count} fold{'' if count == 1 else 's'} only: what does best there may do so by "
            "luck. More data sets, or more of each, tell more."
        )
    return searched, notes


def _judged(exams: Sequence[Exam]) -> list[Exam]:
    """Those whose judged rows are of both kinds: of the others no measure is defined."""
    return [exam for exam in exams if _mixed(exam.data(), exam.split.test)]


def _check_apart(searched: Sequence[Dataset], left_out: Sequence[Dataset]) -> None:
    prints = {fingerprint(one.frame): one.name for one in searched}
    for one in left_out:
        same = prints.get(fingerprint(one.frame))
        if same is not None:
            raise InputError(
                f"{one.name}: is searched as {same}, and cannot be judged on in the end; choose other data"
            )


def only(dataset: Dataset, rows: Mask) -> Dataset:
    """The data with these rows and no others; known anomalies are cut to them."""
    split = Split("searched", 0, 1, ~rows, rows, 0)
    labels, _ = Known(dataset, 0).judged_labels(split)
    return replace(
        dataset,
        frame=dataset.frame.take(rows),
        y=None if dataset.y is None else dataset.y[rows],
        train=None,
        labels=tuple(labels),
        kinds=None if dataset.kinds is None else dataset.kinds[rows],
    )


def _end(dataset: Dataset, unseen: float | None) -> Split:
    """What is judged in the end, and learned from for it."""
    if unseen is None and dataset.train is not None:
        return published(dataset)[0]
    return hold_out(dataset, share=1.0 - (UNSEEN if unseen is None else unseen))[0]


def _mixed(dataset: Dataset, rows: Mask | None = None) -> bool:
    """Whether rows are known of both kinds."""
    y = dataset.y if dataset.y is not None or not dataset.labels else label_rows(dataset.labels, dataset.frame)
    if y is None:
        return False
    own = y if rows is None else y[rows]
    return bool((own == 1).any() and (own == 0).any())


def _record(dataset: Dataset, role: str) -> Record:
    y = np.zeros(0, np.int8) if dataset.y is None else dataset.y
    whole = fingerprint(dataset.frame) + hashlib.sha256(np.asarray(y, np.int8).tobytes()).hexdigest()
    return {
        "name": dataset.name,
        "role": role,
        "rows": len(dataset),
        "fingerprint": hashlib.sha256(whole.encode()).hexdigest()[:HEX_DIGITS],
    }


def _spelled(name: str) -> str:
    return " ".join(name.lower().replace("-", " ").replace("_", " ").split())
