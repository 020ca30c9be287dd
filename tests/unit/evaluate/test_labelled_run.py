"""Runs of detectors that learn from labels: who is told, the classes in the record, splits that leave an attack out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.fixtures.classifiers import NearestMean
from tests.unit.pipeline.test_labelled import BUDGET, EVERYWHERE, plant

from redshank.core import InputError
from redshank.data import Dataset, labels_of
from redshank.evaluate import records
from redshank.evaluate.metrics.classes import class_report
from redshank.evaluate.protocols import leave_one_attack_out, splits_of
from redshank.evaluate.run import evaluate_run
from redshank.pipeline import Pipeline


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    frame, kinds = plant(odd=EVERYWHERE)
    y = (kinds != "normal").astype(np.int8)
    return Dataset("plant", frame, y, labels=labels_of(frame, y, kinds=kinds), kinds=kinds)


@pytest.fixture(scope="module")
def record(dataset) -> records.Record:
    return next(evaluate_run(dataset, NearestMean(), budget=BUDGET))


def test_the_record_says_who_was_told(record, dataset):
    assert record["labelled"] is True
    assert next(evaluate_run(dataset, "pca", budget=BUDGET))["labelled"] is False


def test_classes_are_those_of_the_pipeline(record, dataset):
    (split,) = splits_of(dataset)
    pipeline = Pipeline(NearestMean(), budget=BUDGET)
    pipeline.fit(dataset.frame.take(split.train), dataset.kinds[split.train])
    analysis = pipeline.analyse(dataset.frame.take(split.test), history=dataset.frame.take(split.train))
    wanted = class_report(analysis.kinds, dataset.kinds[split.test], ["normal", "flood", "leak"])
    assert record["classes"]["names"] == ["normal", "flood", "leak"]
    assert record["classes"]["matrix"] == wanted.matrix.tolist()
    assert np.sum(record["classes"]["matrix"]) == split.test.sum()
    assert record["classes"]["rows"] == wanted.support.tolist()
    assert record["measures"]["macro F1 of kinds"] == record["classes"]["macro F1 of kinds"] == wanted.macro_f1 > 0.9
    assert record["measures"]["accuracy of kinds"] == wanted.accuracy
    assert records.plain(record)["classes"]["matrix"] == wanted.matrix.tolist()


def test_marks_alone_are_two_classes(dataset):
    record = next(evaluate_run(replace(dataset, kinds=None, labels=()), NearestMean(), budget=BUDGET))
    assert record["classes"]["names"] == ["normal", "anomaly"]


def test_an_attack_that_was_left_out(dataset):
    splits = leave_one_attack_out(dataset, labelled=True)
    assert [split.left_out for split in splits] == ["flood", "leak"]
    for split in splits:
        assert split.left_out not in set(dataset.kinds[split.train])
        assert len(set(dataset.kinds[split.train])) == 2
        assert set(dataset.kinds[split.test]) == {"normal", split.left_out}
    for plain, told in zip(leave_one_attack_out(dataset), splits, strict=True):
        np.testing.assert_array_equal(plain.test, told.test)
        assert set(dataset.kinds[plain.train]) == {"normal"}
    found = list(evaluate_run(dataset, NearestMean(), protocol="leave one attack out", budget=BUDGET))
    assert [record["split"]["train_anomalous_rows"] > 0 for record in found] == [True, True]
    assert "flood" in found[0]["classes"]["names"]
    assert found[0]["classes"]["recall"][1] == 0.0


def test_without_labels_there_is_nothing_to_learn(dataset):
    with pytest.raises(InputError, match="learns from labels"):
        evaluate_run(Dataset("plain", dataset.frame), NearestMean())
    calm = replace(dataset, train=np.arange(len(dataset)) < 50)
    with pytest.raises(InputError, match="none of the 50 labelled training rows is anomalous"):
        next(evaluate_run(calm, NearestMean()))
