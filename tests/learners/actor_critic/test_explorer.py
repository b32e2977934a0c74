"""The explorer: a second policy, once a search has stalled."""

import numpy as np
from scipy.spatial.distance import pdist

from skpg.learners import ActorCritic
from skpg.learners.actor_critic.constants import CONSTANTS
from skpg.learners.actor_critic.explorer import explore
from skpg.policy.policy import Policy
from skpg.space.features import design
from tests.learners.actor_critic.problems import SQUARE, critic_and_memory


def test_an_explorer_starts_again_where_the_search_stalls():
    rng = np.random.default_rng(0)
    prior, learner = Policy.prior(SQUARE), ActorCritic(trust_region=0.5)
    rewards = -rng.random(CONSTANTS.patience + 1)
    rewards[0] = 3.0
    _, memory = critic_and_memory(rng.random((len(rewards), 2)), rewards)
    reach = 0.5 * memory.last
    state = learner.update(learner.init(SQUARE), memory, rng)
    assert state.niches.since == len(memory)
    assert 0 < state.explorer.kl_divergence(prior) <= reach
    _, more = critic_and_memory(rng.random((len(rewards) + 1, 2)), np.append(rewards, -1.0))
    again = learner.update(state, more, rng)
    assert again.niches.since == state.niches.since  # not twice for the same rewards
    assert 0 < again.explorer.kl_divergence(state.explorer) <= reach + 0.5
    rewards[-1] = 4.0
    _, memory = critic_and_memory(rng.random((len(rewards), 2)), rewards)
    assert learner.update(learner.init(SQUARE), memory, rng).explorer is None


def test_an_explorer_proposes_what_is_new_and_keeps_away_from_what_waits():
    rng = np.random.default_rng(0)
    critic, _ = critic_and_memory(rng.random((30, 2)), -rng.random(30))
    explorer = Policy.prior(SQUARE)
    waiting = SQUARE.encode([{"x": 0.5, "y": 0.5}])

    def left(actions):
        return actions[:, 0] < 0  # the left half: z, not x

    proposed = explore(explorer, critic, waiting, 6, rng, left)
    assert proposed.shape == (6, 2)
    assert left(proposed).all()
    assert pdist(design(SQUARE, np.concatenate([waiting, proposed]))).min() > 0.01
    assert len(explore(explorer, critic, waiting, 0, rng, left)) == 0
    assert len(explore(None, critic, waiting, 6, rng, left)) == 0
