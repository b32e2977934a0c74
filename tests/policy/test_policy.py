"""Policies: products of actors, tied to a space."""

import numpy as np
import pytest
from scipy import stats

from skpg.policy.policy import Policy
from skpg.space.space import Space

MIXED = {"x": stats.uniform(), "n": stats.randint(1, 9), "k": ["a", "b", "c"]}
BRANCHED = [{"x": stats.uniform(), "k": ["a", "b"]}, {"y": stats.norm(), "z": stats.expon()}]
every_space = pytest.mark.parametrize("space", [MIXED, BRANCHED], ids=["dict", "list of dicts"])


def some_policy(space, seed=0):
    prior = Policy.prior(Space(space))
    return prior.with_theta(
        prior.theta + 0.5 * np.random.default_rng(seed).standard_normal(len(prior.theta))
    )


def test_a_list_starts_at_minus_log_k():
    prior = Policy.prior(Space({"k": list("abcde")}))
    np.testing.assert_allclose(prior.actors[0].logits, -np.log(5))


@every_space
def test_policy_gradient_is_the_finite_difference(space):
    policy, step = some_policy(space), 1e-6
    actions = policy.sample_actions(20, np.random.default_rng(0))
    gradient = policy.grad_log_prob(actions)
    assert gradient.shape == (20, len(policy.theta))
    for k, e in enumerate(np.eye(len(policy.theta))):
        up = policy.with_theta(policy.theta + step * e).log_prob(actions)
        down = policy.with_theta(policy.theta - step * e).log_prob(actions)
        np.testing.assert_allclose(gradient[:, k], (up - down) / (2 * step), atol=1e-5)


@every_space
def test_policy_entropy_and_divergence_are_expectations(space):
    policy, other = some_policy(space, 0), some_policy(space, 1)
    actions = policy.sample_actions(200_000, np.random.default_rng(0))
    log_prob = policy.log_prob(actions)
    assert policy.entropy() == pytest.approx(-log_prob.mean(), abs=0.02)
    divergence = (log_prob - other.log_prob(actions)).mean()
    assert policy.kl_divergence(other) == pytest.approx(divergence, abs=0.02)
    assert policy.kl_divergence(policy) == pytest.approx(0, abs=1e-12)


@every_space
def test_the_first_draws_do_not_depend_on_their_number(space):
    policy = some_policy(space)
    few = policy.sample_actions(3, np.random.default_rng(0))
    many = policy.sample_actions(30, np.random.default_rng(0))
    np.testing.assert_array_equal(few, many[:3])


@every_space
def test_the_mode_of_a_policy_is_a_candidate(space):
    policy = some_policy(space)
    assert policy.space.encode([policy.mode()]).shape == (1, len(policy.actors))
    draws = policy.sample_actions(1000, np.random.default_rng(0))
    same_branch = (
        policy.space.active(draws)[:, -1] == policy.space.active(policy.mode_action()[None])[0, -1]
    )
    best = policy.log_prob(policy.mode_action()[None])[0]
    assert (policy.log_prob(draws[same_branch]) <= best).all()


def test_a_policy_prints_one_row_per_hyperparameter():
    text = repr(Policy.prior(Space(MIXED)))
    lines = text.splitlines()
    assert lines[0].startswith("Policy(entropy=")
    assert [line.split()[0] for line in lines[1:]] == ["x", "n", "k"]
    assert "0.5 [0.1, 0.9]" in lines[1]
    assert "4 [1, 8]" in lines[2]
    assert "'a' 33 %" in lines[3]
