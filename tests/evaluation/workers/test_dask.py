"""A real dask cluster of two worker processes."""

import os
import time
import warnings

import joblib
import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import load_iris
from sklearn.neighbors import KNeighborsClassifier

from skpg import PolicyGradientSearchCV
from tests.estimators import Marked, Nowhere, OnlyHere, Scripted, UnpicklableScorer
from tests.evaluation.workers.together import fit_overlapping, fit_together

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("default")

X, y = load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def client():
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def dask(client):
    client.wait_for_workers(2, timeout=60)
    with joblib.parallel_config("dask"):
        yield client


def search_of(estimator, n=40, **settings):
    defaults = {"n_iter": n, "batch_size": 10, "cv": 3, "random_state": 0}
    return PolicyGradientSearchCV(estimator, {"a": list(range(n))}, **(defaults | settings))


@pytest.mark.parametrize("racing", [False, True])
@pytest.mark.parametrize("evaluation", ["batch", "stream"])
def test_results_are_those_of_one_process(dask, racing, evaluation):
    space = {"n_neighbors": stats.randint(1, 60), "weights": ["uniform", "distance"]}
    search = PolicyGradientSearchCV(
        KNeighborsClassifier(), space, n_iter=20, cv=3, random_state=0, racing=racing,
        evaluation=evaluation, batch_size=4,
    )  # fmt: skip
    together = search.fit(X, y)
    results, policy = together.cv_results_, repr(together.policy_)
    with joblib.parallel_config("sequential"):
        alone = search.fit(X, y)
    for name in ("params", "split0_test_score", "mean_test_score", "iter"):
        np.testing.assert_equal(list(results[name]), list(alone.cv_results_[name]))
    assert policy == repr(alone.policy_)


def test_fits_run_on_both_workers(dask, tmp_path):
    search_of(Scripted(seconds=0.02, folder=str(tmp_path)), n=10, refit=False).fit(X, y)
    processes = {path.name.split("-")[1] for path in tmp_path.iterdir()}
    assert len(processes) == 2
    assert str(os.getpid()) not in processes


def test_asynchronous_search(dask):
    search = search_of(Scripted(), n=12, evaluation="async").fit(X, y)
    assert sorted(params["a"] for params in search.cv_results_["params"]) == list(range(12))
    assert search.cv_results_["iter"].tolist() == list(range(12))


def fit_bad(bad, n, act, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search = search_of(Scripted(act=act, on=bad), n=n, **settings).fit(X, y)
    a = np.array([params["a"] for params in search.cv_results_["params"]])
    scores = search.cv_results_["mean_test_score"]
    assert sorted(a) == list(range(n))
    assert sorted(a[np.isnan(scores)]) == sorted(bad)
    good = np.isfinite(scores)
    np.testing.assert_allclose(scores[good], a[good] / 100)


@pytest.mark.parametrize(
    ("act", "settings"),
    [
        ("die", {}),
        ("die", {"evaluation": "stream", "batch_size": 3}),
        ("sleep", {"candidate_timeout": 0.4}),
        ("sleep", {"candidate_timeout": 0.4, "evaluation": "stream", "batch_size": 3}),
    ],
)
def test_a_candidate_that_ends_its_worker_loses_nothing_else(dask, act, settings):
    fit_bad((3,), 10, act, **settings)


def test_folds_in_parallel_share_the_limit_as_if_one_ran_after_the_other(dask):
    search = search_of(Scripted(seconds=0.4), n=1, candidate_timeout=1.0, error_score=-1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = search.fit(X, y).cv_results_
    assert [results[f"split{k}_test_score"][0] for k in range(3)] == [0.0, 0.0, -1.0]


@pytest.mark.slow
@pytest.mark.parametrize(("act", "settings"), [("die", {}), ("sleep", {"candidate_timeout": 0.4})])
def test_five_candidates_that_end_their_workers_lose_nothing_else(dask, act, settings):
    fit_bad((3, 11, 12, 25, 39), 40, act, **settings)


def test_loops_in_python_are_ended_without_ending_the_worker(dask):
    time.sleep(2.5)  # workers of the tests before that were given up have ended now
    dask.wait_for_workers(2, timeout=60)
    before = set(dask.scheduler_info()["workers"])
    fit_bad((3,), 6, "loop", candidate_timeout=0.4)
    assert set(dask.scheduler_info()["workers"]) == before


def test_without_workers_the_search_ends_with_what_it_has(monkeypatch):
    from skpg.evaluation.workers import dask as _dask

    monkeypatch.setattr(_dask, "PATIENCE", 2.0)
    monkeypatch.setattr(_dask, "LOOK_AT_WORKERS", 0.5)
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config("dask"),
        pytest.warns(UserWarning, match="no workers"),
    ):
        search = search_of(
            Scripted(seconds=0.05),
            callbacks=[lambda p: cluster.scale(0) if p.n_candidates == 3 else None],
        ).fit(X, y)
    assert search.stop_reason_ == "interrupted"
    assert 3 <= len(search.cv_results_["params"]) < 40


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (Nowhere(), "cannot be pickled: TypeError: cannot be pickled anywhere"),
        (OnlyHere(), "cannot be unpickled: RuntimeError: in another process"),
    ],
)
def test_a_choice_that_cannot_be_sent_is_a_failed_candidate(dask, choice, message):
    space = {"a": [1, 2, 3, 4], "folder": [None, choice]}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search = PolicyGradientSearchCV(Scripted(), space, n_iter=8, cv=3, random_state=0).fit(X, y)
    good = np.array([params["folder"] is None for params in search.cv_results_["params"]])
    scores = search.cv_results_["mean_test_score"]
    assert np.isnan(scores[~good]).all()
    np.testing.assert_allclose(np.sort(scores[good]), [0.01, 0.02, 0.03, 0.04])
    assert any(message in str(w.message) for w in caught)


def test_large_choices_are_pickled_once(dask, tmp_path):
    choices = [Marked(tmp_path / str(k), 500_000) for k in range(2)]
    space = {"a": [1, 2, 3, 4], "seconds": [0.0], "extra": choices}
    search = PolicyGradientSearchCV(Scripted(), space, n_iter=8, cv=3, random_state=0).fit(X, y)
    assert [path.read_text() for path in sorted(tmp_path.iterdir())] == ["pickled\n"] * 2
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_what_a_fit_has_left_is_not_sent_with_the_next(dask, tmp_path):
    search = search_of(Scripted(extra=str(tmp_path / "model")), n=4).fit(X, y)
    assert isinstance(search.best_estimator_.model_, Marked)
    search.fit(X, y)
    assert not (tmp_path / "model").exists()


class OnDask(PolicyGradientSearchCV):
    def fit(self, X, y):
        with joblib.parallel_config("dask"):
            return super().fit(X, y)


def small(callbacks=None):
    settings = {"n_iter": 4, "batch_size": 2, "cv": 2, "random_state": 0}
    return OnDask(Scripted(), {"a": list(range(4))}, callbacks=callbacks, **settings)


def test_searches_in_threads_share_a_cluster(dask):
    expected = small().fit(X, y).cv_results_["mean_test_score"].tolist()
    searches = [small() for _ in range(3)]
    fit_together(searches, X, y)
    for search in searches:
        assert search.cv_results_["mean_test_score"].tolist() == expected


def patience():
    import dask

    return dask.config.get("distributed.deploy.lost-worker-timeout")


def test_settings_of_dask_are_restored_when_the_last_of_several_searches_ends(dask):
    before, during = patience(), []
    fit_overlapping(
        lambda callbacks: small([*callbacks, lambda progress: during.append(patience())]), X, y
    )
    assert patience() == before
    assert set(during) == {"1h"}


def test_a_search_that_cannot_be_sent_leaves_the_settings_of_dask(dask):
    before = patience()
    with pytest.raises(Exception, match="this scorer"):
        small().set_params(scoring=UnpicklableScorer()).fit(X, y)
    assert patience() == before
