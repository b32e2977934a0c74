"""The explorer: a second policy, which starts again whenever the search stalls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skpg.learners.actor_critic.climbing import climb
from skpg.learners.actor_critic.constants import CONSTANTS
from skpg.learners.actor_critic.critic import Critic
from skpg.learners.actor_critic.picking import pick_one_by_one
from skpg.learners.actor_critic.sampling import draw_admissible, stratified
from skpg.learners.base import Admissible, Memory
from skpg.learners.rewards import finite, spread_of, stalled
from skpg.policy.policy import Policy
from skpg.space.features import design
from skpg.space.types import FloatArray


@dataclass(frozen=True, eq=False)
class Explorer:
    """A second policy, which starts again whenever the search stalls.

    The policy of a search narrows onto one optimum and stays there. The explorer uses the same
    critic, but starts from the user's distributions and narrows, by chance, onto the same
    optimum or onto another one. It starts again whenever 30 candidates have brought next to
    no gain.

    Attributes
    ----------
    policy : Policy or None
        None before the search has stalled for the first time.
    since : int
        Number of rewards when it started.
    """

    policy: Policy | None = None
    since: int = 0

    def updated(
        self, critic: Critic, memory: Memory, prior: Policy, reach: float, rng: np.random.Generator
    ) -> Explorer:
        """Return the explorer after the last rewards."""
        policy, since, rewards = self.policy, self.since, finite(memory.rewards)
        waited = len(memory) - since >= CONSTANTS.explorer_patience
        if waited and stalled(
            rewards, CONSTANTS.explorer_patience, CONSTANTS.gain * spread_of(rewards)
        ):
            policy, since = prior, len(memory)
        if policy is not None:
            policy = climb(
                policy, critic, lambda p: stratified(p, CONSTANTS.virtual_actions, rng), reach
            )
        return Explorer(policy, since)

    def propose(
        self,
        critic: Critic,
        waiting: FloatArray,
        n: int,
        rng: np.random.Generator,
        admissible: Admissible,
    ) -> FloatArray:
        """Pick up to `n` draws by their upper confidence bounds, away from pending actions.

        Few draws make it explore: the greatest bounds among many are all in one place.
        """
        if self.policy is None or not n:
            return waiting[:0]
        policy, n_draws = self.policy, CONSTANTS.explorer_draws * n
        actions = draw_admissible(lambda: stratified(policy, 2 * n_draws, rng), n_draws, admissible)
        actions = actions[:n_draws]
        x = design(policy.space, np.concatenate([waiting, actions]))
        bounds = [lambda mean, std: mean + CONSTANTS.optimism * std] * min(n, len(actions))
        return actions[pick_one_by_one(critic, x, len(waiting), bounds)]
