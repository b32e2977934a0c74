"""All that is private in scikit-learn, and used here; for scikit-learn 1.6 to 1.9.

`BaseSearchCV.fit` hands its `_run_search` a function ``evaluate_candidates`` that raises
when every fit of one call fails, loses all results with the first dead worker, splits anew
in each call, and formats all results each time. An adaptive search makes many calls. So the
same fits run here without it, one by one, and their outcomes are put into the two objects
where `fit` looks for them. What that needs is read from the closure of the function, in
`RunningFit`, and nowhere else.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from scipy.stats import rankdata

# scikit-learn does not export the base class of its searches.
from sklearn.model_selection._search import BaseSearchCV

# The job that scikit-learn's searches run, with its timing, error handling, messages and
# callbacks, and the check that they make of its outcomes.
from sklearn.model_selection._validation import (
    _fit_and_score,
    _warn_or_raise_about_fit_failures,
)

# How scikit-learn declares the constraints on constructor arguments.
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

# Rows of any data, of precomputed matrices with their columns, and what belongs to them.
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params

from skpg.evaluation.outcome import NAN, Keep, Outcome, Scores
from skpg.evaluation.workers.transfer import as_candidate_error
from skpg.space.types import Params

__all__ = ["BaseSearchCV", "HasMethods", "Interval", "RunningFit", "StrOptions"]

SUPPORTED = "1.6 to 1.9"
# Names of `fit` that its inner function `evaluate_candidates` refers to.
NAMES = (
    "X",
    "all_out",
    "base_estimator",
    "fit_and_score_kwargs",
    "parallel",
    "results",
    "routed_params",
    "y",
)


# From the best hyperparameters, X, y and the arguments of the estimator's `fit`.
Refit = Callable[[Params, Any, Any, Mapping[str, Any]], None]


class ErrorScore(float):
    """The `error_score` in place of a score, which its type tells from a real one."""


class FinalEstimator:
    """Stands for the estimator where scikit-learn refits it, and lets a function do that.

    Parameters
    ----------
    refit : callable
        Sets the ``best_estimator_`` of the search, and fits it.
    """

    def __init__(self, refit: Refit):
        self._refit = refit
        self._params: Params = {}

    def __sklearn_clone__(self) -> FinalEstimator:
        return self

    def set_params(self, **params: Any) -> FinalEstimator:
        """Take note of the best hyperparameters."""
        self._params = params
        return self

    def fit(self, X: Any, y: Any = None, **params: Any) -> FinalEstimator:
        """Let the function do it."""
        self._refit(self._params, X, y, params)
        return self


@dataclass(frozen=True)
class RunningFit:
    """What `BaseSearchCV.fit` has prepared when it calls `_run_search`.

    Attributes
    ----------
    estimator : estimator object
    X, y : object
        The data, as they were passed.
    splitter : object
    splits : list of (train, test)
        The folds, drawn once.
    split_params : dict
        What the splitter takes beside the data.
    keywords : dict
        What `fit_and_score` takes beside the data.
    parallel : joblib.Parallel
        Entered as a context manager.
    results : dict
        The ``cv_results_`` to be; `fit` goes on with what is put into it.
    outcomes : list of dict
        Where `fit` looks for the names of the metrics.
    refitted : cell
        Of the estimator that `fit` clones for the refit.
    """

    estimator: Any
    X: Any
    y: Any
    splitter: Any
    splits: list[tuple[Any, Any]]
    split_params: dict[str, Any]
    keywords: dict[str, Any]
    parallel: Any
    results: dict[str, Any]
    outcomes: list[dict[str, Any]]
    refitted: Any

    @classmethod
    def of(cls, search: Any, evaluate_candidates: Callable[..., Any]) -> RunningFit:
        """Read what `fit` has prepared.

        Raises
        ------
        RuntimeError
            If it is not where scikit-learn of the supported versions has it.
        ValueError
            If the splitter gives another number of folds than it promised.
        """
        cells = _cells(evaluate_candidates)
        fit = {name: cell.cell_contents for name, cell in cells.items()}
        missing = [name for name in NAMES if name not in fit]
        # until 1.8 these two are locals of `fit`, from 1.9 attributes
        splitter = fit.get("cv_orig", getattr(search, "_checked_cv_orig", None))
        n_splits = fit.get("n_splits", getattr(search, "n_splits_", None))
        if missing or splitter is None or n_splits is None:
            raise RuntimeError(
                f"evaluate_candidates of scikit-learn {sklearn.__version__} does not refer to "
                f"{', '.join(missing) or 'a splitter'}. skpg supports scikit-learn {SUPPORTED}, "
                "and no function around evaluate_candidates."
            )
        error_score = fit["fit_and_score_kwargs"]["error_score"]
        if error_score != "raise":
            error_score = ErrorScore(error_score)
        return cls(
            fit["base_estimator"],
            fit["X"],
            fit["y"],
            splitter,
            _splits(splitter, n_splits, fit),
            dict(fit["routed_params"].splitter.split),
            fit["fit_and_score_kwargs"] | {"error_score": error_score},
            fit["parallel"],
            fit["results"],
            fit["all_out"],
            cells["base_estimator"],
        )

    def refit_with(self, refit: Refit) -> None:
        """Let a function make and fit the ``best_estimator_``, in place of `fit`."""
        self.refitted.cell_contents = FinalEstimator(refit)

    def finish(
        self,
        params: list[Params],
        outcomes: Sequence[Mapping[int, Outcome]],
        more_results: Mapping[str, Any],
        complete: NDArray[np.bool_],
        *,
        failures_are_left_out: bool,
    ) -> dict[str, Any]:
        """Give the results to `fit`, and return them.

        Parameters
        ----------
        params : list of n_candidates dicts
        outcomes : sequence of n_candidates dicts
            By fold the outcomes of the fits that were made.
        more_results : dict
            Further columns.
        complete : ndarray of bool of shape (n_candidates,)
            Which candidates have a score on each fold.
        failures_are_left_out : bool
            Whether all scores that are nan are of folds that were left out.

        Raises
        ------
        ValueError
            If every fit failed.
        """
        fits = [as_dict(fit) for folds in outcomes for fit in folds.values()]
        _warn_or_raise_about_fit_failures(fits, self.keywords["error_score"])
        self.outcomes.extend(_one_per_fold(outcomes, len(self.splits)))
        with warnings.catch_warnings():
            if failures_are_left_out:
                warnings.filterwarnings("ignore", "One or more of the t", UserWarning)
            self.results.update(
                _format(params, len(self.splits), self.outcomes, more_results, complete)
            )
        return self.results


# Where a search with callbacks keeps the context of its running fit, which leads to all others.
CONTEXT_OF_FIT = "_callback_fit_ctx"


def has_callbacks(search: Any) -> bool:
    """Return whether callbacks of scikit-learn (1.9 and later) listen to a search."""
    return bool(getattr(search, "_skl_callbacks", None))


def child_of(context: Any, task_id: int, task_name: str) -> Any:
    """Return the child of a callback context, a new one unless it has it already."""
    known = context._children_map.get(task_id)
    return known or context.subcontext(task_name=task_name, task_id=task_id)


def without_other_tasks(context: Any) -> Any:
    """Return a copy of a callback context that knows its ancestors, and no other tasks."""
    copied = copy.copy(context)
    if context.parent is not None:
        copied.parent = without_other_tasks(context.parent)
        copied.parent._children_map = {copied.task_id: copied}
    return copied


def fit_and_score(
    estimator: Any, X: Any, y: Any, *, keep: Keep | None = None, **keywords: Any
) -> Outcome:
    """Fit and score an estimator on one fold, as scikit-learn's searches do.

    Parameters
    ----------
    estimator : estimator object
    X, y : array-like
    keep : callable or None
        What to keep of the model.
    **keywords
        As of scikit-learn's function.

    Raises
    ------
    CandidateError
        If the model has scores, and what is to be kept of it cannot be had.
    """
    returned = _fit_and_score(estimator, X, y, return_estimator=keep is not None, **keywords)
    outcome = as_outcome(returned)
    if keep is None or outcome.fit_error is not None:
        return outcome
    with as_candidate_error("its predictions cannot be kept"):
        kept = keep(returned["estimator"], X, y, keywords["train"], keywords["test"])
    return replace(outcome, kept=kept)


def as_outcome(returned: Mapping[str, Any]) -> Outcome:
    """Return what `_fit_and_score` returned as a value."""
    return Outcome(
        returned["test_scores"],
        returned.get("train_scores"),
        returned["fit_time"],
        returned["score_time"],
        returned["n_test_samples"],
        returned["fit_error"],
    )


def as_dict(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome in the form in which scikit-learn's functions want it."""
    names = ("test_scores", "fit_time", "score_time", "n_test_samples", "fit_error")
    fields = {name: getattr(outcome, name) for name in names}
    if outcome.train_scores is not None:
        fields["train_scores"] = outcome.train_scores
    return fields


def rows_for(estimator: Any, X: Any, y: Any, rows: Any, train: Any = None) -> tuple[Any, Any]:
    """Return rows of the data as an estimator takes them.

    Parameters
    ----------
    estimator : estimator object
    X, y : array-like
    rows : ndarray of int
    train : ndarray of int, default=None
        The rows that it was fitted to, where that is done: of a precomputed matrix they are
        the columns.
    """
    return _safe_split(estimator, X, y, rows, train)


def fit_params_of_rows(X: Any, params: Mapping[str, Any], rows: Any) -> dict[str, Any]:
    """Return arguments of ``fit`` for some rows of X: what is as long as X is cut likewise."""
    return dict(_check_method_params(X, params, indices=rows))


def check_refit(refit: Any, scores: Mapping[str, float]) -> None:
    """Raise a ValueError where `refit` is none of several metrics."""
    # known only after the first fit where a callable computes the metrics
    BaseSearchCV._check_refit_for_multimetric(SimpleNamespace(refit=refit), scores)


def format_results(
    params: list[Params],
    n_folds: int,
    outcomes: Sequence[Mapping[int, Outcome]],
    more_results: Mapping[str, Any],
    complete: NDArray[np.bool_],
) -> dict[str, Any]:
    """Return the ``cv_results_`` of outcomes, without the search that they come from.

    Parameters
    ----------
    params, outcomes, more_results, complete
        As in `RunningFit.finish`.
    n_folds : int
    """
    fits = list(_one_per_fold(outcomes, n_folds))
    return _format(params, n_folds, fits, more_results, complete)


def _format(
    params: list[Params],
    n_folds: int,
    fits: list[dict[str, Any]],
    more_results: Mapping[str, Any],
    complete: NDArray[np.bool_],
) -> dict[str, Any]:
    form: Any = SimpleNamespace(return_train_score="train_scores" in fits[0])
    with np.errstate(invalid="ignore"):  # infinite scores have no standard deviation
        results: dict[str, Any] = BaseSearchCV._format_results(
            form, params, n_folds, fits, more_results
        )
    _rank_incomplete_last(results, complete)
    return results


def _rank_incomplete_last(results: dict[str, Any], complete: NDArray[np.bool_]) -> None:
    """Rank candidates that have no score on some fold after all others.

    scikit-learn ranks by means, in which `error_score` stands for the score of a failure.
    Where no candidate has a score on each fold, the means count.
    """
    if not complete.any():
        return
    for name in [name for name in results if name.startswith("rank_test_")]:
        means = results[name.replace("rank", "mean", 1)]
        means = np.where(complete & ~np.isnan(means), means, -np.inf)
        results[name] = rankdata(-means, method="min").astype(np.int32)


def _one_per_fold(
    candidates: Iterable[Mapping[int, Outcome]], n_folds: int
) -> Iterator[dict[str, Any]]:
    """Yield an outcome for each fold of each candidate, with a score for each metric.

    Of a callable that computes several metrics, fits that failed have one score only.
    """
    candidates = list(candidates)
    fits = [outcome for outcomes in candidates for outcome in outcomes.values()]
    form = next((fit for fit in fits if isinstance(fit.test_scores, Mapping)), fits[0])
    left_out = Outcome(NAN, None if form.train_scores is None else NAN)
    for outcomes in candidates:
        for fold in range(n_folds):
            fields = as_dict(outcomes.get(fold, left_out))
            for name in {"test_scores", "train_scores"} & set(fields):
                fields[name] = _with_metrics(getattr(form, name), fields[name])
            yield fields


def _with_metrics(form: Scores, scores: Scores) -> Scores:
    if isinstance(form, Mapping) and not isinstance(scores, Mapping):
        return dict.fromkeys(form, scores)
    return scores


def _cells(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the variables of the enclosing functions that a function refers to."""
    code, cells = getattr(function, "__code__", None), getattr(function, "__closure__", None)
    names = code.co_freevars if code is not None else ()
    return dict(zip(names, cells or (), strict=True))


def _splits(splitter: Any, n_splits: int, fit: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """Return the folds; raise ValueError if they are not as many as promised."""
    splits = list(splitter.split(fit["X"], fit["y"], **fit["routed_params"].splitter.split))
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
