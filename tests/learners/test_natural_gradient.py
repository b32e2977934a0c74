"""The natural gradient finds a known optimum."""

import numpy as np
import pytest

from skpg.learners import NaturalGradient
from tests.learners.problems import regret


def test_the_natural_gradient_finds_a_known_optimum_over_ten_seeds():
    regrets = [regret(NaturalGradient(), seed) for seed in range(10)]
    assert np.median(regrets) < 1e-4
    assert max(regrets) < 0.01


@pytest.mark.parametrize("batch", [1, 5, 25])
def test_the_natural_gradient_learns_at_any_batch_size(batch):
    regrets = [regret(NaturalGradient(), seed, batch=batch) for seed in range(5)]
    assert np.median(regrets) < 0.01


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: NaturalGradient(mean_step=-1), "mean_step must be a positive number, got -1"),
        (lambda: NaturalGradient(window=1), "window must be at least 2, got 1"),
        (lambda: NaturalGradient(window=2.5), "window must be an integer, got 2.5"),
        (lambda: NaturalGradient(window="10"), "window must be an integer, got '10'"),
        (lambda: NaturalGradient(scale_step=np.nan), "scale_step must be a positive number"),
    ],
)
def test_bad_settings_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
