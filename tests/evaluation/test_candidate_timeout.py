"""Candidates that exceed their time."""

import signal
import sqlite3
import time
import warnings
from contextlib import closing

import joblib
import numpy as np
import pytest
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import KFold

from skpg import PolicyGradientSearchCV, load_study
from tests.estimators import Scripted
from tests.evaluation.searches import (
    FEW_AND_MANY,
    NUMBERED,
    X,
    check_bad,
    fit_with_warnings,
    search_of,
    without_times,
    y,
)


@FEW_AND_MANY
@pytest.mark.parametrize("act", ["sleep", "loop", "swallow"])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_candidates_that_exceed_their_time_are_ended(act, n_jobs, bad, n):
    search, messages = fit_with_warnings(
        Scripted(act=act, on=bad), n=n, n_jobs=n_jobs, candidate_timeout=0.4
    )
    check_bad(search, bad)
    assert sum("CandidateTimeoutError" in message for message in messages) == 1


def test_a_worker_that_does_not_react_is_replaced():
    search, _ = fit_with_warnings(
        Scripted(act="deaf", on=(3,)), n=8, n_jobs=2, candidate_timeout=0.4
    )
    check_bad(search, (3,))


def test_the_limit_counts_all_folds_together():
    with pytest.warns(FitFailedWarning):
        search = search_of(
            Scripted(seconds=0.3),
            n=2,
            cv=5,
            candidate_timeout=0.7,
            initial_params=[{"a": 1}],
            error_score=-1,
        ).fit(X, y)
    folds = [search.cv_results_[f"split{k}_test_score"][0] for k in range(5)]
    assert folds == [0.01, 0.01, -1, -1, -1]


class Slow(Scripted):
    """Sleeps for seconds that depend on the fold, which it knows by the row that is missing."""

    def fit(self, X, y):
        fold = next(fold for fold in range(3) if 50 * fold not in X[:, 0])
        end = time.monotonic() + self.seconds[fold]
        while time.monotonic() < end:
            time.sleep(0.005)
        self.classes_ = np.unique(y)
        return self


FAST = (0.0, 0.0, 0.0)


def slow_search(candidates, n_jobs, backend="threading", **settings):
    """Evaluate candidates that take some seconds in each of three folds, the last is the best."""
    space = {"a": list(range(len(candidates))), "seconds": list(dict.fromkeys(candidates))}
    defaults = {
        "initial_params": [{"a": a, "seconds": s} for a, s in enumerate(candidates)],
        "n_iter": len(candidates), "cv": KFold(3), "candidate_timeout": 0.5,
        "error_score": -1.0, "refit": False, "random_state": 0,
    }  # fmt: skip
    with joblib.parallel_config(backend), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return PolicyGradientSearchCV(Slow(), space, n_jobs=n_jobs, **(defaults | settings)).fit(
            NUMBERED, y
        )


def splits(search):
    return np.column_stack([search.cv_results_[f"split{k}_test_score"] for k in range(3)])


@pytest.mark.parametrize(
    ("backend", "n_jobs"),
    [("sequential", 1), ("threading", 3), ("loky", 3), ("multiprocessing", 3)],
)
def test_folds_in_parallel_share_the_limit_as_if_one_ran_after_the_other(backend, n_jobs):
    search = slow_search([(0.4, 0.4, 0.4)], n_jobs, backend, candidate_timeout=1.0)
    assert splits(search).tolist() == [[0.0, 0.0, -1.0]]


@pytest.mark.parametrize(
    ("seconds", "in_time"),
    [
        ((0.1, 0.0, 0.1), 3),
        ((0.05, 9.0, 0.05), 1),  # the third is back long before the second is given up
        ((9.0, 0.05, 0.05), 0),
        ((9.0, 9.0, 9.0), 0),
        ((0.2, 0.05, 9.0), 2),
        ((0.35, 0.35, 9.0), 1),  # the third is given up after the second is back
        ((0.35, 0.0, 0.35), 2),
    ],
)
def test_which_folds_are_in_time_does_not_depend_on_the_number_of_workers(seconds, in_time):
    for n_jobs in (1, 2, 3):
        search = slow_search([FAST, seconds], n_jobs)
        expected = [0.01] * in_time + [-1.0] * (3 - in_time)
        assert splits(search).tolist() == [[0.0] * 3, expected]


@pytest.mark.parametrize("racing", [True, "optimistic"])
@pytest.mark.parametrize("evaluation", ["batch", "stream"])
def test_in_a_race_too(racing, evaluation):
    candidates = [FAST, (0.3, 0.0, 0.3), (0.0, 9.0, 0.0), (0.3, 0.3, 0.0), (0.1, 0.1, 0.1)]
    settings = {"racing": racing, "racing_bound": 1.0, "evaluation": evaluation}
    alone = slow_search(candidates, 1, **settings)
    together = slow_search(candidates, 3, **settings)
    np.testing.assert_equal(without_times(together.cv_results_), without_times(alone.cv_results_))
    # a race ends with the fold that fails
    for search in (alone, together):
        assert search.cv_results_["n_folds_evaluated"].tolist() == [3, 3, 2, 2, 3]


def test_a_fit_that_does_not_heed_its_limit_is_not_in_time_either():
    fold = [(np.arange(100), np.arange(100, 150))]
    search, _ = fit_with_warnings(
        Scripted(act="swallow", on=(3,)), n=5, cv=fold, candidate_timeout=0.4
    )
    check_bad(search, (3,))


def two_slow_scores(estimator, X, y):
    return {"score": estimator.a / 100, "other": -1.0}


def statuses(storage):
    with closing(sqlite3.connect(storage)) as connection:
        query = "SELECT status FROM folds WHERE number = 1 ORDER BY fold"
        return [status for (status,) in connection.execute(query)]


def numbers(results):
    return {k: v for k, v in results.items() if "score" in k or "time" in k or k == "iter"}


LATE = [FAST, (0.0, 0.35, 0.35)]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"scoring": two_slow_scores, "return_train_score": True},
        {"racing": True, "racing_bound": 1.0},
        {"evaluation": "async"},
        {"evaluation": "stream", "racing": "optimistic", "racing_bound": 1.0},
    ],
    ids=["plain", "several scores", "racing", "async", "stream"],
)
def test_what_was_not_in_time_is_stored_and_read_back(tmp_path, settings):
    storage = tmp_path / "search.db"
    search = slow_search(LATE, 3, storage=storage, **settings)
    assert statuses(storage) == ["ok", "ok", "timeout"]
    np.testing.assert_equal(numbers(load_study(storage)), numbers(search.cv_results_))
    for n_jobs in (1, 3):
        again = slow_search(LATE, n_jobs, storage=storage, **settings)
        np.testing.assert_equal(again.cv_results_, search.cv_results_)  # times included


def test_a_fold_that_was_stored_in_time_is_not_once_those_before_it_are_back(tmp_path):
    """The process was killed between the end of the last fold and what follows from it."""
    storage = tmp_path / "search.db"
    search = slow_search(LATE, 3, storage=storage)
    with closing(sqlite3.connect(storage)) as connection, connection:
        connection.execute(
            "UPDATE folds SET status = 'ok', fit_error = NULL WHERE status = 'timeout'"
        )
        connection.execute("UPDATE scores SET test_score = 0.01 WHERE number = 1")
        connection.execute("UPDATE candidates SET status = 'running', position = NULL")
    assert statuses(storage) == ["ok", "ok", "ok"]
    again = slow_search(LATE, 3, storage=storage)
    np.testing.assert_equal(again.cv_results_, search.cv_results_)
    assert statuses(storage) == ["ok", "ok", "timeout"]
    np.testing.assert_equal(numbers(load_study(storage)), numbers(search.cv_results_))


def test_in_threads_loops_are_ended_too():
    with joblib.parallel_config("threading"):
        search, _ = fit_with_warnings(
            Scripted(act="loop", on=(3, 5)), n=8, n_jobs=2, candidate_timeout=0.4
        )
    check_bad(search, (3, 5))


@pytest.mark.parametrize("backend", ["loky", "threading"])
@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("limit", ["timeout", "candidate_timeout"])
def test_limits_of_ages_are_none(backend, n_jobs, limit):
    before = signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)
    with joblib.parallel_config(backend):
        search = search_of(Scripted(), n=3, n_jobs=n_jobs, **{limit: 1e12}).fit(X, y)
    assert search.n_fits_ == 9
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert (signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)) == before
