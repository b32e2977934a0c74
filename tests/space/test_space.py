"""Candidates to actions and back; keys, sizes and branches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.tree import DecisionTreeClassifier

from skpg.policy.policy import Policy
from skpg.space.space import Space
from tests.space.strategies import SPACES


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


def test_choices_are_the_very_objects_of_the_list():
    tree, array, function = DecisionTreeClassifier(), np.zeros(3), np.log1p
    choices = [tree, array, function, (1, 2), None, {"a": [1]}]
    space = Space({"x": choices})
    for index, params in enumerate(space.decode(space.grid())):
        assert params["x"] is choices[index]
        assert space.identify(params)[0] == index


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
