"""Ground floor: the contracts that every other room builds on. Imports NumPy and nothing else."""

from redshank.core.classifier import Classifier
from redshank.core.contracts import Calibrated, Calibrator, Transform
from redshank.core.detector import LAST_SEED, Band, Detector, Tags, check_range, check_whole
from redshank.core.errors import (
    ContractError,
    InputError,
    MissingExtraError,
    ModelError,
    NotFittedError,
    RedshankError,
    SettingError,
)
from redshank.core.frame import LARGEST, Frame, concatenate
from redshank.core.incident import Incident, Kind, Label, Reading, State, label_rows
from redshank.core.registry import Entry, Registry
from redshank.core.schema import Channel, Schema
from redshank.core.scores import Scores

__all__ = [
    "LARGEST",
    "LAST_SEED",
    "Band",
    "Calibrated",
    "Calibrator",
    "Channel",
    "Classifier",
    "ContractError",
    "Detector",
    "Entry",
    "Frame",
    "Incident",
    "InputError",
    "Kind",
    "Label",
    "MissingExtraError",
    "ModelError",
    "NotFittedError",
    "Reading",
    "RedshankError",
    "Registry",
    "Schema",
    "Scores",
    "SettingError",
    "State",
    "Tags",
    "Transform",
    "check_range",
    "check_whole",
    "concatenate",
    "label_rows",
]
