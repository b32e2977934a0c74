"""A search as values: what displays are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from skpg.evaluation.fit_log import FitLog
from skpg.evaluation.racing import comparable_mean
from skpg.space.space import Space
from skpg.space.types import FloatArray, Params


@dataclass(frozen=True, eq=False)
class SearchRecord:
    """The candidates of a search in the order of evaluation.

    Attributes
    ----------
    space : Space
    params : tuple of dict
        Of each of the n candidates.
    fold_scores : ndarray of shape (n, n_folds)
        nan where a fold failed or was left out.
    statuses : ndarray of str of shape (n,)
        ``"complete"``, ``"failed"`` or ``"raced"``.
    n_fits : ndarray of int of shape (n,)
        Folds that were run.
    seconds : ndarray of shape (n,)
        Time of the fits and scores of each candidate together.
    updates : ndarray of int of shape (n,)
        The update of the policy that each belongs to, from 0.
    metric : str
        Name of the scores; higher is better.
    thetas : ndarray of shape (n_updates, n_theta) or None
        The parameters of the policy after each update; None where they are not known.
    fit_log : FitLog or None
        None where it is not known when the fits ran.
    chosen : int or None
        The candidate that a callable `refit` or a confirmation chose; None where the best score
        counts.
    """

    space: Space
    params: tuple[Params, ...]
    fold_scores: FloatArray
    statuses: NDArray[np.str_]
    n_fits: NDArray[np.intp]
    seconds: FloatArray
    updates: NDArray[np.intp]
    metric: str = "score"
    thetas: FloatArray | None = None
    fit_log: FitLog | None = None
    chosen: int | None = None

    def __len__(self) -> int:
        return len(self.params)

    @property
    def n_folds(self) -> int:
        """Number of folds."""
        return self.fold_scores.shape[1]

    @cached_property
    def complete(self) -> NDArray[np.bool_]:
        """Which candidates have a score on each fold."""
        return np.asarray(self.statuses == "complete")

    @cached_property
    def failed(self) -> NDArray[np.bool_]:
        """Which candidates failed on some fold."""
        return np.asarray(self.statuses == "failed")

    @cached_property
    def raced(self) -> NDArray[np.bool_]:
        """Which candidates lost a race, so that folds were left out."""
        return np.asarray(self.statuses == "raced")

    @cached_property
    def scores(self) -> FloatArray:
        """The mean over all folds; nan unless a candidate is complete."""
        return np.where(self.complete, self.fold_scores.mean(axis=1), np.nan)

    @cached_property
    def estimates(self) -> FloatArray:
        """The scores, for raced candidates the mean that their folds promise; nan for failed.

        Folds differ in difficulty: a raced candidate is compared with the complete ones on the
        folds that were run.
        """
        estimates = self.scores.copy()
        rows = self.fold_scores[self.complete]
        means = rows.mean(axis=0) if len(rows) else np.zeros(self.n_folds)
        for i in np.flatnonzero(self.raced):
            estimates[i] = comparable_mean(self.fold_scores[i], means, np.inf)
        return estimates

    @cached_property
    def best(self) -> int | None:
        """The candidate that was chosen, else the first with the best score; None without one."""
        if self.chosen is not None or not self.complete.any():
            return self.chosen
        return int(np.nanargmax(self.scores))

    @cached_property
    def best_so_far(self) -> FloatArray:
        """The best score up to each candidate, nan before the first complete one."""
        return np.fmax.accumulate(self.scores)

    @cached_property
    def resolved(self) -> FloatArray:
        """Index of each choice, value of each number, nan where a candidate has none."""
        return np.array([self.space.identify(params) for params in self.params])

    @cached_property
    def actions(self) -> FloatArray:
        """The candidates as actions, of shape (n, n_dimensions)."""
        actions = np.full(self.resolved.shape, np.nan)
        active = self.space.active(self.resolved)
        for j, dimension in enumerate(self.space.dimensions):
            actions[active[:, j], j] = dimension.action(self.resolved[active[:, j], j])
        return actions
