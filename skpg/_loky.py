"""Fits in the worker processes that joblib's loky backend keeps."""

from __future__ import annotations

import mmap
import os
import pickle
import shutil
import signal
import tempfile
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from joblib import cpu_count, parallel_config

# cloudpickle, which joblib brings along, from 1.6 as a dependency
from joblib.externals.loky.cloudpickle_wrapper import dumps
from joblib.externals.loky.process_executor import TerminatedWorkerError
from sklearn import config_context, get_config

from skpg._executors import GRACE, Event, Futures, Job, Outcome, Task, WorkerDiedError, run
from skpg._time_limit import CandidateTimeoutError

# Arrays in the shared file begin at multiples of this many bytes.
ALIGNMENT = 64


class Loky(Futures):
    """The workers of joblib's loky backend, replaced when one dies or hangs.

    What all jobs have in common, such as the data, is written to a file once, and mapped
    into the memory of each worker once.

    Parameters
    ----------
    task : callable
    backend : joblib's LokyBackend
        Configured.
    slots : int
        Number of workers.
    """

    def __init__(self, task: Task, backend: Any, slots: int):
        super().__init__(slots)
        self._backend = backend
        self._folder = Path(tempfile.mkdtemp(prefix="skpg-", dir=os.getenv("JOBLIB_TEMP_FOLDER")))
        settings = {
            "config": get_config(),
            "filters": list(warnings.filters),
            "nested": backend.get_nested_backend(),
            "cpus": max(1, cpu_count() // slots),
        }
        dump((task, settings), self._folder / "task")

    def abandon(self) -> None:
        """End the workers, unless they are idle."""
        if self._running:
            self._running.clear()
            self._backend.abort_everything(ensure_ready=True)

    def close(self) -> None:
        """Remove the file. The workers stay, for whoever uses joblib next."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, job: Job) -> Any:
        self._stamp(job).unlink(missing_ok=True)
        # Pickled here and not in the thread of the pool: what a job refers to may change.
        pickled = dumps(job)
        try:
            return self._backend._workers.submit(_run_in_worker, str(self._folder), pickled)
        except BrokenProcessPool as error:  # a worker died while it was idle
            future: Future[Outcome] = Future()
            future.set_exception(error)
            return future

    def _error_of(self, future: Any) -> BaseException | None:
        error = future.exception()
        return WorkerDiedError() if isinstance(error, TerminatedWorkerError) else error

    def _died(self, job: Job) -> list[Event]:
        # The pool ends as a whole. Who was guilty is not known.
        futures, self._running = self._running, {}
        events = [Event(job, error=WorkerDiedError())]
        for future, other in futures.items():
            if future.done() and not future.exception():
                events.append(Event(other, future.result()))
            else:
                events.append(Event(other, error=WorkerDiedError()))
        self._backend.abort_everything(ensure_ready=True)
        return events

    def _overdue(self) -> list[Event]:
        late = {future: job for future, job in self._running.items() if self._is_late(future, job)}
        if not late:
            return []
        others = [job for future, job in self._running.items() if future not in late]
        self._running.clear()
        self._backend.abort_everything(ensure_ready=True)
        for job in others:
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
        return _stamp(self._folder, job)


def _stamp(folder: Path, job: Job) -> Path:
    return folder / f"{job.candidate}-{job.fold}"


# Of a worker: the folder of the search that it works for, and what is read from there.
_current: dict[str, Any] = {}


def _run_in_worker(folder: str, pickled: bytes) -> Outcome:
    if folder not in _current:
        _current.clear()
        _current[folder] = load(Path(folder) / "task")
        # Ctrl-C in a terminal reaches the workers too; the parent decides what it means
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    task, settings = _current[folder]
    job = pickle.loads(pickled)
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


def dump(value: Any, path: Path) -> None:
    """Write a value such that its arrays can be mapped into memory.

    For workers of this search only, as what joblib writes for its own: the folder is
    readable by this user alone, and removed at the end. The file holds the pickle, then the
    buffers of the arrays, then a pickled table of where each begins and ends, then the
    length of the table.
    """
    buffers: list[pickle.PickleBuffer] = []
    parts = [dumps(value, protocol=5, buffer_callback=buffers.append)]
    parts += [buffer.raw() for buffer in buffers]
    table = []
    with path.open("wb") as file:
        for part in parts:
            file.write(b"\0" * (-file.tell() % ALIGNMENT))
            start = file.tell()
            file.write(part)
            table.append((start, file.tell()))
        pickled = pickle.dumps(table)
        file.write(pickled + len(pickled).to_bytes(8, "little"))


def load(path: Path) -> Any:
    """Read what `dump` wrote. Processes share the pages of arrays until one writes to them."""
    with path.open("rb") as file:
        view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    length = int.from_bytes(view[-8:], "little")
    table = pickle.loads(view[-8 - length : -8])
    parts = [view[start:end] for start, end in table]
    return pickle.loads(parts[0], buffers=parts[1:])
