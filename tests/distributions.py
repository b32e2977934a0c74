"""Distributions as users write them, and scipy's with their less usual arguments."""

import numpy as np
from scipy import stats


class OnlyQuantiles:
    """The least that a distribution must have; its values are `kind` as it draws them."""

    def __init__(self, ppf, kind=float):
        self._ppf, self.kind = ppf, kind

    def rvs(self, random_state=None):
        return self.kind(self.ppf(random_state.uniform()))

    def ppf(self, q):
        return self._ppf(np.asarray(q))


class WithCdf(OnlyQuantiles):
    """Whole numbers from 0 to 9."""

    def __init__(self, kind=int):
        super().__init__(tenths, kind)

    def cdf(self, x):
        return np.clip((np.floor(x) + 1) / 10, 0, 1)


def thirds(q):
    return 3 * q


def from_three_to_nine_tenths(q):
    return 0.3 + 0.6 * q


def tenths(q):
    return np.floor(10 * q)


def logistic(q):
    return np.log(q / (1 - q))


def steps(q):
    return np.array([0.1, 0.2, 0.5])[np.minimum(np.floor(3 * q), 2).astype(int)]


class WithAtoms(OnlyQuantiles):
    """All that scipy's discrete distributions have, with a step of .1."""

    def __init__(self):
        super().__init__(steps)

    def support(self):
        return 0.1, 0.5

    def cdf(self, x):
        return np.searchsorted([0.1, 0.2, 0.5], x, side="right") / 3

    def pmf(self, x):
        return np.isin(x, [0.1, 0.2, 0.5]) / 3


def logarithmic(q):
    return np.exp(q * np.log(1e6))


# Objects of users: continuous, in steps, and whole numbers, few and many, that are rounded by
# their quantile function or only when they are drawn.
OWN = [
    OnlyQuantiles(thirds),
    OnlyQuantiles(logistic),
    OnlyQuantiles(steps),
    OnlyQuantiles(tenths),  # 4.0 and not 4
    OnlyQuantiles(tenths, int),
    OnlyQuantiles(logarithmic, int),
    OnlyQuantiles(thirds, int),
    WithCdf(),
    WithCdf(float),
    WithAtoms(),
]
MOVED = [
    stats.rv_discrete(values=([1, 2, 8], [0.2, 0.5, 0.3]))(loc=10),
    stats.rv_discrete(values=([1, 2, 8], [0.2, 0.5, 0.3]))(0.1),
    stats.rv_discrete(values=([0.5, 1.0, 2.0], [0.2, 0.5, 0.3])),
    stats.rv_discrete(values=([3, -1, 2], [0.2, 0.8, 0.0])),
    stats.randint(1, 31, loc=-5),
    stats.poisson(4, loc=3),
    stats.randint(1, 31, loc=0.5),  # scipy draws integers nevertheless
    stats.poisson(4, loc=0.5),
    stats.uniform(0.3, 0.6),
    stats.loguniform(1e-3, 1, loc=2),
]
