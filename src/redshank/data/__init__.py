"""Data in: files and tables, public data sets by name, splits by time, the leakage audit."""

from redshank.data.audit import Finding, audit
from redshank.data.dataset import Dataset, Source, labels_of, runs
from redshank.data.reading import from_table, read
from redshank.data.sets.catalogue import load, names
from redshank.data.split import split_time

__all__ = [
    "Dataset",
    "Finding",
    "Source",
    "audit",
    "from_table",
    "labels_of",
    "load",
    "names",
    "read",
    "runs",
    "split_time",
]
