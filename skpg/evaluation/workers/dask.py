"""Fits on the workers of a dask cluster."""

from __future__ import annotations

import os
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from typing import Any
from uuid import uuid4

import dask
from distributed import KilledWorker, get_worker
from joblib import parallel_config

# cloudpickle, which joblib brings along, from 1.6 as a dependency
from joblib.externals.loky.cloudpickle_wrapper import dumps
from sklearn import config_context, get_config

from skpg.evaluation.call_stack import warn
from skpg.evaluation.outcome import Outcome
from skpg.evaluation.workers.executors import (
    GRACE,
    Event,
    FitFunction,
    Futures,
    Job,
    WorkerDiedError,
    WorkersLostError,
    run,
)
from skpg.evaluation.workers.time_limit import LONGEST, CandidateTimeoutError
from skpg.evaluation.workers.transfer import (
    LARGE,
    LargeValueReference,
    pack_job,
    pack_outcome,
    unpack_event,
    unpack_job,
)

# Seconds to wait for a worker to come back, and between two looks at whether there is one.
PATIENCE = 60.0
LOOK_AT_WORKERS = 5.0


class Setting:
    """A setting of the whole process, which holds as long as any search needs it.

    Searches in threads begin and end in any order. If each restored what it has found, what one
    of them has set would stay for good.

    Parameters
    ----------
    make : callable
        Returns the context manager that sets and restores.
    """

    def __init__(self, make: Callable[[], AbstractContextManager[Any]]):
        self._make = make
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._n_users = 0

    def hold(self) -> None:
        """Set it, if nobody has."""
        with self._lock:
            if not self._n_users:
                self._stack.enter_context(self._make())
            self._n_users += 1

    def release(self) -> None:
        """Restore it, if nobody else needs it."""
        with self._lock:
            self._n_users -= 1
            if not self._n_users:
                self._stack.close()


# A cluster object gives up workers that are not back after 15 seconds, too few for one that
# has to import scikit-learn on a busy machine.
LONG_WAY_BACK = Setting(partial(dask.config.set, {"distributed.deploy.lost-worker-timeout": "1h"}))


class Dask(Futures):
    """The cluster of a `distributed.Client`, through the client and not through joblib.

    joblib waits forever for a fit that kills its workers. Here dask's own error arrives.

    Parameters
    ----------
    task : callable
    client : distributed.Client
    """

    def __init__(self, task: FitFunction, client: Any):
        super().__init__(max(1, sum(client.ncores().values())))
        self._client = client
        self._task = (task, get_config())
        self._shared: Any = None
        self._large: dict[int, tuple[LargeValueReference, Any, Any]] = {}
        self._topic = f"skpg-{uuid4().hex}"
        self._started: dict[tuple[int, int], tuple[float, str, bool]] = {}
        self._alone_since: float | None = None
        LONG_WAY_BACK.hold()
        client.subscribe_topic(self._topic, self._note_start)
        try:
            self._send()
        except BaseException:
            self.close()
            raise

    def _send(self) -> None:
        """Send to all workers what the jobs have in common."""
        try:
            (self._shared,) = self._client.scatter(
                [self._task], broadcast=True, hash=False, timeout=PATIENCE
            )
        except TimeoutError as error:
            raise WorkersLostError("the dask cluster has no workers") from error
        except TypeError:
            dumps(self._task)  # tells why, where dask does not
            raise

    def _start(self, job: Job) -> Any:
        self._started.pop((job.candidate, job.fold), None)
        # Pickled here and not in the client's thread: what a job refers to may change.
        packed = pack_job(job, self._replaced)
        sent = [self._large.get(id(value)) for value in job.params.values()]
        large = {known[0].name: known[2] for known in sent if known is not None}
        return self._client.submit(
            _run_in_worker, self._shared, packed, self._topic, large, pure=False, retries=0
        )

    def _replaced(self, value: Any) -> Any:
        """Return what to send in the place of a value: itself, if it is not large."""
        known = self._large.get(id(value))
        if known is None:
            pickled = dumps(value)
            if len(pickled) < LARGE:
                return value
            (future,) = self._client.scatter([pickled], hash=False)
            # The value is kept, so that no other object gets its identity.
            known = self._large[id(value)] = LargeValueReference(str(id(value))), value, future
        return known[0]

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

    def _event_of(self, job: Job, future: Any) -> Event:
        return unpack_event(job, future.result())

    def _died(self, job: Job) -> list[Event]:
        if self._shared.status != "finished":
            self._send()
        self._large = {
            k: known for k, known in self._large.items() if known[2].status == "finished"
        }
        return super()._died(job)

    def _overdue(self) -> list[Event]:
        late = [item for item in self._running.items() if self._is_late(*item)]
        for future, job in late:
            del self._running[future]
            future.cancel()
            _, address, replaceable = self._started[job.candidate, job.fold]
            if not replaceable:
                self.slots -= 1
                warn(
                    f"The dask worker {address} goes on with a fit that has exceeded "
                    "candidate_timeout: it has no nanny to replace it."
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
        LONG_WAY_BACK.release()
        self._large.clear()
        if self._shared is not None:
            self._shared.release()


def _run_in_worker(
    shared: tuple[FitFunction, dict[str, Any]], packed: bytes, topic: str, large: dict[str, bytes]
) -> bytes:
    def restored(value: Any) -> Any:
        return pickle.loads(large[value.name]) if isinstance(value, LargeValueReference) else value

    return pack_outcome(lambda: _run(*shared, unpack_job(packed, restored), topic))


def _run(task: FitFunction, config: dict[str, Any], job: Job, topic: str) -> Outcome:
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
