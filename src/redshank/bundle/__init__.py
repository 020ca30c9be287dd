"""Saved models: a manifest that a person can read, and plain arrays. Never pickle."""

from redshank.bundle.archive import load, save

__all__ = ["load", "save"]
