"""Actions that a batch is picked from, spread over a policy or near one action; and picking."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist
from scipy.special import ndtr, ndtri

from skpg._actors import CategoricalActor, GaussianActor
from skpg._critic import Critic, Encoding
from skpg._policy import Policy
from skpg._space import Choice, FloatArray, Space

# Designs that the first batch is picked from.
DESIGNS = 20
# Perturbations in probability, in units of the policy's standard deviation; they stop this
# far from the ends of a distribution, where many estimators have their best values.
PERTURBATIONS = np.array([0.5, 0.2, 0.05])
EDGE = 1e-3


def design(space: Space, actions: FloatArray) -> FloatArray:
    """Return what the critic looks at, of shape (n, n_columns)."""
    return Encoding.of(space).design(*space.features(actions))


def without_inert(encoding: Encoding, space: Space, action: FloatArray) -> FloatArray:
    """Return an action with nan for what its choices switch off."""
    nominal = [isinstance(d, Choice) and not d.ordered for d in space.dimensions]
    columns = np.argsort(nominal, kind="stable")  # of the hyperparameters of the encoding
    rest = action.copy()
    rest[columns[encoding.inert(design(space, action[None]))[0]]] = np.nan
    return rest


def stratified(policy: Policy, n: int, rng: np.random.Generator) -> FloatArray:
    """Draw from the policy, evenly along each hyperparameter (McKay et al. 1979)."""
    return _inactive_as_nan(policy.space, _fill(policy, n, rng))


def well_spread(policy: Policy, n: int, rng: np.random.Generator) -> FloatArray:
    """Return the stratified draw whose nearest two are farthest apart (Morris, Mitchell 1995)."""
    if n == 1:
        return stratified(policy, n, rng)
    draws = [stratified(policy, n, rng) for _ in range(DESIGNS)]
    return max(draws, key=lambda actions: pdist(design(policy.space, actions)).min())


def _fill(policy: Policy, n: int, rng: np.random.Generator) -> FloatArray:
    """Draw a value for each hyperparameter, also of branches that are not drawn."""
    d = len(policy.actors)
    strata = rng.permuted(np.tile(np.arange(n), (d, 1)), axis=1).T
    uniform = (strata + rng.random((n, d))) / n
    return np.stack(
        [actor.ppf(u) for actor, u in zip(policy.actors, uniform.T, strict=True)], axis=1
    )


def centred(space: Space, action: FloatArray) -> FloatArray:
    """Return an action with numbers at the medians of the user's distributions."""
    centre = action.copy()
    for j, dimension in enumerate(space.dimensions):
        if np.isnan(action[j]):
            continue
        if not isinstance(dimension, Choice):
            centre[j] = 0.0
        elif dimension.ordered:
            order = np.argsort(dimension.ranks)
            below = np.cumsum(dimension.weights[order])
            centre[j] = order[np.searchsorted(below, 0.5 - 1e-9)]
    return centre


def perturb(
    policy: Policy, prior: Policy, best: FloatArray, n: int, rng: np.random.Generator
) -> FloatArray:
    """Return an action `n` times with one, two, three or all hyperparameters changed.

    A change is a draw of the policy, a draw of the prior (the user's distributions) or, for
    numbers, a step in probability. What is nan in the action is drawn always, and is none of
    the one, two or three.
    """
    d = len(policy.actors)
    drawn = np.where(rng.random((n, 1)) < 0.5, _fill(policy, n, rng), _fill(prior, n, rng))
    parents = np.where(np.isnan(best), drawn, best)
    order = rng.random((n, d)).argsort(axis=1) + d * np.isnan(best)
    changed = order.argsort(axis=1).argsort(axis=1) < rng.choice([1, 2, 3, d], (n, 1))
    kind = rng.integers(len(PERTURBATIONS) + 1, size=(n, 1))  # the last kind is a draw
    sizes = np.append(PERTURBATIONS, 0.0)[kind]
    near = steps_from(policy, parents, sizes * rng.standard_normal((n, d)), in_rank=False)
    numeric = np.array([not isinstance(d, Choice) for d in policy.space.dimensions])
    stepped = np.where(numeric & (kind < len(PERTURBATIONS)), near, drawn)
    return _inactive_as_nan(policy.space, np.where(changed, stepped, parents))


def steps_from(policy: Policy, actions: FloatArray, steps: FloatArray, in_rank: bool) -> FloatArray:
    """Return actions after steps in units of the policy's standard deviation.

    They are taken in probability; of an ordered list, if `in_rank`, in rank and to another
    choice at least; other lists stay.
    """
    near = actions.copy()
    for j, (dimension, actor) in enumerate(
        zip(policy.space.dimensions, policy.actors, strict=True)
    ):
        if isinstance(actor, GaussianActor):
            unit = ndtr(actions[:, j]) + actor.sigma * steps[:, j]
            near[:, j] = ndtri(np.clip(unit, EDGE, 1 - EDGE))
        elif in_rank and isinstance(dimension, Choice) and dimension.ordered:
            near[:, j] = _in_rank(dimension, actor, actions[:, j], steps[:, j])
    return near


def _in_rank(
    dimension: Choice, actor: CategoricalActor, column: FloatArray, steps: FloatArray
) -> FloatArray:
    rows = ~np.isnan(column)  # elsewhere the hyperparameter is not active
    ranks, p = dimension.ranks, actor.probabilities
    sigma = np.sqrt(p @ (ranks - p @ ranks) ** 2)
    moves = np.sign(steps) * np.maximum(np.abs(steps) * sigma, 1 / len(ranks))
    places = np.floor((ranks[column[rows].astype(int)] + moves[rows]) * len(ranks))
    near = column.copy()
    near[rows] = np.argsort(ranks)[np.clip(places, 0, len(ranks) - 1).astype(int)]
    return near


def pick_one_by_one(
    critic: Critic,
    x: FloatArray,
    waiting: int,
    scores: Sequence[Callable[[FloatArray, FloatArray], FloatArray]],
) -> NDArray[np.intp]:
    """Pick a row for each score, given the uncertainty that the earlier ones leave.

    Parameters
    ----------
    critic : Critic
    x : ndarray of shape (m, n_columns)
        Rows of the design matrix; the first `waiting` are being evaluated.
    waiting : int
    scores : sequence of callables
        From the means and standard deviations of all rows to their scores.

    Returns
    -------
    ndarray of shape (len(scores),)
        Rows, counted from the first that does not wait; fewer if there are fewer.

    References
    ----------
    .. [1] T. Desautels, A. Krause and J. W. Burdick, "Parallelizing Exploration-Exploitation
       Tradeoffs in Gaussian Process Bandit Optimization", JMLR 15, 2014.
    """
    mean, covariance = critic.predict_joint(x)
    for row in range(waiting):
        covariance = critic.after(covariance, row)
    free = np.arange(len(x)) >= waiting
    picked = []
    for score in scores[: len(x) - waiting]:
        std = np.sqrt(np.maximum(np.diag(covariance), 1e-10 * critic.amplitude))
        row = int(np.argmax(np.where(free, score(mean, std), -np.inf)))
        picked.append(row - waiting)
        free[row] = False
        covariance = critic.after(covariance, row)
    return np.array(picked, dtype=np.intp)


def _inactive_as_nan(space: Space, actions: FloatArray) -> FloatArray:
    actions[~space.active(actions)] = np.nan
    return actions
