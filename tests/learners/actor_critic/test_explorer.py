"""The explorer: a second policy, once a search has stalled."""

import numpy as np
from scipy.spatial.distance import pdist

from skpg.learners.actor_critic.constants import CONSTANTS
from skpg.learners.actor_critic.explorer import Explorer
from skpg.policy.policy import Policy
from skpg.space.features import design
from tests.learners.actor_critic.problems import SQUARE, critic_and_memory


def test_an_explorer_starts_again_where_the_search_stalls():
    rng = np.random.default_rng(0)
    prior = Policy.prior(SQUARE)
    rewards = -rng.random(CONSTANTS.explorer_patience + 1)
    rewards[0] = 3.0
    critic, memory = critic_and_memory(rng.random((len(rewards), 2)), rewards)
    explorer = Explorer().updated(critic, memory, prior, 0.5, rng)
    assert explorer.since == len(memory)
    assert 0 < explorer.policy.kl_divergence(prior) <= 0.5
    again = explorer.updated(critic, memory, prior, 0.5, rng)
    assert again.since == explorer.since  # not twice for the same rewards
    assert again.policy.kl_divergence(prior) > explorer.policy.kl_divergence(prior)
    rewards[-1] = 4.0
    critic, memory = critic_and_memory(rng.random((len(rewards), 2)), rewards)
    assert Explorer().updated(critic, memory, prior, 0.5, rng).policy is None


def test_an_explorer_proposes_what_is_new_and_keeps_away_from_what_waits():
    rng = np.random.default_rng(0)
    critic, _ = critic_and_memory(rng.random((30, 2)), -rng.random(30))
    explorer = Explorer(Policy.prior(SQUARE))
    waiting = SQUARE.encode([{"x": 0.5, "y": 0.5}])

    def left(actions):
        return actions[:, 0] < 0  # the left half: z, not x

    proposed = explorer.propose(critic, waiting, 6, rng, left)
    assert proposed.shape == (6, 2)
    assert left(proposed).all()
    assert pdist(design(SQUARE, np.concatenate([waiting, proposed]))).min() > 0.01
    assert len(explorer.propose(critic, waiting, 0, rng, left)) == 0
    assert len(Explorer().propose(critic, waiting, 6, rng, left)) == 0
