"""The design matrix of a critic: what enters it, and at what distances."""

import numpy as np

from skpg.space.features import Features

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
