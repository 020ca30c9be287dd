"""Silence and sensor faults, told apart from anomalies of the process: pure, vectorised over devices, NumPy only."""

from redshank.quality.checks import QualityChecks
from redshank.quality.finding import Finding

__all__ = ["Finding", "QualityChecks"]
