"""The design matrix of a critic: what enters it, and at what distances."""

import numpy as np
from scipy import stats

from skpg.space.features import Features, design
from skpg.space.space import Space

FEATURES = Features(2, (3, 2))


def test_two_values_of_a_list_are_at_distance_one():
    x = FEATURES.design(np.zeros((3, 2)), np.array([[0, 0], [1, 0], [2, 1]]))
    np.testing.assert_allclose(np.linalg.norm(x[0] - x[1]), 1)
    np.testing.assert_allclose(np.linalg.norm(x[0] - x[2]), np.sqrt(2))


def test_main_effects_are_centred_and_orthogonal():
    u = (np.arange(1000) + 0.5) / 1000
    effects = Features(1).main_effects(u[:, None])
    np.testing.assert_allclose(effects.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(effects.T @ effects / 1000, np.eye(2), atol=1e-2)


def test_what_is_switched_off_has_no_main_effects():
    off = np.zeros((5, 4), dtype=bool)
    off[0, [0, 3]] = True  # the first choice of the first list: a number and the other list
    features = FEATURES.with_off(off)
    x = features.design(np.array([[0.9, 0.9], [0.9, 0.9]]), np.array([[0, 1], [1, 1]]))
    first, second = features.main_effects(x)
    of_first = np.array([True, False, True, False, False, False, False, True, True])
    assert (first[of_first] == 0).all()
    assert (second[of_first] != 0).all()
    np.testing.assert_array_equal(
        first[[1, 3]], second[[1, 3]]
    )  # the other number has its effects all the same


def test_hyperparameters_of_other_branches_have_no_main_effects():
    space = Space(
        [{"a": stats.uniform()}, {"b": stats.uniform(), "c": [None, "x", "y"]}, {"d": [1]}]
    )
    actions = space.encode([{"a": 0.9}, {"b": 0.9, "c": "x"}, {"d": 1}])
    features = Features.of(space)
    effects = features.main_effects(design(space, actions))
    columns = {"a": [0, 2], "b": [1, 3]}
    for name, row in (("a", 0), ("b", 1)):
        others = [i for i in range(3) if i != row]
        assert (effects[row, columns[name]] != 0).all()
        assert (effects[np.ix_(others, columns[name])] == 0).all()
    of_c = [4 + 3 + k for k in range(3)]  # after the linear, the quadratic, and the branches
    assert (effects[1, of_c] != 0).all()
    assert (effects[np.ix_([0, 2], of_c)] == 0).all()


def test_choices_switch_off_more():
    off = np.zeros((5, 4), dtype=bool)
    off[1, 2] = True
    more = np.zeros((5, 4), dtype=bool)
    more[0, 0] = True
    assert FEATURES.with_off(None).off is None
    np.testing.assert_array_equal(FEATURES.with_off(off).with_off(more).off, off | more)
    np.testing.assert_array_equal(FEATURES.with_off(off).with_off(None).off, off)
