"""The zeroth-order gradient improves on its start."""

import numpy as np
import pytest

from skpg.learners import ZerothOrder
from tests.learners.problems import regret


def test_the_second_road_improves_on_the_prior_over_ten_seeds():
    before = [regret(ZerothOrder(), seed, budget=0) for seed in range(10)]
    after = [regret(ZerothOrder(), seed, budget=250) for seed in range(10)]
    assert np.mean(after) < 0.2 * np.mean(before)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ZerothOrder(epsilon=0), "epsilon must be a positive number, got 0"),
        (lambda: ZerothOrder(learning_rate=-0.1), "learning_rate must be a positive number"),
        (lambda: ZerothOrder(baseline="mean"), "baseline must be .*'current'.* got 'mean'"),
        (lambda: ZerothOrder(epsilon=None), "epsilon must be a positive number, got None"),
        (lambda: ZerothOrder(antithetic=2), "antithetic must be True or False, got 2"),
        (lambda: ZerothOrder(normalize=None), "normalize must be True or False, got None"),
    ],
)
def test_bad_settings_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
