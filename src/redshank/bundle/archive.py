"""A fitted pipeline as one file: ``manifest.json`` and ``arrays.safetensors`` in a zip."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

import redshank
from redshank.calibrate import CALIBRATORS
from redshank.core import Calibrator, Detector, MissingExtraError, ModelError, NotFittedError, RedshankError, Schema
from redshank.detectors import DETECTORS
from redshank.features import Scaler
from redshank.pipeline import Pipeline
from redshank.quality import QualityChecks
from redshank.scoring import AS_IS, Scorer
from redshank.training import SAMPLINGS

FORMAT = 1
LARGEST_MEMBER = 2**28
"""Bytes a member may unpack to; a model of this project is far smaller."""
MEMBERS = ("manifest.json", "arrays.safetensors")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date a zip can hold, so that equal models are equal files

_UNREADABLE = (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What zipfile and json raise for bytes that are no zip, are damaged or encrypted, or are no JSON."""
_FOREIGN = (
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    SafetensorError,
)
"""What comes of settings and arrays that no model of this version has."""

Arrays = Mapping[str, npt.NDArray[np.generic]]


def save(pipeline: Pipeline, path: str | os.PathLike[str]) -> Path:
    """Write a fitted pipeline; the file appears whole or not at all.

    Raises
    ------
    NotFittedError
        If the pipeline is not fitted.
    SettingError
        If a part is not a registered class.
    """
    if not hasattr(pipeline, "quality_"):
        raise NotFittedError("save: the pipeline is not fitted yet; call fit first")
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    texts: dict[str, Any] = {}
    parts = {
        "scaler": pipeline.scorer_.scaler.state(),
        **{f"detector.{i}": detector.state() for i, detector in enumerate(pipeline.scorer_.detectors)},
        **{f"calibrator.{i}": calibrator.state() for i, calibrator in enumerate(pipeline.calibrators_)},
        "quality": pipeline.quality_.state(),
    }
    for part, state in parts.items():
        for name, value in state.items():
            if value.dtype.kind in "US":
                texts[f"{part}/{name}"] = value.astype(np.str_).tolist()
            else:
                arrays[f"{part}/{name}"] = np.array(value, order="C")
    packed = save_arrays(arrays)
    manifest = {
        "format": FORMAT,
        "redshank": redshank.__version__,
        "python": platform.python_version(),
        "schema": pipeline.schema_.to_dict(),
        "devices": list(pipeline.devices_),
        "pipeline": {
            "budget": pipeline.budget,
            "hold_back": pipeline.hold_back,
            "fill": pipeline.fill,
            "sampling": pipeline.sampling,
            "sampled": pipeline.scorer_.sampling,
            "step_s": [float(step) for step in pipeline.scorer_.step_s],
            "notes": list(pipeline.notes_),
            "gap_s": [float(gap) for gap in pipeline.scorer_.gap_s],
            "held_back_rate": pipeline.held_back_rate_,
            "seen": [bool(known) for known in pipeline.scorer_.seen],
            "own": [int(i) for i in pipeline.scorer_.own],
        },
        "detector": {
            "name": DETECTORS.name_of(type(pipeline.scorer_.detectors[0])),
            "settings": pipeline.scorer_.detectors[0].settings(),
            "count": len(pipeline.scorer_.detectors),
        },
        "calibrator": {
            "name": CALIBRATORS.name_of(type(pipeline.calibrators_[0])),
            "settings": pipeline.calibrators_[0].settings(),
            "count": len(pipeline.calibrators_),
        },
        "scaler": {"settings": pipeline.scorer_.scaler.settings()},
        "quality": {"settings": pipeline.quality_.settings()},
        "texts": texts,
        "sha256": {"arrays.safetensors": hashlib.sha256(packed).hexdigest()},
    }
    target = Path(path)
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in zip(MEMBERS, (json.dumps(manifest, indent=1).encode(), packed), strict=True):
                archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def load(path: str | os.PathLike[str]) -> Pipeline:
    """Read what :func:`save` wrote; it scores exactly as the pipeline that was saved.

    Raises
    ------
    ModelError
        If the file is missing, damaged, of another format, or not a model.
    MissingExtraError
        If the detector needs an extra that is not installed.
    """
    where = os.fspath(path)
    manifest, packed = _read(where)
    try:
        intact = hashlib.sha256(packed).hexdigest() == manifest["sha256"]["arrays.safetensors"]
        arrays: dict[str, npt.NDArray[np.generic]] = dict(load_arrays(packed)) if intact else {}
        arrays |= {name: np.array(texts, dtype=np.str_) for name, texts in manifest["texts"].items()}
        pipeline = _build(manifest, arrays) if intact else None
    except MissingExtraError:
        raise
    except RedshankError as error:
        raise ModelError(f"{where}: {error}") from error
    except _FOREIGN as error:
        why = " ".join(str(error).split())
        raise ModelError(f"{where}: not a model of this version ({type(error).__name__}: {why:.200})") from error
    if pipeline is None:
        raise ModelError(f"{where}: the arrays do not match the manifest; the file is damaged or was changed")
    return pipeline


def _read(where: str) -> tuple[dict[str, Any], bytes]:
    try:
        with zipfile.ZipFile(where) as archive:
            if sorted(archive.namelist()) != sorted(MEMBERS):
                raise ModelError(f"{where}: holds {archive.namelist()[:4]}; a model holds {list(MEMBERS)}")
            for info in archive.infolist():
                if info.file_size > LARGEST_MEMBER:
                    raise ModelError(f"{where}: {info.filename} would unpack to {info.file_size} bytes; refused")
            manifest = json.loads(archive.read(MEMBERS[0]))
            packed = archive.read(MEMBERS[1])
    except FileNotFoundError as error:
        raise ModelError(f"{where}: there is no such file") from error
    except _UNREADABLE as error:
        raise ModelError(f"{where}: cannot be read as a model ({error})") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ModelError(f"{where}: its format is not {FORMAT}, the one that Redshank {redshank.__version__} reads")
    return manifest, packed


def _build(manifest: dict[str, Any], arrays: Arrays) -> Pipeline:
    settings = manifest["pipeline"]
    make_detector: Callable[..., Detector] = DETECTORS.get(manifest["detector"]["name"])
    make_calibrator: Callable[..., Calibrator] = CALIBRATORS.get(manifest["calibrator"]["name"])
    of_detector, of_calibrator = _settings(manifest["detector"]), _settings(manifest["calibrator"])
    pipeline = Pipeline(
        make_detector(**of_detector),
        calibrator=make_calibrator(**of_calibrator),
        budget=settings["budget"],
        hold_back=settings["hold_back"],
        fill=settings["fill"],
        sampling=settings.get("sampling", AS_IS),  # a model of an earlier version has no such setting
    )
    pipeline.notes_ = tuple(settings.get("notes", ()))
    pipeline.schema_ = Schema.from_dict(manifest["schema"])
    pipeline.devices_ = tuple(manifest["devices"])
    pipeline.held_back_rate_ = settings["held_back_rate"]
    pipeline.scorer_ = Scorer(
        scaler=Scaler(**_settings(manifest["scaler"])).restore(_part(arrays, "scaler")),
        detectors=tuple(
            make_detector(**of_detector).restore(_part(arrays, f"detector.{i}"))
            for i in range(manifest["detector"]["count"])
        ),
        own=np.array(settings["own"], np.intp),
        gap_s=np.array(settings["gap_s"], np.float64),
        seen=np.array(settings["seen"], np.bool_),
        fill=settings["fill"],
        sampling=settings.get("sampled", AS_IS),
        step_s=np.array(settings.get("step_s", ()), np.float64),
    )
    pipeline.calibrators_ = tuple(
        make_calibrator(**of_calibrator).restore(_part(arrays, f"calibrator.{i}"))
        for i in range(manifest["calibrator"]["count"])
    )
    pipeline.quality_ = QualityChecks(**_settings(manifest["quality"])).restore(_part(arrays, "quality"))
    scorer, devices = pipeline.scorer_, len(pipeline.devices_)
    shapes = scorer.own.shape, scorer.gap_s.shape, scorer.seen.shape
    fits = shapes == ((devices,), (devices + 1,), (len(pipeline.schema_),))
    if not fits or not ((scorer.own >= 0) & (scorer.own < len(scorer.detectors))).all():
        raise ModelError("its devices and detectors do not fit together")
    if scorer.sampling not in SAMPLINGS or (scorer.sampling != AS_IS and scorer.step_s.shape != (devices + 1,)):
        raise ModelError(f"its rows are sampled {scorer.sampling!r}, of which this version knows too little")
    wanted = len(pipeline.schema_) + 1 if scorer.by_channel else 1
    if len(pipeline.calibrators_) != wanted:
        raise ModelError(f"holds {len(pipeline.calibrators_)} calibrators; its channels want {wanted}")
    return pipeline


def _part(arrays: Arrays, part: str) -> dict[str, npt.NDArray[np.generic]]:
    own = {name.removeprefix(f"{part}/"): value for name, value in arrays.items() if name.startswith(f"{part}/")}
    if not own:
        raise ModelError(f"holds no arrays of {part}")
    return own


def _settings(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in record["settings"].items()}
