"""One detector on one data set, split by split: learned, judged, measured, and written down as a record."""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict

import numpy as np

from redshank.calibrate import CALIBRATORS, Budget
from redshank.core import Calibrator, Detector, Frame, Incident, InputError, Kind, SettingError
from redshank.data import Dataset, Finding, audit
from redshank.detectors import DETECTORS
from redshank.detectors.specs import read_spec
from redshank.evaluate import _sections
from redshank.evaluate._known import Known
from redshank.evaluate._sections import Judged, series_of, touched
from redshank.evaluate.anchors import PLAIN
from redshank.evaluate.baselines import alarm_of
from redshank.evaluate.metrics._inputs import whole
from redshank.evaluate.protocols import LEARNED_EARLIER, Split, splits_of
from redshank.evaluate.records import Record, model_fingerprint, new_run, peak_mib, pipeline_settings
from redshank.incidents import fault
from redshank.pipeline import Pipeline

LEARNING = 0.8
"""Part of a split's work that learning in epochs counts as, on a progress bar."""


def evaluate_run(
    dataset: Dataset,
    detector: Detector | str = "ridge",
    *,
    protocol: str | None = None,
    splits: Sequence[Split] | None = None,
    calibrator: Calibrator | str = "extreme",
    budget: str = "1 per device per week",
    seed: int = 0,
    window: int | None = None,
    findings: Sequence[Finding] | None = None,
    read_s: float = math.nan,
    command: str | None = None,
    progress: Callable[[float], None] | None = None,
) -> Iterator[Record]:
    """Judge a detector, or what is plain or trivial, on every split of a protocol; one record a split, as it is done.

    The leakage audit runs first. Each split has a pipeline of its own that is given the training rows and nothing
    else: scaling, filling, detector, calibration and quality limits are learned inside the split. A detector whose
    tags say that it learns from labels is given those of its training rows (``labelled`` in the record), nobody else is
    given any; anomalous rows in the training part are left there, and counted (``train_anomalous_rows``).

    Parameters
    ----------
    dataset : Dataset
        All rows. Without labels there are incidents and alarm rates but no measures.
    detector : Detector or str, default="ridge"
        Text of a detector, such as ``"pca(latent=2)"``, a name of :data:`~redshank.evaluate.anchors.PLAIN`, or an
        unfitted detector.
    protocol : str, optional
        A name of :data:`~redshank.evaluate.protocols.PROTOCOLS`; else the published division, else the
        chronological hold-out.
    splits : sequence of Split, optional
        Divisions of one's own, in place of ``protocol``.
    calibrator, budget
        As for :class:`~redshank.pipeline.Pipeline`.
    seed : int, default=0
        Given to detectors by name that have a seed.
    window : int, optional
        Largest buffer of VUS in rows, 0 for none; else the period of each device's normal rows, 3 to 300, else 100: all
        of them, so that folds can be compared. It is a setting of the measure, and nothing is learned from it.
    findings : sequence of Finding, optional
        What :func:`redshank.data.audit` found in ``dataset``, where it has run already.
    read_s : float, default=nan
        Seconds that reading took, for the record.
    command : str, optional
        As for :func:`~redshank.evaluate.records.environment`.
    progress : callable, optional
        Called with the part done, 0 to 1.

    Returns
    -------
    iterator of dict
        See :data:`~redshank.evaluate.records.SECTIONS`.

    Raises
    ------
    SettingError
        If a name or the budget is not understood, ``seed`` or ``window`` is no whole number of at least 0, or both
        ``protocol`` and ``splits`` are given.
    InputError
        If the protocol cannot split these rows, or a split cannot be learned from.

    Notes
    -----
    Within a device, measures are of its raw scores and its alarms, row by row. Raw scores of two devices do not rank
    together, since each device may have a detector of its own; curves over several devices are therefore of the
    surprise ``-log10 p``, and only those of one device are of its score. Measures are means over the devices where
    they are defined; confusion, false events, "incident recall", "median incident delay, s" and what follows from
    them are counted over all devices.

    A known anomaly counts from its first judged moment to its last: what lies in rows that were learned from is no
    delay. Where rows were dealt to folds at random, each one belongs to the fold of its first row, incidents on it in
    other folds count neither way, and device-weeks are those of the whole time times the share of rows judged.

    Rows before the first judged row of a device that were not judged themselves are its context, as they would be in
    service: looked back on, not learned from.

    The quality checks are part of every pipeline, so a baseline has their incidents too. ``always`` and ``never``
    have the alarms that their names say and no others.
    """
    if protocol is not None and splits is not None:
        raise SettingError("evaluate_run: protocol and splits are both given; choose one")
    name, fresh = _detector(detector, whole("evaluate_run", "seed", seed, low=0))
    Budget.parse(budget)
    if isinstance(calibrator, str):
        CALIBRATORS.extra_of(calibrator)
    for split in splits or ():
        if split.train.shape != (len(dataset),):
            raise InputError(f"{dataset.name}: {split} is of {len(split.train)} rows, the data of {len(dataset)}")
    known = Known(dataset, window)
    labelled = fresh.tags.needs_labels
    if labelled and known.lessons is None:
        raise InputError(f"{dataset.name}: {name} learns from labels, and no anomaly is known there; name their column")
    divided = splits_of(known.dataset, protocol, labelled=labelled) if splits is None else list(splits)

    def records() -> Iterator[Record]:
        given = _given(audit(known.dataset) if findings is None else findings, name, fresh, seed)
        for k, split in enumerate(divided):
            pipeline = Pipeline(fresh, calibrator=calibrator, budget=budget)
            done = None if progress is None else _part_of(progress, k, len(divided))
            yield _record(known, split, pipeline, progress=done, given=given, read_s=read_s, command=command)

    return records()


def evaluate_model(
    dataset: Dataset,
    pipeline: Pipeline,
    *,
    window: int | None = None,
    read_s: float = math.nan,
    command: str | None = None,
) -> Record:
    """Judge a pipeline that was fitted elsewhere: the rows published for testing, else all rows.

    The record's protocol is ``"learned earlier"``: what the model learned from is not known here, so there is no drift
    section. Parameters and errors otherwise as :func:`evaluate_run`.
    """
    test = np.ones(len(dataset), np.bool_) if dataset.train is None else ~dataset.train
    split = Split(LEARNED_EARLIER, 0, 1, np.zeros(len(dataset), np.bool_), test, int((~test).sum()))
    fitted = pipeline.scorer_.detectors[0]
    name, _ = _detector(fitted, 0)
    known = Known(dataset, window)
    given = _given(audit(known.dataset), name, fitted, 0)
    return _record(known, split, pipeline, progress=None, given=given, read_s=read_s, command=command)


def _record(
    known: Known,
    split: Split,
    pipeline: Pipeline,
    *,
    progress: Callable[[float], None] | None,
    given: Record,
    read_s: float,
    command: str | None,
) -> Record:
    """Learn, unless that was done earlier, judge and measure one split."""
    learned, seconds = known.dataset.frame.take(split.train), {"read": read_s}
    if split.protocol != LEARNED_EARLIER:
        with _timed(seconds, "learn"):
            told = {"labels": known.lessons[split.train]} if given["labelled"] and known.lessons is not None else {}
            try:
                pipeline.fit(learned, **told, progress=None if progress is None else _epochs(progress))
            except InputError as error:
                raise InputError(f"{known.dataset.name}: {split}: cannot learn from it ({error})") from error
    with _timed(seconds, "judge"):
        judged = _judge(known, split, pipeline)
    with _timed(seconds, "measure"):
        sections = {
            **_sections.measured(judged),
            **_sections.reported(
                judged,
                budget=pipeline.budget,
                fleet=len(pipeline.devices_),
                held_back=pipeline.held_back_rate_,
            ),
            "traces": _sections.traces(judged),
            "drift": _sections.drift(learned, judged) if len(learned) else [],
        }
    record = new_run(
        command=command,
        data=known.record,
        split={
            "protocol": split.protocol,
            "fold": split.fold,
            "folds": split.folds,
            "train_rows": int(split.train.sum()),
            "train_anomalous_rows": int(known.anomalous[split.train].sum()),
            "test_rows": int(split.test.sum()),
            "purged_rows": split.purged,
            "left_out": split.left_out,
            "leaks": split.leaks,
        },
        settings=_settings(pipeline, judged.windows),
        model={"fingerprint": model_fingerprint(pipeline), "rate_held_back": pipeline.held_back_rate_},
        seconds=seconds,
        peak_mib=peak_mib(),
        **given,
        **sections,
    )
    if progress is not None:
        progress(1.0)
    return record


def _judge(known: Known, split: Split, pipeline: Pipeline) -> Judged:
    """Judge the test rows; what lies between them and is neither part is seen, as a stream goes on, not counted."""
    whole, test = known.dataset.frame, split.test
    seen, before = test.copy(), np.zeros(len(whole), np.bool_)
    for rows in whole.series():
        own = np.flatnonzero(test[rows])
        if len(own):
            between = rows[own[0] : own[-1]]
            seen[between] |= ~split.train[between]
            before[rows[: own[0]]] = True
    analysis = pipeline.analyse(whole.take(seen), history=whole.take(before))
    scores, counted, frame = analysis.scores, test[seen], whole.take(test)
    alarm, p, incidents = scores.alarm[counted], scores.p[counted], list(analysis.incidents)
    settled = alarm_of(pipeline.scorer_.detectors[0])
    if settled is not None:
        alarm, p = np.full(len(alarm), settled), np.ones(len(p))
        incidents = _endless(frame) if settled else []
    labels, aside = known.judged_labels(split)
    pairs = zip(incidents, touched(incidents, labels), touched(incidents, aside), strict=True)
    return Judged(
        frame=frame,
        y=None if known.dataset.y is None else known.anomalous[test],
        labels=labels,
        windows={device: known.windows[device] for device, rows in series_of(frame) if len(rows)},
        score=scores.score[counted],
        ready=scores.ready[counted],
        p=p,
        alarm=alarm,
        incidents=[one for one, hit, other in pairs if hit or not other],
        weeks=known.weeks(split),
        kinds=None if known.lessons is None else known.kinds[test],
        named=None if analysis.kinds is None else analysis.kinds[counted],
    )


def _endless(frame: Frame) -> list[Incident]:
    """One incident a device, from its first judged row to its last."""
    return [
        fault(
            device,
            start_ns=int(frame.time_ns[rows[0]]),
            end_ns=int(frame.time_ns[rows[-1]]),
            detected_ns=int(frame.time_ns[rows[0]]),
            kind=Kind.COLLECTIVE,
            cause="always",
            severity=0.0,
            readings=(),
            detail="alarms whatever is read",
        )
        for device, rows in series_of(frame)
        if len(rows)
    ]


def _settings(pipeline: Pipeline, windows: dict[str, int]) -> Record:
    """Every setting, by name, once; one window where all devices have the same."""
    settings = pipeline_settings(pipeline)
    del settings["calibrator.budget"]  # the detector's part of the budget that stands beside it
    return settings | {"window": windows if len(set(windows.values())) > 1 else next(iter(windows.values()))}


def _detector(detector: Detector | str, seed: int) -> tuple[str, Detector]:
    """Name and unfitted detector."""
    if isinstance(detector, str):
        make, given = (PLAIN[detector], {}) if detector in PLAIN else read_spec(detector)
        return detector, make(**({"seed": seed} if "seed" in inspect.signature(make).parameters else {}) | given)
    for name, known in PLAIN.items():
        if type(detector) is known:
            return name, detector
    try:
        return DETECTORS.name_of(type(detector)), detector
    except SettingError:
        return type(detector).__name__, detector  # one of the caller's own


def _given(findings: Sequence[Finding], name: str, detector: Detector, seed: int) -> Record:
    """The sections that are known before anything is learned."""
    return {
        "audit": [asdict(finding) for finding in findings],
        "detector": name,
        "labelled": detector.tags.needs_labels,
        "baseline": name in PLAIN,
        "seed": detector.settings().get("seed", seed),
    }


def _part_of(progress: Callable[[float], None], fold: int, folds: int) -> Callable[[float], None]:
    return lambda part: progress((fold + part) / folds)


def _epochs(progress: Callable[[float], None]) -> Callable[[int, int, float], None]:
    return lambda epoch, epochs, _: progress(LEARNING * epoch / epochs)


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[step] = round(time.perf_counter() - start, 3)
