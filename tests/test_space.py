"""Spaces: what may be passed, what comes out, encode and decode as inverses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.tree import DecisionTreeClassifier

from skpg._space import Space
from skpg.policy.policy import Policy
from skpg.space.features import numbers_and_choices

CONTINUOUS = st.sampled_from(
    [
        stats.uniform(0, 1),
        stats.uniform(-5, 3),
        stats.loguniform(1e-6, 1e3),
        stats.norm(10, 2),
        stats.expon(scale=100),
        stats.beta(0.5, 0.5),
        stats.truncnorm(-1, 2),
    ]
)
DISCRETE = st.sampled_from(
    [
        stats.randint(1, 31),
        stats.randint(-3, 1),
        stats.randint(0, 10**9),
        stats.binom(20, 0.3),
        stats.poisson(4),
        stats.geom(0.2),
        stats.rv_discrete(values=([1, 2, 8], [0.2, 0.5, 0.3])),
    ]
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=3)
)
LISTS = st.lists(st.one_of(SCALARS, st.tuples(SCALARS, SCALARS)), min_size=1, max_size=6)
DICTS = st.dictionaries(
    st.text("abcd", min_size=1), st.one_of(CONTINUOUS, DISCRETE, LISTS), min_size=1, max_size=5
)
SPACES = st.one_of(DICTS, st.lists(DICTS, min_size=1, max_size=3))


@given(SPACES, st.integers(0, 2**32))
def test_decode_inverts_encode(param_distributions, seed):
    space = Space(param_distributions)
    policy = Policy.prior(space)
    params = policy.sample(20, seed)
    again = space.decode(space.encode(params))
    for before, after in zip(params, again, strict=True):
        assert list(before) == list(after)
        for name, value in before.items():
            if isinstance(value, float):
                assert after[name] == pytest.approx(value, rel=1e-9, abs=1e-12)
            else:
                assert after[name] == value
                assert type(after[name]) is type(value)


@given(SPACES, st.integers(0, 2**32))
def test_candidates_have_the_keys_of_their_actions(param_distributions, seed):
    space = Space(param_distributions)
    actions = Policy.prior(space).sample_actions(20, np.random.default_rng(seed))
    params = space.decode(actions)
    keys = space.keys(actions)
    assert [space.key(candidate) for candidate in params] == keys
    for i in range(20):
        for j in range(i):
            same = params[i] == params[j] and repr(params[i]) == repr(params[j])
            assert (keys[i] == keys[j]) == same


def test_a_candidate_of_two_branches_has_one_key():
    space = Space([{"a": [1, 2]}, {"a": [2, 3]}])
    assert len(set(space.keys(space.grid()))) == 3


@given(SPACES, st.integers(0, 2**32))
def test_features_lie_in_the_unit_interval(param_distributions, seed):
    space = Space(param_distributions)
    actions = Policy.prior(space).sample_actions(20, np.random.default_rng(seed))
    numeric, nominal = numbers_and_choices(space, actions)
    assert numeric.shape[1] + nominal.shape[1] == len(space.dimensions)
    assert ((numeric >= 0) & (numeric <= 1)).all()
    assert (nominal >= -1).all()


@pytest.mark.parametrize(
    "distribution",
    [
        stats.uniform(2, 3),
        stats.loguniform(1e-3, 1e3),
        stats.norm(1, 2),
        stats.randint(1, 11),
        stats.binom(20, 0.3),
        stats.poisson(4),
    ],
    ids=lambda d: d.dist.name,
)
def test_prior_draws_follow_the_users_distribution(distribution):
    values = [params["x"] for params in Policy.prior(Space({"x": distribution})).sample(4000, 0)]
    if hasattr(distribution, "pmf"):
        atoms, counts = np.unique(values, return_counts=True)
        expected = distribution.pmf(atoms) * len(values)
        assert (np.abs(counts - expected) < 5 * np.sqrt(expected) + 5).all()
    else:
        assert stats.kstest(values, distribution.cdf).pvalue > 1e-3


def test_native_values_come_out():
    space = Space(
        {
            "i": stats.randint(1, 5),
            "f": stats.uniform(),
            "array": np.arange(3),
            "floats": np.linspace(0, 1, 3),
            "strings": np.array(["a", "b"]),
            "numpy": (np.float32(2), np.float32(3)),
        }
    )
    params = Policy.prior(space).sample(1, 0)[0]
    types = {name: type(value) for name, value in params.items()}
    assert types == {
        "i": int,
        "f": float,
        "array": int,
        "floats": float,
        "strings": str,
        "numpy": np.float32,  # the very object of the user's list
    }


def test_choices_are_the_very_objects_of_the_list():
    tree, array, function = DecisionTreeClassifier(), np.zeros(3), np.log1p
    choices = [tree, array, function, (1, 2), None, {"a": [1]}]
    space = Space({"x": choices})
    for index, params in enumerate(space.decode(space.grid())):
        assert params["x"] is choices[index]
        assert space.identify(params)[0] == index


def test_one_true_and_one_point_zero_are_three_choices():
    space = Space({"x": [1, True, 1.0]})
    assert space.size == 3
    assert [space.identify({"x": value})[0] for value in (1, True, 1.0)] == [0, 1, 2]


def test_a_repeated_choice_is_more_likely():
    space = Space({"x": ["a", "b", "a", "a"]})
    assert space.size == 2
    assert space.dimensions[0].weights.tolist() == [0.75, 0.25]


def test_size_counts_distinct_candidates():
    assert Space({"a": [1, 2, 3], "b": stats.randint(0, 5)}).size == 15
    assert Space([{"a": [1, 2]}, {"b": [1, 2, 3], "c": [1, 2]}]).size == 8
    assert Space({"a": [1, 2], "b": stats.uniform()}).size == np.inf
    assert Space({"a": stats.rv_discrete(values=([1, 5], [0.5, 0.5]))}).size == 2


def test_grid_lists_each_candidate_once():
    space = Space([{"a": [1, 2], "b": stats.randint(0, 3)}, {"c": ["x", "y"]}])
    params = space.decode(space.grid())
    assert len(params) == space.size == 8
    assert {"a": 2, "b": 1} in params
    assert {"c": "y"} in params


def test_branches_give_only_their_own_names():
    space = Space([{"a": [1], "k": ["p"]}, {"b": stats.uniform(), "k": ["q"]}])
    drawn = Policy.prior(space).sample(50, 0)
    assert {tuple(params) for params in drawn} == {("a", "k"), ("b", "k")}
    assert all(params["k"] == ("p" if "a" in params else "q") for params in drawn)


def test_an_empty_dict_among_others_is_the_estimator_as_it_is():
    space = Space([{"a": [1, 2]}, {}])
    assert sorted(map(str, space.decode(space.grid()))) == ["{'a': 1}", "{'a': 2}", "{}"]
    assert space.decode(space.encode([{}])) == [{}]


def test_equal_but_different_objects_are_told_apart_by_identity():
    lists = [[1, 2], [1, 2], [3]]
    space = Space({"knots": lists})
    assert [space.identify({"knots": knots})[0] for knots in lists] == [0, 1, 2]
    assert space.identify({"knots": [3]})[0] == 2


def test_same_names_in_two_branches_are_told_apart_by_values():
    space = Space([{"k": ["p"], "c": stats.uniform(0, 1)}, {"k": ["p"], "c": stats.uniform(1, 1)}])
    assert space.identify({"k": "p", "c": 0.5})[0] == 0
    assert space.identify({"k": "p", "c": 1.5})[0] == 1


@pytest.mark.parametrize("z", [-40.0, -8.5, 8.5, 40.0])
def test_bounds_are_never_crossed(z):
    space = Space({"u": stats.uniform(0.1, 0.2), "l": stats.loguniform(1e-3, 1)})
    params = space.decode(np.array([[z, z]]))[0]
    assert 0.1 <= params["u"] <= 0.1 + 0.2
    assert 1e-3 <= params["l"] <= 1


def test_upper_tails_keep_their_precision():
    space = Space({"x": stats.norm()})
    assert space.decode(np.array([[7.5]]))[0]["x"] == pytest.approx(7.5, rel=1e-12)
    assert space.encode([{"x": 7.5}])[0, 0] == pytest.approx(7.5, rel=1e-12)


def test_ordered_lists_are_features_by_rank():
    space = Space({"x": [100, 1, 10], "two": [1, 2], "mixed": [1, 2, "auto"]})
    numeric, nominal = numbers_and_choices(space, np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 0.0]]))
    np.testing.assert_allclose(numeric, [[5 / 6], [1 / 6]])
    assert nominal.tolist() == [[1, 2], [0, 0]]


def test_features_of_values_that_round_to_one_integer_are_equal():
    space = Space({"x": stats.randint(0, 4)})
    numeric, _ = numbers_and_choices(space, np.array([[-0.5], [-0.3], [0.9]]))
    np.testing.assert_allclose(numeric.ravel(), [0.375, 0.375, 0.875])


class WithoutQuantiles:
    def rvs(self, random_state=None):
        return 1


class OnlyQuantiles:
    """The least that a distribution must have."""

    def rvs(self, random_state=None):
        return 0.5

    def ppf(self, q):
        return np.asarray(q) * 3


def test_a_distribution_of_ones_own_needs_rvs_and_ppf_only():
    drawn = Policy.prior(Space({"x": OnlyQuantiles()})).sample(100, 0)
    values = np.array([params["x"] for params in drawn])
    assert 0 < values.min() < 0.5 < 2.5 < values.max() < 3


@pytest.mark.parametrize(
    ("param_distributions", "error", "words"),
    [
        ({}, ValueError, "at least one hyperparameter"),
        ([], ValueError, "at least one hyperparameter"),
        ([{}, {}], ValueError, "at least one hyperparameter"),
        ({"depth": []}, ValueError, "'depth'.*at least one choice"),
        ({"depth": 3}, TypeError, "'depth'.*list of choices.*got 3"),
        ({"kernel": "rbf"}, TypeError, "'kernel'.*list of choices.*got 'rbf'"),
        ({"depth": {"a": 1}}, TypeError, "'depth'.*list of choices"),
        ({"depth": None}, TypeError, "'depth'.*list of choices.*got None"),
        ({"C": stats.loguniform}, ValueError, "'C'.*unfrozen.*loguniform"),
        ({"C": stats.poisson}, ValueError, "'C'.*unfrozen.*poisson"),
        ({"C": WithoutQuantiles()}, TypeError, "'C'.*`ppf` and `rvs`"),
        ({"C": stats.uniform(0, -1)}, ValueError, "'C'.*median is not finite.*uniform"),
        ({"grid": np.zeros((2, 2))}, ValueError, r"'grid'.*one-dimensional.*\(2, 2\)"),
        ({1: [1, 2]}, TypeError, "str keys"),
        ("abc", TypeError, "dict or a list of dicts"),
        ([{"a": [1]}, 5], TypeError, "dict or a list of dicts.*5"),
    ],
)
def test_bad_entries_are_refused_by_name(param_distributions, error, words):
    with pytest.raises(error, match=f"(?s).*{words}"):
        Space(param_distributions)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"a": 4, "u": 0.5, "i": 1}, "a=4 is not among the choices"),
        ({"a": 1, "u": 1.5, "i": 1}, "u=1.5 has probability zero"),
        ({"a": 1, "u": "x", "i": 1}, "u='x' has probability zero"),
        ({"a": 1, "u": 0.5, "i": 1.5}, "i=1.5 has probability zero"),
        ({"a": 1, "u": 0.5}, "Expected values for"),
    ],
)
def test_params_outside_the_space_are_refused_by_name(params, words):
    space = Space({"a": [1, 2], "u": stats.uniform(), "i": stats.randint(0, 3)})
    with pytest.raises(ValueError, match=words):
        space.encode([params])
