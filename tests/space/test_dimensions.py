"""Dimensions: values that are drawn, bounds, precision, order, look-ups and checks."""

import pickle

import numpy as np
import pytest
from scipy import special, stats
from sklearn.model_selection import ParameterSampler

from skpg.policy.policy import Policy
from skpg.space.dimensions import Choice, Continuous, Discrete
from skpg.space.dimensions.quantiles import unchecked_is_exact, value_at
from skpg.space.space import Space
from tests.space.user_distributions import MOVED, OWN


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


@pytest.mark.parametrize("distribution", OWN + MOVED)
def test_values_are_those_that_randomized_search_draws(distribution):
    """In type and in distribution."""
    peer = [p["x"] for p in ParameterSampler({"x": distribution}, 2000, random_state=0)]
    ours = [p["x"] for p in Policy.prior(Space({"x": distribution})).sample(2000, 0)]
    assert {type(value) for value in ours} == {np.asarray(peer[0]).item().__class__}
    assert stats.ks_2samp(peer, ours).pvalue > 1e-3


def test_numbers_too_large_for_floats_have_an_order():
    space = Space({"x": [1.5, float("nan"), 10**400, -(10**400), np.float32(7), 3]})
    assert space.dimensions[0].ordered
    np.testing.assert_allclose(6 * space.dimensions[0].ranks, [1.5, 5.5, 4.5, 0.5, 3.5, 2.5])


def test_functions_of_one_name_are_not_the_same():
    space = Space({"x": [special.exp2, np.log2]})
    assert space.canonical({"x": pickle.loads(pickle.dumps(np.log2))}) == {"x": np.log2}
    with pytest.raises(ValueError, match="x=<ufunc 'exp2'> is not among"):
        space.canonical({"x": np.exp2})


@pytest.mark.parametrize("entry", [[3, 1, "a"], *OWN, *MOVED])
def test_what_is_drawn_is_found(entry):
    """By both look-ups, as the number that it was drawn with."""
    (dimension,) = Space({"x": entry}).dimensions
    actions = Policy.prior(Space({"x": entry})).sample_actions(100, np.random.default_rng(0))
    resolved = dimension.resolve(actions[:, 0])
    for number, value in zip(resolved, dimension.values(resolved), strict=True):
        assert dimension.find_exact(value) == number
        assert dimension.find(value) == pytest.approx(number, rel=1e-15)


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        (stats.randint(1, 31), 15.0),
        (stats.uniform(0, 2), 1),
        (stats.uniform(0, 2), np.float64(1)),
        ([1, 2], 1.0),
        ([True, False], 1),
        ([(1, 2)], [1, 2]),
    ],
)
def test_only_the_tolerant_look_up_finds_what_lost_its_type(entry, value):
    (dimension,) = Space({"x": entry}).dimensions
    assert np.isnan(dimension.find_exact(value))
    assert not np.isnan(dimension.find(value))


@pytest.mark.parametrize(
    ("entry", "size"),
    [([3, 1, "a"], 3), (stats.randint(1, 31), 30), (MOVED[0], 3), (stats.binom(20, 0.3), 21)],
)
def test_all_actions_stand_for_different_values(entry, size):
    (dimension,) = Space({"x": entry}).dimensions
    values = dimension.values(dimension.resolve(dimension.all_actions()))
    assert len(set(values)) == dimension.size == size


@pytest.mark.parametrize("entry", [stats.uniform(), stats.randint(0, 10**9)])
def test_infinitely_many_actions_are_not_listed(entry):
    (dimension,) = Space({"x": entry}).dimensions
    with pytest.raises(ValueError, match="'x' cannot be listed"):
        dimension.all_actions()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Choice("x", (), np.empty(0)), "'x' must have one weight for each"),
        (lambda: Choice("x", (1, 2), np.ones(3) / 3), "'x' must have one weight for each"),
        (lambda: Choice("x", (1, 2), np.array([1.0, 0.0])), "'x' must be positive"),
        (lambda: Choice("x", (1, 2), np.ones(2)), "'x' must .* sum to 1"),
        (lambda: Continuous("x", stats.norm(), 1.0, 0.0), "'x' must not end before"),
        (lambda: Discrete("x", stats.poisson(1), np.arange(2.0)), "'x' must have one cumulative"),
        (
            lambda: Discrete("x", stats.poisson(1), np.arange(2.0), np.ones(3)),
            "'x' must have one cumulative",
        ),
    ],
)
def test_fields_are_checked(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_arrays_cannot_be_written_to():
    weights = np.array([0.5, 0.5])
    choice = Choice("x", ("a", "b"), weights)
    weights[0] = 0.0  # the caller's own
    assert choice.weights.tolist() == [0.5, 0.5]
    (discrete,) = Space({"x": stats.randint(0, 3)}).dimensions
    for array in (choice.weights, discrete.atoms, discrete.cumulative):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0


@pytest.mark.parametrize("distribution", [stats.poisson(4), stats.randint(0, 10**6)])
def test_the_short_way_from_actions_to_the_middles_of_their_atoms(distribution):
    (dimension,) = Space({"n": distribution}).dimensions
    actions = np.linspace(-9, 9, 101)
    expected = dimension.mid_cdf(dimension.resolve(actions))
    np.testing.assert_array_equal(dimension.mid_cdf_of_actions(actions), expected)


def test_each_action_takes_its_quantile_from_the_nearer_tail():
    distribution = stats.loguniform(1e-3, 1e3)
    below, above = np.array([-9.0, -1.0, 0.0]), np.array([0.5, 2.0, 9.0])
    values = value_at(distribution, np.concatenate([above, below]))
    np.testing.assert_array_equal(values[3:], distribution.ppf(special.ndtr(np.maximum(below, -8))))
    np.testing.assert_array_equal(values[:3], distribution.isf(special.ndtr(-np.minimum(above, 8))))


@pytest.mark.parametrize(
    "distribution",
    [
        stats.uniform(2, 3),
        stats.loguniform(1e-3, 1e3),
        stats.truncnorm(-1, 2, loc=3),
        stats.beta(2, 0.5, scale=7),
        stats.t(3),
    ],
    ids=lambda d: d.dist.name,
)
def test_quantiles_without_checks_are_those_of_scipy_to_the_bit(distribution):
    assert unchecked_is_exact(distribution)
    z = np.random.default_rng(0).normal(size=1000)
    np.testing.assert_array_equal(
        value_at(distribution, z, unchecked=True), value_at(distribution, z)
    )


class Halved(stats.rv_continuous):
    """A family with a public quantile of its own."""

    def ppf(self, q, *args, **kwds):
        return 0.5 * super().ppf(q, *args, **kwds)

    def _cdf(self, x):
        return x


@pytest.mark.parametrize("distribution", [Halved(0, 0, 1)(), stats.poisson(4), OWN])
def test_a_quantile_of_ones_own_is_asked_with_its_checks(distribution):
    assert not unchecked_is_exact(distribution)
