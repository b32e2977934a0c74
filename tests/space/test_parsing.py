"""What may be passed as a space, what is made of it, and what is refused."""

import numpy as np
import pytest
from scipy import stats

from skpg.policy.policy import Policy
from skpg.space.space import Space
from tests.space.user_distributions import MOVED, OnlyQuantiles, thirds


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


def test_one_true_and_one_point_zero_are_three_choices():
    space = Space({"x": [1, True, 1.0]})
    assert space.size == 3
    assert [space.identify({"x": value})[0] for value in (1, True, 1.0)] == [0, 1, 2]


def test_a_repeated_choice_is_more_likely():
    space = Space({"x": ["a", "b", "a", "a"]})
    assert space.size == 2
    assert space.dimensions[0].weights.tolist() == [0.75, 0.25]


class WithoutArguments:
    """RandomizedSearchCV passes a random_state."""

    @staticmethod
    def rvs():
        return 1


def test_a_distribution_of_ones_own_needs_rvs_and_ppf_only():
    drawn = Policy.prior(Space({"x": OnlyQuantiles(thirds)})).sample(100, 0)
    values = np.array([params["x"] for params in drawn])
    assert 0 < values.min() < 0.5 < 2.5 < values.max() < 3


def test_atoms_keep_their_places_and_probabilities():
    (dimension,) = Space({"x": MOVED[0]}).dimensions
    assert dimension.atoms.tolist() == [11, 12, 18]
    np.testing.assert_allclose(dimension.cumulative, [0.2, 0.7, 1.0])
    (dimension,) = Space({"x": MOVED[3]}).dimensions
    assert dimension.atoms.tolist() == [-1, 3]  # 2 has no probability
    even = stats.rv_discrete(values=(range(49), np.full(49, 1 / 49)))  # they add up to 1 + 2e-16
    (dimension,) = Space({"x": even}).dimensions
    assert dimension.atoms.tolist() == list(range(49))


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
        ({"C": object()}, TypeError, "'C'.*list of choices.*`rvs`.*of type object"),
        ({"C": list}, TypeError, "'C'.*list of choices.*<class 'list'>"),
        ({"C": WithoutArguments()}, ValueError, "'C'.*`rvs` fails.*TypeError"),
        ({"C": WithoutArguments}, ValueError, "'C'.*class 'WithoutArguments'.*arguments"),
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
