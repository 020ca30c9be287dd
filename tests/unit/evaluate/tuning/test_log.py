"""The log: one line a trial, whole or not at all, and none of another search."""

from __future__ import annotations

import json
import math

import pytest

from redshank.core import InputError
from redshank.evaluate.records import SCHEMA, append
from redshank.evaluate.tuning.log import Log, Trial, Value, best_of, mean_over_data

STUDY = {"detector": "pca", "data": [{"name": "pump", "role": "searched", "rows": 5, "fingerprint": "ab"}], "seed": 0}


def trial(number: int, score: float = 0.5, **settings) -> Trial:
    values = (Value("pump", 0, "", score, 0.1),) if math.isfinite(score) else ()
    return Trial(number, settings, score, values, 1.5, reason="" if values else "too large")


def test_a_log_comes_back_as_it_was_written(tmp_path):
    path = tmp_path / "log.jsonl"
    log = Log(STUDY, path)
    trials = [trial(0, lags=(5, 30), window=None), trial(1, math.nan, lags=(5,), window=3)]
    for one in trials:
        log.add(one)
    log.judge(trials[0])
    again = Log(STUDY, path)
    assert again.found == 2
    assert [one.key for one in again.trials] == [one.key for one in trials]
    assert again.trials[0] == trials[0]
    assert again.trials[0].settings["lags"] == (5, 30)
    assert math.isnan(again.trials[1].score)
    assert again.trials[1].reason == "too large"
    assert again.judged == [trials[0]]
    assert again.known({"window": None, "lags": (5, 30)}, again.trials) == trials[0]
    assert again.known({"window": 4, "lags": (5, 30)}, again.trials) is None


def test_every_line_says_when_and_with_what_it_was_made(tmp_path):
    path = tmp_path / "log.jsonl"
    Log(STUDY, path, "redshank tune pump.csv").add(trial(0, window=3))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["study", "trial"]
    for line in lines:
        assert line["schema"] == SCHEMA
        assert {"versions", "date", "git", "machine"} <= set(line)
        assert line["command"] == "redshank tune pump.csv"


@pytest.mark.parametrize("cut", [1, 10, 60])
def test_a_line_that_was_cut_short_is_the_only_loss(tmp_path, cut):
    path = tmp_path / "log.jsonl"
    log = Log(STUDY, path)
    for k in range(3):
        log.add(trial(k, window=k))
    path.write_bytes(path.read_bytes()[:-cut])
    again = Log(STUDY, path)
    assert [one.number for one in again.trials] == [0, 1]
    again.add(trial(2, window=2))
    assert [one.number for one in Log(STUDY, path).trials] == [0, 1, 2]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"detector": "ridge"}, 'its detector is "pca", here it is "ridge"'),
        ({"seed": 1}, "its seed is 0, here it is 1"),
        (
            {"data": [{**STUDY["data"][0], "fingerprint": "cd"}]},
            r"pump \(searched, ab\), here it is pump \(searched, cd\)",
        ),
    ],
)
def test_the_log_of_another_search_is_refused(tmp_path, change, said):
    Log(STUDY, tmp_path / "log.jsonl")
    with pytest.raises(InputError, match=said):
        Log(STUDY | change, tmp_path / "log.jsonl")


def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path):
    runs, text = tmp_path / "runs.jsonl", tmp_path / "notes.txt"
    append(runs, {"schema": SCHEMA, "kind": "run"})
    text.write_text("not a log")
    for path in (runs, text):
        before = path.read_bytes()
        with pytest.raises(InputError, match="name another file"):
            Log(STUDY, path)
        assert path.read_bytes() == before


def test_an_empty_file_is_begun(tmp_path):
    (tmp_path / "log.jsonl").touch()
    Log(STUDY, tmp_path / "log.jsonl").add(trial(0))
    assert Log(STUDY, tmp_path / "log.jsonl").found == 1


def test_the_default_has_to_be_beaten():
    assert best_of([trial(0, 0.5), trial(1, math.nan), trial(2, 0.5)]).number == 0


def test_a_data_set_with_many_folds_weighs_no_more():
    values = [Value("a", k, "", 0.2, 0.0) for k in range(9)] + [Value("b", 0, "", 0.8, 0.0)]
    assert mean_over_data(values) == pytest.approx(0.5)
