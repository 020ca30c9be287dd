"""NSL-KDD: connection records of a military test network, with the name of each attack."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from redshank.core import Frame, InputError, Kind
from redshank.core.classifier import NORMAL
from redshank.data.content import content
from redshank.data.dataset import Dataset, labels_of
from redshank.data.sets.family import Family, stems

SERVICES = (
    "IRC X11 Z39_50 aol auth bgp courier csnet_ns ctf daytime discard domain domain_u echo eco_i ecr_i efs exec "
    "finger ftp ftp_data gopher harvest hostnames http http_2784 http_443 http_8001 imap4 iso_tsap klogin kshell "
    "ldap link login mtp name netbios_dgm netbios_ns netbios_ssn netstat nnsp nntp ntp_u other pm_dump pop_2 pop_3 "
    "printer private red_i remote_job rje shell smtp sql_net ssh sunrpc supdup systat telnet tftp_u tim_i time "
    "urh_i urp_i uucp uucp_path vmnet whois"
)
SYMBOLS = {
    "protocol_type": ("icmp", "tcp", "udp"),
    "service": tuple(SERVICES.split()),
    "flag": ("OTH", "REJ", "RSTO", "RSTOS0", "RSTR", "S0", "S1", "S2", "S3", "SF", "SH"),
}
"""What the symbolic fields may hold, as published for KDD Cup 1999, also where no row of a file holds it: the channels
are those of the publication and do not depend on the rows."""
FIELDS = 41
"""Columns that describe the connection; behind them stand the attack and a difficulty, which is no reading."""
NOTES = (
    "no time column: rows are connection records, no time series; they stand one second apart in the order of the file",
    "symbolic fields are one channel for each published value, 1 where it holds; the difficulty level is left out",
)

Floats = npt.NDArray[np.float32]


def _load(folder: Path, part: str) -> Dataset:
    """All records of one file; ``kinds`` name the attack with its family: ``"smurf (dos)"``.

    Raises
    ------
    InputError
        If a record has not 43 cells, or a cell holds what was not published.
    """
    path = folder / f"{part}.txt.gz"
    fields = [line[0] for line in _lines(folder / "Field Names.csv")]
    families = dict(_lines(folder / "Attack Types.csv"))
    records = _lines(path)
    if len(fields) != FIELDS or any(len(one) != FIELDS + 2 for one in records):
        raise InputError(f"{path}: its records, or the list of fields, are not those published; copy the set again")
    columns = list(zip(*records, strict=True))
    names: list[str] = []
    values: list[Floats] = []
    for field, cells in zip(fields, columns, strict=False):
        own, found = _channels(path, field, np.array(cells))
        names += own
        values.append(found)
    frame = Frame.of(np.column_stack(values), names=names, interval_s=1.0)
    kinds = _kinds(path, np.array(columns[FIELDS]), families)
    y = (kinds != NORMAL).astype(np.int8)
    labels = labels_of(frame, y, Kind.NETWORK_ATTACK, kinds=kinds)
    ledger = {"rows read": len(frame), "rows kept": len(frame), "missing cells": 0}
    return Dataset(f"nsl_kdd/{part}", frame, y, None, labels, NOTES, ledger, kinds=kinds)


def by_family(dataset: Dataset) -> Dataset:
    """The same records, each attack called by its family alone: dos, probe, r2l or u2r, as most papers do.

    Raises
    ------
    InputError
        If the attacks are not named with their families.
    """
    if dataset.kinds is None or dataset.y is None:
        raise InputError(f"{dataset.name}: names no attacks; by_family is for NSL-KDD as it was loaded")
    names, place = np.unique(dataset.kinds, return_inverse=True)
    kinds = np.array([name.partition(" (")[2].rstrip(")") or name for name in names.tolist()])[place]
    labels = labels_of(dataset.frame, dataset.y, Kind.NETWORK_ATTACK, kinds=kinds)
    return replace(dataset, kinds=kinds, labels=labels)


def _channels(path: Path, field: str, cells: npt.NDArray[np.str_]) -> tuple[list[str], Floats]:
    """Names and values of the channels of one field."""
    if field not in SYMBOLS:
        try:
            return [field], cells.astype(np.float64).astype(np.float32)[:, None]
        except ValueError as error:
            raise InputError(
                f"{path}: field {field!r} holds what is no number ({error}); copy the set again"
            ) from error
    known = SYMBOLS[field]
    strange = sorted(set(cells) - set(known))
    if strange:
        raise InputError(f"{path}: field {field!r} holds {strange[0]!r}, which was not published; copy the set again")
    return [f"{field}={value}" for value in known], (cells[:, None] == np.array(known)).astype(np.float32)


def _kinds(path: Path, attacks: npt.NDArray[np.str_], families: dict[str, str]) -> npt.NDArray[np.str_]:
    """``"normal"``, or the attack with its family behind it."""
    found, place = np.unique(attacks, return_inverse=True)
    strange = sorted(set(found) - set(families))
    if strange:
        raise InputError(f"{path}: attack {strange[0]!r} is not in the list of attack types; copy the set again")
    return np.array([one if one == NORMAL else f"{one} ({families[one]})" for one in found])[place]


def _lines(path: Path) -> list[list[str]]:
    """Cells by line; lines may end in CR alone."""
    text = content(path).decode("ascii", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    return [line for line in csv.reader(io.StringIO(text)) if line]


NSL_KDD = Family(
    "nsl_kdd",
    "the Canadian Institute for Cybersecurity (mirror: GitHub defcom17/NSL_KDD)",
    lambda folder: stems(folder, "KDD*.txt.gz"),
    _load,
)
