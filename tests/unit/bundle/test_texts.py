"""Texts that a detector learned come back as they were: names of classes above all."""

from __future__ import annotations

import numpy as np

from redshank.bundle import load, save
from redshank.core import Frame
from redshank.detectors.classical.decision_tree import DecisionTreeDetector
from redshank.pipeline import Pipeline
from redshank.testing import labelled_series, normal_series, odd_series


def test_texts_of_any_shape_survive_a_model_file(tmp_path) -> None:
    pipeline = Pipeline("pca").fit(Frame.of(normal_series(rows=800), interval_s=60.0))
    learned = {
        "one_": np.array("ä b"),
        "several_": np.array(["normal", "two words"]),
        "none_": np.empty(0, "<U3"),
        "table_": np.array([["a", ""], ["c", "d"]]),
    }
    pipeline.scorer_.detectors[0].restore(learned)
    state = load(save(pipeline, tmp_path / "m.redshank")).scorer_.detectors[0].state()
    for name, value in learned.items():
        assert state[name].dtype.kind == "U"
        assert state[name].shape == value.shape
        assert state[name].tolist() == value.tolist()


def test_a_classifier_names_and_scores_the_same_after_a_model_file(tmp_path) -> None:
    X, names = labelled_series(rows=800)
    pipeline = Pipeline(DecisionTreeDetector()).fit(Frame.of(X, interval_s=60.0), names)
    again = load(save(pipeline, tmp_path / "m.redshank"))
    test = Frame.of(odd_series(1)[0], interval_s=60.0)
    np.testing.assert_array_equal(again.predict(test).score, pipeline.predict(test).score)
    one, other = pipeline.scorer_.detectors[0], again.scorer_.detectors[0]
    assert isinstance(one, DecisionTreeDetector)
    assert isinstance(other, DecisionTreeDetector)
    assert other.classes_.tolist() == ["normal", "all up", "one up"]
    np.testing.assert_array_equal(one.kinds(X), other.kinds(X))
