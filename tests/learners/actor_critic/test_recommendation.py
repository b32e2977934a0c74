"""The answer of the default learner."""

import numpy as np
from scipy import stats

from skpg import PolicyGradientOptimizer


def test_a_recommendation_tells_apart_what_all_rewards_together_cannot():
    """Among a thousandth of each range the critic of the best still sees the slope."""
    space = {name: stats.uniform(0, 100) for name in "xyz"}
    for seed in range(3):
        optimizer = PolicyGradientOptimizer(space, random_state=seed)
        truth = dict(zip("xyz", np.random.default_rng(seed).uniform(0, 100, 3), strict=True))
        for _ in range(15):
            params = optimizer.ask(10)
            optimizer.tell(params, [-sum((p[k] - truth[k]) ** 2 for k in p) for p in params])
        best = optimizer.recommend()
        assert max(abs(best[name] - truth[name]) for name in space) < 0.05


def test_of_unordered_choices_the_best_candidate_is_recommended():
    optimizer = PolicyGradientOptimizer({name: list("abcd") for name in "xyz"}, random_state=0)
    for _ in range(3):
        asked = optimizer.ask(10)
        optimizer.tell(asked, [-float(ord(p["x"]) * ord(p["y"])) for p in asked])
    best = optimizer.space.decode(optimizer.memory.actions)[optimizer.memory.rewards.argmax()]
    assert optimizer.recommend() == best
