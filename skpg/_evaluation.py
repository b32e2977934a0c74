"""Folds in, scores out.

`BaseSearchCV.fit` hands its `_run_search` a function ``evaluate_candidates`` that raises
when every fit of one call fails, splits anew in each call, and formats all results each
time. An adaptive search makes many calls. So the same fits run here without it, and their
outcomes are put into the two objects where `fit` looks for them. This holds for
scikit-learn 1.6 to 1.9.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import clone

# Private: the job that scikit-learn's searches run, with its timing, error handling,
# messages and callbacks, and the checks that they make of its outcomes.
from sklearn.model_selection._validation import (
    _fit_and_score,
    _insert_error_scores,
    _warn_or_raise_about_fit_failures,
)
from sklearn.utils.parallel import delayed

Outcome = dict[str, Any]


class CrossValidation:
    """Cross-validation of batches of candidates, on folds that are split once.

    Parameters
    ----------
    search : BaseSearchCV
        The search whose `fit` is running.
    evaluate_candidates : callable
        What `fit` handed to `_run_search`. Its closure holds what a fit needs and takes
        what it returns.
    callback_ctx : CallbackContext or None
        The context of the running `fit` (scikit-learn >= 1.9).

    Attributes
    ----------
    outcomes : list of dict
        What the fits returned, fold by fold, candidate by candidate.
    n_splits : int
        Number of folds.
    """

    def __init__(
        self, search: Any, evaluate_candidates: Callable[..., Any], callback_ctx: Any = None
    ):
        fit = inspect.getclosurevars(evaluate_candidates).nonlocals
        self._search = search
        self._estimator = fit["base_estimator"]
        self._X, self._y = fit["X"], fit["y"]
        self._keywords = fit["fit_and_score_kwargs"]
        self._parallel = fit["parallel"]
        self._results: dict[str, Any] = fit["results"]
        self.outcomes: list[Outcome] = fit["all_out"]
        self._metric: str | None = None
        # until 1.8 the splitter is a local of `fit`, from 1.9 an attribute
        local = "cv_orig" in fit
        cv = fit["cv_orig"] if local else search._checked_cv_orig
        self.n_splits: int = fit["n_splits"] if local else search.n_splits_
        self._splits = list(cv.split(self._X, self._y, **fit["routed_params"].splitter.split))
        if len(self._splits) != self.n_splits:
            raise ValueError(
                "cv.split and cv.get_n_splits return inconsistent results. "
                f"Expected {self.n_splits} splits, got {len(self._splits)}"
            )
        if not self._splits:
            raise ValueError(
                "No fits were performed. Was the CV iterator empty? Were there no candidates?"
            )
        n_fits = search.n_iter * self.n_splits
        if search.verbose > 0:
            print(
                f"Fitting {self.n_splits} folds for each of {search.n_iter} candidates,"
                f" totalling {n_fits} fits"
            )
        # One context for the whole search: users see one bar, which moves with each fit.
        self._context = callback_ctx and callback_ctx.subcontext(
            task_name="search", max_subtasks=n_fits, sequential_subtasks=False
        ).call_on_fit_task_begin(estimator=search)

    def evaluate(self, candidates: Sequence[Mapping[str, Any]]) -> list[float]:
        """Fit and score candidates on all folds, in parallel.

        Returns
        -------
        list of float
            The reward of each candidate: the mean test score of the metric to learn from;
            nan where it failed.
        """
        # A list: contexts are attached to the search, which must not change while a job
        # that holds it is pickled.
        outcomes = self._parallel(list(self._jobs(candidates)))
        self.outcomes.extend(outcomes)
        folds = [self._reward(outcome["test_scores"]) for outcome in outcomes]
        return list(np.reshape(folds, (len(candidates), self.n_splits)).mean(axis=1).tolist())

    def finish(self, candidates: list[dict[str, Any]], more_results: Mapping[str, Any]) -> None:
        """Give the results to `fit`.

        Raises
        ------
        ValueError
            If every fit failed.
        """
        search = self._search
        _warn_or_raise_about_fit_failures(self.outcomes, search.error_score)
        if callable(search.scoring):
            _insert_error_scores(self.outcomes, search.error_score)
        self._results.update(
            search._format_results(candidates, self.n_splits, self.outcomes, more_results)
        )
        if self._context is not None:
            self._context.call_on_fit_task_end(estimator=search)

    def _jobs(self, candidates: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
        number = len(self.outcomes)
        for parameters in candidates:
            for fold, (train, test) in enumerate(self._splits):
                yield delayed(_fit_and_score)(
                    clone(self._estimator),
                    self._X,
                    self._y,
                    train=train,
                    test=test,
                    parameters=parameters,
                    split_progress=(fold, self.n_splits),
                    candidate_progress=(number // self.n_splits, self._search.n_iter),
                    **self._keywords,
                    **self._callback(number),
                )
                number += 1

    def _callback(self, number: int) -> dict[str, Any]:
        """Return the arguments by which a fit reports to scikit-learn's callbacks."""
        if self._context is None:
            return {}
        context = self._context.subcontext(task_name="candidate-split-evaluation", task_id=number)
        return {"caller": self._search, "callback_ctx": context}

    def _reward(self, scores: float | Mapping[str, float]) -> float:
        """Return the score of one fold that the policy learns from."""
        if not isinstance(scores, Mapping):  # one metric, or a failed fit
            return float(scores)
        if self._metric is None:
            # known only now where a callable computes the metrics
            self._search._check_refit_for_multimetric(scores)
            named = isinstance(self._search.refit, str)
            self._metric = self._search.refit if named else next(iter(scores))
        return float(scores[self._metric])
