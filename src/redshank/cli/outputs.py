"""Where the commands write: checked before any work is done, so that nothing is learned in vain."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from redshank.core import InputError, MissingExtraError


def check_place(path: Path) -> Path:
    """``path``, if a file can be put there.

    Raises
    ------
    InputError
        If it is a folder, or its folder does not exist or may not be written to.
    """
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name a file to write")
    if not path.parent.is_dir():
        raise InputError(f"{path}: its folder {str(path.parent)!r} does not exist; make it first")
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"{path}: nothing may be written to the folder {str(path.parent)!r}; choose another")
    return path


def report_at(path: Path) -> Callable[..., Path]:
    """What writes a report to ``path``; its libraries are loaded here, as no other part of a command needs them.

    Raises
    ------
    InputError
        If no file can be put there.
    MissingExtraError
        If the libraries that draw the report are not installed.
    """
    check_place(path)
    with needs_train("the report"):
        from redshank.evaluate.pages.report import write_report  # noqa: PLC0415  loads matplotlib and jinja2, of an extra
    return partial(write_report, path)


@contextmanager
def needs_train(what: str) -> Iterator[None]:
    """Import inside: what is not installed is named, with the way to install it.

    Raises
    ------
    MissingExtraError
        If a library of the ``train`` extra is not there.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.startswith("redshank"):
            raise
        raise MissingExtraError(
            f"{what} needs {error.name}, which is not installed; install it with: pip install 'redshank[train]'"
        ) from error
