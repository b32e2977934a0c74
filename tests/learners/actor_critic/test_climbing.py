"""A policy climbs on a critic."""

import numpy as np

from skpg.learners.actor_critic.climbing import climb
from skpg.policy.policy import Policy
from skpg.space.features import design
from tests.learners.actor_critic.problems import SQUARE, critic_and_memory


def test_climbing_improves_what_is_drawn_within_reach():
    rng = np.random.default_rng(0)
    points = rng.random((40, 2))
    critic, _ = critic_and_memory(points, -((points - 0.7) ** 2).sum(axis=1))
    prior = Policy.prior(SQUARE)
    climbed = climb(prior, critic, lambda policy: policy.sample_actions(200, rng), 1.0)
    assert 0.2 < climbed.kl_divergence(prior) <= 1.0
    drawn, before = (p.sample_actions(500, np.random.default_rng(1)) for p in (climbed, prior))
    means = [critic.predict(design(SQUARE, actions))[0].mean() for actions in (drawn, before)]
    assert means[0] > means[1]
