"""How good it is: metrics, protocols, records of runs, and the tables and reports made from them."""

from redshank.evaluate.events import EventReport, compare
from redshank.evaluate.protocols import PROTOCOLS, Split
from redshank.evaluate.run import evaluate_model, evaluate_run

__all__ = ["PROTOCOLS", "EventReport", "Split", "compare", "evaluate_model", "evaluate_run"]
