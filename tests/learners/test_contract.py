"""The contract of every learner, and that learners learn."""

import dataclasses
import pickle

import numpy as np
import pytest
from scipy import stats

from skpg import PolicyGradientOptimizer
from skpg.learners import (
    ActorCritic,
    Learner,
    Memory,
    NaturalGradient,
    Reinforce,
    ZerothOrder,
)
from skpg.policy.policy import Policy
from skpg.space.space import Space

LEARNERS = [
    Reinforce(),
    Reinforce(baseline="optimal", normalize=False),
    ZerothOrder(),
    ZerothOrder(epsilon=1.0, baseline="optimal", antithetic=False),
    ZerothOrder(baseline=None, normalize=False),
    NaturalGradient(),
    ActorCritic(),
]
every_learner = pytest.mark.parametrize("learner", LEARNERS, ids=repr)
MIXED = {
    "x": stats.uniform(0, 100),
    "n": stats.randint(0, 50),
    "k": ["a", "b", "c", "d"],
    "ordered": [1, 2, 4, 8],
}
BRANCHES = [{"x": stats.uniform(), "k": ["a", "b"]}, {"y": stats.norm()}]


def memory_of(space, rewards, seed=0):
    actions = Policy.prior(space).sample_actions(len(rewards), np.random.default_rng(seed))
    updates = np.zeros(len(rewards), dtype=np.intp)
    return Memory(actions, np.asarray(rewards, dtype=float), updates, actions[:0])


@every_learner
@pytest.mark.parametrize("space", [MIXED, BRANCHES], ids=["dict", "list of dicts"])
@pytest.mark.parametrize(
    "rewards",
    [
        [1.0],
        [np.nan],
        [1.0] * 10,
        [np.nan] * 10,
        [*range(9), np.nan],
        [1e300, -1e300, 0.0, np.inf, -np.inf, 1e-300],
        list(np.random.default_rng(0).standard_normal(40)),
    ],
    ids=["one", "one failed", "constant", "all failed", "a failed one", "extremes", "many"],
)
def test_updates_are_finite_and_pure(learner, space, rewards):
    space = Space(space)
    state, memory = learner.init(space), memory_of(space, rewards)
    before = state.policy.theta.copy(), memory.actions.copy(), memory.rewards.copy()
    first = learner.update(state, memory, np.random.default_rng(1)).policy
    second = learner.update(state, memory, np.random.default_rng(1)).policy
    assert np.isfinite(first.theta).all()
    np.testing.assert_array_equal(first.theta, second.theta)
    for array, kept in zip(
        (state.policy.theta, memory.actions, memory.rewards), before, strict=True
    ):
        np.testing.assert_array_equal(array, kept)


@every_learner
def test_learners_are_immutable_values(learner):
    assert pickle.loads(pickle.dumps(learner)) == learner
    assert hash(learner) == hash(dataclasses.replace(learner))
    with pytest.raises(dataclasses.FrozenInstanceError):
        learner.anything = 1


@every_learner
@pytest.mark.parametrize("batch", [1, 3, 10, 64])
def test_any_batch_size_runs(learner, batch):
    optimizer = PolicyGradientOptimizer(MIXED, learner=learner, random_state=0)
    for _ in range(4):
        params = optimizer.ask(batch)
        assert len(params) == batch
        optimizer.tell(params, [p["x"] for p in params])
    assert optimizer.space.key(optimizer.recommend())  # it lies in the space


def regret(learner, seed, batch=10, budget=250):
    rng = np.random.default_rng([seed, 1])
    x, n, k = rng.uniform(0, 100), rng.integers(50), "abcd"[rng.integers(4)]
    optimizer = PolicyGradientOptimizer(
        {name: MIXED[name] for name in ("x", "n", "k")}, learner=learner, random_state=seed
    )

    def reward(p):
        return -(((p["x"] - x) / 100) ** 2) - ((p["n"] - n) / 50) ** 2 - (p["k"] != k)

    for _ in range(budget // batch):
        params = optimizer.ask(batch)
        optimizer.tell(params, [reward(p) for p in params])
    return -reward(optimizer.recommend())


def test_the_natural_gradient_finds_a_known_optimum_over_ten_seeds():
    regrets = [regret(NaturalGradient(), seed) for seed in range(10)]
    assert np.median(regrets) < 1e-4
    assert max(regrets) < 0.01


def test_reinforce_improves_on_the_prior_over_ten_seeds():
    """The article's method is slow: what counts is that it moves the right way."""
    before = [regret(Reinforce(), seed, budget=0) for seed in range(10)]
    after = [regret(Reinforce(), seed, budget=250) for seed in range(10)]
    assert np.mean(after) < 0.5 * np.mean(before)


def test_the_second_road_improves_on_the_prior_over_ten_seeds():
    before = [regret(ZerothOrder(), seed, budget=0) for seed in range(10)]
    after = [regret(ZerothOrder(), seed, budget=250) for seed in range(10)]
    assert np.mean(after) < 0.2 * np.mean(before)


@pytest.mark.parametrize("batch", [1, 5, 25])
def test_the_natural_gradient_learns_at_any_batch_size(batch):
    regrets = [regret(NaturalGradient(), seed, batch=batch) for seed in range(5)]
    assert np.median(regrets) < 0.01


@every_learner
def test_a_learner_avoids_what_fails(learner):
    optimizer = PolicyGradientOptimizer(
        {"k": ["good", "bad"], "x": stats.uniform()}, learner=learner, random_state=0
    )
    for _ in range(20):
        params = optimizer.ask(10)
        optimizer.tell(params, [np.nan if p["k"] == "bad" else p["x"] for p in params])
    assert optimizer.policy.mode()["k"] == "good"


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


def test_a_list_starts_at_minus_log_k():
    prior = Policy.prior(Space({"k": list("abcde")}))
    np.testing.assert_allclose(prior.actors[0].logits, -np.log(5))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Reinforce(learning_rate=0), "learning_rate must be a positive number, got 0"),
        (lambda: Reinforce(learning_rate="fast"), "learning_rate must be a positive number"),
        (lambda: Reinforce(baseline="median"), "baseline must be .*'median'"),
        (lambda: ZerothOrder(epsilon=0), "epsilon must be a positive number, got 0"),
        (lambda: ZerothOrder(learning_rate=-0.1), "learning_rate must be a positive number"),
        (lambda: ZerothOrder(baseline="mean"), "baseline must be .*'current'.* got 'mean'"),
        (lambda: NaturalGradient(mean_step=-1), "mean_step must be a positive number, got -1"),
        (lambda: NaturalGradient(window=1), "window must be at least 2, got 1"),
        (lambda: NaturalGradient(window=2.5), "window must be an integer, got 2.5"),
        (lambda: NaturalGradient(window="10"), "window must be an integer, got '10'"),
        (lambda: NaturalGradient(scale_step=np.nan), "scale_step must be a positive number"),
        (lambda: Reinforce(learning_rate=np.inf), "learning_rate must be a positive number"),
        (lambda: Reinforce(learning_rate=True), "learning_rate must be a positive number"),
        (lambda: Reinforce(learning_rate=10**400), "learning_rate must be a positive number"),
        (lambda: Reinforce(normalize="no"), "normalize must be True or False, got 'no'"),
        (lambda: ZerothOrder(epsilon=None), "epsilon must be a positive number, got None"),
        (lambda: ZerothOrder(antithetic=2), "antithetic must be True or False, got 2"),
        (lambda: ZerothOrder(normalize=None), "normalize must be True or False, got None"),
    ],
)
def test_bad_settings_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_a_learner_of_ones_own_needs_update_only():
    @dataclasses.dataclass(frozen=True)
    class Stay(Learner):
        def update(self, state, memory, rng):
            return state

    optimizer = PolicyGradientOptimizer({"x": stats.uniform()}, learner=Stay(), random_state=0)
    params = optimizer.ask(5)
    optimizer.tell(params, [1.0] * 5)
    np.testing.assert_array_equal(optimizer.policy.theta, [0, 0])
