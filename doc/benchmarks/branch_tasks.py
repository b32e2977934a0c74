"""Tuning tasks that are lists of dicts, for ``branches.py``.

- *Families*: a pipeline whose last step is one of three or six families of models, each with its
  own hyperparameters, on two data sets.
- *Boosters* of XGBoost: 14 hyperparameters, of which a linear booster has five, trees ten and
  trees with dropout all; as a list of dicts, and as one dict of all.
- *Kernels* and *preprocessing*: dicts that have most hyperparameters in common, on six data sets.
  The kernels of an SVC share ``C``, ``gamma``, ``coef0`` and the class weight; six families share
  the scaler and the principal components before them.

    python doc/benchmarks/branch_tasks.py     # prints what a candidate of each task takes
"""

from __future__ import annotations

import time
import warnings
from functools import cache
from typing import Any

import numpy as np
from ready_spaces import classifications
from real_tasks import SCALERS, RealTask, halved, scaled
from scipy.stats import loguniform, randint, uniform
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skpg import logrange

Branches = list[dict[str, Any]]

THREE_FAMILIES: Branches = [
    {
        "model": [SVC(max_iter=5000)],
        "model__C": loguniform(1e-3, 1e4),
        "model__gamma": loguniform(1e-6, 1e1),
    },
    {
        "model": [RandomForestClassifier(n_estimators=10, random_state=0)],
        "model__max_depth": randint(1, 16),
        "model__max_features": uniform(0.05, 0.95),
        "model__min_samples_leaf": randint(1, 21),
        "model__criterion": ["gini", "entropy"],
    },
    {
        "model": [KNeighborsClassifier()],
        "model__n_neighbors": randint(1, 41),
        "model__weights": ["uniform", "distance"],
        "model__p": uniform(1, 4),
    },
]
SIX_FAMILIES: Branches = [
    *THREE_FAMILIES,
    {
        "model": [LogisticRegression(max_iter=60)],
        "model__C": loguniform(1e-5, 1e4),
        "model__class_weight": [None, "balanced"],
    },
    {
        "model": [DecisionTreeClassifier(random_state=0)],
        "model__max_depth": randint(1, 16),
        "model__min_samples_leaf": randint(1, 21),
        "model__ccp_alpha": loguniform(1e-5, 1e-1),
    },
    {"model": [GaussianNB()], "model__var_smoothing": loguniform(1e-12, 1e1)},
]

ANY_BOOSTER = {
    "n_estimators": logrange(3, 40),
    "learning_rate": loguniform(0.01, 1),
    "reg_lambda": loguniform(1e-4, 1e2),
    "reg_alpha": loguniform(1e-4, 1e1),
}
TREES = {
    "max_depth": randint(1, 9),
    "min_child_weight": loguniform(1e-2, 3e1),
    "gamma": loguniform(1e-4, 1e1),
    "subsample": uniform(0.3, 0.7),
    "colsample_bytree": uniform(0.2, 0.8),
}
DROPOUT = {
    "sample_type": ["uniform", "weighted"],
    "normalize_type": ["tree", "forest"],
    "rate_drop": uniform(0, 0.5),
    "skip_drop": uniform(0, 0.9),
}
BOOSTERS: Branches = [
    {"booster": ["gblinear"], **ANY_BOOSTER},
    {"booster": ["gbtree"], **ANY_BOOSTER, **TREES},
    {"booster": ["dart"], **ANY_BOOSTER, **TREES, **DROPOUT},
]
ONE_DICT = {"booster": ["gblinear", "gbtree", "dart"], **ANY_BOOSTER, **TREES, **DROPOUT}

COMMON = {
    "model__C": loguniform(1e-4, 1e4),
    "model__gamma": loguniform(1e-6, 1e2),
    "model__class_weight": [None, "balanced"],
}
COEF0 = {"model__coef0": uniform(-1, 3)}
KERNELS: Branches = [
    {"model__kernel": ["rbf"], **COMMON},
    {"model__kernel": ["sigmoid"], **COMMON, **COEF0},
    {"model__kernel": ["poly"], **COMMON, **COEF0, "model__degree": [2, 3, 4]},
]
BEFORE = {
    "scale": SCALERS,
    "reduce__n_components": uniform(0.05, 0.94),
    "reduce__whiten": [False, True],
}
PREPROCESSING: Branches = [{**BEFORE, **family} for family in SIX_FAMILIES]

DATA = classifications()
BINARY = ["breast cancer", "digits, odd", "diabetes, above the median"]
REDUCED = Pipeline(
    [
        ("scale", StandardScaler()),
        ("reduce", PCA(svd_solver="full")),
        ("model", SVC()),
    ]
)


def booster() -> BaseEstimator:
    from xgboost import XGBClassifier

    return XGBClassifier(n_jobs=1, verbosity=0, random_state=0)


FAMILIES = {
    "three families, breast cancer": ("breast cancer", "roc_auc", THREE_FAMILIES),
    "three families, digits": ("digits", "accuracy", THREE_FAMILIES),
    "six families, breast cancer": ("breast cancer", "roc_auc", SIX_FAMILIES),
    "six families, digits": ("digits", "accuracy", SIX_FAMILIES),
}
BOOSTED = [f"boosters, {name}" for name in BINARY]
KERNELS_OF = [f"kernels, {name}" for name in DATA]
PREPROCESSING_OF = [f"preprocessing, {name}" for name in DATA]
TASKS = [*FAMILIES, *BOOSTED, *KERNELS_OF, *PREPROCESSING_OF]


class BranchTask(RealTask):
    """One split of a task, whose candidates are cross-validated in three folds."""

    @property
    def folds(self) -> StratifiedKFold:
        return StratifiedKFold(3, shuffle=True, random_state=0)


def settings_of(name: str) -> tuple[str, str, BaseEstimator, Branches]:
    """Return the data, the scoring, the estimator and the space of a task."""
    if name in FAMILIES:
        data, scoring, space = FAMILIES[name]
        return data, scoring, scaled(SVC()), space
    kind, _, data = name.partition(", ")
    if kind == "boosters":
        return data, "neg_log_loss", booster(), BOOSTERS
    if kind == "kernels":
        return data, "balanced_accuracy", scaled(SVC(max_iter=5000)), KERNELS
    return data, "balanced_accuracy", REDUCED, PREPROCESSING


@cache
def load_task(name: str, split: int) -> BranchTask:
    """Return a task with its rows halved in the `split`-th way."""
    data, scoring, estimator, space = settings_of(name)
    return BranchTask(**vars(halved(name, split, DATA[data], scoring, estimator, space)))


def main() -> None:
    warnings.simplefilter("ignore")
    for name in TASKS:
        task = load_task(name, 0)
        start = time.process_time()
        rewards = [task.reward(params) for params in task.random_candidates(30, 0)]
        milliseconds = (time.process_time() - start) / 30 * 1e3
        low, middle, high = np.quantile(rewards, [0.1, 0.5, 1])
        print(f"{name:<44}{milliseconds:5.0f} ms  {low:8.3f} {middle:8.3f} {high:8.3f}", flush=True)


if __name__ == "__main__":
    main()
