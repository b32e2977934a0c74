"""The loop that keeps workers busy until there is a reason to stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from skpg.evaluation.call_stack import warn
from skpg.evaluation.candidate import Candidate
from skpg.evaluation.schedule import Schedule
from skpg.evaluation.stopping import Clock, Interrupt, Progress, StoppingRule
from skpg.evaluation.workers.executors import Event, Executor, Job, WorkersLostError
from skpg.space.types import Params

Ask = Callable[[int], list[Params]]

# Reasons that a candidate gives: what runs beside it is of no use any more.
DECIDED = ("target_score", "patience")


class Engine:
    """Evaluate candidates until there is a reason to stop.

    A context manager: inside, the first Ctrl-C asks to stop, unless it is nested.

    Parameters
    ----------
    executor : Executor
    schedule : Schedule
    rule : StoppingRule
    n_iter : int
        Number of candidates at most.
    batch_size : int
        Candidates in flight at most, unless the evaluation is asynchronous.
    evaluation : {'batch', 'stream', 'async'}
        Ask for the next batch once the last one is finished, for one candidate once the oldest
        in flight is finished, or for one as soon as a worker is free.
    nested : bool
        Whether it is part of another fit, which Ctrl-C is left to.
    before : callable
        Gives a job its last touch in this process.

    Attributes
    ----------
    stop_reason : str or None
        Why the evaluation ended; None as long as it goes on.
    """

    def __init__(
        self,
        executor: Executor,
        schedule: Schedule,
        rule: StoppingRule,
        *,
        n_iter: int,
        batch_size: int,
        evaluation: str,
        nested: bool,
        before: Callable[[Job], Job],
    ):
        self.stop_reason: str | None = None
        self._executor, self._schedule, self._rule = executor, schedule, rule
        self._n_iter, self._batch_size, self._evaluation = n_iter, batch_size, evaluation
        self._before = before
        self._clock = Clock(rule.timeout)
        self._interrupt = Interrupt(lambda: schedule.any_finished, nested=nested)

    def __enter__(self) -> Engine:
        self._interrupt.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            self._executor.abandon()
        finally:
            self._interrupt.__exit__()

    def run(self, ask: Ask) -> Iterator[list[Candidate]]:
        """Yield groups of finished candidates: batches, or else one at a time.

        A candidate is asked for after all groups that were yielded before have been told.

        Parameters
        ----------
        ask : callable
            From a number to at most as many new candidates.

        Raises
        ------
        KeyboardInterrupt
            On Ctrl-C before any candidate is finished, on the second one, and if nested.
        """
        ways = {"batch": self._in_batches, "stream": self._in_stream, "async": self._one_by_one}
        yield from (group for group in ways[self._evaluation](ask) if group)
        if self.stop_reason is None:
            self.stop_reason = "n_iter" if self._schedule.n_asked >= self._n_iter else "exhausted"

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the timeout, at least 0; None where there is none."""
        return self._clock.left

    @property
    def _replaying(self) -> bool:
        """Whether candidates of an earlier run are still to be asked again."""
        return self._schedule.n_asked < min(len(self._schedule.journal.asked), self._n_iter)

    def _in_batches(self, ask: Ask) -> Iterator[list[Candidate]]:
        while self.stop_reason is None and self._take_on(ask, self._batch_size):
            yield list(self._finished(lambda: False))

    def _in_stream(self, ask: Ask) -> Iterator[list[Candidate]]:
        """Ask for candidate k once candidate k - batch_size has been told, all in their order.

        So what has been told when a candidate is asked for does not depend on the workers.
        """
        self._take_on(ask, self._batch_size)
        for candidate in self._finished(lambda: False):
            yield [candidate]
            more = self.stop_reason is None and self._take_on(ask, 1)
            # workers do not wait until other candidates are learned from; a replay needs none
            if more and not candidate.replayed:
                self._occupy()

    def _one_by_one(self, ask: Ask) -> Iterator[list[Candidate]]:
        for candidate in self._replayed(ask):
            yield [candidate]
        for candidate in self._finished(lambda: self._take_on(ask, 1)):
            yield [candidate]

    def _replayed(self, ask: Ask) -> Iterator[Candidate]:
        """Ask and settle in the order in which an earlier run did."""
        schedule, journal = self._schedule, self._schedule.journal
        asked, settled = journal.asked, journal.settled
        for n_told in range(len(settled) + 1):
            while self._replaying and asked[schedule.n_asked] <= n_told and self._take_on(ask, 1):
                pass
            if n_told < len(settled):
                yield from self._settle(only=settled[n_told])

    def _take_on(self, ask: Ask, n: int) -> bool:
        """Ask for candidates; return whether there are any."""
        left = self._n_iter - self._schedule.n_asked
        # The policy always proposes a whole batch, so that the first candidates of a
        # longer search are the same.
        candidates = ask(n)[:left] if left else []
        self._schedule.add(candidates)
        return bool(candidates)

    def _finished(self, refill: Callable[[], bool]) -> Iterator[Candidate]:
        """Keep the workers busy; yield candidates as they are finished.

        Parameters
        ----------
        refill : callable
            Called when a worker is free and no fold waits; returns whether it added some.
        """
        while True:
            yield from self._settle()
            if self.stop_reason in DECIDED:
                self._executor.abandon()
            self._occupy(refill)
            if not self._executor.n_running:
                break
            for event in self._wait():
                self._record(event)
        if self.stop_reason not in DECIDED:
            yield from self._settle(all_finished=True)

    def _occupy(self, refill: Callable[[], bool] = lambda: False) -> None:
        """Give each free worker a fold, unless there is a reason to stop."""
        self._look_up()
        while self.stop_reason is None and self._executor.n_running < self._executor.slots:
            if not self._submit() and not (self._schedule.takes_candidates and refill()):
                break

    def _look_up(self) -> None:
        """Stop where time is over, or Ctrl-C was met, once there is a result to keep."""
        if self.stop_reason is None and self._interrupt.requested:
            self.stop_reason = "interrupted"
        over = self._clock.left == 0 and self._schedule.any_finished
        if self.stop_reason is None and over:
            self.stop_reason = "timeout"

    def _wait(self) -> list[Event]:
        seconds = None if self.stop_reason else self._clock.left or None
        try:
            return self._executor.wait(seconds)
        except KeyboardInterrupt:  # not from our own handler, if it is the first
            self._interrupt.request()
        except WorkersLostError as error:
            if not self._schedule.any_finished:
                raise
            warn(f"The search ends here: {error}.")
            self.stop_reason = "interrupted"
        self._executor.abandon()
        return []

    def _submit(self) -> bool:
        job = self._schedule.next_job(self._executor.n_running)
        if job is None:
            return False
        # not before: the replay of an earlier run, however long it takes, is over now
        self._clock.start()
        self._executor.submit(self._before(job))
        return True

    def _record(self, event: Event) -> None:
        if isinstance(event.error, KeyboardInterrupt):  # it reached a worker
            if not self._interrupt.requested:
                self._interrupt.request()
            return
        if event.outcome is not None and event.outcome.asked_to_stop:
            self.stop_reason = self.stop_reason or "callback"
        self._schedule.record(event)

    def _settle(
        self, *, all_finished: bool = False, only: int | None = None
    ) -> Iterator[Candidate]:
        for candidate in self._schedule.settle(all_finished=all_finished, only=only):
            reason = self._rule.reason_to_stop(self._progress(candidate))
            self.stop_reason = self.stop_reason or reason
            yield candidate
            # What was evaluated ahead does not count: it depends on the number of workers.
            if self.stop_reason in DECIDED and self._evaluation != "async":
                return

    def _progress(self, candidate: Candidate) -> Progress:
        best = self._schedule.best
        return Progress(
            params=candidate.params,
            score=candidate.score,
            n_candidates=len(self._schedule.settled),
            n_iter=self._n_iter,
            best_params=None if best is None else best.params,
            best_score=-np.inf if best is None else best.score,
            n_since_best=self._schedule.n_since_best,
            elapsed=self._clock.elapsed,
            status=candidate.status,
            fold_scores=tuple(candidate.scores.tolist()),
            seconds=candidate.seconds,
            replayed=candidate.replayed,
        )
