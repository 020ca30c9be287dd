"""Anomaly detection for fleets of IoT devices: readings in, few explained alarms out.

The names below are imported when first used, so that a small install never loads what it lacks.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from redshank.bundle import load as load_model
    from redshank.bundle import save as save_model
    from redshank.core import Channel, Classifier, Detector, Frame, Incident, Kind, Label, Schema, Scores
    from redshank.data import load, read, split_time
    from redshank.pipeline import Analysis, Pipeline
    from redshank.simulate import simulate

_PLACES = {
    "Analysis": ("redshank.pipeline", "Analysis"),
    "Channel": ("redshank.core", "Channel"),
    "Classifier": ("redshank.core", "Classifier"),
    "Detector": ("redshank.core", "Detector"),
    "Frame": ("redshank.core", "Frame"),
    "Incident": ("redshank.core", "Incident"),
    "Kind": ("redshank.core", "Kind"),
    "Label": ("redshank.core", "Label"),
    "Pipeline": ("redshank.pipeline", "Pipeline"),
    "Schema": ("redshank.core", "Schema"),
    "Scores": ("redshank.core", "Scores"),
    "load": ("redshank.data", "load"),
    "load_model": ("redshank.bundle", "load"),
    "read": ("redshank.data", "read"),
    "save_model": ("redshank.bundle", "save"),
    "simulate": ("redshank.simulate", "simulate"),
    "split_time": ("redshank.data", "split_time"),
}

__all__ = [
    "Analysis",
    "Channel",
    "Classifier",
    "Detector",
    "Frame",
    "Incident",
    "Kind",
    "Label",
    "Pipeline",
    "Schema",
    "Scores",
    "load",
    "load_model",
    "read",
    "save_model",
    "simulate",
    "split_time",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'redshank' has no attribute {name!r}")
    module, attribute = _PLACES[name]
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
