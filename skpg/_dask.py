"""Fits on the workers of a dask cluster."""

from __future__ import annotations

import time
import warnings
from typing import Any
from uuid import uuid4

from joblib import parallel_config
from sklearn import config_context, get_config

from skpg._executors import GRACE, Event, Futures, Job, Outcome, Task, WorkerDied, run
from skpg._time_limit import CandidateTimeout

# Seconds without any worker before the search ends with what it has.
PATIENCE = 30.0


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
        self._task = (task, get_config())
        self._topic = f"skpg-{uuid4().hex}"
        self._started: dict[tuple[int, int], tuple[float, str]] = {}
        self._idle_since: float | None = None
        client.subscribe_topic(self._topic, self._note_start)
        self._send()

    def _send(self) -> None:
        """Send to all workers what the jobs have in common."""
        self._shared = self._client.scatter(self._task, broadcast=True, hash=False)

    def _start(self, job: Job) -> Any:
        self._started.pop((job.candidate, job.fold), None)
        return self._client.submit(
            _run_in_worker, self._shared, job, self._topic, pure=False, retries=0
        )

    def _note_start(self, event: tuple[float, Any]) -> None:
        candidate, fold, address = event[1]
        self._started[candidate, fold] = (time.monotonic(), address)

    def _is_death(self, error: BaseException) -> bool:
        from distributed.scheduler import KilledWorker

        return isinstance(error, KilledWorker)

    def _died(self, job: Job) -> list[Event]:
        if self._shared.status != "finished":  # its last holder died
            self._send()
        return super()._died(job)

    def _overdue(self) -> list[Event]:
        events = []
        for future, job in list(self._running.items()):
            start, address = self._started.get((job.candidate, job.fold), (None, ""))
            if start is None or job.seconds is None or future.done():
                continue
            if time.monotonic() - start > job.seconds + GRACE:
                del self._running[future]
                future.cancel()
                self._restart(address)
                events.append(Event(job, error=CandidateTimeout()))
        return events

    def _restart(self, address: str) -> None:
        try:
            self._client.restart_workers([address], timeout=60, raise_for_error=False)
        except ValueError:  # it has no nanny
            self.slots -= 1
            warnings.warn(
                f"The dask worker {address} cannot be restarted, and goes on with a fit that "
                "has exceeded candidate_timeout. Start workers with a nanny.",
                stacklevel=2,
            )

    def abandon(self) -> None:
        """Cancel the jobs in flight; those that run go on to their ends."""
        for future in self._running:
            future.cancel()
        self._running.clear()

    def close(self) -> None:
        """Release what was sent."""
        self._client.unsubscribe_topic(self._topic)
        self._shared.release()


def _run_in_worker(shared: tuple[Task, dict[str, Any]], job: Job, topic: str) -> Outcome:
    from distributed import get_worker

    if job.seconds is not None:
        worker = get_worker()
        worker.log_event(topic, (job.candidate, job.fold, worker.address))
    task, config = shared
    # a worker has one thread per fit
    with config_context(**config), parallel_config("sequential"):
        return run(task, job)
