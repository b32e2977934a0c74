"""Which fold of which candidate is next, and when a candidate is finished."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from skpg._executors import CandidateError, Event, Job, Outcome, WorkerDiedError
from skpg._journal import Candidate, Journal
from skpg._racing import Race, comparable_mean
from skpg._space import FloatArray, Params
from skpg._time_limit import CandidateTimeoutError


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
    journal : Journal

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
        new = [
            Candidate(number, params, order, np.full(self._n_folds, np.nan))
            for number, params in enumerate(candidates, start=self._n_added)
        ]
        self.journal.add(new, len(self.settled))
        self._n_added += len(new)
        for candidate in new:
            self._open[candidate.number] = candidate
            self._recall(candidate)

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
            The error of the job, unless it is a death, a timeout or one of its candidate.
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
            self._give_up(candidate, event.error, {})
        elif isinstance(event.error, WorkerDiedError) and alone:
            self.killers.append(candidate)
            self._give_up(candidate, event.error, {})
        elif isinstance(event.error, WorkerDiedError):
            self._suspects.append(job)
        elif isinstance(event.error, CandidateError):
            self._take(candidate, job.fold, self._failure(job.candidate, job.fold, event.error))
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
        """
        for candidate in list(self._open.values()):
            if only is not None and candidate.number != only:
                continue
            self._cut(candidate, decided=True)
            if candidate.finished:
                del self._open[candidate.number]
                best = self._best
                if candidate.complete and (best is None or candidate.score > best.score):
                    self._best = candidate
                    for other in self._open.values():
                        self._cut(other)
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
        workers; beyond that they are run ahead, and last those that may be of no use.
        """
        waiting = (c for c in self._open.values() if c.waiting)
        if self._race is None:
            return next(waiting, None)
        return min(waiting, key=lambda c: (c.doubtful, len(c.running)), default=None)

    def _job(self, candidate: Candidate, fold: int) -> Job:
        candidate.running.add(fold)
        candidate.replayed = False
        left = None
        if self._candidate_timeout is not None:
            left = max(self._candidate_timeout - candidate.seconds, 0.0)
        return Job(candidate.number, fold, candidate.params, left)

    def _recall(self, candidate: Candidate) -> None:
        """Take the outcomes of an earlier run."""
        recorded = self.journal.recorded(candidate.number)
        if recorded is None:
            return
        for fold, outcome in recorded.outcomes.items():
            self._put(candidate, fold, dict(outcome))
        candidate.closed, candidate.replayed = recorded.closed, True
        if recorded.killed:
            self.killers.append(candidate)
        self._cut(candidate)

    def _put(self, candidate: Candidate, fold: int, outcome: Outcome) -> None:
        candidate.outcomes[fold] = outcome
        candidate.scores[fold] = self._score(outcome)
        # a fit that did not return has no times
        candidate.seconds += np.nan_to_num(outcome["fit_time"] + outcome["score_time"])

    def _take(self, candidate: Candidate, fold: int, outcome: Outcome) -> None:
        overdue = outcome.pop("overdue", False)
        self._put(candidate, fold, outcome)
        status = {fold: "ok" if outcome["fit_error"] is None else "failed"}
        limit = self._candidate_timeout
        if overdue or (limit is not None and candidate.seconds > limit):
            self._give_up(candidate, CandidateTimeoutError(), status)
        else:
            self.journal.record(candidate, status)
            self._cut(candidate)

    def _give_up(
        self, candidate: Candidate, error: BaseException, statuses: Mapping[int, str]
    ) -> None:
        """Let the folds without outcome fail; keep them with those that have a status."""
        status = "timeout" if isinstance(error, CandidateTimeoutError) else "killed"
        left = [fold for fold in candidate.order if fold not in candidate.outcomes]
        for fold in left:
            self._put(candidate, fold, self._failure(candidate.number, fold, error))
        self.journal.record(candidate, {**statuses, **dict.fromkeys(left, status)})
        candidate.closed = True

    def _cut(self, candidate: Candidate, *, decided: bool = False) -> None:
        """Leave out the folds that the race does not need.

        Where candidates before it are still to be settled, only what no better candidate
        would change is certain: so the result is the same whichever is finished first.
        """
        if self._race is None:
            return
        front = candidate.front
        incumbent = None if self._best is None else self._best.scores
        needed = self._race.n_needed(candidate.scores, front, incumbent)
        lost = needed is not None and needed < self._n_folds
        if lost and (decided or not self._sequential or not self._race.optimistic):
            candidate.keep(front[:needed])
        candidate.doubtful = lost
