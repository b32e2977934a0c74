"""Every learner on any space: no error, no warning, whatever the rewards are."""

import contextlib
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from skpg import PolicyGradientOptimizer
from skpg.admission import LARGEST_GRID
from skpg.learners import ActorCritic, NaturalGradient, Reinforce, ZerothOrder
from skpg.policy.policy import Policy
from skpg.space.dimensions import Continuous
from skpg.space.features import numbers_and_choices
from skpg.space.space import Space
from tests.space.native import check_native
from tests.space.strategies import ANY_SPACES

LEARNERS = [
    Reinforce(),
    ZerothOrder(),
    ZerothOrder(epsilon=1.0, baseline="optimal", antithetic=False),
    NaturalGradient(),
    ActorCritic(),
]
every_learner = pytest.mark.parametrize("learner", LEARNERS, ids=lambda rule: type(rule).__name__)

REWARDS = {
    "random": lambda rng, n: rng.standard_normal(n),
    "constant": lambda rng, n: np.zeros(n),
    "tied": lambda rng, n: rng.integers(3, size=n) / 10,
    "nan": lambda rng, n: np.where(rng.random(n) < 0.7, np.nan, rng.random(n)),
    "only nan": lambda rng, n: np.full(n, np.nan),
    "infinite": lambda rng, n: rng.choice([np.inf, -np.inf, np.nan, 1e300, -1e300, 0.0], n),
}


def two_thirds(space):
    """Return a constraint that refuses a third of the candidates, without any pattern."""
    return lambda params: zlib.crc32(space.key(params)) % 3 > 0


def tell(optimizer, params, rewards):
    """Tell rewards; those that are infinite are announced."""
    infinite = np.isinf(rewards).any()
    expected = pytest.warns(UserWarning, match="Infinite rewards count as failures")
    with expected if infinite else contextlib.nullcontext():
        optimizer.tell(params, rewards)


def is_endless(space):
    """Whether draws of a hyperparameter do not repeat; those of users' own ones may have steps."""
    actions = Policy.prior(space).sample_actions(300, np.random.default_rng(0))
    columns = [c[~np.isnan(c)] for c in space.resolve(actions).T]
    return any(
        isinstance(d, Continuous) and len(np.unique(column)) > 0.9 * len(column)
        for d, column in zip(space.dimensions, columns, strict=True)
    )


def check_end(optimizer, params, batch, keys):
    """Fewer candidates than wanted are proposed only where no others are left."""
    space, allows = optimizer.space, optimizer.constraint or (lambda params: True)
    if len(params) < batch:
        assert not is_endless(space)
    # else nearly all values may be next to impossible, as those of a Poisson distribution
    if len(params) < batch and space.size <= LARGEST_GRID:
        every = [params for params in space.decode(space.grid()) if allows(params)]
        assert set(keys) == {space.key(candidate) for candidate in every}


def search(space, learner, rewards, batches, seed, constrained=False):
    """Ask and tell; return the optimizer after checks that hold for each search."""
    rng, space = np.random.default_rng(seed), Space(space)
    constraint = two_thirds(space) if constrained else None
    optimizer = PolicyGradientOptimizer(
        space, learner=learner, constraint=constraint, random_state=seed
    )
    drawn = Policy.prior(space).sample(2, seed)
    optimizer.enqueue(filter(constraint, drawn) if constraint else drawn)
    keys = []
    for batch in batches:
        params = optimizer.ask(batch)
        keys += [space.key(candidate) for candidate in params]
        check_end(optimizer, params, batch, keys)
        if not params:
            break
        for candidate in params:
            check_native(space, candidate)
            assert constraint is None or constraint(candidate)
        tell(optimizer, params, REWARDS[rewards](rng, len(params)))
    assert len(set(keys)) == len(keys)  # nothing is proposed twice
    assert np.isfinite(optimizer.policy.theta).all()
    assert not np.isinf(optimizer.memory.rewards).any()
    space.key(optimizer.recommend())  # it lies in the space
    assert repr(optimizer.policy)
    return optimizer


def dicts(n, shared):
    """Return `n` dicts with one name in common, or all names."""
    own = ["a"] * n if shared else list("abcdefg")
    nested = [[("m", GaussianNB())], [("m", LogisticRegression()), ("n", GaussianNB())]]
    spaces = [{own[k]: ["u", "v"], "steps": nested, "x": stats.uniform(k, 1)} for k in range(n)]
    return spaces if n > 1 else spaces[0]


@every_learner
@pytest.mark.parametrize("batch", [1, 7, 10])
@pytest.mark.parametrize("shared", [True, False], ids=["shared names", "own names"])
@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_lists_of_dicts_are_searched(n, shared, batch, learner):
    for seed in range(2):
        optimizer = search(dicts(n, shared), learner, "random", 60 // batch * [batch], seed)
        assert len(optimizer.memory) == 60 // batch * batch


@pytest.mark.parametrize("n", [3, 6])
def test_the_number_of_a_dict_is_no_quantity(n):
    """Without an order of the dicts: neither for the critic nor for a recommendation."""
    space = Space(dicts(n, shared=False))
    branch = space.dimensions[0]
    assert branch.choices == tuple(range(n))
    assert not branch.ordered
    numeric, nominal = numbers_and_choices(
        space, Policy.prior(space).sample_actions(5, np.random.default_rng(0))
    )
    assert numeric.shape == (5, n)  # the x of each dict
    assert nominal.shape == (5, 1 + n + 1)  # the dict, a list of each, the steps of all


def test_an_active_hyperparameter_without_value_is_an_error():
    space = Space(dicts(2, shared=False))
    action = np.full((1, len(space.dimensions)), np.nan)
    action[0, 0] = 1
    with pytest.raises(ValueError, match="'steps' has no value at the action nan"):
        space.decode(action)


CASES = given(
    space=ANY_SPACES,
    learner=st.sampled_from(LEARNERS),
    rewards=st.sampled_from(sorted(REWARDS)),
    batches=st.one_of(
        st.lists(st.sampled_from([1, 2, 7, 10]), min_size=1, max_size=8), st.just(50 * [1])
    ),
    seed=st.integers(0, 2**32 - 1),
    constrained=st.booleans(),
)


def search_unless_nothing_is_allowed(space, constrained, **options):
    parsed = Space(space)
    if constrained and parsed.size <= LARGEST_GRID:
        every = parsed.decode(parsed.grid())
        constrained = any(map(two_thirds(parsed), every))
    search(space, constrained=constrained, **options)


@CASES
@settings(max_examples=60)
def test_any_space_is_searched(**case):
    search_unless_nothing_is_allowed(**case)


@pytest.mark.slow
@pytest.mark.long
@CASES
@settings(max_examples=2000, suppress_health_check=list(HealthCheck))
def test_two_thousand_spaces_are_searched(**case):
    search_unless_nothing_is_allowed(**case)
