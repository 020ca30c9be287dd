"""TSB-AD and PyOD as peers, in an environment of their own, through ``peer_detectors_side.py``."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from benchmarks.tsb_ad_peer import one_thread

TSB_AD, PYOD, TORCH = "1.5", "3.6.7", "2.13.0"
NEEDS = ("numpy<2", "scikit-learn<1.6", "pandas", "tqdm", "matplotlib", "torchinfo", "einops", "statsmodels")
"""What the detectors import that are compared here; TSB-AD's are not estimators as scikit-learn 1.6 wants them."""

FOLDER = Path(__file__).resolve().parents[1] / ".venv-peers"
SIDE = Path(__file__).with_name("peer_detectors_side.py")


def environment(python: str | None = None) -> str:
    """The Python that has both: the one given, else that of ``.venv-peers``, which is made on the first call."""
    if python is not None:
        return python
    own, ready = FOLDER / "bin" / "python", FOLDER / f"tsb-ad-{TSB_AD}-pyod-{PYOD}"
    if not ready.exists():
        print(f"making {FOLDER.name} (NumPy below 2 has no wheels for Python 3.13 and later; else give --python)")
        subprocess.run([sys.executable, "-m", "venv", str(FOLDER)], check=True)
        install = [str(own), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, f"torch=={TORCH}"], check=True)
        subprocess.run([*install, *NEEDS, f"pyod=={PYOD}"], check=True)
        subprocess.run([*install, "--no-deps", f"TSB-AD=={TSB_AD}"], check=True)
        ready.touch()
    return str(own)


def score(
    python: str, package: str, detector: str, train: np.ndarray, test: np.ndarray, *, epochs: int | None = None
) -> tuple[np.ndarray, dict]:
    """Scores of the test rows by a peer that learned from the training rows, one thread, and what it cost."""
    with tempfile.TemporaryDirectory() as folder:
        series, scores, request = (Path(folder) / name for name in ("series.npz", "scores.npy", "request.json"))
        np.savez(series, train=train, test=test)
        asked = {"package": package, "detector": detector, "series": str(series), "scores": str(scores)}
        request.write_text(json.dumps(asked | {"epochs": epochs}))
        done = subprocess.run(
            [python, str(SIDE), str(request)], capture_output=True, text=True, check=False, env=one_thread()
        )
        if done.returncode:
            raise RuntimeError(f"{package} {detector}: {done.stderr.strip()[-500:]}")
        return np.load(scores), json.loads(done.stdout.splitlines()[-1])
