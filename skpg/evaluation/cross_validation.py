"""Folds in, scores out.

`BaseSearchCV.fit` hands its `_run_search` a function ``evaluate_candidates`` that raises
when every fit of one call fails, loses all results with the first dead worker, splits anew
in each call, and formats all results each time. An adaptive search makes many calls. So the
same fits run here without it, one by one, and their outcomes are put into the two objects
where `fit` looks for them. This holds for scikit-learn 1.6 to 1.9.
"""

from __future__ import annotations

import copy
import inspect
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.base import clone

# Private: it formats `cv_results_`.
from sklearn.model_selection._search import BaseSearchCV

# Private: the job that scikit-learn's searches run, with its timing, error handling,
# messages and callbacks, and the checks that they make of its outcomes.
from sklearn.model_selection._validation import (
    _fit_and_score,
    _warn_or_raise_about_fit_failures,
)

from skpg.evaluation.callers import warn
from skpg.evaluation.candidate import Journal
from skpg.evaluation.engine import Ask, Engine
from skpg.evaluation.schedule import Schedule
from skpg.evaluation.scorers import race_of
from skpg.evaluation.stopping import StoppingRule
from skpg.evaluation.workers.backends import executor_of
from skpg.evaluation.workers.executors import Batches, Executor, Job, Outcome
from skpg.evaluation.workers.transfer import of_the_candidate
from skpg.learners import ActorCritic
from skpg.space.space import Params, Space
from skpg.storage.opening import open_study

NAN = float("nan")


class ErrorScore(float):
    """The `error_score` in place of a score, which its type tells from a real one."""


class Listener:
    """Stands for a context of scikit-learn's callbacks where `_fit_and_score` talks to it.

    It keeps what the callbacks answer, which `_fit_and_score` drops.

    Parameters
    ----------
    context : CallbackContext
        Of a fit.

    Attributes
    ----------
    asked_to_stop : bool
        Whether a callback did.
    """

    def __init__(self, context: Any):
        self._context = context
        self.asked_to_stop = False

    def propagate_callback_context(self, estimator: Any) -> AbstractContextManager[None]:
        """Lend the callbacks to an estimator."""
        return self._context.propagate_callback_context(estimator)

    def call_on_fit_task_begin(self, **about: Any) -> None:
        """Tell the callbacks that the fit begins."""
        self._context.call_on_fit_task_begin(**about)

    def call_on_fit_task_end(self, **about: Any) -> None:
        """Tell the callbacks that the fit has ended."""
        self.asked_to_stop |= self._context.call_on_fit_task_end(**about)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the other fits behind, which the whole tree leads to."""
        return {**self.__dict__, "_context": _alone(self._context)}


def _alone(context: Any) -> Any:
    """Return a copy of a context that knows its ancestors, and no other tasks."""
    copied = copy.copy(context)
    if context.parent is not None:
        copied.parent = _alone(context.parent)
        copied.parent._children_map = {copied.task_id: copied}
    return copied


@dataclass(frozen=True, repr=False)  # the data are too long for a message
class FitAndScore:
    """What the fits of a search have in common; called with what they have not."""

    estimator: Any
    X: Any
    y: Any
    splits: list[tuple[Any, Any]]
    n_candidates: int
    keywords: dict[str, Any]
    caller: Any

    def __call__(self, job: Job) -> Outcome:
        """Fit and score one candidate on one fold.

        Raises
        ------
        CandidateError
            If the estimator does not take the hyperparameters.
        """
        listener: Listener | None = job.context
        reports = {} if listener is None else {"caller": self.caller, "callback_ctx": listener}
        train, test = self.splits[job.fold]
        try:
            outcome: Outcome = _fit_and_score(
                clone(self.estimator),
                self.X,
                self.y,
                train=train,
                test=test,
                parameters=job.params,
                split_progress=(job.fold, len(self.splits)),
                candidate_progress=(job.candidate, self.n_candidates),
                **self.keywords,
                **reports,
            )
        except Exception:
            self._check(job.params)
            raise
        outcome["asked_to_stop"] = listener is not None and listener.asked_to_stop
        return outcome

    def _check(self, params: Mapping[str, Any]) -> None:
        """Raise `CandidateError` where `_fit_and_score` cannot even begin."""
        with of_the_candidate("the hyperparameters cannot be set"):
            clone(self.estimator).set_params(**clone(params, safe=False))

    def __getstate__(self) -> dict[str, Any]:
        """Leave behind of the search what no callback of scikit-learn asks for."""
        return {**self.__dict__, "caller": _before_its_fits(self.caller)}


def _before_its_fits(search: Any) -> Any:
    """Return a search as scikit-learn's callbacks may see it elsewhere; None without them."""
    if not getattr(search, "_skl_callbacks", None):
        return None
    seen = copy.copy(search)
    for name in vars(search):
        # What an earlier `fit` has left may be large. The context leads to all others.
        if (name.endswith("_") and name != "n_splits_") or name == "_callback_fit_ctx":
            delattr(seen, name)
    seen.callbacks = None  # called in this process only
    return seen


class CrossValidation:
    """Cross-validation of candidates, on folds that are split once.

    A context manager: inside, the first Ctrl-C asks to stop.

    Parameters
    ----------
    search : PolicyGradientSearchCV
        The search whose `fit` is running.
    space : Space
    evaluate_candidates : callable
        What `fit` handed to `_run_search`. Its closure holds what a fit needs and takes
        what it returns.
    callback_ctx : CallbackContext or None
        The context of the running `fit` (scikit-learn >= 1.9).
    nested : bool, default=False
        Whether it is part of another fit, which Ctrl-C is left to.

    Attributes
    ----------
    random_state : int, RandomState or None
        What the optimizer shall draw from: with a storage, the seed that is kept there.
    """

    def __init__(
        self,
        search: Any,
        space: Space,
        evaluate_candidates: Callable[..., Any],
        callback_ctx: Any = None,
        *,
        nested: bool = False,
    ):
        fit = inspect.getclosurevars(evaluate_candidates).nonlocals
        self._search, self._nested = search, nested
        self._results: dict[str, Any] = fit["results"]
        self._outcomes: list[Outcome] = fit["all_out"]
        self._metric: str | None = None
        self.random_state = search.random_state
        self._task = FitAndScore(
            fit["base_estimator"],
            fit["X"],
            fit["y"],
            _splits(search, fit),
            _n_candidates(space, search.n_iter),
            fit["fit_and_score_kwargs"] | {"error_score": _marked(search.error_score)},
            search,
        )
        self._n_folds = len(self._task.splits)
        self._space, self._parallel, self._callback_ctx = space, fit["parallel"], callback_ctx
        self._race = race_of(search, self._task.keywords["scorer"])

    def __enter__(self) -> CrossValidation:
        search = self._search
        with ExitStack() as stack:
            executor = executor_of(self._parallel, self._task, raced=self._race is not None)
            stack.callback(executor.close)
            asynchronous = _is_asynchronous(search, executor)
            self._journal = stack.enter_context(self._open_journal(asynchronous))
            self._schedule = self._make_schedule(sequential=not asynchronous)
            self._engine = self._make_engine(executor, asynchronous)
            self._context = self._begin(self._callback_ctx)
            stack.enter_context(self._engine)
            self._exit = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._exit.close()

    @property
    def stop_reason(self) -> str | None:
        """Why the evaluation ended; None as long as it goes on."""
        return self._engine.stop_reason

    @property
    def n_fits(self) -> int:
        """Number of fits of the finished candidates."""
        return sum(len(candidate.outcomes) for candidate in self._schedule.settled)

    @property
    def statuses(self) -> list[str]:
        """The statuses of the finished candidates."""
        return [candidate.status for candidate in self._schedule.settled]

    def run(self, ask: Ask) -> Iterator[tuple[list[Params], list[float]]]:
        """Evaluate what a policy proposes until there is a reason to stop.

        Parameters
        ----------
        ask : callable
            From a number to at most as many new candidates.

        Yields
        ------
        params : list of dict
            Finished candidates: a batch, or one at a time if the evaluation is asynchronous.
        rewards : list of float
            The mean test score of each, by the metric to learn from; nan where it failed.
        """
        for group in self._engine.run(ask):
            rewards = self._schedule.rewards(group)
            self._journal.settle(group, rewards)
            yield [candidate.params for candidate in group], rewards

    def finish(self, more_results: Mapping[str, Any]) -> dict[str, Any]:
        """Give the results to `fit`, and return them.

        Raises
        ------
        ValueError
            If every fit failed.
        """
        search, candidates = self._search, self._schedule.settled
        fits = [outcome for candidate in candidates for outcome in candidate.outcomes.values()]
        _warn_or_raise_about_fit_failures(fits, search.error_score)
        self._warn_of_killers()
        self._outcomes += one_per_fold((c.outcomes for c in candidates), self._n_folds)
        if search.racing is not False:
            n_folds = [len(candidate.outcomes) for candidate in candidates]
            more_results = {**more_results, "n_folds_evaluated": n_folds}
        params = [candidate.params for candidate in candidates]
        complete = np.array([status == "complete" for status in self.statuses])
        with warnings.catch_warnings():
            if search.racing is not False and not any(c.failed for c in candidates):
                # all that is nan was left out
                warnings.filterwarnings("ignore", "One or more of the t", UserWarning)
            self._results.update(
                search._format_results(params, self._n_folds, self._outcomes, more_results)
            )
        rank_incomplete_last(self._results, complete)
        if self._context is not None:
            self._context.call_on_fit_task_end(estimator=search)
        self._journal.finish(str(self._engine.stop_reason))
        return self._results

    def _open_journal(self, asynchronous: bool) -> AbstractContextManager[Journal]:
        search = self._search
        if search.storage is None:
            if search.study_name is not None:
                raise ValueError(f"study_name={search.study_name!r} needs a storage, got None.")
            return nullcontext(Journal())
        learner = ActorCritic() if search.learner is None else search.learner
        study = open_study(search, self._task, self._space, learner, asynchronous=asynchronous)
        self.random_state = study.seed
        return study

    def _make_schedule(self, *, sequential: bool) -> Schedule:
        return Schedule(
            self._n_folds,
            score=self._score,
            failure=self._failure,
            race=self._race,
            candidate_timeout=self._search.candidate_timeout,
            sequential=sequential,
            journal=self._journal,
        )

    def _make_engine(self, executor: Executor, asynchronous: bool) -> Engine:
        search = self._search
        return Engine(
            executor,
            self._schedule,
            StoppingRule(
                search.timeout, search.target_score, search.patience, tuple(search.callbacks or ())
            ),
            n_iter=search.n_iter,
            batch_size=search.batch_size,
            asynchronous=asynchronous,
            nested=self._nested,
            before=self._with_context,
        )

    def _begin(self, callback_ctx: Any) -> Any:
        """Announce the fits, in print and to scikit-learn's callbacks."""
        search = self._search
        n_candidates = self._task.n_candidates
        n_fits = n_candidates * self._n_folds
        if search.verbose > 0:
            print(
                f"Fitting {self._n_folds} folds for each of {n_candidates} candidates,"
                f" totalling {n_fits} fits"
            )
            if self._journal.asked:
                print(f"{len(self._journal.asked)} candidates are known from an earlier run")
        # One context for the whole search: users see one bar, which moves with each fit.
        return callback_ctx and callback_ctx.subcontext(
            task_name="search", max_subtasks=n_fits, sequential_subtasks=False
        ).call_on_fit_task_begin(estimator=search)

    def _with_context(self, job: Job) -> Job:
        if self._context is None:
            return job
        task_id = job.candidate * self._n_folds + job.fold
        # it is known already where a fit is run again
        context = self._context._children_map.get(task_id) or self._context.subcontext(
            task_name="candidate-split-evaluation", task_id=task_id
        )
        return replace(job, context=Listener(context))

    def _failure(self, number: int, fold: int, error: BaseException) -> Outcome:
        """Return the outcome of a fit that did not return."""
        score = self._search.error_score
        if score == "raise":
            raise error
        outcome = {"test_scores": score, "fit_time": NAN, "score_time": NAN}
        if self._search.return_train_score:
            outcome["train_scores"] = score
        message = f"{type(error).__name__}: {error}"
        return {**outcome, "n_test_samples": NAN, "fit_error": message}

    def _warn_of_killers(self) -> None:
        killers = [candidate.params for candidate in self._schedule.killers]
        if killers:
            warn(
                f"{len(killers)} candidates killed their worker twice; perhaps they need more "
                f"memory than there is. Their score is {self._search.error_score}: {killers}"
            )

    def _score(self, outcome: Outcome) -> float:
        """Return the score of one fold that the policy learns from; nan where it has none."""
        if outcome["fit_error"] is not None:
            return NAN
        scores = outcome["test_scores"]
        if not isinstance(scores, Mapping):  # one metric, or several that could not be computed
            return NAN if isinstance(scores, ErrorScore) else float(scores)
        if self._metric is None:
            # known only now where a callable computes the metrics
            self._search._check_refit_for_multimetric(scores)
            named = isinstance(self._search.refit, str)
            self._metric = self._search.refit if named else next(iter(scores))
        score = scores[self._metric]
        return NAN if isinstance(score, ErrorScore) else float(score)


def _marked(error_score: Any) -> Any:
    return error_score if error_score == "raise" else ErrorScore(error_score)


def _splits(search: Any, fit: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """Return the folds; raise ValueError if they are not as many as promised."""
    # until 1.8 the splitter is a local of `fit`, from 1.9 an attribute
    cv = fit["cv_orig"] if "cv_orig" in fit else search._checked_cv_orig
    if search.storage is not None:
        _warn_of_other_folds(cv)
    n_splits = fit["n_splits"] if "n_splits" in fit else search.n_splits_
    splits = list(cv.split(fit["X"], fit["y"], **fit["routed_params"].splitter.split))
    if len(splits) != n_splits:
        raise ValueError(
            "cv.split and cv.get_n_splits return inconsistent results. "
            f"Expected {n_splits} splits, got {len(splits)}"
        )
    if not splits:
        raise ValueError(
            "No fits were performed. Was the CV iterator empty? Were there no candidates?"
        )
    return splits


def _n_candidates(space: Space, n_iter: int) -> int:
    """Return how many candidates are evaluated, unless something ends the search before."""
    size = space.size
    if space.branches > 1 and size <= n_iter * space.branches:
        # branches may have candidates in common
        size = len(set(space.keys(space.grid())))
    return int(min(n_iter, size))


def _warn_of_other_folds(cv: Any) -> None:
    """Warn where a splitter draws other folds in each run."""
    if getattr(cv, "random_state", 0) is None and getattr(cv, "shuffle", True):
        warn(
            f"{cv!r} draws other folds in each run, so that no run can go on where another has "
            "ended. Give it a random_state."
        )


def _is_asynchronous(search: Any, executor: Executor) -> bool:
    if search.evaluation == "async" and isinstance(executor, Batches):
        warn(
            "The active joblib backend takes whole batches only: evaluation='async' has no effect."
        )
        return False
    return bool(search.evaluation == "async")


def one_per_fold(candidates: Iterable[Mapping[int, Outcome]], n_folds: int) -> Iterator[Outcome]:
    """Yield an outcome for each fold of each candidate, with a score for each metric.

    Parameters
    ----------
    candidates : iterable of dict of int to dict
        By fold the outcomes of the fits that were made. Of a callable that computes several
        metrics, those that failed have one score only.
    n_folds : int
    """
    candidates = list(candidates)
    fits = [outcome for outcomes in candidates for outcome in outcomes.values()]
    form = next((fit for fit in fits if isinstance(fit["test_scores"], Mapping)), fits[0])
    left_out: Outcome = {**dict.fromkeys(form, NAN), "fit_error": None}
    for outcomes in candidates:
        for fold in range(n_folds):
            outcome = dict(outcomes.get(fold, left_out))
            for name in {"test_scores", "train_scores"} & set(form):
                if isinstance(form[name], Mapping) and not isinstance(outcome[name], Mapping):
                    outcome[name] = dict.fromkeys(form[name], outcome[name])
            yield outcome


def rank_incomplete_last(results: dict[str, Any], complete: NDArray[np.bool_]) -> None:
    """Rank candidates that have no score on some fold after all others.

    scikit-learn ranks by means, in which `error_score` stands for the score of a failure.

    Parameters
    ----------
    results : dict
        The ``cv_results_``.
    complete : ndarray of shape (n_candidates,)
        Which candidates have a score on each fold. Where none has, the means count.
    """
    if not complete.any():
        return
    for name in [name for name in results if name.startswith("rank_test_")]:
        means = results[name.replace("rank", "mean", 1)]
        means = np.where(complete & ~np.isnan(means), means, -np.inf)
        results[name] = rankdata(-means, method="min").astype(np.int32)


def format_results(
    params: list[Params],
    n_folds: int,
    outcomes: list[Outcome],
    more_results: Mapping[str, Any],
    *,
    complete: list[bool],
    train: bool,
) -> dict[str, Any]:
    """Return the ``cv_results_`` of outcomes, without the search that they come from."""
    form: Any = SimpleNamespace(return_train_score=train)
    results: dict[str, Any] = BaseSearchCV._format_results(
        form, params, n_folds, outcomes, more_results
    )
    rank_incomplete_last(results, np.array(complete))
    return results
