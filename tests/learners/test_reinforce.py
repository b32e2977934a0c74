"""REINFORCE moves as the articles say, and the right way."""

import numpy as np
import pytest

from skpg.learners import (
    Memory,
    Reinforce,
)
from skpg.space.space import Space
from tests.learners.problems import regret


def test_reinforce_improves_on_the_prior_over_ten_seeds():
    """The article's method is slow: what counts is that it moves the right way."""
    before = [regret(Reinforce(), seed, budget=0) for seed in range(10)]
    after = [regret(Reinforce(), seed, budget=250) for seed in range(10)]
    assert np.mean(after) < 0.5 * np.mean(before)


def test_reinforce_moves_by_its_learning_rate():
    space = Space({"k": ["a", "b", "c"]})
    memory = Memory(
        np.array([[0.0], [1.0]]), np.array([1.0, -1.0]), np.zeros(2, int), np.empty((0, 1))
    )
    rng = np.random.default_rng(0)
    learner = Reinforce(learning_rate=0.1, baseline=None, normalize=False)
    state = learner.init(space)
    moved = learner.update(state, memory, rng).policy.theta - state.policy.theta
    np.testing.assert_allclose(moved, [0.1 * 2 / 3, -0.1 * 2 / 3, 0])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Reinforce(learning_rate=0), "learning_rate must be a positive number, got 0"),
        (lambda: Reinforce(learning_rate="fast"), "learning_rate must be a positive number"),
        (lambda: Reinforce(baseline="median"), "baseline must be .*'median'"),
        (lambda: Reinforce(learning_rate=np.inf), "learning_rate must be a positive number"),
        (lambda: Reinforce(learning_rate=True), "learning_rate must be a positive number"),
        (lambda: Reinforce(learning_rate=10**400), "learning_rate must be a positive number"),
        (lambda: Reinforce(normalize="no"), "normalize must be True or False, got 'no'"),
    ],
)
def test_bad_settings_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
