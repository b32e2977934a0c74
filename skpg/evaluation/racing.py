"""Racing: leave out the folds of candidates that cannot become the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skpg.space.types import FloatArray

# Standard deviations of the incumbent's folds that an optimistic race grants.
OPTIMISM = 2.0


@dataclass(frozen=True)
class Race:
    """When the rest of a candidate's folds is not worth the time.

    A candidate has lost once its mean would not exceed the incumbent's even if all folds
    that are left reached a bound.

    Parameters
    ----------
    bound : float
        Greatest score that a fold can have; infinite where it is unknown.
    optimistic : bool, default=False
        Bound each fold that is left by two standard deviations of the incumbent's folds above
        the greater of two, where that is less: the candidate's best fold so far, and the
        incumbent's score on the fold plus the candidate's greatest lead so far (or least
        lag). The first alone loses candidates that met the hard folds first.
    """

    bound: float
    optimistic: bool = False

    def upper(self, scores: FloatArray, incumbent: FloatArray) -> float:
        """Return the greatest mean that a candidate can still have.

        Parameters
        ----------
        scores : ndarray of shape (n_folds,)
            nan where a fold was not run; one at least was.
        incumbent : ndarray of shape (n_folds,)
            Scores of the best candidate so far.
        """
        bound = np.full(len(scores), self.bound)
        if self.optimistic:
            lead = np.nanmax(scores - incumbent)
            likely = np.maximum(np.nanmax(scores), incumbent + lead)
            bound = np.minimum(bound, likely + OPTIMISM * incumbent.std())
        return float(np.where(np.isnan(scores), bound, scores).mean())

    def order(self, fold_means: FloatArray) -> tuple[int, ...]:
        """Return the order of folds that tells losers soonest.

        A candidate has certainly lost when its distance to the bound, summed over folds,
        exceeds the incumbent's: so the folds that were farthest from it come first.

        Parameters
        ----------
        fold_means : ndarray of shape (n_folds,)
            The mean score on each fold, over candidates all of whose folds were run.
        """
        return tuple(int(fold) for fold in np.argsort(fold_means, kind="stable"))

    def n_needed(
        self, scores: FloatArray, order: Sequence[int], incumbent: FloatArray | None
    ) -> int | None:
        """Return how many folds, in order, tell that a candidate has lost.

        Parameters
        ----------
        scores : ndarray of shape (n_folds,)
            nan where a fold failed or was not run.
        order : sequence of int
            The folds that were run, in the order of the race.
        incumbent : ndarray of shape (n_folds,) or None
            None before there is one.

        Returns
        -------
        int or None
            None where it has not lost.
        """
        known = np.full(len(scores), np.nan)
        for n, fold in enumerate(order, start=1):
            known[fold] = scores[fold]
            if np.isnan(scores[fold]):
                return n  # its mean will be nan
            # Equal means do not count: of ties the first candidate is the best.
            if incumbent is not None and self.upper(known, incumbent) <= incumbent.mean():
                return n
        return None


def comparable_mean(scores: FloatArray, fold_means: FloatArray, upper: float) -> float:
    """Return the mean that a candidate with some folds would have had by what they say.

    Folds differ in difficulty, so the scores are compared with those of other candidates
    on the same folds: ``mean(fold_means) + mean(scores[f] - fold_means[f])``, the latter over
    the folds `f` that were run.

    Parameters
    ----------
    scores : ndarray of shape (n_folds,)
        nan where a fold was not run.
    fold_means : ndarray of shape (n_folds,)
        The mean score on each fold, over candidates all of whose folds were run.
    upper : float
        What the mean cannot exceed.

    Examples
    --------
    >>> import numpy as np
    >>> from skpg.evaluation.racing import comparable_mean
    >>> round(comparable_mean(np.array([0.3, np.nan]), np.array([0.5, 0.9]), 1.0), 3)
    0.5
    """
    run = ~np.isnan(scores)
    difference = scores[run] - fold_means[run]
    return float(min(fold_means.mean() + difference.mean(), upper))
