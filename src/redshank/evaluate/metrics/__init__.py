"""How good a detector is: pure functions of scores, alarms, labels and times."""

from redshank.evaluate.metrics.affiliation import Affiliation, affiliation
from redshank.evaluate.metrics.calibration import AlarmRate, AlarmRates, Reliability, alarm_rates, reliability
from redshank.evaluate.metrics.classes import ClassReport, class_auc, class_report
from redshank.evaluate.metrics.events import (
    PointAdjusted,
    detection_delays,
    event_f1,
    event_precision,
    event_recall,
    false_events,
    false_events_per_device_week,
    point_adjusted_f1,
)
from redshank.evaluate.metrics.load import AlarmLoad, alarm_load
from redshank.evaluate.metrics.nab import (
    PROFILES,
    NabHalves,
    NabScore,
    ProfileScore,
    nab_floor,
    nab_score,
    nab_score_halves,
)
from redshank.evaluate.metrics.points import (
    Confusion,
    Curve,
    Oracle,
    confusion,
    oracle_f1,
    pr_auc,
    pr_curve,
    roc_auc,
    roc_curve,
)
from redshank.evaluate.metrics.ranges import range_f1, range_precision, range_recall
from redshank.evaluate.metrics.summary import Measures, measure
from redshank.evaluate.metrics.volume import RangeAUC, Volume, range_auc, vus, vus_pr, vus_roc

__all__ = [
    "PROFILES",
    "Affiliation",
    "AlarmLoad",
    "AlarmRate",
    "AlarmRates",
    "ClassReport",
    "Confusion",
    "Curve",
    "Measures",
    "NabHalves",
    "NabScore",
    "Oracle",
    "PointAdjusted",
    "ProfileScore",
    "RangeAUC",
    "Reliability",
    "Volume",
    "affiliation",
    "alarm_load",
    "alarm_rates",
    "class_auc",
    "class_report",
    "confusion",
    "detection_delays",
    "event_f1",
    "event_precision",
    "event_recall",
    "false_events",
    "false_events_per_device_week",
    "measure",
    "nab_floor",
    "nab_score",
    "nab_score_halves",
    "oracle_f1",
    "point_adjusted_f1",
    "pr_auc",
    "pr_curve",
    "range_auc",
    "range_f1",
    "range_precision",
    "range_recall",
    "reliability",
    "roc_auc",
    "roc_curve",
    "vus",
    "vus_pr",
    "vus_roc",
]
