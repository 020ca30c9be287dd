"""Better settings for a detector, searched by grid or by Optuna, and judged on rows that the search never saw."""

from redshank.evaluate.tuning.defaults import default_space
from redshank.evaluate.tuning.log import Trial
from redshank.evaluate.tuning.result import Tuning
from redshank.evaluate.tuning.search import tune
from redshank.evaluate.tuning.sensitivity import Sensitivity
from redshank.evaluate.tuning.space import Choice, Span

__all__ = ["Choice", "Sensitivity", "Span", "Trial", "Tuning", "default_space", "tune"]
