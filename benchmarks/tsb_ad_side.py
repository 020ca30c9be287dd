"""The side of the fence that has TSB-AD: ``python tsb_ad_side.py TASK FILE`` prints one JSON object.

Runs in that environment (see ``tsb_ad_peer.py``), calls the package's metrics as they are installed, and needs nothing
of ours but the clock.
"""

from __future__ import annotations

import json
import sys
import warnings
from importlib import metadata
from pathlib import Path

import numpy as np
from TSB_AD.evaluation.affiliation.generics import convert_vector_to_events
from TSB_AD.evaluation.affiliation.metrics import pr_from_events
from TSB_AD.evaluation.basic_metrics import basic_metricor, generate_curve
from TSB_AD.evaluation.metrics import get_metrics
from tsb_ad_peer import timed


def _versions(_: Path) -> dict:
    return {name: metadata.version(name) for name in ("TSB-AD", "numpy", "scikit-learn")} | {
        "python": sys.version.split()[0]
    }


def _values(path: Path) -> dict:
    """Every measure of one series, by the functions that ``get_metrics`` calls; NaN as null.

    ``padded`` is the same with one normal, silent row put on either end, with the lowest score. By definition none of
    these measures may notice it; where TSB-AD does, its code treats the ends of a series in a way of its own.
    """

    def counted(labels, scores, alarm):
        return {
            "point-adjusted F1": grader.metric_PointF1PA(labels, scores, preds=alarm),
            "event F1": grader.metric_EventF1PA(labels, scores, preds=alarm),
            "range F1": grader.metric_RF1(labels, scores, preds=alarm),
        }

    series = np.load(path)
    scores, labels, alarm = series["scores"], series["labels"], series["alarm"]
    grader = basic_metricor()
    found = {"oracle": {}, "fixed": {}, "padded": {}}
    *_, vus_roc, vus_pr = generate_curve(labels, scores, int(series["window"]), "opt", 250)
    found["free"] = {
        "VUS-PR": vus_pr,
        "VUS-ROC": vus_roc,
        "AUC-ROC": grader.metric_ROC(labels, scores),
        "AUC-PR": grader.metric_PR(labels, scores),
    }
    ends = [(1, 1)]
    pad = {"labels": np.pad(labels, *ends), "scores": np.pad(scores, *ends, constant_values=scores.min())}
    for name, preds in (("oracle", None), ("fixed", alarm)):
        found[name] = {
            "F1": grader.metric_PointF1(labels, scores, preds=preds),
            "affiliation F1": grader.metric_Affiliation(labels, scores, preds=preds),
            **counted(labels, scores, preds),
        }
        found["padded"][name] = counted(**pad, alarm=None if preds is None else np.pad(preds, *ends))
    near = pr_from_events(convert_vector_to_events(alarm), convert_vector_to_events(labels), (0, len(alarm)))
    found["fixed"]["affiliation precision"] = near["Affiliation_Precision"]
    found["fixed"]["affiliation recall"] = near["Affiliation_Recall"]
    return found


def _timed(what: str):
    def task(path: Path) -> dict:
        series = np.load(path)
        scores, labels, alarm, window = (series[name] for name in ("scores", "labels", "alarm", "window"))
        work = {
            "VUS": lambda: generate_curve(labels, scores, int(window), "opt", 250),
            "affiliation": lambda: basic_metricor().metric_Affiliation(labels, scores, preds=alarm),
            "all": lambda: get_metrics(scores, labels, slidingWindow=int(window)),
        }
        return timed(work[what])

    return task


TASKS = {"versions": _versions, "values": _values} | {
    f"time {what}": _timed(what) for what in ("VUS", "affiliation", "all")
}


def _plain(value):
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return value if isinstance(value, str) else None if value != value else float(value)  # noqa: PLR0124 - NaN


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # scikit-learn warns of thresholds without alarms, of which each sweep has one
    print(json.dumps(_plain(TASKS[sys.argv[1]](Path(sys.argv[2])))))
