"""What learning needs before a detector is fitted: what it is told, what is held back from it, how its rows come."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from redshank.calibrate.columns import judge_columns
from redshank.core import Calibrator, Classifier, Detector, Frame, InputError, SettingError
from redshank.core.classifier import NORMAL, SUREST
from redshank.core.detector import Array
from redshank.detectors.specs import detector_of
from redshank.features import irregular_share
from redshank.scoring import AS_IS, GAP, RESAMPLE, DeviceRows, Floats, Lessons, Marks, Piece, Scorer, Times, both, odd

FOLDS = 4
"""Blocks of the training time that a cheap detector is held back from in turn."""
GAP_INTERVALS = 10
"""A series is begun anew behind a gap of more than this many usual intervals of its device."""
AUTO = "auto"
SAMPLINGS = (AS_IS, RESAMPLE, GAP, AUTO)
IRREGULAR = 0.1
"""Share of irregular steps in the training rows from which ``sampling="auto"`` puts them on a grid."""


class Training(NamedTuple):
    """Training rows by device, oldest first, with what a detector that learns from labels is told of them."""

    devices: tuple[str, ...]
    series: list[Floats]
    times: list[Times]
    told: list[Lessons] | None

    def teaches(self, k: int, turns: list[list[slice]]) -> bool:
        """Whether device ``k`` has what a detector of its own needs in every turn: with labels, rows of both kinds."""
        told = self.told
        return told is None or all(both(np.delete(told[k], turn[k])) for turn in turns)


def fresh_of(detector: Detector | str) -> Detector:
    """What is to be fitted: the detector that a text names, or one like that given, which may be fitted already.

    What tags say may follow from the rows that were learned from: those of another fit would not hold here.
    """
    return detector_of(detector) if isinstance(detector, str) else type(detector)(**detector.settings())


def longest_gaps(times: list[Times], interval_s: float) -> Array:
    """Longest gap inside a series, for each device by its own steps, and last for unknown devices."""
    steps = [np.diff(time_ns) / 1e9 for time_ns in times]
    steps.append(np.concatenate(steps))
    usual = [float(np.quantile(own, 0.99)) if len(own) else interval_s for own in steps]
    return GAP_INTERVALS * np.maximum(usual, interval_s)


def usual_steps(times: list[Times], interval_s: float) -> Array:
    """Usual interval of each device, and last of unknown ones."""
    steps = [np.diff(time_ns) / 1e9 for time_ns in times]
    return np.array([*(float(np.median(own)) if len(own) else interval_s for own in steps), interval_s])


def check_sampling(what: str, sampling: str) -> None:
    """Raise SettingError unless ``sampling`` is one of :data:`SAMPLINGS`; ``what`` is how the user called it."""
    if sampling not in SAMPLINGS:
        raise SettingError(f"{what} is {sampling!r}; wanted one of {', '.join(SAMPLINGS)}")


def sampling_of(asked: str, detector: Detector, times: list[Times], interval_s: float) -> tuple[str, tuple[str, ...]]:
    """How the rows are given to the detector, and what is to be said of it."""
    if asked == AS_IS or not detector.tags.sequence:
        void = f"sampling {asked!r} changes nothing: {type(detector).__name__} looks at each row by itself"
        return AS_IS, () if asked in (AS_IS, AUTO) else (void,)
    if asked != AUTO:
        return asked, ()
    usual = usual_steps(times, interval_s)
    counts = [max(len(one) - 1, 0) for one in times]
    shares = [irregular_share(one, step * 1e9) for one, step in zip(times, usual, strict=False)]
    share = float(np.average(shares, weights=counts)) if sum(counts) else 0.0
    if share <= IRREGULAR:
        return AS_IS, ()
    return RESAMPLE, (f"{share:.0%} of the steps between training rows are irregular: rows are put on a regular grid",)


def lessons_of(detector: Detector, labels: npt.ArrayLike | None, rows: int) -> Lessons | None:
    """Labels as the detector takes them: names, or 0 and 1; None for a detector that learns without.

    Raises
    ------
    InputError
        If there are labels and should be none, or the other way round, or they are not understood.
    """
    name = type(detector).__name__
    if labels is None and not detector.tags.needs_labels:
        return None
    if labels is None:
        raise InputError(f"Pipeline: {name} learns from labels and got none; give the labels of the training rows")
    if not detector.tags.needs_labels:
        raise InputError(f"Pipeline: {name} learns without labels, and must not see them; leave labels out")
    given = np.asarray(labels)
    if given.shape != (rows,):
        raise InputError(f"Pipeline: labels have shape {given.shape}; wanted one for each of {rows} rows")
    if given.dtype == object and all(one is None or isinstance(one, str) for one in given):
        given = np.array(["" if one is None else one for one in given], dtype=np.str_)
    if given.dtype.kind in "US":
        # As narrow as these names: not even the length of a name that was cut off with its rows may be told.
        names = np.array([one.strip() or NORMAL for one in given.astype(np.str_).tolist()], dtype=np.str_)
        return names if isinstance(detector, Classifier) else odd(names).astype(np.int8)
    if not np.isin(given, (0, 1)).all():
        raise InputError("Pipeline: labels are neither 0 and 1 nor names of what is wrong")
    return given.astype(np.int8)


def turns_of(training: Training, hold_back: float) -> tuple[list[list[slice]], tuple[str, ...]]:
    """What is held back, turn by turn and device by device: the last part, or with 0 each quarter once; and notes.

    A turn that leaves no normal or no anomalous row to a detector that learns from labels is left out.
    """
    series, told = training.series, training.told
    if hold_back:
        turns = [[slice(max(int(len(one) * (1.0 - hold_back)), 1), len(one)) for one in series]]
    else:
        turns = [[slice(len(one) * i // FOLDS, len(one) * (i + 1) // FOLDS) for one in series] for i in range(FOLDS)]
    if told is None:
        return turns, ()
    every = np.concatenate(told)
    if not both(every):
        what = "normal" if odd(every).any() else "anomalous"
        raise InputError(f"Pipeline: none of the {len(every)} labelled training rows is {what}; both kinds are needed")
    kept = [
        turn
        for turn in turns
        if both(np.concatenate([np.delete(own, span) for own, span in zip(told, turn, strict=True)]))
    ]
    if not kept:
        raise InputError(
            f"Pipeline: the rows learned from hold normal and anomalous ones no more when a part is held back for the "
            f"alarm levels; give more rows of both{', or hold back less (hold_back)' if hold_back else ''}"
        )
    rows = f"{int(odd(every).sum()):,} of {len(every):,} training rows"
    notes = [f"{rows} are labelled anomalous: learned from, and left out of the alarm levels"]
    if len(kept) < len(turns):
        notes.append(
            f"{len(turns) - len(kept)} of {len(turns)} parts of the training time could not be held back for the alarm "
            "levels: without them there is nothing anomalous, or nothing normal, to learn from"
        )
    return kept, tuple(notes)


def pieces_of(training: Training, held: list[slice]) -> list[list[Piece]]:
    """Each device's rows in front of and behind those that are held back, with what is told of them."""
    told = training.told
    return [
        [
            Piece(one[part], time_ns[part], None if told is None else told[k][part])
            for part in (slice(0, span.start), slice(span.stop, len(one)))
        ]
        for k, (one, time_ns, span) in enumerate(zip(training.series, training.times, held, strict=True))
    ]


def held_back(scorer: Scorer, training: Training, held: list[slice]) -> list[list[Array]]:
    """What a scorer makes of normal rows held back from it, by device and column; all earlier rows are the context."""
    found = []
    for k, (name, one, time_ns, span) in enumerate(
        zip(training.devices, training.series, training.times, held, strict=True)
    ):
        rows = np.arange(span.start, span.stop)
        columns, counts = scorer.columns(DeviceRows(name, k, rows, one[: span.stop], time_ns[: span.stop], span.start))
        if training.told is not None:
            counts &= ~odd(training.told[k][rows])
        found.append([column[counts] for column in columns])
    return found


def without(frame: Frame, anomalous: Marks) -> Frame:
    """The same rows at the same times, without the values of anomalous ones."""
    return replace(frame, values=np.where(anomalous[:, None], np.float32(np.nan), frame.values))


def mute_note(
    detector: Detector, calibrators: Sequence[Calibrator], devices: Sequence[str], budget: str
) -> tuple[str, ...]:
    """A sentence where not even a row that is surely anomalous would alarm."""
    if not isinstance(detector, Classifier):
        return ()
    surest = [np.array([-math.log(SUREST)])]
    if any(judge_columns(calibrators, device, surest, np.ones(1, np.bool_))[1].any() for device in devices):
        return ()
    why = "held-back normal rows look so anomalous that no level keeps to the budget of"
    return (f"nothing can alarm: {why} {budget}; allow more false alarms (--budget)",)


def filled_note(gaps: list[Marks], detector: Detector, how: str) -> tuple[str, ...]:
    """The sentence on missing readings that were stood in for; none where there were none."""
    readings = sum(int(one.sum()) for one in gaps)
    if not readings:
        return ()
    channels = int(np.any([one.any(axis=0) for one in gaps], axis=0).sum())
    were = f"reading{'s' * (readings > 1)} in {channels} channel{'s' * (channels > 1)} were filled"
    return (f"{readings:,} missing {were} for {type(detector).__name__}: {how}, in longer gaps with the usual value",)
