"""Hyperparameters as axes: places, ends, scales and labels."""

import numpy as np
import pytest
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from skpg import Categorical, Ordinal, logrange
from skpg.display.inference import inferred_space
from skpg.display.labels import short_names, value_labels
from skpg.display.record import SearchRecord
from skpg.display.scales import scales_of
from skpg.policy.policy import Policy
from skpg.space.space import Space


def record_over(space, n=20):
    space = Space(space)
    params = tuple(Policy.prior(space).sample(n, 0))
    folds = np.arange(3.0 * n).reshape(n, 3)
    whole = np.arange(n)
    return SearchRecord(
        space, params, folds, np.array(["complete"] * n), np.full(n, 3), np.ones(n), whole
    )


def scale_over(entry):
    (scale,) = scales_of(record_over({"x": entry}))
    return scale


@pytest.mark.parametrize(
    ("entry", "logarithmic", "ends"),
    [
        (stats.uniform(2, 3), False, (2.0, 5.0)),
        (stats.loguniform(1e-4, 1e2), True, (1e-4, 1e2)),
        (stats.loguniform(1, 2), False, (1.0, 2.0)),
        (stats.randint(1, 31), False, (1.0, 30.0)),
        (logrange(1, 1000), True, (1.0, 1000.0)),
        (stats.norm(5, 1), False, (None, None)),
        (stats.lognorm(2), True, (0.0, None)),
        (stats.poisson(4), False, (0.0, None)),
    ],
)
def test_a_distribution_becomes_an_axis_with_its_ends(entry, logarithmic, ends):
    scale = scale_over(entry)
    assert scale.logarithmic is logarithmic
    assert scale.ends == (pytest.approx(ends[0]) if ends[0] else ends[0], ends[1])
    assert np.isfinite([scale.low, scale.high]).all()
    assert not scale.logarithmic or scale.low > 0


def test_an_axis_of_a_range_with_ends_goes_from_one_to_the_other():
    scale = scale_over(stats.loguniform(1e-4, 1e2))
    assert (scale.low, scale.high) == (pytest.approx(1e-4), pytest.approx(1e2))
    np.testing.assert_allclose(scale.fractions(np.array([1e-4, 1e-1, 1e2])), [0, 0.5, 1])


def test_the_grid_of_integers_has_integers_only():
    grid = scale_over(stats.randint(1, 9)).grid(101)
    np.testing.assert_array_equal(grid, np.arange(1.0, 9.0))


def test_ordered_lists_stand_in_their_order_and_others_as_listed():
    scale = scale_over([10, 1, 100])
    assert scale.labels == ("1", "10", "100")
    np.testing.assert_array_equal(
        scale.positions(np.array([0.0, 1.0, 2.0, np.nan])), [1, 0, 2, np.nan]
    )
    assert scale_over(Categorical([10, 1, 100])).labels == ("10", "1", "100")
    assert scale_over(Ordinal(["low", "high", "mid"])).labels == ("low", "high", "mid")


def test_what_has_one_value_is_left_out_unless_nothing_else_is_there():
    space = {"x": stats.uniform(), "fixed": ["only"]}
    assert [scale.name for scale in scales_of(record_over(space))] == ["x"]
    assert [scale.name for scale in scales_of(record_over({"fixed": ["only"]}))] == ["fixed"]


def test_params_choose_hyperparameters():
    record = record_over({"x": stats.uniform(), "y": stats.uniform()})
    assert [scale.name for scale in scales_of(record, ["y"])] == ["y"]
    with pytest.raises(ValueError, match=r"names of hyperparameters, \['x', 'y'\], got \['z'\]"):
        scales_of(record, ["z"])
    with pytest.raises(TypeError, match="params must be a list of names, got 'x'"):
        scales_of(record, "x")


def test_one_name_in_two_branches_has_two_axes_that_say_which():
    space = [
        {"model": ["tree"], "depth": stats.randint(1, 5)},
        {"model": ["forest"], "depth": stats.randint(1, 50)},
    ]
    titles = [scale.title for scale in scales_of(record_over(space))]
    assert titles == ["branch", "depth\n('tree')", "depth\n('forest')"]


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (["rbf", None, "None"], ["rbf", "None", "'None'"]),
        ([PCA(2), StandardScaler()], ["PCA", "StandardScaler"]),
        ([PCA(2), PCA(3)], ["PCA(2)", "PCA(3)"]),
        ([np.mean, len, (1, 2)], ["mean", "len", "(1, 2)"]),
        ([1, 1.0, True], ["1", "1.0", "True"]),
        (["x" * 40 + "1", "x" * 40 + "2"], ["x" * 27 + "… #1", "x" * 27 + "… #2"]),
    ],
)
def test_labels_of_values_are_short_and_all_different(values, labels):
    assert value_labels(values) == labels


def test_long_names_keep_their_ends_and_stay_different():
    names = ["a" * 40 + "__depth", "b" * 40 + "__depth", "C"]
    assert short_names(names) == ["…depth #1", "…depth #2", "C"]


def test_a_space_is_inferred_from_candidates_of_two_kinds():
    params = [{"kind": "tree", "depth": d} for d in range(1, 11)]
    params += [{"kind": "svm", "C": 10.0**c} for c in range(-5, 5)]
    space = inferred_space(params)
    assert space.branches == 2
    scales = {scale.name: scale for scale in scales_of(record_of_params(space, params))}
    assert scales["depth"].whole
    assert scales["C"].logarithmic


def record_of_params(space, params):
    n = len(params)
    folds, statuses = np.zeros((n, 2)), np.array(["complete"] * n)
    return SearchRecord(
        space, tuple(params), folds, statuses, np.full(n, 2), np.ones(n), np.arange(n)
    )
