"""The engine beside scikit-learn's own loop, and what becomes of failures."""

import os
import signal
import time
import warnings
from collections import Counter

import joblib
import numpy as np
import pytest
import sklearn
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

from skpg import PolicyGradientSearchCV
from skpg._folder import dump, load
from skpg._time_limit import CandidateTimeoutError, time_limit
from tests.estimators import Scripted

X, y = load_iris(return_X_y=True)
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
    for n_jobs in (1, 2):
        ours = PolicyGradientSearchCV(
            estimator, grid, initial_params=candidates, batch_size=2, n_jobs=n_jobs, **settings
        ).fit(X, y, **(fit_params or {}))
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
def test_candidates_that_kill_their_worker_are_found_and_named(bad, n):
    search, messages = fit_with_warnings(Scripted(act="die", on=bad), n=n, n_jobs=2)
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
