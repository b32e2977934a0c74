"""Candidates that come from elsewhere are found in the space, or refused."""

import json
import pickle
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.decomposition import PCA

from skpg.policy.policy import Policy
from skpg.space.dimensions import Choice
from skpg.space.equality import same
from skpg.space.space import Space
from skpg.storage.json import decode as from_json
from skpg.storage.json import encode as to_json
from tests.space.native import check_native
from tests.space.strategies import PICKLED_SPACES
from tests.space.user_distributions import OnlyQuantiles, from_three_to_nine_tenths, steps, thirds


def test_equal_but_different_objects_are_told_apart_by_identity():
    lists = [[1, 2], [1, 2], [3]]
    space = Space({"knots": lists})
    assert [space.identify({"knots": knots})[0] for knots in lists] == [0, 1, 2]
    assert space.identify({"knots": [3]})[0] == 2


def test_same_names_in_two_branches_are_told_apart_by_values():
    space = Space([{"k": ["p"], "c": stats.uniform(0, 1)}, {"k": ["p"], "c": stats.uniform(1, 1)}])
    assert space.identify({"k": "p", "c": 0.5})[0] == 0
    assert space.identify({"k": "p", "c": 1.5})[0] == 1


@given(PICKLED_SPACES, st.integers(0, 2**32))
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
            space.canonical(pickle.loads(pickle.dumps(params))),
            stored,
        ):
            assert again.keys() == params.keys()
            assert all(_same_or_near(again[name], params[name]) for name in params), again
        check_native(space, params)
        lists = [d.choices for d in space.dimensions if isinstance(d, Choice)]
        if not any(same(a, b) for choices in lists for a, b in combinations(choices, 2)):
            assert space.key(params) == copy.key(params) == space.key(stored)


def _choice(space, name, index, branch):
    (found,) = (j for j in space.columns[branch] if space.dimensions[j].name == name)
    return space.dimensions[found].choices[index]


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
    found = space.canonical({"x": value})["x"]
    assert same(found, expected) or found == pytest.approx(expected, rel=1e-15)
    assert type(found) is type(expected)
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
            found = space.canonical(row)
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
    assert space.canonical({"x": 0.2}) == {"x": 0.2}
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
