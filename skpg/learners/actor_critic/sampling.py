"""Virtual actions: spread over a policy, or near one action."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.spatial.distance import pdist
from scipy.special import ndtr, ndtri

from skpg.learners.actor_critic.constants import CONSTANTS
from skpg.learners.base import Admissible
from skpg.policy.actors import CategoricalActor, GaussianActor
from skpg.policy.policy import Policy
from skpg.space.dimensions import Choice
from skpg.space.features import design
from skpg.space.space import Space
from skpg.space.types import FloatArray


def stratified(policy: Policy, n: int, rng: np.random.Generator) -> FloatArray:
    """Draw from the policy, evenly along each hyperparameter (McKay et al. 1979)."""
    return _inactive_as_nan(policy.space, _fill(policy, n, rng))


def well_spread(policy: Policy, n: int, rng: np.random.Generator) -> FloatArray:
    """Return the stratified draw whose nearest two are farthest apart (Morris, Mitchell 1995)."""
    if n == 1:
        return stratified(policy, n, rng)
    draws = [stratified(policy, n, rng) for _ in range(CONSTANTS.first_designs)]
    return max(draws, key=lambda actions: pdist(design(policy.space, actions)).min())


def _fill(policy: Policy, n: int, rng: np.random.Generator) -> FloatArray:
    """Draw a value for each hyperparameter, including those of branches not drawn."""
    d = len(policy.actors)
    strata = rng.permuted(np.tile(np.arange(n), (d, 1)), axis=1).T
    uniform = (strata + rng.random((n, d))) / n
    return np.stack(
        [actor.ppf(u) for actor, u in zip(policy.actors, uniform.T, strict=True)], axis=1
    )


def draw_admissible(draw: Callable[[], FloatArray], n: int, admissible: Admissible) -> FloatArray:
    """Return the admissible actions of a draw, of more draws if a constraint leaves few of it."""
    drawn = draw()
    actions = drawn[admissible(drawn)]
    for _ in range(CONSTANTS.redraws):
        if len(actions) >= n or not admissible.refused:
            break
        actions = np.concatenate([actions, draw()])
        actions = actions[admissible(actions)]
    return actions


def at_medians(space: Space, action: FloatArray) -> FloatArray:
    """Return an action with numbers at the medians of the user's distributions."""
    centre = action.copy()
    for j, dimension in enumerate(space.dimensions):
        if np.isnan(action[j]):
            continue
        if not isinstance(dimension, Choice):
            centre[j] = 0.0
        elif dimension.ordered:
            centre[j] = dimension.median
    return centre


def perturb(
    policy: Policy, prior: Policy, best: FloatArray, n: int, rng: np.random.Generator
) -> FloatArray:
    """Return an action `n` times with one, two, three or all hyperparameters changed.

    A change is a draw of the policy, a draw of the prior (the user's distributions) or, for
    numbers, a step in probability. Hyperparameters that are nan in the action are always drawn
    and do not count among the one, two or three.
    """
    d = len(policy.actors)
    drawn = np.where(rng.random((n, 1)) < 0.5, _fill(policy, n, rng), _fill(prior, n, rng))
    parents = np.where(np.isnan(best), drawn, best)
    order = rng.random((n, d)).argsort(axis=1) + d * np.isnan(best)
    changed = order.argsort(axis=1).argsort(axis=1) < rng.choice([1, 2, 3, d], (n, 1))
    step_sizes = CONSTANTS.perturbations
    kind = rng.integers(len(step_sizes) + 1, size=(n, 1))  # the last kind is a draw
    sizes = np.append(step_sizes, 0.0)[kind]
    near = step_distributions(policy, parents, sizes * rng.standard_normal((n, d)))
    numeric = np.array([not isinstance(d, Choice) for d in policy.space.dimensions])
    stepped = np.where(numeric & (kind < len(step_sizes)), near, drawn)
    return _inactive_as_nan(policy.space, np.where(changed, stepped, parents))


def step_distributions(policy: Policy, actions: FloatArray, steps: FloatArray) -> FloatArray:
    """Return actions after steps in probability along the distributions.

    The steps are in units of the policy's standard deviations; lists do not change.
    """
    near = actions.copy()
    for j, actor in enumerate(policy.actors):
        if isinstance(actor, GaussianActor):
            unit = ndtr(actions[:, j]) + actor.sigma * steps[:, j]
            near[:, j] = ndtri(np.clip(unit, CONSTANTS.edge, 1 - CONSTANTS.edge))
    return near


def step_numbers(policy: Policy, actions: FloatArray, steps: FloatArray) -> FloatArray:
    """Return actions after steps along distributions and ordered lists only."""
    near = step_distributions(policy, actions, steps)
    for j, (dimension, actor) in enumerate(
        zip(policy.space.dimensions, policy.actors, strict=True)
    ):
        if isinstance(actor, CategoricalActor) and dimension.ordered:  # type: ignore[union-attr]
            near[:, j] = _step_in_rank(dimension, actor, actions[:, j], steps[:, j])  # type: ignore[arg-type]
    return near


def _step_in_rank(
    dimension: Choice, actor: CategoricalActor, column: FloatArray, steps: FloatArray
) -> FloatArray:
    """Return the choices after steps of at least one rank each."""
    rows = ~np.isnan(column)  # elsewhere the hyperparameter is not active
    ranks, p = dimension.ranks, actor.probabilities
    sigma = np.sqrt(p @ (ranks - p @ ranks) ** 2)
    moves = np.sign(steps) * np.maximum(np.abs(steps) * sigma, 1 / len(ranks))
    places = np.floor((ranks[column[rows].astype(int)] + moves[rows]) * len(ranks))
    near = column.copy()
    near[rows] = np.argsort(ranks)[np.clip(places, 0, len(ranks) - 1).astype(int)]
    return near


def _inactive_as_nan(space: Space, actions: FloatArray) -> FloatArray:
    actions[~space.active(actions)] = np.nan
    return actions
