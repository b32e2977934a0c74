"""Climbing on a critic: a policy improves on virtual actions, which cost no fits."""

from __future__ import annotations

import numpy as np

from skpg.learners.actor_critic.constants import CONSTANTS
from skpg.learners.actor_critic.critic import Critic
from skpg.learners.actor_critic.sampling import stratified
from skpg.learners.gradients import natural_gradient_step
from skpg.learners.rewards import rank_utilities
from skpg.policy.policy import Policy
from skpg.space.features import design


def climb(
    policy: Policy, critic: Critic, reach: float, steps: int, rng: np.random.Generator
) -> Policy:
    """Return a policy after natural-gradient steps on the critic's predictions for its draws.

    Parameters
    ----------
    policy : Policy
    critic : Critic
    reach : float
        Greatest Kullback-Leibler divergence from `policy`, in nats.
    steps : int
    rng : numpy.random.Generator
    """
    origin = policy
    for _ in range(steps):
        # Draws of the policy alone: far from its mean, as candidates near the best one may be,
        # the gradient of a Gaussian is so steep that no step stays within reach.
        actions = stratified(policy, CONSTANTS.virtual_actions, rng)
        mean, std = critic.predict(design(policy.space, actions))
        utilities = rank_utilities(mean + CONSTANTS.optimism * std)
        for factor in (1.0, 0.5, 0.25, 0.125):
            sizes = CONSTANTS.step_sizes.scaled(factor)
            step = natural_gradient_step(policy, actions, utilities, sizes)
            if step.kl_divergence(origin) <= reach:
                policy = step
                break
        else:
            break
    return policy
