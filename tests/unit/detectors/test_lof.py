"""What is particular to LOFDetector."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import LocalOutlierFactor

from redshank.core import SettingError
from redshank.detectors.classical.lof import LOFDetector
from redshank.testing import normal_series, odd_series


@pytest.mark.parametrize("neighbours", [3, 20])
def test_scores_are_those_of_scikit_learn_with_the_sign_changed(neighbours: int) -> None:
    training, (X, _) = normal_series(), odd_series(1)
    mean, scale = training.mean(axis=0), training.std(axis=0)
    oracle = LocalOutlierFactor(n_neighbors=neighbours, novelty=True).fit((training - mean) / scale)
    found = LOFDetector(neighbours=neighbours).fit(training).score_samples(X)
    np.testing.assert_allclose(found, -oracle.score_samples((X - mean) / scale), rtol=1e-6)


def test_a_step_that_is_large_for_its_own_regime() -> None:
    rng = np.random.default_rng(0)
    training = np.concatenate([rng.normal(0, 0.01, (400, 2)), rng.normal(5, 1.0, (400, 2))])
    tight, wide = LOFDetector().fit(training).score_samples([[0.3, 0.3], [5.3, 5.3]])
    assert tight > 5 * wide


def test_fewer_rows_than_neighbours() -> None:
    assert LOFDetector().fit([[0.0], [1.0]]).score_samples([[0.0], [9.0]]).argmax() == 1


def test_setting() -> None:
    with pytest.raises(SettingError, match="neighbours is 0"):
        LOFDetector(neighbours=0).fit(normal_series())
