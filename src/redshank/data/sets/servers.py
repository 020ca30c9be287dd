"""SMD and ASD: servers, with published training rows, row labels and the channels of each anomaly."""

from __future__ import annotations

from pathlib import Path

from redshank.data.dataset import Dataset
from redshank.data.sets.family import Family, server, stems


def _load_smd(folder: Path, part: str) -> Dataset:
    """One-minute steps; channels ``dim_1`` to ``dim_38``; a segment's end does not belong to it."""
    return server(folder / f"{part}.npz", f"smd/{part}", 60.0, end_inside=False)


def _load_asd(folder: Path, part: str) -> Dataset:
    """Five-minute steps; channels ``dim_1`` to ``dim_19``; a segment's end belongs to it."""
    return server(folder / f"{part}.npz", f"asd/{part}", 300.0, end_inside=True)


SMD = Family("smd", "GitHub NetManAIOps/OmniAnomaly", lambda folder: stems(folder, "*.npz"), _load_smd)
ASD = Family("asd", "GitHub zhhlee/InterFusion", lambda folder: stems(folder, "*.npz"), _load_asd)
