"""Detectors of the PyOD library under the contract of this one."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import inspect
import io
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from redshank.core import (
    LAST_SEED,
    Detector,
    InputError,
    MissingExtraError,
    ModelError,
    SettingError,
    Tags,
    check_whole,
)
from redshank.core.contracts import Array
from redshank.core.learned import Setting
from redshank.detectors.classical._standard import moments, standardised, thinned
from redshank.detectors.specs import read_call

importlib.import_module("pyod")  # where it is not installed, the registry names the extra

MODELS = {
    "ABOD": "abod",
    "CBLOF": "cblof",
    "CD": "cd",
    "COF": "cof",
    "COPOD": "copod",
    "ECOD": "ecod",
    "FeatureBagging": "feature_bagging",
    "GMM": "gmm",
    "HBOS": "hbos",
    "HDBSCAN": "hdbscan",
    "IForest": "iforest",
    "INNE": "inne",
    "KDE": "kde",
    "KNN": "knn",
    "KPCA": "kpca",
    "LMDD": "lmdd",
    "LOCI": "loci",
    "LODA": "loda",
    "LOF": "lof",
    "MAD": "mad",
    "MCD": "mcd",
    "OCSVM": "ocsvm",
    "PCA": "pca",
    "QMCD": "qmcd",
    "RGraph": "rgraph",
    "ROD": "rod",
    "SOD": "sod",
    "SOS": "sos",
    "Sampling": "sampling",
}
"""PyOD's detectors for rows that need no training framework, and the module that each is in."""

REACH = 1e6
"""Rows are clipped here, in training standard deviations: PyOD takes squares and products of them unguarded."""

PROBE = 32
"""Rows scored together, half of them training rows, half drawn around."""

ALONE = 4
"""Every so many-th of them is scored alone too: enough for each detector of PyOD that looks at the batch to show it."""

SPREAD = 3.0
"""Standard deviation of those drawn, in training standard deviations."""

RTOL = 1e-5
"""Relative difference that two scores of one row may have, as everywhere in Redshank."""

ROUNDING = 1e-9
"""Difference, as a share of the largest score of the probe, that counts as none: scores may pass through 0."""

_FOREIGN = (ValueError, TypeError, IndexError, KeyError, AttributeError, ArithmeticError, RuntimeError)
"""What PyOD's detectors raise for rows or settings that they cannot take."""


class PyODDetector(Detector):
    """Score a row by a detector of PyOD [1]_.

    Parameters
    ----------
    name : str, default="KDE"
        A name of :data:`MODELS`, with settings where they are not to be PyOD's: ``"KNN(n_neighbors=10)"``.
    live : bool, default=True
        Refuse a detector that changes a row's score with the rows beside it: readings that come one by one would
        get other scores than in a file. With False it may, and the tags say that it is not causal.
    rows : int, default=2000
        Training rows learned from at most, at least 2. More are thinned out at random.
    seed : int, default=0
        Draws the rows, and is given to detectors that draw at random.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_features,)
        Training mean and standard deviation, in the units of ``X``; a scale of 1 where a channel never moved.
    reference_ : ndarray of shape (at most rows, n_features)
        The rows learned from, in training standard deviations.
    probe_ : ndarray of shape (PROBE, n_features)
        Rows like and unlike these.
    probe_scores_ : ndarray of shape (PROBE,)
        Their scores, together.

    Notes
    -----
    PyOD saves its models by pickle, which runs whatever a file says; here the rows learned from are saved, a restored
    detector learns from them again, and one that then scores the probe otherwise is refused. What each detector of
    PyOD does with the rows beside a row is in ``benchmarks/accuracy/pyod_batch.py``. What PyOD draws from
    global random numbers, prints and warns of is kept from the caller.

    References
    ----------
    .. [1] Y. Zhao, Z. Nasrullah, Z. Li, "PyOD: A Python toolbox for scalable outlier detection", Journal of Machine
       Learning Research 20, 2019.
    """

    def __init__(self, name: str = "KDE", *, live: bool = True, rows: int = 2000, seed: int = 0) -> None:
        self.name = name
        self.live = live
        self.rows = rows
        self.seed = seed

    @property
    def tags(self) -> Tags:  # type: ignore[override]  # of the object: with live=False the rows beside a row may count
        """What the detector can do."""
        self._call()
        return Tags(
            causal=self.live,
            sequence=not self.live,
            good_for="detectors of PyOD that are not here; refused for live use where a score depends on the batch",
            cost="as PyOD's",
            source="Zhao, Nasrullah and Li 2019",
        )

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]]) -> Self:
        """Take back what ``state`` gave, and learn again from its rows.

        Raises
        ------
        ModelError
            If what was learned again does not score the probe as it was scored, or the state is not mine.
        """
        super().restore(state)
        self._learn()
        found = self._judge(self.probe_)
        if not _alike(found, self.probe_scores_):
            raise ModelError(
                f"{self._name}: {self.name} learned again from the saved rows scores the probe otherwise; "
                "it draws at random, or PyOD is of another version: fit it anew"
            )
        return self

    def _fit(self, series: list[Array], y: npt.NDArray[np.intp] | None) -> None:  # noqa: ARG002 - learns without labels
        check_whole(self._name, "rows", self.rows, low=2)
        check_whole(self._name, "seed", self.seed, low=0, high=LAST_SEED)
        together = np.concatenate(series)
        self.mean_, self.scale_ = moments(together)
        self.reference_ = thinned(self._standardised(together), self.rows, self.seed)
        like = self.reference_[np.linspace(0, len(self.reference_) - 1, PROBE - PROBE // 2).astype(np.intp)]
        unlike = SPREAD * np.random.default_rng(self.seed).standard_normal((PROBE // 2, self.n_features_))
        self.probe_ = np.concatenate([like, unlike])
        self._learn()
        self.probe_scores_ = self._judge(self.probe_)
        if not np.isfinite(self.probe_scores_).all():
            raise SettingError(f"{self._name}: PyOD's {self.name} gives scores that are not finite; choose another")
        if self.live:
            self._require_alone()

    def _score(self, X: Array) -> Array:
        return self._judge(self._standardised(X))

    def _call(self) -> tuple[str, dict[str, Setting]]:
        """Name and settings of PyOD's detector."""
        name, settings = read_call(self.name)
        if name not in MODELS:
            near = difflib.get_close_matches(name.lower(), [known.lower() for known in MODELS], n=1)
            likely = [known for known in MODELS if near and known.lower() == near[0]]
            hint = f"did you mean {likely[0]!r}?" if likely else f"there are: {', '.join(MODELS)}"
            raise SettingError(f"{self._name}: {name!r} is not one of PyOD's detectors for rows; {hint}")
        return name, settings

    def _learn(self) -> None:
        name, settings = self._call()
        try:
            with _quietly(self.seed):
                make = getattr(importlib.import_module(f"pyod.models.{MODELS[name]}"), name)
                drawn = {"random_state": self.seed} if "random_state" in inspect.signature(make).parameters else {}
                self._model: Any = make(**drawn | settings)
                self._model.fit(self.reference_.copy())
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                f"{self._name}: PyOD's {name} needs {error.name}, which is not installed"
            ) from error
        except _FOREIGN as error:
            raise SettingError(
                f"{self._name}: PyOD's {self.name} cannot learn from {len(self.reference_)} rows of {self.n_features_} "
                f"channels ({_said(error)}); choose other settings or another detector"
            ) from error

    def _judge(self, rows: Array) -> Array:
        if not len(rows):
            return np.empty(0)
        try:
            with _quietly(self.seed):
                return np.asarray(self._model.decision_function(rows.copy()), dtype=np.float64)
        except _FOREIGN as error:
            few = f"{len(rows)} rows" if len(rows) > 1 else "one row"
            raise InputError(f"{self._name}: PyOD's {self.name} cannot score {few} ({_said(error)})") from error

    def _require_alone(self) -> None:
        """Refuse a model whose score of a row depends on the rows beside it."""
        try:
            alone = np.concatenate([self._judge(self.probe_[i : i + 1]) for i in range(0, PROBE, ALONE)])
        except InputError as error:
            why = str(error).partition(f"PyOD's {self.name} ")[2]
        else:
            together = self.probe_scores_[::ALONE]
            if _alike(alone, together):
                return
            worst = int(np.argmax(np.nan_to_num(np.abs(alone - together), nan=np.inf)))
            why = f"scores a row by the rows beside it ({alone[worst]:.4g} alone, {together[worst]:.4g} among {PROBE})"
        raise SettingError(
            f"{self._name}: PyOD's {self.name} {why}, so it cannot judge live readings; choose another, or live=False "
            "to score whole files"
        )

    def _standardised(self, X: Array) -> Array:
        return np.clip(standardised(X, self.mean_, self.scale_), -REACH, REACH)


@contextlib.contextmanager
def _quietly(seed: int) -> Iterator[None]:
    """Global random numbers from ``seed`` and as they were afterwards; nothing printed, no warnings."""
    kept = np.random.get_state()  # noqa: NPY002 - PyOD draws from it
    np.random.seed(seed)  # noqa: NPY002
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        np.random.set_state(kept)  # noqa: NPY002


def _alike(left: Array, right: Array) -> bool:
    return bool(np.isclose(left, right, rtol=RTOL, atol=ROUNDING * float(np.abs(right).max())).all())


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split()):.120}"
