"""
Quick start: k nearest neighbours and a decision tree
=====================================================

Two small models on two datasets that come with scikit-learn, tuned by
:class:`~sklearn.model_selection.GridSearchCV`,
:class:`~sklearn.model_selection.RandomizedSearchCV` and
:class:`~skpg.PolicyGradientSearchCV`. All three get the same number of fits. Everything is
repeated with several seeds, because one run of a random method proves nothing.
"""

import time

import numpy as np
from scipy.stats import loguniform, randint, uniform
from sklearn.datasets import load_diabetes, load_digits
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, train_test_split
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

from skpg import PolicyGradientSearchCV
from skpg.display import ConvergenceDisplay

N_ITER = 64
CV = 3
SEEDS = range(3)
threadpool_limits(1)  # the fits are so small that threads would only wait for each other

# %%
# What is tuned
# -------------
# A list is a set of choices; a distribution of ``scipy.stats`` is a range with a scale. The
# space is written as for ``RandomizedSearchCV``. Estimators may be choices, so the scaler of
# the neighbours is tuned together with their number.

neighbours = Pipeline([("scale", StandardScaler()), ("knn", KNeighborsRegressor())])
neighbours_space = {
    "scale": [StandardScaler(), MinMaxScaler(), RobustScaler(), "passthrough"],
    "knn__n_neighbors": randint(1, 51),
    "knn__weights": ["uniform", "distance"],
    "knn__metric": ["euclidean", "manhattan", "chebyshev", "cosine", "canberra"],
}

tree = DecisionTreeClassifier(random_state=0)
tree_space = {
    "criterion": ["gini", "entropy"],
    "max_depth": randint(2, 31),
    "min_samples_leaf": randint(1, 51),
    "min_samples_split": randint(2, 51),
    "max_features": uniform(0.05, 0.95),
    "ccp_alpha": loguniform(1e-6, 1e-1),
}

# %%
# A grid over the same hyperparameters with as many candidates, 64, has room for two or four
# values of each.

neighbours_grid = {
    "scale": [StandardScaler(), MinMaxScaler(), RobustScaler(), "passthrough"],
    "knn__n_neighbors": [3, 7, 15, 31],
    "knn__weights": ["uniform", "distance"],
    "knn__metric": ["euclidean", "manhattan"],
}
tree_grid = {
    "criterion": ["gini", "entropy"],
    "max_depth": [5, 15],
    "min_samples_leaf": [1, 10],
    "min_samples_split": [2, 20],
    "max_features": [0.3, 0.8],
    "ccp_alpha": [1e-5, 1e-3],
}

problems = {
    "kNN, diabetes (R2)": (
        neighbours,
        neighbours_grid,
        neighbours_space,
        load_diabetes(return_X_y=True),
    ),
    "tree, digits (accuracy)": (tree, tree_grid, tree_space, load_digits(return_X_y=True)),
}

# %%
# The search
# ----------
# ``PolicyGradientSearchCV`` takes the same arguments as ``RandomizedSearchCV`` and leaves the
# same results. Half of the data is held out and meets only the winners; each seed has its own
# split, the same for all methods.


def run(search, X, y, seed):
    """Fit a search; return it, its wall time and its score on held-out data."""
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, random_state=seed)
    start = time.perf_counter()
    search.fit(X_train, y_train)
    seconds = time.perf_counter() - start
    return search, seconds, search.score(X_test, y_test)


def methods(model, grid, space):
    """Yield the name of each method and its searches, one per seed."""
    yield "GridSearchCV", [GridSearchCV(model, grid, cv=CV) for _ in SEEDS]
    for method in (RandomizedSearchCV, PolicyGradientSearchCV):
        yield (
            method.__name__,
            [method(model, space, n_iter=N_ITER, cv=CV, random_state=seed) for seed in SEEDS],
        )


runs = {
    (problem, name): [run(search, X, y, seed) for seed, search in enumerate(searches)]
    for problem, (model, grid, space, (X, y)) in problems.items()
    for name, searches in methods(model, grid, space)
}

# %%
# The figures
# -----------
# Means over the seeds. Every search makes the same number of fits, so the seconds differ by
# what the candidates cost and by what else the machine does; learning takes about a
# millisecond per candidate.

header = ("problem", "method", "fits", "best CV score", "held-out", "seconds")
layout = "{:<23} {:<22} {:>5} {:>14} {:>9} {:>8}"
print(layout.format(*header))
for (problem, name), results in runs.items():
    best = [search.best_score_ for search, _, _ in results]
    fits = {len(search.cv_results_["params"]) * search.n_splits_ for search, _, _ in results}
    print(
        layout.format(
            problem,
            name,
            fits.pop(),
            f"{np.mean(best):.4f}",
            f"{np.mean([held_out for _, _, held_out in results]):.4f}",
            f"{np.mean([seconds for _, seconds, _ in results]):.1f}",
        )
    )

# %%
# Two things to keep in mind when reading it. The best cross-validated score is the greatest
# of 64 noisy numbers, so it promises too much. And the held-out score of a few hundred rows
# moves by a hundredth or two by chance alone: it shows that the winners are sound more than
# which method is best.
#
# What the search has learned
# ---------------------------
# Beside ``best_params_`` there is the policy: of a list, the probability of each choice; of a
# distribution, the median and the central 80 % of what it would draw next.

for problem in problems:
    search, _, _ = runs[problem, "PolicyGradientSearchCV"][0]
    print(problem)
    print("best:", search.best_params_)
    print(search.policy_, end="\n\n")

# %%
# The course of the search
# ------------------------
# The best score so far against the number of candidates: means over the seeds, and one standard
# deviation. The first ten candidates are drawn at random by both methods; a grid is walked through
# in its order. :class:`~skpg.display.ConvergenceDisplay` takes searches of scikit-learn as well.

try:
    import matplotlib.pyplot as plt
except ImportError:
    print("matplotlib is not installed: no plot.")
else:
    figure = plt.figure(figsize=(10, 4.5), layout="constrained")
    names = dict.fromkeys(name for _, name in runs)
    for panel, problem in zip(figure.subfigures(1, 2), problems, strict=True):
        compared = {name: [search for search, _, _ in runs[problem, name]] for name in names}
        ConvergenceDisplay.from_search(compared).plot(ax=panel.subplots())
        panel.suptitle(problem)
    plt.show()
