"""Boards: many jobs in worker processes, their records, and one table of them."""

from redshank.evaluate.board.jobs import Job, run_jobs

__all__ = ["Job", "run_jobs"]
