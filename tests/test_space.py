"""Spaces: what may be passed, what comes out, encode and decode as inverses."""

import functools
import json
import pickle
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats
from sklearn.decomposition import PCA
from sklearn.model_selection import KFold, ParameterSampler
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier

from skpg import PolicyGradientOptimizer
from skpg._encoding import decode as from_json
from skpg._encoding import encode as to_json
from skpg._policy import Policy
from skpg._space import LARGEST_Z, Choice, Space, same
from tests.distributions import (
    MOVED,
    OWN,
    OnlyQuantiles,
    from_three_to_nine_tenths,
    logarithmic,
    steps,
    tenths,
    thirds,
)

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
    numeric, nominal = space.features(actions)
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
    numeric, nominal = space.features(np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 0.0]]))
    np.testing.assert_allclose(numeric, [[5 / 6], [1 / 6]])
    assert nominal.tolist() == [[1, 2], [0, 0]]


def test_features_of_values_that_round_to_one_integer_are_equal():
    space = Space({"x": stats.randint(0, 4)})
    numeric, _ = space.features(np.array([[-0.5], [-0.3], [0.9]]))
    np.testing.assert_allclose(numeric.ravel(), [0.375, 0.375, 0.875])


class WithoutQuantiles:
    def rvs(self, random_state=None):
        return 1


def test_a_distribution_of_ones_own_needs_rvs_and_ppf_only():
    drawn = Policy.prior(Space({"x": OnlyQuantiles(thirds)})).sample(100, 0)
    values = np.array([params["x"] for params in drawn])
    assert 0 < values.min() < 0.5 < 2.5 < values.max() < 3


@pytest.mark.parametrize("distribution", OWN + MOVED)
def test_values_are_those_that_randomized_search_draws(distribution):
    """In type and in distribution."""
    peer = [p["x"] for p in ParameterSampler({"x": distribution}, 2000, random_state=0)]
    ours = [p["x"] for p in Policy.prior(Space({"x": distribution})).sample(2000, 0)]
    assert {type(value) for value in ours} == {np.asarray(peer[0]).item().__class__}
    assert stats.ks_2samp(peer, ours).pvalue > 1e-3


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


def test_whole_numbers_are_one_feature_per_number():
    """Those of a distribution that scipy does not know, as those of one that it knows."""
    theirs, ours = Space({"x": stats.randint(0, 10)}), Space({"x": OnlyQuantiles(tenths, int)})
    z = np.linspace(-LARGEST_Z, LARGEST_Z, 100)[:, None]  # between the atoms
    assert ours.decode(z) == theirs.decode(z)
    np.testing.assert_allclose(ours.features(z)[0], theirs.features(z)[0], atol=1e-12)
    assert ours.size == 10
    many = Space({"x": OnlyQuantiles(logarithmic, int)})
    assert many.size == np.inf
    values = many.decode(z)
    np.testing.assert_allclose(
        many.features(z)[0].ravel(),
        [(np.log(p["x"]) + np.log(p["x"] + 1)) / 2 / np.log(1e6) for p in values],
        atol=1e-9,
    )


def test_atoms_keep_their_places_and_probabilities():
    (dimension,) = Space({"x": MOVED[0]}).dimensions
    assert dimension.atoms.tolist() == [11, 12, 18]
    np.testing.assert_allclose(dimension.cumulative, [0.2, 0.7, 1.0])
    (dimension,) = Space({"x": MOVED[3]}).dimensions
    assert dimension.atoms.tolist() == [-1, 3]  # 2 has no probability
    even = stats.rv_discrete(values=(range(49), np.full(49, 1 / 49)))  # they add up to 1 + 2e-16
    (dimension,) = Space({"x": even}).dimensions
    assert dimension.atoms.tolist() == list(range(49))


VALUES = st.one_of(
    CONTINUOUS,
    DISCRETE,
    st.sampled_from(OWN),
    st.sampled_from(MOVED),
    LISTS,
    st.lists(st.one_of(st.floats(), st.integers(), st.just(10**400)), min_size=1, max_size=6),
    st.lists(st.one_of(SCALARS, st.lists(st.floats()), st.dictionaries(st.text(), st.floats()))),
    st.just([float("nan"), (1, float("nan")), None, np.float64("nan")]),
    st.just([True, 1, 1.0, "1", np.int64(1), np.bool_(True), (True,), (1,), [1], [1.0]]),
    st.just([np.arange(3), np.arange(3.0), np.array([1.0, np.nan]), np.array([None, np.nan])]),
    st.just([[("pca", PCA(2))], [("pca", PCA(2)), ("pca2", PCA(3))], "passthrough"]),
    st.just([PCA(1), PCA(2), Pipeline([("pca", PCA(2)), ("pca2", PCA(3))])]),
    st.just([functools.partial(max, 1), functools.partial(max, 2), KFold(3), KFold(4), max, PCA]),
).filter(lambda values: not isinstance(values, list) or values)
ANY_DICTS = st.dictionaries(st.sampled_from("abcd"), VALUES, min_size=1, max_size=4)
ANY_SPACES = st.one_of(ANY_DICTS, st.lists(ANY_DICTS, min_size=1, max_size=3))


@given(ANY_SPACES, st.integers(0, 2**32))
def test_candidates_come_back_from_where_copies_of_them_went(param_distributions, seed):
    """Through encode and decode, JSON, and a space that has been pickled."""
    space = Space(param_distributions)
    copy = pickle.loads(pickle.dumps(space))
    for params in Policy.prior(space).sample(10, seed):
        text = to_json(space, params)
        stored = from_json(text, lambda name, index, branch: _choice(space, name, index, branch))
        for again in (
            space.decode(space.encode([params]))[0],
            copy.decode(copy.encode([params]))[0],
            space.native(pickle.loads(pickle.dumps(params))),
            stored,
        ):
            assert again.keys() == params.keys()
            assert all(_same_or_near(again[name], params[name]) for name in params), again
        row = space.identify(params)
        for dimension, value in zip(space.dimensions, row, strict=True):
            support = getattr(getattr(dimension, "distribution", None), "support", None)
            if support is not None and not np.isnan(value):
                assert np.trunc(support()[0]) <= value <= support()[1]
        lists = [d.choices for d in space.dimensions if isinstance(d, Choice)]
        if not any(same(a, b) for choices in lists for a, b in combinations(choices, 2)):
            assert space.key(params) == copy.key(params) == space.key(stored)


def _choice(space, name, index, branch):
    (found,) = (d for d in space.dimensions if (d.name, d.branch or 0) == (name, branch))
    return found.choices[index]


def _same_or_near(left, right):
    if same(left, right):
        return True
    return type(left) is type(right) is float and left == pytest.approx(right, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("entry", "value", "expected"),
    [
        (stats.randint(1, 31), 15.0, 15),
        (stats.randint(1, 31), np.float64(15), 15),
        (stats.randint(1, 31), np.int8(15), 15),
        (stats.poisson(3), 2.0, 2),
        (stats.uniform(0, 2), 1, 1.0),
        (stats.uniform(0, 2), np.float32(0.5), 0.5),
        # rounding at the ends: .3 + .6 is less than .9, and 1 - .9 more than .1
        (stats.uniform(0.3, 0.6), 0.9, 0.3 + 0.6),
        (stats.uniform(-0.9, 1), 0.1, -0.9 + 1),
        (OnlyQuantiles(from_three_to_nine_tenths), 0.9, 0.3 + 0.6),
        (stats.truncnorm(-3, 3, loc=1, scale=0.3), 0.1, 1 - 3 * 0.3),
        (stats.rv_discrete(values=([1, 2], [0.5, 0.5]))(0.1), 2.1, 2.1),
        (np.arange(0.1, 1, 0.1), 0.3, 0.1 * 3),
        ([1, 2, 3], 2.0, 2),
        ([1, 2.5, "auto"], 1.0, 1),
        ([True, False], 1.0, True),
        ([True, False], np.False_, False),
        ([1, True], np.True_, True),
        ([0, 1], True, 1),
        ([None, "a"], np.str_("a"), "a"),
        ([3, None], np.nan, None),
        ([None, float("nan")], np.nan, float("nan")),
        ([np.float32(2), np.float32(3)], 2.0, np.float32(2)),
        ([(32,), (64, 32)], [64, 32], (64, 32)),
        ([[("a", (1, 2))], [("a", (1, 3))]], [["a", [1, 3]]], [("a", (1, 3))]),
        ([PCA(1), PCA(2)], PCA(2).fit(np.eye(3)), PCA(2)),
        ([1, float("nan")], np.float64("nan"), float("nan")),
        ([(1, float("nan"))], (1, float("nan")), (1, float("nan"))),
        pytest.param([1, 10**400, 2], 10**400, 10**400, id="no float"),
    ],
)
def test_values_that_lost_their_types_are_found(entry, value, expected):
    space = Space({"x": entry})
    found = space.native({"x": value})["x"]
    assert same(found, expected)
    assert space.key({"x": value}) == space.key({"x": found})


def test_a_row_of_a_data_frame_and_a_line_of_json_are_candidates():
    space = Space(
        {
            "n_neighbors": stats.randint(1, 31),
            "p": stats.uniform(1, 2),
            "weights": ["uniform", "distance"],
            "metric_params": [None, {"w": (1, 2)}],
            "bootstrap": [True, False],
            "layers": [(32,), (64, 32)],
        }
    )
    params = space.decode(space.encode(Policy.prior(space).sample(20, 0)))
    frame = pd.DataFrame(params)
    frame["n_neighbors"] = frame["n_neighbors"].astype(float)
    for i, expected in enumerate(params):
        for row in (frame.iloc[i], frame.iloc[i].to_dict(), json.loads(json.dumps(expected))):
            found = space.native(row)
            assert repr(found) == repr(expected)


def test_what_was_drawn_is_found_in_its_own_branch():
    """Not as what is similar in an earlier one."""
    space = Space([{"x": [1, 2]}, {"x": [1.0]}, {"x": stats.uniform(0.5, 0.5)}, {"x": [True]}])
    for value, branch in [(1, 0), (1.0, 1), (0.75, 2), (True, 3), (np.float32(0.75), 2)]:
        assert space.identify({"x": value})[0] == branch
    for unlikely, likely in [
        (stats.binom(1000, 0.5), stats.randint(0, 3)),
        (stats.poisson(4), stats.randint(300, 303)),
        (stats.norm(), stats.uniform(100, 1)),
        (stats.uniform(0, 10), stats.randint(1, 4)),
    ]:
        space = Space([{"x": unlikely}, {"x": likely}])
        actions = np.array([[1.0, np.nan, z] for z in (-1, 0, 1)])
        assert space.keys(actions) == [space.key(params) for params in space.decode(actions)]
        assert space.decode(space.encode(space.decode(actions))) == space.decode(actions)
    grid = Space([{"x": stats.randint(0, 3)}, {"x": [1.0, 2]}])
    assert [grid.key(params) for params in grid.decode(grid.grid())] == grid.keys(grid.grid())
    assert len(set(grid.keys(grid.grid()))) == 4


def test_numbers_too_large_for_floats_have_an_order():
    space = Space({"x": [1.5, float("nan"), 10**400, -(10**400), np.float32(7), 3]})
    assert space.dimensions[0].ordered
    np.testing.assert_allclose(6 * space.dimensions[0].ranks, [1.5, 5.5, 4.5, 0.5, 3.5, 2.5])


def test_functions_of_one_name_are_not_the_same():
    space = Space({"x": [special.exp2, np.log2]})
    assert space.native({"x": pickle.loads(pickle.dumps(np.log2))}) == {"x": np.log2}
    with pytest.raises(ValueError, match="x=<ufunc 'exp2'> is not among"):
        space.native({"x": np.exp2})


def test_nan_is_one_choice():
    (dimension,) = Space({"x": [float("nan"), 1.0, float("nan")]}).dimensions
    assert len(dimension.choices) == 2
    assert dimension.weights.tolist() == pytest.approx([2 / 3, 1 / 3])


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
        ({"C": stats.uniform([0, 1], [1, 1])}, ValueError, r"'C'.*arrays.*uniform\(\[0, 1\]"),
        ({"C": stats.norm(loc=[0.5])}, ValueError, r"'C'.*arrays.*norm\(loc=\[0.5\]"),
        ({"C": OnlyQuantiles(float)}, ValueError, "'C'.*`ppf` fails.*TypeError"),
        ({"C": OnlyQuantiles(thirds, list)}, ValueError, "'C'.*`rvs` fails.*TypeError"),
        ({"C": OnlyQuantiles(np.median)}, ValueError, "'C'.*`ppf` that takes arrays"),
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
        ({"a": 1, "u": 1 + 1e-12, "i": 1}, "u=1.000000000001 has probability zero"),
        ({"a": 1, "u": float("nan"), "i": 1}, "u=nan has probability zero"),
        ({"a": 1, "u": 10**400, "i": 1}, "u=1000.* has probability zero"),
        ({"a": 1, "u": 0.5, "i": 10**400}, "i=1000.* has probability zero"),
        ({"a": 1, "u": 0.5, "i": True}, "i=True has probability zero"),
        ({"a": "1", "u": 0.5, "i": 1}, "a='1' is not among the choices"),
        ({"a": 1, "u": 0.5}, "Expected values for.*'i'.*got"),
        ({"a": 1, "u": 0.5, "i": 1, "j": 1}, "Expected values for.*got.*'j'"),
    ],
)
def test_params_outside_the_space_are_refused_by_name(params, words):
    space = Space({"a": [1, 2], "u": stats.uniform(), "i": stats.randint(0, 3)})
    with pytest.raises(ValueError, match=words):
        space.encode([params])


@pytest.mark.parametrize("distribution", [OnlyQuantiles(thirds), OnlyQuantiles(thirds, int)])
@pytest.mark.parametrize("value", [-0.1, 3.1, 1e9])
def test_what_quantiles_do_not_reach_is_outside(distribution, value):
    with pytest.raises(ValueError, match="x=.* has probability zero under OnlyQuantiles"):
        Space({"x": distribution}).encode([{"x": value}])


def test_what_lies_between_the_steps_of_quantiles_is_outside():
    space = Space({"x": OnlyQuantiles(steps)})
    assert space.native({"x": 0.2}) == {"x": 0.2}
    with pytest.raises(ValueError, match="x=0.3 has probability zero"):
        space.encode([{"x": 0.3}])


@pytest.mark.parametrize(
    "entry", [stats.norm(), stats.poisson(3), stats.randint(0, 3), [np.inf, 1.0, 2.0]]
)
def test_infinite_values_are_outside(entry):
    with pytest.raises(ValueError, match="x=-inf"):
        Space({"x": entry}).encode([{"x": -np.inf}])


@pytest.mark.parametrize("params", [None, "x", 3, ["x"], [("x", 1)], {"x"}])
def test_candidates_that_are_no_dicts_are_refused(params):
    with pytest.raises(TypeError, match="must be a dict from names.* of type"):
        Space({"x": [1, 2]}).encode([params])
