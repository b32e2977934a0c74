"""The learner's estimate of the best action, near the best candidate."""

from __future__ import annotations

import numpy as np

from skpg.learners.actor_critic.constants import CONSTANTS
from skpg.learners.actor_critic.critic import Critic, GaussianProcess
from skpg.learners.actor_critic.sampling import step_numbers
from skpg.learners.actor_critic.state import ActorCriticState
from skpg.learners.base import Memory
from skpg.learners.rewards import replace_failed, temper
from skpg.space.features import Features, design
from skpg.space.types import FloatArray


def recommend_near_best(
    state: ActorCriticState, memory: Memory, process: GaussianProcess
) -> FloatArray:
    """Return the best action by a critic of the best candidates only, near the best one.

    A critic of all rewards cannot resolve the differences between the best candidates; one of
    the best candidates only, scaled to the ranges that these span, can. The answer stays within
    these ranges, as this critic knows nothing outside. Between crowded candidates its mean may
    have spurious peaks, so reject the answer, in favour of the best candidate, if its extra
    uncertainty exceeds its predicted gain.

    Parameters
    ----------
    state : ActorCriticState
        With a critic.
    memory : Memory
    process : GaussianProcess
        The priors of the critic.

    Returns
    -------
    ndarray of shape (n_dimensions,)
    """
    rows = np.argsort(-replace_failed(memory.rewards), kind="stable")[: CONSTANTS.elite]
    features, actions = Features.of(state.space), memory.actions[rows]
    if not features.n_numeric:  # unordered choices have no neighbours
        return np.asarray(actions[0])
    x = design(state.space, actions)
    low, span = x.min(axis=0), np.ptp(x, axis=0)
    unit = np.where((features.groups < features.n_numeric) & (span > 0), span, 1.0)
    theta = state.known_critic.theta.copy()  # length scales in the new units
    theta[: features.n_numeric] -= np.log(unit[: features.n_numeric])
    y, steps = temper(memory.rewards[rows], 0.0), CONSTANTS.recommendation_refit_steps
    critic = process.fit(features, (x - low) / unit, y, theta, max_iter=steps)
    found = np.stack([actions[0], _improve(state, critic, actions[0], low, span, unit)])
    mean, std = critic.predict((design(state.space, found) - low) / unit)
    return np.asarray(found[np.argmax(mean - std)])


def _improve(
    state: ActorCriticState,
    critic: Critic,
    action: FloatArray,
    low: FloatArray,
    span: FloatArray,
    unit: FloatArray,
) -> FloatArray:
    """Return the best action found by ever smaller steps within the ranges of the best."""
    rng = np.random.default_rng(0)
    for size in CONSTANTS.recommendation_steps:
        changed = rng.random((CONSTANTS.virtual_actions, len(action))) < 0.5
        steps = size * rng.standard_normal(changed.shape)
        parents = np.tile(action, (len(changed), 1))
        near = np.where(changed, step_numbers(state.policy, parents, steps), parents)
        actions = np.concatenate([action[None], near])
        new = design(state.space, actions) - low
        mean, _ = critic.predict(new / unit)
        known = ((new >= 0) & (new <= span)).all(axis=1)
        action = actions[np.argmax(np.where(known, mean, -np.inf))]
    return action
