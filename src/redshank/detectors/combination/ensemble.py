"""Several detectors as one, fused by how surprising each finds a row, or by the logarithms of their scores."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from redshank.core import SettingError, check_whole
from redshank.core.contracts import Array
from redshank.detectors.combination._combined import CombinedDetector
from redshank.detectors.combination._tail import fit_tail, surprise

HOW = ("fisher", "max", "mean_top", "log_mean")


class EnsembleDetector(CombinedDetector):
    """Score a row by how unlikely the scores of several detectors are together.

    Parameters
    ----------
    members : tuple of str, default=("sub_pca", "ridge", "knn_patches")
        Texts of two or more detectors, such as ``"pca(latent=2)"``. What was expected is said by the first.
    how : str, default="fisher"
        ``"fisher"``: the sum of the members' surprises [1]_: many small doubts count. ``"max"``: the largest: one
        member is enough. ``"mean_top"``: the mean of the ``top`` largest. ``"log_mean"``: the mean of
        ``log(1 + score / usual score)``, the one form that is not a fusion of tail probabilities: it adds logarithms of
        scaled raw scores, with nothing to fit in the tail.
    top : int, default=2
        For ``"mean_top"``, at least 1.

    Attributes
    ----------
    tails_ : ndarray of shape (members, 35)
        Tail of each member's scores of rows held back from it.
    units_ : ndarray of shape (members, 2)
        Lowest of these scores if below 0, and the distance of their median from it: the units of ``"log_mean"``.

    Notes
    -----
    A member is fitted on the first 70 % of each training series, and its scores of the rest say how often a normal
    score is as high. The *surprise* of a score is ``-ln`` of that share, with a generalised Pareto tail beyond the
    scores held back, so that rows farther out still rank; then the member learns from all rows. ``"fisher"``, ``"max"``
    and ``"mean_top"`` fuse surprises, never raw scores, and their score is in nats; ``"log_mean"`` alone adds raw
    scores, each in units of its member's usual one and as a logarithm. Members that say the same are counted twice by
    ``"fisher"``: it ranks, and the calibrator of a pipeline says how likely.

    VUS-PR of the usual members, mean over three SMD machines, SKAB valve1, NAB: sub_pca alone 0.554, 0.895, 0.348;
    ridge 0.581, 0.788, 0.220; knn_patches 0.532, 0.835, 0.338; fused by ``"fisher"`` 0.621, 0.871, 0.358; ``"max"``
    0.539, 0.835, 0.354; ``"mean_top"`` 0.604, 0.860, 0.362; ``"log_mean"`` 0.629, 0.866, 0.319. A fusion beats all its
    members on two of three sets and never falls far below the best: that is what it is for
    (``benchmarks/accuracy/combination.py``).

    Contributions: each member's own, as shares, weighted by its surprise and scaled to sum to the score. Time: that of
    the members, twice to fit.

    References
    ----------
    .. [1] R. A. Fisher, "Statistical methods for research workers", Oliver and Boyd, 1932 (combined probabilities).
    """

    good_for = "not knowing what will go wrong: shapes, jumps and lost relations, each seen by another member"
    source = "Fisher 1932"

    def __init__(
        self, *, members: tuple[str, ...] = ("sub_pca", "ridge", "knn_patches"), how: str = "fisher", top: int = 2
    ) -> None:
        self.members = members
        self.how = how
        self.top = top

    @property
    def _texts(self) -> tuple[str, ...]:
        if not isinstance(self.members, tuple) or len(self.members) < 2:
            raise SettingError(f"{self._name}: members is {self.members!r}; wanted two or more texts of detectors")
        return self.members

    def _fit(self, series: list[Array], y: npt.NDArray[np.intp] | None) -> None:  # noqa: ARG002 - learns without labels
        if self.how not in HOW:
            raise SettingError(f"{self._name}: how is {self.how!r}; wanted one of {', '.join(HOW)}")
        check_whole(self._name, "top", self.top, low=1)
        held = self._learn_members(series)
        self.tails_ = np.stack([fit_tail(own) for own in held])
        lowest = np.array([min(float(own.min()), 0.0) for own in held])
        usual = np.array([float(np.median(own)) for own in held]) - lowest
        self.units_ = np.stack([lowest, np.where(usual > 0.0, usual, 1.0)], axis=1)

    def _score(self, X: Array) -> Array:
        return self._score_all([X])[0]

    def _score_all(self, series: list[Array]) -> list[Array]:
        return [self._fused(self._opinions(scores)) for scores in self._member_scores(series)]

    def _contributions(self, X: Array) -> Array:
        if not len(X):
            return np.empty(X.shape)
        opinions = self._opinions(self._member_scores([X])[0])
        counted = np.where(opinions >= np.sort(opinions, axis=0)[-self._counted], opinions, 0.0)
        parts: Array = self._parted(X, counted) * self._fused(opinions)[:, None]
        return parts

    @property
    def _counted(self) -> int:
        """Members whose opinions make the score: so many of the largest."""
        return {"max": 1, "mean_top": min(self.top, len(self.members))}.get(self.how, len(self.members))

    def _opinions(self, scores: Array) -> Array:
        """What each member thinks of each row, (members, rows), not negative, in one unit."""
        if self.how == "log_mean":
            lowest, usual = self.units_.T[:, :, None]
            logs: Array = np.log1p(np.maximum(scores - lowest, 0.0) / usual)
            return logs
        return np.stack([surprise(own, tail) for own, tail in zip(scores, self.tails_, strict=True)])

    def _fused(self, opinions: Array) -> Array:
        if self.how == "fisher":
            return np.asarray(opinions.sum(axis=0))
        return np.asarray(np.sort(opinions, axis=0)[-self._counted :].mean(axis=0))
