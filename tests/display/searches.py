"""Searches of every kind that displays are made of, with fits that take no time."""

import warnings
from functools import cache

import numpy as np
from scipy.stats import loguniform, randint, uniform
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV

import skpg
from skpg import PolicyGradientSearchCV
from skpg.learners import NaturalGradient

X = np.arange(30.0)[:, None]
y = X[:, 0]


class Hill(RegressorMixin, BaseEstimator):
    """Scores best at a=.7, m=1 and kind='b'; fails where a > `cliff`."""

    def __init__(self, a=0.0, m=1.0, k=1, kind="b", other=None, cliff=2.0):
        self.a, self.m, self.k, self.kind, self.other, self.cliff = a, m, k, kind, other, cliff

    def fit(self, X, y):
        if self.a > self.cliff:
            raise ValueError("over the cliff")
        return self

    def predict(self, X):
        return X[:, 0]

    def score(self, X, y):
        hill = 1 - (self.a - 0.7) ** 2 - 0.1 * np.log10(self.m) ** 2
        return hill - 0.2 * (self.kind != "b") + 0.001 * float(np.asarray(X)[0, 0])


class Wide(Hill):
    """With fourteen hyperparameters, one of which has a long name."""

    def __init__(
        self, a=0.0, m=1.0, k=1, kind="b", other=None, cliff=2.0,
        h1=0, h2=0, h3=0, h4=0, h5=0, h6=0, h7=0, h8=0, the_strategy_of_the_preprocessor=0,
    ):  # fmt: skip
        super().__init__(a, m, k, kind, other, cliff)
        self.h1, self.h2, self.h3, self.h4, self.h5 = h1, h2, h3, h4, h5
        self.h6, self.h7, self.h8 = h6, h7, h8
        self.the_strategy_of_the_preprocessor = the_strategy_of_the_preprocessor


SPACE = {
    "a": uniform(0, 1),
    "m": loguniform(1e-3, 1e3),
    "k": randint(1, 9),
    "kind": ["a", "b", "c"],
    "other": [None, (1, 2), PCA(2), "a text of more characters than an axis has room for"],
}
WIDE = {
    **SPACE,
    **{f"h{i}": uniform(0, 1) for i in range(1, 9)},
    "the_strategy_of_the_preprocessor": [0, 1, 2],
}
BRANCHES = [
    {"kind": ["a"], "a": uniform(0, 1), "k": randint(1, 9)},
    {"kind": ["b"], "a": uniform(0, 1), "m": loguniform(1e-3, 1e3)},
]


def search(space=None, estimator=None, **settings):
    return PolicyGradientSearchCV(
        Hill() if estimator is None else estimator,
        SPACE if space is None else space,
        **{"n_iter": 30, "cv": 3, "random_state": 0} | settings,
    )


@cache
def fitted(kind):
    """Return a fitted search of a kind, the same object each time."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of failed fits
        return KINDS[kind]().fit(X, y)


def _two_metrics(estimator, X, y):
    return {"up": estimator.score(X, y), "down": -estimator.score(X, y)}


KINDS = {
    "usual": search,
    "one candidate": lambda: search(n_iter=1),
    "ten candidates": lambda: search(n_iter=10),
    "one hyperparameter": lambda: search({"m": loguniform(1e-3, 1e3)}, n_iter=20),
    "fourteen": lambda: search(WIDE, Wide()),
    "branches": lambda: search(BRANCHES),
    "failures": lambda: search(estimator=Hill(cliff=0.8)),
    "several metrics": lambda: search(scoring=_two_metrics, refit="up"),
    "raced": lambda: search(racing="optimistic"),
    "500 candidates": lambda: search(n_iter=500, learner=NaturalGradient()),
    "grid": lambda: GridSearchCV(Hill(), {"a": [0.1, 0.7], "k": [1, 2, 3], "kind": ["a", "b"]}),
    "random": lambda: RandomizedSearchCV(Hill(), SPACE, n_iter=20, cv=3, random_state=0),
}


def results_of(n, space=None, seed=0):
    """Return the ``cv_results_`` of `n` random candidates."""
    params = skpg.Policy.prior(skpg.Space(SPACE if space is None else space)).sample(n, seed)
    folds = np.array([[Hill(**p).score([[k]], None) for k in range(3)] for p in params])
    return {
        "params": params,
        **{f"split{k}_test_score": folds[:, k] for k in range(3)},
        "mean_test_score": folds.mean(axis=1),
        "mean_fit_time": np.ones(n),
        "mean_score_time": np.zeros(n),
        "iter": np.arange(n) // 10,
    }
