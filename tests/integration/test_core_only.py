"""The small install: NumPy, Rich, safetensors and Typer, in an environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import venv
from pathlib import Path

import numpy as np
import pytest
from tests.fixtures.commands import lines, table
from tests.fixtures.quick import UNLABELLED

from redshank.bundle import save
from redshank.core import Frame
from redshank.detectors import DETECTORS
from redshank.pipeline import Pipeline

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.xdist_group("core-only")  # one environment for all of these
HEAVY = ("torch", "sklearn", "pandas", "polars", "pyarrow", "numba", "matplotlib", "jinja2", "pywt", "scipy")
CORE = [name for name in UNLABELLED if not DETECTORS.extra_of(name)]
FEW = 2  # seconds that the core may take to import on a slow machine; 0.2 s is usual

READINGS = """
import numpy as np
from redshank.core import Frame
def readings(rows=1500):
    rng, t = np.random.default_rng(0), np.arange(rows)
    values = np.sin(t / 20)[:, None] * [1.0, 2.0, 3.0] + rng.normal(0, 0.1, (rows, 3))
    values[-60:-40, 1] += 9.0
    return Frame.of(values, names=["a", "b", "c"], interval_s=60.0)
"""


class Install:
    """A virtual environment with the project and nothing else."""

    def __init__(self, folder: Path, sources: Path) -> None:
        sources.mkdir()
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            if (ROOT / name).exists():
                shutil.copy(ROOT / name, sources)
        shutil.copytree(ROOT / "src", sources / "src", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
        venv.create(folder, with_pip=True)
        self.bin = folder / ("Scripts" if os.name == "nt" else "bin")
        self.run(
            self.bin / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
            "--constraint", ROOT / "constraints.txt", sources,
        )  # fmt: skip

    def run(self, *arguments: str | Path, code: int = 0, cwd: Path | None = None) -> tuple[str, str]:
        """Standard output and error; the exit code must be ``code``."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
        done = subprocess.run(
            [str(one) for one in arguments], capture_output=True, text=True, env=clean, cwd=cwd, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout, done.stderr

    def python(self, code: str, *arguments: str | Path) -> str:
        """What a program prints."""
        return self.run(self.bin / "python", "-I", "-c", code, *arguments)[0]

    def redshank(self, *arguments: str | Path, code: int = 0, cwd: Path | None = None) -> tuple[str, str]:
        """The command line."""
        return self.run(self.bin / "redshank", *arguments, code=code, cwd=cwd)


@pytest.fixture(scope="session")
def small(tmp_path_factory) -> Install:
    """Takes about 20 s, once."""
    folder = tmp_path_factory.mktemp("core")
    return Install(folder / "venv", folder / "sources")


def test_it_is_small(small):
    absent = small.python(f"import importlib.util as u; print([n for n in {HEAVY} if u.find_spec(n)])")
    assert absent.strip() == "[]"
    assert small.python("import redshank, pathlib; print('site-packages' in redshank.__file__)").strip() == "True"


def test_every_room_of_the_core_imports(small):
    rooms = ("core", "features", "quality", "calibrate", "incidents", "pipeline", "detectors", "bundle", "data", "cli")
    small.python("; ".join(f"import redshank.{room}" for room in (*rooms, "simulate", "detectors.classical.pca")))


def test_it_imports_fast(small):
    code = "import time; a = time.perf_counter(); import redshank; b = time.perf_counter(); print(b - a)"
    assert min(float(small.python(code)) for _ in range(3)) < 0.5
    whole = "import time; a = time.perf_counter(); import redshank.cli; b = time.perf_counter(); print(b - a)"
    assert min(float(small.python(whole)) for _ in range(3)) < FEW


@pytest.mark.parametrize("name", CORE)
def test_learn_judge_save_and_load(small, tmp_path, name):
    code = (
        READINGS
        + f"""
import sys
import redshank
frame = readings()
pipeline = redshank.Pipeline({name!r}, budget="1 per device per day").fit(frame.take(slice(0, 1000)))
rest = frame.take(slice(1000, None))
found = pipeline.analyse(rest)
assert pipeline.predict(rest).alarm[440:460].any()
assert any(i.start_ns <= 1460 * 60e9 and i.end_ns >= 1440 * 60e9 for i in found.incidents), found.incidents
again = redshank.load_model(redshank.save_model(pipeline, sys.argv[1]))
assert again.analyse(rest).incidents == found.incidents
assert (again.predict(rest).score == found.scores.score).all()
print("done", len(found.incidents))
"""
    )
    assert small.python(code, tmp_path / "m.redshank").startswith("done")


@pytest.mark.parametrize("name", CORE)
def test_a_model_of_the_full_install_scores_the_same(small, tmp_path, name):
    space: dict[str, object] = {}
    exec(READINGS, space)  # noqa: S102  the very program that runs there
    frame: Frame = space["readings"]()  # type: ignore[operator]
    pipeline = Pipeline(name).fit(frame.take(slice(0, 1000)))
    scores = pipeline.predict(frame)
    model = save(pipeline, tmp_path / "m.redshank")
    code = READINGS + (
        "import sys, redshank; found = redshank.load_model(sys.argv[1]).predict(readings());"
        "np.savez(sys.argv[2], score=found.score, p=found.p, alarm=found.alarm)"
    )
    small.python(code, model, tmp_path / "there.npz")
    there = np.load(tmp_path / "there.npz")
    np.testing.assert_allclose(there["score"], scores.score, rtol=1e-9)
    np.testing.assert_allclose(there["p"], scores.p, rtol=1e-9)
    np.testing.assert_array_equal(there["alarm"], scores.alarm)


def test_commands(small, tmp_path):
    version, _ = small.redshank("--version")
    assert version.strip()
    listed, _ = small.redshank("detectors")
    assert all(name in listed for name in DETECTORS)
    assert "pip install 'redshank[train]'" in " ".join(listed.split())
    helped, _ = small.redshank("scan", "--help")
    assert "--budget" in helped


def test_models_are_made_and_used_from_numpy_files(small, tmp_path):
    t = np.arange(1200)
    np.save(tmp_path / "a.npy", np.sin(t / 30)[:, None] * [1, 2] + np.random.default_rng(0).normal(0, 0.1, (1200, 2)))
    small.redshank("train", "a.npy", "--detector", "pca", "--out", "m.redshank", cwd=tmp_path)
    out, _ = small.redshank("score", "m.redshank", "a.npy", "--out", "s.csv", cwd=tmp_path)
    assert "1,200 rows" in out
    assert len((tmp_path / "s.csv").read_text().splitlines()) == 1201


@pytest.mark.parametrize(
    "arguments",
    [
        ("scan", "a.csv"),
        ("train", "a.csv", "--out", "m.redshank"),
        ("evaluate", "a.csv", "--label", "power"),
        ("audit", "a.csv", "--label", "power"),
        ("simulate", "--hours", "2", "--out", "x.csv"),
        ("demo",),
        ("train", "a.npy", "--detector", "ae_lstm", "--out", "m.redshank"),
    ],
    ids=lambda arguments: "-".join(arguments[:2]),
)
def test_what_needs_the_extra_says_how_to_install_it(small, tmp_path, arguments):
    table(tmp_path / "a.csv", lines(300))
    np.save(tmp_path / "a.npy", np.ones((300, 2)))
    before = sorted(tmp_path.iterdir())
    out, err = small.redshank(*arguments, code=2, cwd=tmp_path)
    assert out == ""
    assert err.count("\n") == 1
    assert "pip install 'redshank[train]'" in err
    assert sorted(tmp_path.iterdir()) == before
