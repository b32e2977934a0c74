"""From the active joblib backend to an executor."""

from __future__ import annotations

from typing import Any

from joblib.parallel import LokyBackend, SequentialBackend, ThreadingBackend
from sklearn.utils.parallel import delayed

from skpg.evaluation.workers.executors import (
    Batches,
    Event,
    Executor,
    FitFunction,
    Job,
    Serial,
    Threads,
    run,
)
from skpg.evaluation.workers.loky import Loky
from skpg.evaluation.workers.transfer import pack_job, pack_outcome, unpack_event, unpack_job


def takes_single_jobs(parallel: Any) -> bool:
    """Return whether the backend of a `Parallel` takes jobs one by one, and not in batches only.

    Parameters
    ----------
    parallel : joblib.Parallel
        Entered as a context manager, so that its backend is ready.
    """
    backend = parallel._backend
    one_by_one = isinstance(backend, LokyBackend | SequentialBackend | ThreadingBackend)
    alone = backend.effective_n_jobs(parallel.n_jobs) == 1
    return one_by_one or alone or hasattr(backend, "client")


def executor_of(parallel: Any, task: FitFunction, *, raced: bool) -> Executor:
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
        from skpg.evaluation.workers.dask import Dask  # needs distributed

        return Dask(task, backend.client)
    slots = backend.effective_n_jobs(parallel.n_jobs)
    if slots == 1 or isinstance(backend, SequentialBackend):
        return Serial(task)
    if isinstance(backend, ThreadingBackend):
        return Threads(task, slots)
    if isinstance(backend, LokyBackend):
        return Loky(task, backend, slots, _temp_folder(parallel))

    def run_batch(jobs: list[Job]) -> list[Event]:
        answers = parallel([delayed(_run_in_worker)(task, pack_job(job)) for job in jobs])
        return [unpack_event(*pair) for pair in zip(jobs, answers, strict=True)]

    return Batches(run_batch, slots if raced else float("inf"))


def _temp_folder(parallel: Any) -> str | None:
    """Return the folder that the user told joblib to use, if any."""
    # its name until joblib 1.4, and from 1.5
    settings = getattr(parallel, "_backend_args", None) or parallel._backend_kwargs
    return settings["temp_folder"]


def _run_in_worker(task: FitFunction, packed: bytes) -> bytes:
    return pack_outcome(lambda: run(task, unpack_job(packed)))
