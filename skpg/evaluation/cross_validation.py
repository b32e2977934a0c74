"""Folds in, scores out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import clone

from skpg.evaluation.call_stack import warn
from skpg.evaluation.candidate import Candidate
from skpg.evaluation.engine import Ask, Engine
from skpg.evaluation.fit_log import FitLog, this_worker
from skpg.evaluation.journal import Journal
from skpg.evaluation.outcome import Keep, Outcome
from skpg.evaluation.racing import Race
from skpg.evaluation.retention import KEPT_BYTES, Retention
from skpg.evaluation.schedule import Schedule
from skpg.evaluation.score import ScoreOfFold
from skpg.evaluation.settings import SearchSettings
from skpg.evaluation.sklearn import RunningFit, fit_and_score
from skpg.evaluation.stopping import StoppingRule
from skpg.evaluation.task_tree import Listener, SearchForCallbacks, TaskTree
from skpg.evaluation.workers.backends import executor_of, takes_single_jobs
from skpg.evaluation.workers.executors import Job
from skpg.evaluation.workers.transfer import as_candidate_error
from skpg.space.types import Params


@dataclass(frozen=True, repr=False)  # the data are too long for a message
class FitAndScore:
    """What the fits of a search have in common; called with what they have not."""

    estimator: Any
    X: Any
    y: Any
    splits: list[tuple[Any, Any]]
    keywords: dict[str, Any]
    n_candidates: int
    caller: SearchForCallbacks | None = None
    keep: Keep | None = None

    @classmethod
    def of(
        cls,
        fit: RunningFit,
        n_candidates: int,
        caller: SearchForCallbacks | None,
        keep: Keep | None,
    ) -> FitAndScore:
        """Return the job of a running `fit`."""
        data = fit.estimator, fit.X, fit.y, fit.splits, fit.keywords
        return cls(*data, n_candidates, caller, keep)

    def __call__(self, job: Job) -> Outcome:
        """Fit and score one candidate on one fold.

        Raises
        ------
        CandidateError
            If the estimator does not take the hyperparameters.
        """
        listener: Listener | None = job.context
        reports: dict[str, Any] = {}
        if listener is not None and self.caller is not None:
            reports = {"caller": self.caller.search, "callback_ctx": listener}
        train, test = self.splits[job.fold]
        begin = time.time()
        try:
            outcome = fit_and_score(
                clone(self.estimator),
                self.X,
                self.y,
                train=train,
                test=test,
                keep=self.keep,
                parameters=job.params,
                split_progress=(job.fold, len(self.splits)),
                candidate_progress=(job.candidate, self.n_candidates),
                **self.keywords,
                **reports,
            )
        except Exception:
            self._check(job.params)
            raise
        asked_to_stop = listener is not None and listener.asked_to_stop
        return replace(outcome, asked_to_stop=asked_to_stop, begin=begin, worker=this_worker())

    def _check(self, params: Mapping[str, Any]) -> None:
        """Raise `CandidateError` where scikit-learn's function cannot even begin."""
        with as_candidate_error("the hyperparameters cannot be set"):
            clone(self.estimator).set_params(**clone(params, safe=False))


@contextmanager
def cross_validation(
    settings: SearchSettings,
    fit: RunningFit,
    journal: Journal,
    tasks: TaskTree,
    *,
    race: Race | None,
    n_candidates: int,
    evaluation: str,
    nested: bool,
    keep: Keep | None = None,
) -> Iterator[CrossValidation]:
    """Lend a cross-validation of candidates, on folds that are split once.

    Inside, the first Ctrl-C asks to stop, unless it is nested.

    Parameters
    ----------
    settings : SearchSettings
    fit : RunningFit
        The data, the folds, and where the results go.
    journal : Journal
        What is known from earlier runs, and kept for later ones.
    tasks : TaskTree
    race : Race or None
    n_candidates : int
        Number of candidates, unless something ends the search before.
    evaluation : {'batch', 'stream', 'async'}
        When candidates are proposed and told.
    nested : bool
        Whether it is part of another fit, which Ctrl-C is left to.
    keep : callable, default=None
        What to keep of each model.

    Yields
    ------
    CrossValidation
    """
    n_folds, score = len(fit.splits), ScoreOfFold.of(settings)
    with ExitStack() as stack:
        task = FitAndScore.of(fit, n_candidates, tasks.caller, keep)
        executor = executor_of(fit.parallel, task, raced=race is not None)
        stack.callback(executor.close)
        schedule = Schedule(
            n_folds,
            score=score,
            failure=score.of_failure,
            race=race,
            candidate_timeout=settings.candidate_timeout,
            sequential=evaluation != "async",
            journal=journal,
        )
        engine = Engine(
            executor,
            schedule,
            StoppingRule.of(settings),
            n_iter=settings.n_iter,
            batch_size=settings.batch_size,
            evaluation=evaluation,
            nested=nested,
            before=tasks.with_leaf,
        )
        if settings.verbose > 0:
            _announce(n_folds, n_candidates, len(journal.asked))
        tasks.begin(n_candidates * n_folds - _n_known_fits(journal, n_candidates))
        stack.enter_context(engine)
        yield CrossValidation(settings, fit, journal, tasks, schedule, engine)


class CrossValidation:
    """Cross-validation of candidates; lent by `cross_validation`."""

    def __init__(
        self,
        settings: SearchSettings,
        fit: RunningFit,
        journal: Journal,
        tasks: TaskTree,
        schedule: Schedule,
        engine: Engine,
    ):
        self._settings, self._fit, self._journal, self._tasks = settings, fit, journal, tasks
        self._schedule, self._engine = schedule, engine
        self._retention = Retention()

    @property
    def stop_reason(self) -> str | None:
        """Why the evaluation ended; None as long as it goes on."""
        return self._engine.stop_reason

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the timeout; None where there is none."""
        return self._engine.seconds_left

    @property
    def settled(self) -> list[Candidate]:
        """The finished candidates."""
        return self._schedule.settled

    @property
    def n_fits(self) -> int:
        """Number of fits of the finished candidates."""
        return sum(len(candidate.outcomes) for candidate in self._schedule.settled)

    @property
    def statuses(self) -> list[str]:
        """The statuses of the finished candidates."""
        return [candidate.status for candidate in self._schedule.settled]

    @property
    def fit_log(self) -> FitLog:
        """When and where the fits of the finished candidates ran."""
        return FitLog.of(self._schedule.settled)

    def run(self, ask: Ask) -> Iterator[tuple[list[Params], list[float]]]:
        """Evaluate what a policy proposes until there is a reason to stop.

        Parameters
        ----------
        ask : callable
            From a number to at most as many new candidates.

        Yields
        ------
        params : list of dict
            Finished candidates: a batch, or else one at a time.
        rewards : list of float
            The mean test score of each, by the metric to learn from; nan where it failed.
        """
        for update, group in enumerate(self._engine.run(ask)):
            rewards = self._schedule.rewards(group)
            self._journal.settle(update, group, rewards)
            for candidate in group:
                self._retention.settle(candidate)
            yield [candidate.params for candidate in group], rewards

    def finish(self, more_results: Mapping[str, Any]) -> dict[str, Any]:
        """Give the results to `fit`, and return them.

        Raises
        ------
        ValueError
            If every fit failed.
        """
        candidates, raced = self._schedule.settled, self._settings.raced
        if raced:
            n_folds = [len(candidate.outcomes) for candidate in candidates]
            more_results = {**more_results, "n_folds_evaluated": n_folds}
        self._warn_of_killers()
        self._warn_of_infinite_scores()
        self._warn_of_forgotten()
        results = self._fit.finish(
            [candidate.params for candidate in candidates],
            [candidate.outcomes for candidate in candidates],
            more_results,
            np.array([status == "complete" for status in self.statuses]),
            failures_are_left_out=raced and not any(c.failed for c in candidates),
        )
        self._tasks.end()
        self._journal.finish(str(self.stop_reason))
        return results

    def _warn_of_killers(self) -> None:
        killers = [candidate.params for candidate in self._schedule.killers]
        if killers:
            warn(
                f"{len(killers)} candidates killed their worker twice; perhaps they need more "
                f"memory than there is. Their score is {self._settings.error_score}: {killers}"
            )

    def _warn_of_infinite_scores(self) -> None:
        score = ScoreOfFold.of(self._settings)
        infinite = [
            candidate.params
            for candidate in self._schedule.settled
            if any(map(score.is_infinite, candidate.outcomes.values()))
        ]
        if infinite:
            warn(f"Candidates with an infinite score on some fold count as failed: {infinite}")

    def _warn_of_forgotten(self) -> None:
        if self._retention.n_forgotten:
            warn(
                f"The predictions of {self._retention.n_forgotten} candidates, those with the "
                f"worst scores, were not kept: all together are more than {KEPT_BYTES:,} bytes."
            )


def evaluation_on(settings: SearchSettings, parallel: Any) -> str:
    """Return how candidates are evaluated; warn where the backend cannot do what is wanted."""
    if settings.evaluation != "async" or takes_single_jobs(parallel):
        return settings.evaluation
    warn("The active joblib backend takes whole batches only: evaluation='async' has no effect.")
    return "batch"


def _n_known_fits(journal: Journal, n_candidates: int) -> int:
    """Return how many fits need not be made, since an earlier run has made them."""
    known = map(journal.recorded, range(min(len(journal.asked), n_candidates)))
    return sum(len(candidate.outcomes) for candidate in known if candidate is not None)


def _announce(n_folds: int, n_candidates: int, n_known: int) -> None:
    print(
        f"Fitting {n_folds} folds for each of {n_candidates} candidates,"
        f" totalling {n_candidates * n_folds} fits"
    )
    if n_known:
        print(f"{n_known} candidates are known from an earlier run")
