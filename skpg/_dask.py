"""Fits on the workers of a dask cluster."""

from __future__ import annotations

import os
import pickle
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from typing import Any
from uuid import uuid4

import dask
from distributed import KilledWorker, get_worker
from joblib import parallel_config

# cloudpickle, which joblib brings along, from 1.6 as a dependency
from joblib.externals.loky.cloudpickle_wrapper import dumps
from sklearn import config_context, get_config

from skpg._executors import (
    GRACE,
    Event,
    Futures,
    Job,
    Outcome,
    Task,
    WorkerDiedError,
    WorkersLostError,
    run,
)
from skpg._time_limit import LONGEST, CandidateTimeoutError

# Seconds to wait for a worker to come back, and between two looks at whether there is one.
PATIENCE = 60.0
LOOK_AT_WORKERS = 5.0


class Dask(Futures):
    """The cluster of a `distributed.Client`, through the client and not through joblib.

    joblib waits forever for a fit that kills its workers. Here dask's own error arrives.

    Parameters
    ----------
    task : callable
    client : distributed.Client
    """

    def __init__(self, task: Task, client: Any):
        super().__init__(max(1, sum(client.ncores().values())))
        self._client = client
        # A cluster object gives up workers that are not back after 15 seconds, too few for
        # one that has to import scikit-learn on a busy machine.
        self._settings = ExitStack()
        self._settings.enter_context(
            dask.config.set({"distributed.deploy.lost-worker-timeout": "1h"})
        )
        self._task = (task, get_config())
        self._topic = f"skpg-{uuid4().hex}"
        self._started: dict[tuple[int, int], tuple[float, str, bool]] = {}
        self._alone_since: float | None = None
        client.subscribe_topic(self._topic, self._note_start)
        self._send()

    def _send(self) -> None:
        """Send to all workers what the jobs have in common."""
        try:
            (self._shared,) = self._client.scatter(
                [self._task], broadcast=True, hash=False, timeout=PATIENCE
            )
        except TimeoutError as error:
            raise WorkersLostError("the dask cluster has no workers") from error

    def _start(self, job: Job) -> Any:
        self._started.pop((job.candidate, job.fold), None)
        # Pickled here and not in the client's thread: what a job refers to may change.
        return self._client.submit(
            _run_in_worker, self._shared, dumps(job), self._topic, pure=False, retries=0
        )

    def wait(self, seconds: float | None) -> list[Event]:
        """Wait for at least one job to end; return none where the time is over before."""
        events = super().wait(LOOK_AT_WORKERS if seconds is None else min(seconds, LOOK_AT_WORKERS))
        if events or self._client.ncores():
            self._alone_since = None
        elif self._alone_since is None:
            self._alone_since = time.monotonic()
        elif time.monotonic() - self._alone_since > PATIENCE:
            raise WorkersLostError("the dask cluster has no workers")
        if self.slots < 1:
            raise WorkersLostError("fits that do not end hold all workers of the dask cluster")
        return events

    def _note_start(self, event: tuple[float, Any]) -> None:
        candidate, fold, address, replaceable = event[1]
        self._started[candidate, fold] = (time.monotonic(), address, replaceable)

    def _events_of(self, future: Any) -> list[Event]:
        job = self._running.get(future)
        try:
            return super()._events_of(future)
        except CancelledError:  # the shared data were lost with their last holder
            assert job is not None
            return self._died(job)

    def _error_of(self, future: Any) -> BaseException | None:
        error = future.exception()
        return WorkerDiedError() if isinstance(error, KilledWorker) else error

    def _died(self, job: Job) -> list[Event]:
        if self._shared.status != "finished":
            self._send()
        return super()._died(job)

    def _overdue(self) -> list[Event]:
        late = [item for item in self._running.items() if self._is_late(*item)]
        for future, job in late:
            del self._running[future]
            future.cancel()
            _, address, replaceable = self._started[job.candidate, job.fold]
            if not replaceable:
                self.slots -= 1
                warnings.warn(
                    f"The dask worker {address} goes on with a fit that has exceeded "
                    "candidate_timeout: it has no nanny to replace it.",
                    stacklevel=2,
                )
        return [Event(job, error=CandidateTimeoutError()) for _, job in late]

    def _is_late(self, future: Any, job: Job) -> bool:
        start, _, _ = self._started.get((job.candidate, job.fold), (None, "", True))
        if start is None or job.seconds is None or future.done():
            return False
        return time.monotonic() - start > job.seconds + GRACE

    def abandon(self) -> None:
        """Cancel the jobs in flight; those that run go on to their ends."""
        for future in self._running:
            future.cancel()
        self._running.clear()

    def close(self) -> None:
        """Release what was sent."""
        self._client.unsubscribe_topic(self._topic)
        self._settings.close()
        self._shared.release()


def _run_in_worker(shared: tuple[Task, dict[str, Any]], pickled: bytes, topic: str) -> Outcome:
    job = pickle.loads(pickled)
    task, config = shared
    # a worker has one thread per fit
    with config_context(**config), parallel_config("sequential"), _watched(job, topic):
        return run(task, job)


@contextmanager
def _watched(job: Job, topic: str) -> Iterator[None]:
    """Tell when a job with a limit starts; end the worker if it is late and has a nanny."""
    if job.seconds is None:
        yield
        return
    worker = get_worker()
    replaceable = worker.nanny is not None
    worker.log_event(topic, (job.candidate, job.fold, worker.address, replaceable))
    # Later than the client gives the job up: dask would run it again.
    timer = threading.Timer(min(job.seconds + 2 * GRACE, LONGEST), os._exit, (1,))
    if replaceable:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()
