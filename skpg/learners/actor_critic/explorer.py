"""The explorer: a second policy, which starts again whenever the search stalls.

The policy of a search narrows onto one optimum and stays there. The explorer uses the same
critic, but starts from the user's distributions and narrows, by chance, onto the same optimum
or onto another one. It starts again whenever a niche is left.
"""

from __future__ import annotations

import numpy as np

from skpg.learners.actor_critic.constants import CONSTANTS
from skpg.learners.actor_critic.critic import Critic
from skpg.learners.actor_critic.picking import pick_one_by_one
from skpg.learners.actor_critic.sampling import stratified
from skpg.learners.base import Admissible
from skpg.policy.policy import Policy
from skpg.space.features import design
from skpg.space.types import FloatArray


def explore(
    explorer: Policy | None,
    critic: Critic,
    waiting: FloatArray,
    n: int,
    rng: np.random.Generator,
    admissible: Admissible,
) -> FloatArray:
    """Pick up to `n` draws by their upper confidence bounds, away from pending actions.

    Few draws make it explore: the greatest bounds among many are all in one place.
    """
    if explorer is None or not n:
        return waiting[:0]
    actions = stratified(explorer, 2 * CONSTANTS.explorer_draws * n, rng)
    actions = actions[admissible(actions)][: CONSTANTS.explorer_draws * n]
    x = design(explorer.space, np.concatenate([waiting, actions]))
    bounds = [lambda mean, std: mean + CONSTANTS.optimism * std] * min(n, len(actions))
    return actions[pick_one_by_one(critic, x, len(waiting), bounds)]
