"""The engine beside scikit-learn's own loop, and what becomes of failures."""

import os
import signal
import sqlite3
import time
import warnings
from collections import Counter
from contextlib import closing
from dataclasses import replace

import joblib
import numpy as np
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse, stats
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, make_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skpg import PolicyGradientOptimizer, PolicyGradientSearchCV, load_study
from skpg.evaluation.journal import Journal, KnownCandidate
from skpg.evaluation.outcome import Outcome
from skpg.evaluation.racing import Race
from skpg.evaluation.schedule import Schedule
from skpg.evaluation.workers.executors import Event
from skpg.evaluation.workers.folder import dump, load
from skpg.evaluation.workers.time_limit import CandidateTimeoutError, time_limit
from tests.estimators import Scripted

X, y = load_iris(return_X_y=True)
NUMBERED = np.arange(150.0)[:, None]  # rows that tell which fold they belong to
NEIGHBORS = [1, 3, 5, 8, 13]


def without_times(results):
    return {
        name: column.tolist() if hasattr(column, "tolist") else column
        for name, column in results.items()
        if "time" not in name and name not in ("iter", "n_folds_evaluated")
    }


def assert_same_as_grid_search(estimator, grid, X=X, y=y, fit_params=None, **settings):
    """The same candidates through the engine and through `evaluate_candidates`."""
    ((name, values),) = grid.items()
    theirs = GridSearchCV(estimator, grid, **settings).fit(X, y, **(fit_params or {}))
    candidates = [{name: value} for value in values]
    for n_jobs, evaluation in ((1, "batch"), (2, "batch"), (2, "stream")):
        ours = PolicyGradientSearchCV(
            estimator, grid, initial_params=candidates, batch_size=2, n_jobs=n_jobs,
            evaluation=evaluation, **settings,
        ).fit(X, y, **(fit_params or {}))  # fmt: skip
        np.testing.assert_equal(without_times(ours.cv_results_), without_times(theirs.cv_results_))
        assert ours.multimetric_ == theirs.multimetric_
        if hasattr(theirs, "best_index_"):
            assert ours.best_index_ == theirs.best_index_


def two_scores(estimator, X, y):
    predicted = estimator.predict(X)
    return {"f1": f1_score(y, predicted, average="macro"), "accuracy": accuracy_score(y, predicted)}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"scoring": ["accuracy", "neg_log_loss"], "refit": "neg_log_loss"},
        {"scoring": two_scores, "refit": "f1"},
        {"scoring": make_scorer(f1_score, average="macro"), "return_train_score": True},
        {"scoring": two_scores, "refit": False, "return_train_score": True},
        {"cv": KFold(4, shuffle=True, random_state=3), "refit": lambda results: 2},
    ],
    ids=["score", "several", "callable", "scorer", "train", "refit"],
)
def test_results_are_those_of_scikit_learns_own_loop(settings):
    assert_same_as_grid_search(KNeighborsClassifier(), {"n_neighbors": NEIGHBORS}, **settings)


def test_fit_parameters_and_groups_are_the_same():
    assert_same_as_grid_search(
        DecisionTreeClassifier(random_state=0),
        {"max_depth": [1, 2, 3]},
        cv=GroupKFold(5),
        fit_params={
            "groups": np.repeat(np.arange(10), 15),
            "sample_weight": np.linspace(0.1, 1, len(y)),
        },
    )


def test_routed_metadata_are_the_same():
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = make_scorer(accuracy_score).set_score_request(sample_weight=True)
        assert_same_as_grid_search(
            DecisionTreeClassifier(random_state=0).set_fit_request(sample_weight=True),
            {"max_depth": [1, 2, 3]},
            cv=GroupKFold(5),
            scoring=scorer,
            fit_params={
                "groups": np.repeat(np.arange(10), 15),
                "sample_weight": np.linspace(0.1, 1, len(y)),
            },
        )


def test_sparse_data_frames_and_precomputed_kernels_are_the_same():
    pandas = pytest.importorskip("pandas")
    grid = {"C": [0.1, 1.0, 10.0]}
    assert_same_as_grid_search(SVC(), grid, X=sparse.csr_matrix(X))
    assert_same_as_grid_search(SVC(), grid, X=pandas.DataFrame(X), y=pandas.Series(y))
    assert_same_as_grid_search(SVC(kernel="precomputed"), grid, X=X @ X.T)


def search_of(estimator, n=40, **settings):
    defaults = {"n_iter": n, "batch_size": 10, "cv": 3, "random_state": 0}
    return PolicyGradientSearchCV(estimator, {"a": list(range(n))}, **(defaults | settings))


def check_bad(search, bad):
    """All others have their real scores."""
    a = np.array([params["a"] for params in search.cv_results_["params"]])
    scores = search.cv_results_["mean_test_score"]
    assert sorted(a) == list(range(search.n_iter))
    assert np.isnan(scores[np.isin(a, bad)]).all()
    good = ~np.isin(a, bad)
    np.testing.assert_allclose(scores[good], a[good] / 100)
    assert search.best_params_["a"] == a[good].max()
    assert search.stop_reason_ == "n_iter"


def fit_with_warnings(estimator, **settings):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search = search_of(estimator, **settings).fit(X, y)
    return search, [str(w.message) for w in caught]


# Of 8 candidates in the default run, of 40 in the slow one: each death costs new workers.
FEW_AND_MANY = pytest.mark.parametrize(
    ("bad", "n"),
    [((3,), 8), pytest.param((3, 11, 12, 25, 39), 40, marks=pytest.mark.slow)],
    ids=["few", "many"],
)


@FEW_AND_MANY
@pytest.mark.parametrize("evaluation", ["batch", "stream"])
def test_candidates_that_kill_their_worker_are_found_and_named(bad, n, evaluation):
    search, messages = fit_with_warnings(
        Scripted(act="die", on=bad), n=n, n_jobs=2, evaluation=evaluation
    )
    check_bad(search, bad)
    messages = [message for message in messages if "killed their worker twice" in message]
    assert len(messages) == 1
    assert messages[0].startswith(f"{len(bad)} candidate")
    for a in bad:
        assert f"{{'a': {a}}}" in messages[0]


def test_with_error_score_raise_a_killer_ends_the_search():
    with pytest.raises(Exception, match="worker process died"):
        search_of(Scripted(act="die", on=(3,)), n=8, n_jobs=2, error_score="raise").fit(X, y)


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


LIMIT = 10.5


class KnowsFolds(Journal):
    """Knows some folds of the second candidate from an earlier run, which were in time alone."""

    def __init__(self, seconds, known):
        self.seconds, self.known = seconds, known

    def recorded(self, number):
        outcomes = {fold: outcome_of(self.seconds[fold]) for fold in self.known}
        return KnownCandidate(outcomes, dict.fromkeys(outcomes, "ok")) if number == 1 else None


def outcome_of(seconds, late=False):
    # the time of a fit that was ended is measured a little short
    times = {"fit_time": 0.999 * seconds if late else seconds, "score_time": 0.0}
    error = "late" if late else None
    return Outcome(np.nan if late else 1.0, fit_error=error, **times)


def simulate(seconds, slots, known=(), race=None, hardness=(0.0,) * 4):
    """Run a candidate on so many workers, in simulated time, after one that sets the order."""
    schedule = Schedule(
        4,
        score=lambda outcome: np.nan if outcome.fit_error else outcome.test_scores,
        failure=lambda error: outcome_of(np.nan, late=True),
        candidate_timeout=LIMIT,
        race=race,
        journal=KnowsFolds(seconds, known),
    )
    schedule.add([{}])
    while job := schedule.next_job(0):
        outcome = replace(outcome_of(0.0), test_scores=-hardness[job.fold])
        schedule.record(Event(job, outcome))
    list(schedule.settle())
    schedule.add([{}])
    now, running = 0.0, []
    while True:
        while len(running) < slots and (job := schedule.next_job(len(running))):
            running.append((now + min(seconds[job.fold], job.seconds), job))
        if not running:
            break
        now, job = min(running, key=lambda item: (item[0], -item[1].fold))
        running.remove((now, job))
        late = seconds[job.fold] > job.seconds
        outcome = replace(outcome_of(min(seconds[job.fold], job.seconds), late), overdue=late)
        schedule.record(Event(job, outcome))
    (candidate,) = schedule.settle()
    return {fold: candidate.statuses[fold] for fold in sorted(candidate.outcomes)}


SECONDS = st.lists(st.integers(0, 12), min_size=4, max_size=4)


@given(SECONDS, st.sets(st.integers(0, 3)))
def test_the_fold_with_which_the_limit_is_exceeded_fails_and_those_after_it(seconds, known):
    known = [fold for fold in known if seconds[fold] < LIMIT]
    in_time = np.cumsum(seconds) < LIMIT
    expected = {fold: "ok" if in_time[fold] else "timeout" for fold in range(4)}
    for slots in (1, 2, 3, 4):
        assert simulate(seconds, slots) == expected
        assert simulate(seconds, slots, known) == expected


@given(SECONDS, st.permutations(range(4)))
def test_in_a_race_the_limit_counts_in_the_order_of_the_race(seconds, hardness):
    order = np.argsort(-np.array(hardness))
    in_time = np.cumsum(np.array(seconds)[order]) < LIMIT
    n_run = min(in_time.sum() + 1, 4)  # a race ends with the first fold that fails
    expected = {
        int(fold): "ok" if ok else "timeout"
        for fold, ok in sorted(zip(order[:n_run], in_time[:n_run], strict=True))
    }
    for slots in (1, 2, 3, 4):
        assert simulate(seconds, slots, race=Race(np.inf), hardness=hardness) == expected


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


def test_memory_errors_are_failed_fits():
    search, messages = fit_with_warnings(Scripted(act="memory", on=(3, 5)), n=8, n_jobs=2)
    check_bad(search, (3, 5))
    assert any("no memory is left" in message for message in messages)


FAILS = (38, 39)


class Fails(Scripted):
    """Fits of some values of `a` fail, in all folds or in the first one."""

    def fit(self, X, y):
        if self.act == "fail once" and X[0, 0] == 0:  # the first row is in the first test fold
            self.on = ()
        return super().fit(X, y)


def fails_to_score(estimator, X, y):
    if estimator.a in FAILS:
        raise ValueError(f"a={estimator.a} cannot be scored")
    return estimator.a / 100


def fails_to_score_twice(estimator, X, y):
    score = fails_to_score(estimator, X, y)
    return {"score": score, "other": -score}


def always_scores(estimator, X, y):
    return -estimator.a / 100


FAILURES = {
    "a fit": {"estimator": Fails(act="fail", on=FAILS)},
    "one fold of five": {"estimator": Fails(act="fail once", on=FAILS)},
    "a score": {"scoring": fails_to_score},
    "the score that counts": {
        "scoring": {"other": always_scores, "score": fails_to_score},
        "refit": "score",
    },
    "scores of a callable": {"scoring": fails_to_score_twice, "refit": "score"},
    "a fit, several scores": {
        "estimator": Fails(act="fail", on=FAILS),
        "scoring": {"score": fails_to_score, "other": always_scores},
        "refit": "score",
    },
    "a race": {
        "estimator": Fails(act="fail once", on=FAILS), "racing": True, "racing_bound": 1.0
    },
    "training scores": {
        "estimator": Fails(act="fail once", on=FAILS), "return_train_score": True
    },
}  # fmt: skip


def search_with_failures(failure, **settings):
    """Search with a first batch of all that fails and something that does not."""
    given = {"estimator": Fails(), "cv": KFold(5), "n_iter": 20, "batch_size": 4}
    first = [{"a": a} for a in (38, 7, 39, 5)]
    settings = given | {"random_state": 0, "initial_params": first} | FAILURES[failure] | settings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return PolicyGradientSearchCV(
            param_distributions={"a": list(range(40))}, **settings
        ).fit(NUMBERED, y)  # fmt: skip


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("error_score", [1.0, 0, -1.0])
def test_a_number_as_error_score_does_not_change_the_search(tmp_path, failure, error_score):
    expected = search_with_failures(failure)
    storage = tmp_path / "search.db"
    for _ in range(2):  # the second one reads what the first has stored
        told = []
        search = search_with_failures(
            failure, error_score=error_score, callbacks=[told.append], storage=storage
        )
        assert search.cv_results_["params"] == expected.cv_results_["params"]
        assert search.history_ == expected.history_
        assert search.best_params_ == expected.best_params_ == told[-1].best_params
        assert search.best_score_ == expected.best_score_ == told[-1].best_score
        bad = np.array([params["a"] in FAILS for params in search.cv_results_["params"]])
        assert [progress.status == "failed" for progress in told] == bad.tolist()
        ranks = search.cv_results_["rank_test_score"]
        assert search.best_index_ == ranks.argmin()
        complete = np.array([progress.status == "complete" for progress in told])
        assert ranks[~complete].min() > ranks[complete].max()
        np.testing.assert_array_equal(ranks, expected.cv_results_["rank_test_score"])
        np.testing.assert_equal(load_study(storage), search.cv_results_)


def test_the_error_score_stands_for_failures_in_the_results_as_in_scikit_learn():
    for failure in ("a fit", "one fold of five", "a score", "the score that counts"):
        ours = search_with_failures(failure, error_score=-1)
        settings = {"estimator": Fails(), "cv": KFold(5), "error_score": -1}
        settings |= FAILURES[failure] | {"refit": False}
        grid = {"a": [params["a"] for params in ours.cv_results_["params"]]}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = GridSearchCV(param_grid=grid, **settings).fit(NUMBERED, y)
        results = without_times(theirs.cv_results_)
        for name in {"mean_test_score", "std_test_score", "split0_test_score", "params"}:
            np.testing.assert_equal(without_times(ours.cv_results_)[name], results[name])


def test_where_all_candidates_failed_the_best_is_that_of_scikit_learn():
    search = search_with_failures("one fold of five", error_score=0.0, n_iter=1)
    assert (search.best_params_, search.stop_reason_) == ({"a": 38}, "n_iter")
    space = {"initial_params": [{"a": 38}, {"a": 39}], "n_iter": 2}
    search = search_with_failures("one fold of five", error_score=0.0, **space)
    assert search.best_params_ == {"a": 39}
    assert search.cv_results_["rank_test_score"].tolist() == [2, 1]


@pytest.mark.parametrize("failure", ["a fit", "a score"])
def test_failures_with_a_number_do_not_reach_a_target_and_try_patience(failure):
    settings = {"error_score": 1.0, "n_iter": 40}
    search = search_with_failures(failure, target_score=0.36, **settings)
    assert search.best_params_["a"] in (36, 37)
    search = search_with_failures(failure, patience=2, **settings)
    assert search.stop_reason_ == "patience"
    assert search.cv_results_["params"] == [{"a": 38}, {"a": 7}, {"a": 39}, {"a": 5}]
    assert search.best_params_ == {"a": 7}


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
@pytest.mark.parametrize("racing", [False, True])
def test_batches_are_the_same_for_any_backend(backend, racing):
    space = {"n_neighbors": stats.randint(1, 60), "weights": ["uniform", "distance"]}

    def run(n_jobs):
        return PolicyGradientSearchCV(
            KNeighborsClassifier(), space, n_iter=24, batch_size=6, n_jobs=n_jobs,
            random_state=0, racing=racing,
        ).fit(X, y)  # fmt: skip

    alone = run(1)
    with joblib.parallel_config(backend):
        together = run(3)
    np.testing.assert_equal(without_times(alone.cv_results_), without_times(together.cv_results_))
    np.testing.assert_equal(alone.history_, together.history_)
    assert alone.n_fits_ == together.n_fits_


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_asynchronous_search_evaluates_all_and_updates_with_each(backend):
    with joblib.parallel_config(backend):
        search = search_of(Scripted(), n_jobs=2, evaluation="async").fit(X, y)
    assert sorted(params["a"] for params in search.cv_results_["params"]) == list(range(40))
    assert search.cv_results_["iter"].tolist() == list(range(40))
    assert len(search.history_) == 40


def test_asynchronous_search_survives_killers():
    search, messages = fit_with_warnings(
        Scripted(act="die", on=(7,)), n=12, n_jobs=2, evaluation="async"
    )
    check_bad(search, (7,))
    assert any("killed their worker twice" in message for message in messages)


def test_asynchronous_workers_do_not_wait_for_slow_candidates():
    """While one candidate takes two seconds, the other worker goes on."""
    estimator = Scripted(act="sleep")
    space = {"a": list(range(30)), "seconds": [0.0, 2.0]}
    slow_first = [{"a": 0, "seconds": 2.0}] + [{"a": a, "seconds": 0.0} for a in range(1, 30)]
    order = []
    with joblib.parallel_config("threading"):
        PolicyGradientSearchCV(
            estimator,
            space,
            n_iter=30,
            batch_size=3,
            cv=[(np.arange(100), np.arange(100, 150))],
            n_jobs=2,
            evaluation="async",
            initial_params=slow_first,
            callbacks=[lambda progress: order.append(progress.params["a"])],
        ).fit(X, y)
    assert order[-1] == 0


def test_backends_that_take_batches_only_say_so():
    with (
        joblib.parallel_config("multiprocessing"),
        pytest.warns(UserWarning, match="whole batches only"),
    ):
        search = search_of(Scripted(), n_jobs=2, n=6, evaluation="async").fit(X, y)
    assert search.n_fits_ == 18


class PicklesCounted(np.ndarray):
    """Data that leave a mark each time they are pickled."""

    def __reduce__(self):
        with open(os.environ["SKPG_PICKLES"], "a") as file:
            file.write("pickled\n")
        return (np.array, (np.asarray(self),))


def test_data_are_sent_once_per_search(tmp_path, monkeypatch):
    path = tmp_path / "pickles"
    monkeypatch.setenv("SKPG_PICKLES", str(path))
    search = search_of(Scripted(), n_jobs=2, cv=3)
    search.fit(X.view(PicklesCounted), y)
    assert path.read_text().count("pickled") == 1


class TellsThreads(ClassifierMixin, BaseEstimator):
    """Scores the number of processors that it may use."""

    def __init__(self, a=0):
        self.a = a

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])

    def score(self, X, y):
        return joblib.effective_n_jobs(-1)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_workers_share_the_processors(backend):
    n_cpus = joblib.cpu_count()
    with joblib.parallel_config(backend):
        search = search_of(TellsThreads(), n=4, n_jobs=n_cpus + 1).fit(X, y)
    assert set(search.cv_results_["mean_test_score"]) == {1.0}


def test_estimators_with_own_jobs_work_inside():
    search = PolicyGradientSearchCV(
        RandomForestClassifier(n_estimators=3, n_jobs=-1, random_state=0),
        {"max_depth": [1, 2, 3]},
        n_jobs=2,
    ).fit(X, y)
    assert search.best_score_ > 0.9


def test_the_configuration_and_filters_of_warnings_reach_the_workers():
    with sklearn.config_context(assume_finite=True), warnings.catch_warnings():
        warnings.simplefilter("error")
        search = PolicyGradientSearchCV(
            LogisticRegression(max_iter=1), {"C": [1.0, 2.0]}, n_jobs=2, error_score=0.0
        )
        with pytest.raises(ValueError, match="All the 10 fits failed(?s:.*)ConvergenceWarning"):
            search.fit(X, y)


def test_each_fold_is_fitted_once(tmp_path):
    search_of(Scripted(folder=str(tmp_path)), n_jobs=2, refit=False).fit(X, y)
    fits = Counter()
    for path in tmp_path.iterdir():
        fits[path.name.split("-")[0]] += len(path.read_text().splitlines())
    assert set(fits.values()) == {3}


def test_arrays_of_a_dumped_value_are_mapped_and_equal(tmp_path):
    pandas = pytest.importorskip("pandas")
    value = {
        "C": np.arange(12.0).reshape(3, 4),
        "F": np.asfortranarray(np.arange(12).reshape(3, 4)),
        "empty": np.empty((0, 3)),
        "object": np.array([None, "a"], dtype=object),
        "sparse": sparse.random(20, 5, 0.2, random_state=0, format="csr"),
        "frame": pandas.DataFrame({"x": [1.5, 2.5], "y": ["a", "b"]}),
        "function": lambda x: x + 1,
    }
    dump(value, tmp_path / "value")
    read = load(tmp_path / "value")
    for name in ("C", "F", "empty", "object"):
        np.testing.assert_array_equal(read[name], value[name])
    assert read["F"].flags.f_contiguous
    assert (read["sparse"] != value["sparse"]).nnz == 0
    assert read["frame"].equals(value["frame"])
    assert read["function"](1) == 2
    read["C"][0, 0] = 99  # private to this process
    assert load(tmp_path / "value")["C"][0, 0] == 0


def test_a_limit_inside_a_limit_gives_the_alarm_back():
    start = time.monotonic()

    def sleep_twice():
        with time_limit(0.6):
            with pytest.raises(CandidateTimeoutError), time_limit(0.2):
                time.sleep(5)
            time.sleep(5)

    with pytest.raises(CandidateTimeoutError):
        sleep_twice()
    assert time.monotonic() - start > 0.5  # not ended by the inner limit


def test_a_limit_that_is_kept_leaves_nothing_behind():
    with time_limit(0.1) as limit:
        pass
    time.sleep(0.2)
    assert not limit.exceeded
    with time_limit(None):
        pass


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


def test_a_limit_that_cannot_be_set_leaves_the_handler_as_it_was():
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(ValueError, match="NaN"), time_limit(float("nan")):
        pass
    assert signal.getsignal(signal.SIGALRM) is before


@pytest.mark.filterwarnings("ignore:One or more of the test scores")
@pytest.mark.parametrize("evaluation", ["stream", "batch", "async"])
@pytest.mark.parametrize("infinite", [np.inf, -np.inf])
def test_an_infinite_score_is_a_failure_with_a_warning(infinite, evaluation, tmp_path):
    """And not the best one; also when it is read from a storage."""
    told, heard = [], []

    class Noting(PolicyGradientOptimizer):
        def tell(self, params, rewards):
            told.extend(zip([p["a"] for p in params], rewards, strict=True))
            super().tell(params, rewards)

    search = PolicyGradientSearchCV(
        Scripted(),
        {"a": [1, 2, 3, 4]},
        cv=3,
        scoring=lambda estimator, X, y: infinite if estimator.a == 3 else estimator.a,
        evaluation=evaluation,
        callbacks=[heard.append],
        storage=str(tmp_path / "s.db"),
        random_state=0,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("skpg.search.PolicyGradientOptimizer", Noting)
        for _ in range(2):  # the second time nothing is fitted
            with pytest.warns(UserWarning, match=r"an infinite score.*failed: \[{'a': 3}\]"):
                search.fit(X, y)
            assert search.best_params_ == {"a": 4}
            assert np.isnan(dict(told)[3])
            assert dict(told)[4] == 4
            failed = [p for p in heard if p.params["a"] == 3][-1]
            assert failed.status == "failed"
            assert np.isnan(failed.fold_scores).all()
            # as scikit-learn has it
            place = search.cv_results_["params"].index({"a": 3})
            assert search.cv_results_["mean_test_score"][place] == infinite
            assert search.cv_results_["rank_test_score"][place] == 4
