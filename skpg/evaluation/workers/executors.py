"""Where fits run: in this process, in threads, or in the workers of loky and dask.

joblib hands over whole batches and waits for them; when a worker dies, all of a batch is
lost. Here fits are handed over one at a time, to the workers of the joblib backend that is
active, so that each outcome is kept as it arrives and a death costs the fits in flight only.
"""

from __future__ import annotations

import queue
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.pool import ThreadPool
from typing import Any

from joblib import cpu_count, parallel_config
from sklearn import config_context, get_config
from threadpoolctl import threadpool_limits

from skpg.evaluation.outcome import Outcome
from skpg.evaluation.workers.time_limit import LONGEST, time_limit

# Seconds after its limit when a fit that does not react is given up and its worker ended.
GRACE = 1.0
# Seconds between two looks at the fits in flight, where they have a limit.
LOOK = 0.1

# Threads of BLAS are the whole process's. Of several searches one limits them, and gives back
# what it has found: a second one would find, and give back, the limit of the first.
_limits_threads = threading.Lock()


@dataclass(frozen=True)
class Job:
    """One fold of one candidate.

    Attributes
    ----------
    candidate : int
    fold : int
    params : dict
    seconds : float or None
        How long it may run.
    context : object
        What scikit-learn's callbacks know it by.
    """

    candidate: int
    fold: int
    params: Mapping[str, Any]
    seconds: float | None = None
    context: Any = None


@dataclass(frozen=True)
class Event:
    """A job that ended, with either what it returned or why it did not."""

    job: Job
    outcome: Outcome | None = None
    error: BaseException | None = None


class WorkerDiedError(Exception):
    """The worker died before it could return."""

    def __str__(self) -> str:
        return "the worker process died"


class CandidateError(Exception):
    """A fit could not begin, or not be heard of, for what is in its candidate."""


class WorkersLostError(Exception):
    """There are no workers any more, and none are to be expected."""


FitFunction = Callable[[Job], Outcome]


def run(task: FitFunction, job: Job) -> Outcome:
    """Run a job within its time; the outcome says whether that was exceeded."""
    with time_limit(job.seconds) as limit:
        outcome = task(job)
    return replace(outcome, overdue=limit.exceeded)


class Executor(ABC):
    """Workers that run jobs.

    Attributes
    ----------
    slots : float
        Number of jobs to hand over at once.
    """

    slots: float = 1

    @property
    @abstractmethod
    def n_running(self) -> int:
        """Number of jobs in flight: handed over, and neither ended nor abandoned."""

    @abstractmethod
    def submit(self, job: Job) -> None:
        """Hand over a job."""

    @abstractmethod
    def wait(self, seconds: float | None) -> list[Event]:
        """Wait for at least one job to end; return none where the time is over before."""

    @abstractmethod
    def abandon(self) -> None:
        """Forget the jobs in flight; end them where that is possible."""

    def close(self) -> None:  # noqa: B027 (most have nothing to release)
        """Release what was needed."""


class Serial(Executor):
    """The thread of the search. A job runs when it is waited for."""

    def __init__(self, task: FitFunction):
        self._task = task
        self._waiting: deque[Job] = deque()

    @property
    def n_running(self) -> int:
        """Number of jobs in flight."""
        return len(self._waiting)

    def submit(self, job: Job) -> None:
        """Hand over a job."""
        self._waiting.append(job)

    def wait(self, seconds: float | None) -> list[Event]:
        """Run the next job."""
        job = self._waiting.popleft()
        try:
            return [Event(job, run(self._task, job))]
        except Exception as error:
            return [Event(job, error=error)]

    def abandon(self) -> None:
        """Forget the jobs that did not start."""
        self._waiting.clear()


class Batches(Executor):
    """Any joblib backend that takes whole batches only.

    Parameters
    ----------
    run_batch : callable
        From jobs to their events, through the active backend.
    slots : float
        Size of a batch.
    """

    def __init__(self, run_batch: Callable[[list[Job]], list[Event]], slots: float):
        self._run_batch = run_batch
        self.slots = slots
        self._waiting: list[Job] = []

    @property
    def n_running(self) -> int:
        """Number of jobs in flight."""
        return len(self._waiting)

    def submit(self, job: Job) -> None:
        """Hand over a job."""
        self._waiting.append(job)

    def wait(self, seconds: float | None) -> list[Event]:
        """Run all jobs that were handed over."""
        jobs, self._waiting = self._waiting, []
        return self._run_batch(jobs)

    def abandon(self) -> None:
        """Forget the jobs that did not start."""
        self._waiting.clear()


class Futures(Executor):
    """Workers that return futures."""

    def __init__(self, slots: int):
        self.slots = slots
        self._running: dict[Any, Job] = {}
        self._done: queue.SimpleQueue[Any] = queue.SimpleQueue()

    @property
    def n_running(self) -> int:
        """Number of jobs in flight."""
        return len(self._running)

    @abstractmethod
    def _start(self, job: Job) -> Any:
        """Return the future of a job."""

    def _overdue(self) -> list[Event]:
        """Give up the jobs that are past their limit; return their events."""
        return []

    def _died(self, job: Job) -> list[Event]:
        """Return the events of all jobs that went down together with one."""
        return [Event(job, error=WorkerDiedError())]

    def submit(self, job: Job) -> None:
        """Hand over a job."""
        future = self._start(job)
        self._running[future] = job
        future.add_done_callback(self._done.put)

    def wait(self, seconds: float | None) -> list[Event]:
        """Wait for at least one job to end; return none where the time is over before."""
        watched = any(job.seconds is not None for job in self._running.values())
        if watched:
            seconds = LOOK if seconds is None else min(LOOK, seconds)
        seconds = None if seconds is None else min(seconds, LONGEST)
        events: list[Event] = []
        try:
            future = self._done.get(timeout=seconds)
            while True:
                events += self._events_of(future)
                future = self._done.get_nowait()
        except queue.Empty:
            return events + (self._overdue() if watched else [])

    def _events_of(self, future: Any) -> list[Event]:
        job = self._running.pop(future, None)
        if job is None:  # it was abandoned
            return []
        error = self._error_of(future)
        if error is None:
            return [self._event_of(job, future)]
        return self._died(job) if isinstance(error, WorkerDiedError) else [Event(job, error=error)]

    def _error_of(self, future: Any) -> BaseException | None:
        """Return why a future has no result; `WorkerDiedError` where its worker did."""
        return future.exception()

    def _event_of(self, job: Job, future: Any) -> Event:
        """Return the event of a job whose future has a result."""
        return Event(job, future.result())


class Threads(Futures):
    """Threads of this process, for estimators that release the interpreter lock.

    A thread cannot be ended from outside: a limit holds as soon as the fit returns to Python.
    """

    def __init__(self, task: FitFunction, slots: int):
        super().__init__(slots)
        self._task = task
        self._config = get_config()
        # estimators with threads of their own share the processors
        limit = max(1, cpu_count() // slots)
        self._inner_backend = "sequential" if limit == 1 else "threading"
        self._limits = ExitStack()
        if _limits_threads.acquire(blocking=False):
            self._limits.callback(_limits_threads.release)
            self._limits.enter_context(threadpool_limits(limit))
        # those of OpenMP are of each thread
        openmp = partial(threadpool_limits, limit, user_api="openmp")
        self._pool = ThreadPool(slots, initializer=openmp)

    def _start(self, job: Job) -> Future[Outcome]:
        future: Future[Outcome] = Future()
        self._pool.apply_async(self._run, (job, future))
        return future

    def _run(self, job: Job, future: Future[Outcome]) -> None:
        try:
            with config_context(**self._config), parallel_config(self._inner_backend):
                future.set_result(run(self._task, job))
        except BaseException as error:
            future.set_exception(error)

    def abandon(self) -> None:
        """Forget the jobs in flight, which run to their ends."""
        self._running.clear()

    def close(self) -> None:
        """End the threads."""
        self._pool.terminate()
        self._limits.close()
