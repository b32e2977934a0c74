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
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from sklearn.base import clone

# Private: it formats `cv_results_`.
from sklearn.model_selection._search import BaseSearchCV

# Private: the job that scikit-learn's searches run, with its timing, error handling,
# messages and callbacks, and the checks that they make of its outcomes.
from sklearn.model_selection._validation import (
    _fit_and_score,
    _insert_error_scores,
    _warn_or_raise_about_fit_failures,
)

from skpg._backends import executor_of
from skpg._engine import Ask, Engine
from skpg._executors import Batches, Executor, Job, Outcome
from skpg._journal import Journal
from skpg._schedule import Schedule
from skpg._scorers import race_of
from skpg._space import Params, Space
from skpg._stopping import StoppingRule
from skpg._study import open_study
from skpg._transfer import of_the_candidate
from skpg.learners import ActorCritic

NAN = float("nan")


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
    ):
        fit = inspect.getclosurevars(evaluate_candidates).nonlocals
        self._search = search
        self._results: dict[str, Any] = fit["results"]
        self._outcomes: list[Outcome] = fit["all_out"]
        self._metric: str | None = None
        self.random_state = search.random_state
        self._task = FitAndScore(
            fit["base_estimator"],
            fit["X"],
            fit["y"],
            _splits(search, fit),
            search.n_iter,
            fit["fit_and_score_kwargs"],
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
        nothing = left_out(fits)
        for candidate in candidates:
            self._outcomes += [candidate.outcomes.get(f, nothing) for f in range(self._n_folds)]
        _insert_error_scores(self._outcomes, search.error_score)
        if search.racing is not False:
            n_folds = [len(candidate.outcomes) for candidate in candidates]
            more_results = {**more_results, "n_folds_evaluated": n_folds}
        params = [candidate.params for candidate in candidates]
        with warnings.catch_warnings():
            if search.racing is not False and not any(c.failed for c in candidates):
                # all that is nan was left out
                warnings.filterwarnings("ignore", "One or more of the t", UserWarning)
            self._results.update(
                search._format_results(params, self._n_folds, self._outcomes, more_results)
            )
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
            before=self._with_context,
        )

    def _begin(self, callback_ctx: Any) -> Any:
        """Announce the fits, in print and to scikit-learn's callbacks."""
        search = self._search
        n_fits = search.n_iter * self._n_folds
        if search.verbose > 0:
            print(
                f"Fitting {self._n_folds} folds for each of {search.n_iter} candidates,"
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
            warnings.warn(
                f"{len(killers)} candidates killed their worker twice; perhaps they need more "
                f"memory than there is. Their score is {self._search.error_score}: {killers}",
                stacklevel=2,
            )

    def _score(self, outcome: Outcome) -> float:
        """Return the score of one fold that the policy learns from."""
        scores = outcome["test_scores"]
        if not isinstance(scores, Mapping):  # one metric, or a failed fit
            return float(scores)
        if self._metric is None:
            # known only now where a callable computes the metrics
            self._search._check_refit_for_multimetric(scores)
            named = isinstance(self._search.refit, str)
            self._metric = self._search.refit if named else next(iter(scores))
        return float(scores[self._metric])


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


def _warn_of_other_folds(cv: Any) -> None:
    """Warn where a splitter draws other folds in each run."""
    if getattr(cv, "random_state", 0) is None and getattr(cv, "shuffle", True):
        warnings.warn(
            f"{cv!r} draws other folds in each run, so that no run can go on where another has "
            "ended. Give it a random_state.",
            stacklevel=2,
        )


def _is_asynchronous(search: Any, executor: Executor) -> bool:
    if search.evaluation == "async" and isinstance(executor, Batches):
        warnings.warn(
            "The active joblib backend takes whole batches only: evaluation='async' has no effect.",
            stacklevel=2,
        )
        return False
    return bool(search.evaluation == "async")


def left_out(fits: list[Outcome]) -> Outcome:
    """Return the outcome of folds that a race left out, in the form of the others."""
    model = next((outcome for outcome in fits if outcome["fit_error"] is None), fits[0])
    nothing: Outcome = {**dict.fromkeys(model, NAN), "fit_error": None}
    for name in {"test_scores", "train_scores"} & set(model):
        if isinstance(model[name], Mapping):
            nothing[name] = dict.fromkeys(model[name], NAN)
    return nothing


def format_results(
    params: list[Params],
    n_folds: int,
    outcomes: list[Outcome],
    more_results: Mapping[str, Any],
    *,
    train: bool,
) -> dict[str, Any]:
    """Return the ``cv_results_`` of outcomes, without the search that they come from."""
    form: Any = SimpleNamespace(return_train_score=train)
    results: dict[str, Any] = BaseSearchCV._format_results(
        form, params, n_folds, outcomes, more_results
    )
    return results
