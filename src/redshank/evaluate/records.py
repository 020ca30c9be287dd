"""Results as plain records, one JSON object a line: what was run, on what, with what, and what came of it."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

import redshank
from redshank.calibrate import CALIBRATORS
from redshank.core import Frame, Incident, InputError
from redshank.pipeline import Pipeline
from redshank.scoring import AS_IS

Record = dict[str, Any]

SCHEMA = 1
"""Version of the form of a record; a reader refuses any other."""
SECTIONS = (
    "data",
    "split",
    "audit",
    "detector",
    "labelled",
    "baseline",
    "seed",
    "settings",
    "model",
    "measures",
    "oracle",
    "series",
    "confusion",
    "classes",
    "curves",
    "events",
    "incidents",
    "calibration",
    "load",
    "traces",
    "drift",
    "seconds",
    "peak_mib",
)
"""What a record of a run holds beside its form, its kind and its :func:`environment`."""
MEASURED = ("measures", "oracle")
"""Mappings whose nulls were NaN: a measure that is not defined."""
LIBRARIES = ("numpy", "scipy", "numba", "polars", "pyarrow", "pywavelets", "scikit-learn", "torch")
HEX_DIGITS = 16
"""Length of a fingerprint: 64 bits, enough to tell any two data sets or models of a plant apart."""
GIT_SECONDS = 10.0
"""Longest wait for git, which may sit on a slow disk."""


def new_run(*, command: str | None = None, **sections: object) -> Record:
    """A complete record of one run: the sections given, and the environment of this process.

    Parameters
    ----------
    command : str, optional
        As for :func:`environment`.
    **sections
        Every name of :data:`SECTIONS`, and no other.

    Raises
    ------
    InputError
        If a section is missing or unknown.
    """
    missing = [name for name in SECTIONS if name not in sections]
    unknown = [name for name in sections if name not in SECTIONS]
    if missing or unknown:
        what = f"lacks {', '.join(missing)}" if missing else f"does not know {', '.join(unknown)}"
        raise InputError(f"new_run: the record {what}; give every section of SECTIONS and no other")
    return {"schema": SCHEMA, "kind": "run", **sections, **environment(command)}


def append(path: Path | str, record: Mapping[str, object]) -> None:
    """Add one record to a file of them; the file is made where there is none.

    The line goes out in one write, so records of several processes do not mix. NaN and infinities become null. A last
    line that an earlier run left unfinished is closed first, and :func:`read` names it.

    Raises
    ------
    InputError
        If the record has no ``schema`` of this version.
    OSError
        If the file cannot be written.
    """
    if record.get("schema") != SCHEMA:
        raise InputError(f"{path}: the record has schema {record.get('schema')!r}; this version writes {SCHEMA}")
    line = json.dumps(plain(record), ensure_ascii=False, allow_nan=False).encode() + b"\n"
    with Path(path).open("a+b", buffering=0) as stream:
        if stream.seek(0, os.SEEK_END):
            stream.seek(-1, os.SEEK_END)
            if stream.read(1) != b"\n":
                line = b"\n" + line
        if stream.write(line) != len(line):
            raise OSError(errno.ENOSPC, "only a part of the record was written", str(path))


def read(path: Path | str) -> list[Record]:
    """All records of a file, in its order; empty lines are passed over.

    Measures that are null become NaN again; elsewhere null stays None.

    Raises
    ------
    InputError
        If the file cannot be read, a line is no whole record, or its schema is another; the text names the line.
    """
    try:
        lines = Path(path).read_bytes().split(b"\n")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    return [_record(f"{path}: line {number}", line) for number, line in enumerate(lines, 1) if line.strip()]


def environment(command: str | None = None) -> Record:
    """What a run depends on beside data and settings: ``versions``, ``git``, ``machine``, ``command`` and ``date``.

    Parameters
    ----------
    command : str, optional
        The command that made the record; else that of this process, with paths outside the working folder cut to
        their last part.

    Returns
    -------
    dict
        ``git`` is empty where the package does not lie in a checkout of its own, or git is not installed. No entry
        names a person, a host or a path of the machine.
    """
    versions = {"redshank": redshank.__version__, "python": platform.python_version()}
    return {
        "versions": versions | {library: _version(library) for library in LIBRARIES},
        "git": _git_state(),
        "machine": machine(),
        "command": command_line() if command is None else command,
        "date": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }


def machine() -> dict[str, str | int | float | None]:
    """Processor model, cores that this process may use, memory in GiB (None where unknown) and system."""
    try:
        memory = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, ValueError, OSError):  # no such call, or no such name, on this system
        memory = None
    return {
        "cpu": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": memory,
        "system": f"{platform.system()} {platform.machine()}",
    }


def command_line() -> str:
    """The command of this process as one would type it in the working folder."""
    program = Path(sys.argv[0])
    if program.name == "__main__.py":
        words = ["python", "-m", program.parent.name]
    elif program.suffix == ".py":
        words = ["python", _shown(sys.argv[0])]
    else:
        words = [program.name or "python"]
    return " ".join([*words, *map(_shown, sys.argv[1:])])


def peak_mib() -> float:
    """Most memory that this process has held so far, in MiB; NaN where the system does not say."""
    if sys.platform == "win32":
        return math.nan
    import resource  # noqa: PLC0415 - is not there on Windows

    unit = 2**20 if sys.platform == "darwin" else 2**10
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1)


def fingerprint(frame: Frame) -> str:
    """Sixteen hexadecimal digits that change with any value, time, channel name or device of ``frame``."""
    digest = hashlib.sha256(json.dumps([frame.schema.names, frame.devices]).encode())
    digest.update(np.where(np.isnan(frame.values), np.float32(np.nan), frame.values).astype("<f4").tobytes())
    digest.update(frame.time_ns.astype("<i8").tobytes())
    digest.update(frame.device.astype("<i4").tobytes())
    return digest.hexdigest()[:HEX_DIGITS]


def model_fingerprint(pipeline: Pipeline) -> str:
    """Sixteen hexadecimal digits of everything that a pipeline learned: equal only if it judges all rows alike.

    Raises
    ------
    NotFittedError
        Before ``fit``.
    """
    scorer = pipeline.scorer_
    digest = hashlib.sha256(json.dumps([pipeline.schema_.to_dict(), pipeline.devices_]).encode())
    plan = {"gap_s": scorer.gap_s, "own": scorer.own, "seen": scorer.seen}
    if scorer.sampling != AS_IS:
        plan |= {"sampling": np.array(scorer.sampling), "step_s": scorer.step_s}
    learned = (scorer.scaler, *scorer.detectors, *pipeline.calibrators_, pipeline.quality_)
    for state in (plan, *(one.state() for one in learned)):
        for name, value in sorted(state.items()):
            digest.update(f"{name} {value.dtype.str} {value.shape}".encode())
            digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()[:HEX_DIGITS]


def pipeline_settings(pipeline: Pipeline) -> Record:
    """Every setting of a fitted pipeline by name, those of its detector and calibrator behind a dot."""
    detector, calibrator = pipeline.scorer_.detectors[0], pipeline.calibrators_[0]
    return {
        **{f"detector.{name}": value for name, value in detector.settings().items()},
        "calibrator": CALIBRATORS.name_of(type(calibrator)),
        **{f"calibrator.{name}": value for name, value in calibrator.settings().items()},
        "budget": pipeline.budget,
        **({} if detector.tags.cheap else {"hold_back": pipeline.hold_back}),
        "fill": pipeline.fill,
        **({} if pipeline.sampling == AS_IS else {"sampling": pipeline.sampling}),
    }


def incident_record(incident: Incident) -> Record:
    """An incident as plain values; expected values may be NaN."""
    return {
        "key": incident.key,
        "device": incident.device,
        "devices": list(incident.devices),
        "start": iso(incident.start_ns),
        "end": iso(incident.end_ns),
        "detected": iso(incident.detected_ns),
        "kind": str(incident.kind),
        "cause": incident.cause,
        "severity": incident.severity,
        "channels": [reading.channel for reading in incident.readings],
        "shares": [round(reading.share, 4) for reading in incident.readings],
        "expected": {
            reading.channel: {"value": reading.expected, "low": reading.low, "high": reading.high}
            for reading in incident.readings
        },
        "seen": {reading.channel: reading.seen for reading in incident.readings},
        "sentence": incident.sentence,
        "state": str(incident.state),
    }


def iso(time_ns: int) -> str:
    """ISO 8601 in UTC, to the millisecond."""
    seconds, rest = divmod(int(time_ns), 1_000_000_000)
    text = datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest // 1_000_000:03d}Z" if rest else f"{text}Z"


def plain(value: object) -> object:
    """The same as values that JSON knows: arrays become lists, NaN and infinities None."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _record(where: str, line: bytes) -> Record:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise InputError(f"{where} is not a whole record: it was cut short or changed; remove it ({error})") from error
    if not isinstance(found, dict) or "schema" not in found:
        raise InputError(f"{where} is not a record of this package; wanted an object with 'schema'")
    if found["schema"] != SCHEMA:
        raise InputError(f"{where} has schema {found['schema']!r}; Redshank {redshank.__version__} reads {SCHEMA}")
    for holder in (found, *(one for one in found.get("series") or () if isinstance(one, dict))):
        for name in MEASURED:
            if isinstance(holder.get(name), dict):
                holder[name] = {key: math.nan if one is None else one for key, one in holder[name].items()}
    return found


def _shown(word: str) -> str:
    """An argument without the folders of this machine, quoted where it holds a blank."""
    option, sign, value = word.partition("=") if word.startswith("-") else ("", "", word)
    path = Path(value).expanduser() if value.startswith("~") else Path(value)
    if path.is_absolute() or ".." in path.parts:
        inside = path.is_relative_to(Path.cwd())
        value = str(path.relative_to(Path.cwd())) if inside else path.name
    value = f"'{value}'" if " " in value else value
    return f"{option}{sign}{value}"


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def _git_state() -> str:
    """Commit that the package was run from, with ``-dirty`` behind it where files were changed."""
    git, home = shutil.which("git"), Path(redshank.__file__).parent
    if git is None:
        return ""
    try:
        # An installed package may lie inside the checkout of something else: then its own files are not tracked.
        for words in (
            ("ls-files", "--error-unmatch", "__init__.py"),
            ("describe", "--always", "--dirty", "--abbrev=12"),
        ):
            done = subprocess.run(  # noqa: S603 - fixed words
                [git, *words], capture_output=True, text=True, check=True, cwd=home, timeout=GIT_SECONDS
            )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def _processor() -> str:
    try:
        listed = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        listed = []
    models = (line.split(":", 1)[1].strip() for line in listed if line.startswith("model name"))
    return next(models, platform.processor())
