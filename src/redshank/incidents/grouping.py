"""Alarms of single readings to incidents that a person can act on. Pure; the same for a file and for a stream."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from redshank.core import Incident, Kind, Reading, Schema
from redshank.core.classifier import ANOMALY
from redshank.core.detector import Array
from redshank.incidents.sentence import anomaly_sentence, fault_sentence, moment, silence_of_many

REST_ROWS = 60
"""Alarms closer together than this many usual intervals are one incident."""
ONSET_P = 0.05
"""An incident begins where ``p`` first stayed below this, before the alarm."""
ONSET_ROWS = 120
"""How far back the onset is looked for, in rows and in usual intervals."""
NETWORK = re.compile(
    r"latency|(?<![a-z])(rtt|ping)(?![a-z])|packet|bytes|retries|retrans|throughput|conn(ection)?s?\b", re.IGNORECASE
)
"""Channel names that speak of the network and not of the plant; a pumping rate and a damping are of the plant."""
TREND = 0.8
"""Rank correlation of departure and time from which a long run is called continuous."""
LONG_ROWS = 60
"""Rows from which a run is long enough to show a trend."""
OUTAGE_DEVICES = 3
"""Devices that fall silent together from which it is one outage."""
OUTAGE_ROWS = 15
"""Usual intervals between the first and the last of them."""
MOST_READINGS = 8
"""Channels that an incident lists."""
SPECIFIC = (Kind.SILENCE, Kind.SENSOR_FAULT, Kind.NETWORK_ATTACK)
"""Kinds found by a check of their own; they name an incident that a detector noticed as well."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One device's rows, oldest first, with everything needed to explain them.

    Parameters
    ----------
    device : str
        Its name.
    time_ns : int64 ndarray of shape (n,)
        Event times.
    alarm : bool ndarray of shape (n,)
        Rows that alarm.
    p : float64 ndarray of shape (n,)
        Tail probability of each row.
    values, expected, low, high : float64 ndarray of shape (n, channels)
        Readings (NaN = missing) and what was expected, in the units of the schema.
    contributions : float64 ndarray of shape (n, channels)
        Part of the score by channel.
    usual : float64 ndarray of shape (2, channels)
        Range of nearly all training readings, whatever the context.
    kinds : str ndarray of shape (n,) or None, default=None
        The anomaly that each row most resembles, where the detector names anomalies.
    """

    device: str
    time_ns: npt.NDArray[np.int64]
    alarm: npt.NDArray[np.bool_]
    p: Array
    values: Array
    expected: Array
    low: Array
    high: Array
    contributions: Array
    usual: Array
    kinds: npt.NDArray[np.str_] | None = None


def incidents_of(judged: Judged, schema: Schema, interval_s: float) -> list[Incident]:
    """Group one device's alarms, find where each began, what kind it is and what there is to say."""
    rows = np.flatnonzero(judged.alarm)
    if not len(rows):
        return []
    rest_ns = round(REST_ROWS * interval_s * 1e9)
    breaks = np.flatnonzero(np.diff(judged.time_ns[rows]) > rest_ns) + 1
    reach_ns = round(ONSET_ROWS * interval_s * 1e9)
    runs = np.split(rows, breaks)
    after = [0, *(int(run[-1]) + 1 for run in runs[:-1])]  # an onset does not reach into the incident before
    return [_incident(judged, run, schema, reach_ns, first) for run, first in zip(runs, after, strict=True)]


def fault(
    device: str,
    *,
    start_ns: int,
    end_ns: int,
    detected_ns: int,
    kind: Kind,
    cause: str,
    severity: float,
    readings: tuple[Reading, ...],
    detail: str,
) -> Incident:
    """An incident from the finding of a quality check; ``detail`` is the clause that says what was seen."""
    channels = [reading.channel for reading in readings]
    sentence = fault_sentence(device, start_ns, kind, cause=cause, channels=channels, detail=detail)
    key = _key(device, detected_ns)
    return Incident(key, (device,), start_ns, end_ns, detected_ns, kind, cause, severity, readings, sentence)


def fold(incidents: Sequence[Incident], interval_s: float, fleet: int) -> list[Incident]:
    """In order of onset: what overlaps on one device becomes one incident, and so does silence of many at once."""
    near_ns = round(REST_ROWS * interval_s * 1e9)

    def begins_ns(incident: Incident) -> int:
        # What a detector found begins with its alarm: the onset is only known afterwards, and a closed incident
        # must stay as it was.
        return incident.start_ns if incident.kind in SPECIFIC else incident.detected_ns

    folded: list[Incident] = []
    for incident in sorted(incidents, key=lambda i: (i.device, begins_ns(i), i.detected_ns)):
        last = folded[-1] if folded and folded[-1].device == incident.device else None
        if last is not None and begins_ns(incident) <= last.end_ns + near_ns:
            folded[-1] = _join(last, incident)
        elif last is not None and incident.start_ns <= last.end_ns:
            folded.append(replace(incident, start_ns=last.end_ns + 1))
        else:
            folded.append(incident)
    return sorted(
        _fold_silence(folded, round(OUTAGE_ROWS * interval_s * 1e9), fleet), key=lambda i: (i.start_ns, i.devices)
    )


def _fold_silence(incidents: list[Incident], together_ns: int, fleet: int) -> list[Incident]:
    silent = sorted((i for i in incidents if i.kind is Kind.SILENCE), key=lambda i: i.start_ns)
    others = [i for i in incidents if i.kind is not Kind.SILENCE]
    groups: list[list[Incident]] = []
    for incident in silent:
        if groups and incident.start_ns - groups[-1][0].start_ns <= together_ns:
            groups[-1].append(incident)
        else:
            groups.append([incident])
    for group in groups:
        if len(group) < OUTAGE_DEVICES:
            others.extend(group)
            continue
        devices = tuple(sorted(i.device for i in group))
        start = min(i.start_ns for i in group)
        others.append(
            replace(
                group[0],
                key=_key("outage", start),
                devices=devices,
                start_ns=start,
                end_ns=max(i.end_ns for i in group),
                detected_ns=sorted(i.detected_ns for i in group)[OUTAGE_DEVICES - 1],
                severity=min(100.0, max(i.severity for i in group) + 20.0 * len(group) / max(fleet, 1)),
                sentence=silence_of_many(devices, start, fleet),
            )
        )
    return others


def _join(first: Incident, second: Incident) -> Incident:
    naming = second if second.kind in SPECIFIC and first.kind not in SPECIFIC else first
    if first.kind in SPECIFIC and second.kind in SPECIFIC:
        naming = max(first, second, key=lambda i: i.end_ns - i.start_ns)
    earliest = min(first, second, key=lambda i: i.detected_ns)
    start = min(first.start_ns, second.start_ns)
    return replace(
        naming,
        key=earliest.key,
        start_ns=start,
        sentence=naming.sentence.replace(f"since {moment(naming.start_ns)}", f"since {moment(start)}", 1),
        end_ns=max(first.end_ns, second.end_ns),
        detected_ns=earliest.detected_ns,
        severity=max(first.severity, second.severity),
        readings=naming.readings or first.readings or second.readings,
    )


def _incident(judged: Judged, rows: npt.NDArray[np.intp], schema: Schema, reach_ns: int, after: int) -> Incident:
    first, last = int(rows[0]), int(rows[-1])
    onset = max(_onset(judged, first, reach_ns), after)
    weight = judged.contributions[rows].sum(axis=0)
    shares = weight / weight.sum() if weight.sum() > 0 else np.full(len(schema), 1.0 / len(schema))
    ranked = [int(j) for j in np.argsort(-shares, kind="stable")[:MOST_READINGS]]
    readings = tuple(_reading(judged, rows, j, schema, float(shares[j])) for j in ranked)
    span = slice(onset, last + 1)
    kind = _kind(judged, span, rows, ranked[0], readings[0])
    start, end = int(judged.time_ns[onset]), int(judged.time_ns[last])
    cause = "" if judged.kinds is None else _commonest(judged.kinds[rows])
    return Incident(
        key=_key(judged.device, int(judged.time_ns[first])),
        devices=(judged.device,),
        start_ns=start,
        end_ns=end,
        detected_ns=int(judged.time_ns[first]),
        kind=kind,
        cause=cause,
        severity=_severity(float(judged.p[rows].min()), len(rows)),
        readings=readings,
        sentence=anomaly_sentence(judged.device, start, kind, readings, cause),
    )


def _commonest(names: npt.NDArray[np.str_]) -> str:
    """The name of most rows, of equally many the first in the alphabet; empty where it only says that it is odd."""
    found, counts = np.unique(names, return_counts=True)
    best = str(found[counts.argmax()])
    return "" if best == ANOMALY else best


def _onset(judged: Judged, alarm: int, reach_ns: int) -> int:
    near = int(np.searchsorted(judged.time_ns, judged.time_ns[alarm] - reach_ns))  # a gap is no anomaly
    earliest = max(near, alarm - ONSET_ROWS)
    calm = np.flatnonzero(judged.p[earliest:alarm] >= ONSET_P)
    return earliest + int(calm[-1]) + 1 if len(calm) else earliest


def _reading(judged: Judged, rows: npt.NDArray[np.intp], j: int, schema: Schema, share: float) -> Reading:
    half = np.maximum((judged.high[rows, j] - judged.low[rows, j]) / 2.0, 1e-12)
    departure = np.abs(judged.values[rows, j] - judged.expected[rows, j]) / half
    known = np.isfinite(departure)
    worst = int(rows[np.argmax(np.where(known, departure, -1.0))])
    channel = schema.channels[j]
    seen, expected = float(judged.values[worst, j]), float(judged.expected[worst, j])
    low, high = float(judged.low[worst, j]), float(judged.high[worst, j])
    return Reading(channel.name, channel.unit, share, seen, expected, low, high)


def _kind(judged: Judged, span: slice, rows: npt.NDArray[np.intp], j: int, top: Reading) -> Kind:
    if NETWORK.search(top.channel):
        return Kind.NETWORK_ATTACK
    low, high = judged.usual[:, j]
    values = judged.values[span, j]
    values = values[np.isfinite(values)]
    inside = bool(len(values)) and float(np.mean((values >= low) & (values <= high))) > 0.9
    if len(rows) <= 2:
        return Kind.CONTEXTUAL if low <= top.seen <= high else Kind.POINT
    if len(values) >= LONG_ROWS and _trend(values) > TREND:
        return Kind.CONTINUOUS
    return Kind.CONTEXTUAL if inside and top.share > 0.6 else Kind.COLLECTIVE


def _trend(values: Array) -> float:
    distinct, place, count = np.unique(values, return_inverse=True, return_counts=True)
    if len(distinct) < 2:
        return 0.0
    ranks = (np.cumsum(count) - (count - 1) / 2.0)[place]  # equal values share their mean rank
    return abs(float(np.corrcoef(ranks, np.arange(len(ranks)))[0, 1]))


def _severity(p: float, rows: int) -> float:
    """0 to 100: up to 60 for how improbable (5 a decade), up to 40 for how long (13 a decade of rows)."""
    decades = min(-math.log10(max(p, 1e-12)), 12.0)
    return round(min(5.0 * decades, 60.0) + min(13.0 * math.log10(max(rows, 1)), 40.0), 1)


def _key(who: str, time_ns: int) -> str:
    return hashlib.blake2s(f"{who}|{time_ns}".encode(), digest_size=6).hexdigest()
