"""A problem with a known optimum that learners are tried on."""

import numpy as np
from scipy import stats

from skpg import PolicyGradientOptimizer

MIXED = {
    "x": stats.uniform(0, 100),
    "n": stats.randint(0, 50),
    "k": ["a", "b", "c", "d"],
    "ordered": [1, 2, 4, 8],
}


def regret(learner, seed, batch=10, budget=250):
    """Return by how much a recommendation misses the greatest reward, 0."""
    rng = np.random.default_rng([seed, 1])
    x, n, k = rng.uniform(0, 100), rng.integers(50), "abcd"[rng.integers(4)]
    optimizer = PolicyGradientOptimizer(
        {name: MIXED[name] for name in ("x", "n", "k")}, learner=learner, random_state=seed
    )

    def reward(p):
        return -(((p["x"] - x) / 100) ** 2) - ((p["n"] - n) / 50) ** 2 - (p["k"] != k)

    for _ in range(budget // batch):
        params = optimizer.ask(batch)
        optimizer.tell(params, [reward(p) for p in params])
    return -reward(optimizer.recommend())
