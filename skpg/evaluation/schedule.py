"""Which fold of which candidate is next, and when a candidate is finished."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np

from skpg.evaluation.candidate import Candidate
from skpg.evaluation.journal import Journal
from skpg.evaluation.outcome import Outcome
from skpg.evaluation.racing import Race, comparable_mean
from skpg.evaluation.workers.executors import CandidateError, Event, Job, WorkerDiedError
from skpg.evaluation.workers.time_limit import CandidateTimeoutError
from skpg.space.types import FloatArray, Params


class Schedule:
    """The folds that wait, run and are finished.

    In a sequential schedule candidates are settled in their order, whichever finishes
    first, and what is decided about one depends on earlier ones only: so the result is the
    same for any number of workers.

    Parameters
    ----------
    n_folds : int
    score : callable
        From an outcome to the score that the search learns from; nan where there is none.
    failure : callable
        From an error to the outcome that stands for a fit that did not return.
    race : Race or None
    candidate_timeout : float or None
        Seconds that the folds of a candidate may run together. They are summed in its order
        of folds: the one with which they are more, and those after it, fail, however far they
        were run at the same time.
    sequential : bool
    journal : Journal

    Attributes
    ----------
    settled : list of Candidate
        The finished candidates, about which all is decided.
    killers : list of Candidate
        Those that killed their workers twice.
    n_asked : int
        Number of candidates that were taken on.
    best : Candidate or None
        The settled candidate with the greatest mean, the first one of several; None where
        none has a score on each fold.
    """

    def __init__(
        self,
        n_folds: int,
        *,
        score: Callable[[Outcome], float],
        failure: Callable[[BaseException], Outcome],
        race: Race | None = None,
        candidate_timeout: float | None = None,
        sequential: bool = True,
        journal: Journal | None = None,
    ):
        self.settled: list[Candidate] = []
        self.killers: list[Candidate] = []
        self._n_folds = n_folds
        self._score, self._failure = score, failure
        self._race = race
        self._candidate_timeout = candidate_timeout
        self._sequential = sequential
        self.journal = Journal() if journal is None else journal
        self._open: dict[int, Candidate] = {}
        self.n_asked = 0
        self.best: Candidate | None = None
        # of a race: the settled candidates that have a score on each fold, and their sums by fold
        self._fold_sums, self._n_complete = np.zeros(n_folds), 0
        # folds in flight when a worker died, and the one of them that now runs alone
        self._suspects: deque[Job] = deque()
        self._running_alone: tuple[int, int] | None = None

    @property
    def takes_candidates(self) -> bool:
        """Whether new candidates can use a worker, and none has to be watched alone."""
        return not self._suspects and self._running_alone is None

    @property
    def n_since_best(self) -> int:
        """Number of candidates that were settled after the best one."""
        n = len(self.settled)
        return n if self.best is None else n - 1 - self.best.position

    @property
    def any_finished(self) -> bool:
        """Whether at least one candidate is finished."""
        return bool(self.settled) or any(c.finished for c in self._open.values())

    def add(self, candidates: Iterable[Params]) -> None:
        """Take candidates on."""
        race, folds = self._race, tuple(range(self._n_folds))
        order = folds if race is None else race.order(self._fold_means)
        new = [
            Candidate(number, params, order, np.full(self._n_folds, np.nan))
            for number, params in enumerate(candidates, start=self.n_asked)
        ]
        self.journal.add(new, len(self.settled))
        self.n_asked += len(new)
        for candidate in new:
            self._open[candidate.number] = candidate
            self._recall(candidate)

    def next_job(self, n_running: int) -> Job | None:
        """Return the next fold to run beside those that are running; None if there is none."""
        if self._suspects or self._running_alone:
            return None if n_running else self._next_suspect()
        candidate = self._next_candidate()
        return None if candidate is None else self._job(candidate, candidate.waiting[0])

    def record(self, event: Event) -> None:
        """Take note of how a job ended.

        Raises
        ------
        BaseException
            The error of the job, unless it is a death, a timeout or one of its candidate.
        """
        job = event.job
        alone = (job.candidate, job.fold) == self._running_alone
        if alone:
            self._running_alone = None
        candidate = self._open.get(job.candidate)
        if candidate is None:
            return
        candidate.running.discard(job.fold)
        if candidate.closed or job.fold in candidate.outcomes:
            return
        if event.outcome is not None:
            self._take(candidate, job.fold, event.outcome)
        elif isinstance(event.error, CandidateTimeoutError):
            self.journal.record(candidate, self._expire(candidate, job.fold))
            self._cut(candidate)
        elif isinstance(event.error, WorkerDiedError) and alone:
            self._give_up(candidate, event.error)
        elif isinstance(event.error, WorkerDiedError):
            self._suspects.append(job)
        elif isinstance(event.error, CandidateError):
            self._take(candidate, job.fold, self._failure(event.error))
        elif event.error is not None:
            raise event.error

    def settle(self, *, all_finished: bool = False, only: int | None = None) -> Iterator[Candidate]:
        """Settle candidates that are finished, and yield them.

        Parameters
        ----------
        all_finished : bool, default=False
            Also those behind one that is not finished, in a sequential schedule.
        only : int, default=None
            None but this one.

        Yields
        ------
        Candidate
            Also those that are taken on meanwhile.
        """
        while candidate := self._first_finished(all_finished=all_finished, only=only):
            del self._open[candidate.number]
            candidate.position = len(self.settled)
            self.settled.append(candidate)
            if candidate.complete:
                self._compare(candidate)
            yield candidate

    def _first_finished(self, *, all_finished: bool, only: int | None) -> Candidate | None:
        """Return the first finished candidate that may be settled."""
        for candidate in self._open.values():
            if only is not None and candidate.number != only:
                continue
            self._cut(candidate, decided=True)
            if candidate.finished:
                return candidate
            if self._sequential and not all_finished:
                break
        return None

    def rewards(self, candidates: Iterable[Candidate]) -> list[float]:
        """Return what the search learns from settled candidates; nan where one failed."""
        return [self._reward(candidate) for candidate in candidates]

    def _reward(self, candidate: Candidate) -> float:
        if candidate.failed:
            return float("nan")
        if len(candidate.outcomes) == self._n_folds:
            return candidate.score
        assert self._race is not None
        assert self.best is not None
        upper = self._race.upper(candidate.scores, self.best.scores)
        return comparable_mean(candidate.scores, self._fold_means, min(upper, self.best.score))

    @property
    def _fold_means(self) -> FloatArray:
        """The means by fold of the settled candidates with a score on each; 0 without one."""
        return self._fold_sums / max(self._n_complete, 1)

    def _compare(self, candidate: Candidate) -> None:
        """Let a candidate be the one to beat, if it is the best."""
        if self._race is not None:
            self._fold_sums += candidate.scores
            self._n_complete += 1
        if self.best is None or candidate.score > self.best.score:
            self.best = candidate
            for other in self._open.values():
                self._cut(other)

    def _next_suspect(self) -> Job | None:
        while self._suspects:
            job = self._suspects.popleft()
            candidate = self._open.get(job.candidate)
            if candidate is None or candidate.closed or job.fold in candidate.outcomes:
                continue
            self._running_alone = (job.candidate, job.fold)
            return self._job(candidate, job.fold)
        return self.next_job(0)

    def _next_candidate(self) -> Candidate | None:
        """Return the first candidate with folds to run.

        In a race folds wait for the one before, as long as other candidates can use the
        workers; beyond that they are run ahead, and last those that may be of no use.
        """
        waiting = (c for c in self._open.values() if c.waiting)
        if self._race is None:
            return next(waiting, None)
        return min(waiting, key=lambda c: (c.losing, len(c.running)), default=None)

    def _job(self, candidate: Candidate, fold: int) -> Job:
        candidate.running.add(fold)
        candidate.replayed = False
        left = None
        if self._candidate_timeout is not None:
            left = max(self._candidate_timeout - candidate.seconds_before(fold), 0.0)
        return Job(candidate.number, fold, candidate.params, left)

    def _recall(self, candidate: Candidate) -> None:
        """Take the outcomes of an earlier run."""
        recorded = self.journal.recorded(candidate.number)
        if recorded is None:
            return
        for fold, outcome in recorded.outcomes.items():
            self._put(candidate, fold, outcome, recorded.statuses[fold])
        candidate.closed, candidate.replayed = recorded.closed, True
        if "killed" in recorded.statuses.values():
            self.killers.append(candidate)
        late = [] if candidate.closed else self._account(candidate)
        if late:
            self.journal.record(candidate, late)
        self._cut(candidate)

    def _put(self, candidate: Candidate, fold: int, outcome: Outcome, status: str) -> None:
        candidate.outcomes[fold], candidate.statuses[fold] = outcome, status
        # what stands for the score of a failure is none, whatever its value
        candidate.scores[fold] = self._score(outcome) if status == "ok" else np.nan

    def _take(self, candidate: Candidate, fold: int, outcome: Outcome) -> None:
        overdue = outcome.overdue
        status = "failed" if np.isnan(self._score(outcome)) else "ok"
        # a fit that was ended tells where it was; of one that returned too late nothing is kept
        self._put(candidate, fold, outcome, "timeout" if overdue and status != "ok" else status)
        late = self._expire(candidate, fold) if overdue else []
        self.journal.record(candidate, {fold, *late, *self._account(candidate)})
        self._cut(candidate)

    def _account(self, candidate: Candidate) -> list[int]:
        """Let folds fail from the first one on with which the limit is exceeded."""
        spent = 0.0
        for fold in candidate.leading:
            spent += candidate.seconds_of([fold])
            if self._candidate_timeout is not None and spent > self._candidate_timeout:
                return self._expire(candidate, fold)
        return []

    def _expire(self, candidate: Candidate, fold: int) -> list[int]:
        """Let a fold and those after it in order fail for lack of time; return the new ones.

        Whether others were run ahead depends on the number of workers: so they fail too.
        """
        error = CandidateTimeoutError()
        after = candidate.order[candidate.order.index(fold) :]
        late = [other for other in after if candidate.statuses.get(other) != "timeout"]
        for other in late:
            failure, run = self._failure(error), candidate.outcomes.get(other)
            if run is not None:
                failure = replace(failure, fit_time=run.fit_time, score_time=run.score_time)
            self._put(candidate, other, failure, "timeout")
        return late

    def _give_up(self, candidate: Candidate, error: BaseException) -> None:
        """Let the folds without outcome fail of a candidate that kills its worker."""
        self.killers.append(candidate)
        left = [fold for fold in candidate.order if fold not in candidate.outcomes]
        for fold in left:
            self._put(candidate, fold, self._failure(error), "killed")
        self.journal.record(candidate, left)

    def _cut(self, candidate: Candidate, *, decided: bool = False) -> None:
        """Leave out the folds that the race does not need.

        Where candidates before it are still to be settled, only what no better candidate
        would change is certain: so the result is the same whichever is finished first.
        """
        if self._race is None:
            return
        leading = candidate.leading
        incumbent = None if self.best is None else self.best.scores
        needed = self._race.n_needed(candidate.scores, leading, incumbent)
        lost = needed is not None and needed < self._n_folds
        if lost and (decided or not self._sequential or not self._race.optimistic):
            candidate.keep(leading[:needed])
        candidate.losing = lost
