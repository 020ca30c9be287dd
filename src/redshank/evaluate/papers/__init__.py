"""The comparisons that the papers behind the detectors print, made again on real data."""

from redshank.evaluate.papers.cases import CASES, Case
from redshank.evaluate.papers.comparisons import COMPARISONS, Comparison, Entrant
from redshank.evaluate.papers.run import papers_run
from redshank.evaluate.papers.tables import confusion_tables, papers_tables

__all__ = [
    "CASES",
    "COMPARISONS",
    "Case",
    "Comparison",
    "Entrant",
    "confusion_tables",
    "papers_run",
    "papers_tables",
]
