"""Wall time of whole searches with two workers, beside the search classes of other packages.

    python -m pip install optuna optuna-integration scikit-optimize
    OMP_NUM_THREADS=1 python doc/benchmarks/whole_search.py [--seeds 5] [--n-iter 40]
        [--rows 3000] [--jobs 2]

Each search fits the same number of candidates with five folds, and refits the best. The data
are digits, and a made classification of ``--rows`` rows; ``held out`` is the score on rows that
no search saw: a third of the digits, as many rows as were searched of the other. Runs are
appended to ``results/whole_search.jsonl`` and never repeated; the table is written to
``results/whole_search.rst``. Times depend on the machine and on what else it does.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from peers import kind
from rst import list_table
from scipy.stats import loguniform, randint, uniform
from sklearn.base import BaseEstimator
from sklearn.datasets import load_digits, make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import RandomizedSearchCV, StratifiedKFold, train_test_split
from sklearn.svm import SVC

from skpg import PolicyGradientSearchCV

RESULTS = Path(__file__).parent / "results"
FILE = RESULTS / "whole_search.jsonl"
PROBLEMS: dict[str, tuple[BaseEstimator, dict[str, Any]]] = {
    "SVC, digits": (
        SVC(),
        {
            "kernel": ["rbf", "poly"],
            "C": loguniform(1e-2, 1e4),
            "gamma": loguniform(1e-7, 1e-1),
            "degree": randint(2, 6),
        },
    ),
    "HistGradientBoosting, made": (
        HistGradientBoostingClassifier(early_stopping=False, random_state=0),
        {
            "learning_rate": loguniform(0.01, 1),
            "max_iter": randint(10, 101),
            "max_leaf_nodes": randint(3, 64),
            "min_samples_leaf": randint(2, 101),
            "l2_regularization": loguniform(1e-6, 1e2),
            "max_features": uniform(0.1, 0.9),
        },
    ),
}


def halves(problem: str, rows: int, seed: int) -> list[np.ndarray]:
    if problem.endswith("digits"):
        X, y = load_digits(return_X_y=True)
        return train_test_split(X, y, test_size=1 / 3, stratify=y, random_state=seed)
    X, y = make_classification(
        2 * rows, n_features=20, n_informative=10, n_classes=3, flip_y=0.05, random_state=seed
    )
    return train_test_split(X, y, test_size=0.5, stratify=y, random_state=seed)


def optuna_search(estimator: BaseEstimator, space: dict, **settings: Any) -> Any:
    """Return OptunaSearchCV, whose jobs are threads."""
    import optuna
    from optuna_integration import OptunaSearchCV

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    d = optuna.distributions
    distributions: dict[str, Any] = {}
    for name, (label, low, high) in ((n, kind(v)) for n, v in space.items()):
        if label == "list":
            distributions[name] = d.CategoricalDistribution(tuple(low))
        elif label == "int":
            distributions[name] = d.IntDistribution(low, high)
        else:
            distributions[name] = d.FloatDistribution(low, high, log=label == "log")
    settings["n_trials"] = settings.pop("n_iter")
    return OptunaSearchCV(estimator, distributions, verbose=0, **settings)


def bayes_search(estimator: BaseEstimator, space: dict, **settings: Any) -> Any:
    """Return BayesSearchCV; one point at a time, as by default."""
    from skopt import BayesSearchCV
    from skopt.space import Categorical, Integer, Real

    dimensions: dict[str, Any] = {}
    for name, (label, low, high) in ((n, kind(v)) for n, v in space.items()):
        if label == "list":
            dimensions[name] = Categorical(low)
        elif label == "int":
            dimensions[name] = Integer(low, high)
        else:
            dimensions[name] = Real(low, high, "log-uniform" if label == "log" else "uniform")
    return BayesSearchCV(estimator, dimensions, **settings)


def ours(racing: bool | str) -> Callable[..., PolicyGradientSearchCV]:
    return lambda *args, **settings: PolicyGradientSearchCV(*args, racing=racing, **settings)


SEARCHES: dict[str, Callable[..., Any]] = {
    "RandomizedSearchCV": RandomizedSearchCV,
    "OptunaSearchCV": optuna_search,
    "BayesSearchCV": bayes_search,
    "skpg, racing=False": ours(False),
    "skpg, racing=True": ours(True),
    'skpg, racing="optimistic"': ours("optimistic"),
}


def run_one(name: str, problem: str, seed: int, n_iter: int, rows: int, jobs: int) -> dict:
    """Return the seconds and scores of one search."""
    X, X_test, y, y_test = halves(problem, rows, seed)
    estimator, space = PROBLEMS[problem]
    RandomizedSearchCV(  # start the workers
        SVC(), {"C": loguniform(1, 2)}, n_iter=2, n_jobs=jobs, refit=False
    ).fit(X[:100], y[:100])
    search = SEARCHES[name](
        estimator,
        space,
        n_iter=n_iter,
        cv=StratifiedKFold(5, shuffle=True, random_state=0),
        n_jobs=jobs,
        random_state=seed,
    )
    start = time.perf_counter()
    search.fit(X, y)
    seconds = time.perf_counter() - start
    return {
        "search": name,
        "problem": problem,
        "seed": seed,
        "setting": [n_iter, rows, jobs],
        "seconds": round(seconds, 2),
        "cv": round(float(search.best_score_), 5),
        "held_out": round(float(search.score(X_test, y_test)), 5),
    }


def read() -> list[dict]:
    return [json.loads(line) for line in FILE.read_text().splitlines()] if FILE.exists() else []


def report(setting: list[int]) -> None:
    """Print the means over seeds, and write the table."""
    records = [r for r in read() if r["setting"] == setting]
    rows = []
    for problem in PROBLEMS:
        for name in SEARCHES:
            runs = [r for r in records if (r["search"], r["problem"]) == (name, problem)]
            if runs:
                values = {k: np.array([r[k] for r in runs]) for k in ("seconds", "cv", "held_out")}
                errors = {k: v.std(ddof=1) / len(v) ** 0.5 if len(v) > 1 else np.nan
                          for k, v in values.items()}  # fmt: skip
                cells = [
                    f"{values[k].mean():.{digits}f} ± {errors[k]:.{digits}f}".removesuffix(" ± nan")
                    for k, digits in (("seconds", 1), ("cv", 4), ("held_out", 4))
                ]
                rows.append([problem, name, *cells])
    n_iter, n_rows, jobs = setting
    title = (
        f"Whole searches, {n_iter} candidates, five folds, {jobs} workers, {n_rows:,} rows of made "
        "data: means over seeds, with standard errors"
    )
    text = list_table(title, ["task", "search", "seconds", "CV score", "held out"], rows)
    print(text)
    (RESULTS / "whole_search.rst").write_text(text)


def main() -> None:
    warnings.simplefilter("ignore")
    os.environ["PYTHONWARNINGS"] = "ignore"
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--n-iter", type=int, default=40)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--searches", nargs="*", choices=SEARCHES, default=list(SEARCHES))
    a = parser.parse_args()
    setting = [a.n_iter, a.rows, a.jobs]
    RESULTS.mkdir(exist_ok=True)
    done = {(r["search"], r["problem"], r["seed"], tuple(r["setting"])) for r in read()}
    for seed in range(a.seeds):
        for problem in PROBLEMS:
            for name in a.searches:
                if (name, problem, seed, tuple(setting)) not in done:
                    record = run_one(name, problem, seed, *setting)
                    with FILE.open("a") as file:
                        file.write(json.dumps(record) + "\n")
    report(setting)


if __name__ == "__main__":
    main()
