"""Climbing on a critic: a policy improves on virtual actions, which cost no fits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from skpg.learners.actor_critic.constants import CONSTANTS
from skpg.learners.actor_critic.critic import Critic
from skpg.learners.gradients import natural_gradient_step
from skpg.learners.rewards import rank_utilities
from skpg.policy.actors import GaussianActor
from skpg.policy.policy import Policy
from skpg.space.features import design
from skpg.space.types import FloatArray


def climb(
    policy: Policy, critic: Critic, draw: Callable[[Policy], FloatArray], reach: float
) -> Policy:
    """Return a policy after natural-gradient steps on the critic's predictions for its draws.

    Parameters
    ----------
    policy : Policy
    critic : Critic
    draw : callable
        Maps a policy to virtual actions.
    reach : float
        Greatest Kullback-Leibler divergence from `policy`, in nats.
    """
    origin = policy
    for _ in range(CONSTANTS.gradient_steps):
        actions = draw(policy)
        mean, std = critic.predict(design(policy.space, actions))
        utilities = rank_utilities(mean + CONSTANTS.optimism * std)
        actions = _pulled_in(policy, actions)
        for halvings in range(CONSTANTS.most_halvings):
            sizes = CONSTANTS.step_sizes.scaled(0.5**halvings)
            step = natural_gradient_step(policy, actions, utilities, sizes)
            if step.kl_divergence(origin) <= reach:
                policy = step
                break
        else:
            break
    return policy


def _pulled_in(policy: Policy, actions: FloatArray) -> FloatArray:
    """Return actions whose numbers are at most three standard deviations from their means.

    One of a hundred standard deviations would need a step so short that it moves nothing else.
    """
    near = actions.copy()
    for j, actor in enumerate(policy.actors):
        if isinstance(actor, GaussianActor):
            far = CONSTANTS.farthest * actor.sigma
            near[:, j] = np.clip(near[:, j], actor.mu - far, actor.mu + far)
    return near
