"""How well `ConvergenceDisplay` estimates random search, without running it.

On five small tasks 400 random candidates are cross-validated; resampled, they tell the expected
best of k. Beside it stands what the display makes of searches of 60 candidates, three of each
task::

    python doc/benchmarks/random_search_estimate.py
"""

from __future__ import annotations

import warnings

import numpy as np
from scipy.stats import loguniform, randint, uniform
from sklearn.datasets import load_diabetes, load_digits
from sklearn.model_selection import RandomizedSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from threadpoolctl import threadpool_limits

from skpg import PolicyGradientSearchCV
from skpg.display import ConvergenceDisplay

N_RANDOM, N_ITER, SEEDS = 400, 60, range(3)
NUMBERS = np.array([10, 20, 60])

digits = tuple(part[:500] for part in load_digits(return_X_y=True))
diabetes = load_diabetes(return_X_y=True)
leaves = {"min_samples_leaf": randint(1, 51)}
TASKS = {
    "tree, digits": (
        DecisionTreeClassifier(random_state=0),
        {
            "criterion": ["gini", "entropy"],
            "max_depth": randint(2, 31),
            "ccp_alpha": loguniform(1e-6, 1e-1),
            **leaves,
        },
        digits,
    ),
    "SVC, digits": (
        SVC(),
        {
            "C": loguniform(1e-3, 1e3),
            "gamma": loguniform(1e-6, 1e1),
            "kernel": ["rbf", "poly", "sigmoid"],
        },
        digits,
    ),
    "tree, diabetes": (
        DecisionTreeRegressor(random_state=0),
        {
            "max_depth": randint(1, 21),
            "ccp_alpha": loguniform(1e-1, 1e3),
            "max_features": uniform(0.1, 0.9),
            **leaves,
        },
        diabetes,
    ),
    "SVR, diabetes": (
        make_pipeline(StandardScaler(), SVR()),
        {
            "svr__C": loguniform(1e-2, 1e3),
            "svr__gamma": loguniform(1e-5, 1e1),
            "svr__epsilon": loguniform(1e-2, 1e2),
        },
        diabetes,
    ),
    "neighbours, diabetes": (
        make_pipeline(StandardScaler(), KNeighborsRegressor()),
        {
            "kneighborsregressor__n_neighbors": randint(1, 51),
            "kneighborsregressor__p": uniform(1, 3),
            "kneighborsregressor__weights": ["uniform", "distance"],
        },
        diabetes,
    ),
}


def best_of(scores: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return the expected greatest of so many draws."""
    below = np.arange(len(scores) + 1) / len(scores)
    return np.array([np.sort(scores) @ np.diff(below**k) for k in numbers])


def main() -> None:
    threadpool_limits(1)
    warnings.simplefilter("ignore")  # of trees and machines that do not converge
    print(f"{'best of':<22} {'':<9}" + "".join(f"{k:>8}" for k in NUMBERS))
    errors = []
    for name, (estimator, space, (X, y)) in TASKS.items():
        random = RandomizedSearchCV(estimator, space, n_iter=N_RANDOM, random_state=0, refit=False)
        scores = random.fit(X, y).cv_results_["mean_test_score"]
        measured = best_of(scores, NUMBERS)
        print(f"{name:<22} {'measured':<9}" + "".join(f"{v:8.4f}" for v in measured))
        for seed in SEEDS:
            search = PolicyGradientSearchCV(
                estimator, space, n_iter=N_ITER, random_state=seed, refit=False
            ).fit(X, y)
            display = ConvergenceDisplay.from_search(search)
            estimated = display.random_search[0, NUMBERS - 1]
            errors.append(estimated - measured)
            print(f"{'':<22} {f'seed {seed}':<9}" + "".join(f"{v:8.4f}" for v in estimated))
    rows = np.abs(errors)
    print(f"{'error':<22} {'mean':<9}" + "".join(f"{v:8.4f}" for v in rows.mean(axis=0)))
    print(f"{'':<22} {'greatest':<9}" + "".join(f"{v:8.4f}" for v in rows.max(axis=0)))


if __name__ == "__main__":
    main()
