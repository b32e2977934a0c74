"""What racing saves: digits, 10 folds, four kinds of models.

All folds of all candidates of a grid are fitted once and recorded; the searches then replay
the records through the real engine. Two questions:

- The same 30 candidates in 20 random orders: is the best the one that is found without
  racing, and how many of the 300 fits were run?
- At an equal number of fits (those of 30 candidates without racing), how good is the best
  candidate that a search finds, over 10 seeds?

    python doc/benchmarks/racing.py [--orders 20] [--seeds 10] [--samples 1797]
        [--problems kNN tree SVC forest]
"""

from __future__ import annotations

import argparse

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV, ParameterGrid, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skpg import PolicyGradientSearchCV

N_FOLDS, N_CANDIDATES = 10, 30
PROBLEMS = {
    "kNN": (
        KNeighborsClassifier(),
        {"n_neighbors": list(range(1, 31)), "weights": ["uniform", "distance"], "p": [1, 2]},
    ),
    "tree": (
        DecisionTreeClassifier(random_state=0),
        {
            "max_depth": list(range(3, 15)),
            "min_samples_leaf": [1, 2, 3, 5, 8, 12, 20],
            "criterion": ["gini", "entropy"],
        },
    ),
    "SVC": (
        SVC(),
        {"C": np.logspace(-2, 3, 10).tolist(), "gamma": np.logspace(-6, 0, 12).tolist()},
    ),
    "forest": (
        RandomForestClassifier(n_estimators=10, random_state=0),
        {
            "max_depth": [2, 3, 4, 6, 8, 12],
            "max_features": [0.05, 0.1, 0.2, 0.4],
            "min_samples_leaf": [1, 2, 4, 8, 16],
        },
    ),
}


class KnownCandidate(ClassifierMixin, BaseEstimator):
    """Scores what was recorded for its candidate on the fold that it is tested on."""

    def __init__(self, table=None, **params):
        self.table = table
        self.params = params

    def get_params(self, deep=True):
        return {"table": self.table, **self.params}

    def set_params(self, **params):
        self.table = params.pop("table", self.table)
        self.params.update(params)
        return self

    def __sklearn_clone__(self):
        return KnownCandidate(self.table, **self.params)

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])

    def score(self, X, y):
        return self.table[key(self.params)][int(X[0, 0])]


def key(params: dict) -> tuple:
    return tuple(sorted((name, repr(value)) for name, value in params.items()))


def record(estimator, grid: dict, samples: int) -> dict[tuple, np.ndarray]:
    """Return the scores of all candidates on all folds."""
    X, y = load_digits(return_X_y=True)
    cv = StratifiedKFold(N_FOLDS, shuffle=True, random_state=0)
    results = GridSearchCV(estimator, grid, cv=cv, refit=False).fit(X[:samples], y[:samples])
    folds = [results.cv_results_[f"split{k}_test_score"] for k in range(N_FOLDS)]
    rows = np.column_stack(folds)
    return {key(params): row for params, row in zip(ParameterGrid(grid), rows, strict=True)}


def search(table, grid: dict, **settings) -> PolicyGradientSearchCV:
    """Search the recorded candidates."""
    fold = np.repeat(np.arange(N_FOLDS), 2)
    splits = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(N_FOLDS)]
    return PolicyGradientSearchCV(
        KnownCandidate(table),
        grid,
        cv=splits,
        refit=False,
        racing_bound=1.0,
        batch_size=10,
        **settings,
    ).fit(fold[:, None].astype(float), np.tile([0, 1], N_FOLDS))


def orders(table, grid: dict, racing, n_orders: int) -> tuple[float, int]:
    """Return the share of fits that were run, and how often the best was found."""
    share, kept = [], 0
    everything = list(ParameterGrid(grid))
    for seed in range(n_orders):
        rng = np.random.default_rng(0)
        chosen = [everything[i] for i in rng.choice(len(everything), N_CANDIDATES, replace=False)]
        order = np.random.default_rng(seed).permutation(N_CANDIDATES)
        candidates = [chosen[i] for i in order]
        means = [table[key(params)].mean() for params in candidates]
        found = search(
            table, grid, n_iter=N_CANDIDATES, initial_params=candidates, racing=racing,
            random_state=seed,
        )  # fmt: skip
        kept += found.best_params_ == candidates[int(np.argmax(means))]
        share.append(found.n_fits_ / (N_CANDIDATES * N_FOLDS))
    return float(np.mean(share)), kept


def best_at_equal_fits(table, grid: dict, racing, seed: int) -> float:
    """Return the best mean score within the fits of 30 complete candidates."""
    n_iter = N_CANDIDATES if racing is False else min(len(table), 4 * N_CANDIDATES)
    results = search(table, grid, n_iter=n_iter, racing=racing, random_state=seed).cv_results_
    n_fits = np.cumsum(results.get("n_folds_evaluated", np.full(n_iter, N_FOLDS)))
    within = n_fits <= N_CANDIDATES * N_FOLDS
    return float(np.nanmax(results["mean_test_score"][within]))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--samples", type=int, default=1797)
    parser.add_argument("--problems", nargs="*", choices=PROBLEMS, default=list(PROBLEMS))
    arguments = parser.parse_args()
    for name in arguments.problems:
        estimator, grid = PROBLEMS[name]
        table = record(estimator, grid, arguments.samples)
        print(f"{name}: {len(table)} candidates recorded", flush=True)
        for racing in (True, "optimistic"):
            share, kept = orders(table, grid, racing, arguments.orders)
            print(f"  racing={racing!s:10} fits run {share:.0%}, best kept {kept} of", end=" ")
            print(arguments.orders, flush=True)
        for racing in (False, True, "optimistic"):
            best = [best_at_equal_fits(table, grid, racing, s) for s in range(arguments.seeds)]
            print(f"  racing={racing!s:10} best at equal fits {np.mean(best):.4f}", flush=True)


if __name__ == "__main__":
    main()
