"""Candidates of which a part is given."""

import numpy as np
import pytest
from scipy import stats

from skpg import PolicyGradientOptimizer
from skpg.learners import NaturalGradient

LOG = stats.loguniform(1e-2, 1e2)
MIXED = {"x": stats.uniform(), "n": stats.randint(0, 5), "k": ["a", "b"]}
BRANCHES = [
    {"kernel": ["linear"], "C": LOG},
    {"kernel": ["rbf"], "C": LOG, "gamma": stats.uniform()},
    {"kernel": ["poly"], "C": LOG, "degree": [2, 3], "coef0": stats.uniform()},
]


def optimizer_of(space, seed=0, **settings):
    return PolicyGradientOptimizer(space, random_state=seed, **settings)


def asked(space, params, seed=0, constraint=None, **settings):
    optimizer = optimizer_of(space, seed, constraint=constraint)
    optimizer.enqueue(params, **settings)
    return optimizer.ask(len(params))


def test_what_is_not_given_is_drawn_with_the_seed():
    given = [{"k": "b"}, {"n": 3.0}, {}]
    first, second, third = asked(MIXED, given)
    assert list(first) == ["x", "n", "k"]
    assert first["k"] == "b"
    assert second["n"] == 3
    assert type(second["n"]) is int
    assert asked(MIXED, given) == [first, second, third]
    assert asked(MIXED, given, seed=1) != [first, second, third]


def test_it_is_drawn_from_the_distributions_of_the_user():
    drawn = [p["C"] for p in asked({"C": LOG, "k": ["a"]}, 400 * [{"k": "a"}])]
    assert stats.kstest(drawn, LOG.cdf).pvalue > 0.01
    space = {"x": stats.uniform(), "k": ["a", "b", "b", "b"]}
    share = np.mean([p["k"] == "b" for p in asked(space, [{"x": x / 400} for x in range(400)])])
    assert 0.68 < share < 0.82


def test_candidates_that_are_wholly_given_draw_nothing():
    optimizer, other = optimizer_of(MIXED), optimizer_of(MIXED)
    optimizer.enqueue([{"x": 0.5, "n": 1, "k": "a"}])
    assert optimizer._rng.bit_generator.state == other._rng.bit_generator.state
    assert optimizer.ask(1) == [{"x": 0.5, "n": 1, "k": "a"}]


def test_defaults_stand_for_what_is_not_given_where_they_lie_in_the_space():
    defaults = {"x": 0.1, "n": 9, "k": "b", "other": 1}
    first, second = asked(MIXED, [{"k": "a"}, {"x": 0.3}], defaults=defaults)
    assert (first["x"], first["k"]) == (0.1, "a")
    assert first["n"] in range(5)
    assert (second["x"], second["k"]) == (0.3, "b")


def test_parameters_of_another_part_are_no_defaults():
    space = {"model": ["ridge", "lasso"], "model__alpha": [1, 2, 3, 4, 5, 6, 7, 8]}
    defaults = {"model": "ridge", "model__alpha": 8}
    assert asked(space, [{"model": "ridge"}], defaults=defaults)[0]["model__alpha"] == 8
    alphas = [p["model__alpha"] for p in asked(space, 6 * [{"model": "lasso"}], defaults=defaults)]
    assert len(set(alphas)) == 6  # all drawn, and drawn anew where one was seen


@pytest.mark.parametrize(
    ("given", "defaults", "kernels"),
    [
        ({"gamma": 0.5}, {}, {"rbf"}),
        ({"kernel": "poly"}, {}, {"poly"}),
        # where values lie in several, the one that the defaults agree with
        ({"C": 2.0}, {"kernel": "rbf", "degree": 3, "coef0": 0.0}, {"rbf"}),
        ({"C": 2.0}, {"kernel": "poly", "gamma": 0.5}, {"poly"}),
        ({"C": 2.0}, {"kernel": "sigmoid", "degree": 3, "coef0": 0.5}, {"poly"}),
        # among equals it is drawn
        ({"C": 2.0}, {}, {"linear", "rbf", "poly"}),
        ({}, {}, {"linear", "rbf", "poly"}),
    ],
)
def test_the_branch_is_one_in_which_the_values_lie(given, defaults, kernels):
    found = [asked(BRANCHES, [given], seed, defaults=defaults)[0] for seed in range(12)]
    assert {p["kernel"] for p in found} == kernels
    for params in found:
        assert params | given == params
        optimizer_of(BRANCHES).space.identify(params)  # a whole one


def test_values_that_lost_their_type_are_found_where_no_others_are():
    space = [{"n": [1, 2], "extra": ["number", "one"]}, {"n": [True], "extra": ["bool", "truth"]}]
    for given, extras in (
        (True, {"bool", "truth"}),
        (1, {"number", "one"}),
        (2.0, {"number", "one"}),
    ):
        (params,) = asked(space, [{"n": given}])
        assert params["n"] == given
        assert params["extra"] in extras


def test_what_is_drawn_keeps_the_constraint():
    def allowed(params):
        return params["x"] < 0.01 and params["n"] != 3

    for params in asked(MIXED, 5 * [{"k": "a"}], constraint=allowed):
        assert allowed(params)
    # defaults are left where it forbids them
    (params,) = asked(
        MIXED, [{"k": "a"}], constraint=allowed, defaults={"n": 3, "x": 0.005, "k": "b"}
    )
    assert allowed(params)
    assert params["k"] == "a"


def test_what_the_constraint_never_allows_is_refused():
    optimizer = optimizer_of(MIXED, constraint=lambda p: p["n"] != 3)
    with pytest.raises(ValueError, match=r"constraint refused all completions of \{'n': 3\}"):
        optimizer.enqueue([{"n": 3}])


def test_the_same_part_gives_different_candidates_as_long_as_there_are():
    space = {"a": [1, 2], "b": [1, 2]}
    optimizer = optimizer_of(space, learner=NaturalGradient())
    optimizer.enqueue(5 * [{"a": 1}])
    assert sorted(p["b"] for p in optimizer.ask(2)) == [1, 2]
    assert {p["a"] for p in optimizer.ask(9)} == {2}


def test_candidates_differ_also_where_a_value_is_not_exact_as_an_action():
    space = {"p": stats.uniform(1, 3), "k": [1, 2]}
    values = np.random.default_rng(0).uniform(1, 4, 20).tolist()
    found = asked(space, [{"p": p} for p in values + values])
    assert len(found) == 40
    assert {(p["p"], p["k"]) for p in found} == {(p, k) for p in values for k in (1, 2)}


def test_given_values_come_to_the_last_digit():
    exact = [float(x) for x in np.random.default_rng(0).uniform(0.01, 100, 50)]
    assert [p["C"] for p in asked({"C": LOG, "k": [1, 2]}, [{"C": x} for x in exact])] == exact


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"z": 1}, r"Expected values for \['x', 'n', 'k'\], got \['z'\]"),
        ({"x": 0.5, "z": 1}, r"got \['x', 'z'\]"),
        ({"k": "z"}, "k='z' is not among the choices"),
        ({"x": 2.0}, "x=2.0 has probability zero"),
    ],
)
def test_unknown_names_and_values_are_refused_and_nothing_is_drawn(given, words):
    optimizer, other = optimizer_of(MIXED), optimizer_of(MIXED)
    with pytest.raises(ValueError, match=f"not in the space.*{words}"):
        optimizer.enqueue([{"k": "a"}, given])
    assert optimizer.ask(3) == other.ask(3)


def test_what_was_told_may_be_asked_again():
    optimizer = optimizer_of({"a": list(range(5))})
    optimizer.tell([{"a": 3}, {"a": 4}], [1.0, 0.0])
    optimizer.enqueue([{"a": 4}])
    optimizer.enqueue([{"a": 3}], again=True)
    first, *others = optimizer.ask(9)
    assert first == {"a": 3}
    assert sorted(p["a"] for p in others) == [0, 1, 2]
