"""What is particular to stacking; the contract is checked in tests/contract."""

from __future__ import annotations

import numpy as np
import pytest

from redshank.core import InputError, SettingError
from redshank.detectors.combination import _combined
from redshank.detectors.combination.stacking import StackingDetector
from redshank.detectors.specs import detector_of
from redshank.testing import ALL_UP, ONE_UP, labelled_series

pytest.importorskip("sklearn")


def quick(**settings):
    return StackingDetector(**{"members": ("pca", "knn"), "folds": 3} | settings)


class Memory(detector_of("pca").__class__):
    """Remembers which rows it has learned from, and refuses to score one of them before the members are final."""

    fits: list[set[bytes]] = []  # noqa: RUF012 - shared by design
    scored: list[tuple[int, set[bytes]]] = []  # noqa: RUF012

    def _fit(self, series, y):
        super()._fit(series, y)
        Memory.fits.append({row.tobytes() for one in series for row in one})
        self.turn = len(Memory.fits) - 1

    def score_samples(self, X):
        series = X if isinstance(X, list) else [X]
        Memory.scored.append((self.turn, [[row.tobytes() for row in one] for one in series]))
        return super().score_samples(X)


def test_no_score_is_learned_from_of_a_row_that_a_member_had_seen(monkeypatch):
    Memory.fits.clear()
    Memory.scored.clear()
    monkeypatch.setattr(_combined, "detector_of", lambda text: Memory())
    X, y = labelled_series(rows=300)
    kept = []
    held_back = StackingDetector._held_back

    def spied(self, series, codes):
        found = held_back(self, series, codes)
        kept.append((found[2], list(Memory.scored)))
        return found

    monkeypatch.setattr(StackingDetector, "_held_back", spied)
    StackingDetector(members=("a",), folds=3).fit(X, y)
    places, scored = kept[0]
    assert sorted(places) == list(range(300))
    assert len(scored) == 3
    blocks = [range(100), range(100, 200), range(200, 300)]
    for (turn, series), block in zip(scored, blocks, strict=True):
        assert series[0][-1] == X[block[-1]].tobytes()
        assert not Memory.fits[turn] & {X[row].tobytes() for row in block}
    odd = {X[row].tobytes() for row in np.flatnonzero(y != "normal")}
    assert all(not fitted & odd for fitted in Memory.fits)  # anomalous rows are never learned as normal
    assert len(Memory.fits) == 4
    assert len(Memory.fits[-1]) == int((y == "normal").sum())


def test_labels_say_which_surprise_matters():
    """Two kinds, each as surprising; only one is labelled anomalous, and only that one scores high."""
    X, y = labelled_series(rows=800)
    matters = (y == ONE_UP).astype(int)
    test, kinds = labelled_series(1, rows=800)
    scores = quick().fit(X, matters).score_samples(test)
    plain = detector_of("pca").fit(X[y == "normal"]).score_samples(test)
    assert np.median(plain[kinds == ALL_UP]) > np.quantile(plain[kinds == "normal"], 0.99)
    assert np.median(scores[kinds == ALL_UP]) < 0.1 * np.median(scores[kinds == ONE_UP])


def test_channels_tell_the_kinds_apart():
    X, y = labelled_series()
    test, kinds = labelled_series(1)
    found = quick().fit(X, y).kinds(test)
    assert (found == kinds).mean() > 0.9


def test_class_weight_finds_more_of_a_rare_kind():
    X, y = labelled_series(rows=800)
    y = np.where(np.arange(len(y)) < 700, "normal", y)
    test, kinds = labelled_series(1, rows=800)
    found = {
        weight: float((quick(class_weight=weight).fit(X, y).kinds(test) != "normal")[kinds != "normal"].mean())
        for weight in (None, "balanced")
    }
    assert found["balanced"] > found[None]


def test_a_kind_within_the_warmup_alone_is_never_probable():
    X, y = labelled_series()
    y = y.copy()
    y[:3] = "early"
    detector = quick(members=("ridge", "pca")).fit(X, y)
    assert "early" in detector.classes_
    assert (detector.probabilities(X)[:, list(detector.classes_).index("early")][5:] == 0.0).all()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"folds": 1}, "folds is 1"),
        ({"penalty": 0.0}, "penalty is 0"),
        ({"class_weight": "equal"}, "class_weight is 'equal'"),
        ({"members": ()}, "wanted texts of detectors"),
        ({"members": ("stacking",)}, "learns from labels"),
    ],
)
def test_wrong_settings_are_refused(settings, says):
    with pytest.raises(SettingError, match=says):
        quick(**settings).fit(*labelled_series())


def test_too_few_rows_are_refused():
    X, y = labelled_series(rows=30)
    with pytest.raises(InputError, match="could be held back"):
        quick().fit(X[:22], y[:22])
