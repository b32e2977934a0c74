"""Policies of searches that did not keep them, learned again from their scores."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skpg.display.record import SearchRecord
from skpg.learners.base import Learner
from skpg.optimizer import PolicyGradientOptimizer
from skpg.space.types import FloatArray

# Updates at most: the default learner takes its steps after ten candidates anyway.
MOST_UPDATES = 100


def replayed_thetas(
    record: SearchRecord, learner: Learner | None
) -> tuple[SearchRecord, FloatArray]:
    """Return the parameters of a policy after each update, and the record with these updates.

    The candidates are told in their order, and in their updates where these are few; many are
    told together. The numbers that were drawn are not known, only the values, nor the state of
    the generator: the policies are like those of the search, and not the same.

    Parameters
    ----------
    record : SearchRecord
    learner : Learner or None
        None is ``ActorCritic()``.
    """
    updates = np.unique(record.updates, return_inverse=True)[1]
    n_updates = int(updates[-1]) + 1
    if n_updates > MOST_UPDATES:
        updates = updates * MOST_UPDATES // n_updates
    optimizer = PolicyGradientOptimizer(record.space, learner=learner, random_state=0)
    thetas = []
    for update in range(int(updates[-1]) + 1):
        rows = np.flatnonzero(updates == update)
        optimizer.tell([record.params[i] for i in rows], record.estimates[rows])
        thetas.append(optimizer.policy.theta)
    return replace(record, updates=updates), np.array(thetas)
