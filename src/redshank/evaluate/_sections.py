"""What a record says of judged rows: measures, events, calibration, alarm load, traces and drift."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from redshank.calibrate import Budget
from redshank.core import Frame, Incident, Kind, Label
from redshank.core.classifier import NORMAL
from redshank.evaluate.events import EventReport, compare
from redshank.evaluate.metrics._inputs import ratio
from redshank.evaluate.metrics.calibration import Reliability, reliability
from redshank.evaluate.metrics.classes import class_report
from redshank.evaluate.metrics.load import alarm_load
from redshank.evaluate.metrics.points import confusion, pr_auc, pr_curve, roc_auc, roc_curve
from redshank.evaluate.metrics.summary import measure
from redshank.evaluate.records import Record, incident_record, iso
from redshank.pipeline import device_weeks
from redshank.scoring import Names

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

CURVE_POINTS = 200
"""Points of a curve in a record: as many as a figure shows."""
TRACE_DEVICES, TRACE_STRETCHES, TRACE_CHANNELS = 6, 400, 8
"""Devices, stretches of each and channels in the traces of a record: what a page can hold."""
DIGITS = 5
"""Significant digits of a trace."""
LEAST_P = 1e-300
"""Smallest tail probability told apart: the logarithm of 0 is not a number."""
MOST_SURPRISE = 20.0
"""Surprise at which a trace is cut: a bounded tail gives p = 0, and one such row would flatten all others."""
DECILES = np.linspace(0.1, 0.9, 9)
LEAST_SHARE = 1e-4
"""Share that an empty decile counts as, so that the stability index stays finite; the usual convention."""
OF_KINDS = ("accuracy of kinds", "balanced accuracy of kinds", "macro F1 of kinds", "weighted F1 of kinds")
"""Measures of the classes that a detector names."""
FAULTS = (Kind.SENSOR_FAULT, Kind.SILENCE)
"""Kinds that the quality checks report."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Judged:
    """What is known of the judged rows, and what a pipeline said of them; arrays have one entry a row of ``frame``.

    Parameters
    ----------
    frame : Frame
        The judged rows, at least one.
    y : bool ndarray of shape (n,) or None
        Anomalous rows; None where nothing is known.
    labels : list of Label
        Known anomalies among these rows, each from its first judged moment to its last.
    windows : dict of str to int
        Largest buffer of VUS of each device, in rows.
    score, ready, p, alarm
        As in :class:`redshank.core.Scores`.
    incidents : list of Incident
        In order of onset.
    weeks : dict of str to float
        Time judged of each device with rows, in weeks.
    kinds : str ndarray of shape (n,) or None, default=None
        Name of what is wrong with each row, ``"normal"`` where nothing is.
    named : str ndarray of shape (n,) or None, default=None
        What the detector named it; None where it names nothing.
    """

    frame: Frame
    y: Mask | None
    labels: list[Label]
    windows: dict[str, int]
    score: Floats
    ready: Mask
    p: Floats
    alarm: Mask
    incidents: list[Incident]
    weeks: dict[str, float]
    kinds: Names | None = None
    named: Names | None = None

    @property
    def surprise(self) -> Floats:
        """``-log10 p``: one scale for all devices."""
        surprise: Floats = -np.log10(np.maximum(self.p, LEAST_P))
        return surprise

    def events(self, device: str | None = None) -> EventReport:
        """Incidents against known anomalies, of one device or of all; time is from first to last judged row."""
        frame, incidents, labels = self.frame, self.incidents, self.labels
        if device is not None:
            frame = frame.take(frame.device == frame.devices.index(device))
            incidents = [one for one in incidents if device in one.devices]
            labels = [one for one in labels if one.device == device]
        return compare(incidents, labels, device_weeks=device_weeks(frame))


def measured(judged: Judged) -> Record:
    """Measures against the labels, series by series and together; empty where nothing is known."""
    frame, y = judged.frame, judged.y
    series: list[Record] = []
    for device, rows in series_of(frame):
        if not len(rows):
            continue
        one: Record = {"name": device, "rows": len(rows), "anomalous_rows": 0, "measures": {}, "oracle": {}}
        if y is not None:
            found = measure(
                judged.score[rows],
                y[rows],
                alarm=judged.alarm[rows],
                time_ns=frame.time_ns[rows],
                window=judged.windows[device],
            )
            values = found.values | _of_incidents(judged.events(device))
            values["false events per device-week"] = ratio(values["false events"], judged.weeks[device])
            one |= {"anomalous_rows": int(y[rows].sum()), "measures": values, "oracle": found.oracle}
        series.append(one)
    if y is None:
        return {"measures": {}, "oracle": {}, "series": series, "confusion": None, "classes": None, "curves": {}}
    counts, kinds = confusion(judged.alarm, y), classes(judged)
    false = math.fsum(one["measures"]["false events"] for one in series)
    pooled = {
        "accuracy": counts.accuracy,
        "precision": counts.precision,
        "recall": counts.recall,
        "F1": counts.f1,
        "false-positive rate": counts.false_positive_rate,
        "anomalous share": float(y.mean()),
        "false events": false,
        "false events per device-week": ratio(false, math.fsum(judged.weeks.values())),
        **_of_incidents(judged.events()),
        **({} if kinds is None else {name: kinds[name] for name in OF_KINDS}),
    }
    return {
        "measures": _means([one["measures"] for one in series]) | pooled,
        "oracle": _means([one["oracle"] for one in series]),
        "series": series,
        "confusion": asdict(counts),
        "classes": kinds,
        "curves": _curves(judged, y),
    }


def classes(judged: Judged) -> Record | None:
    """The most probable class of each row against its true one; None where the detector, or the data, name none.

    Every row counts, whether it alarmed or not: what the detector would say, without an alarm level. Ratios are by
    class, in the order of ``names``.
    """
    if judged.kinds is None or judged.named is None:
        return None
    others = sorted({*judged.kinds.tolist(), *judged.named.tolist()} - {NORMAL})
    report = class_report(judged.named, judged.kinds, [NORMAL, *others])
    return {
        "names": list(report.classes),
        "matrix": report.matrix.tolist(),
        "precision": report.precision.tolist(),
        "recall": report.recall.tolist(),
        "F1": report.f1.tolist(),
        "rows": report.support.tolist(),
        "accuracy of kinds": report.accuracy,
        "balanced accuracy of kinds": report.balanced_accuracy,
        "macro F1 of kinds": report.macro_f1,
        "weighted F1 of kinds": report.weighted_f1,
    }


def reported(judged: Judged, *, budget: str, fleet: int, held_back: float) -> Record:
    """Incidents and what they are worth, the budget and what became of it, and the load on the operator.

    ``fleet`` is the number of devices that the budget was set for, and ``held_back`` the rate on held-back rows.
    """
    frame, incidents, labelled = judged.frame, judged.incidents, judged.y is not None
    true = touched(incidents, judged.labels)
    report, weeks = judged.events(), math.fsum(judged.weeks.values())
    wrong = [one for one, hit in zip(incidents, true, strict=True) if not hit]
    start, end = int(frame.time_ns.min()), int(frame.time_ns.max())
    # Silence is detected at a deadline, which may lie behind the last judged row.
    onsets = np.array([min(max(one.detected_ns, start), end) for one in incidents], dtype=np.int64)
    load = alarm_load(onsets, start_ns=start, end_ns=end, source=[one.device for one in incidents])
    return {
        "events": {
            "known": report.events,
            "found": report.found,
            "incidents": report.incidents,
            "false": report.false if labelled else None,
            "device_weeks": weeks,
            "alarm_share": report.alarm_share,
            "delays_s": list(report.delays_s),
            "by_kind": {kind: list(found) for kind, found in report.found_by_kind.items()},
            "false_by_cause": dict(Counter(map(_cause, wrong)).most_common()) if labelled else {},
        },
        "incidents": [
            incident_record(one) | {"true": hit if labelled else None} for one, hit in zip(incidents, true, strict=True)
        ],
        "calibration": {
            "budget": budget,
            "asked_per_device_week": Budget.parse(budget).per_device_week(fleet),
            "realised_per_device_week": ratio(report.false, weeks) if labelled else None,
            "held_back": held_back,
            "reliability": _reliability(judged),
        },
        "load": asdict(load),
    }


def traces(judged: Judged) -> list[Record]:
    """Devices with known anomalies first, then those with most incidents; each stretch by its most surprising row."""
    concerned = {label.device for label in judged.labels}
    alarmed = Counter(device for incident in judged.incidents for device in incident.devices)
    shown = [(device, rows) for device, rows in series_of(judged.frame) if len(rows)]
    shown.sort(key=lambda one: (one[0] not in concerned, -alarmed[one[0]]))
    return [_trace(judged, device, rows) for device, rows in shown[:TRACE_DEVICES]]


def drift(learned: Frame, judged: Judged) -> list[Record]:
    """How far the judged normal rows are from the training rows, channel by channel.

    ``psi`` is the population stability index ``sum_i (q_i - p_i) ln(q_i / p_i)`` of the shares of judged (q) and
    training rows (p) between the training deciles; ``shift`` is that of the median in training quartile distances.
    NaN where a channel holds no value in one of the parts; all devices together.
    """
    later = judged.frame.values if judged.y is None else judged.frame.values[~judged.y]
    return [
        {"channel": name, **_shifted(old[~np.isnan(old)], new[~np.isnan(new)])}
        for name, old, new in zip(
            judged.frame.schema.names, learned.values.T.astype(np.float64), later.T.astype(np.float64), strict=True
        )
    ]


def series_of(frame: Frame) -> list[tuple[str, Rows]]:
    """Each device of the table and its rows, oldest first; no rows where it has none here."""
    return list(zip(frame.devices, frame.series(), strict=True))


def touched(incidents: Sequence[Incident], labels: Sequence[Label]) -> list[bool]:
    """Whether each incident overlaps a known anomaly of one of its devices: what :func:`compare` calls true."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for label in labels:
        spans.setdefault(label.device, []).append((label.start_ns, label.end_ns))
    return [
        any(
            start <= one.end_ns and end >= one.start_ns
            for device in one.devices
            for start, end in spans.get(device, ())
        )
        for one in incidents
    ]


def _of_incidents(report: EventReport) -> dict[str, float]:
    """Measures of incidents, under names that those of row alarms do not have."""
    return {"incident recall": report.recall, "median incident delay, s": report.median_delay_s}


def _curves(judged: Judged, y: Mask) -> Record:
    """Thinned curves, each with the area under all of its points, and what they are of.

    Scores of two devices do not rank together: only where one device is judged are the curves of its score.
    """
    of, values = ("score", judged.score) if len(judged.weeks) == 1 else ("surprise", judged.surprise)
    curves = (("roc", roc_curve, roc_auc), ("pr", pr_curve, pr_auc))
    record: Record = {}
    for name, curve, area in curves:
        thinned = curve(values, y).thinned(CURVE_POINTS)
        record[name] = {"x": thinned.x.tolist(), "y": thinned.y.tolist(), "area": area(values, y), "of": of}
    return record


def _reliability(judged: Judged) -> Record:
    """Of normal rows that were ready; where nothing is known of anomalies, of all that were ready."""
    names = np.array(judged.frame.devices)[judged.frame.device]
    labels = None if judged.y is None else judged.y[judged.ready]
    found = reliability(judged.p[judged.ready], labels, device=names[judged.ready])
    return _read_off(found) | {"devices": {name: _read_off(one) for name, one in found.devices.items()}}


def _read_off(found: Reliability) -> Record:
    return {"u": found.u.tolist(), "share": found.share.tolist()}


def _trace(judged: Judged, device: str, rows: Rows) -> Record:
    surprise = judged.surprise[rows]
    stretches = np.array_split(np.arange(len(rows)), min(TRACE_STRETCHES, len(rows)))
    worst = rows[[int(part[surprise[part].argmax()]) for part in stretches]]
    named = Counter(
        reading.channel for incident in judged.incidents if device in incident.devices for reading in incident.readings
    )
    names = judged.frame.schema.names
    channels = sorted(range(len(names)), key=lambda j: -named[names[j]])[:TRACE_CHANNELS]
    return {
        "device": device,
        "time": [iso(moment) for moment in judged.frame.time_ns[worst]],
        "score": [_short(min(surprise[part].max(), MOST_SURPRISE)) for part in stretches],
        "alarm": [int(judged.alarm[rows[part]].any()) for part in stretches],
        "values": {names[j]: [_short(value) for value in judged.frame.values[worst, j]] for j in sorted(channels)},
        "labels": [[iso(one.start_ns), iso(one.end_ns)] for one in judged.labels if one.device == device],
    }


def _cause(incident: Incident) -> str:
    return f"quality: {incident.cause}" if incident.kind in FAULTS else str(incident.kind)


def _means(series: Sequence[dict[str, float]]) -> dict[str, float]:
    """Mean of each measure over the series where it is defined."""
    means = {}
    for name in series[0]:
        found = [one[name] for one in series if math.isfinite(one[name])]
        means[name] = math.fsum(found) / len(found) if found else math.nan
    return means


def _shifted(old: Floats, new: Floats) -> dict[str, float]:
    if not len(old) or not len(new):
        return {"psi": math.nan, "shift": math.nan}
    edges = np.unique(np.quantile(old, DECILES))
    shares = [np.bincount(np.searchsorted(edges, one), minlength=len(edges) + 1) / len(one) for one in (old, new)]
    p, q = np.maximum(shares, LEAST_SHARE)
    low, middle, high = np.quantile(old, (0.25, 0.5, 0.75))
    moved = float(np.median(new) - middle)
    return {
        "psi": float(((q - p) * np.log(q / p)).sum()),
        "shift": moved / float(high - low) if high > low else math.nan if moved else 0.0,
    }


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
