"""Problems and critics that several tests of the default learner share."""

import numpy as np
from scipy import stats

from skpg.learners import Memory
from skpg.learners.actor_critic.critic import Critic
from skpg.learners.rewards import temper
from skpg.space.features import Features, design
from skpg.space.space import Space

BOWL = {"x": stats.uniform(0, 100), "n": stats.randint(0, 50), "k": list("abcd")}


def bowl(params):
    return (
        -(((params["x"] - 30) / 100) ** 2) - ((params["n"] - 20) / 50) ** 2 - (params["k"] != "c")
    )


SQUARE = Space({"x": stats.uniform(0, 1), "y": stats.uniform(0, 1)})


def critic_and_memory(points, rewards):
    """Return a critic of the rewards of points of the unit square, and the memory of them."""
    actions = SQUARE.encode([{"x": x, "y": y} for x, y in points])
    memory = Memory(actions, np.array(rewards), np.zeros(len(points), int), actions[:0])
    theta = np.log([0.2, 0.2, 0.1, 1e-3])
    features = Features.of(SQUARE)
    critic = Critic.condition(features, theta, design(SQUARE, actions), temper(memory.rewards, 0.5))
    return critic, memory
