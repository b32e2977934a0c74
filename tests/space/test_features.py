"""What a model of the rewards sees of actions."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from skpg.policy.policy import Policy
from skpg.space.dimensions.quantiles import LARGEST_Z
from skpg.space.features import numbers_and_choices
from skpg.space.space import Space
from tests.space.strategies import SPACES
from tests.space.user_distributions import OnlyQuantiles, logarithmic, tenths


@given(SPACES, st.integers(0, 2**32))
def test_features_lie_in_the_unit_interval(param_distributions, seed):
    space = Space(param_distributions)
    actions = Policy.prior(space).sample_actions(20, np.random.default_rng(seed))
    numeric, nominal = numbers_and_choices(space, actions)
    assert numeric.shape[1] + nominal.shape[1] == len(space.dimensions)
    assert ((numeric >= 0) & (numeric <= 1)).all()
    assert (nominal >= -1).all()


def test_ordered_lists_are_features_by_rank():
    space = Space({"x": [100, 1, 10], "two": [1, 2], "mixed": [1, 2, "auto"]})
    numeric, nominal = numbers_and_choices(space, np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 0.0]]))
    np.testing.assert_allclose(numeric, [[5 / 6], [1 / 6]])
    assert nominal.tolist() == [[1, 2], [0, 0]]


def test_features_of_values_that_round_to_one_integer_are_equal():
    space = Space({"x": stats.randint(0, 4)})
    numeric, _ = numbers_and_choices(space, np.array([[-0.5], [-0.3], [0.9]]))
    np.testing.assert_allclose(numeric.ravel(), [0.375, 0.375, 0.875])


def test_whole_numbers_are_one_feature_per_number():
    """Those of a distribution that scipy does not know, as those of one that it knows."""
    theirs, ours = Space({"x": stats.randint(0, 10)}), Space({"x": OnlyQuantiles(tenths, int)})
    z = np.linspace(-LARGEST_Z, LARGEST_Z, 100)[:, None]  # between the atoms
    assert ours.decode(z) == theirs.decode(z)
    np.testing.assert_allclose(
        numbers_and_choices(ours, z)[0], numbers_and_choices(theirs, z)[0], atol=1e-12
    )
    assert ours.size == 10
    many = Space({"x": OnlyQuantiles(logarithmic, int)})
    assert many.size == np.inf
    values = many.decode(z)
    np.testing.assert_allclose(
        numbers_and_choices(many, z)[0].ravel(),
        [(np.log(p["x"]) + np.log(p["x"] + 1)) / 2 / np.log(1e6) for p in values],
        atol=1e-9,
    )
