"""A batch is picked one by one."""

import numpy as np

from skpg.learners.actor_critic.picking import pick_one_by_one
from skpg.space.features import design
from tests.learners.actor_critic.problems import SQUARE, critic_and_memory


def test_each_pick_lowers_the_uncertainty_around_it():
    critic, _ = critic_and_memory([(0.1, 0.1)] * 3, [1.0, 2.0, 3.0])
    near = [{"x": 0.8, "y": 0.8}, {"x": 0.81, "y": 0.8}, {"x": 0.8, "y": 0.2}]
    x = design(SQUARE, SQUARE.encode(near))
    uncertain = [lambda mean, std: std] * 5
    assert set(pick_one_by_one(critic, x, 0, uncertain[:2])) in ({0, 2}, {1, 2})
    assert sorted(pick_one_by_one(critic, x, 0, uncertain)) == [0, 1, 2]


def test_picks_keep_away_from_what_is_in_flight():
    critic, _ = critic_and_memory([(0.1, 0.1)] * 3, [1.0, 2.0, 3.0])
    free = [{"x": 0.9, "y": 0.9}, {"x": 0.6, "y": 0.2}]  # the first is the least certain one
    uncertain = [lambda mean, std: std]
    x = design(SQUARE, SQUARE.encode(free))
    assert pick_one_by_one(critic, x, 0, uncertain) == [0]
    in_flight = design(SQUARE, SQUARE.encode([{"x": 0.9, "y": 0.88}]))
    assert pick_one_by_one(critic, np.concatenate([in_flight, x]), 1, uncertain) == [1]
