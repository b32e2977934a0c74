"""Records that are written by hand."""

import numpy as np

from skpg import Policy, Space
from skpg.display.record import SearchRecord
from skpg.reporting.facts import Facts


def record_of(space, params, scores, *, fold_spread=0.0, n_folds=4, **fields):
    """A record of candidates with the given mean scores; the folds of each differ alike.

    nan is a failure. `fold_spread` is the standard deviation of the folds.
    """
    n = len(params)
    offsets = np.where(np.arange(n_folds) % 2, 1.0, -1.0) * fold_spread
    folds = np.asarray(scores, dtype=float)[:, None] + offsets
    statuses = np.where(np.isnan(folds).any(axis=1), "failed", "complete")
    given = {
        "space": Space(space), "params": tuple(params), "fold_scores": folds,
        "statuses": statuses, "n_fits": np.full(n, n_folds), "seconds": np.full(n, 2.0),
        "updates": np.arange(n),
    }  # fmt: skip
    return SearchRecord(**(given | fields))


def facts_of_numbers(values, scores, space, *, name="a", fold_spread=0.0, **fields):
    """Facts about candidates with one hyperparameter."""
    params = [{name: value} for value in values]
    record = record_of({name: space}, params, scores, fold_spread=fold_spread)
    return Facts(record, **fields)


def policy_of(space, *actors):
    """The prior of a space with other actors."""
    prior = Policy.prior(Space(space))
    return prior.with_actors(tuple(actors))
