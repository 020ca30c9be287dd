"""How good it is: events found, delay, false alarms, and the report."""

from redshank.evaluate.events import EventReport, compare
from redshank.evaluate.points import point_measures

__all__ = ["EventReport", "compare", "point_measures"]
