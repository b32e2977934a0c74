"""Tuning tasks as practitioners write them, on the data that scikit-learn brings along.

Half of the rows are for the search, which cross-validates them in five folds; the other half
scores the winner. Which rows are in which half depends on the split. Fifteen tasks have one
dict of hyperparameters; three have a list of dicts, one of kernels and two of whole models.
Linnerud is left out: its 20 rows are too few for a half that is held out.

    python doc/benchmarks/real_tasks.py     # prints what a candidate of each task takes
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy.stats import loguniform, randint, uniform
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
)
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import ElasticNet, LogisticRegression, Ridge
from sklearn.metrics import get_scorer
from sklearn.model_selection import (
    KFold,
    ParameterSampler,
    StratifiedKFold,
    cross_val_score,
    train_test_split,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
)
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

Params = dict[str, Any]
Space = dict[str, Any] | list[dict[str, Any]]
N_SPLITS = 4
LARGEST = 400  # rows of a task, both halves


@dataclass(frozen=True)
class RealTask:
    """One split of a task: its rows and what the search needs."""

    name: str
    split: int
    estimator: BaseEstimator
    space: Space
    scoring: str
    halves: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]

    @property
    def folds(self) -> KFold | StratifiedKFold:
        kind = StratifiedKFold if is_classifier(self.estimator) else KFold
        return kind(5, shuffle=True, random_state=0)

    def candidate(self, params: Params) -> BaseEstimator:
        return clone(self.estimator).set_params(**clone(params, safe=False))

    def reward(self, params: Params) -> float:
        """Return the mean score of the five folds of the half for the search."""
        X, _, y, _ = self.halves
        scores = cross_val_score(
            self.candidate(params), X, y, cv=self.folds, scoring=self.scoring, error_score="raise"
        )
        return float(scores.mean())

    def held_out(self, params: Params) -> float:
        """Return the score of a fit to this half on the other half."""
        X, X_test, y, y_test = self.halves
        fitted = self.candidate(params).fit(X, y)
        return float(get_scorer(self.scoring)(fitted, X_test, y_test))

    def random_candidates(self, n: int, seed: int) -> list[Params]:
        """Return what RandomizedSearchCV draws."""
        return list(ParameterSampler(self.space, n, random_state=seed))


def scaled(model: BaseEstimator) -> Pipeline:
    return Pipeline([("scale", StandardScaler()), ("model", model)])


SCALERS = [StandardScaler(), MinMaxScaler(), RobustScaler(), "passthrough"]

# name -> (data, scoring, estimator, space)
SINGLE: dict[str, tuple[Callable, str, BaseEstimator, Space]] = {
    "knn_breast_cancer": (
        load_breast_cancer,
        "roc_auc",
        scaled(KNeighborsClassifier()),
        {
            "scale": SCALERS,
            "model__n_neighbors": randint(1, 61),
            "model__weights": ["uniform", "distance"],
            "model__p": uniform(1, 4),
        },
    ),
    "knn_diabetes": (
        load_diabetes,
        "r2",
        KNeighborsRegressor(),
        {
            "n_neighbors": randint(1, 81),
            "weights": ["uniform", "distance"],
            "metric": ["euclidean", "manhattan", "chebyshev", "canberra", "braycurtis", "cosine"],
        },
    ),
    "tree_digits": (
        load_digits,
        "accuracy",
        DecisionTreeClassifier(random_state=0),
        {
            "criterion": ["gini", "entropy"],
            "splitter": ["best", "random"],
            "max_depth": [None, 3, 4, 5, 6, 8, 10, 12, 15, 20],
            "min_samples_leaf": randint(1, 21),
            "max_features": uniform(0.05, 0.95),
            "ccp_alpha": loguniform(1e-5, 1e-1),
            "class_weight": [None, "balanced"],
        },
    ),
    "tree_diabetes_absolute_error": (
        load_diabetes,
        "neg_mean_absolute_error",
        DecisionTreeRegressor(random_state=0),
        {
            "criterion": ["squared_error", "absolute_error", "poisson"],
            "max_leaf_nodes": randint(2, 65),
            "min_samples_leaf": randint(1, 31),
            "max_features": [None, "sqrt", "log2", 0.3, 0.5, 0.8],
            "min_impurity_decrease": loguniform(1e-3, 1e3),
        },
    ),
    "svc_breast_cancer": (
        load_breast_cancer,
        "accuracy",
        scaled(SVC(max_iter=5000)),
        {
            "model__kernel": ["linear", "rbf", "poly", "sigmoid"],
            "model__C": loguniform(1e-3, 1e3),
            "model__gamma": loguniform(1e-5, 1e1),
            "model__degree": [2, 3, 4, 5],
            "model__coef0": uniform(0, 2),
        },
    ),
    "svc_digits": (
        load_digits,
        "balanced_accuracy",
        SVC(max_iter=5000),
        {
            "kernel": ["rbf", "poly", "sigmoid"],
            "C": loguniform(1e-2, 1e4),
            "gamma": loguniform(1e-7, 1e-1),
            "degree": randint(2, 6),
            "coef0": uniform(-1, 2),
            "class_weight": [None, "balanced"],
        },
    ),
    "svr_diabetes_absolute_error": (
        load_diabetes,
        "neg_mean_absolute_error",
        scaled(SVR(max_iter=5000)),
        {
            "model__kernel": ["linear", "poly", "rbf", "sigmoid"],
            "model__C": loguniform(1e-1, 1e4),
            "model__epsilon": loguniform(1e-1, 1e2),
            "model__gamma": loguniform(1e-4, 1e1),
            "model__degree": [2, 3, 4],
            "model__coef0": uniform(0, 1),
        },
    ),
    "gradient_boosting_wine": (
        load_wine,
        "neg_log_loss",
        GradientBoostingClassifier(random_state=0),
        {
            "n_estimators": randint(2, 13),
            "learning_rate": loguniform(0.02, 2),
            "max_depth": randint(1, 7),
            "subsample": uniform(0.3, 0.7),
            "max_features": uniform(0.1, 0.9),
            "min_samples_leaf": randint(1, 16),
        },
    ),
    "hist_gradient_boosting_breast_cancer": (
        load_breast_cancer,
        "neg_log_loss",
        HistGradientBoostingClassifier(early_stopping=False, random_state=0),
        {
            "max_iter": randint(3, 16),
            "learning_rate": loguniform(0.02, 2),
            "max_leaf_nodes": randint(2, 17),
            "min_samples_leaf": randint(2, 41),
            "l2_regularization": loguniform(1e-6, 1e2),
            "max_features": uniform(0.1, 0.9),
            "max_bins": [8, 16, 32, 64, 128],
        },
    ),
    "extra_trees_diabetes": (
        load_diabetes,
        "r2",
        ExtraTreesRegressor(n_estimators=10, random_state=0),
        {
            "max_depth": randint(1, 21),
            "min_samples_leaf": randint(1, 31),
            "min_samples_split": randint(2, 31),
            "max_features": uniform(0.05, 0.95),
            "bootstrap": [False, True],
        },
    ),
    "random_forest_wine": (
        load_wine,
        "neg_log_loss",
        RandomForestClassifier(n_estimators=8, random_state=0),
        {
            "criterion": ["gini", "entropy"],
            "max_depth": randint(1, 11),
            "min_samples_leaf": randint(1, 21),
            "max_features": randint(1, 14),
            "max_samples": uniform(0.2, 0.8),
            "class_weight": [None, "balanced", "balanced_subsample"],
        },
    ),
    "mlp_iris": (
        load_iris,
        "neg_log_loss",
        scaled(MLPClassifier(max_iter=15, random_state=0)),
        {
            "model__hidden_layer_sizes": [(4,), (8,), (16,), (32,), (64,), (8, 8), (32, 16)],
            "model__activation": ["relu", "tanh", "logistic"],
            "model__alpha": loguniform(1e-6, 1e1),
            "model__learning_rate_init": loguniform(1e-4, 0.3),
            "model__batch_size": [4, 8, 16, 32],
            "model__beta_1": uniform(0.5, 0.49),
        },
    ),
    "logistic_wine": (
        load_wine,
        "neg_log_loss",
        scaled(LogisticRegression(max_iter=60)),
        {
            "scale": SCALERS,
            "model__C": loguniform(1e-5, 1e4),
            "model__fit_intercept": [True, False],
            "model__class_weight": [None, "balanced"],
        },
    ),
    "elastic_net_diabetes": (
        load_diabetes,
        "r2",
        Pipeline(
            [
                ("poly", PolynomialFeatures(2, include_bias=False)),
                ("scale", StandardScaler()),
                ("model", ElasticNet(max_iter=200)),
            ]
        ),
        {
            "poly__degree": [1, 2],
            "poly__interaction_only": [False, True],
            "model__alpha": loguniform(1e-4, 1e2),
            "model__l1_ratio": uniform(0, 1),
            "model__positive": [False, True],
        },
    ),
    "pipeline_digits": (
        load_digits,
        "neg_log_loss",
        Pipeline(
            [
                ("scale", StandardScaler()),
                ("reduce", PCA(random_state=0)),
                ("model", LogisticRegression(max_iter=40)),
            ]
        ),
        {
            "scale": [StandardScaler(), MinMaxScaler(), Normalizer(), "passthrough"],
            "reduce__n_components": randint(2, 41),
            "reduce__whiten": [False, True],
            "model__C": loguniform(1e-4, 1e3),
            "model__class_weight": [None, "balanced"],
        },
    ),
}

LISTS_OF_DICTS: dict[str, tuple[Callable, str, BaseEstimator, Space]] = {
    "kernels_digits": (
        load_digits,
        "accuracy",
        SVC(max_iter=5000),
        [
            {"kernel": ["linear"], "C": loguniform(1e-6, 1e2)},
            {"kernel": ["rbf"], "C": loguniform(1e-2, 1e4), "gamma": loguniform(1e-7, 1e-1)},
            {
                "kernel": ["poly"],
                "C": loguniform(1e-2, 1e4),
                "gamma": loguniform(1e-7, 1e-1),
                "degree": randint(2, 6),
                "coef0": uniform(0, 1),
            },
        ],
    ),
    "regressors_diabetes": (
        load_diabetes,
        "r2",
        Pipeline([("model", Ridge())]),
        [
            {"model": [Ridge()], "model__alpha": loguniform(1e-5, 1e2)},
            {
                "model": [Pipeline([("splines", SplineTransformer()), ("ridge", Ridge())])],
                "model__splines__n_knots": randint(2, 9),
                "model__splines__degree": randint(1, 4),
                "model__splines__knots": ["uniform", "quantile"],
                "model__ridge__alpha": loguniform(1e-3, 1e3),
            },
            {
                "model": [SVR(max_iter=5000)],
                "model__C": loguniform(1e-1, 1e4),
                "model__epsilon": loguniform(1e-1, 1e2),
                "model__gamma": loguniform(1e-3, 1e2),
            },
            {
                "model": [KNeighborsRegressor()],
                "model__n_neighbors": randint(1, 61),
                "model__weights": ["uniform", "distance"],
            },
        ],
    ),
    "classifiers_breast_cancer": (
        load_breast_cancer,
        "roc_auc",
        scaled(LogisticRegression()),
        [
            {
                "model": [LogisticRegression(max_iter=60)],
                "scale": SCALERS,
                "model__C": loguniform(1e-5, 1e4),
                "model__class_weight": [None, "balanced"],
            },
            {
                "model": [SVC(max_iter=5000)],
                "model__C": loguniform(1e-3, 1e4),
                "model__gamma": loguniform(1e-6, 1e1),
            },
            {
                "model": [RandomForestClassifier(n_estimators=8, random_state=0)],
                "model__max_depth": randint(1, 16),
                "model__max_features": uniform(0.05, 0.95),
                "model__min_samples_leaf": randint(1, 21),
            },
            {"model": [GaussianNB()], "model__var_smoothing": loguniform(1e-12, 1e1)},
        ],
    ),
}
REAL_TASKS = {**SINGLE, **LISTS_OF_DICTS}


@cache
def load_real_task(name: str, split: int) -> RealTask:
    """Return a task with its rows halved in the `split`-th way."""
    load, scoring, estimator, space = REAL_TASKS[name]
    return halved(name, split, load(return_X_y=True), scoring, estimator, space)


def halved(
    name: str,
    split: int,
    data: tuple[np.ndarray, np.ndarray],
    scoring: str,
    estimator: BaseEstimator,
    space: Space,
) -> RealTask:
    """Return a task of at most `LARGEST` rows, halved in the `split`-th way."""
    X, y = data
    rows = np.random.default_rng(0).permutation(len(X))[:LARGEST]
    halves = train_test_split(
        X[rows],
        y[rows],
        test_size=0.5,
        random_state=split,
        stratify=y[rows] if is_classifier(estimator) else None,
    )
    return RealTask(name, split, estimator, space, scoring, tuple(halves))


def main() -> None:
    warnings.simplefilter("ignore")
    for name in REAL_TASKS:
        task = load_real_task(name, 0)
        start = time.process_time()
        rewards = [task.reward(params) for params in task.random_candidates(30, 0)]
        milliseconds = (time.process_time() - start) / 30 * 1e3
        low, middle, high = np.quantile(rewards, [0.1, 0.5, 1])
        print(f"{name:<38}{milliseconds:5.0f} ms  {low:8.3f} {middle:8.3f} {high:8.3f}", flush=True)


if __name__ == "__main__":
    main()
