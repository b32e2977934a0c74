"""The identities behind Reinforce and ZerothOrder, each against a witness of its own."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from skpg.learners import LearnerState, Memory, Reinforce, ZerothOrder
from skpg.learners.gradients import baseline_value, policy_gradient, zeroth_order_gradient
from skpg.policy.actors import CategoricalActor, GaussianActor
from skpg.policy.policy import Policy
from skpg.space.space import Space

LOGITS = np.array([0.4, -0.3, 0.1, -0.8])
ACCURACIES = np.array([0.91, 0.93, 0.88, 0.95])
LIST = Policy(Space({"k": list("abcd")}), (CategoricalActor(LOGITS),))
NUMBERS = Policy(
    Space({"x": stats.uniform(), "y": stats.uniform()}),
    (GaussianActor(0.3, -0.5), GaussianActor(-0.4, -0.9)),
)
MIXED = Policy(
    Space({"x": stats.uniform(), "k": list("abcd")}),
    (GaussianActor(0.5, -0.3), CategoricalActor(LOGITS)),
)


def bump(actions):
    """A smooth reward of two numbers."""
    x, y = actions.T
    return 0.8 + np.sin(x) * np.exp(0.3 * y) - 0.2 * (x - y) ** 2


def gradient_of_bump(x, y):
    return np.array(
        [
            np.cos(x) * np.exp(0.3 * y) - 0.4 * (x - y),
            0.3 * np.sin(x) * np.exp(0.3 * y) + 0.4 * (x - y),
        ]
    )


PROBLEMS = {
    "a list of accuracies": (LIST, lambda a: ACCURACIES[a[:, 0].astype(int)]),
    "a smooth score of two numbers": (NUMBERS, bump),
    "both": (MIXED, lambda a: ACCURACIES[a[:, 1].astype(int)] - 0.1 * (a[:, 0] - 1) ** 2),
}
every_problem = pytest.mark.parametrize("name", PROBLEMS)


def whitened(n, d, rng):
    """Antithetic directions whose second moments are those of N(0, I) to the last digit."""
    half = rng.standard_normal((n // 2, d))
    half = half @ np.linalg.inv(np.linalg.cholesky(half.T @ half / len(half))).T
    return np.concatenate([half, -half])


def everything(actions):
    return np.ones(len(actions), dtype=bool)


def memory_of(policy, actions, rewards):
    updates = np.zeros(len(rewards), dtype=np.intp)
    return Memory(actions, rewards, updates, actions[:0])


def updated(learner, policy, memory, rng):
    return learner.update(LearnerState(policy), memory, rng).policy


def estimate(learner, policy, reward, n, rng):
    """Return the gradient that a learner climbs in one update of n candidates."""
    nothing = Memory.empty(len(policy.actors))
    actions = learner.propose(LearnerState(policy), nothing, n, rng, everything)
    memory = memory_of(policy, actions, reward(actions))
    moved = updated(learner, policy, memory, rng)
    return (moved.theta - policy.theta) / learner.learning_rate


# -- Baselines -------------------------------------------------------------------------


@every_problem
def test_the_optimal_baseline_has_the_smallest_measured_variance(name, rng):
    """Each constant is found on one sample, and the variances are measured on another."""
    policy, reward = PROBLEMS[name]
    first, second = policy.sample_actions(100_000, rng), policy.sample_actions(100_000, rng)
    scores = policy.grad_log_prob(first)
    best = baseline_value(reward(first), scores, "optimal")
    constants = {
        "none": 0.0,
        "mean": baseline_value(reward(first), scores, "mean"),
        "lower": best - 0.02,
        "higher": best + 0.02,
    }

    def variance(b):
        terms = (reward(second) - b)[:, None] * policy.grad_log_prob(second)
        return terms.var(axis=0).sum()

    for other, constant in constants.items():
        assert variance(best) < variance(constant), other


@every_problem
def test_the_optimal_baseline_of_each_batch_saves_variance_as_well(name, rng):
    policy, reward = PROBLEMS[name]
    variance = {}
    for baseline in (None, "mean", "optimal"):
        batches = [policy.sample_actions(20, np.random.default_rng(i)) for i in range(500)]
        estimates = [policy_gradient(policy, a, reward(a), baseline) for a in batches]
        variance[baseline] = np.var(estimates, axis=0).sum()
    assert variance["optimal"] < variance[None] / 2
    assert variance["optimal"] < 1.05 * variance["mean"]


@given(
    st.lists(st.floats(-3, 3), min_size=2, max_size=6),
    st.integers(0, 2**32 - 1),
    st.floats(-2, 2),
)
def test_any_other_baseline_costs_what_the_parabola_says(logits, seed, shift):
    """Equation 8 (baseline-cost), with every expectation a sum over the list."""
    actor = CategoricalActor(np.array(logits))
    p, rewards = actor.probabilities, np.random.default_rng(seed).uniform(0, 1, len(logits))
    scores = actor.grad_log_prob(np.arange(len(p)))
    length = p @ (scores**2).sum(axis=1)
    best = p @ (rewards * (scores**2).sum(axis=1)) / length

    def variance(b):
        terms = (rewards - b)[:, None] * scores
        return p @ (terms**2).sum(axis=1) - ((p @ terms) ** 2).sum()

    cost = variance(best + shift) - variance(best)
    assert cost == pytest.approx(shift**2 * length, rel=1e-6, abs=1e-12)


def test_reinforce_subtracts_the_optimal_baseline_to_the_letter():
    """b* = sum r |s|^2 / sum |s|^2 of the batch, with s the gradient of the log probability."""
    actions = NUMBERS.sample_actions(7, np.random.default_rng(0))
    rewards = bump(actions)
    s = np.array(
        [
            [(a - g.mu) / g.sigma**2 for a, g in zip(row, NUMBERS.actors, strict=True)]
            + [((a - g.mu) / g.sigma) ** 2 - 1 for a, g in zip(row, NUMBERS.actors, strict=True)]
            for row in actions
        ]
    )
    squares = (s**2).sum(axis=1)
    b = (rewards * squares).sum() / squares.sum()
    by_hand = ((rewards - b)[:, None] * s).mean(axis=0)[[0, 2, 1, 3]]
    learner = Reinforce(learning_rate=1.0, baseline="optimal", normalize=False)
    moved = updated(learner, NUMBERS, memory_of(NUMBERS, actions, rewards), None)
    np.testing.assert_allclose(moved.theta - NUMBERS.theta, by_hand)


def test_of_a_list_the_baseline_is_that_of_the_plain_estimate():
    """Equation 10 (drawn-values), with equation 7 (optimal-baseline) in it."""
    drawn, rewards = np.array([0, 2, 2, 3]), np.array([0.9, 0.5, 0.7, 0.2])
    p = LIST.actors[0].probabilities
    squares = ((np.eye(4)[drawn] - p) ** 2).sum(axis=1)
    b = (rewards * squares).sum() / squares.sum()
    by_hand = np.array([0.9 - b, 0, (0.5 + 0.7) / 2 - b, 0.2 - b]) * (1 - p)
    learner = Reinforce(learning_rate=1.0, baseline="optimal", normalize=False)
    memory = memory_of(LIST, drawn[:, None].astype(float), rewards)
    moved = updated(learner, LIST, memory, None)
    np.testing.assert_allclose(moved.theta - LIST.theta, by_hand)


@given(st.lists(st.floats(-2, 2), min_size=2, max_size=5), st.integers(0, 2**32 - 1))
def test_the_natural_gradient_of_a_list_is_the_mean_reward_of_each_value(logits, seed):
    """Equation 15 (categorical-natural): F times it is the gradient."""
    actor = CategoricalActor(np.array(logits))
    p, rewards = actor.probabilities, np.random.default_rng(seed).uniform(0, 1, len(logits))
    scores = actor.grad_log_prob(np.arange(len(p)))
    fisher = scores.T @ (p[:, None] * scores)
    np.testing.assert_allclose(fisher @ (rewards - p @ rewards), (p * rewards) @ scores, atol=1e-12)


# -- The zeroth-order gradient ---------------------------------------------------------


def test_the_zeroth_order_estimate_tends_to_the_gradient_with_the_square_of_epsilon(rng):
    """Equation 26 (zeroth-order-limit). The directions leave no error but epsilon's."""
    directions, point = whitened(2000, 2, rng), np.array([0.3, -0.4])
    errors = []
    for epsilon in (0.1, 0.01, 0.001):
        values = bump(point + epsilon * directions)
        found = zeroth_order_gradient(values, directions, epsilon, bump(point[None])[0])
        errors.append(np.abs(found - gradient_of_bump(*point)).max())
    assert errors[0] < 0.03
    assert errors[1] == pytest.approx(errors[0] / 100, rel=0.1)
    assert errors[2] == pytest.approx(errors[0] / 10_000, rel=0.1)


@pytest.mark.parametrize("baseline", ["current", "optimal", None])
def test_the_learner_climbs_the_analytic_gradient_as_epsilon_goes_to_zero(baseline, rng):
    learner = ZerothOrder(epsilon=1e-3, baseline=baseline, learning_rate=1.0, normalize=False)
    n = 60_000 + (baseline == "current")  # whole pairs, and the mode
    found = estimate(learner, NUMBERS, bump, n, rng)
    exact = gradient_of_bump(0.3, -0.4)
    np.testing.assert_allclose(found[[0, 2]], exact, atol=0.03)
    np.testing.assert_array_equal(found[[1, 3]], 0)  # the mode does not depend on the widths


@every_problem
def test_any_baseline_leaves_the_expectation(name, rng):
    policy, reward = PROBLEMS[name]
    u = rng.standard_normal((200_000, len(policy.theta)))
    actions = policy.perturbed_modes(0.4 * u)
    for constant in (0.5, 2.0):
        difference = zeroth_order_gradient(
            reward(actions), policy.expected_directions(actions, 0.4), 0.4, constant
        ) - zeroth_order_gradient(reward(actions), u, 0.4)
        # five standard errors of the noisier of the two
        bound = 5 * (reward(actions).std() + abs(constant)) / 0.4 / np.sqrt(len(u))
        assert np.abs(difference).max() < bound + 0.01


@every_problem
def test_the_zeroth_order_optimal_baseline_has_the_smallest_measured_variance(name, rng):
    policy, reward = PROBLEMS[name]
    noise = rng.standard_normal((2, 100_000, len(policy.theta)))
    first, second = (policy.perturbed_modes(0.4 * u) for u in noise)
    best = baseline_value(reward(first), policy.expected_directions(first, 0.4), "optimal")

    def variance(b):
        terms = (reward(second) - b)[:, None] * policy.expected_directions(second, 0.4)
        return terms.var(axis=0).sum()

    current = float(reward(policy.mode_action()[None])[0])
    for constant in (0.0, best - 0.02, best + 0.02, current):
        assert variance(best) < variance(constant)


def variance_of(learner, policy, reward):
    n = 20 + (learner.baseline == "current")
    return np.var(
        [estimate(learner, policy, reward, n, np.random.default_rng(i)) for i in range(200)],
        axis=0,
    ).sum()


@pytest.mark.parametrize(
    ("baseline", "slope", "ratio"),
    [(None, 1.0, 0.05), (None, 0.0, 0.01), ("optimal", 0.0, 0.5), ("current", 0.0, 0.2)],
)
def test_antithetic_draws_reduce_the_variance(baseline, slope, ratio):
    """Without a baseline they do its work; near an optimum they cancel the curvature."""

    def reward(actions):
        x, y = (actions - [0.3, -0.4]).T
        return 0.9 + 0.05 * slope * (x + y) - x**2 - 0.5 * y**2 + x**3

    alone, paired = (
        variance_of(ZerothOrder(0.1, baseline, a, 1.0, normalize=False), NUMBERS, reward)
        for a in (False, True)
    )
    assert paired < ratio * alone


def test_of_a_nearly_linear_reward_half_as_many_directions_cost_what_pairs_save():
    """Two evaluations for one direction: the variance doubles where nothing cancels."""
    alone, paired = (
        variance_of(
            ZerothOrder(1e-3, "current", a, 1.0, normalize=False), NUMBERS, lambda a: a.sum(axis=1)
        )
        for a in (False, True)
    )
    assert paired == pytest.approx(2 * alone, rel=0.3)


def test_the_mode_is_evaluated_once_and_is_the_baseline(rng):
    learner = ZerothOrder(learning_rate=1.0, normalize=False)
    actions = learner.propose(LearnerState(NUMBERS), Memory.empty(2), 11, rng, everything)
    np.testing.assert_array_equal(actions[0], NUMBERS.mode_action())
    offsets = actions[1:] - NUMBERS.mode_action()
    np.testing.assert_allclose(offsets[::2], -offsets[1::2])
    rewards = bump(actions)
    moved = updated(learner, NUMBERS, memory_of(NUMBERS, actions, rewards), rng)
    by_hand = ((rewards[1:] - rewards[0])[:, None] * offsets / 0.3**2).mean(axis=0)
    np.testing.assert_allclose((moved.theta - NUMBERS.theta)[[0, 2]], by_hand)
    known = learner.propose(
        LearnerState(NUMBERS), Memory.empty(2), 11, rng, lambda a: (a != actions[0]).any(axis=1)
    )
    assert not (known == actions[0]).all(axis=1).any()


def test_a_small_update_takes_a_small_step(rng):
    """So that ten updates of one candidate go as far as one update of ten."""
    learner = ZerothOrder(baseline=None, normalize=False)
    action = learner.propose(LearnerState(NUMBERS), Memory.empty(2), 1, rng, everything)
    one = updated(learner, NUMBERS, memory_of(NUMBERS, action, np.ones(1)), rng)
    ten = updated(learner, NUMBERS, memory_of(NUMBERS, np.tile(action, (10, 1)), np.ones(10)), rng)
    np.testing.assert_allclose(one.theta - NUMBERS.theta, (ten.theta - NUMBERS.theta) / 10)


def test_candidates_that_no_perturbation_explains_are_not_learned_from(rng):
    learner = ZerothOrder(epsilon=0.1)
    far = np.array([[3.0, 3.0], [-3.0, 2.5]])
    moved = updated(learner, NUMBERS, memory_of(NUMBERS, far, np.array([1.0, 0.0])), rng)
    np.testing.assert_array_equal(moved.theta, NUMBERS.theta)


# -- The two roads meet ----------------------------------------------------------------


def test_the_zeroth_order_gradient_of_the_softened_objective_is_the_policy_gradient(rng):
    """Equation 30 (softened): at small epsilon, with directions that leave no other error."""

    def softened(theta):
        weights = np.exp(theta - theta.max(axis=1, keepdims=True))
        return weights @ ACCURACIES / weights.sum(axis=1)

    directions = whitened(2000, 4, rng)
    value = softened(LOGITS[None])[0]
    found = zeroth_order_gradient(softened(LOGITS + 1e-4 * directions), directions, 1e-4, value)
    p = LIST.actors[0].probabilities
    exact = p @ ((ACCURACIES - 0.9)[:, None] * LIST.grad_log_prob(np.arange(4.0)[:, None]))
    np.testing.assert_allclose(found, exact, atol=1e-6)


@every_problem
def test_the_zeroth_order_gradient_of_the_mode_is_the_gradient_of_its_own_policy(name, rng):
    """Equation 32 (expected-direction): u and its expectation lead to one gradient."""
    policy, reward = PROBLEMS[name]
    epsilon, n = 0.5, 400_000
    u = rng.standard_normal((n, len(policy.theta)))
    actions = policy.perturbed_modes(epsilon * u)
    centred = (reward(actions) - reward(actions).mean())[:, None]
    raw, known = centred * u, centred * policy.expected_directions(actions, epsilon)
    standard_error = (raw - known).std(axis=0) / np.sqrt(n)
    assert (np.abs((raw - known).mean(axis=0)) <= 5 * standard_error + 1e-12).all()
    assert known.var(axis=0).sum() < raw.var(axis=0).sum()  # equation 33 (rao-blackwell)


def test_of_a_distribution_the_roads_are_one_draw_by_draw(rng):
    """Equation 34 (gaussian-direction): REINFORCE with sigma = epsilon."""
    epsilon = 0.3
    policy = Policy(
        NUMBERS.space, tuple(GaussianActor(a.mu, np.log(epsilon)) for a in NUMBERS.actors)
    )
    actions = policy.perturbed_modes(epsilon * rng.standard_normal((12, 4)))
    first = policy_gradient(policy, actions, bump(actions), None)
    directions = policy.expected_directions(actions, epsilon)
    second = zeroth_order_gradient(bump(actions), directions, epsilon)
    np.testing.assert_allclose(first[[0, 2]], second[[0, 2]])


def probability(theta, a, epsilon):
    """The probability that choice `a` comes first, by Simpson's rule on its definition."""
    t = np.linspace(-10, 10, 4001)
    lead = (theta[a] - np.delete(theta, a)) / epsilon
    first = special.ndtr(t[:, None] + lead).prod(axis=1)
    return integrate.simpson(np.exp(-(t**2) / 2) * first, x=t)


@settings(max_examples=15)
@given(st.lists(st.floats(-1, 1), min_size=2, max_size=5), st.floats(0.3, 2))
def test_expected_directions_are_the_gradient_of_the_log_probability_of_the_mode(logits, epsilon):
    theta, step = np.array(logits), 1e-4
    found = CategoricalActor(theta).expected_directions(np.arange(len(theta)), epsilon)
    for a in range(len(theta)):
        numerical = [
            np.log(probability(theta + step * e, a, epsilon))
            - np.log(probability(theta - step * e, a, epsilon))
            for e in np.eye(len(theta))
        ]
        np.testing.assert_allclose(found[a] / epsilon, np.array(numerical) / (2 * step), atol=1e-5)
    np.testing.assert_allclose(found.sum(axis=1), 0, atol=1e-10)


@pytest.mark.parametrize("k", [2, 101])
def test_expected_directions_of_equal_logits_are_normal_order_statistics(k):
    found = CategoricalActor(np.zeros(k)).expected_directions(np.array([1.0]), 0.3)[0]
    density = lambda t: t * k * stats.norm.pdf(t) * stats.norm.cdf(t) ** (k - 1)  # noqa: E731
    largest = integrate.quad(density, -10, 10)[0]
    np.testing.assert_allclose(found[1], largest, rtol=1e-7)
    np.testing.assert_allclose(np.delete(found, 1), -largest / (k - 1), rtol=1e-6)


@settings(max_examples=25)
@given(
    st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=6),
    st.floats(1e-6, 1e6),
)
def test_expected_directions_are_finite_for_any_logits(logits, epsilon):
    actor = CategoricalActor(np.array(logits))
    found = actor.expected_directions(np.arange(len(logits)), epsilon)
    assert np.isfinite(found).all()
    assert (np.diag(found) >= -1e-9).all()  # the choice that came first was pushed up


BRANCHES = Space([{"x": stats.uniform(), "k": ["a", "b"]}, {"y": stats.norm()}])


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 3))
def test_perturbed_modes_are_the_modes_of_perturbed_policies(seed, epsilon):
    noise = epsilon * np.random.default_rng(seed).standard_normal((4, 8))
    policy = Policy.prior(BRANCHES)
    one_by_one = [policy.with_theta(policy.theta + row).mode_action() for row in noise]
    np.testing.assert_array_equal(policy.perturbed_modes(noise), one_by_one)
    directions = policy.expected_directions(policy.perturbed_modes(noise), epsilon)
    in_first = policy.perturbed_modes(noise)[:, 0] == 0
    assert not directions[in_first][:, 6:].any()  # the other branch was not looked at


# -- The page that the code cites ------------------------------------------------------


def test_the_code_cites_the_equations_of_the_mathematics_page_by_their_numbers():
    root = Path(__file__).parents[2]
    page = root / "doc" / "user_guide" / "policy_gradients.rst"
    if not page.exists():
        pytest.skip("the documentation is not here")
    labels = re.findall(r":label: ([a-z0-9-]+)", page.read_text())
    assert len(labels) == len(set(labels)) > 20
    cited = set()
    for file in [*(root / "skpg").rglob("*.py"), Path(__file__)]:
        for number, label in re.findall(r"[Ee]quation\s+(\d+)\s+\(([a-z-]+)\)", file.read_text()):
            assert labels.index(label) + 1 == int(number), (file.name, label)
            cited.add(label)
    assert {"optimal-baseline", "zeroth-order", "expected-direction", "natural-step"} <= cited
