"""Alarms to incidents: grouping, kind, severity and the sentence that a person reads."""

from redshank.incidents.grouping import REST_ROWS, Judged, fault, fold, incidents_of
from redshank.incidents.sentence import duration, moment, number

__all__ = ["REST_ROWS", "Judged", "duration", "fault", "fold", "incidents_of", "moment", "number"]
