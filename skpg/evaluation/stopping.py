"""When a search ends."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any

import numpy as np

from skpg.evaluation.settings import SearchSettings


@dataclass(frozen=True)
class Progress:
    """What a search knows after a candidate, as its callbacks receive it.

    Attributes
    ----------
    params : dict
        The candidate.
    score : float
        The mean over its folds of the score that the search learns from; nan where a fit
        failed or racing left folds out.
    n_candidates : int
        Number of candidates so far.
    n_iter : int
        Number of candidates when the search ends at the latest.
    best_params : dict or None
        The best candidate so far; None where all failed.
    best_score : float
        Its score; minus infinity where all failed.
    n_since_best : int
        Number of candidates after the best one.
    elapsed : float
        Seconds since the first fit began; 0 while an earlier run is replayed.
    status : {'complete', 'failed', 'raced'}
        Whether all folds have a score, one of them failed, or some were left out.
    fold_scores : tuple of float
        The scores of the folds, nan where one failed or was left out.
    seconds : float
        Time of the candidate's fits and scores together.
    replayed : bool
        Whether the candidate was evaluated in an earlier run, and read from the storage.
    """

    params: Mapping[str, Any]
    score: float
    n_candidates: int
    n_iter: int
    best_params: Mapping[str, Any] | None
    best_score: float
    n_since_best: int
    elapsed: float
    status: str
    fold_scores: tuple[float, ...]
    seconds: float
    replayed: bool


@dataclass(frozen=True)
class StoppingRule:
    """The limits of a search; None is no limit.

    Parameters
    ----------
    timeout : float or None
        Seconds from the first fit on.
    target_score : float or None
        A mean score that is good enough.
    patience : int or None
        Candidates without improvement.
    callbacks : sequence of callables
        Each receives a `Progress`; True asks to stop, of Python or of numpy. Any other answer
        does not.
    """

    timeout: float | None = None
    target_score: float | None = None
    patience: int | None = None
    callbacks: tuple[Callable[[Progress], Any], ...] = ()

    @classmethod
    def of(cls, settings: SearchSettings) -> StoppingRule:
        """Return the limits that the settings ask for."""
        return cls(
            settings.timeout,
            settings.target_score,
            settings.patience,
            tuple(settings.callbacks or ()),
        )

    def reason_to_stop(self, progress: Progress) -> str | None:
        """Return why to stop after a candidate, if so; callbacks are called."""
        # all of them are called, also after one that asks to stop
        asked = [_asks_to_stop(callback, progress) for callback in self.callbacks]
        if self.target_score is not None and progress.best_score >= self.target_score:
            return "target_score"
        if self.patience is not None and progress.n_since_best >= self.patience:
            return "patience"
        return "callback" if any(asked) else None


def _asks_to_stop(callback: Callable[[Progress], Any], progress: Progress) -> bool:
    # with dicts of its own: those of the search are what it continues with
    best = None if progress.best_params is None else dict(progress.best_params)
    answer = callback(replace(progress, params=dict(progress.params), best_params=best))
    return isinstance(answer, (bool, np.bool_)) and bool(answer)


class Clock:
    """Seconds since the start, none before it."""

    def __init__(self, timeout: float | None):
        self._start: float | None = None
        self._timeout = timeout

    def start(self) -> None:
        """Start, unless it has been started."""
        if self._start is None:
            self._start = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return 0.0 if self._start is None else time.monotonic() - self._start

    @property
    def left(self) -> float | None:
        """Seconds until the timeout, at least 0; None where there is none."""
        return None if self._timeout is None else max(self._timeout - self.elapsed, 0.0)


class Interrupt:
    """Take the first Ctrl-C as the wish to stop; the second interrupts.

    Parameters
    ----------
    worth_keeping : callable
        Whether there are results to keep. If not, the first Ctrl-C interrupts.
    nested : bool, default=False
        Whether another fit goes on with others after this one, which Ctrl-C is meant for: it is
        left to that one's handler, and interrupts where it arrives here.

    Attributes
    ----------
    requested : bool
        Whether Ctrl-C was met.
    """

    def __init__(self, worth_keeping: Callable[[], bool], *, nested: bool = False):
        self.requested = False
        self._worth_keeping, self._nested = worth_keeping, nested
        self._previous: Any = None

    def __enter__(self) -> Interrupt:
        # Signals arrive in the main thread only. Where they are ignored, as in a process in
        # the background, they stay ignored.
        handler = signal.getsignal(signal.SIGINT)
        main = threading.current_thread() is threading.main_thread()
        if main and callable(handler) and not self._nested:
            self._previous = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)
            self._previous = None

    def request(self) -> None:
        """Ask to stop; raise KeyboardInterrupt the second time, or where nothing is kept."""
        if self._nested or self.requested or not self._worth_keeping():
            raise KeyboardInterrupt
        self.requested = True

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        if self.requested or not self._worth_keeping():
            self._previous(signum, frame)
        self.requested = True
