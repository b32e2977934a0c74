"""The contract of every learner."""

import dataclasses
import pickle

import numpy as np
import pytest
from scipy import stats

from skpg import PolicyGradientOptimizer
from skpg.learners import ActorCritic, Learner, Memory, NaturalGradient, Reinforce, ZerothOrder
from skpg.policy.policy import Policy
from skpg.space.space import Space
from tests.learners.problems import MIXED

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


@every_learner
def test_a_learner_avoids_what_fails(learner):
    optimizer = PolicyGradientOptimizer(
        {"k": ["good", "bad"], "x": stats.uniform()}, learner=learner, random_state=0
    )
    for _ in range(20):
        params = optimizer.ask(10)
        optimizer.tell(params, [np.nan if p["k"] == "bad" else p["x"] for p in params])
    assert optimizer.policy.mode()["k"] == "good"


def test_a_learner_of_ones_own_needs_update_only():
    @dataclasses.dataclass(frozen=True)
    class Stay(Learner):
        def update(self, state, memory, rng):
            return state

    optimizer = PolicyGradientOptimizer({"x": stats.uniform()}, learner=Stay(), random_state=0)
    params = optimizer.ask(5)
    optimizer.tell(params, [1.0] * 5)
    np.testing.assert_array_equal(optimizer.policy.theta, [0, 0])
