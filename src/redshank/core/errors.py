"""Errors, chosen by what a caller can do about them."""

from __future__ import annotations


class RedshankError(Exception):
    """Base of every error that Redshank raises on purpose; its text is one sentence for a person."""


class InputError(RedshankError, ValueError):
    """Data cannot be used as they came: mend the data, or say how to read them."""


class SettingError(RedshankError, ValueError):
    """A setting is out of range or unknown: choose another value."""


class NotFittedError(RedshankError, RuntimeError):
    """A component was asked for results before ``fit``."""


class MissingExtraError(RedshankError, ImportError):
    """An optional part is not installed: install the extra that the text names."""


class ModelError(RedshankError, ValueError):
    """A saved model cannot be trusted or read."""


class ContractError(RedshankError, AssertionError):
    """A component broke its contract: a defect in the component, not in the data."""
