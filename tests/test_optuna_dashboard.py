import json
import math
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import expon, loguniform, randint, rv_discrete, uniform
from sklearn.base import clone
from sklearn.datasets import load_iris, make_classification
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skpg import PolicyGradientSearchCV
from tests.estimators import Scripted

optuna = pytest.importorskip("optuna")

from optuna.trial import TrialState  # noqa: E402

from skpg.integrations.optuna import OptunaCallback, export_study  # noqa: E402

optuna.logging.set_verbosity(optuna.logging.CRITICAL)

X, y = load_iris(return_X_y=True)


def search_of(estimator, space, **options):
    options = {"n_iter": 12, "cv": 3, "random_state": 0} | options
    return PolicyGradientSearchCV(estimator, space, **options)


KNN = {"n_neighbors": randint(1, 31), "weights": ["uniform", "distance"], "p": [1, 2]}


# -- What a study holds ------------------------------------------------------------------


def test_a_study_has_all_candidates_with_their_folds():
    search = search_of(KNeighborsClassifier(), KNN, scoring="accuracy").fit(X, y)
    study = export_study(search, study_name="knn")
    results = search.cv_results_
    assert study.study_name == "knn"
    assert study.direction is optuna.study.StudyDirection.MAXIMIZE
    assert study.metric_names == ["accuracy"]
    assert [t.params for t in study.trials] == results["params"]
    assert [t.value for t in study.trials] == results["mean_test_score"].tolist()
    for k in range(3):
        folds = [t.intermediate_values[k] for t in study.trials]
        assert folds == results[f"split{k}_test_score"].tolist()
    assert [t.user_attrs["iter"] for t in study.trials] == results["iter"].tolist()
    assert study.user_attrs["stop_reason"] == "n_iter"
    assert study.user_attrs["space: n_neighbors"] == "randint(1, 31)"
    assert study.best_params == search.best_params_
    assert all(t.datetime_start <= t.datetime_complete for t in study.trials)


def test_failed_and_raced_candidates_are_failed_and_pruned_trials():
    space = {"a": list(range(20))}
    failing = search_of(Scripted(act="raise", on=(3, 4)), space, n_iter=20)
    with pytest.warns(Warning, match="fits failed|non-finite"):
        failing.fit(X, y)
    study = export_study(failing)
    assert {t.params["a"] for t in study.get_trials(states=[TrialState.FAIL])} == {3, 4}
    raced = search_of(Scripted(), space, n_iter=20, racing=True, racing_bound=0.25).fit(X, y)
    study = export_study(raced)
    pruned = study.get_trials(states=[TrialState.PRUNED])
    assert len(pruned) == (raced.cv_results_["n_folds_evaluated"] < 3).sum() > 0
    assert all(t.value == t.params["a"] / 100 for t in pruned)
    assert study.best_params == raced.best_params_


def test_several_metrics_give_the_one_that_counts():
    search = search_of(
        KNeighborsClassifier(), KNN, scoring=["accuracy", "f1_macro"], refit="f1_macro"
    )
    study = export_study(search.fit(X, y))
    assert study.metric_names == ["f1_macro"]
    assert study.best_value == search.cv_results_["mean_test_f1_macro"].max()


def test_choices_of_any_kind_and_branches_can_be_stored():
    steps = Pipeline([("scale", StandardScaler()), ("model", SVC())])
    space = [
        {
            "model": [SVC()],
            "scale": [StandardScaler(), MinMaxScaler(), "passthrough", None],
            "model__C": loguniform(1e-3, 1e3),
        },
        {
            "model": [DecisionTreeClassifier(random_state=0)],
            "scale": ["passthrough"],
            "model__max_depth": [None, 1, 2, 3],
            "model__min_impurity_decrease": expon(scale=0.01),
        },
    ]
    search = search_of(steps, space, n_iter=20).fit(X, y)
    study = export_study(search)
    assert {t.params["model"] for t in study.trials} == {
        "SVC()",
        "DecisionTreeClassifier(random_state=0)",
    }
    scalers = {t.params["scale"] for t in study.trials}
    assert scalers <= {"StandardScaler()", "MinMaxScaler()", "passthrough", "None"}
    for trial, params in zip(study.trials, search.cv_results_["params"], strict=True):
        assert set(trial.params) == set(params)
        if "model__C" in params:
            assert trial.distributions["model__C"].log
            assert trial.distributions["model__C"].high == 1e3


def test_a_hyperparameter_may_be_a_list_here_and_a_number_there():
    space = [{"n_neighbors": [1, 2]}, {"n_neighbors": randint(3, 30), "p": uniform(1, 3)}]
    study = export_study(search_of(KNeighborsClassifier(), space).fit(X, y))
    names = {name for trial in study.trials for name in trial.params}
    assert names == {"n_neighbors", "n_neighbors (number)", "p"}


def test_values_that_are_equal_to_optuna_stay_apart():
    search = search_of(Scripted(), {"a": [True, 1, 1.0, 2]}, n_iter=4).fit(X, y)
    study = export_study(search)
    assert {t.params["a"] for t in study.trials} == {"True", "1", "1.0", "2"}


def test_values_of_distributions_keep_their_types():
    halves = rv_discrete(values=(np.arange(1, 3.5, 0.5), np.full(5, 0.2)))
    space = {"a": halves, "on": [(9, 7), (9.0, 7), (9, 7.0)], "act": [0, 10**400]}
    search = search_of(Scripted(), space, n_iter=30).fit(X, y)
    study = export_study(search)
    for trial, params in zip(study.trials, search.cv_results_["params"], strict=True):
        on, act = repr(params["on"]), repr(params["act"])
        assert trial.params == {"a": params["a"], "on": on, "act": act}


def test_what_is_not_fitted_or_has_a_taken_name_is_refused(tmp_path):
    search = search_of(KNeighborsClassifier(), KNN)
    with pytest.raises(NotFittedError):
        export_study(search)
    url = f"sqlite:///{tmp_path}/studies.db"
    export_study(search.fit(X, y), url, study_name="knn")
    with pytest.raises(optuna.exceptions.DuplicatedStudyError):
        export_study(search, url, study_name="knn")


# -- The callback ------------------------------------------------------------------------


def test_the_callback_records_what_the_export_does():
    callback = OptunaCallback(optuna.storages.InMemoryStorage(), "knn")
    seen = []

    def look(progress):
        seen.append(len(callback.study.trials))

    search = search_of(KNeighborsClassifier(), KNN, callbacks=[callback, look], n_jobs=2)
    search.fit(X, y)
    assert seen == list(range(1, 13))
    live, exported = callback.study, export_study(search)
    assert [t.params for t in live.trials] == [t.params for t in exported.trials]
    assert [t.value for t in live.trials] == pytest.approx([t.value for t in exported.trials])
    assert live.user_attrs == exported.user_attrs
    search.fit(X, y)
    assert callback.study.study_name == "knn 2"


def test_the_callback_says_how_a_search_ended():
    def fail(progress):
        raise RuntimeError("enough")

    callback = OptunaCallback(optuna.storages.InMemoryStorage())
    with pytest.raises(RuntimeError, match="enough"):
        search_of(KNeighborsClassifier(), KNN, callbacks=[callback, fail]).fit(X, y)
    assert callback.study.user_attrs["stop_reason"] == "RuntimeError: enough"


def test_clones_of_a_search_have_callbacks_of_their_own():
    callback = OptunaCallback(optuna.storages.InMemoryStorage(), "knn")
    search = search_of(KNeighborsClassifier(), KNN, n_iter=3, callbacks=[callback])
    for _ in range(2):
        clone(search).fit(X, y)
    assert callback.study is None
    assert optuna.get_all_study_names(callback.storage) == ["knn", "knn 2"]


def test_a_storage_that_fails_does_not_end_the_search(tmp_path):
    path = tmp_path / "studies.db"

    def destroy(progress):
        if progress.n_candidates == 5:
            path.write_text("this is not a database")

    callback = OptunaCallback(f"sqlite:///{path}")
    search = search_of(KNeighborsClassifier(), KNN, callbacks=[callback, destroy])
    with pytest.warns(UserWarning, match="OptunaCallback records nothing more") as caught:
        search.fit(X, y)
    assert len(caught) == 1
    assert len(search.cv_results_["params"]) == 12
    with pytest.warns(UserWarning, match="OptunaCallback records nothing more"):
        search_of(KNeighborsClassifier(), KNN, callbacks=[OptunaCallback("no://where")]).fit(X, y)


# -- optuna-dashboard --------------------------------------------------------------------


@pytest.fixture
def dashboard(tmp_path):
    """A running optuna-dashboard: the URL of its storage, and what its API answers."""
    pytest.importorskip("optuna_dashboard")
    url = f"sqlite:///{tmp_path}/studies.db"
    optuna.storages.RDBStorage(url)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Path(sys.executable).with_name("optuna-dashboard")
    command = [program, url, "--host", "127.0.0.1", "--port", str(port), "--server", "wsgiref"]
    with open(tmp_path / "log", "w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)

    def api(path):
        end = time.monotonic() + 120
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/{path}") as answer:
                    return json.load(answer)
            except (urllib.error.URLError, ConnectionError):  # it is starting
                assert server.poll() is None, (tmp_path / "log").read_text()
                assert time.monotonic() < end
                time.sleep(0.2)

    yield url, api
    server.terminate()
    server.wait()


def study_id(api, name):
    summaries = api("studies")["study_summaries"]
    return next(s["study_id"] for s in summaries if s["study_name"] == name)


def of_study(api, name, n):
    """What is served of a study with `n` trials; the storage is read every ten seconds."""
    end = time.monotonic() + 60
    while True:
        served = api(f"studies/{study_id(api, name)}")
        if len(served["trials"]) >= n or time.monotonic() > end:
            return served
        time.sleep(0.2)


def test_the_dashboard_serves_an_exported_and_a_live_study(dashboard):
    url, api = dashboard
    data = make_classification(n_samples=90, random_state=0)
    live = OptunaCallback(url, "live")
    seen = {}

    def look(progress):
        n = progress.n_candidates
        if n in (4, 8):
            seen[n] = of_study(api, "live", n)["trials"]

    space = {"C": loguniform(1e-3, 1e3), "fit_intercept": [True, False]}
    search = search_of(LogisticRegression(), space, callbacks=[live, look]).fit(*data)
    assert {n: len(trials) for n, trials in seen.items()} == {4: 4, 8: 8}
    export_study(search, url, study_name="exported")
    for name in ("live", "exported"):
        served = of_study(api, name, 12)
        values = [trial["values"][0] for trial in served["trials"]]
        assert values == pytest.approx(search.cv_results_["mean_test_score"].tolist())
        assert {trial["state"] for trial in served["trials"]} == {"Complete"}
        parameters = {p["name"]: p["param_external_value"] for p in served["trials"][0]["params"]}
        assert math.isclose(float(parameters["C"]), search.cv_results_["params"][0]["C"])
        assert parameters["fit_intercept"] in ("True", "False")
        steps = served["trials"][0]["intermediate_values"]
        assert [step["step"] for step in steps] == [0, 1, 2]
        attributes = {a["key"]: a["value"] for a in served["user_attrs"]}
        assert attributes["space: C"] == "loguniform(0.001, 1000.0)"
        assert served["union_search_space"]
    assert np.isfinite(values).all()
