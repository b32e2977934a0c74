"""Every learner on any space: no error, no warning, whatever the rewards are."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from skpg import Categorical, Ordinal, PolicyGradientOptimizer, logrange
from skpg.learners import ActorCritic, NaturalGradient, Reinforce, ZerothOrder
from skpg.policy.policy import Policy
from skpg.space.dimensions import Continuous
from skpg.space.features import numbers_and_choices
from skpg.space.space import Space

LEARNERS = [
    Reinforce(),
    ZerothOrder(),
    ZerothOrder(epsilon=1.0, baseline="optimal", antithetic=False),
    NaturalGradient(),
    ActorCritic(),
]
every_learner = pytest.mark.parametrize("learner", LEARNERS, ids=lambda rule: type(rule).__name__)

VALUES = st.one_of(
    st.just(stats.uniform()),
    st.just(stats.loguniform(1e-4, 1e4)),
    st.just(stats.norm(3, 2)),
    st.just(stats.randint(1, 4)),
    st.just(stats.randint(0, 10**6)),
    st.just(stats.poisson(3)),
    st.just([1, 2, 4, 8]),
    st.just(["u", "v"]),
    st.just(Categorical([3, 1, 2], probabilities=[0.7, 0.2, 0.1])),
    st.just(Ordinal(["none", "low", "high"])),
    st.just(Ordinal([(1,), None])),
    st.just(logrange(1, 50)),
    st.just(logrange(1, 10**9)),
    st.just([True, 1, 1.0, None, "1"]),
    st.just([None]),
    st.just([[("a", GaussianNB())], [("a", GaussianNB()), ("b", LogisticRegression())]]),
    st.just([GaussianNB(), LogisticRegression(), "passthrough"]),
)
DICTS = st.dictionaries(st.sampled_from("abcde"), VALUES, min_size=1, max_size=4)
SPACES = st.lists(DICTS, min_size=1, max_size=7).map(lambda d: d[0] if len(d) == 1 else d)
REWARDS = {
    "random": lambda rng, n: rng.standard_normal(n),
    "constant": lambda rng, n: np.zeros(n),
    "tied": lambda rng, n: rng.integers(3, size=n) / 10,
    "nan": lambda rng, n: np.where(rng.random(n) < 0.7, np.nan, rng.random(n)),
    "only nan": lambda rng, n: np.full(n, np.nan),
    "infinite": lambda rng, n: rng.choice([np.inf, -np.inf, np.nan, 1e300, -1e300, 0.0], n),
}


def search(space, learner, rewards, batches, seed):
    """Ask and tell; return the optimizer after checks that hold for each search."""
    rng = np.random.default_rng(seed)
    optimizer = PolicyGradientOptimizer(space, learner=learner, random_state=seed)
    optimizer.enqueue(Policy.prior(Space(space)).sample(2, seed))
    # of a Poisson distribution nearly all values are next to impossible
    inexhaustible = any(isinstance(d, Continuous) for d in optimizer.space.dimensions)
    keys = []
    for batch in batches:
        params = optimizer.ask(batch)
        assert len(params) == batch or not inexhaustible
        if not params:
            break
        keys += [optimizer.space.key(candidate) for candidate in params]
        optimizer.tell(params, REWARDS[rewards](rng, len(params)))
    assert len(set(keys)) == len(keys)  # nothing is proposed twice
    assert np.isfinite(optimizer.policy.theta).all()
    optimizer.space.key(optimizer.recommend())  # it lies in the space
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
    space=SPACES,
    learner=st.sampled_from(LEARNERS),
    rewards=st.sampled_from(sorted(REWARDS)),
    batches=st.lists(st.sampled_from([1, 2, 7, 10]), min_size=1, max_size=8),
    seed=st.integers(0, 2**32 - 1),
)


@CASES
@settings(max_examples=60)
def test_any_space_is_searched(space, learner, rewards, batches, seed):
    search(space, learner, rewards, batches, seed)


@pytest.mark.slow
@CASES
@settings(max_examples=2000, suppress_health_check=list(HealthCheck))
def test_two_thousand_spaces_are_searched(space, learner, rewards, batches, seed):
    search(space, learner, rewards, batches, seed)
