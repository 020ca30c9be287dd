"""The one place of Numba: late, optional, and content with a read-only install."""

from __future__ import annotations

import subprocess
import sys

import pytest

from redshank.features import _compiled
from redshank.features._compiled import WORTH_COMPILING, choose


def arrays(x):
    return ("arrays", x)


def test_small_work_is_never_compiled():
    assert choose(lambda x: ("loops", x), arrays, WORTH_COMPILING - 1) is arrays


def test_without_numba_arrays_do_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    assert choose(lambda x: ("loops", x), arrays, WORTH_COMPILING) is arrays


def test_a_place_without_a_cache_still_compiles():
    pytest.importorskip("numba", reason="compiled loops need the train extra")
    made_here: dict = {}
    exec(compile("def double(x):\n    return 2 * x\n", "<nowhere>", "exec"), made_here)  # noqa: S102 - code without a file
    assert _compiled._compile(made_here["double"])(3) == 6


def test_import_loads_no_extra():
    code = (
        "import sys, redshank.features\n"
        "print([name for name in ('numba', 'pywt', 'polars', 'scipy', 'sklearn', 'torch') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
