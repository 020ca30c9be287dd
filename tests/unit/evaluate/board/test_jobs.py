"""Jobs run in workers; one that fails or hangs is a record that says so; a second call does only what is missing."""

from __future__ import annotations

import math
import sys

import pytest

from redshank.core import SettingError
from redshank.evaluate.board import Job, run_jobs
from redshank.evaluate.board.jobs import DONE, FAILED, LATE, OF_JOB, outcome
from redshank.evaluate.records import read

WORK = "tests.fixtures.board_work"


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log"


def doubles(log, numbers, **options):
    return [
        Job("doubling", f"{number} twice", f"{WORK}:double", {"number": number, "log": str(log)}, **options)
        for number in numbers
    ]


def rows(records):
    return [one for one in records if one["kind"] == "board"]


def test_records_come_in_the_order_of_the_jobs_and_are_kept(tmp_path, log):
    parts = []
    kept = tmp_path / "kept.jsonl"
    records = run_jobs(doubles(log, range(5)), record=kept, workers=2, progress=parts.append)
    assert [one["measures"]["double"] for one in rows(records)] == [0, 2, 4, 6, 8]
    assert {one["status"] for one in rows(records)} == {DONE}
    assert len({one["process"] for one in rows(records)}) <= 2
    assert parts == sorted(parts)
    assert parts[-1] == pytest.approx(1.0)
    (settings,) = [one for one in records if one["kind"] == "board environment"]
    assert {one["run"] for one in rows(records)} == {settings["run"]}
    assert settings["versions"]["numpy"]
    assert str(tmp_path) not in str(settings)
    assert sorted(one["job"] for one in rows(read(kept))) == [f"{number} twice" for number in range(5)]
    assert all(math.isnan(one["measures"]["undefined"]) for one in rows(read(kept)))


def test_what_is_there_is_not_done_again(tmp_path, log):
    kept = tmp_path / "kept.jsonl"
    run_jobs(doubles(log, [1, 2]), record=kept, workers=1)
    again = run_jobs(doubles(log, [1, 2, 3]), record=kept, workers=1)
    assert log.read_text().split() == ["1", "2", "3"]
    assert [one["measures"]["double"] for one in rows(again)] == [2, 4, 6]
    assert len([one for one in again if one["kind"] == "board environment"]) == 2
    before = kept.read_bytes()
    assert rows(run_jobs(doubles(log, [1, 2, 3]), record=kept)) == rows(read(kept))
    assert kept.read_bytes() == before


def test_other_arguments_are_another_job(tmp_path, log):
    kept = tmp_path / "kept.jsonl"
    run_jobs([Job("b", "one", f"{WORK}:double", {"number": 1, "log": str(log)})], record=kept, workers=1)
    (found,) = rows(
        run_jobs([Job("b", "one", f"{WORK}:double", {"number": 5, "log": str(log)})], record=kept, workers=1)
    )
    assert found["measures"]["double"] == 10


def test_what_fails_is_a_record_and_does_not_stop_the_others(tmp_path, log):
    kept = tmp_path / "kept.jsonl"
    jobs = [
        Job("b", "broken", f"{WORK}:broken", {"why": "no such channel"}),
        Job("b", "gone", f"{WORK}:gone", {}),
        Job("b", "hangs", f"{WORK}:endless", {}, limit_s=0.2),
        Job("b", "missing", "tests.fixtures.no_such_module:work", {}),
        *doubles(log, [4]),
    ]
    broken, gone, hangs, missing, good = rows(run_jobs(jobs, record=kept, workers=1))
    assert (broken["status"], broken["reason"]) == (FAILED, "ValueError: no such channel")
    assert gone["status"] == FAILED
    assert "exit code 7" in gone["reason"]
    assert (hangs["status"], hangs["reason"]) == (LATE, "stopped after 0.2 s")
    assert "no_such_module" in missing["reason"]
    assert good["measures"]["double"] == 8
    again = rows(run_jobs([jobs[0], jobs[-1]], record=kept, workers=1))
    assert [one["status"] for one in again] == [FAILED, DONE]
    assert log.read_text().split() == ["4"], "what failed is tried again, what was done is not"


def test_workers_have_one_thread_and_the_environment_given(monkeypatch):
    monkeypatch.delenv("BOARD_TEST", raising=False)
    (found,) = rows(run_jobs([Job("b", "loud", f"{WORK}:loud", {})], workers=1, environ={"BOARD_TEST": "here"}))
    assert (found["threads"], found["folder"]) == ("1", "here")
    assert found["warnings"] == ["RuntimeWarning: not converged"]
    assert "BOARD_TEST" not in __import__("os").environ


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the peak is that of the process")
def test_the_peak_is_that_of_the_job():
    large, small = (outcome(f"{WORK}:greedy", {"mib": mib}) for mib in (200, 1))
    assert large["peak_of"] == small["peak_of"] == OF_JOB
    assert large["peak_mib"] - small["peak_mib"] > 150
    assert large["peak_mib"] - large["before_mib"] > 150


def test_at_least_one_worker():
    with pytest.raises(SettingError, match="workers"):
        run_jobs([], workers=0)
    assert rows(run_jobs([])) == []
