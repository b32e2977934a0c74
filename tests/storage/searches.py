"""Searches of the tests of a storage, and what is compared of them."""

import os
import sqlite3

from scipy import stats
from sklearn.datasets import load_iris

from skpg import PolicyGradientSearchCV
from skpg.learners import NaturalGradient
from tests.estimators import Scripted

X, y = load_iris(return_X_y=True)
SPACE = {"a": stats.randint(0, 100), "seconds": [0.0, 0.0001]}


def make(path=None, **settings):
    defaults = {
        "estimator": Scripted(),
        "param_distributions": SPACE,
        "n_iter": 12,
        "batch_size": 4,
        "cv": 3,
        "random_state": 0,
        "learner": NaturalGradient(),
        "storage": path,
    }
    return PolicyGradientSearchCV(**(defaults | settings))


def result(search):
    return repr(
        (
            without_times(search.cv_results_),
            search.best_params_,
            search.history_,
            [actor.theta.tobytes() for actor in search.policy_.actors],
            search.n_fits_,
        )
    )


def without_times(results):
    return {
        name: column.tolist() if hasattr(column, "tolist") else column
        for name, column in results.items()
        if "time" not in name
    }


def n_fits(folder):
    return sum(len((folder / name).read_text().splitlines()) for name in os.listdir(folder))


def abort_after(n):
    def callback(progress):
        if progress.n_candidates == n:
            raise OSError("the power is gone")

    return [callback]


def rows_in(path):
    try:
        return sqlite3.connect(path).execute("SELECT count(*) FROM folds").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


def small_search(path, **changes):
    return PolicyGradientSearchCV(
        Scripted(),
        {"a": list(range(50)), "act": ["nothing", print]},
        cv=3,
        random_state=0,
        learner=NaturalGradient(),
        storage=path,
        **{"n_iter": 10, **changes},
    )
