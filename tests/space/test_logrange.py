"""Integers on a logarithmic scale, as a distribution of scipy has them."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.model_selection import ParameterSampler, RandomizedSearchCV
from sklearn.neighbors import KNeighborsClassifier

from skpg import logrange
from skpg.policy.policy import Policy
from skpg.space.equality import same
from skpg.space.space import Space


@given(st.integers(1, 500), st.integers(0, 500))
def test_probabilities_are_those_of_the_integer_part_of_a_log_uniform_number(low, width):
    high = low + width
    ours, k = logrange(low, high), np.arange(low - 2, low + width + 3)
    continuous = stats.loguniform(low, high + 1)
    np.testing.assert_allclose(ours.cdf(k), continuous.cdf(k + 1), atol=1e-12)
    np.testing.assert_allclose(ours.sf(k), continuous.sf(k + 1), atol=1e-12)
    np.testing.assert_allclose(ours.pmf(k), np.diff(ours.cdf(np.append(low - 3, k))), atol=1e-12)
    assert ours.pmf(k).sum() == pytest.approx(1)
    assert ours.support() == (low, high)


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.lists(st.floats(0, 1), min_size=1))
def test_a_quantile_is_the_least_integer_that_reaches_the_probability(low, width, q):
    ours = logrange(low, low + width)
    k = ours.ppf(np.array(q))
    assert ((k >= low) & (k <= low + width) & (k == np.floor(k))).all()
    reached = ours.cdf(k) >= np.array(q)
    assert (reached | (k == low + width)).all()
    assert ((ours.cdf(k - 1) < np.array(q)) | (k == low)).all()


@pytest.mark.parametrize("low", [1, 3, 17, 1000])
def test_rounding_moves_no_integer(low):
    ours = logrange(low, low + 3000)
    k = np.arange(low, low + 3001)
    np.testing.assert_array_equal(ours.ppf(ours.cdf(k)), k)
    np.testing.assert_array_equal(ours.ppf(np.nextafter(ours.cdf(k[:-1]), 1)), k[1:])


def test_scalars_and_arrays():
    ours = logrange(2, 9)
    assert np.ndim(ours.ppf(0.5)) == np.ndim(ours.pmf(3)) == np.ndim(ours.cdf(3)) == 0
    assert ours.ppf([[0.1, 0.9]]).shape == ours.pmf([[3, 4]]).shape == (1, 2)
    assert np.isnan(ours.ppf([-0.1, 1.1, np.nan])).all()
    assert ours.pmf([2.5, 1, 10, np.nan]).tolist() == [0, 0, 0, 0]
    assert (ours.ppf(0), ours.ppf(1), ours.cdf(1), ours.cdf(9)) == (2, 9, 0, 1)


def test_draws_are_ints_with_these_probabilities():
    ours = logrange(1, 20)
    assert type(ours.rvs(random_state=0)) is int
    for random_state in (0, np.random.RandomState(0), np.random.default_rng(0)):
        drawn = ours.rvs(size=5000, random_state=random_state)
        assert drawn.dtype == np.int64
        counts = np.bincount(drawn, minlength=21)[1:]
        assert stats.chisquare(counts, 5000 * ours.pmf(np.arange(1, 21))).pvalue > 1e-3
    before = np.random.get_state()[1].tolist()
    assert len(set(ours.rvs(size=100).tolist())) > 5
    assert np.random.get_state()[1].tolist() == before


def test_candidates_are_native_ints_with_these_probabilities():
    ours = logrange(1, 20)
    drawn = [p["x"] for p in Policy.prior(Space({"x": ours})).sample(5000, 0)]
    assert {type(value) for value in drawn} == {int}
    counts = np.bincount(drawn, minlength=21)[1:]
    assert stats.chisquare(counts, 5000 * ours.pmf(np.arange(1, 21))).pvalue > 1e-3


@pytest.mark.parametrize(("low", "high", "size"), [(1, 500, 500), (7, 7, 1), (1, 10**9, np.inf)])
def test_every_integer_is_in_the_space(low, high, size):
    space = Space({"x": logrange(low, high)})
    assert space.size == size
    for value in {low, high, (low + high) // 2}:
        assert space.decode(space.encode([{"x": value}])) == [{"x": value}]
    for value in (low - 1, high + 1, low + 0.5):
        with pytest.raises(ValueError, match=rf"probability zero under logrange\({low}, {high}\)"):
            space.encode([{"x": value}])


def test_copies_are_equal():
    copy = pickle.loads(pickle.dumps(logrange(1, 9)))
    assert copy == logrange(1, 9)
    assert same(copy, logrange(1, 9))
    assert copy != logrange(1, 10)
    assert repr(copy) == "logrange(1, 9)"


def test_randomized_search_takes_it():
    drawn = [p["n"] for p in ParameterSampler({"n": logrange(1, 30)}, 100, random_state=0)]
    assert {type(n) for n in drawn} == {int}
    assert set(drawn) <= set(range(1, 31))
    X, y = np.arange(20.0)[:, None], np.arange(20) % 2
    RandomizedSearchCV(
        KNeighborsClassifier(), {"n_neighbors": logrange(1, 5)}, n_iter=3, cv=2, random_state=0
    ).fit(X, y)


@pytest.mark.parametrize(
    ("low", "high", "error"),
    [
        (0, 5, ValueError),
        (-3, 5, ValueError),
        (5, 4, ValueError),
        (1, 2**53 + 1, ValueError),
        (1.0, 5, TypeError),
        (1, 5.5, TypeError),
        (1, "5", TypeError),
        (True, 5, TypeError),
    ],
)
def test_other_ranges_are_refused(low, high, error):
    with pytest.raises(error, match=r"logrange must.*(low=|int, got)|logrange must be an int"):
        logrange(low, high)


def test_integers_of_numpy_are_as_good():
    ours = logrange(np.int64(1), np.int32(9))
    assert (type(ours.low), type(ours.high)) == (int, int)
