"""Pools of worker processes, of which each search has one for itself.

joblib keeps one pool for all that runs in a process. There a worker that dies, or is replaced
as it does not react, takes the fits of everybody with it, and who asks for another number of
workers ends those of the others. So a search has workers of its own, of joblib's kind, and
leaves them for the next one when it ends.
"""

from __future__ import annotations

import os
import queue
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from joblib.externals.loky import ProcessPoolExecutor

from skpg.evaluation.workers.folder import forget_removed

# Seconds between two looks of a worker at whether it is still of use.
LOOK = 1.0

# By process: what was forked off must not use the workers of its parent.
_idle: dict[int, list[Pool]] = {}


class Pool:
    """Worker processes that wait for jobs.

    Parameters
    ----------
    settings : dict
        Arguments of loky's executor.
    """

    def __init__(self, settings: dict[str, Any]):
        self._settings = settings
        self._executor = ProcessPoolExecutor(**settings)

    @classmethod
    def take(cls, backend: Any, n_workers: int) -> Pool:
        """Return workers that an earlier search has left, or new ones.

        Parameters
        ----------
        backend : joblib's LokyBackend
            Configured.
        n_workers : int
        """
        idle, settings = _idle.setdefault(os.getpid(), []), _settings(backend, n_workers)
        with suppress(IndexError):  # there is none, or a search in another thread takes the last
            while (pool := idle.pop())._settings != settings:
                pool.end()
            return pool
        return cls(settings)

    def leave(self) -> None:
        """Keep the workers, which must be idle, for the next search."""
        _idle.setdefault(os.getpid(), []).append(self)

    def end(self) -> None:
        """End the workers, whatever they do."""
        # Jobs that wait: the thread of loky drops them first and would then look for them.
        with suppress(queue.Empty):
            while True:
                self._executor._work_ids.get_nowait()
        self._executor.shutdown(kill_workers=True)

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        """Run a function of a module in one of the workers."""
        future: Future[Any] = self._executor.submit(function, *args)
        return future


def _settings(backend: Any, n_workers: int) -> dict[str, Any]:
    """Return how to start workers like those that the backend itself would use."""
    model = backend._workers
    return {
        "max_workers": n_workers,
        "timeout": model._timeout,
        "env": model._env,
        "initializer": _begin,
        "initargs": (os.getpid(), model._initializer, model._initargs),
    }


def _begin(parent: int, initializer: Callable[..., Any] | None, args: tuple[Any, ...]) -> None:
    """Prepare a worker."""
    # Ctrl-C in a terminal reaches the workers too; the parent decides what it means
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if initializer is not None:
        initializer(*args)


def _watch(parent: int) -> None:
    """End this worker soon after its parent has ended, in whatever way that was."""
    while os.getppid() == parent:
        forget_removed()
        time.sleep(LOOK)
    os._exit(1)
