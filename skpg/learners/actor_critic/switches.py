"""Switches: choices of a list that switch other hyperparameters off, inferred from ties.

A linear kernel has no ``gamma``, a linear booster no ``max_depth``: candidates that differ in
nothing else have exactly the same reward. A critic that knows expects no gain from varying what
is switched off, and the search does not try.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skpg.learners.actor_critic.constants import CONSTANTS
from skpg.space.features import Features
from skpg.space.types import FloatArray


def switched_off(
    features: Features, x: FloatArray, rewards: FloatArray
) -> NDArray[np.bool_] | None:
    """Return which hyperparameters the choices of unordered lists switch off.

    A choice may switch off the hyperparameters in which candidates with the same reward
    differ, if all of them have that choice, and if no two candidates that have it, and differ
    in nothing else, have different rewards. If several lists may be the reason, the one that
    explains most ties is taken; then the one that does so by fewest choices; then the one that
    explains most ties over all hyperparameters.

    Parameters
    ----------
    features : Features
    x : ndarray of shape (n, n_columns)
        Rows of its design matrix.
    rewards : ndarray of shape (n,)
        nan where a candidate failed; these candidates are ignored.

    Returns
    -------
    ndarray of bool of shape (sum of levels, n_groups), or None
        None if the ties show nothing.
    """
    worked = np.isfinite(rewards)
    rows, rewards = _by_hyperparameter(features, x[worked]), rewards[worked]
    _, group, size = np.unique(rewards, return_inverse=True, return_counts=True)
    order = np.argsort(group, kind="stable")
    ends = np.cumsum(size)
    tied = [order[end - n : end] for n, end in zip(size, ends, strict=True) if n > 1]
    if not tied or not features.levels:
        return None
    differ = np.array([(rows[same] != rows[same[0]]).any(axis=0) for same in tied])
    shared = np.where(differ, 0, rows[[same[0] for same in tied]])  # the common choices
    weight = np.array([len(same) - 1.0 for same in tied])

    lists = np.repeat(features.n_numeric + np.arange(len(features.levels)), features.levels)
    choices = np.concatenate([np.arange(k) + 1 for k in features.levels])
    off = np.zeros((len(lists), features.n_groups), dtype=bool)
    explained = np.zeros((features.n_groups, len(tied)), dtype=bool)
    for i, (j, choice) in enumerate(zip(lists, choices, strict=True)):
        own = shared[:, j] == choice
        if own.any():
            having = rows[:, j] == choice
            off[i] = _without_effect(rows[having], rewards[having], differ[own])
            explained[j] |= own & ~(differ & ~off[i]).any(axis=1)
    if weight @ explained.any(axis=0) < CONSTANTS.explained_ties * weight.sum():
        return None
    each = lists == np.arange(features.n_groups)[:, None]
    ties = (explained * weight) @ differ  # of each list, for each hyperparameter
    total = np.broadcast_to(ties.sum(axis=1, keepdims=True), ties.shape)
    reason = np.lexsort((-total, each.astype(int) @ off, -ties), axis=0)[0]
    return np.asarray(off & (lists[:, None] == reason))


def _by_hyperparameter(features: Features, x: FloatArray) -> FloatArray:
    """Return a column for each hyperparameter: numbers, and choices counted from 1."""
    n = features.n_numeric
    stops = np.cumsum(features.levels, dtype=int)
    choices = [
        (x[:, n + stop - k : n + stop] > 0) @ np.arange(1.0, k + 1)
        for k, stop in zip(features.levels, stops, strict=True)
    ]
    return np.column_stack([x[:, :n], *choices])


def _without_effect(
    rows: FloatArray, rewards: FloatArray, differ: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return the hyperparameters that ties show and no reward contradicts."""
    found = np.zeros(rows.shape[1], dtype=bool)
    refuted = set()  # many ties show the same
    for difference in differ[np.argsort(differ.sum(axis=1), kind="stable")]:
        wider = found | difference
        if wider.tobytes() in refuted:
            continue
        if 0 < (wider != found).sum() <= CONSTANTS.switched_at_once:
            if _contradicted(rows[:, ~wider], rewards):
                refuted.add(wider.tobytes())
            else:
                found = wider
    return found


def _contradicted(rows: FloatArray, rewards: FloatArray) -> bool:
    """Whether equal rows have different rewards."""
    order = np.lexsort([rewards, *rows.T])
    equal = (rows[order[1:]] == rows[order[:-1]]).all(axis=1)
    return bool((equal & (rewards[order[1:]] != rewards[order[:-1]])).any())
