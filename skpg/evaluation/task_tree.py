"""The fits of a search in the tree of tasks that scikit-learn's callbacks see (1.9 and later)."""

from __future__ import annotations

import copy
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from skpg.evaluation.sklearn import (
    CONTEXT_OF_FIT,
    child_of,
    has_callbacks,
    without_other_tasks,
)
from skpg.evaluation.workers.executors import Job


class TaskTree:
    """The task of a search, with one leaf for each fit.

    Parameters
    ----------
    context : CallbackContext or None
        Of the running `fit`; None where there are no callbacks.
    search : PolicyGradientSearchCV
        What the callbacks are told about.
    n_folds : int
    """

    def __init__(self, context: Any, search: Any, n_folds: int):
        self._context, self._search, self._n_folds = context, search, n_folds

    @property
    def caller(self) -> SearchForCallbacks | None:
        """The search as callbacks may see it in a worker; None without callbacks."""
        return SearchForCallbacks(self._search) if has_callbacks(self._search) else None

    def begin(self, n_fits: int) -> None:
        """Tell the callbacks that the search begins, and how many fits it will make."""
        if self._context is not None:
            # One task for the whole search: users see one bar, which moves with each fit.
            self._context = self._context.subcontext(
                task_name="search", max_subtasks=n_fits, sequential_subtasks=False
            ).call_on_fit_task_begin(estimator=self._search)

    def with_leaf(self, job: Job) -> Job:
        """Return a job that reports to the leaf of its fit."""
        if self._context is None:
            return job
        task_id = job.candidate * self._n_folds + job.fold
        leaf = child_of(self._context, task_id, "candidate-split-evaluation")
        return replace(job, context=Listener(leaf))

    def end(self) -> None:
        """Tell the callbacks that the search has ended."""
        if self._context is not None:
            self._context.call_on_fit_task_end(estimator=self._search)


class Listener:
    """Stands for a leaf where scikit-learn's function that fits and scores talks to it.

    It keeps what the callbacks answer, which that function drops.

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
        return {**self.__dict__, "_context": without_other_tasks(self._context)}


class SearchForCallbacks:
    """The search as callbacks see it: itself here, without what it has fitted in a worker."""

    def __init__(self, search: Any):
        self.search = search

    def __getstate__(self) -> dict[str, Any]:
        """Leave behind what an earlier `fit` has left, which may be large."""
        seen = copy.copy(self.search)
        for name in vars(self.search):
            if (name.endswith("_") and name != "n_splits_") or name == CONTEXT_OF_FIT:
                delattr(seen, name)
        seen.callbacks = None  # called in this process only
        for name in {"initial_params", "warm_start_from"} & vars(seen).keys():
            setattr(seen, name, None)  # may be fitted searches
        return {"search": seen}
