"""The ``redshank`` command."""

from redshank.cli.app import main

__all__ = ["main"]
