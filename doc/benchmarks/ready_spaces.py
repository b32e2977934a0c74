"""Ready spaces against the defaults: for each estimator, as it is and after 30 candidates.

    python -m pip install lightgbm xgboost
    python doc/benchmarks/ready_spaces.py run --jobs 2      # about an hour on two cores
    python doc/benchmarks/ready_spaces.py report            # writes results/ready_spaces.rst

Every known estimator that predicts is tuned in the space that `skpg.spaces.suggest` returns, with
standardised features, on six classifications or six regressions made of the data that scikit-learn
brings along. Half of the rows, 200 at most, are for the search, in five folds; the other half
scores the winner. The score is accuracy or R squared.

- ``defaults``: the estimator as its class makes it, with ``random_state=0``.
- ``skpg``: `PolicyGradientSearchCV` with its defaults.
- ``random``: scikit-learn's `RandomizedSearchCV`, which does not evaluate the defaults.
"""

from __future__ import annotations

import argparse
import importlib
import json
import time
import warnings
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from rst import list_table
from sklearn.base import BaseEstimator, clone, is_classifier, is_regressor
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
)
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectPercentile
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    KFold,
    RandomizedSearchCV,
    StratifiedKFold,
    cross_val_score,
    train_test_split,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures, StandardScaler
from sklearn.svm import SVC
from sklearn.utils import all_estimators

from skpg import PolicyGradientSearchCV, spaces
from skpg.spaces.suggestion import FAMILIES

RESULTS = Path(__file__).parent / "results"
FILE = RESULTS / "ready_spaces.jsonl"
ROWS = 400
BOOSTERS = {
    "lightgbm": (["LGBMClassifier", "LGBMRegressor"], {"verbose": -1, "n_jobs": 1}),
    "xgboost": (["XGBClassifier", "XGBRegressor", "XGBRFClassifier"], {"n_jobs": 1}),
    "catboost": (
        ["CatBoostClassifier", "CatBoostRegressor"],
        {"verbose": False, "thread_count": 1},
    ),
}
# They predict with what they are given, or need categories.
LEFT_OUT = {"StackingClassifier", "StackingRegressor", "CategoricalNB"}


def classifications() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    digits, labels = load_digits(return_X_y=True)
    diabetes, progression = load_diabetes(return_X_y=True)
    return {
        "iris": load_iris(return_X_y=True),
        "wine": load_wine(return_X_y=True),
        "breast cancer": load_breast_cancer(return_X_y=True),
        "digits": (digits, labels),
        "digits, odd": (digits, labels % 2),
        "diabetes, above the median": (diabetes, progression > np.median(progression)),
    }


def regressions() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the diabetes data, and others with one of their features as the target."""
    tasks = {"diabetes": load_diabetes(return_X_y=True)}
    targets = {
        "iris, petal width": (load_iris, 3),
        "wine, alcohol": (load_wine, 0),
        "wine, colour": (load_wine, 9),
        "breast cancer, fractal dimension": (load_breast_cancer, 9),
        "digits, middle pixel": (load_digits, 28),
    }
    for name, (load, column) in targets.items():
        X = load().data
        tasks[name] = (np.delete(X, column, axis=1), X[:, column] + (load is load_digits))
    return tasks


def estimators() -> dict[str, BaseEstimator]:
    """Return all known estimators that predict, and some pipelines."""
    known = {
        name
        for entries in FAMILIES.values()
        for entry in entries
        if entry.package == "sklearn"
        for name in entry.classes.split()
    }
    found = {n: c() for n, c in all_estimators() if n in known - LEFT_OUT and hasattr(c, "predict")}
    for package, (names, quiet) in BOOSTERS.items():
        try:
            module = importlib.import_module(package)
        except ImportError:
            print(f"{package} is not installed")
            continue
        found |= {name: getattr(module, name)(**quiet) for name in names}
    piped = {
        name: make_pipeline(
            MinMaxScaler(clip=True) if name.endswith("NB") else StandardScaler(), estimator
        )
        for name, estimator in found.items()
    }
    scaler = StandardScaler()
    return piped | {
        "PCA, SVC": make_pipeline(scaler, PCA(), SVC()),
        "SelectPercentile, KNeighborsClassifier": make_pipeline(
            scaler, SelectPercentile(), KNeighborsClassifier()
        ),
        "PCA, LogisticRegression": make_pipeline(scaler, PCA(), LogisticRegression()),
        "PolynomialFeatures, Ridge": make_pipeline(scaler, PolynomialFeatures(), Ridge()),
    }


def run_one(
    name: str, estimator: BaseEstimator, task: str, data: Any, seed: int, n_iter: int, rows: int
) -> list[dict[str, Any]]:
    """Return one record for the defaults and one for each search."""
    warnings.simplefilter("ignore")
    X, y = data
    seeded = [key for key in estimator.get_params() if key.endswith("random_state")]
    estimator = clone(estimator).set_params(**dict.fromkeys(seeded, seed))
    stratify = y if is_classifier(estimator) else None
    if len(X) > rows:
        X, _, y, _ = train_test_split(X, y, train_size=rows, stratify=stratify, random_state=seed)
        stratify = y if is_classifier(estimator) else None
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=0.5, stratify=stratify, random_state=seed
    )
    folds = StratifiedKFold if is_classifier(estimator) else KFold
    cv = folds(5, shuffle=True, random_state=seed)
    space = spaces.suggest(estimator)
    settings = {"n_iter": n_iter, "cv": cv, "random_state": seed}
    searches = {
        "skpg": PolicyGradientSearchCV(estimator, space, **settings),
        "random": RandomizedSearchCV(estimator, space, **settings),
    }
    begin = time.perf_counter()
    try:
        score = cross_val_score(estimator, X, y, cv=cv).mean()
        held_out = estimator.fit(X, y).score(X_test, y_test)
    except ValueError:  # QuadraticDiscriminantAnalysis where a class has few rows
        score = held_out = float("nan")
    base = {"estimator": name, "task": task, "seed": seed, "n_iter": n_iter, "rows": rows}
    records = [{**base, "search": "defaults", "score": score, "held_out": held_out}]
    records[0]["seconds"] = time.perf_counter() - begin
    for label, search in searches.items():
        begin = time.perf_counter()
        search.fit(X, y)
        found = {"score": search.best_score_, "held_out": search.score(X_test, y_test)}
        found["seconds"] = time.perf_counter() - begin
        params = {key: repr(value) for key, value in search.best_params_.items()}
        records.append({**base, "search": label, **found, "params": params})
    return records


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def run(arguments: argparse.Namespace) -> None:
    """Append what is not in the file."""
    arguments.file.parent.mkdir(exist_ok=True)
    done = {(r["estimator"], r["task"], r["seed"]) for r in read(arguments.file)}
    tasks = {True: regressions(), False: classifications()}
    todo = [
        (name, estimator, task, data, seed, arguments.n_iter, arguments.rows)
        for seed in range(arguments.seeds)
        for name, estimator in estimators().items()
        if not arguments.only or name in arguments.only
        for task, data in list(tasks[is_regressor(estimator)].items())[: arguments.tasks]
        if (name, task, seed) not in done
    ]
    calls = (delayed(run_one)(*job) for job in todo)
    for records in Parallel(arguments.jobs, return_as="generator", batch_size=1)(calls):
        with arguments.file.open("a") as file:
            file.writelines(json.dumps(record) + "\n" for record in records)


def report(path: Path) -> None:
    """Print the table, and write it beside the file."""
    scores: dict[str, dict[str, list]] = defaultdict(lambda: defaultdict(list))
    for r in sorted(read(path), key=lambda r: (r["estimator"], r["task"], r["seed"])):
        scores[r["estimator"]][r["search"]].append((r["score"], r["held_out"], r["seconds"]))
    rows, gains = [], defaultdict(list)
    for name, found in scores.items():
        a, b, c = (np.array(found[search]) for search in ("defaults", "skpg", "random"))
        worse, equal = (b[:, 0] < a[:, 0] - 1e-9).sum(), (abs(b[:, 0] - a[:, 0]) <= 1e-9).sum()
        better = len(b) - worse - equal  # also where the defaults fail
        cells = [f"{np.nanmean(x[:, k]):.3f}" for k in (0, 1) for x in (a, b, c)]
        rows.append([name, *cells[:3], f"{better}, {equal}", *cells[3:]])
        for k, column in enumerate(("cross-validation", "held out")):
            for other, x in (("defaults", a), ("random", c)):
                gains[column, other].append(np.nanmean(b[:, k] - x[:, k]))
    n_iter = max(r["n_iter"] for r in read(path))
    title = (
        f"Means over tasks after {n_iter} candidates: accuracy or R squared, in cross-validation "
        "and on the rows that were held out"
    )
    header = ["estimator", "defaults", "skpg", "random", "better, equal tasks"]
    header += ["held out: defaults", "skpg", "random"]
    text = list_table(title, header, rows)
    rows = []
    for (column, other), values in gains.items():
        values = np.array(values)  # some defaults are far below 0: hence the median
        quarters = "{:+.4f} to {:+.4f}".format(*np.quantile(values, [0.25, 0.75]))
        signs = f"{(values > 1e-9).sum()}, {(values < -1e-9).sum()}"
        rows.append([f"{column}, less {other}", f"{np.median(values):+.4f}", quarters, signs])
    title = f"skpg over all {len(scores)} estimators"
    header = ["score", "median difference", "the half in the middle", "better, worse"]
    text = list_table(title, header, rows) + "\n" + text
    print(text)
    path.with_suffix(".rst").write_text(text)


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["run", "report"])
    parser.add_argument("--file", type=Path, default=FILE)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--n-iter", type=int, default=30)
    parser.add_argument("--rows", type=int, default=ROWS, help="of a task, both halves")
    parser.add_argument("--tasks", type=int, default=6, help="the first so many")
    parser.add_argument("--only", nargs="*", help="names of estimators")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.command == "report":
        report(arguments.file)
    else:
        run(arguments)


if __name__ == "__main__":
    main()
