"""Fits in worker processes of this machine, on joblib's loky backend."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from joblib import cpu_count, parallel_config
from joblib.externals.loky.process_executor import TerminatedWorkerError
from sklearn import config_context, get_config

from skpg.evaluation.outcome import Outcome
from skpg.evaluation.workers.executors import (
    GRACE,
    Event,
    FitFunction,
    Futures,
    Job,
    WorkerDiedError,
    run,
)
from skpg.evaluation.workers.folder import Folder, dump, read, restored
from skpg.evaluation.workers.pool import Pool
from skpg.evaluation.workers.time_limit import CandidateTimeoutError
from skpg.evaluation.workers.transfer import pack_job, pack_outcome, unpack_event, unpack_job


class Loky(Futures):
    """Worker processes like those of joblib's loky backend, replaced when one dies or hangs.

    What all jobs have in common, such as the data, is written to a file once, and mapped
    into the memory of each worker once.

    Parameters
    ----------
    task : callable
    backend : joblib's LokyBackend
        Configured.
    slots : int
        Number of workers.
    temp_folder : str or None
        Where to write the data; None leaves that to joblib's rules.
    """

    def __init__(self, task: FitFunction, backend: Any, slots: int, temp_folder: str | None):
        super().__init__(slots)
        self._backend = backend
        self._pool: Pool | None = None
        settings = {
            "config": get_config(),
            "filters": list(warnings.filters),
            "nested": backend.get_nested_backend(),
            "cpus": max(1, cpu_count() // slots),
        }
        self._folder = Folder(temp_folder)
        try:
            dump((task, settings), self._folder.path / "task")
        except BaseException:
            self.close()
            raise

    def abandon(self) -> None:
        """End the workers, unless they are idle."""
        if self._running:
            self._running.clear()
            self._end_workers()

    def close(self) -> None:
        """Remove the data, and leave the workers to the next search."""
        self._folder.remove()
        self.abandon()
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.leave()

    def _end_workers(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.end()

    def _start(self, job: Job) -> Any:
        self._stamp(job).unlink(missing_ok=True)
        if self._pool is None:
            self._pool = Pool.take(self._backend, int(self.slots))
        # Pickled here and not in the thread of the pool: what a job refers to may change.
        packed = pack_job(job, self._folder.replaced)
        try:
            return self._pool.submit(_run_in_worker, str(self._folder.path), packed)
        except BrokenProcessPool as error:  # a worker died while it was idle
            future: Future[bytes] = Future()
            future.set_exception(error)
            return future

    def _error_of(self, future: Any) -> BaseException | None:
        error = future.exception()
        return WorkerDiedError() if isinstance(error, TerminatedWorkerError) else error

    def _event_of(self, job: Job, future: Any) -> Event:
        return unpack_event(job, future.result())

    def _died(self, job: Job) -> list[Event]:
        # The pool ends as a whole. Who was guilty is not known.
        futures, self._running = self._running, {}
        events = [Event(job, error=WorkerDiedError())]
        for future, other in futures.items():
            if future.done() and not future.exception():
                events.append(self._event_of(other, future))
            else:
                events.append(Event(other, error=WorkerDiedError()))
        self._end_workers()
        return events

    def _overdue(self) -> list[Event]:
        late = {future: job for future, job in self._running.items() if self._is_late(future, job)}
        if not late:
            return []
        others = {future: job for future, job in self._running.items() if future not in late}
        self._running = {future: job for future, job in others.items() if future.done()}
        self._end_workers()
        for future, job in others.items():
            if future not in self._running:
                self.submit(job)
        return [Event(job, error=CandidateTimeoutError()) for job in late.values()]

    def _is_late(self, future: Any, job: Job) -> bool:
        if job.seconds is None or future.done():
            return False
        try:
            start = self._stamp(job).stat().st_mtime
        except FileNotFoundError:  # the worker is not yet there
            return False
        return time.time() - start > job.seconds + GRACE

    def _stamp(self, job: Job) -> Path:
        """Return the path of the file that tells since when a job runs."""
        return _stamp(self._folder.path, job)


def _stamp(folder: Path, job: Job) -> Path:
    return folder / f"{job.candidate}-{job.fold}"


def _run_in_worker(folder: str, packed: bytes) -> bytes:
    return pack_outcome(lambda: _run(folder, packed))


def _run(folder: str, packed: bytes) -> Outcome:
    task, settings = read(folder, "task")
    job = unpack_job(packed, partial(restored, folder))
    if job.seconds is not None:
        _stamp(Path(folder), job).touch()
    with _as_in_parent(**settings):
        return run(task, job)


@contextmanager
def _as_in_parent(
    config: dict[str, Any], filters: list[Any], nested: tuple[Any, int | None], cpus: int
) -> Iterator[None]:
    """Lend a worker the parent's settings, and its share of the processors."""
    backend, n_jobs = nested
    before = os.environ.get("LOKY_MAX_CPU_COUNT")
    os.environ["LOKY_MAX_CPU_COUNT"] = str(cpus)  # what n_jobs=-1 means inside
    try:
        with (
            config_context(**config),
            parallel_config(backend=backend, n_jobs=n_jobs),
            warnings.catch_warnings(),
        ):
            warnings.resetwarnings()
            for action, message, category, module, line in reversed(filters):
                warnings.filterwarnings(action, _pattern(message), category, _pattern(module), line)
            yield
    finally:
        if before is None:
            del os.environ["LOKY_MAX_CPU_COUNT"]
        else:
            os.environ["LOKY_MAX_CPU_COUNT"] = before


def _pattern(regex: Any) -> str:
    return getattr(regex, "pattern", regex) or ""
