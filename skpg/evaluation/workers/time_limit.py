"""A limit on the running time of Python code in this thread."""

from __future__ import annotations

import ctypes
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

# Seconds between reminders to code that catches the error and goes on.
REMINDER = 1.0
# Seconds, three years of them, that the timers of every system can count.
LONGEST = 1e8


class CandidateTimeoutError(TimeoutError):
    """A candidate has used up its `candidate_timeout`."""

    def __str__(self) -> str:
        return "the candidate has used up its candidate_timeout"


@dataclass
class Limit:
    """What became of a limit."""

    exceeded: bool = False


@contextmanager
def time_limit(seconds: float | None) -> Iterator[Limit]:
    """Raise `CandidateTimeoutError` in the block once it has run for some seconds.

    In the main thread of a process a signal ends sleeping and waiting too. In other threads,
    and on Windows, the error is raised when the thread next runs a Python instruction. Code
    that never returns to Python, such as one long call into C, is not ended at all.

    Parameters
    ----------
    seconds : float or None
        None is no limit.
    """
    limit = Limit()
    if seconds is None:
        yield limit
        return
    seconds = min(max(seconds, 1e-3), LONGEST)
    main = threading.current_thread() is threading.main_thread()
    with (_alarm if main and hasattr(signal, "setitimer") else _watch)(limit, seconds):
        yield limit


@contextmanager
def _alarm(limit: Limit, seconds: float) -> Iterator[None]:
    over = False

    def ring(signum: int, frame: FrameType | None) -> None:
        if not over:
            limit.exceeded = True
            raise CandidateTimeoutError

    start = time.monotonic()
    # another user of the alarm, such as a search around this one, waits for its turn
    rest, interval = signal.setitimer(signal.ITIMER_REAL, 0)
    handler = signal.getsignal(signal.SIGALRM)
    try:
        signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, seconds, REMINDER)
        yield
    finally:
        try:
            over = True
        finally:  # also where the alarm rang in the line above
            over = True
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, handler or signal.SIG_DFL)  # None is one set in C
            if rest:
                rest = max(rest - (time.monotonic() - start), 1e-3)
                signal.setitimer(signal.ITIMER_REAL, rest, interval)


@contextmanager
def _watch(limit: Limit, seconds: float) -> Iterator[None]:
    thread = ctypes.c_ulong(threading.get_ident())
    lock = threading.Lock()
    over = threading.Event()

    def watch() -> None:
        wait = seconds
        while not over.wait(wait):
            with lock:
                if not over.is_set():
                    limit.exceeded = True
                    error = ctypes.py_object(CandidateTimeoutError)
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, error)
            wait = REMINDER

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        try:
            over.set()
        finally:  # also where the error arrived in the line above
            over.set()
            with lock:
                # one that was sent and has not arrived would hit what comes after the block
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, None)
