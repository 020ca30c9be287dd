"""Counts that may be left to the detector, and seeds: what the contract check of plain counts does not reach."""

from __future__ import annotations

import numpy as np
import pytest

from redshank.core import LAST_SEED, Detector, MissingExtraError, SettingError
from redshank.detectors import DETECTORS
from redshank.testing import normal_series, training_rows

LEFT_OPEN = ("window", "latent", "period")
"""Counts whose default may be None."""


def having(*names: str) -> list[tuple[str, str]]:
    """Each detector that is installed with each setting of these that it has."""
    found = []
    for name in DETECTORS:
        try:
            known = DETECTORS.get(name)().settings()
        except MissingExtraError:
            continue
        found += [(name, one) for one in names if one in known]
    return found


def refused(detector: Detector) -> str:
    with pytest.raises(SettingError) as caught:
        detector.fit(*training_rows(detector, normal_series(rows=80)))
    return str(caught.value)


@pytest.mark.parametrize(("name", "setting"), having(*LEFT_OPEN))
@pytest.mark.parametrize("value", [2.5, 8.0, "many", True, float("nan"), 0])
def test_a_count_that_may_be_left_open_is_whole_where_it_is_given(name: str, setting: str, value: object) -> None:
    said = refused(DETECTORS.get(name)(**{setting: value}))
    kind = "" if value == 0 and value is not False else "a whole number, "
    assert said.startswith(f"{DETECTORS.get(name).__name__}: {setting} is {value!r}; wanted {kind}")


@pytest.mark.parametrize(("name", "setting"), having("seed"))
@pytest.mark.parametrize("value", [-1, LAST_SEED + 1, 1.5, "0", True, None])
def test_a_seed_has_32_bits(name: str, setting: str, value: object) -> None:
    said = refused(DETECTORS.get(name)(seed=value))
    assert said.startswith(f"{DETECTORS.get(name).__name__}: seed is {value!r}; wanted ")
    assert said.endswith("from 0 to 4294967295")


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("kmeans", {"clusters": np.int64(4), "seed": LAST_SEED}),
        ("knn", {"neighbours": np.int32(3), "rows": np.int64(50), "seed": np.uint32(LAST_SEED)}),
        ("pca", {"latent": np.int64(2)}),
        ("half_space_trees", {"trees": np.int64(5), "depth": np.int64(4)}),
        ("mlp", {"epochs": np.int64(1), "hidden": np.int64(8), "seed": np.int64(7), "device": "cpu"}),
        ("gru", {"epochs": 1, "hidden": np.int64(8), "layers": np.int64(1), "seed": LAST_SEED, "device": "cpu"}),
    ],
)
def test_whole_numbers_of_numpy_and_the_last_seed_are_taken(name: str, settings: dict[str, object]) -> None:
    detector = DETECTORS.get(name)(**settings)
    plain = DETECTORS.get(name)(**{one: value if one == "device" else int(value) for one, value in settings.items()})
    X = normal_series(rows=120)
    for one in (detector, plain):
        one.fit(*training_rows(one, X))
    np.testing.assert_array_equal(detector.score_samples(X), plain.score_samples(X))
