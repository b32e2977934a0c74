"""Which fold of which candidate is next, and when a candidate is finished."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from skpg._executors import Event, Job, Outcome, WorkerDiedError
from skpg._racing import Race, comparable_mean
from skpg._space import FloatArray, Params
from skpg._time_limit import CandidateTimeoutError


@dataclass(eq=False)
class Candidate:
    """A candidate under evaluation.

    Attributes
    ----------
    number : int
        Position among all candidates, from 0.
    params : dict
    order : tuple of int
        The folds in the order in which they are run.
    outcomes : dict of int to dict
        What the fits returned, by fold.
    scores : ndarray of shape (n_folds,)
        Scores of the folds; nan where a fold failed or was not run.
    running : set of int
        The folds in flight.
    seconds : float
        Running time of its folds.
    closed : bool
        Whether its other folds are left out.
    """

    number: int
    params: Params
    order: tuple[int, ...]
    scores: FloatArray
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    running: set[int] = field(default_factory=set)
    seconds: float = 0.0
    closed: bool = False

    @property
    def finished(self) -> bool:
        """Whether no outcome is missing."""
        return self.closed or len(self.outcomes) == len(self.order)

    @property
    def complete(self) -> bool:
        """Whether all folds have a score."""
        return bool(np.isfinite(self.scores).all())

    @property
    def failed(self) -> bool:
        """Whether a fold that was run has no score."""
        return not np.isfinite(self.scores[list(self.outcomes)]).all()

    @property
    def status(self) -> str:
        """``"complete"``, ``"failed"``, or ``"raced"`` where folds were left out."""
        return "complete" if self.complete else "failed" if self.failed else "raced"

    @property
    def score(self) -> float:
        """The mean over all folds; nan where one failed or was left out."""
        return float(self.scores.mean())

    @property
    def waiting(self) -> list[int]:
        """The folds that are still to be run, in their order."""
        if self.closed:
            return []
        return [f for f in self.order if f not in self.outcomes and f not in self.running]

    @property
    def front(self) -> list[int]:
        """The folds from the first in their order up to the first without outcome."""
        missing = (n for n, fold in enumerate(self.order) if fold not in self.outcomes)
        return list(self.order[: next(missing, None)])

    def keep(self, folds: Iterable[int]) -> None:
        """Forget the outcomes of other folds, and leave them out."""
        self.outcomes = {fold: self.outcomes[fold] for fold in folds}
        left_out = [fold for fold in self.order if fold not in self.outcomes]
        self.scores[left_out] = np.nan
        self.closed = True


class Schedule:
    """The folds that wait, run and are finished.

    In a sequential schedule candidates are settled in their order, whichever finishes
    first, and what is decided about one depends on earlier ones only: so the result is the
    same for any number of workers.

    Parameters
    ----------
    n_folds : int
    score : callable
        From an outcome to the score that the search learns from.
    failure : callable
        From a candidate's number, a fold and an error to the outcome that stands for a fit
        that did not return.
    race : Race or None
    candidate_timeout : float or None
        Seconds that the folds of a candidate may run together.
    sequential : bool

    Attributes
    ----------
    settled : list of Candidate
        The finished candidates, about which all is decided.
    killers : list of Candidate
        Those that killed their workers twice.
    """

    def __init__(
        self,
        n_folds: int,
        *,
        score: Callable[[Outcome], float],
        failure: Callable[[int, int, BaseException], Outcome],
        race: Race | None = None,
        candidate_timeout: float | None = None,
        sequential: bool = True,
    ):
        self.settled: list[Candidate] = []
        self.killers: list[Candidate] = []
        self._n_folds = n_folds
        self._score, self._failure = score, failure
        self._race = race
        self._candidate_timeout = candidate_timeout
        self._sequential = sequential
        self._open: dict[int, Candidate] = {}
        self._n_added = 0
        self._best: Candidate | None = None
        # folds in flight when a worker died, and the one of them that now runs alone
        self._suspects: deque[Job] = deque()
        self._on_trial: tuple[int, int] | None = None

    @property
    def has_room(self) -> bool:
        """Whether new candidates can use a worker, and none has to be watched alone."""
        return not self._suspects and self._on_trial is None

    @property
    def any_finished(self) -> bool:
        """Whether at least one candidate is finished."""
        return bool(self.settled) or any(c.finished for c in self._open.values())

    def add(self, candidates: Iterable[Params]) -> None:
        """Take candidates on."""
        race, folds = self._race, tuple(range(self._n_folds))
        order = folds if race is None else race.order(self._complete())
        for params in candidates:
            scores = np.full(self._n_folds, np.nan)
            self._open[self._n_added] = Candidate(self._n_added, params, order, scores)
            self._n_added += 1

    def next_job(self, n_running: int) -> Job | None:
        """Return the next fold to run beside those that are running; None if there is none."""
        if self._suspects or self._on_trial:
            return None if n_running else self._next_suspect()
        candidate = self._next_candidate()
        return None if candidate is None else self._job(candidate, candidate.waiting[0])

    def record(self, event: Event) -> None:
        """Take note of how a job ended.

        Raises
        ------
        BaseException
            The error of the job, unless it is a death or a timeout.
        """
        job = event.job
        alone = (job.candidate, job.fold) == self._on_trial
        if alone:
            self._on_trial = None
        candidate = self._open.get(job.candidate)
        if candidate is None or candidate.closed:
            return
        candidate.running.discard(job.fold)
        if event.outcome is not None:
            self._take(candidate, job.fold, event.outcome)
        elif isinstance(event.error, CandidateTimeoutError):
            self._give_up(candidate, event.error)
        elif isinstance(event.error, WorkerDiedError) and alone:
            self.killers.append(candidate)
            self._give_up(candidate, event.error)
        elif isinstance(event.error, WorkerDiedError):
            self._suspects.append(job)
        elif event.error is not None:
            raise event.error

    def settle(self, *, all_finished: bool = False) -> Iterator[Candidate]:
        """Settle candidates that are finished, and yield them.

        Parameters
        ----------
        all_finished : bool, default=False
            Also those behind one that is not finished, in a sequential schedule.
        """
        for candidate in list(self._open.values()):
            if candidate.finished:
                del self._open[candidate.number]
                self._cut(candidate)
                best = self._best
                if candidate.complete and (best is None or candidate.score > best.score):
                    self._best = candidate
                self.settled.append(candidate)
                yield candidate
            elif self._sequential and not all_finished:
                return

    def rewards(self, candidates: Iterable[Candidate]) -> list[float]:
        """Return what the search learns from settled candidates; nan where one failed."""
        complete = self._complete()
        return [self._reward(candidate, complete) for candidate in candidates]

    def _reward(self, candidate: Candidate, complete: FloatArray) -> float:
        if candidate.failed or len(candidate.outcomes) == self._n_folds:
            return candidate.score
        assert self._race is not None
        assert self._best is not None
        upper = self._race.upper(candidate.scores, self._best.scores)
        return comparable_mean(candidate.scores, complete, min(upper, self._best.score))

    def _complete(self) -> FloatArray:
        """Return the scores of the candidates all of whose folds have one."""
        rows = [c.scores for c in self.settled if c.complete]
        return np.array(rows).reshape(len(rows), self._n_folds)

    def _next_suspect(self) -> Job | None:
        while self._suspects:
            job = self._suspects.popleft()
            candidate = self._open.get(job.candidate)
            if candidate is not None and not candidate.closed:
                self._on_trial = (job.candidate, job.fold)
                return self._job(candidate, job.fold)
        return self.next_job(0)

    def _next_candidate(self) -> Candidate | None:
        """Return the first candidate with folds to run.

        In a race folds wait for the one before, as long as other candidates can use the
        workers; beyond that they are run ahead.
        """
        waiting = (c for c in self._open.values() if c.waiting)
        if self._race is None:
            return next(waiting, None)
        return min(waiting, key=lambda candidate: len(candidate.running), default=None)

    def _job(self, candidate: Candidate, fold: int) -> Job:
        candidate.running.add(fold)
        left = None
        if self._candidate_timeout is not None:
            left = max(self._candidate_timeout - candidate.seconds, 0.0)
        return Job(candidate.number, fold, candidate.params, left)

    def _take(self, candidate: Candidate, fold: int, outcome: Outcome) -> None:
        candidate.outcomes[fold] = outcome
        candidate.scores[fold] = self._score(outcome)
        candidate.seconds += outcome["fit_time"] + outcome["score_time"]
        limit = self._candidate_timeout
        if outcome.pop("overdue", False) or (limit is not None and candidate.seconds > limit):
            self._give_up(candidate, CandidateTimeoutError())
        else:
            self._cut(candidate)

    def _give_up(self, candidate: Candidate, error: BaseException) -> None:
        """Let the folds without outcome fail."""
        for fold in candidate.order:
            if fold not in candidate.outcomes:
                outcome = self._failure(candidate.number, fold, error)
                candidate.outcomes[fold] = outcome
                candidate.scores[fold] = self._score(outcome)
        candidate.closed = True

    def _cut(self, candidate: Candidate) -> None:
        """Leave out the folds that the race does not need."""
        if self._race is None:
            return
        front = candidate.front
        incumbent = None if self._best is None else self._best.scores
        needed = self._race.n_needed(candidate.scores, front, incumbent)
        if needed is not None and needed < self._n_folds:
            candidate.keep(front[:needed])
