"""Estimates of gradients, against each other, finite differences and known optima."""

import numpy as np
import pytest
from scipy import stats

from skpg.learners.gradients import (
    StepSizes,
    baseline_value,
    drawn_values_gradient,
    natural_gradient_step,
    policy_gradient,
)
from skpg.learners.rewards import rank_utilities
from skpg.policy.actors import CategoricalActor, GaussianActor
from skpg.policy.policy import Policy
from skpg.space.space import Space

SPACE = Space({"x": stats.uniform(), "k": ["a", "b", "c"]})
POLICY = Policy(
    SPACE, (GaussianActor(0.5, -0.3), CategoricalActor(np.log(np.array([0.5, 0.3, 0.2]))))
)


def reward(actions):
    """A reward whose expectation is known: E[z^2] and a table."""
    return -((actions[:, 0] - 1) ** 2) + np.array([0.0, 2.0, -1.0])[actions[:, 1].astype(int)]


def expected_reward(theta):
    gaussian, categorical = POLICY.with_theta(theta).actors
    quadratic = -((gaussian.mu - 1) ** 2 + gaussian.sigma**2)
    return quadratic + categorical.probabilities @ np.array([0.0, 2.0, -1.0])


def exact_gradient(policy=POLICY, step=1e-6):
    theta = policy.theta
    return np.array(
        [
            (expected_reward(theta + step * e) - expected_reward(theta - step * e)) / (2 * step)
            for e in np.eye(len(theta))
        ]
    )


@pytest.mark.parametrize("baseline", [None, "mean", "optimal"])
def test_reinforce_is_unbiased_with_any_baseline(baseline, rng):
    actions = POLICY.sample_actions(400_000, rng)
    estimate = policy_gradient(POLICY, actions, reward(actions), baseline)
    np.testing.assert_allclose(estimate, exact_gradient(), atol=0.03)


def test_baselines_reduce_the_variance_and_the_optimal_one_most(rng):
    variance = {}
    for baseline in (None, "mean", "optimal"):
        # the baseline comes from a large sample, so that the same constant is used throughout
        large = POLICY.sample_actions(100_000, rng)
        value = baseline_value(reward(large) + 5, POLICY.grad_log_prob(large), baseline)
        estimates = (reward(large) + 5 - value)[:, None] * POLICY.grad_log_prob(large)
        variance[baseline] = estimates.var(axis=0).sum()
    assert variance["optimal"] < variance["mean"] < variance[None]


def test_optimal_baseline_is_the_formula():
    rewards, scores = np.array([1.0, 2.0]), np.array([[1.0, 1.0], [2.0, 0.0]])
    assert baseline_value(rewards, scores, "optimal") == pytest.approx((1 * 2 + 2 * 4) / 6)
    assert baseline_value(rewards, scores, "mean") == 1.5
    assert baseline_value(rewards, np.zeros((2, 2)), "optimal") == 1.5


def test_only_drawn_values_of_a_list_move():
    actions = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 1.0]])
    rewards = np.array([1.0, 3.0, 5.0])
    gradient = drawn_values_gradient(POLICY, actions, rewards, None)
    # mean over the draws of each value of r * (1 - p)
    np.testing.assert_allclose(gradient[2:], [2 * 0.5, 5 * 0.7, 0.0])
    np.testing.assert_allclose(gradient[:2], policy_gradient(POLICY, actions, rewards, None)[:2])


def test_the_natural_gradient_is_the_fisher_preconditioned_gradient(rng):
    """A tiny step equals eta F^-1 g, with the Fisher matrix of the sampled scores."""
    actions = POLICY.sample_actions(50, rng)
    utilities = rank_utilities(reward(actions))
    eta = 1e-4
    after = natural_gradient_step(POLICY, actions, utilities, StepSizes(eta, eta, eta))
    gradient = utilities @ POLICY.grad_log_prob(actions)
    gaussian, categorical = POLICY.actors
    np.testing.assert_allclose(
        after.actors[0].theta - gaussian.theta,
        eta * gradient[:2] * [gaussian.sigma**2, 0.5],
        rtol=1e-6,
    )
    p = categorical.probabilities
    fisher = np.diag(p) - np.outer(p, p)
    # F is singular along (1, 1, 1), which does not change p
    direction = np.linalg.pinv(fisher) @ gradient[2:]
    moved = categorical.with_theta(categorical.logits + eta * direction).probabilities
    np.testing.assert_allclose(
        after.actors[1].probabilities - p, moved - p, atol=1e-3 * np.abs(moved - p).max()
    )


def test_the_natural_step_does_not_depend_on_the_width_of_the_policy(rng):
    """The step in units of sigma is the same however narrow the actor: no factor of 1000."""
    steps = StepSizes(0.7, 0.5, 0.5)
    moves = []
    for log_sigma in (-1.0, -6.0):
        actor = GaussianActor(0.0, log_sigma)
        policy = Policy(Space({"x": stats.uniform()}), (actor,))
        actions = policy.sample_actions(10, np.random.default_rng(0))
        after = natural_gradient_step(policy, actions, rank_utilities(actions[:, 0]), steps)
        moved = after.actors[0]
        moves.append([(moved.mu - actor.mu) / actor.sigma, moved.log_sigma - log_sigma])
    np.testing.assert_allclose(moves[0], moves[1])


def test_probabilities_keep_a_floor():
    space = Space({"k": ["a", "b", "c"]})
    policy = Policy.prior(space)
    actions = np.array([[0.0], [1.0], [2.0]])
    for _ in range(50):
        policy = natural_gradient_step(
            policy, actions, np.array([1.0, -0.5, -0.5]), StepSizes(1, 1, 1)
        )
    p = policy.actors[0].probabilities
    assert p.sum() == pytest.approx(1)
    np.testing.assert_allclose(p, [0.73, 0.135, 0.135])


def test_actors_of_a_branch_that_was_not_drawn_stay():
    space = Space([{"x": stats.uniform()}, {"y": stats.uniform()}])
    policy = Policy.prior(space)
    actions = np.array([[0, 0.5, np.nan], [0, -0.5, np.nan]])
    after = natural_gradient_step(policy, actions, np.array([0.5, -0.5]), StepSizes(1, 1, 1))
    assert after.actors[1].mu == pytest.approx(0.5)
    assert after.actors[2] == policy.actors[2]
