"""A comparison made again: each model under the protocol that papers use, and under one that gives nothing away.

As stated: rows (of models that look at the order, stretches of rows) are dealt at random, 70 % to learn from and 30 %
to judge, so that neighbours in time and copies of an attack stand on both sides; a model without labels gets the
threshold that is best on the judged rows.

Ours: what belongs together (a recording, the name of an attack, a block of normal rows) is either learned from or
judged, in four turns; a model without labels gets the threshold that 0.5 % of held-back normal rows pass.

Where rows follow each other in time, no row of the time known to be normal is judged by anyone, and a model without
labels learns from that time alone, under both protocols.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from redshank.core import Classifier, Detector
from redshank.core.classifier import ANOMALY, NORMAL
from redshank.data.dataset import runs
from redshank.detectors.specs import detector_of
from redshank.evaluate.anchors import ANCHORS
from redshank.evaluate.metrics.classes import class_report
from redshank.evaluate.metrics.points import confusion, oracle_f1, roc_auc
from redshank.evaluate.papers.cases import CASES, Array, Case, Names
from redshank.evaluate.papers.comparisons import COMPARISONS, Comparison, Entrant
from redshank.evaluate.records import SCHEMA, Record, environment, plain

KIND = "papers"
"""Kind of the records."""
STATED, OURS = "as stated", "ours"
"""The two protocols."""
SHARE = 0.7
"""Part of the rows that is learned from where they are dealt at random."""
STRETCH = 30
"""Rows of a stretch that is dealt as one, for models that look at the order."""
TURNS = 4
"""Turns in which groups are judged under our protocol."""
HELD_BACK = 0.3
"""Last part of the normal rows learned from that sets the threshold of a model without labels."""
PASSING = 0.005
"""Share of held-back normal rows that may pass that threshold."""
FIT_S = {False: 60.0, True: 2.0}
"""Seconds that a network may learn in one turn, of a full and of a quick run."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What a model said of the rows it judged: scores, predicted and true kinds, and the turn, each of shape (n,)."""

    scores: Array
    predicted: Names
    kinds: Names
    turn: npt.NDArray[np.intp]


def papers_run(
    keys: Sequence[str] = tuple(COMPARISONS),
    *,
    data_root: Path | None = None,
    quick: bool = False,
    seed: int = 0,
    done: Sequence[Record] = (),
    progress: Callable[[float], None] | None = None,
    command: str | None = None,
) -> Iterator[Record]:
    """One record for each model, data set and protocol, as it is made.

    Parameters
    ----------
    keys : sequence of str
        Names in :data:`~redshank.evaluate.papers.comparisons.COMPARISONS`.
    data_root : Path, optional
        As for :func:`redshank.data.load`.
    quick : bool, default=False
        A part of the data, little time for each network, two settings of a grid: to see that it runs.
    seed : int, default=0
        Deals the rows, and is given to detectors that have a seed.
    done : sequence of dict, default=()
        Records of an earlier run with the same ``quick`` and ``seed``: what they hold is not made again.
    progress : callable, optional
        Called with the part done, 0 to 1.
    command : str, optional
        As for :func:`~redshank.evaluate.records.environment`.
    """
    known = {(r["comparison"], r["model"], r["data"], r["protocol"]) for r in done}
    jobs = [
        (COMPARISONS[key], data, entrant, protocol)
        for key in keys
        for data in COMPARISONS[key].data
        for entrant in _entrants(COMPARISONS[key])
        for protocol in (STATED, OURS)
    ]
    cases: dict[str, Case] = {}
    for place, (comparison, data, entrant, protocol) in enumerate(jobs):
        if progress is not None:
            progress(place / len(jobs))
        if data not in cases:
            cases = {data: CASES[data](data_root, quick=quick)}  # one at a time in memory
        case = cases[data]
        if (comparison.key, entrant.model, case.name, protocol) in known:
            continue
        if entrant.model in ANCHORS and ANCHORS[entrant.model]().tags.sequence and not case.ordered:
            continue  # looks back on rows that are not before this one
        yield _record(comparison, case, entrant, protocol, quick=quick, seed=seed) | environment(command)


def _entrants(comparison: Comparison) -> list[Entrant]:
    """The paper's models, then the plain anchors, which know of no kinds."""
    return [*comparison.entrants, *(Entrant(name, (name,)) for name in ANCHORS if not comparison.several)]


def _record(comparison: Comparison, case: Case, entrant: Entrant, protocol: str, *, quick: bool, seed: int) -> Record:
    grid = [_made(text, quick=quick, seed=seed) for text in entrant.detectors[: 2 if quick else None]]
    start = time.perf_counter()
    tried = [_judge(case, detector, protocol, several=comparison.several, seed=seed) for detector in grid]
    judged, seconds = tried[0]
    if len(tried) > 1:
        judged, seconds = max(tried, key=lambda one: one[1]["worth"])
    report = class_report(judged.predicted, judged.kinds)
    odd = judged.kinds != NORMAL
    counts = confusion(judged.predicted != NORMAL, odd)
    areas = [roc_auc(judged.scores[own], odd[own]) for own in (judged.turn == k for k in np.unique(judged.turn))]
    record: Record = {
        "schema": SCHEMA,
        "kind": KIND,
        "comparison": comparison.key,
        "model": entrant.model,
        "detector": list(entrant.detectors),
        "labels": grid[0].tags.needs_labels,
        "data": case.name,
        "ordered": case.ordered,
        "protocol": protocol,
        "quick": quick,
        "seed": seed,
        "rows": len(odd),
        "anomalous": int(odd.sum()),
        "accuracy": report.accuracy,
        "precision": report.macro_precision if comparison.several else counts.precision,
        "recall": report.macro_recall if comparison.several else counts.recall,
        "f1": report.macro_f1 if comparison.several else counts.f1,
        "roc_auc": float(np.nanmean(areas)),
        "budget_s": grid[0].settings().get("budget_s"),
        "classes": list(report.classes),
        "confusion": report.matrix,
        "printed": entrant.printed,
        "seconds": {**seconds, "all": time.perf_counter() - start},
    }
    return {name: plain(value) for name, value in record.items()}


def _made(text: str, *, quick: bool, seed: int) -> Detector:
    detector = ANCHORS[text]() if text in ANCHORS else detector_of(text)
    settings = detector.settings()
    drawn = {"seed": seed} if "seed" in settings else {}
    budget = {"budget_s": FIT_S[quick]} if "budget_s" in settings else {}
    return type(detector)(**(settings | drawn | budget))


def _judge(
    case: Case, detector: Detector, protocol: str, *, several: bool, seed: int
) -> tuple[Judged, dict[str, float]]:
    """What the detector says under a protocol, and what that took; ``worth`` ranks the settings of a grid."""
    kinds = tuple(own if several else np.where(own == NORMAL, NORMAL, ANOMALY) for own in case.kinds)
    sides = _dealt(case, detector, seed) if protocol == STATED else _turns(case, detector)
    found: list[Judged] = []
    seconds = {"fit": 0.0, "score": 0.0}
    worth = []
    for turn, learned in enumerate(sides):
        fresh = type(detector)(**detector.settings())
        start = time.process_time()
        if isinstance(fresh, Classifier):
            parts, names = _pieces(case.series, kinds, learned, whole=not fresh.tags.sequence)
            fresh.fit(parts, names)
            threshold = np.nan
        else:
            threshold, held = _fit_normal(fresh, case, learned)
            worth.append(-held)
        seconds["fit"] += time.process_time() - start
        start = time.process_time()
        scores, predicted, truth = _said(fresh, case, kinds, learned)
        seconds["score"] += time.process_time() - start
        if not isinstance(fresh, Classifier):
            if protocol == STATED:
                threshold = oracle_f1(scores, truth != NORMAL).threshold
            predicted = np.where(scores >= threshold, ANOMALY, NORMAL)
        found.append(Judged(scores, predicted, truth, np.full(len(scores), turn)))
    together = Judged(*(np.concatenate([getattr(one, part) for one in found]) for part in Judged.__slots__))
    if protocol == STATED:  # a grid is searched on the judged rows, as is usual
        worth = [confusion(together.predicted != NORMAL, together.kinds != NORMAL).f1]
    return together, {**seconds, "worth": float(np.mean(worth)) if worth else 0.0}


def _dealt(case: Case, detector: Detector, seed: int) -> Iterator[list[Mask]]:
    """Rows to learn from, dealt at random kind by kind; in stretches where the model looks at the order.

    A model without labels learns from the time known to be normal, where there is such a time.
    """
    rng = np.random.default_rng(seed)
    if case.ordered and not detector.tags.needs_labels:
        yield [np.arange(len(one)) < begin for one, begin in zip(case.series, case.begin, strict=True)]
        return
    size = STRETCH if case.ordered and detector.tags.sequence else 1
    learned = []
    for own in case.kinds:
        mask = np.zeros(len(own), np.bool_)
        stretch = np.arange(len(own)) // size
        first = own[np.flatnonzero(np.diff(stretch, prepend=-1))]
        for kind in np.unique(first):
            places = rng.permutation(np.flatnonzero(first == kind))
            mask |= np.isin(stretch, places[: max(1, round(SHARE * len(places)))])
        learned.append(mask)
    yield learned


def _turns(case: Case, detector: Detector) -> Iterator[list[Mask]]:
    """Rows to learn from, group by group: no group is on both sides."""
    if case.ordered and not detector.tags.needs_labels:
        yield [np.arange(len(one)) < begin for one, begin in zip(case.series, case.begin, strict=True)]
        return
    names, counts = np.unique(np.concatenate(case.groups), return_counts=True)
    turn = dict.fromkeys(names, 0)
    load = np.zeros((2, TURNS))
    odd = {str(g) for groups, kinds in zip(case.groups, case.kinds, strict=True) for g in groups[kinds != NORMAL]}
    for place in np.argsort(-counts, kind="stable"):  # largest first, each to the turn with the fewest rows of its sort
        sort = int(str(names[place]) in odd)
        turn[names[place]] = least = int(load[sort].argmin())
        load[sort, least] += counts[place]
    for k in range(TURNS):
        learned = [np.array([turn[name] != k for name in own]) for own in case.groups]
        if all(mask.all() for mask in learned):
            continue
        yield learned


def _pieces(
    series: Sequence[Array], kinds: Sequence[Names], learned: Sequence[Mask], *, whole: bool
) -> tuple[list[Array], list[Names]]:
    """Rows to learn from with their kinds, in unbroken runs unless ``whole``: order then says nothing."""
    parts, names = [], []
    for one, own, mask in zip(series, kinds, learned, strict=True):
        if whole:
            parts.append(one[mask])
            names.append(own[mask])
            continue
        for first, last in runs(mask):
            parts.append(one[first : last + 1])
            names.append(own[first : last + 1])
    return parts, names


def _fit_normal(detector: Detector, case: Case, learned: Sequence[Mask]) -> tuple[float, float]:
    """Learn from normal rows; the threshold that the last of them set, and their mean score."""
    fit: list[Array] = []
    held: list[Array] = []
    for one, own, mask in zip(case.series, case.kinds, learned, strict=True):
        normal = mask & (own == NORMAL)
        if case.ordered:
            for first, last in runs(normal):
                border = first + round((1.0 - HELD_BACK) * (last + 1 - first))
                fit.append(one[first:border])
                held.append(one[border : last + 1])
        else:
            rows = one[normal]
            border = round((1.0 - HELD_BACK) * len(rows))
            fit.append(rows[:border])
            held.append(rows[border:])
    detector.fit(fit)
    scores = detector.score_samples(held)
    ready = detector.ready(held)
    usual = scores[ready] if ready.any() else scores
    return float(np.quantile(usual, 1.0 - PASSING)), float(usual.mean())


def _said(
    detector: Detector, case: Case, kinds: Sequence[Names], learned: Sequence[Mask]
) -> tuple[Array, Names, Names]:
    """Scores, predicted and true kinds of the rows to judge that were not learned from; earlier rows are context."""
    scores, predicted, truth = [], [], []
    for one, own, mask, begin in zip(case.series, kinds, learned, case.begin, strict=True):
        if mask.all():
            continue
        judged = ~mask & (np.arange(len(one)) >= begin)
        scores.append(detector.score_samples(one)[judged])
        truth.append(own[judged])
        if isinstance(detector, Classifier):
            predicted.append(detector.kinds(one)[judged])
    none = np.empty(0, np.str_)
    return np.concatenate(scores), np.concatenate(predicted or [none]), np.concatenate(truth)
