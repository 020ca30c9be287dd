"""Write a simulation as CSV or Parquet, with a manifest beside it."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from redshank import __version__
from redshank.core import InputError, Label, MissingExtraError
from redshank.simulate.radio import Fate
from redshank.simulate.simulation import NEVER_NS, Simulation

if TYPE_CHECKING:
    import polars as pl

FORMAT: Final = "redshank simulation 1"
"""Value of ``format`` in the manifest."""

_ISO = "%Y-%m-%dT%H:%M:%S%.3fZ"
_CSV_ROWS = 200_000  # rows turned into text at a time


def write(simulation: Simulation, path: str | os.PathLike[str], *, every: bool = False) -> Path:
    """Write readings to ``path`` and a manifest to ``NAME.manifest.json`` beside it; returns the manifest's path.

    Columns are ``time`` (UTC, milliseconds), ``device``, the channels, ``fate`` and ``label`` (the kind of anomaly
    that the row belongs to, or nothing). Each file appears whole or not at all, and the same simulation gives the
    same bytes with the same library versions.

    Parameters
    ----------
    simulation : Simulation
    path : path
        Ends in ``.csv``, ``.csv.gz`` or ``.parquet``.
    every : bool, default=False
        Write each transmission, lost ones and duplicates too, in order of sending, with the further columns
        ``sequence``, ``arrival`` (nothing where it never came), ``snr`` and ``attempts``; otherwise the rows that
        the gateway holds.

    Raises
    ------
    InputError
        If the ending is another one or the folder does not exist.
    MissingExtraError
        If polars is not installed.
    """
    target = Path(path)
    save = next((save for ending, save in _FORMATS.items() if target.name.lower().endswith(ending)), None)
    if save is None:
        raise InputError(f"write: {target.name!r} ends in none of {', '.join(_FORMATS)}; choose one of them")
    if not target.parent.is_dir():
        raise InputError(f"write: folder {str(target.parent)!r} does not exist; make it first")
    table = _table(simulation, every=every)
    _whole(target, lambda part: save(table, part))
    manifest = _manifest(simulation, target, rows=table.height, every=every)
    beside = target.with_name(target.name + ".manifest.json")
    text = json.dumps(manifest, indent=1, allow_nan=False) + "\n"
    _whole(beside, lambda part: _write_text(part, text))
    return beside


def _whole(target: Path, save: Callable[[Path], None]) -> None:
    """Let ``save`` fill a file of another name, then give it its own: no reader ever sees half of it."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        save(part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _write_text(part: Path, text: str) -> None:
    part.write_text(text, encoding="utf-8")


def _table(simulation: Simulation, *, every: bool) -> pl.DataFrame:
    try:
        import polars as pl  # noqa: PLC0415  (extra)
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "writing a simulation needs polars, which is not installed; install it with: pip install 'redshank[train]'"
        ) from error
    frame, sent = simulation.frame, simulation.sent
    if every:
        # A copy follows the reading that it repeats.
        entries = np.lexsort((np.arange(len(sent)), sent.sequence, sent.device))
        values = simulation.values_of(entries)
    else:
        entries, values = simulation.order, frame.values
    device, event_ns = sent.device[entries], sent.event_ns[entries]
    columns = {
        "time": pl.Series(event_ns // 1_000_000).cast(pl.Datetime("ms", "UTC")),
        "device": _named(frame.devices, device),
    }
    columns |= {name: pl.Series(values[:, j]) for j, name in enumerate(frame.schema.names)}
    if every:
        arrival = pl.Series(sent.arrival_ns[entries] // 1_000_000)
        never = pl.Series(sent.arrival_ns[entries] == NEVER_NS)
        columns |= {
            "sequence": pl.Series(sent.sequence[entries]),
            "arrival": arrival.set(never, None).cast(pl.Datetime("ms", "UTC")),
            "snr": pl.Series(np.round(sent.snr_db[entries], 1)).fill_nan(None),
            "attempts": pl.Series(sent.attempts[entries]),
        }
    columns["fate"] = _named([fate.name.lower() for fate in Fate], sent.fate[entries])
    kinds, codes = _kinds((*simulation.labels, *simulation.unseen), frame.devices, device, event_ns)
    columns["label"] = _named([None, *kinds], codes)
    return pl.DataFrame(columns)


def _named(names: Sequence[str | None], codes: npt.NDArray[np.integer]) -> pl.Series:
    import polars as pl  # noqa: PLC0415  (extra)

    return pl.Series(names, dtype=pl.String).gather(pl.Series(codes.astype(np.int64)))


def _kinds(
    labels: tuple[Label, ...],
    devices: tuple[str, ...],
    device: npt.NDArray[np.int32],
    event_ns: npt.NDArray[np.int64],
) -> tuple[list[str], npt.NDArray[np.int8]]:
    """Names of the kinds that occur, and for each row 0 or 1 + the number of the kind it is labelled with."""
    kinds = sorted({str(label.kind) for label in labels})
    codes = np.zeros(len(device), np.int8)
    order = np.lexsort((event_ns, device))
    bounds = np.searchsorted(device[order], np.arange(len(devices) + 1))
    number = {name: i for i, name in enumerate(devices)}
    for label in labels:
        own = order[bounds[number[label.device]] : bounds[number[label.device] + 1]]
        first, last = np.searchsorted(event_ns[own], (label.start_ns, label.end_ns + 1))
        codes[own[first:last]] = 1 + kinds.index(str(label.kind))
    return kinds, codes


def _as_text(table: pl.DataFrame) -> pl.DataFrame:
    import polars as pl  # noqa: PLC0415  (extra)

    return table.with_columns(pl.col(pl.Datetime).dt.to_string(_ISO))


def _save_csv(table: pl.DataFrame, part: Path) -> None:
    _as_text(table).write_csv(part)


def _save_gzip(table: pl.DataFrame, part: Path) -> None:
    # No name and no time in the header: the same rows give the same bytes.
    with part.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as packed:
        for start in range(0, max(table.height, 1), _CSV_ROWS):
            text = _as_text(table.slice(start, _CSV_ROWS)).write_csv(include_header=start == 0)
            packed.write(text.encode())


def _save_parquet(table: pl.DataFrame, part: Path) -> None:
    table.write_parquet(part, compression="zstd", statistics=True)


_FORMATS: Final[dict[str, Callable[[pl.DataFrame, Path], None]]] = {
    ".csv": _save_csv,
    ".csv.gz": _save_gzip,
    ".parquet": _save_parquet,
}


def _manifest(simulation: Simulation, target: Path, *, rows: int, every: bool) -> dict[str, object]:
    settings = dataclasses.asdict(simulation.settings)
    with target.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "format": FORMAT,
        "version": __version__,
        "file": target.name,
        "sha256": digest,
        "bytes": target.stat().st_size,
        "rows": rows,
        "every_transmission": every,
        "settings": settings,
        "schema": simulation.frame.schema.to_dict(),
        "devices": list(simulation.frame.devices),
        "fates": simulation.fates(),
        "labels": [_record(label) for label in simulation.labels],
        "unseen": [_record(label) for label in simulation.unseen],
    }


def _record(label: Label) -> dict[str, object]:
    return dataclasses.asdict(label) | {"kind": str(label.kind), "channels": list(label.channels)}
