"""Many small jobs in worker processes, each with a time limit, each a record as soon as it is done.

A board is a list of jobs and a table made of their records. What is here knows nothing of detectors: it runs, stops,
resumes and writes down.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import multiprocessing
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from redshank.core import check_range
from redshank.evaluate.records import SCHEMA, Record, append, environment, peak_mib, plain, read

DONE, FAILED, LATE = "done", "failed", "out of time"
"""What may stand as the status of a record."""
ROW, SETTING = "board", "board environment"
"""Kinds of record: one of a job, and one a call with versions, machine and command."""
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
"""What tells the libraries of a worker to keep to one thread: as many workers as cores, not more threads."""
REASON_SIGNS = 300
"""Longest reason that a record holds."""
WARNINGS = 3
"""Most different warnings of a job that its record holds."""
OF_JOB, OF_PROCESS = "of the job", "of the process so far"
"""Whose largest memory it is: where the system cannot start anew (elsewhere than on Linux), that of the process."""


@dataclass(frozen=True)
class Job:
    """One piece of work for a worker process.

    Parameters
    ----------
    board : str
        The table that it belongs to.
    name : str
        What it is, for people; with ``arguments`` and ``board`` it says which record is its own.
    work : str
        ``"module:function"`` that is called with ``arguments`` and returns a mapping of plain values, which become
        fields of the record. Null under ``"measures"`` is read back as NaN.
    arguments : mapping
        Plain values as JSON knows them.
    limit_s : float, default=600.0
        Wall seconds after which the worker is ended.
    cost_s : float, default=1.0
        Seconds that it will take, roughly: what the progress is measured in.
    """

    board: str
    name: str
    work: str
    arguments: Mapping[str, Any]
    limit_s: float = 600.0
    cost_s: float = 1.0

    def owns(self, record: Record) -> bool:
        """Whether a record is of this job with these arguments."""
        own = (self.board, self.name, plain(self.arguments))
        return own == (record.get("board"), record.get("job"), record.get("arguments"))


def run_jobs(
    jobs: Sequence[Job],
    *,
    record: Path | None = None,
    workers: int = 2,
    environ: Mapping[str, str] | None = None,
    progress: Callable[[float], None] | None = None,
) -> list[Record]:
    """Run what has not been done yet, and give the record of every job, in the order of the jobs.

    Parameters
    ----------
    jobs : sequence of Job
        In the order in which they are begun.
    record : Path, optional
        Records are added to this file one by one. A job whose last record there says ``"done"`` is not run again; one
        that failed or ran out of time is.
    workers : int, default=2
        Processes; each lives through many jobs, so what a job has cached serves the next one.
    environ : mapping of str to str, optional
        Environment variables of the workers, beside :data:`ONE_THREAD`.
    progress : callable, optional
        Called with the part done, 0 to 1, by ``cost_s``.

    Returns
    -------
    list of dict
        The environment of each call that made one of the records, then one record a job: ``kind``, ``board``,
        ``job``, ``arguments``, ``status`` (:data:`DONE`, :data:`FAILED` or :data:`LATE`), ``reason``, ``wall_s``,
        ``job_cpu_s``, ``peak_mib`` and ``peak_of`` (the worker's resident memory at its largest during the job,
        interpreter and libraries included), ``before_mib`` (what of it was there before), ``warnings``, ``run``, and
        what the work returned.

    Raises
    ------
    SettingError
        If ``workers`` is below 1.
    InputError
        If the file cannot be read.
    """
    check_range("run_jobs", "workers", workers, low=1)
    known = read(record) if record is not None and record.exists() else []
    made = {(one["board"], one["job"]): one for one in known if one.get("kind") == ROW}
    found: dict[int, Record] = {}
    for place, job in enumerate(jobs):
        own = made.get((job.board, job.name))
        if own is not None and own["status"] == DONE and job.owns(own):
            found[place] = own
    here: Record = {"schema": SCHEMA, "kind": SETTING, **environment()}
    here["run"] = f"{here['date']} {os.getpid()}"
    left = [place for place in range(len(jobs)) if place not in found]
    if left and record is not None:
        append(record, here)
    whole = sum(job.cost_s for job in jobs)
    spent = whole - sum(jobs[place].cost_s for place in left)
    for place, came in _results([(place, jobs[place]) for place in left], workers, environ or {}):
        job = jobs[place]
        own = {"schema": SCHEMA, "kind": ROW, "board": job.board, "job": job.name}
        found[place] = own | {"arguments": plain(job.arguments), "run": here["run"], **came}
        if record is not None:
            append(record, found[place])
        spent += job.cost_s
        if progress is not None:
            progress(min(spent / whole, 1.0))
    runs = {one["run"] for one in found.values()}
    settings = [one for one in [*known, here] if one.get("kind") == SETTING and one["run"] in runs]
    return [*settings, *(found[place] for place in range(len(jobs)))]


@dataclass
class _Worker:
    """A process that does one job after the other, and what it is at."""

    process: SpawnProcess
    connection: Connection
    place: int = -1
    until: float = 0.0
    begun: float = field(default=0.0)

    def give(self, place: int, job: Job) -> None:
        self.place, self.begun = place, time.monotonic()
        self.until = self.begun + job.limit_s
        self.connection.send((job.work, dict(job.arguments)))

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


def _results(
    jobs: Sequence[tuple[int, Job]], workers: int, environ: Mapping[str, str]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Place and outcome of each job as it is done; workers are ended when the caller stops asking."""
    waiting = list(reversed(jobs))
    limits = {place: job.limit_s for place, job in jobs}
    idle: list[_Worker] = []
    busy: list[_Worker] = []
    try:
        while waiting or busy:
            while waiting and len(busy) < workers:
                worker = idle.pop() if idle else _start(environ)
                busy.append(worker)
                worker.give(*waiting.pop())
            soonest = min(worker.until for worker in busy)
            ready = wait([worker.connection for worker in busy], max(soonest - time.monotonic(), 0.0))
            for worker in list(busy):
                if worker.connection in ready:
                    came = _received(worker)
                elif time.monotonic() >= worker.until:
                    limit = limits[worker.place]
                    came = _failure(LATE, f"stopped after {limit:g} s", time.monotonic() - worker.begun)
                else:
                    continue
                busy.remove(worker)
                if "ended" in came or came["status"] == LATE:
                    came.pop("ended", None)
                    worker.end()
                else:
                    idle.append(worker)
                yield worker.place, came
    finally:
        for worker in [*idle, *busy]:
            worker.end()


def _received(worker: _Worker) -> dict[str, Any]:
    try:
        came: dict[str, Any] = worker.connection.recv()
    except (EOFError, ConnectionResetError):  # killed by the system, for want of memory as a rule
        worker.process.join()
        seconds = time.monotonic() - worker.begun
        return _failure(FAILED, f"the worker ended with exit code {worker.process.exitcode}", seconds) | {"ended": True}
    return came


def _failure(status: str, reason: str, wall_s: float) -> dict[str, Any]:
    return {"status": status, "reason": reason[:REASON_SIGNS], "wall_s": round(wall_s, 3)}


def _start(environ: Mapping[str, str]) -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with _environ({**dict.fromkeys(ONE_THREAD, "1"), **environ}):
        process = context.Process(target=serve, args=(theirs,), daemon=True)
        process.start()
    theirs.close()
    return _Worker(process, ours)


@contextmanager
def _environ(more: Mapping[str, str]) -> Iterator[None]:
    """Variables that a process started inside has, put back afterwards."""
    before = {name: os.environ.get(name) for name in more}
    os.environ.update(more)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def serve(connection: Connection) -> None:
    """What a worker does: jobs as they come, until nobody gives any more."""
    while True:
        try:
            work, arguments = connection.recv()
        except EOFError:
            return
        connection.send(outcome(work, arguments))


def outcome(work: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Do a job here: its status, seconds, memory and warnings, with what it returned."""
    anew = _forget_peak()
    before = _peak(anew)
    start, cpu = time.monotonic(), time.process_time()
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("default")
        try:
            module, _, name = work.partition(":")
            result = getattr(importlib.import_module(module), name)(**arguments)
            found = {"status": DONE, "reason": "", "wall_s": round(time.monotonic() - start, 3), **result}
        except Exception as error:  # noqa: BLE001 - whatever goes wrong in a job is the reason in its row
            found = _failure(FAILED, f"{type(error).__name__}: {error}", time.monotonic() - start)
    said = list(dict.fromkeys(f"{one.category.__name__}: {one.message}"[:REASON_SIGNS] for one in heard))
    own = {
        "job_cpu_s": round(time.process_time() - cpu, 3),
        "peak_mib": _peak(anew),
        "before_mib": before,
        "peak_of": OF_JOB if anew else OF_PROCESS,
        "warnings": said[:WARNINGS],
    }
    return found | own


def _forget_peak() -> bool:
    """Give freed memory back and let the largest resident size start anew; False where the system cannot."""
    gc.collect()
    if sys.platform != "linux":
        return False
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # is there with glibc
    if trim is not None:
        trim(0)
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


def _peak(anew: bool) -> float:
    if not anew:
        return peak_mib()
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return round(int(next(line for line in status if line.startswith("VmHWM")).split()[1]) / 1024, 1)
