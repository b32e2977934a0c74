"""Distributions and choices of other kinds: draws only, scipy's newer ones, and skrub's."""

import copy
import pickle

import cloudpickle
import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.model_selection import ParameterSampler

from skpg import PolicyGradientOptimizer, PolicyGradientSearchCV, logrange
from skpg.policy.policy import Policy
from skpg.space.dimensions import Choice, Continuous, Discrete
from skpg.space.equality import same
from skpg.space.space import Space
from tests.estimators import Scripted
from tests.space.user_distributions import (
    COPYABLE,
    DRAWN_NUMBERS,
    DRAWN_OBJECTS,
    LOCAL,
    NORMAL,
    LikeSkrub,
    OnlyDraws,
    layers,
    log_uniform,
    odd,
    often_zero,
    power_of_two,
    uniform,
    weights,
)

NEWER = NORMAL + COPYABLE + LOCAL


def drawn_from(value, n=2000):
    return [params["x"] for params in Policy.prior(Space({"x": value})).sample(n, 0)]


def drawn_by_randomized_search(value, n=2000):
    space = {"x": value, "not a list": stats.uniform()}
    return [params["x"] for params in ParameterSampler(space, n, random_state=1)]


@pytest.mark.parametrize("source", DRAWN_NUMBERS)
def test_numbers_are_those_that_randomized_search_draws(source):
    """In type and in distribution."""
    peer, ours = drawn_by_randomized_search(source), drawn_from(source)
    assert {type(value) for value in ours} == {np.asarray(peer[0]).item().__class__}
    assert stats.ks_2samp(np.ravel(peer), ours).pvalue > 1e-3


@pytest.mark.parametrize("source", DRAWN_OBJECTS[:-1])
def test_objects_are_those_that_randomized_search_draws(source):
    peer, ours = drawn_by_randomized_search(source), drawn_from(source)
    for value in ours[:100]:
        assert any(same(value, other) or value is other for other in peer)
        share = sum(same(value, other) for other in peer) / len(peer)
        assert sum(same(value, other) for other in ours) / len(ours) == pytest.approx(
            share, abs=0.06
        )


def test_only_what_was_drawn_is_proposed_where_draws_repeat():
    assert set(drawn_from(OnlyDraws(odd))) <= set(range(3, 41, 2))
    assert set(drawn_from(OnlyDraws(power_of_two))) <= {2.0**k for k in range(-3, 3)}
    zeros = drawn_from(OnlyDraws(often_zero)).count(0.0)
    assert 0.45 < zeros / 2000 < 0.55
    assert Space({"x": OnlyDraws(odd)}).size == 19


def test_between_floats_that_do_not_repeat_all_may_be():
    space = Space({"x": OnlyDraws(uniform)})
    assert space.size == np.inf
    assert space.canonical({"x": 0.123456789}) == {"x": 0.123456789}
    for value in (-0.1, 1.1):
        with pytest.raises(ValueError, match=f"x={value} .*under the draws of OnlyDraws"):
            space.canonical({"x": value})


def test_the_draws_are_always_the_same():
    before = np.random.get_state()[1].tolist()
    for source in (OnlyDraws(uniform), OnlyDraws(odd), OnlyDraws(layers)):
        assert drawn_from(source, 20) == drawn_from(source, 20)
    assert np.random.get_state()[1].tolist() == before


def test_of_objects_without_end_the_first_are_the_choices():
    (dimension,) = Space({"x": OnlyDraws(weights)}).dimensions
    assert isinstance(dimension, Choice)
    assert dimension.size == 50
    np.testing.assert_allclose([sum(choice) for choice in dimension.choices], 1)


def test_numbers_that_no_float_can_hold_are_choices():
    source = OnlyDraws(lambda rng: 10 ** (400 + int(rng.randint(2))))
    assert set(drawn_from(source, 50)) == {10**400, 10**401}
    source = OnlyDraws(lambda rng: [np.nan, np.inf, 1.0][rng.randint(3)])
    assert {repr(value) for value in drawn_from(source, 50)} == {"nan", "inf", "1.0"}


def test_mixed_types_keep_their_types():
    source = OnlyDraws(lambda rng: [1, 1.0, True, "1"][rng.randint(4)])
    (dimension,) = Space({"x": source}).dimensions
    assert {repr(choice) for choice in dimension.choices} == {"1", "1.0", "True", "'1'"}


def test_multivariate_distributions_of_scipy_draw_arrays():
    assert all(value.shape == (1, 3) for value in drawn_from(stats.dirichlet([1, 2, 3]), 5))


def test_a_search_learns_from_an_object_that_only_draws():
    optimizer = PolicyGradientOptimizer({"x": OnlyDraws(log_uniform)}, random_state=0)
    for _ in range(30):
        (params,) = optimizer.ask(1)
        optimizer.tell([params], [-abs(np.log(params["x"] / 20))])
    assert 10 < optimizer.recommend()["x"] < 40


@pytest.mark.parametrize("distribution", NEWER, ids=repr)
def test_newer_distributions_are_drawn_as_they_are(distribution):
    drawn = drawn_from(distribution)
    if hasattr(stats, "Binomial") and isinstance(distribution, stats.Binomial):
        assert {type(value) for value in drawn} == {int}
        counts = np.bincount(drawn, minlength=11)
        expected = 2000 * stats.binom(10, 0.3).pmf(np.arange(11))
        assert (np.abs(counts - expected) < 5 * np.sqrt(expected) + 5).all()
    else:
        assert {type(value) for value in drawn} == {float}
        assert stats.kstest(drawn, distribution.cdf).pvalue > 1e-3
    low, high = distribution.support()
    assert low <= min(drawn) <= max(drawn) <= high


@pytest.mark.parametrize("distribution", NEWER, ids=repr)
@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda space: cloudpickle.loads(cloudpickle.dumps(space))]
)
def test_copies_of_newer_distributions_are_what_they_were(distribution, copied):
    """scipy makes standard normal distributions of copies of normal ones."""
    policy = Policy.prior(Space({"x": distribution}))
    expected = policy.sample(20, 0)
    for again in (policy, copied(policy)):
        assert again.sample(20, 0) == expected
    assert Policy.prior(Space({"x": copied(distribution)})).sample(20, 0) == expected


@pytest.mark.parametrize("distribution", NEWER, ids=repr)
def test_values_of_newer_distributions_come_back(distribution):
    space = Space({"x": distribution})
    params = Policy.prior(space).sample(50, 0)
    for before, after in zip(params, space.decode(space.encode(params)), strict=True):
        assert after["x"] == pytest.approx(before["x"], rel=1e-5)  # a mixture's are numerical
        assert space.canonical(before) == before


@pytest.mark.skipif(not NEWER, reason="scipy before 1.15 does not have them")
def test_newer_distributions_that_are_no_single_numbers_are_refused():
    with pytest.raises(ValueError, match="'x'.*single numbers.*one of arrays.*Uniform"):
        Space({"x": stats.Uniform(a=[0, 1], b=[1, 2])})
    with pytest.raises(ValueError, match="'x'.*the class 'Uniform': give it its arguments"):
        Space({"x": stats.Uniform})


class Steps:
    """Half of the values are 0.5, and half are 1.5; there is nothing but this."""

    def icdf(self, q):
        return np.where(np.asarray(q) < 0.5, 0.5, 1.5)


def test_an_inverse_alone_is_a_distribution():
    space = Space({"x": Steps()})
    assert set(drawn_from(Steps())) == {0.5, 1.5}
    assert space.canonical({"x": 1.5}) == {"x": 1.5}
    with pytest.raises(ValueError, match="x=1.2 has probability zero under Steps"):
        space.canonical({"x": 1.2})


@pytest.mark.skipif(not NEWER, reason="scipy before 1.15 does not have them")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_search_with_newer_distributions_is_cloned_stored_and_resumed(n_jobs, tmp_path):
    space = {"a": NORMAL[0], "extra": LOCAL[0]}
    X, y = np.arange(20.0)[:, None], np.arange(20) % 2
    search = PolicyGradientSearchCV(
        Scripted(),
        space,
        n_iter=6,
        cv=2,
        random_state=0,
        n_jobs=n_jobs,
        storage=str(tmp_path / "s.db"),
    )
    first = search.fit(X, y).cv_results_["params"]
    again = clone(search).set_params(n_iter=8).fit(X, y).cv_results_["params"]
    assert again[:6] == first
    assert np.mean([params["a"] for params in again]) > 3  # not those of a standard normal


SKRUB = [
    (lambda s: s.choose_float(1e-3, 10, log=True), float, Continuous),
    (lambda s: s.choose_float(-1, 3), float, Continuous),
    (lambda s: s.choose_int(1, 9), int, Discrete),
    (lambda s: s.choose_int(5, 5), int, Discrete),
    (lambda s: s.choose_int(1, 1000, log=True), int, Discrete),
    (lambda s: s.choose_float(0, 1, n_steps=5), float, Choice),
    (lambda s: s.choose_int(1, 100, log=True, n_steps=5), int, Choice),
]


@pytest.mark.parametrize(("make", "value_type", "kind"), SKRUB)
def test_numbers_of_skrub_are_those_that_it_draws(make, value_type, kind):
    choice = make(pytest.importorskip("skrub"))
    (dimension,) = Space({"x": choice}).dimensions
    assert isinstance(dimension, kind)
    ours = drawn_from(choice)
    assert {type(value) for value in ours} == {value_type}
    peer = choice.rvs(size=2000, random_state=np.random.RandomState(0))
    assert stats.ks_2samp(peer, ours).pvalue > 1e-3


def test_both_ends_of_integers_of_skrub_are_in_the_space():
    skrub = pytest.importorskip("skrub")
    assert set(drawn_from(skrub.choose_int(-2, 2))) == {-2, -1, 0, 1, 2}
    (dimension,) = Space({"x": skrub.choose_int(1, 9, log=True)}).dimensions
    assert dimension.distribution == logrange(1, 9)


def test_outcomes_of_skrub_are_choices():
    skrub = pytest.importorskip("skrub")
    for choice, expected in [
        (skrub.choose_from(["a", None, (1, 2)], name="other name"), ("a", None, (1, 2))),
        (skrub.choose_from({"one": 1, "half": 0.5}), (1, 0.5)),
        (skrub.choose_bool(), (True, False)),
        (skrub.optional(3), (3, None)),
    ]:
        assert Space({"x": choice}).dimensions[0].choices == expected


def test_choices_inside_of_choices_of_skrub_are_refused():
    skrub = pytest.importorskip("skrub")
    nested = skrub.choose_from([skrub.choose_int(1, 2), "auto"])
    with pytest.raises(ValueError, match=r"'x'.*choose_int\(1, 2\).*cannot be nested"):
        Space({"x": nested})


def test_public_fields_are_enough():
    assert Space({"x": LikeSkrub(1, 9, True, True)}).dimensions[0].distribution == logrange(1, 9)
    (dimension,) = Space({"x": LikeSkrub(2, 3, False, False)}).dimensions
    assert (dimension.low, dimension.high) == (2, 3)
    with pytest.raises(ValueError, match="'x'.*median is not finite.*loguniform"):
        Space({"x": LikeSkrub(0, 1, True, False)})


@pytest.mark.parametrize("source", DRAWN_NUMBERS + DRAWN_OBJECTS)
def test_spaces_of_draws_are_pickled(source):
    policy = Policy.prior(Space({"x": source}))
    copy = pickle.loads(pickle.dumps(policy))
    for ours, theirs in zip(policy.sample(10, 0), copy.sample(10, 0), strict=True):
        assert same(ours, theirs)
