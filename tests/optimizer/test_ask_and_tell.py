"""Ask, tell, recommend."""

import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from threadpoolctl import ThreadpoolController

from skpg import Policy, PolicyGradientOptimizer, Space
from skpg.learners import ActorCritic, Learner, NaturalGradient, Reinforce, ZerothOrder
from tests.space.user_distributions import MOVED, OWN

MIXED = {"x": stats.uniform(), "n": stats.randint(0, 5), "k": ["a", "b"]}


def run(optimizer, batches=3, batch=4):
    asked = []
    for _ in range(batches):
        params = optimizer.ask(batch)
        optimizer.tell(params, [p["x"] for p in params])
        asked += params
    return asked


def test_a_seed_gives_the_same_candidates():
    first = run(PolicyGradientOptimizer(MIXED, random_state=7))
    assert first == run(PolicyGradientOptimizer(MIXED, random_state=7))
    assert first != run(PolicyGradientOptimizer(MIXED, random_state=8))


@pytest.mark.parametrize("make", [np.random.RandomState, np.random.default_rng])
def test_generators_are_accepted(make):
    first = run(PolicyGradientOptimizer(MIXED, random_state=make(0)))
    assert first == run(PolicyGradientOptimizer(MIXED, random_state=make(0)))


def test_the_global_random_state_is_neither_used_nor_changed():
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    first = run(PolicyGradientOptimizer(MIXED))
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    np.random.seed(0)
    assert first != run(PolicyGradientOptimizer(MIXED))


@pytest.mark.parametrize("learner", [None, Reinforce(), ZerothOrder()])
def test_a_pickled_optimizer_goes_on_the_same(learner):
    optimizer = PolicyGradientOptimizer(MIXED, learner=learner, random_state=0)
    run(optimizer)
    optimizer.ask(2)  # pending ones are part of the state
    copy = pickle.loads(pickle.dumps(optimizer))
    assert run(optimizer) == run(copy)


FINITE = st.dictionaries(
    st.sampled_from("abcd"),
    st.one_of(
        st.lists(st.integers(0, 9), min_size=1, max_size=4),
        st.just(stats.randint(0, 4)),
        st.just(stats.binom(3, 0.01)),
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=20)
@given(
    st.one_of(FINITE, st.lists(FINITE, min_size=1, max_size=2)),
    st.integers(1, 7),
    st.sampled_from([ActorCritic(), ZerothOrder()]),
)
def test_a_finite_space_is_searched_once_and_wholly(space, batch, learner):
    optimizer = PolicyGradientOptimizer(space, learner=learner, random_state=0)
    asked = []
    while params := optimizer.ask(batch):
        asked += params
        optimizer.tell(params, [sum(p.values()) for p in params])
    keys = [optimizer.space.key(p) for p in asked]
    every = optimizer.space.keys(optimizer.space.grid())
    assert len(keys) == len(set(keys))
    assert set(keys) == set(every)


@pytest.mark.filterwarnings("ignore:Infinite rewards count as failures")
@given(
    st.lists(
        st.lists(st.one_of(st.floats(), st.floats(0, 1)), min_size=1, max_size=6),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from([Reinforce(), ZerothOrder(), NaturalGradient(), ActorCritic()]),
)
def test_any_rewards_leave_a_finite_policy_and_new_candidates(batches, learner):
    optimizer = PolicyGradientOptimizer(MIXED, learner=learner, random_state=0)
    for rewards in batches:
        params = optimizer.ask(len(rewards))
        optimizer.tell(params, rewards)
        assert np.isfinite(optimizer.policy.theta).all()
    assert len(optimizer.ask(5)) == 5
    optimizer.recommend()


@pytest.mark.parametrize("learner", [Reinforce(), ZerothOrder(), NaturalGradient(), ActorCritic()])
@pytest.mark.parametrize("infinite", [np.inf, -np.inf, np.float32("inf")])
def test_infinite_rewards_are_failures_with_a_warning_that_names_the_candidates(infinite, learner):
    space = {"x": stats.uniform(), "k": ["a", "b"]}
    pair = [PolicyGradientOptimizer(space, learner=learner, random_state=0) for _ in range(2)]
    for optimizer, failed in zip(pair, (infinite, np.nan), strict=True):
        params = optimizer.ask(10)
        rewards = [failed if p["k"] == "b" else p["x"] for p in params]
        named = ", ".join(f"{infinite} of {p!r}" for p in params if p["k"] == "b")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            optimizer.tell(params, rewards)
        expected = [f"Infinite rewards count as failures, as nan does: {named}."]
        assert [str(w.message) for w in caught] == ([] if np.isnan(failed) else expected)
        assert all(w.filename == __file__ for w in caught)
    first, second = pair
    np.testing.assert_array_equal(first.memory.rewards, second.memory.rewards)
    np.testing.assert_array_equal(first.policy.theta, second.policy.theta)
    assert first.ask(10) == second.ask(10)


def test_candidates_that_wait_for_rewards_are_not_asked_again():
    optimizer = PolicyGradientOptimizer({"n": stats.randint(0, 10)}, random_state=0)
    first, second = optimizer.ask(4), optimizer.ask(4)
    assert len({p["n"] for p in first + second}) == 8
    optimizer.tell(second, [1.0] * 4)
    optimizer.tell(first, [0.0] * 4)
    assert optimizer.memory.updates.tolist() == [0] * 4 + [1] * 4
    assert len(optimizer.ask(4)) == 2
    assert optimizer.ask(4) == []


def test_the_drawn_action_is_learned_from_not_the_rounded_value():
    optimizer = PolicyGradientOptimizer({"n": stats.randint(0, 3)}, random_state=0)
    params = optimizer.ask(3)
    optimizer.tell(params, [0.0, 1.0, 2.0])
    drawn = optimizer.memory.actions
    assert optimizer.space.decode(drawn) == params
    assert not np.allclose(drawn, optimizer.space.encode(params))


def test_candidates_from_outside_may_be_told():
    optimizer = PolicyGradientOptimizer(MIXED, random_state=0)
    known = [{"x": 0.25, "n": 3, "k": "b"}, {"x": 0.5, "n": 1, "k": "a"}]
    optimizer.tell(known, [1.0, 0.0])
    assert optimizer.space.decode(optimizer.memory.actions) == [
        {"x": pytest.approx(0.25), "n": 3, "k": "b"},
        {"x": pytest.approx(0.5), "n": 1, "k": "a"},
    ]


def test_told_candidates_are_not_asked():
    optimizer = PolicyGradientOptimizer({"k": ["a", "b", "c"]}, random_state=0)
    optimizer.tell([{"k": "b"}], [1.0])
    assert sorted(p["k"] for p in optimizer.ask(5)) == ["a", "c"]


def test_queued_candidates_come_first_and_once():
    optimizer = PolicyGradientOptimizer({"k": list("abcd")}, random_state=0)
    optimizer.enqueue([{"k": "d"}, {"k": "b"}, {"k": "d"}])
    assert optimizer.ask(1) == [{"k": "d"}]
    second = optimizer.ask(2)
    assert second[0] == {"k": "b"}
    assert second[1]["k"] in "ac"


@pytest.mark.parametrize(
    ("entry", "given", "asked"),
    [
        (stats.randint(1, 31), 15.0, 15),
        (stats.uniform(0.3, 0.6), 0.9, 0.3 + 0.6),
        (stats.uniform(0, 2), 1, 1.0),
        ([True, False], np.float64(1), True),
        ([(32,), (64,)], [64], (64,)),
        ([float("nan"), 1.0], 1, 1.0),
        pytest.param([1, 10**400, 3], 10**400, 10**400, id="no float"),
    ],
)
def test_values_that_lost_their_types_are_queued_and_told_as_the_space_has_them(
    entry, given, asked
):
    optimizer = PolicyGradientOptimizer({"x": entry}, learner=NaturalGradient(), random_state=0)
    optimizer.enqueue([{"x": given}])
    (first,) = optimizer.ask(1)
    assert first == {"x": asked}
    assert type(first["x"]) is type(asked)
    optimizer.tell([{"x": given}], [1.0])  # the same candidate, which waits no longer
    assert len(optimizer._pending_actions()) == 0
    assert optimizer.space.key(first) not in map(optimizer.space.key, optimizer.ask(3))
    other = PolicyGradientOptimizer({"x": entry}, random_state=0)
    other.tell([{"x": given}], [1.0])
    assert other.space.decode(other.memory.actions) == [{"x": pytest.approx(asked)}]


def test_a_queue_takes_all_or_nothing():
    optimizer = PolicyGradientOptimizer(MIXED, random_state=0)
    expected = PolicyGradientOptimizer(MIXED, random_state=0).ask(2)
    good = {"x": 0.5, "n": 1, "k": "a"}
    with pytest.raises(ValueError, match="not in the space"):
        optimizer.enqueue([good, {**good, "k": "z"}])
    assert optimizer.ask(2) == expected


@pytest.mark.parametrize("method", ["enqueue", "expect", "tell"])
@pytest.mark.parametrize(
    ("params", "words"),
    [
        (None, "params must be a list, got None of type NoneType"),
        ({"x": 0.5, "n": 1, "k": "a"}, "params must be a list, got {'x': 0.5"),
        ([None], "must be a dict from names of hyperparameters to values, got None"),
        (["x"], "must be a dict from names of hyperparameters to values, got 'x' of type str"),
    ],
)
def test_candidates_that_are_no_dicts_are_refused(method, params, words):
    optimizer = PolicyGradientOptimizer(MIXED, random_state=0)
    rewards = ([1.0],) if method == "tell" else ()
    with pytest.raises(TypeError, match=words):
        getattr(optimizer, method)(params, *rewards)


def test_wrong_use_is_refused():
    optimizer = PolicyGradientOptimizer(MIXED, random_state=0)
    params = optimizer.ask(2)
    with pytest.raises(ValueError, match="2 candidates and 1 rewards"):
        optimizer.tell(params, [1.0])
    with pytest.raises(ValueError, match="'z'.*not among the choices"):
        optimizer.tell([{"x": 0.5, "n": 1, "k": "z"}], [1.0])
    with pytest.raises(ValueError, match="not in the space"):
        optimizer.enqueue([{"x": 0.5, "z": 1}])
    for n in (0, 2.0):
        with pytest.raises(ValueError, match=f"n must be an integer of at least 1, got {n}"):
            optimizer.ask(n)
    with pytest.raises(TypeError, match="rewards must be numbers.* got None"):
        optimizer.tell(params, [1.0, None])
    with pytest.raises(TypeError, match="learner must be .* got 'adam'"):
        PolicyGradientOptimizer(MIXED, learner="adam")
    with pytest.raises(TypeError, match="rewards must be a list, got 1.0 of type float"):
        optimizer.tell(params, 1.0)
    with pytest.raises(TypeError, match="random_state must be an int.* got 'seed'"):
        PolicyGradientOptimizer(MIXED, random_state="seed")
    with pytest.raises(ValueError, match="random_state must be an int.* got -1"):
        PolicyGradientOptimizer(MIXED, random_state=-1)
    optimizer.tell([], [])
    assert len(optimizer.memory) == 0


class Noting(Learner):
    """Notes what it is told to be in flight."""

    def __init__(self):
        self.proposing, self.updating = [], []

    def propose(self, state, memory, n, rng, admissible):
        self.proposing.append(memory.pending)
        return super().propose(state, memory, n, rng, admissible)

    def update(self, state, memory, rng):
        self.updating.append(memory.pending)
        return state


def test_learners_are_told_what_is_in_flight():
    learner = Noting()
    optimizer = PolicyGradientOptimizer(MIXED, learner=learner, random_state=0)
    first, (second,) = optimizer.ask(2), optimizer.ask(1)
    optimizer.tell(first[:1], [1.0])
    optimizer.ask(1)

    def known(actions):
        return optimizer.space.decode(actions)

    assert [known(actions) for actions in learner.proposing] == [[], first, [first[1], second]]
    assert [known(actions) for actions in learner.updating] == [[first[1], second]]


def test_a_learner_that_ignores_what_was_asked_proposes_nothing_twice():
    class Stubborn(Learner):
        def update(self, state, memory, rng):
            return state

        def propose(self, state, memory, n, rng, admissible):
            return state.space.encode(n * [{"x": 0.5, "n": 1, "k": "a"}])

    optimizer = PolicyGradientOptimizer(MIXED, learner=Stubborn(), random_state=0)
    asked = optimizer.ask(3) + optimizer.ask(3)
    assert asked[0] == {"x": 0.5, "n": 1, "k": "a"}
    assert len({optimizer.space.key(params) for params in asked}) == 6


def test_what_is_expected_is_neither_proposed_nor_waited_for():
    space = {"a": list(range(6))}
    optimizer = PolicyGradientOptimizer(space, learner=NaturalGradient(), random_state=0)
    lost = optimizer.ask(2)
    elsewhere = [{"a": a} for a in range(6) if {"a": a} not in lost][:2]
    optimizer.expect(elsewhere)
    assert optimizer.space.decode(optimizer._pending_actions()) == elsewhere
    others = optimizer.ask(6)
    assert len(others) == 2
    assert not [params for params in others if params in lost + elsewhere]
    with pytest.raises(ValueError, match="not in the space"):
        optimizer.expect([{"a": 99}])


def test_one_blas_thread_whatever_the_caller_allows():
    # more would wait for each other beside evaluations, and may change the last digits
    blas = ThreadpoolController().select(user_api="blas")
    if not blas.lib_controllers:
        pytest.skip("this BLAS cannot be limited")
    seen = []

    class Spy(ActorCritic):
        def update(self, *arguments):
            seen.append({library["num_threads"] for library in blas.info()})
            return super().update(*arguments)

        def propose(self, *arguments):
            seen.append({library["num_threads"] for library in blas.info()})
            return super().propose(*arguments)

    with blas.limit(limits=2):
        allowed = {library["num_threads"] for library in blas.info()}
        optimizer = PolicyGradientOptimizer({"x": stats.uniform()}, learner=Spy(), random_state=0)
        optimizer.tell(optimizer.ask(3), [1.0, 2.0, 3.0])
        assert seen == [{1}, {1}]
        assert {library["num_threads"] for library in blas.info()} == allowed


@pytest.mark.parametrize("distribution", OWN + MOVED)
def test_any_distribution_is_searched(distribution):
    """A candidate of one's own first, told rewards, and again after pickling."""
    known = Policy.prior(Space({"x": distribution})).sample(1, 7)[0]["x"]
    optimizer = PolicyGradientOptimizer({"x": distribution, "k": ["a", "b"]}, random_state=0)
    optimizer.enqueue([{"x": known, "k": "b"}])
    for _ in range(4):
        params = optimizer.ask(5)
        optimizer.tell(params, [p["x"] for p in params])
        optimizer = pickle.loads(pickle.dumps(optimizer))
    asked = optimizer.space.decode(optimizer.memory.actions)
    assert asked[0] == {"x": pytest.approx(known), "k": "b"}
    assert len(set(map(str, asked))) == len(asked)
    assert optimizer.recommend()["x"] >= np.median([p["x"] for p in asked])
