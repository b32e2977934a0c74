"""From the active joblib backend to an executor."""

from __future__ import annotations

from typing import Any

from joblib.parallel import LokyBackend, SequentialBackend, ThreadingBackend
from sklearn.utils.parallel import delayed

from skpg._executors import Batches, Executor, Job, Outcome, Serial, Task, Threads, run
from skpg._loky import Loky


def executor_of(parallel: Any, task: Task, *, raced: bool) -> Executor:
    """Return an executor on the workers that a `Parallel` would use.

    Parameters
    ----------
    parallel : joblib.Parallel
        Entered as a context manager, so that its backend is ready.
    task : callable
        From a job to its outcome.
    raced : bool
        Whether folds wait for the outcomes of others.
    """
    backend = parallel._backend
    if hasattr(backend, "client"):
        from skpg._dask import Dask  # needs distributed

        return Dask(task, backend.client)
    slots = backend.effective_n_jobs(parallel.n_jobs)
    if slots == 1 or isinstance(backend, SequentialBackend):
        return Serial(task)
    if isinstance(backend, ThreadingBackend):
        return Threads(task, slots)
    if isinstance(backend, LokyBackend):
        return Loky(task, backend, slots)

    def submit_batch(jobs: list[Job]) -> list[Outcome]:
        return list(parallel([delayed(run)(task, job) for job in jobs]))

    return Batches(submit_batch, slots if raced else float("inf"))
