"""Public data sets by name."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from redshank.core import InputError
from redshank.data.dataset import Dataset
from redshank.data.sets.family import Family
from redshank.data.sets.nab import NAB
from redshank.data.sets.nsl_kdd import NSL_KDD
from redshank.data.sets.servers import ASD, SMD
from redshank.data.sets.skab import SKAB
from redshank.data.sets.smap_msl import SMAP_MSL
from redshank.data.sets.tables import BATADAL, CMAPSS, GECCO, OCCUPANCY, WELLS
from redshank.data.sets.ucr import UCR

FAMILIES = {
    family.name: family
    for family in (NAB, SKAB, SMD, ASD, SMAP_MSL, UCR, GECCO, OCCUPANCY, BATADAL, WELLS, CMAPSS, NSL_KDD)
}
"""A new family is one file and one name here."""

VARIABLE = "REDSHANK_DATA"
DEFAULT_ROOT = Path("../shared/data")


def load(name: str, root: str | Path | None = None) -> Dataset:
    """A public data set.

    Parameters
    ----------
    name : str
        ``family/part``, one of :func:`names`: ``"nab/realKnownCause/machine_temperature_system_failure"``,
        ``"skab/valve1/0"``, ``"smd/machine-1-6"``, ``"asd/omi-1"``, ``"smap_msl/SMAP/P-1"``, ``"ucr/113"``,
        ``"gecco2018"``, ``"occupancy/datatraining"``, ``"batadal"``, ``"oil_wells_3w/0/WELL-..."``,
        ``"cmapss/train_FD001"``, ``"nsl_kdd/KDDTrain+_20Percent"``.
    root : str or Path, optional
        Folder of the data sets; else the environment's ``REDSHANK_DATA``, else ``../shared/data``.

    Raises
    ------
    InputError
        If there is no such set, or it does not lie under ``root``; the text says where the original is published.
    """
    head, _, part = name.strip("/").partition("/")
    family = FAMILIES.get(head)
    if family is None:
        near = difflib.get_close_matches(head, FAMILIES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(FAMILIES)}"
        raise InputError(f"no data set is called {name!r}; {hint}")
    folder = _root(root) / family.name
    if not folder.is_dir():
        raise InputError(_missing(name, folder, family))
    there = family.parts(folder)
    if part not in there and not (family is UCR and part.isdecimal()):
        near = difflib.get_close_matches(part, there, n=1)
        hint = f"; did you mean {family.name}/{near[0]}?" if near else ""
        raise InputError(_missing(name, folder / part, family) + hint)
    return family.load(folder, part)


def names(root: str | Path | None = None) -> list[str]:
    """Names of all data sets under ``root`` that :func:`load` takes, family by family."""
    base = _root(root)
    return [
        f"{family.name}/{part}".rstrip("/")
        for family in FAMILIES.values()
        if (base / family.name).is_dir()
        for part in family.parts(base / family.name)
    ]


def _root(root: str | Path | None) -> Path:
    return Path(root or os.environ.get(VARIABLE) or DEFAULT_ROOT).expanduser()


def _missing(name: str, place: Path, family: Family) -> str:
    return (
        f"data set {name!r} is not at {place}; it is published at {family.published}: "
        f"put a copy there, or name another folder (--data-root, {VARIABLE})"
    )
