"""Nothing of the rows kept from a search reaches it, and no judged row is fitted to; and the check can tell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.fixtures.tuned import data
from tests.integration.test_no_leak import SENTINEL, contaminated, spied

from redshank.data import Dataset
from redshank.evaluate.tuning import exam, tune
from redshank.pipeline import Pipeline

__all__ = ["spied"]
SPACE = {"window": [5]}
FIRST = 1050
"""Rows of 1,500 that the search sees."""


def spoiled(whole: Dataset) -> Dataset:
    """Absurd values in every row that is kept from the search."""
    values = whole.frame.values.copy()
    values[FIRST:] = SENTINEL + np.random.default_rng(0).normal(0, SENTINEL / 20, values[FIRST:].shape)
    return replace(whole, frame=replace(whole.frame, values=values))


def published(whole: Dataset) -> Dataset:
    return replace(whole, train=np.arange(len(whole)) < FIRST)


HOLD_OUT = {"protocol": "chronological hold-out"}
CASES = {
    "known anomalies": (data(), {}),
    "labels put aside": (data(), {"label_free": True, **HOLD_OUT}),
    "no labels": (data(anomalies=False), HOLD_OUT),
    "published division": (published(data()), HOLD_OUT),
    "rows at random": (data(), {"protocol": "random k-fold"}),
}


@pytest.mark.parametrize("case", list(CASES))
def test_unseen_rows_change_nothing_but_the_judgement_in_the_end(case, spied):
    seen, _ = spied
    whole, options = CASES[case]
    clean = tune(whole, "moving_average", SPACE, **options)
    seen.clear()
    odd = tune(spoiled(whole), "moving_average", SPACE, **options)
    assert seen, "the spy sees all that is fitted"
    assert contaminated(seen) == set()
    assert [one.values for one in map(timeless, odd.trials)] == [one.values for one in map(timeless, clean.trials)]
    assert odd.best.settings == clean.best.settings
    rows = [{one["role"]: one["fingerprint"] for one in found.study["data"]} for found in (clean, odd)]
    assert rows[0]["searched"] == rows[1]["searched"]
    assert rows[0]["judged in the end"] != rows[1]["judged in the end"], "the sentinel was there"


def timeless(trial):
    return replace(trial, values=tuple(replace(one, seconds=0.0) for one in trial.values))


@pytest.mark.parametrize("case", list(CASES))
def test_no_row_is_fitted_to_and_judged_and_nothing_planted_is_fitted_to(case, monkeypatch):
    whole, options = CASES[case]
    known = dict(zip(whole.frame.time_ns.tolist(), whole.frame.values.tolist(), strict=True))
    fitted: list[set[int]] = []
    pairs = []
    fit, analyse = Pipeline.fit, Pipeline.analyse

    def spy_fit(self, frame, *arguments, **given):
        fitted.append(set(frame.time_ns.tolist()))
        assert all(known[t] == row for t, row in zip(frame.time_ns.tolist(), frame.values.tolist(), strict=True))
        return fit(self, frame, *arguments, **given)

    def spy_analyse(self, frame, **given):
        pairs.append((fitted[-1], set(frame.time_ns.tolist())))
        return analyse(self, frame, **given)

    monkeypatch.setattr(Pipeline, "fit", spy_fit)
    monkeypatch.setattr(Pipeline, "analyse", spy_analyse)
    found = tune(whole, "moving_average", SPACE, **options)
    count = sum(len(one.values) for one in (*found.trials, *found.judged))
    assert len(pairs) == len(fitted) == count
    assert all(not learned & judged for learned, judged in pairs)
    last = set(whole.frame.time_ns[FIRST:].tolist())
    search = len(pairs) - sum(len(one.values) for one in found.judged)
    assert all(not (learned | judged) & last for learned, judged in pairs[:search])
    assert all(not learned & last and judged == last for learned, judged in pairs[search:])


def test_the_check_finds_a_leak(monkeypatch, spied):
    """A search over all rows, as if nothing had been kept from it."""
    seen, _ = spied
    monkeypatch.setattr(exam, "only", lambda dataset, rows: replace(dataset, train=None))
    tune(spoiled(data()), "moving_average", SPACE)
    assert {"Pipeline", "Scaler", "QualityChecks"} <= contaminated(seen)
