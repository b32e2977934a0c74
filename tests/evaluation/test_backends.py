"""The same searches on the backends of joblib, and what their workers are given."""

import os
import warnings

import joblib
import numpy as np
import pytest
import sklearn
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from skpg import PolicyGradientSearchCV
from tests.estimators import Scripted
from tests.evaluation.searches import (
    X,
    check_bad,
    fit_with_warnings,
    search_of,
    without_times,
    y,
)


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
