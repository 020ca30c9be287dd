"""TSB-AD 1.5 as a peer. It pins NumPy below 2, so it runs in an environment of its own, through ``tsb_ad_side.py``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

VERSION = "1.5"
NEEDS = ("numpy<2", "scikit-learn", "pandas", "tqdm", "matplotlib")
"""What its metrics import; its detectors would need torch and more."""

FOLDER = Path(__file__).resolve().parents[1] / ".venv-tsb-ad"
SIDE = Path(__file__).with_name("tsb_ad_side.py")


def environment(python: str | None) -> str:
    """The Python that has TSB-AD: the one given, else that of ``.venv-tsb-ad``, which is made on the first call."""
    if python is not None:
        return python
    own, ready = FOLDER / "bin" / "python", FOLDER / f"tsb-ad-{VERSION}"
    if not ready.exists():
        print(f"making {FOLDER.name} (NumPy below 2 has no wheels for Python 3.13 and later; else give --python)")
        subprocess.run([sys.executable, "-m", "venv", str(FOLDER)], check=True)
        install = [str(own), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, *NEEDS], check=True)
        subprocess.run([*install, "--no-deps", f"TSB-AD=={VERSION}"], check=True)
        ready.touch()
    return str(own)


def call(python: str, task: str, path: Path, limit_s: float | None = None) -> dict | None:
    """Result of a task on the other side, one thread; None where it took longer than the limit."""
    try:
        done = subprocess.run(
            [python, str(SIDE), task, str(path)],
            capture_output=True,
            text=True,
            check=False,
            timeout=limit_s,
            env=one_thread(),
        )
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        raise RuntimeError(f"TSB-AD, {task} of {path.name}: {done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def one_thread() -> dict[str, str]:
    """Environment of a process that keeps to one thread."""
    return os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def peak_mib() -> float:
    """Largest resident memory of this process since it began to run this program."""
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) / 1024


def timed(work: Callable[[], object]) -> dict[str, float]:
    """Processor seconds, wall seconds and peak memory of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {
        "cpu_s": time.process_time() - cpu,
        "wall_s": time.perf_counter() - wall,
        "peak_mib": peak_mib(),
    }
