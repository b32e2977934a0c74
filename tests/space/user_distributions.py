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


class OnlyDraws:
    """The least that RandomizedSearchCV takes."""

    def __init__(self, draw):
        self._draw = draw

    def rvs(self, random_state=None):
        return self._draw(random_state)


def uniform(rng):
    return rng.uniform()


def log_uniform(rng):
    return np.float32(10 ** rng.uniform(-3, 3))


def odd(rng):
    return 2 * rng.randint(1, 20) + 1


def power_of_two(rng):
    return 2.0 ** rng.randint(-3, 3)


def often_zero(rng):
    return max(rng.normal(), 0.0)


def millions(rng):
    return rng.randint(10**7)


def always_three(rng):
    return np.array(3)


def letter(rng):
    return "abb"[rng.randint(3)]


def flag(rng):
    return rng.uniform() < 0.2


def layers(rng):
    return (16 * rng.randint(1, 5),) * rng.randint(1, 3)


def number_or_none(rng):
    return None if rng.uniform() < 0.3 else rng.randint(5)


def weights(rng):
    return rng.dirichlet(np.ones(3))


class LikeSkrub:
    """Has the public fields of skrub's ranges, which need not be installed."""

    def __init__(self, low, high, log, to_int):
        self.low, self.high, self.log, self.to_int = low, high, log, to_int


class LikeChoiceOfSkrub:
    """Has the public fields of skrub's choices."""

    def __init__(self, outcomes):
        self.outcomes, self.outcome_names = outcomes, None


SKRUB_LIKE = [
    LikeSkrub(1e-3, 10.0, True, False),
    LikeSkrub(-1.0, 3.0, False, False),
    LikeSkrub(1, 9, False, True),
    LikeSkrub(1, 1000, True, True),
    LikeChoiceOfSkrub(["a", None, (1, 2)]),
]


# Objects that draw numbers, and objects that draw others.
DRAWN_NUMBERS = [
    OnlyDraws(draw)
    for draw in (uniform, log_uniform, odd, power_of_two, often_zero, millions, always_three)
]
DRAWN_OBJECTS = [OnlyDraws(draw) for draw in (letter, flag, layers, number_or_none, weights)]
# scipy's newer distributions, of scipy >= 1.15; those of LOCAL cannot be pickled, and copies of
# normal ones are wrong.
if hasattr(stats, "make_distribution"):
    NORMAL = [
        stats.Normal(mu=5.0, sigma=2.0),
        2 * stats.Normal(mu=5.0, sigma=2.0) + 1,
        stats.truncate(stats.Normal(mu=5.0, sigma=2.0), lb=0, ub=7),
        stats.Mixture([stats.Normal(mu=5.0, sigma=1.0), stats.Uniform(a=0.0, b=1.0)]),
    ]
    COPYABLE = [
        stats.Normal(),
        stats.Uniform(a=1.0, b=3.0),
        -stats.Uniform(a=1.0, b=3.0),
        stats.truncate(stats.Uniform(a=0.0, b=10.0), lb=1, ub=3),
        *([stats.Binomial(n=10, p=0.3)] if hasattr(stats, "Binomial") else []),
        *([stats.Logistic()] if hasattr(stats, "Logistic") else []),
    ]
    LOCAL = [
        stats.exp(stats.Uniform(a=-3.0, b=2.0)),
        stats.exp(stats.Normal(mu=1.0, sigma=0.5)),
        stats.make_distribution(stats.loguniform)(a=1e-3, b=1e3),
        stats.make_distribution(stats.beta)(a=2.0, b=5.0),
    ]
else:
    NORMAL, COPYABLE, LOCAL = [], [], []
