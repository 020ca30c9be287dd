"""The page that reports are made on: templates that share one frame, and a file that is put in place in one step."""

from __future__ import annotations

import math
import os
import platform
import tempfile
from importlib.resources import files
from pathlib import Path

import jinja2
import matplotlib as mpl
import numpy as np

import redshank
from redshank.incidents import number

ABSENT = "\N{EN DASH}"
"""Written where there is no number."""


def page(template: str, **values: object) -> str:
    """A template of this folder filled in; what it names and ``values`` lack is an error, and text is never markup."""
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FunctionLoader(lambda name: files("redshank.evaluate.pages").joinpath(name).read_text("utf-8")),
    )
    environment.filters |= {"number": number, "quantity": _quantity, "finite": math.isfinite}
    return environment.get_template(template).render(values)


def versions() -> dict[str, str]:
    """What this report was made with."""
    return {
        "Redshank": redshank.__version__,
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "Matplotlib": mpl.__version__,
    }


def write_at_once(path: Path, content: str | bytes) -> Path:
    """Write beside ``path``, then put in place; what fails leaves nothing behind."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content.encode("utf-8") if isinstance(content, str) else content)
        part.chmod(0o644)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _quantity(value: float, unit: str) -> str:
    if not math.isfinite(value):
        return ABSENT
    return f"{number(value)} {unit}" if unit else number(value)
