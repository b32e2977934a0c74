"""Niches: when one is left, and what is improved outside of it."""

import numpy as np
import pytest

from skpg.learners.actor_critic.constants import CONSTANTS
from skpg.learners.actor_critic.niches import Niches
from skpg.space.features import design
from tests.learners.actor_critic.problems import SQUARE, critic_and_memory


@pytest.mark.parametrize("won", [0.0, 1.0])
def test_a_niche_is_left_when_nothing_more_is_won_in_it(won):
    """Its best stays in memory, and what lies elsewhere is improved from then on."""
    rng = np.random.default_rng(0)
    points = np.concatenate(
        [[(0.25, 0.25)], rng.random((CONSTANTS.niche_patience + 9, 2)), [(0.27, 0.25)]]
    )
    rewards = np.concatenate([[3.0], -rng.random(CONSTANTS.niche_patience + 9), [3.0 + won]])
    critic, memory = critic_and_memory(points, rewards)
    niches = Niches().updated(critic, memory, SQUARE)
    if won:
        assert len(niches.left) == 0
        assert niches.parent is None
        return
    np.testing.assert_array_equal(niches.left, memory.actions[:1])
    assert niches.since == len(memory)
    outside = niches.outside(critic, design(SQUARE, memory.actions), SQUARE)
    assert not outside[0]
    assert not outside[-1]  # as near as this it is the same niche
    assert outside.mean() > 0.5
    best = memory.actions[np.argmax(np.where(outside, rewards, -np.inf))]
    np.testing.assert_array_equal(niches.parent, best)


def test_where_no_candidate_lies_outside_the_first_niche_is_forgotten():
    critic, memory = critic_and_memory(
        [(0.5, 0.5)] * (CONSTANTS.niche_patience + 1), np.ones(CONSTANTS.niche_patience + 1)
    )
    niches = Niches(tuple(memory.actions[:2])).updated(critic, memory, SQUARE)
    assert len(niches.left) == 1
    assert niches.parent is None


def test_what_has_become_part_of_a_niche_is_no_longer_improved_on():
    critic, memory = critic_and_memory([(0.5, 0.5)] * 5, np.ones(5))
    niches = Niches(tuple(memory.actions[:1]), parent=memory.actions[1]).updated(
        critic, memory, SQUARE
    )
    assert niches.parent is None


def test_niches_survive_huge_rewards():
    rng = np.random.default_rng(0)
    rewards = np.where(rng.random(CONSTANTS.niche_patience + 9) < 0.5, -1.7e308, 1.7e308)
    critic, memory = critic_and_memory(rng.random((CONSTANTS.niche_patience + 9, 2)), rewards)
    assert len(Niches().updated(critic, memory, SQUARE).left) == 1


def test_niches_are_bounded():
    rng = np.random.default_rng(0)
    critic, memory = critic_and_memory(
        rng.random((CONSTANTS.niche_patience + 60, 2)), np.zeros(CONSTANTS.niche_patience + 60)
    )
    niches = Niches(tuple(memory.actions[: CONSTANTS.most_niches])).updated(critic, memory, SQUARE)
    assert len(niches.left) == CONSTANTS.most_niches
    np.testing.assert_array_equal(niches.left[:-1], memory.actions[1 : CONSTANTS.most_niches])
