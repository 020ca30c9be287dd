"""What is particular to the adapter of PyOD; the contract is checked in tests/contract."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

from redshank.core import ModelError, SettingError
from redshank.testing import check_detector, normal_series, odd_series

if importlib.util.find_spec("pyod") is None and os.environ.get("REDSHANK_REQUIRE_ALL") != "1":
    pytest.skip("PyOD is not installed (extra 'pyod')", allow_module_level=True)

from redshank.detectors.combination.pyod import PyODDetector


def test_scores_are_those_of_pyod_on_standardised_rows():
    from pyod.models.knn import KNN

    X, test = normal_series(), odd_series(1)[0]
    mean, scale = X.mean(axis=0), X.std(axis=0)
    theirs = KNN(n_neighbors=3, method="mean").fit((X - mean) / scale).decision_function((test - mean) / scale)
    ours = PyODDetector("KNN(n_neighbors=3, method='mean')").fit(X).score_samples(test)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


@pytest.mark.parametrize("name", ["ECOD", "COPOD", "COF"])
def test_a_detector_that_looks_at_the_batch_is_refused_for_live_use(name):
    with pytest.raises(SettingError, match=r"(alone|one row).*cannot judge live readings.*live=False"):
        PyODDetector(name).fit(normal_series())


def test_the_same_detector_may_score_whole_files():
    detector = PyODDetector("ECOD", live=False)
    assert not detector.tags.causal
    assert detector.tags.sequence
    scores = detector.fit(normal_series()).score_samples(odd_series(1)[0])
    assert np.isfinite(scores).all()
    assert PyODDetector("ECOD").tags.causal


@pytest.mark.parametrize("name", ["GMM", "KNN(n_neighbors=3)"])
def test_others_keep_the_contract(name):
    assert check_detector(lambda: PyODDetector(name)) == []


def test_what_draws_at_random_is_settled_by_the_seed():
    X, test = normal_series(), odd_series(1)[0]
    first = PyODDetector("LODA", seed=1).fit(X).score_samples(test)
    np.testing.assert_array_equal(first, PyODDetector("LODA", seed=1).fit(X).score_samples(test))
    assert not np.array_equal(first, PyODDetector("LODA", seed=2).fit(X).score_samples(test))


def test_scores_that_are_not_numbers_are_refused():
    with pytest.raises(SettingError, match="not finite"):
        PyODDetector("PCA").fit(np.full((300, 3), 7.3))


def test_state_of_changed_rows_is_refused():
    state = PyODDetector("KDE").fit(normal_series()).state()
    state["reference_"] = state["reference_"] + 0.5
    with pytest.raises(ModelError, match="scores the probe otherwise"):
        PyODDetector("KDE").restore(state)


def test_more_rows_than_asked_are_thinned_out():
    assert len(PyODDetector("KDE", rows=100).fit(normal_series()).reference_) == 100


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("EKOD", "did you mean 'ECOD'"),
        ("AutoEncoder", "not one of PyOD's detectors for rows"),
        ("KNN(neighbours=3)", "cannot learn"),
        ("KNN(3)", "stands without a name"),
        ("KNN(", "cannot be read"),
        ("MAD", "cannot learn from 400 rows of 3 channels"),
    ],
)
def test_what_pyod_does_not_take_is_said(name, says):
    with pytest.raises(SettingError, match=says):
        PyODDetector(name).fit(normal_series())


CLASSICAL = """
import sys
from redshank.detectors import DETECTORS
from redshank.testing import normal_series, odd_series

for name in ("KNN(n_neighbors=3)", "IForest", "PCA", "ECOD"):
    detector = DETECTORS.get("pyod")(name, live=False).fit(normal_series())
    assert len(detector.score_samples(odd_series(1)[0])) == len(odd_series(1)[0])
assert "pyod" in sys.modules
print(*sorted({"torch", "tensorflow", "keras"} & sys.modules.keys()))
"""


def test_no_training_framework_is_loaded():
    # In a process of its own: here other tests have loaded torch.
    done = subprocess.run([sys.executable, "-c", CLASSICAL], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
