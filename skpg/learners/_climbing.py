"""Climbing on a critic: a policy improves on virtual actions, which cost nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from skpg._critic import Critic
from skpg._gradients import StepSizes, natural_gradient_step
from skpg._policy import Policy
from skpg._rewards import finite, rank_utilities, spread_of
from skpg._space import FloatArray
from skpg.learners._base import Admissible, Memory
from skpg.learners._niches import stalled
from skpg.learners._screening import design, pick_one_by_one, stratified

STEPS = StepSizes(1.0, 0.6, 0.6)
GRADIENT_STEPS = 5
VIRTUAL_ACTIONS = 100
# Standard deviations added to the prediction of virtual actions.
OPTIMISM = 2.0
# An explorer starts again after so many candidates of the search that won next to nothing.
PATIENCE = 30
# Draws of the explorer for each one that is picked. With 20 it is as good, with 2 it is not.
DRAWS = 5


def climb(
    policy: Policy, critic: Critic, draw: Callable[[Policy], FloatArray], reach: float
) -> Policy:
    """Return a policy after natural-gradient steps on what the critic says of its draws.

    Parameters
    ----------
    policy : Policy
    critic : Critic
    draw : callable
        From a policy to virtual actions.
    reach : float
        Greatest Kullback-Leibler divergence from `policy`, in nats.
    """
    origin = policy
    for _ in range(GRADIENT_STEPS):
        actions = draw(policy)
        mean, std = critic.predict(design(policy.space, actions))
        utilities = rank_utilities(mean + OPTIMISM * std)
        for factor in (1.0, 0.5, 0.25, 0.125):
            step = natural_gradient_step(policy, actions, utilities, STEPS.scaled(factor))
            if step.kl_divergence(origin) <= reach:
                policy = step
                break
        else:
            break
    return policy


@dataclass(frozen=True, eq=False)
class Explorer:
    """A second policy, which begins again where the search stalls.

    The policy of a search narrows onto one optimum and stays there. An explorer shares its
    critic, but starts from the user's distributions, and narrows as it climbs, onto the same
    optimum or onto another one; chance decides. When the search has won next to nothing for
    30 candidates it starts again.

    Attributes
    ----------
    policy : Policy or None
        None before the search has stalled for the first time.
    since : int
        Number of rewards when it started.
    """

    policy: Policy | None = None
    since: int = 0

    def after(
        self, critic: Critic, memory: Memory, prior: Policy, reach: float, rng: np.random.Generator
    ) -> Explorer:
        """Return the explorer after the last rewards."""
        policy, since, rewards = self.policy, self.since, finite(memory.rewards)
        waited = len(memory) - since >= PATIENCE
        if waited and stalled(rewards, PATIENCE, spread_of(rewards)):
            policy, since = prior, len(memory)
        if policy is not None:
            policy = climb(policy, critic, lambda p: stratified(p, VIRTUAL_ACTIONS, rng), reach)
        return Explorer(policy, since)

    def propose(
        self,
        critic: Critic,
        waiting: FloatArray,
        n: int,
        rng: np.random.Generator,
        admissible: Admissible,
    ) -> FloatArray:
        """Pick up to `n` draws by their upper confidence bounds, away from those that wait.

        It is the few draws that make it explore: the greatest bounds of many are all in one
        place.
        """
        if self.policy is None or not n:
            return waiting[:0]
        actions = stratified(self.policy, 2 * DRAWS * n, rng)
        actions = actions[admissible(actions)][: DRAWS * n]
        x = design(self.policy.space, np.concatenate([waiting, actions]))
        bounds = [lambda mean, std: mean + OPTIMISM * std] * min(n, len(actions))
        return actions[pick_one_by_one(critic, x, len(waiting), bounds)]
