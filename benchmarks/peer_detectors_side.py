"""The side that has TSB-AD and PyOD: ``python peer_detectors_side.py REQUEST.json`` prints one JSON object.

A request names a package, a detector, a file with ``train`` and ``test`` and a file for the scores of the test rows;
the detector learns from ``train`` alone. Settings are those that the package ships: TSB-AD's own choice for series of
one or of several channels (``HP_list.py``), PyOD's defaults. ``epochs`` in the request caps the passes of a network.
Needs nothing of ours but the clock.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import json
import random
import sys
import types
import warnings
from importlib import metadata
from pathlib import Path

import numpy as np
from tsb_ad_peer import peak_mib, timed

SEED = 0


TSB_AD = {
    "LSTMAD": "LSTMAD:LSTMAD",
    "CNN": "CNN:CNN",
    "AutoEncoder": "AE:AutoEncoder",
    "PCA": "PCA:PCA",
    "KNN": "KNN:KNN",
    "KMeansAD": "KMeansAD:KMeansAD",
}
PYOD = {"LSTMAD": "ts_lstm:LSTMAD", "AutoEncoder": "auto_encoder:AutoEncoder", "PCA": "pca:PCA", "KNN": "knn:KNN"}
WINDOWED = {"PCA": "Sub_PCA", "KNN": "Sub_KNN", "KMeansAD": "KMeansAD_U"}
"""What TSB-AD calls these on one channel, where they look at windows of the series' period."""


def _class(package: str, place: str):
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(f"{package}.models.{module}"), name)


def _tsb_ad(detector: str, train: np.ndarray, epochs: int | None):
    """An unfitted detector, as ``model_wrapper.py`` makes it from the settings in ``HP_list.py``; and these."""
    hurst = types.ModuleType("hurst")
    hurst.compute_Hc = None  # imported, as the next, by the module of windows for classes that are not used here
    sys.modules["hurst"] = hurst
    importlib.import_module("statsmodels.tsa.ar_model").AR = None
    channels = train.shape[1]
    lists = importlib.import_module("TSB_AD.HP_list")
    if channels == 1:
        chosen = dict(lists.Optimal_Uni_algo_HP_dict[WINDOWED.get(detector, detector)])
    else:
        chosen = dict(lists.Optimal_Multi_algo_HP_dict[detector])
    window = "window_size" if detector in ("LSTMAD", "CNN", "KMeansAD") else "slidingWindow"
    if "periodicity" in chosen:
        find = importlib.import_module("TSB_AD.utils.slidingWindows").find_length_rank
        chosen[window] = int(find(train, rank=chosen.pop("periodicity")))
    usual = {
        "LSTMAD": {"pred_len": 1, "feats": channels, "batch_size": 128},
        "CNN": {"feats": channels, "batch_size": 128},
        "AutoEncoder": {
            "slidingWindow": chosen.pop("window_size", 100) if detector == "AutoEncoder" else 0,
            "batch_size": 128,
            "epochs": 50,
        },
        "PCA": {"slidingWindow": 100, "zero_pruning": False},  # its decision_function does not prune
        "KNN": {"slidingWindow": 1},
        "KMeansAD": {"k": chosen.pop("n_clusters", None), "stride": 1},
    }
    settings = usual[detector] | chosen
    made = _class("TSB_AD", TSB_AD[detector])(**settings)
    if detector == "KMeansAD":
        made.decision_function = made.predict
    if detector == "KNN":
        made.decision_function = functools.partial(_nearest, made)
    if epochs is not None:
        made.epochs = epochs
    return made, settings


def _nearest(made, rows: np.ndarray) -> np.ndarray:
    """What ``KNN.decision_function`` means: it fails without windows, and leaves out the z-score that ``fit`` takes."""
    window = made.slidingWindow
    zscore = importlib.import_module("TSB_AD.utils.utility").zscore
    windows = np.lib.stride_tricks.sliding_window_view(rows, window, axis=0).reshape(len(rows) - window + 1, -1)
    distances = made.tree_.query(zscore(windows, axis=1, ddof=1), k=made.n_neighbors)[0].mean(axis=1)
    before = int(np.ceil((window - 1) / 2))
    return np.pad(distances, (before, window - 1 - before), mode="edge")


def _pyod(detector: str, _: np.ndarray, epochs: int | None):
    """An unfitted detector with its defaults."""
    settings = {
        "LSTMAD": {} if epochs is None else {"epochs": epochs},
        "AutoEncoder": {"verbose": 0, "random_state": SEED} | ({} if epochs is None else {"epoch_num": epochs}),
        "PCA": {"random_state": SEED},
        "KNN": {},
    }[detector]
    return _class("pyod", PYOD[detector])(**settings), settings


def main(request: dict) -> dict:
    torch = importlib.import_module("torch")
    random.seed(SEED)
    np.random.seed(SEED)  # noqa: NPY002 - the packages draw from it
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    series = np.load(request["series"])
    train, test = series["train"].astype(np.float64), series["test"].astype(np.float64)
    make = {"TSB-AD": _tsb_ad, "PyOD": _pyod}[request["package"]]
    before = peak_mib()
    made, chosen = make(request["detector"], train, request.get("epochs"))
    fit = timed(lambda: made.fit(train))
    found = {}
    score = timed(lambda: found.update(scores=np.asarray(made.decision_function(test), dtype=np.float64).ravel()))
    np.save(request["scores"], found["scores"])
    return {
        "fit": fit,
        "score": score,
        "peak_mib": peak_mib(),
        "before_mib": before,
        "settings": {name: str(value) for name, value in chosen.items()},
        "versions": {name: metadata.version(name) for name in ("TSB-AD", "pyod", "torch", "numpy", "scikit-learn")},
    }


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # what the packages say of themselves is not ours to mend
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        result = main(json.loads(Path(sys.argv[1]).read_text()))
    print(json.dumps(result))
